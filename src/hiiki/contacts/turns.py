"""What happens to a person, and their erasure, take turns.

Whoever handles an event of a source (a user, a group or a room of a channel) holds an advisory
lock on it until the end of the transaction. Erasing the person behind it takes the same lock.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from hiiki.db import WorkspaceSession


def turn_key(channel_id: str, source_id: str) -> str:
    """Return the SQL of a source's lock, given the SQL of its channel's id and of its own."""
    return f"hashtextextended({channel_id}::text || {source_id}, 0)"


_FRIENDSHIPS = text(
    """
    select channel_id::text, line_user_id from contacts.friendship
    where workspace_id = :workspace_id and contact_id = :contact_id order by channel_id
    """
)
_WAIT = text(
    f"select pg_advisory_xact_lock({turn_key('cast(:channel_id as text)', ':line_user_id')})"
)


async def hold_turns(session: WorkspaceSession, contact_id: UUID) -> None:
    """Let nothing happen to the contact, on any account, until this transaction ends."""
    found = await session.execute(
        _FRIENDSHIPS,
        {"workspace_id": session.workspace_id, "contact_id": contact_id},
        execution_options={"scoped_by_hand": True},
    )
    for channel_id, line_user_id in found.all():
        await session.execute(
            _WAIT,
            {"channel_id": channel_id, "line_user_id": line_user_id},
            execution_options={"scoped_by_hand": True},
        )
