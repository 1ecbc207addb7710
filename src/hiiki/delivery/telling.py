"""Telling the timeline who received what.

One multicast goes to up to 500 people, a broadcast to a million: to write all their `sent`
events down before the next request goes out would hold the sending up. A parcel that was
accepted is therefore told to the timeline a little later, once: in one transaction with
the mark that it was, under the parcel's id.
"""

from __future__ import annotations

from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.delivery.sql import BY_HAND, ERASED

TOLD_AT_ONCE = 40
"""Parcels told in one transaction: some 20,000 events."""

_TELL = text(
    """
with untold as materialized (
    select p.id from delivery.parcel p
    where p.state = 'accepted' and not p.is_told
    order by p.settled_at limit :room
    for update skip locked
), told as (
    update delivery.parcel p set is_told = true
    from untold where p.id = untold.id
    returning p.id, p.workspace_id, p.send_id, p.channel_id, p.subject, p.method,
        p.contact_ids, p.messages, p.settled_at
), about as materialized (
    select t.*, jsonb_build_object(
        'messages', jsonb_array_length(coalesce(t.messages, s.messages)),
        'method', t.method, 'send', t.send_id) as what
    from told t left join delivery.send s on s.id = t.send_id
), written as (
    insert into timeline.event
        (workspace_id, contact_id, id, at, channel_id, kind, subject, data)
    select a.workspace_id, person, a.id, a.settled_at, a.channel_id, 'sent', a.subject, a.what
    from about a cross join unnest(a.contact_ids) as person
    -- Not for the place where somebody was who has been erased since.
    where person <> :erased
)
select count(*) from told"""
)


async def tell(session: WorkspaceSession) -> int:
    """Write the `sent` events of some accepted parcels; returns of how many."""
    found = await session.scalar(
        _TELL, {"room": TOLD_AT_ONCE, "erased": ERASED}, execution_options=BY_HAND
    )
    return int(found or 0)
