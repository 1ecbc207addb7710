"""The rich menu under the chat: its image, its areas as buttons, and the chat bar.

Docs, "Rich menus overview": the image with tappable areas, and the bar whose text opens and closes
it. `selected` tells whether it is open when the chat is opened.
"""

from __future__ import annotations

import json

from markupsafe import Markup

from ..model import Channel, Json
from ..platform import Platform
from ..richmenu import store
from .shell import icon, join
from .words import word


def menu_of(platform: Platform, channel: Channel, user_id: str) -> store.RichMenu | None:
    """The menu that this person sees now."""
    return store.shown(platform, channel, user_id)


def draw_menu(platform: Platform, channel: Channel, user_id: str, lang: str) -> Markup:
    """The bar and the menu, or nothing if there is none.

    Areas overlap in the order of the list: the first one that holds the point is the one tapped, so
    it lies on top.
    """
    menu = menu_of(platform, channel, user_id)
    if menu is None:
        return Markup("")
    areas = join(
        _area(area, place, menu, lang) for place, area in reversed(list(enumerate(menu.areas)))
    )
    return Markup(
        '<div class="menubar"><button type="button" class="round" data-keyboard'
        ' aria-label="{keyboard}" title="{keyboard}">{keys}</button>'
        '<button type="button" class="bartext" id="menubar" aria-expanded="false"'
        ' aria-controls="richmenu"><span>{text}</span>{arrow}</button></div>'
        '<div class="richmenu" id="richmenu" role="group" aria-label="{name}" data-menu="{id}"'
        ' data-selected="{selected}" hidden>'
        '<div class="richimage" data-lp-style="aspect-ratio:{width} / {height}">'
        '<img src="{image}" alt="" draggable="false">{areas}</div></div>'
    ).format(
        keyboard=word("keyboard", lang),
        keys=icon("keyboard"),
        text=menu.chat_bar_text,
        arrow=icon("up"),
        name=f"{word('rich_menu', lang)}: {menu.name}",
        id=menu.id,
        selected="true" if menu.selected else "false",
        width=menu.width,
        height=menu.height,
        image=store.image_path(channel, menu),
        areas=areas,
    )


def _area(area: Json, place: int, menu: store.RichMenu, lang: str) -> Markup:
    bounds: Json = area["bounds"]
    action: Json = area["action"]
    label = action.get("label") or action.get("text") or action.get("uri")
    style = ";".join(
        f"{name}:{max(0, int(bounds[key])) / whole * 100:.3f}%"
        for name, key, whole in (
            ("left", "x", menu.width),
            ("top", "y", menu.height),
            ("width", "width", menu.width),
            ("height", "height", menu.height),
        )
    )
    return Markup(
        '<button type="button" class="area" data-area="{place}" data-action="{action}"'
        ' data-lp-style="{style}" aria-label="{label}"></button>'
    ).format(
        place=place,
        action=json.dumps(action, ensure_ascii=False),
        style=style,
        label=label or f"{word('rich_menu', lang)} {place + 1}",
    )
