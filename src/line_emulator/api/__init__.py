"""LINE's API. Importing this package fills `OPERATIONS`; a new module only has to be named here."""

from __future__ import annotations

from aiohttp import web

from ..platform import Platform
from . import bot, chat, messages, quota, tokens, webhook_settings
from .gate import Gate
from .operation import OPERATIONS

MODULES = (bot, chat, messages, quota, tokens, webhook_settings)
"""The modules whose operations are served."""


def add_routes(app: web.Application, platform: Platform) -> None:
    """Serve every operation."""
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, Gate(platform, operation).handle)
