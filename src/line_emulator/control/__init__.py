"""The control API under `/_emulator/`: how tests and demos drive the emulator."""

from __future__ import annotations

from aiohttp import web

from ..acts import Actor
from ..audience import control as audience
from ..content import control as content
from ..contracts import control as contracts
from ..coupon import control as coupons
from ..groups import control as groups
from ..liff import control as liff
from ..living import control as behaviours
from ..login import control as login
from ..membership import control as memberships
from ..platform import Platform
from ..richmenu import control as rich_menus
from ..tokens import control as tokens
from . import channels, living, openapi, pace, state, users, webhooks
from .route import ROUTES, served

MODULES = (
    audience,
    behaviours,
    channels,
    content,
    coupons,
    groups,
    living,
    liff,
    login,
    openapi,
    pace,
    rich_menus,
    state,
    tokens,
    users,
    webhooks,
    memberships,
    contracts,
)
"""The modules whose routes are served."""


def add_routes(app: web.Application, platform: Platform, actor: Actor) -> None:
    """Serve every control route."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, served(route, platform, actor))
