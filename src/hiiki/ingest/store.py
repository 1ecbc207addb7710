"""Keeping webhook events: durable before LINE gets its 200, many posts in one commit.

A commit waits for the disk, whether it has one row or a thousand. So posts that arrive while
the disk is busy are gathered, and the next commit takes them all: the more there are, the
less each of them costs. What no longer fits is refused at once, and LINE delivers it again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hiiki.db import everywhere
from hiiki.ingest.relay.outbox import Arrived, Raw, put
from hiiki.kit.errors import Unavailable
from hiiki.line.wire import WireEvent

CHANNEL = "hiiki_ingest"
"""The NOTIFY channel on which workers hear of new events."""
WRITERS = 2
"""Commits under way at a time in one process: one waits for the disk while one is made ready."""
AT_ONCE = 2_000
"""Events in one statement."""
WAITING_AT_MOST = 10_000
"""Events that may wait for their commit: more would not be kept before LINE has given up."""

_KEEP = text(
    """
    with kept as (
        insert into ingest.webhook_event
            (workspace_id, channel_id, event_id, source_id, kind, at, received_at, payload,
             state, attempts)
        select e.workspace_id, e.channel_id, e.event_id, e.source_id, e.kind, e.at,
            clock_timestamp(), e.payload::jsonb, 'waiting', 0
        from unnest(
            cast(:workspace_ids as uuid[]), cast(:channel_ids as uuid[]),
            cast(:event_ids as text[]), cast(:source_ids as text[]), cast(:kinds as text[]),
            cast(:ats as timestamptz[]), cast(:payloads as text[])
        ) with ordinality as e
            (workspace_id, channel_id, event_id, source_id, kind, at, payload, place)
        order by e.place
        on conflict do nothing
        returning channel_id, event_id
    ), told as (
        select case when exists (select 1 from kept) then pg_notify(:notify, '')::text end
    )
    select kept.channel_id, kept.event_id from kept left join told on true
    """
)


class Overloaded(Unavailable):
    """More events arrive than can be made durable in time; LINE will deliver them again."""

    code = "overloaded"


@dataclass(slots=True)
class _Post:
    """The events of one webhook body, and who waits for them to be durable."""

    workspace_id: UUID
    channel_id: UUID
    events: Sequence[WireEvent]
    kept: asyncio.Future[int]
    raw: Raw | None
    """What LINE posted, when the channel relays it."""


class Keeper:
    """Gathers the posts of one event loop into shared commits."""

    def __init__(self) -> None:
        self._posts: deque[_Post] = deque()
        self._events = 0
        self._writers: set[asyncio.Task[None]] = set()

    async def keep(
        self,
        workspace_id: UUID,
        channel_id: UUID,
        events: Sequence[WireEvent],
        raw: Raw | None = None,
    ) -> int:
        """See `hiiki.ingest.store.keep`."""
        if self._events + len(events) > WAITING_AT_MOST:
            raise Overloaded()
        kept: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        post = _Post(workspace_id, channel_id, events, kept, raw)
        self._posts.append(post)
        self._events += len(events)
        if len(self._writers) < WRITERS:
            writer = asyncio.create_task(self._write())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await kept

    async def _write(self) -> None:
        while self._posts:
            posts = self._take()
            try:
                await self._write_together(posts)
            finally:
                # Reached with posts unanswered only when the loop is closing.
                for post in posts:
                    if not post.kept.done():
                        post.kept.cancel()

    def _take(self) -> list[_Post]:
        posts: list[_Post] = []
        events = 0
        while self._posts and (not posts or events + len(self._posts[0].events) <= AT_ONCE):
            post = self._posts.popleft()
            self._events -= len(post.events)
            # Whoever has given up waiting was answered 503 and will come again.
            if not post.kept.done():
                posts.append(post)
                events += len(post.events)
        return posts

    async def _write_together(self, posts: list[_Post]) -> None:
        if not posts:
            return
        try:
            new = await _insert(posts)
        except DBAPIError as error:
            if len(posts) == 1 or error.connection_invalidated:
                _fail(posts, error)
                return
            # One body that cannot be stored, or a channel deleted meanwhile, is no reason
            # to lose the others; two processes with the same redelivered events may meet.
            for post in posts:
                await self._write_together([post])
        except Exception as error:
            _fail(posts, error)
        else:
            for post in posts:
                mine = {(post.channel_id, event.id) for event in post.events} & new
                new -= mine  # an event that two posts brought was new once
                if not post.kept.done():
                    post.kept.set_result(len(mine))


def _fail(posts: Sequence[_Post], error: Exception) -> None:
    for post in posts:
        if not post.kept.done():
            post.kept.set_exception(error)


async def _insert(posts: Sequence[_Post]) -> set[tuple[UUID, str]]:
    """Store those of these posts' events that are new; returns which were, by channel and id."""
    rows = [(post, event) for post in posts for event in post.events]
    # Bodies of several workspaces share a commit; each row carries its own workspace_id.
    async with everywhere() as session:
        found = await session.execute(
            _KEEP,
            {
                "workspace_ids": [post.workspace_id for post, _ in rows],
                "channel_ids": [post.channel_id for post, _ in rows],
                # LINE's order within a body is the order of the serial numbers.
                "event_ids": [event.id for _, event in rows],
                "source_ids": [event.source_id for _, event in rows],
                "kinds": [event.kind for _, event in rows],
                "ats": [event.at for _, event in rows],
                "payloads": [orjson.dumps(event.payload).decode() for _, event in rows],
                "notify": CHANNEL,
            },
        )
        new = {(row.channel_id, row.event_id) for row in found}
        # What LINE delivers again has been relayed, or waits to be, since it was new.
        arrived = [
            Arrived(post.workspace_id, post.channel_id, post.events, post.raw)
            for post in posts
            if post.raw is not None and any((post.channel_id, e.id) in new for e in post.events)
        ]
        if arrived:
            await put(session, arrived)
        return new


_keepers: WeakKeyDictionary[asyncio.AbstractEventLoop, Keeper] = WeakKeyDictionary()


async def keep(
    workspace_id: UUID, channel_id: UUID, events: Sequence[WireEvent], raw: Raw | None = None
) -> int:
    """Store those of `events` that are new, durably; returns how many were.

    With `raw`, the body they came in waits for the channel's relay targets from the same
    commit on, unless all of its events were known.

    When this returns, the events are committed; when it raises, none of them is, or LINE
    sends them again and they are already there: either way nothing is lost or doubled.
    Raises `Overloaded` when too many wait already.
    """
    if not events:
        return 0
    loop = asyncio.get_running_loop()
    keeper = _keepers.get(loop)
    if keeper is None:
        keeper = _keepers[loop] = Keeper()
    return await keeper.keep(workspace_id, channel_id, events, raw)
