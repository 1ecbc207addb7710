"""The control API's part for rich menus: who sees which, its image, the Manager's default."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from aiohttp import web

from ..control.route import Ask, ControlError, control
from ..model import Json
from ..validation import problem
from . import acts, images, schema
from .batch import Batches
from .store import ManagerMenu, RichMenu, menus_of, new_menu

_MANAGER = {
    "type": "object",
    "required": ["menu", "image"],
    "properties": {
        "menu": {"type": "object", "description": "a rich menu object"},
        "image": {"type": "string", "description": "its image, base64"},
        "shown_from": {"type": "number", "description": "seconds since 1970; at once by default"},
        "shown_until": {"type": "number", "description": "seconds since 1970; for ever by default"},
    },
}


@control(
    "GET",
    "/_emulator/users/{user}/richmenu",
    "The rich menu that this person has now",
    query={"channel": "the first by default"},
    returns="`menu`: the rich menu with `from` (user, default or manager), `open` and the path of "
    "its `image`; null without one",
)
async def of_user(ask: Ask) -> Json:
    """The menu of one person."""
    return {"menu": acts.menu_state(ask.actor, ask.channel(), ask.user())}


@control(
    "GET",
    "/_emulator/channels/{channel}/richmenus/{menu}/image",
    "A rich menu's image, without a token",
    returns="The JPEG or PNG",
)
async def image(ask: Ask) -> web.Response:
    """The image of one menu, that of the Manager included."""
    menus = menus_of(ask.channel())
    wanted = ask.request.match_info["menu"]
    menu = menus.by_id.get(wanted)
    if menu is None and menus.manager is not None and menus.manager.menu.id == wanted:
        menu = menus.manager.menu
    if menu is None or menu.image is None:
        raise ControlError("no such image", 404)
    # It never changes, as an image is set once.
    headers = {"Cache-Control": "max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=menu.image, content_type=menu.image_type, headers=headers)


@control(
    "PUT",
    "/_emulator/channels/{channel}/richmenus/manager",
    "Set a default rich menu as LINE Official Account Manager does",
    body=_MANAGER,
    returns="`richMenuId`",
)
async def set_manager(ask: Ask) -> Json:
    """Everybody sees it to whom nothing is shown by the Messaging API, in its display period."""
    given = ask.object()
    wrong = problem(schema.RICH_MENU, given.get("menu"))
    if wrong is not None:
        raise ControlError(f"menu: {wrong}")
    menu = new_menu(ask.platform, given["menu"], by_manager=True)
    _set_image(menu, given.get("image"))
    period: list[float | None] = []
    for name in ("shown_from", "shown_until"):
        moment: Any = given.get(name)
        if moment is not None and (
            isinstance(moment, bool) or not isinstance(moment, (int, float))
        ):
            raise ControlError(f"{name} must be a number")
        period.append(moment)
    menus_of(ask.channel()).manager = ManagerMenu(menu, *period)
    return {"richMenuId": menu.id}


def _set_image(menu: RichMenu, given: Any) -> None:
    try:
        data = base64.b64decode(given, validate=True)
        menu.image_type = images.examine(data, menu.width, menu.height)
    except (binascii.Error, TypeError, ValueError):
        raise ControlError("image must be base64") from None
    except images.ImageError as error:
        raise ControlError(f"image: {error}") from None
    menu.image = data


@control(
    "DELETE",
    "/_emulator/channels/{channel}/richmenus/manager",
    "Take the default rich menu of LINE Official Account Manager away",
)
async def remove_manager(ask: Ask) -> Json:
    """Without one, nothing happens."""
    menus_of(ask.channel()).manager = None
    return {}


@control(
    "POST",
    "/_emulator/channels/{channel}/richmenus/batch-failure",
    "Let the next batch of rich-menu operations fail on the way",
    body={
        "type": "object",
        "required": ["after"],
        "properties": {"after": {"type": "integer", "description": "so many people are seen to"}},
    },
)
async def fail_batch(ask: Ask) -> Json:
    """The batch ends as `failed`; a repeat with its `resumeRequestKey` sees to the rest."""
    after = ask.object().get("after")
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise ControlError("after must be a whole number, 0 or more")
    ask.channel().store.of(Batches).fail_after = after
    return {}
