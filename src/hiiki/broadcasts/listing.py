"""Lists of broadcasts: for pages and programs, for pickers, for who asks what is in use."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import String, cast, select

from hiiki.broadcasts.models import Broadcast
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.road import Option, Usage


async def listed(
    session: WorkspaceSession,
    search: str,
    state: str | None,
    before: UUID | None,
    limit: int,
    *,
    channel_id: UUID | None = None,
    segment_id: UUID | None = None,
) -> tuple[list[Broadcast], UUID | None]:
    """Return broadcasts, newest first, and the id to go on from when there are more."""
    query = select(Broadcast).order_by(Broadcast.id.desc()).limit(limit + 1)
    if search.strip():
        query = query.where(Broadcast.name.icontains(search.strip(), autoescape=True))
    if state:
        query = query.where(Broadcast.state == state)
    if channel_id is not None:
        query = query.where(Broadcast.channel_id == channel_id)
    if segment_id is not None:
        query = query.where(Broadcast.segment_id == segment_id)
    if before is not None:
        query = query.where(Broadcast.id < before)
    found = list(await session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def options(session: WorkspaceSession) -> Sequence[Option]:
    """Return the broadcasts, newest first, for the picker.

    All of them: one that is left out would seem to be deleted where a segment names it.
    """
    rows = await session.execute(select(Broadcast.id, Broadcast.name).order_by(Broadcast.id.desc()))
    return [Option(str(ident), name) for ident, name in rows]


async def uses(session: WorkspaceSession, kind: str, ident: UUID) -> Sequence[Usage]:
    """Return the broadcasts that use this segment, image, coupon, kind of message or account."""
    query = select(Broadcast.id, Broadcast.name).order_by(Broadcast.id.desc())
    match kind:
        case "segment":
            query = query.where(
                Broadcast.segment_id == ident, Broadcast.state.in_(("draft", "scheduled"))
            )
        case "media" | "coupon":
            # Also those that have been sent: their messages stay in the chats.
            query = query.where(cast(Broadcast.draft, String).contains(str(ident)))
        case "topic":
            query = query.where(
                Broadcast.topic_id == ident, Broadcast.state.in_(("draft", "scheduled"))
            )
        case "channel":
            query = query.where(Broadcast.channel_id == ident)
        case _:
            return []
    rows = await session.execute(query)
    return [
        Usage(f"{_('Broadcast')}: {name}", f"/broadcasts/{broadcast_id}")
        for broadcast_id, name in rows
    ]
