"""Keeping webhook events: one statement for a whole body, and word to the workers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson
from sqlalchemy import text

from hiiki.db import scope
from hiiki.line.wire import WireEvent

CHANNEL = "hiiki_ingest"
"""The NOTIFY channel on which workers hear of new events."""

_KEEP = text(
    """
    with kept as (
        insert into ingest.webhook_event
            (workspace_id, channel_id, event_id, source_id, kind, at, received_at, payload,
             state, attempts)
        select :workspace_id, :channel_id, e.event_id, e.source_id, e.kind, e.at,
            clock_timestamp(), e.payload::jsonb, 'waiting', 0
        from unnest(
            cast(:event_ids as text[]), cast(:source_ids as text[]), cast(:kinds as text[]),
            cast(:ats as timestamptz[]), cast(:payloads as text[])
        ) as e (event_id, source_id, kind, at, payload)
        on conflict do nothing
        returning 1
    )
    select count(*), case when count(*) > 0 then pg_notify(:notify, '')::text end from kept
    """
)


async def keep(workspace_id: UUID, channel_id: UUID, events: Sequence[WireEvent]) -> int:
    """Store those of `events` that are new, durably; returns how many were.

    When this returns, the events are committed; when it raises, none of them is, or LINE
    sends them again and they are already there: either way nothing is lost or doubled.
    """
    if not events:
        return 0
    # LINE's order within a body is the order of the serial numbers.
    async with scope(workspace_id) as session:
        found = await session.execute(
            _KEEP,
            {
                "workspace_id": workspace_id,
                "channel_id": channel_id,
                "event_ids": [event.id for event in events],
                "source_ids": [event.source_id for event in events],
                "kinds": [event.kind for event in events],
                "ats": [event.at for event in events],
                "payloads": [orjson.dumps(event.payload).decode() for event in events],
                "notify": CHANNEL,
            },
            execution_options={"scoped_by_hand": True},
        )
        return int(found.one()[0])
