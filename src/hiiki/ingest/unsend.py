"""Somebody takes a message back: what it said is forgotten.

Messaging API, "Unsend event": "We recommend that you … respect the user's intent …
don't … see or use the target message." That it was there, and when, stays.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.ingest.relay.outbox import forget_given_up

# What a person typed stands on the timeline as the message, and as the answer that a
# survey took it for; both name the message's id.
_FORGET = text(
    """
    update timeline.event
    set data = data - array['text', 'emojis', 'mention', 'keywords', 'title', 'address',
            'latitude', 'longitude', 'file_name', 'sticker_id', 'package_id', 'number', 'date']
        || '{"unsent": true}'
    where workspace_id = :workspace_id and contact_id = :contact_id
        and kind in ('message', 'survey_answer') and data ->> 'message_id' = :message_id
    returning data ->> 'event_id' as event_id
    """
)
# The webhook's own copy is found by the event's id, which the message names too; or among those
# set aside, for such an event has left nothing on the timeline, and staff may run it again.
# A statement of its own: it could be no part of one about people where those are in shards.
_FORGET_STORED = text(
    """
    with stored as (
        select unnest(cast(:event_ids as text[])) as event_id
        union
        select event_id from ingest.webhook_event
        where workspace_id = :workspace_id and channel_id = :channel_id
            and state = 'set_aside' and payload -> 'message' ->> 'id' = :message_id
    )
    update ingest.webhook_event w
    set payload = jsonb_set(
        w.payload, '{message}',
        jsonb_build_object('id', :message_id, 'type', w.payload -> 'message' -> 'type',
            'unsent', true)
    )
    from stored s
    where w.workspace_id = :workspace_id and w.channel_id = :channel_id
        and w.event_id = s.event_id
    """
)

_WAS_UNSENT = text(
    """
    select exists (
        select 1 from timeline.event
        where workspace_id = :workspace_id and contact_id = :contact_id
            and kind = 'unsend' and data ->> 'message_id' = :message_id
    )
    """
)
_BY_HAND = {"scoped_by_hand": True}


async def forget_message(
    session: WorkspaceSession, contact_id: UUID, channel_id: UUID, message_id: str
) -> None:
    """Take what the message said off the timeline, out of the stored webhook and the relay."""
    if not message_id:
        return
    whom = {"workspace_id": session.workspace_id, "message_id": message_id}
    forgotten = await session.scalars(
        _FORGET, {**whom, "contact_id": contact_id}, execution_options=_BY_HAND
    )
    event_ids = [event_id for event_id in forgotten if event_id]
    await session.execute(
        _FORGET_STORED,
        {**whom, "channel_id": channel_id, "event_ids": event_ids},
        execution_options=_BY_HAND,
    )
    await forget_given_up(session, channel_id, message_id)


async def was_unsent(session: WorkspaceSession, contact_id: UUID, message_id: str) -> bool:
    """True when the message had been taken back before it reached us."""
    found = await session.scalar(
        _WAS_UNSENT,
        {
            "workspace_id": session.workspace_id,
            "contact_id": contact_id,
            "message_id": message_id,
        },
        execution_options=_BY_HAND,
    )
    return bool(found)
