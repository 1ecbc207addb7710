"""The control API under `/_emulator/`: how tests and demos drive the emulator."""

from __future__ import annotations

from aiohttp import web

from ..acts import Actor
from ..platform import Platform
from . import channels, living, openapi, state, users, webhooks
from .route import ROUTES, served

MODULES = (channels, living, openapi, state, users, webhooks)
"""The modules whose routes are served."""


def add_routes(app: web.Application, platform: Platform, actor: Actor) -> None:
    """Serve every control route."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, served(route, platform, actor))
