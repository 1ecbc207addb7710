"""A person is erased: the stored webhooks forget what they said.

The events' own ids stay: delivered once more by LINE, they must not bring the person back.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from hiiki.db import WorkspaceSession

_FORGET = text(
    """
    update ingest.webhook_event w
    set payload = '{}', source_id = '', error = null,
        state = case when w.state = 'handled' then w.state else 'dismissed' end
    from contacts.friendship f
    where f.workspace_id = :workspace_id and f.contact_id = :contact_id
        and w.workspace_id = f.workspace_id and w.channel_id = f.channel_id
        and w.source_id = f.line_user_id
    """
)


async def forget_person(session: WorkspaceSession, contact_id: UUID) -> None:
    """Empty the stored events of a contact's LINE accounts, in this transaction."""
    await session.execute(
        _FORGET,
        {"workspace_id": session.workspace_id, "contact_id": contact_id},
        execution_options={"scoped_by_hand": True},
    )
