"""Rich menus themselves, their images, and the default one (reference, "Rich menu")."""

from __future__ import annotations

import asyncio

from ..api.operation import EMPTY, Answer, Call, LineError, answer, not_found, operation
from ..limits import PER_HOUR_100, PER_SECOND_10
from . import images, schema
from .store import MAX_MENUS, RichMenu, delete, menus_of, new_menu

_MEDIA = frozenset({"image/jpeg", "image/png"})


def menu_of(call: Call) -> RichMenu:
    """The menu that the path names. Raises LINE's 404, also for another channel's menu."""
    menu = menus_of(call.channel).by_id.get(call.params["richMenuId"])
    return not_found() if menu is None else menu


def menu_to_show(call: Call) -> RichMenu:
    """The menu that the path names, if it can be shown. Raises LINE's 404 and 400."""
    menu = menu_of(call)
    if menu.image is None:
        raise no_image()
    return menu


def no_image() -> LineError:
    """LINE's answer to showing a menu that has no image."""
    message = "must upload richmenu image before applying it to user"
    return LineError(400, {"message": message, "details": []})


@operation("POST", "/v2/bot/richmenu", limit=PER_HOUR_100, body="json")
async def create(call: Call) -> Answer:
    """Create rich menu."""
    body = call.json(schema.RICH_MENU)
    menus = menus_of(call.channel)
    if len(menus.by_id) >= MAX_MENUS:
        message = f"The maximum number of rich menus ({MAX_MENUS}) has been reached"
        raise LineError(400, {"message": message, "details": []})
    menu = new_menu(call.platform, body)
    menus.by_id[menu.id] = menu
    return answer({"richMenuId": menu.id})


@operation("POST", "/v2/bot/richmenu/validate", body="json")
async def validate(call: Call) -> Answer:
    """Validate rich menu object."""
    call.json(schema.RICH_MENU)
    return EMPTY


@operation("GET", "/v2/bot/richmenu/list", limit=PER_SECOND_10)
async def menu_list(call: Call) -> Answer:
    """Get rich menu list: those made with the Messaging API."""
    return answer({"richmenus": [one.response() for one in menus_of(call.channel).by_id.values()]})


@operation("GET", "/v2/bot/richmenu/{richMenuId}")
async def get(call: Call) -> Answer:
    """Get rich menu."""
    return answer(menu_of(call).response())


@operation("DELETE", "/v2/bot/richmenu/{richMenuId}", limit=PER_HOUR_100)
async def remove(call: Call) -> Answer:
    """Delete rich menu."""
    delete(call.channel, menu_of(call).id)
    return EMPTY


# Images


@operation("POST", "/v2/bot/richmenu/{richMenuId}/content", body="binary")
async def upload(call: Call) -> Answer:
    """Upload rich menu image: once for each menu."""
    menu = menu_of(call)
    given = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if given not in _MEDIA:
        raise LineError(415, "Unsupported media type")
    _refuse_second_image(menu)
    try:
        # Decoding takes tens of milliseconds: other requests go on meanwhile.
        content_type = await asyncio.to_thread(images.examine, call.body, menu.width, menu.height)
    except images.ImageError as error:
        raise LineError(400, str(error)) from None
    _refuse_second_image(menu)
    menu.image, menu.image_type = call.body, content_type
    return EMPTY


def _refuse_second_image(menu: RichMenu) -> None:
    if menu.image is not None:
        raise LineError(400, "An image has already been uploaded to the richmenu")


@operation("GET", "/v2/bot/richmenu/{richMenuId}/content")
async def download(call: Call) -> Answer:
    """Download rich menu image."""
    menu = menu_of(call)
    if menu.image is None:
        not_found()
    return Answer(menu.image, content_type=menu.image_type)


# The default menu


@operation("POST", "/v2/bot/user/all/richmenu/{richMenuId}")
async def set_default(call: Call) -> Answer:
    """Set default rich menu."""
    menus_of(call.channel).default = menu_to_show(call).id
    return EMPTY


@operation("GET", "/v2/bot/user/all/richmenu")
async def get_default(call: Call) -> Answer:
    """Get default rich menu ID: 403 when it is one of LINE Official Account Manager."""
    menus = menus_of(call.channel)
    if menus.default is not None:
        return answer({"richMenuId": menus.default})
    if menus.manager_menu(call.platform.clock.now()) is not None:
        message = "the richmenu is owned by another channel"
        raise LineError(403, {"message": message, "details": []})
    raise LineError(404, {"message": "no default richmenu", "details": []})


@operation("DELETE", "/v2/bot/user/all/richmenu")
async def clear_default(call: Call) -> Answer:
    """Clear default rich menu; without one, nothing happens."""
    menus_of(call.channel).default = None
    return EMPTY
