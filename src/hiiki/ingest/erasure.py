"""A person is erased: the stored webhooks forget what they said.

The events' own ids stay: delivered once more by LINE, they must not bring the person back.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession

# What they said in a group or a room has that one's id as its source; it stays, for the
# group's later events keep their order by it.
_FORGET = text(
    """
    update ingest.webhook_event w
    set payload = '{}', error = null,
        source_id = case when w.source_id = f.line_user_id then '' else w.source_id end,
        state = case when w.state = 'handled' then w.state else 'dismissed' end
    from unnest(cast(:channels as uuid[]), cast(:people as text[])) f (channel_id, line_user_id)
    where w.workspace_id = :workspace_id and w.channel_id = f.channel_id
        and f.line_user_id in (w.source_id, w.payload -> 'source' ->> 'userId')
    """
)


_UNRELAYED = text(
    """
    with gone as materialized (
        select b.id from ingest.relay_body b
        join unnest(cast(:channels as uuid[]), cast(:people as text[])) f (channel_id, line_user_id)
            on f.channel_id = b.channel_id and f.line_user_id = any(b.people)
        where b.workspace_id = :workspace_id
        order by b.id for update of b
    )
    update ingest.relay_delivery d
    set state = 'given_up', problem = 'erased', settled_at = clock_timestamp(), body_id = null
    from gone where d.body_id = gone.id and d.workspace_id = :workspace_id
    """
)
_DROP = text(
    """
    delete from ingest.relay_body b
    using unnest(cast(:channels as uuid[]), cast(:people as text[])) f (channel_id, line_user_id)
    where b.workspace_id = :workspace_id and b.channel_id = f.channel_id
        and f.line_user_id = any(b.people)
    """
)


async def forget_person(session: WorkspaceSession, contact_id: UUID) -> None:
    """Empty the stored events of a contact's LINE accounts, in this transaction."""
    found = await session.execute(
        select(Friendship.channel_id, Friendship.line_user_id).where(
            Friendship.contact_id == contact_id
        )
    )
    accounts = found.all()
    # A body cannot be changed without breaking its signature: one that has not been relayed
    # yet goes as a whole, and what it says of others with it.
    for statement in (_FORGET, _UNRELAYED, _DROP):
        await session.execute(
            statement,
            {
                "workspace_id": session.workspace_id,
                "channels": [channel_id for channel_id, _line_user_id in accounts],
                "people": [line_user_id for _channel_id, line_user_id in accounts],
            },
            execution_options={"scoped_by_hand": True},
        )
