"""What happens to segments by itself: counts in the night, and every few minutes where asked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from procrastinate import Blueprint
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import select

from hiiki.db import everywhere, scope
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.segments.history import take
from hiiki.segments.models import Segment, Watch
from hiiki.segments.telling import tell
from hiiki.workspace.models import Workspace

log = structlog.get_logger()

tasks = Blueprint()
COUNT = "segments:count_workspace"
NIGHT = 4
"""The hour, in the workspace's zone, from which a day's count is taken: when what other rooms work
out in the night (ranks, values, cells) is there, so that the count is of that day."""


@tasks.periodic(cron="*/5 * * * *")
@tasks.task(name="watch", queueing_lock="segments:watch", lock="segments:watch")
async def watch(timestamp: int) -> None:
    """Have each workspace's segments that are due counted, by a job of its own."""
    # When is the night is each workspace's own matter; that somebody looks is everybody's.
    async with everywhere() as session:
        rows = await session.execute(
            select(Segment.workspace_id, Workspace.timezone, Watch.tells_since, Watch.tried_at)
            .join(Workspace, Workspace.id == Segment.workspace_id)
            .outerjoin(Watch, Watch.segment_id == Segment.id)
        )
        due = {
            workspace_id
            for workspace_id, timezone, since, tried_at in rows.tuples()
            if since is not None or is_due(tried_at, now().astimezone(ZoneInfo(timezone)))
        }
    for workspace_id in due:
        await _ask(workspace_id)


async def _ask(workspace_id: UUID) -> None:
    lock = f"segments:watch:{workspace_id}"
    try:
        async with scope(workspace_id) as session:
            arguments = {"workspace_id": str(workspace_id)}
            await enqueue(session, COUNT, arguments, lock=lock, queueing_lock=lock)
    except AlreadyEnqueued:
        log.info("segments.still_to_be_counted", workspace_id=str(workspace_id))


@tasks.task(name="count_workspace")
async def count_workspace(workspace_id: str) -> None:
    """Count a workspace's segments that are due."""
    async with scope(UUID(workspace_id)) as session:
        workspace = await session.one(Workspace, UUID(workspace_id))
    await watch_workspace(workspace.id, now().astimezone(ZoneInfo(workspace.timezone)))


async def watch_workspace(workspace_id: UUID, local: datetime) -> None:
    """Count a workspace's segments that are due at this hour of its own zone, then tell.

    All of them first, as they were at one time: what rules do for one segment is seen by the next
    count of the others.
    """
    async with scope(workspace_id) as session:
        rows = await session.execute(
            select(Segment.id, Watch.tells_since, Watch.tried_at)
            .outerjoin(Watch, Watch.segment_id == Segment.id)
            .order_by(Segment.id)
        )
        due = [
            (ident, since is not None)
            for ident, since, tried_at in rows.tuples()
            if since is not None or is_due(tried_at, local)
        ]
    for step, idents in (
        (count, [ident for ident, _tells in due]),
        (tell, [ident for ident, tells in due if tells]),
    ):
        for segment_id in idents:
            try:
                await step(workspace_id, segment_id)
            except Exception:
                # The others have their day, too; this one is tried again in five minutes.
                log.exception("segments.not_counted", segment_id=str(segment_id))


def is_due(tried_at: datetime | None, local: datetime) -> bool:
    """Tell whether a segment wants its count of the day, at this time of the workspace's."""
    if tried_at is None:
        return True
    return tried_at.astimezone(local.tzinfo).date() < local.date() and local.hour >= NIGHT


async def count(workspace_id: UUID, segment_id: UUID) -> None:
    """Count one segment in a transaction of its own."""
    async with scope(workspace_id) as session:
        await take(session, segment_id)


@tasks.task(name="count_segment")
async def count_segment(workspace_id: str, segment_id: str) -> None:
    """Count a segment because somebody asked for it."""
    await count(UUID(workspace_id), UUID(segment_id))
