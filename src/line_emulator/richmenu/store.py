"""A channel's rich menus, and which of them a person sees.

Reference: "Rich menu", "Per-user rich menu", "Rich menu alias"; docs, "Rich menus overview",
sections "Display priority" and "When rich menu setting changes take effect".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from ..model import Channel, Friendship, Json, MenuChange
from ..platform import Platform
from . import record
from .schema import known

MAX_MENUS = 1000
"""Rich menus a channel may have (reference, "Create rich menu")."""
MAX_ALIASES = 1000
"""Aliases a channel may have (reference, "Create rich menu alias")."""
_SIDES = ("x", "y", "width", "height")


@dataclass(slots=True)
class RichMenu:
    """One rich menu. `areas` are area objects as accepted: `bounds` in image pixels, and `action`.

    `selected` tells that the menu is open when the chat is opened. Without an `image` a menu can
    be shown to nobody. `created_at` is in seconds since 1970. `by_manager` marks a menu made in
    LINE Official Account Manager, which the Messaging API does not know.
    """

    id: str
    name: str
    width: int
    height: int
    selected: bool
    chat_bar_text: str
    areas: list[Json]
    created_at: float
    image: bytes | None = None
    image_type: str = ""
    by_manager: bool = False

    def response(self) -> Json:
        """The rich menu response object (reference, under that name)."""
        return {
            "richMenuId": self.id,
            "name": self.name,
            "size": {"width": self.width, "height": self.height},
            "chatBarText": self.chat_bar_text,
            "selected": self.selected,
            "areas": self.areas,
        }


@dataclass(slots=True)
class ManagerMenu:
    """The default menu as set in LINE Official Account Manager, with its display period.

    The times are in seconds since 1970; None leaves that side open.
    """

    menu: RichMenu
    shown_from: float | None = None
    shown_until: float | None = None


@dataclass(slots=True)
class RichMenus:
    """All that a channel remembers of rich menus.

    `default` is the one set with the Messaging API. `linked` has a person's own menu by user id,
    `opened` the menu that is open in a person's chat just now.
    """

    by_id: dict[str, RichMenu] = field(default_factory=dict[str, RichMenu])
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    default: str | None = None
    manager: ManagerMenu | None = None
    linked: dict[str, str] = field(default_factory=dict[str, str])
    opened: dict[str, str] = field(default_factory=dict[str, str])

    def manager_menu(self, now: float) -> RichMenu | None:
        """The default menu of LINE Official Account Manager, if this is its time."""
        manager = self.manager
        if manager is None:
            return None
        begun = manager.shown_from is None or manager.shown_from <= now
        over = manager.shown_until is not None and manager.shown_until <= now
        return manager.menu if begun and not over else None


def menus_of(channel: Channel) -> RichMenus:
    """The channel's rich menus."""
    return channel.store.of(RichMenus)


def shown(platform: Platform, channel: Channel, user_id: str) -> RichMenu | None:
    """The menu that this person finds in the chat when it is opened now, or None.

    A friend's own menu comes first, then the default of the Messaging API, then that of LINE
    Official Account Manager. Who is no friend sees the default ones only; a blocked account's chat
    has no menu.
    """
    if channel.friendship(user_id) is Friendship.BLOCKED:
        return None
    menus = menus_of(channel)
    own = menus.by_id.get(menus.linked.get(user_id, ""))
    if own is not None:
        return own
    if menus.default is not None:
        return menus.by_id.get(menus.default)
    return menus.manager_menu(platform.clock.now())


def is_open(channel: Channel, user_id: str, menu: RichMenu) -> bool:
    """Whether this menu is open in the person's chat, and not only its bar to be seen."""
    return menus_of(channel).opened.get(user_id) == menu.id


def image_path(channel: Channel, menu: RichMenu) -> str:
    """Where pages of the emulator itself find the menu's image, without a token."""
    return f"/_emulator/channels/{channel.id}/richmenus/{menu.id}/image"


def new_menu(platform: Platform, body: Json, *, by_manager: bool = False) -> RichMenu:
    """A rich menu from a rich menu object that has been checked."""
    return RichMenu(
        id="richmenu-" + secrets.token_hex(16),
        name=body["name"],
        width=int(body["size"]["width"]),
        height=int(body["size"]["height"]),
        selected=body["selected"],
        chat_bar_text=body["chatBarText"],
        areas=[
            {
                "bounds": {
                    side: int(one["bounds"][side]) for side in ("x", "y", "width", "height")
                },
                "action": known(one["action"]),
            }
            for one in body["areas"]
        ],
        created_at=platform.clock.now(),
        by_manager=by_manager,
    )


def link(platform: Platform, channel: Channel, user_id: str, menu_id: str) -> bool:
    """Make this menu the person's own, at once; False, with nothing done, for who is no friend."""
    user = platform.users.get(user_id)
    if user is None or channel.friendship(user_id) is not Friendship.FRIEND:
        return False
    # The user's own string and the menu's are stored, not copies that came in a request.
    menus = menus_of(channel)
    menus.linked[user.id] = menus.by_id[menu_id].id
    platform.tell_watchers(channel, user_id, MenuChange())
    return True


def unlink(platform: Platform, channel: Channel, user_id: str) -> bool:
    """Take the person's own menu away, at once; False for who is no friend or has none."""
    if channel.friendship(user_id) is not Friendship.FRIEND:
        return False
    if menus_of(channel).linked.pop(user_id, None) is None:
        return False
    platform.tell_watchers(channel, user_id, MenuChange())
    return True


def delete(channel: Channel, menu_id: str) -> None:
    """Delete the menu, its links and its record; aliases go on naming it.

    Chats that are open are told nothing: the menu goes when a chat is opened again.
    """
    menus = menus_of(channel)
    del menus.by_id[menu_id]
    record.forget(channel, menu_id)
    if menus.default == menu_id:
        menus.default = None
    for people in (menus.linked, menus.opened):
        for user_id in [one for one, linked in people.items() if linked == menu_id]:
            del people[user_id]
