"""Reading the audit record: what was done here, by whom."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_

from hiiki.db import WorkspaceSession
from hiiki.workspace.models import AuditEntry

PAGE = 50


async def entries(
    session: WorkspaceSession,
    *,
    before: UUID | None = None,
    actor_id: UUID | None = None,
    room: str = "",
    limit: int = PAGE,
) -> tuple[Sequence[AuditEntry], UUID | None]:
    """Return a page of the record, newest first, and where the next page begins.

    `before` is the last entry of the page before; raises `NotFound` when it is none of ours.
    """
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    query = query.limit(limit + 1)
    if before is not None:
        last = await session.one(AuditEntry, before)
        query = query.where(tuple_(AuditEntry.at, AuditEntry.id) < (last.at, last.id))
    if actor_id is not None:
        query = query.where(AuditEntry.actor_id == actor_id)
    if room:
        query = query.where(AuditEntry.action.startswith(f"{room}.", autoescape=True))
    found = (await session.scalars(query)).all()
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def actors(session: WorkspaceSession) -> Sequence[tuple[UUID, str]]:
    """Return who appears in the record, by the name they had last."""
    rows = await session.execute(
        select(AuditEntry.actor_id, AuditEntry.actor_name)
        .where(AuditEntry.actor_id.is_not(None))
        .distinct(AuditEntry.actor_id)
        .order_by(AuditEntry.actor_id, AuditEntry.id.desc())
    )
    found = [(ident, name) for ident, name in rows if ident is not None]
    return sorted(found, key=lambda pair: pair[1])


async def rooms(session: WorkspaceSession) -> Sequence[str]:
    """Return the rooms that appear in the record (`contacts` of `contacts.tag_create`)."""
    rows = await session.scalars(select(AuditEntry.action).distinct())
    return sorted({action.split(".")[0] for action in rows})
