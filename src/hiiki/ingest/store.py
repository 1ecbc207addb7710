"""Keeping webhook events: durable before LINE gets its 200, many posts in one commit.

A commit waits for the disk, whether it has one row or a thousand. So posts that arrive while
the disk is busy are gathered, and the next commit takes them all: the more there are, the
less each of them costs. What no longer fits is refused at once, and LINE delivers it again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from psycopg import AsyncConnection

from hiiki.db.engine import autocommit
from hiiki.db.outage import is_conflict, is_outage
from hiiki.ingest.relay.outbox import Arrived, Raw, put
from hiiki.kit.errors import Invalid, Unavailable
from hiiki.kit.i18n import _
from hiiki.line.wire import WireEvent

CHANNEL = "hiiki_ingest"
"""The NOTIFY channel on which workers hear of new events."""
WRITERS = 2
"""Commits under way at a time in one process: one waits for the disk while one is made ready."""
AT_ONCE = 2_000
"""Events in one statement."""
WAITING_AT_MOST = 10_000
"""Events that may wait for their commit, whatever their size: they are in memory."""
WAIT_AT_MOST = 0.5
"""Seconds. While the first of those that wait has waited so long, no more are taken: they
would wait as long, and LINE gives up after two."""

_KEEP = """
    with kept as (
        insert into ingest.webhook_event
            (workspace_id, channel_id, event_id, source_id, kind, at, received_at, payload,
             state, attempts)
        select e.workspace_id, e.channel_id, e.event_id, e.source_id, e.kind, e.at,
            clock_timestamp(), e.payload::jsonb, 'waiting', 0
        from unnest(
            %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
            %s::text[]
        ) with ordinality as e
            (workspace_id, channel_id, event_id, source_id, kind, at, payload, place)
        order by e.place
        on conflict do nothing
        returning channel_id, event_id
    ), told as (
        select case when exists (select 1 from kept) then pg_notify(%s, '')::text end
    )
    select kept.channel_id::text, kept.event_id from kept left join told on true
    """


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
    payloads: Sequence[str] = field(init=False)
    """Its events as JSON."""
    since: float = field(init=False)
    """`time.monotonic()` when it came."""
    channel: str = field(init=False)
    keys: frozenset[tuple[str, str]] = field(init=False)
    """Its events by channel and id."""

    def __post_init__(self) -> None:
        self.payloads = _written(self.events)
        self.since = time.monotonic()
        self.channel = str(self.channel_id)
        self.keys = frozenset((self.channel, event.id) for event in self.events)

    def age(self) -> float:
        """Return for how many seconds it has waited."""
        return time.monotonic() - self.since


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
        loop = asyncio.get_running_loop()
        if self._events + len(events) > WAITING_AT_MOST:
            raise Overloaded()
        # Only while somebody writes is the age of the first a sign of how fast it goes.
        if self._writers and self._posts and self._posts[0].age() > WAIT_AT_MOST:
            raise Overloaded()
        kept: asyncio.Future[int] = loop.create_future()
        post = _Post(workspace_id, channel_id, events, kept, raw)
        self._posts.append(post)
        self._events += len(events)
        if len(self._writers) < WRITERS:
            self._writers.add(asyncio.create_task(self._write()))
        return await kept

    async def _write(self) -> None:
        me = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            while self._posts:
                await self._write_next()
        finally:
            # In the step that found nothing left to do. A callback would come a step later, and
            # a post between the two would count on a writer that has ended.
            self._writers.discard(me)

    async def _write_next(self) -> None:
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
        except Exception as error:
            if len(posts) == 1 or (is_outage(error) and not is_conflict(error)):
                _fail(posts, error)
                return
            # One body that cannot be stored, or a channel deleted meanwhile, is no reason
            # to lose the others; two processes with the same redelivered events may meet.
            for post in posts:
                if not post.kept.done():  # whoever gave up meanwhile comes again
                    await self._write_together([post])
        else:
            for post in posts:
                mine = post.keys & new
                new -= mine  # an event that two posts brought was new once
                if not post.kept.done():
                    post.kept.set_result(len(mine))


def _written(events: Sequence[WireEvent]) -> list[str]:
    """Return the payloads of events as JSON, before anybody else's are beside them.

    Raises `Invalid` when one cannot be written: it was nested more deeply than can be.
    """
    try:
        return [orjson.dumps(event.payload).decode() for event in events]
    except orjson.JSONEncodeError as error:
        raise Invalid(_("The body holds something that cannot be stored.")) from error


def _fail(posts: Sequence[_Post], error: Exception) -> None:
    for post in posts:
        if not post.kept.done():
            post.kept.set_exception(error)


async def _insert(posts: Sequence[_Post]) -> set[tuple[str, str]]:
    """Store those of these posts' events that are new; returns which were, by channel and id."""
    # Bodies of several workspaces share a commit; each row carries its own workspace_id.
    async with autocommit() as connection:
        if not any(post.raw for post in posts):
            return await _insert_events(connection, posts)
        async with connection.transaction():
            new = await _insert_events(connection, posts)
            # What LINE delivers again has been relayed, or waits to be, since it was new.
            arrived = [
                Arrived(post.workspace_id, post.channel_id, post.events, post.raw)
                for post in posts
                if post.raw is not None and not post.keys.isdisjoint(new)
            ]
            if arrived:
                await put(connection, arrived)
            return new


async def _insert_events(
    connection: AsyncConnection[Any], posts: Sequence[_Post]
) -> set[tuple[str, str]]:
    events = [event for post in posts for event in post.events]
    found = await connection.execute(
        _KEEP,
        (
            array(str(post.workspace_id) for post in posts for _ in post.events),
            array(post.channel for post in posts for _ in post.events),
            # LINE's order within a body is the order of the serial numbers.
            array(event.id for event in events),
            array(event.source_id for event in events),
            array(event.kind for event in events),
            array(event.at.isoformat() for event in events),
            array(payload for post in posts for payload in post.payloads),
            CHANNEL,
        ),
        prepare=True,
    )
    return set(await found.fetchall())


def array(values: Iterable[str]) -> str:
    """Return PostgreSQL's text form of an array of these.

    The driver makes one value after the other into text, by the type of each: for thousands
    of events a second that is more work than all the rest of keeping them.
    """
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(escaped) + '"}' if escaped else "{}"


_keepers: WeakKeyDictionary[asyncio.AbstractEventLoop, Keeper] = WeakKeyDictionary()


async def keep(
    workspace_id: UUID, channel_id: UUID, events: Sequence[WireEvent], raw: Raw | None = None
) -> int:
    """Store those of `events` that are new, durably; returns how many were.

    With `raw`, the body they came in waits for the channel's relay targets from the same
    commit on, unless all of its events were known.

    When this returns, the events are committed; when it raises, none of them is, or LINE
    sends them again and they are already there: either way nothing is lost or doubled.
    Raises `Overloaded` when too many wait already, and `Invalid` when an event cannot be
    written as JSON.
    """
    if not events:
        return 0
    loop = asyncio.get_running_loop()
    keeper = _keepers.get(loop)
    if keeper is None:
        keeper = _keepers[loop] = Keeper()
    return await keeper.keep(workspace_id, channel_id, events, raw)
