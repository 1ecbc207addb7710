"""Saving and deleting segments so that it can be seen who did it, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, func, select

from hiiki.db import WorkspaceSession
from hiiki.segments import service
from hiiki.segments.models import Segment, Version
from hiiki.segments.rules import AnyRule, read_rule
from hiiki.workspace.access import Access, audit

SHOWN = 50


async def save(
    session: WorkspaceSession,
    access: Access,
    segment: Segment | None,
    *,
    name: str,
    description: str,
    rule: AnyRule,
) -> Segment:
    """Store a changed segment, or a new one, as `service.save` does, and who did so."""
    what = "create" if segment is None else "update"
    if segment is not None:
        await _keep_first(session, segment)
    saved = await service.save(session, segment, name=name, description=description, rule=rule)
    _keep(session, saved, what, access.actor_name)
    action = f"segments.{what}"
    audit(session, access, action, saved.id, name=saved.name)
    return saved


async def copy(session: WorkspaceSession, access: Access, segment: Segment) -> Segment:
    """Make another segment of the same rule, even of one that cannot be asked at present."""
    made = Segment(
        name=await service.free_name(session, segment.name),
        description=segment.description,
        rule=segment.rule,
    )
    session.add(made)
    await session.flush()
    _keep(session, made, "create", access.actor_name)
    audit(session, access, "segments.create", made.id, name=made.name)
    return made


async def delete(session: WorkspaceSession, access: Access, segment: Segment) -> None:
    """Delete a segment that nothing uses; raises `Conflict` with the list of what does."""
    await _keep_first(session, segment)
    await service.delete(session, segment)
    _keep(session, segment, "delete", access.actor_name)
    audit(session, access, "segments.delete", segment.id, name=segment.name)


async def restore(session: WorkspaceSession, access: Access, version: Version) -> Segment:
    """Make a segment what it was, or bring a deleted one back under its old id.

    Raises `Invalid` when what it referred to is there no more. Where another segment has its
    name by now, it gets one beside that.
    """
    rule = read_rule(version.rule)
    segment = await session.get(Segment, version.segment_id)
    name = version.name
    if await session.scalar(
        select(Segment.id).where(Segment.name == name, Segment.id != version.segment_id)
    ):
        name = await service.free_name(session, name)
    if segment is None:
        segment = Segment(
            id=version.segment_id, name=name, description=version.description, rule=version.rule
        )
        session.add(segment)
        await session.flush()
    else:
        await _keep_first(session, segment)
    await service.save(session, segment, name=name, description=version.description, rule=rule)
    _keep(session, segment, "restore", access.actor_name)
    audit(session, access, "segments.restore", segment.id, name=name)
    return segment


async def versions_of(
    session: WorkspaceSession, segment_id: UUID, limit: int = SHOWN
) -> Sequence[Version]:
    """Return how people have left a segment, the last first."""
    found = await session.scalars(
        select(Version)
        .where(Version.segment_id == segment_id)
        .order_by(Version.id.desc())
        .limit(limit)
    )
    return found.all()


async def deleted(session: WorkspaceSession, limit: int = SHOWN) -> Sequence[Version]:
    """Return the segments that are gone, as they were last; those deleted last first."""
    last = (
        select(Version.segment_id, func.max(Version.created_at).label("at"))
        .where(Version.workspace_id == session.workspace_id)
        .group_by(Version.segment_id)
        .subquery()
    )
    found = await session.scalars(
        select(Version)
        .join(
            last,
            (last.c.segment_id == Version.segment_id) & (last.c.at == Version.created_at),
        )
        .where(Version.what == "delete", ~exists().where(Segment.id == Version.segment_id))
        .order_by(Version.id.desc())
        .limit(limit)
    )
    return found.all()


def _keep(session: WorkspaceSession, segment: Segment, what: str, actor_name: str) -> None:
    session.add(
        Version(
            segment_id=segment.id,
            what=what,
            actor_name=actor_name,
            name=segment.name,
            description=segment.description,
            rule=segment.rule,
        )
    )


async def _keep_first(session: WorkspaceSession, segment: Segment) -> None:
    # Some segments are not made by hand, but by other rooms: then the first to change one
    # leaves behind what it was.
    if (
        await session.scalar(select(Version.id).where(Version.segment_id == segment.id).limit(1))
        is None
    ):
        _keep(session, segment, "create", "")
        await session.flush()
