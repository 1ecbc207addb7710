"""What waits to be handled, and what becomes of an event whose handling fails."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hiiki.db import everywhere
from hiiki.ingest.handle import Waiting
from hiiki.kit.clock import now

RETRY_AFTER = (1, 5, 30, 120)
"""Seconds after the first, second, … failure; after the fifth the event is set aside."""
SOURCES_AT_ONCE = 128
EVENTS_AT_ONCE = 20
"""Events of one source that are read ahead."""

_WAITING = text(
    """
    with sources as (
        select distinct channel_id, source_id from (
            select channel_id, source_id from ingest.webhook_event
            where state = 'waiting' and (retry_at is null or retry_at <= clock_timestamp())
                and channel_id::text || source_id <> all(cast(:busy as text[]))
            order by serial limit :sources
        ) as oldest
    )
    select w.workspace_id, w.channel_id, w.event_id, w.source_id, w.kind, w.at, w.received_at,
        w.serial, w.attempts, w.payload, w.retry_at
    from sources s cross join lateral (
        select * from ingest.webhook_event e
        where e.state = 'waiting' and e.channel_id = s.channel_id and e.source_id = s.source_id
        order by e.at, e.serial limit :events
    ) w
    order by w.channel_id, w.source_id, w.at, w.serial
    """
)

_FAILED = text(
    """
    update ingest.webhook_event
    set attempts = attempts + 1, error = :error,
        state = case when attempts < cardinality(cast(:delays as float8[]))
            then 'waiting' else 'set_aside' end,
        retry_at = clock_timestamp()
            + (cast(:delays as float8[]))[attempts + 1] * interval '1 second'
    where channel_id = :channel_id and event_id = :event_id and state = 'waiting'
    returning retry_at
    """
)

Source = tuple[UUID, str]


async def waiting(
    busy: Collection[Source],
) -> tuple[list[list[Waiting]], dict[Source, datetime]]:
    """Return what is to be handled next, source by source, each in its order.

    Sources in `busy` are passed over. The second part says which sources rest, and until
    when, because the event whose turn it is failed a moment ago.
    """
    # The queue is all workspaces' together: a worker serves whoever is next.
    async with everywhere() as session:
        found = await session.execute(
            _WAITING,
            {
                "busy": [f"{channel_id}{source_id}" for channel_id, source_id in busy],
                "sources": SOURCES_AT_ONCE,
                "events": EVENTS_AT_ONCE,
            },
        )
        rows = found.all()
    due: list[list[Waiting]] = []
    resting: dict[Source, datetime] = {}
    for source, group in groupby(rows, key=lambda row: (row.channel_id, row.source_id)):
        events = list(group)
        if events[0].retry_at is not None and events[0].retry_at > now():
            resting[source] = events[0].retry_at
        else:
            due.append([Waiting(*row[:-1]) for row in events])
    due.sort(key=lambda events: min(event.serial for event in events))
    return due, resting


async def failed(event: Waiting, error: BaseException) -> datetime | None:
    """Write down that handling failed; returns until when it rests, None when set aside."""
    # The statement is the queue's, as above; what it counts is what the row says, for
    # another worker may have tried the event meanwhile.
    async with everywhere() as session:
        return await session.scalar(
            _FAILED,
            {
                "channel_id": event.channel_id,
                "event_id": event.event_id,
                "error": describe(error),
                "delays": [float(seconds) for seconds in RETRY_AFTER],
            },
        )


def describe(error: BaseException) -> str:
    """Return what staff may see of an error: without the statement's parameters."""
    if isinstance(error, DBAPIError):
        error = error.orig or error
    return f"{type(error).__name__}: {error}".replace("\0", "")[:1000]
