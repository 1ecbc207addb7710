"""LINE's API. Importing this package fills `OPERATIONS`; a new module only has to be named here."""

from __future__ import annotations

from aiohttp import web

from ..accountlink import operations as account_link
from ..audience import operations as audience
from ..chat import operations as chat
from ..content import operations as content
from ..contracts import mission, notification
from ..contracts import module as modules
from ..coupon import operations as coupons
from ..groups import operations as groups
from ..insight import operations as insight
from ..insight import units
from ..liff import operations as liff
from ..login import authorize
from ..login import operations as login
from ..membership import operations as memberships
from ..narrowcast import operations as narrowcast
from ..platform import Platform
from ..richmenu import aliases as rich_menu_aliases
from ..richmenu import batch as rich_menu_batch
from ..richmenu import operations as rich_menus
from ..richmenu import users as rich_menu_users
from ..tokens import operations as tokens
from . import bot, messages, quota, webhook_settings
from .gate import Gate
from .operation import OPERATIONS

MODULES = (
    account_link,
    audience,
    authorize,
    bot,
    chat,
    content,
    coupons,
    groups,
    insight,
    liff,
    login,
    messages,
    narrowcast,
    quota,
    rich_menu_aliases,
    rich_menu_batch,
    rich_menu_users,
    rich_menus,
    tokens,
    units,
    webhook_settings,
    memberships,
    mission,
    modules,
    notification,
)
"""The modules whose operations are served."""


def add_routes(app: web.Application, platform: Platform) -> None:
    """Serve every operation."""
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, Gate(platform, operation).handle)
