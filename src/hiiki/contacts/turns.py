"""What happens to a person, and their erasure or merging, take turns.

Whoever handles an event of a source (a user, a group or a room of a channel) holds an advisory
lock on it until the end of the transaction. Erasing or merging the person behind it takes the
same lock. For people without a LINE account there is no such source: whoever found them by what
the shop knows (`hiiki.contacts.identities`) keeps them, and who erases or merges waits for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import TextClause, text

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


DRAWERS = 256
"""Locks for all people together: one each would overflow the server's table of locks."""
_KEPT, _MAKING = 0x48694B, 0x48694D
_KEEP = text(
    """
    select pg_advisory_xact_lock_shared(:kept, drawer)
    from (select unnest(cast(:drawers as int[])) as drawer order by 1) as x
    """
)
_TAKE = text(
    """
    select pg_advisory_xact_lock(:kept, drawer)
    from (select unnest(cast(:drawers as int[])) as drawer order by 1) as x
    """
)
_MAKE = text("select pg_advisory_xact_lock(:making, hashtext(cast(:workspace_id as text)))")


async def keep_people(session: WorkspaceSession, contact_ids: Iterable[UUID]) -> None:
    """Let these people neither be erased nor merged until this transaction ends."""
    await _drawers(session, _KEEP, contact_ids)


async def take_people(session: WorkspaceSession, contact_ids: Iterable[UUID]) -> None:
    """Wait for whoever keeps these people, and let nobody find them until this one ends."""
    await _drawers(session, _TAKE, contact_ids)


async def make_people(session: WorkspaceSession) -> None:
    """Be the only one who gives new keys to people of this workspace until this one ends."""
    await session.execute(
        _MAKE,
        {"making": _MAKING, "workspace_id": str(session.workspace_id)},
        execution_options={"scoped_by_hand": True},
    )


async def _drawers(
    session: WorkspaceSession, statement: TextClause, contact_ids: Iterable[UUID]
) -> None:
    drawers = sorted({ident.int % DRAWERS for ident in contact_ids})
    if drawers:
        await session.execute(
            statement,
            {"kept": _KEPT, "drawers": drawers},
            execution_options={"scoped_by_hand": True},
        )
