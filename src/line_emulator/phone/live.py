"""What happens on phones, told to browsers as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence

import orjson
from aiohttp import web

from ..chat.store import ReadMark
from ..model import (
    FRIENDSHIP_NAMES,
    Channel,
    ChatChange,
    Json,
    Passing,
    Phone,
    Said,
    Sending,
    Typing,
)
from ..platform import Platform
from ..richmenu.store import is_open
from . import draw, pages, wall
from .menu import draw_menu, menu_of

PING_SECONDS = 15.0
"""A comment so often keeps the connection known to be alive on both sides."""
_GATHER_SECONDS = 0.05

MISSED_AT_MOST = 100_000
"""Arrivals looked through for those that a wall missed while it was being opened."""

News = Sending | Said | Passing
Key = tuple[str, str]


async def stream(
    request: web.Request,
    platform: Platform,
    watched: Mapping[Key, str],
    tell: Callable[[str, list[News]], Json],
    missed: Callable[[], Mapping[Key, Sequence[News]]],
) -> web.StreamResponse:
    """Send `tell(name, news)` as an event whenever there are news under a key.

    `watched` gives each key of `platform.watchers` the name that `tell` knows it by; `missed`
    what came between the drawing of the page and this moment, when its stream begins.
    """
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    response.headers["X-Accel-Buffering"] = "no"
    await response.prepare(request)
    changed = asyncio.Event()
    queues: dict[Key, asyncio.Queue[News]] = {}
    watchers = platform.watchers
    for key in watched:
        queue = queues[key] = _Waking(changed)
        watchers.setdefault(key, set()).add(queue)
    for key, news in missed().items():
        for one in news:
            queues[key].put_nowait(one)
    try:
        await response.write(b"retry: 1000\n\n")
        while platform.watchers is watchers:
            try:
                await asyncio.wait_for(changed.wait(), PING_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            # A burst of messages becomes one event for each phone, and one write for all phones.
            await asyncio.sleep(_GATHER_SECONDS)
            changed.clear()
            out: list[bytes] = []
            for key, queue in queues.items():
                if not queue.empty():
                    news = [queue.get_nowait() for _ in range(queue.qsize())]
                    out.append(b"data: " + orjson.dumps(tell(watched[key], news)) + b"\n\n")
            if out:
                await response.write(b"".join(out))
    except ConnectionError:
        pass
    finally:
        for key, queue in queues.items():
            watching = watchers.get(key)
            if watching is not None:
                watching.discard(queue)
                if not watching:
                    watchers.pop(key, None)
    with contextlib.suppress(ConnectionError):
        await response.write_eof()
    return response


class _Waking(asyncio.Queue[News]):
    """A queue that wakes the stream it belongs to."""

    def __init__(self, changed: asyncio.Event) -> None:
        super().__init__()
        self._changed = changed

    def _put(self, item: News) -> None:
        super()._put(item)
        self._changed.set()


class PhoneNews:
    """News for one phone's page.

    New entries come alone; when something older may have changed (a read mark, a message taken
    back, anything in a group) `whole` has the chat anew. `menu` comes when the rich menu changed.
    """

    def __init__(self, chat: pages.Chat) -> None:
        self._chat = chat
        self._menu = self._menu_id()

    def _menu_id(self) -> str:
        if self._chat.group is not None:
            return ""
        menu = menu_of(self._chat.platform, self._chat.channel, self._chat.user.id)
        return menu.id if menu else ""

    def tell(self, name: str, news: list[News]) -> Json:
        """The event for these news."""
        chat = self._chat
        latest = news[-1]
        told: Json = {"entries": [], "typing": 0}
        added = [one for one in news if not isinstance(one, Passing)]
        older = any(isinstance(one, ReadMark | ChatChange) for one in news)
        if chat.group is not None or older:
            told["whole"] = pages.entries(chat)
        else:
            phone = chat.channel.phones.get(chat.user.id) or Phone()
            last = len(added) - 1
            told["entries"] = [
                draw.entry(one, chat.channel, chat.user.id, phone, chat.lang, newest=place == last)
                for place, one in enumerate(added)
            ]
        if chat.group is not None:
            return told
        state = FRIENDSHIP_NAMES[chat.channel.friendship(chat.user.id)]
        told["friendship"] = pages.friendship_controls(state, chat.lang)
        told["typing"] = latest.seconds if isinstance(latest, Typing) else 0
        menu_id = self._menu_id()
        if menu_id != self._menu:
            self._menu = menu_id
            told["menu"] = self._new_menu()
        return told

    def _new_menu(self) -> Json:
        chat = self._chat
        menu = menu_of(chat.platform, chat.channel, chat.user.id)
        return {
            "html": draw_menu(chat.platform, chat.channel, chat.user.id, chat.lang),
            "open": menu is not None and is_open(chat.channel, chat.user.id, menu),
        }


def missed_on_phone(chat: pages.Chat, drawn: int) -> list[News]:
    """What a chat got since `drawn` of its entries were on the page, and whether somebody types."""
    if chat.group is not None:
        return [ChatChange()] if len(chat.group.entries) != drawn else []
    phone = chat.channel.phones.get(chat.user.id)
    if phone is None:
        return []
    news: list[News] = list(phone.entries[drawn:])
    seconds = phone.loading_until - chat.platform.clock.now()
    return [*news, Typing(seconds)] if seconds > 0 else news


def missed_on_wall(
    platform: Platform, channel: Channel, user_ids: Collection[str], drawn: int
) -> dict[Key, list[News]]:
    """What arrived at these phones since `drawn` was the last arrival's number."""
    found: dict[Key, list[News]] = {}
    for _, sending, user_id in platform.deliveries.after(drawn, MISSED_AT_MOST):
        if sending.channel_id == channel.id and user_id in user_ids:
            found.setdefault((channel.id, user_id), []).append(sending)
    return found


def wall_news(platform: Platform, channel: Channel, lang: str) -> Callable[[str, list[News]], Json]:
    """News for the wall: the phone's little screen as it is now, and what has arrived."""

    def tell(user_id: str, news: list[News]) -> Json:
        arrived = [one for one in news if isinstance(one, Sending)]
        return {
            "user": user_id,
            "screen": wall.card_screen(platform.users[user_id], channel, lang),
            "state": FRIENDSHIP_NAMES[channel.friendship(user_id)],
            "bubbles": sum(len(one.message_ids) for one in arrived),
        }

    return tell
