"""A person is erased: the stored webhooks forget what they said.

The events' own ids stay: delivered once more by LINE, they must not bring the person back.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from hiiki.db import WorkspaceSession

# What they said in a group or a room has that one's id as its source; it stays, for the
# group's later events keep their order by it.
_FORGET = text(
    """
    update ingest.webhook_event w
    set payload = '{}', error = null,
        source_id = case when w.source_id = f.line_user_id then '' else w.source_id end,
        state = case when w.state = 'handled' then w.state else 'dismissed' end
    from contacts.friendship f
    where f.workspace_id = :workspace_id and f.contact_id = :contact_id
        and w.workspace_id = f.workspace_id and w.channel_id = f.channel_id
        and f.line_user_id in (w.source_id, w.payload -> 'source' ->> 'userId')
    """
)


_UNRELAYED = text(
    """
    with gone as materialized (
        select b.id from ingest.relay_body b join contacts.friendship f
            on f.workspace_id = b.workspace_id and f.channel_id = b.channel_id
            and f.line_user_id = any(b.people)
        where f.workspace_id = :workspace_id and f.contact_id = :contact_id
        order by b.id for update of b
    )
    update ingest.relay_delivery d
    set state = 'given_up', problem = 'erased', settled_at = clock_timestamp(), body_id = null
    from gone where d.body_id = gone.id and d.workspace_id = :workspace_id
    """
)
_DROP = text(
    """
    delete from ingest.relay_body b using contacts.friendship f
    where f.workspace_id = :workspace_id and f.contact_id = :contact_id
        and b.workspace_id = f.workspace_id and b.channel_id = f.channel_id
        and f.line_user_id = any(b.people)
    """
)


async def forget_person(session: WorkspaceSession, contact_id: UUID) -> None:
    """Empty the stored events of a contact's LINE accounts, in this transaction."""
    # A body cannot be changed without breaking its signature: one that has not been relayed
    # yet goes as a whole, and what it says of others with it.
    for statement in (_FORGET, _UNRELAYED, _DROP):
        await session.execute(
            statement,
            {"workspace_id": session.workspace_id, "contact_id": contact_id},
            execution_options={"scoped_by_hand": True},
        )
