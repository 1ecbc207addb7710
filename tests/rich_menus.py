"""Rich menus for the emulator's tests: objects, images, and menus that are ready to be shown."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

Json = dict[str, Any]
SMALL = (800, 540)


def picture(size: tuple[int, int] = SMALL, format: str = "PNG", color: str = "#06c755") -> bytes:
    """An image of this size in one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, format)
    return out.getvalue()


def area(action: Json, x: int = 0, y: int = 0, width: int = 400, height: int = 540) -> Json:
    return {"bounds": {"x": x, "y": y, "width": width, "height": height}, "action": action}


def menu_object(*areas: Json, **changes: Any) -> Json:
    """A rich menu object of 800 x 540; without areas it says hello in its left half."""
    usual: Json = {
        "size": {"width": 800, "height": 540},
        "selected": False,
        "name": "Nice rich menu",
        "chatBarText": "メニュー",
        "areas": list(areas) or [area({"type": "message", "label": "Hello", "text": "hello"})],
    }
    return usual | changes


async def new_menu(api: Any, *areas: Json, image: bool = True, **changes: Any) -> str:
    """The id of a new menu, by default with an image."""
    made = await api.call("POST", "/v2/bot/richmenu", menu_object(*areas, **changes))
    assert made.status == 200, made.json
    menu_id = made.json["richMenuId"]
    if image:
        assert (await upload(api, menu_id, picture())).status == 200
    return menu_id


async def upload(api: Any, menu_id: str, data: bytes, content_type: str = "image/png") -> Any:
    path = f"/v2/bot/richmenu/{menu_id}/content"
    return await api.call("POST", path, data=data, Content_Type=content_type)


async def menu_seen_by(line: Any, user: str) -> str | None:
    """The id of the menu that this person has now."""
    menu = (await line.call("GET", f"/users/{user}/richmenu"))["menu"]
    return None if menu is None else menu["richMenuId"]
