"""What people do with the rich menu: open and close it, tap its areas, switch to another one."""

from __future__ import annotations

from typing import Any

from .. import events
from ..acts import ActError, Actor, act, performs
from ..model import Channel, Json, User
from . import record
from .store import RichMenu, image_path, is_open, link, menus_of, shown


def _menu_of(actor: Actor, channel: Channel, user: User) -> RichMenu:
    menu = shown(actor.platform, channel, user.id)
    if menu is None:
        raise ActError("this person has no rich menu")
    return menu


def _open(actor: Actor, channel: Channel, user: User, menu: RichMenu) -> None:
    menus_of(channel).opened[user.id] = menu.id
    record.impression(actor.platform, channel, user, menu)


def _close(channel: Channel, user: User) -> None:
    menus_of(channel).opened.pop(user.id, None)


def menu_state(actor: Actor, channel: Channel, user: User) -> Json | None:
    """The menu that the person has now, as acts and the control API tell it."""
    menu = shown(actor.platform, channel, user.id)
    if menu is None:
        return None
    return menu.response() | {
        "image": image_path(channel, menu),
        "open": is_open(channel, user.id, menu),
        "from": "manager"
        if menu.by_manager
        else "default"
        if menus_of(channel).linked.get(user.id) != menu.id
        else "user",
    }


@act("menu_open")
def menu_open(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Open the menu: it is seen once more."""
    menu = _menu_of(actor, channel, user)
    _open(actor, channel, user, menu)
    return {"richMenuId": menu.id, "webhookEventIds": []}


@act("menu_close")
def menu_close(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Close the menu; its bar stays."""
    menu = _menu_of(actor, channel, user)
    _close(channel, user)
    return {"richMenuId": menu.id, "webhookEventIds": []}


@act("menu")
def tap_menu(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Tap an area of the menu, chosen by `area` (from 0), `label`, or `x` and `y` in its pixels.

    A closed menu is opened first. `value` is what is picked in a date picker. The result has the
    action, what came of it, and whether the menu is open afterwards.
    """
    menu = _menu_of(actor, channel, user)
    area = _chosen(menu, act)
    if not is_open(channel, user.id, menu):
        _open(actor, channel, user, menu)
    action: Json = menu.areas[area]["action"]
    result = actor.perform(channel, user, action, act)
    record.click(actor.platform, channel, user, menu, area)
    _after_postback(actor, channel, user, menu, action)
    now = shown(actor.platform, channel, user.id)
    return result | {
        "area": area,
        "richMenuId": menu.id,
        "open": now is not None and is_open(channel, user.id, now),
    }


def _after_postback(
    actor: Actor, channel: Channel, user: User, menu: RichMenu, action: Json
) -> None:
    """`inputOption` opens or closes the menu (reference, "Postback action")."""
    option = action.get("inputOption") if action["type"] == "postback" else None
    if option in ("closeRichMenu", "openKeyboard", "openVoice"):
        _close(channel, user)
    elif option == "openRichMenu" and not is_open(channel, user.id, menu):
        _open(actor, channel, user, menu)


def _chosen(menu: RichMenu, act: Json) -> int:
    area, label = act.get("area"), act.get("label")
    x, y = act.get("x"), act.get("y")
    if isinstance(area, int) and not isinstance(area, bool):
        if -len(menu.areas) <= area < len(menu.areas):
            return area % len(menu.areas)
        raise ActError(f"there is no area {area}; the menu has {len(menu.areas)}")
    if isinstance(label, str):
        labels = [one["action"].get("label") for one in menu.areas]
        if label in labels:
            return labels.index(label)
        there = ", ".join(repr(one) for one in labels if one) or "nothing"
        raise ActError(f"no area with label {label!r}; there is {there}")
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        for index, one in enumerate(menu.areas):
            if _inside(one["bounds"], x, y):
                return index
        raise ActError(f"no area at {x}, {y}")
    raise ActError("menu needs `area`, `label`, or `x` and `y`")


def _inside(bounds: Json, x: float, y: float) -> bool:
    left, top = bounds["x"], bounds["y"]
    return left <= x < left + bounds["width"] and top <= y < top + bounds["height"]


@performs("richmenuswitch")
def switch(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Switch this person's menu by alias; the bot learns how it went from a postback event.

    Reference, "postback.params object for rich menu switch action". Only a friend can have a menu
    of their own, so for others it fails.
    """
    action: Any = act["action"]
    alias_id = str(action.get("richMenuAliasId", ""))
    data = str(action.get("data", ""))
    actor.open_chat(channel, user)
    menus = menus_of(channel)
    target = menus.aliases.get(alias_id)
    params = {}
    if target is None:
        status = "RICHMENU_ALIAS_ID_NOTFOUND"
    elif target not in menus.by_id:
        status = "RICHMENU_NOTFOUND"
    elif not link(actor.platform, channel, user.id, target):
        status = "FAILED"
    else:
        status = "SUCCESS"
        params = {"newRichMenuAliasId": alias_id}
        _open(actor, channel, user, menus.by_id[target])
    params = params | {"status": status}
    event = events.postback(actor.platform, channel, user.id, data, params)
    shown_in_chat = {"data": data, "displayText": None, "params": params}
    return actor.record(channel, user, event, "postback", shown_in_chat) | {"params": params}
