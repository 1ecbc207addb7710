"""What happens on phones, told to browsers as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import orjson
from aiohttp import web

from ..model import FRIENDSHIP_NAMES, Channel, Json, Passing, Said, Sending, Typing, User
from ..platform import Platform
from . import draw, pages

PING_SECONDS = 15.0
"""A comment so often keeps the connection known to be alive on both sides."""
_GATHER_SECONDS = 0.05

News = Sending | Said | Passing


async def stream(
    request: web.Request,
    platform: Platform,
    channel: Channel,
    users: Iterable[User],
    tell: Callable[[str, list[News]], Json],
) -> web.StreamResponse:
    """Send `tell(user id, new entries)` as an event whenever these phones get something."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    response.headers["X-Accel-Buffering"] = "no"
    await response.prepare(request)
    changed = asyncio.Event()
    news: dict[str, asyncio.Queue[News]] = {}
    watchers = platform.watchers
    for user in users:
        queue = _Waking(changed)
        news[user.id] = queue
        watchers.setdefault((channel.id, user.id), set()).add(queue)
    try:
        await response.write(b"retry: 1000\n\n")
        while platform.watchers is watchers:
            try:
                await asyncio.wait_for(changed.wait(), PING_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            # A burst of messages becomes one event for each phone.
            await asyncio.sleep(_GATHER_SECONDS)
            changed.clear()
            for user_id, queue in news.items():
                if not queue.empty():
                    entries = [queue.get_nowait() for _ in range(queue.qsize())]
                    data = orjson.dumps(tell(user_id, entries))
                    await response.write(b"data: " + data + b"\n\n")
    except ConnectionError:
        pass
    finally:
        for user_id, queue in news.items():
            watching = watchers.get((channel.id, user_id))
            if watching is not None:
                watching.discard(queue)
                if not watching:
                    watchers.pop((channel.id, user_id), None)
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


def phone_news(channel: Channel, lang: str) -> Callable[[str, list[News]], Json]:
    """News for one phone's page: the new entries, and the friendship as it is now."""

    def tell(user_id: str, news: list[News]) -> Json:
        state = FRIENDSHIP_NAMES[channel.friendship(user_id)]
        entries = [one for one in news if not isinstance(one, Passing)]
        last = len(entries) - 1
        latest = news[-1]
        return {
            "entries": [
                draw.entry(one, channel, lang, newest=place == last)
                for place, one in enumerate(entries)
            ],
            "friendship": pages.friendship_controls(state, lang),
            "typing": latest.seconds if isinstance(latest, Typing) else 0,
        }

    return tell


def wall_news(platform: Platform, channel: Channel, lang: str) -> Callable[[str, list[News]], Json]:
    """News for the wall: the phone's little screen as it is now."""

    def tell(user_id: str, news: list[News]) -> Json:
        return {
            "user": user_id,
            "screen": pages.card_screen(platform.users[user_id], channel, lang),
            "state": FRIENDSHIP_NAMES[channel.friendship(user_id)],
            "arrived": any(isinstance(one, Sending) for one in news),
        }

    return tell
