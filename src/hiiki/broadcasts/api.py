"""`/api/v1/broadcasts`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import delete, get, post, put
from litestar.params import Parameter

from hiiki.broadcasts import service
from hiiki.broadcasts.line_figures import ask_line
from hiiki.broadcasts.listing import listed
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.reach import Outlook, outlook
from hiiki.broadcasts.report import recipients, report
from hiiki.broadcasts.schemas import (
    BroadcastIn,
    BroadcastOut,
    BroadcastPage,
    ForecastOut,
    RecipientPage,
    Report,
    ScheduleIn,
    TestIn,
    TestOut,
)
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import gettext
from hiiki.line.prices import price_list
from hiiki.workspace.access import Access, audit

TAGS = ["broadcasts"]


def forecast_of(outlook: Outlook) -> ForecastOut:
    """Return reach and cost as programs get them."""
    found = outlook.forecast
    return ForecastOut(
        recipients=outlook.recipients,
        opted_out=found.opted_out,
        capped=found.capped,
        waits_until=found.waits_until,
        members=outlook.members,
        everybody=outlook.everybody,
        cost=found.cost,
        saved_messages=found.saved_messages,
        saved_cost=found.saved_cost,
        currency=price_list().currency,
        quota_limit=found.quota.limit,
        quota_used=found.quota.used,
        quota_reserved=found.quota.reserved,
        quota_left_after=found.quota_left_after,
        over_quota=found.over_quota,
        beyond_quota=found.beyond_quota,
    )


@get("/broadcasts", tags=TAGS)
async def list_broadcasts(
    session: WorkspaceSession,
    q: str = "",
    channel_id: UUID | None = None,
    segment_id: UUID | None = None,
    before: UUID | None = None,
    stage: Annotated[
        Literal["draft", "scheduled", "sent", "cancelled"] | None, Parameter(query="state")
    ] = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> BroadcastPage:
    """List broadcasts, newest first; `q` is a part of the name."""
    found, more = await listed(
        session, q, stage, before, limit, channel_id=channel_id, segment_id=segment_id
    )
    return BroadcastPage(items=[BroadcastOut.of(one) for one in found], next=more)


@post("/broadcasts", tags=TAGS)
async def create_broadcast(
    session: WorkspaceSession, access: Access, data: BroadcastIn
) -> BroadcastOut:
    """Make a draft."""
    made = await service.save(session, None, data)
    audit(session, access, "broadcasts.create", made.id, name=made.name)
    return BroadcastOut.of(made)


@get("/broadcasts/forecast", tags=TAGS)
async def forecast_broadcast(
    session: WorkspaceSession,
    channel_id: UUID,
    segment_id: UUID | None = None,
    topic_id: UUID | None = None,
    must_go: bool = False,
    up_to_quota: bool = False,
) -> ForecastOut:
    """Tell whom a message would reach now, what it costs and what it saves."""
    return forecast_of(
        await outlook(
            session,
            channel_id,
            segment_id,
            topic_id=topic_id,
            must_go=must_go,
            up_to_quota=up_to_quota,
        )
    )


@get("/broadcasts/{broadcast_id:uuid}", tags=TAGS)
async def get_broadcast(session: WorkspaceSession, broadcast_id: UUID) -> BroadcastOut:
    """Get one broadcast."""
    return BroadcastOut.of(await session.one(Broadcast, broadcast_id))


@put("/broadcasts/{broadcast_id:uuid}", tags=TAGS)
async def update_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID, data: BroadcastIn
) -> BroadcastOut:
    """Change a draft."""
    changed = await service.save(session, await session.one(Broadcast, broadcast_id), data)
    audit(session, access, "broadcasts.update", changed.id, name=changed.name)
    await session.refresh(changed)
    return BroadcastOut.of(changed)


@delete("/broadcasts/{broadcast_id:uuid}", tags=TAGS)
async def delete_broadcast(session: WorkspaceSession, access: Access, broadcast_id: UUID) -> None:
    """Delete a broadcast that was never sent."""
    await service.delete(session, broadcast_id)
    audit(session, access, "broadcasts.delete", broadcast_id)


@post("/broadcasts/{broadcast_id:uuid}/send", tags=TAGS, status_code=200)
async def send_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> BroadcastOut:
    """Send it now."""
    await service.ask_quota(access.workspace_id, broadcast_id)
    send = await service.send_now(session, broadcast_id)
    audit(session, access, "broadcasts.send", broadcast_id, people=send.targeted)
    return await _fresh(session, broadcast_id)


@post("/broadcasts/{broadcast_id:uuid}/schedule", tags=TAGS, status_code=200)
async def schedule_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID, data: ScheduleIn
) -> BroadcastOut:
    """Let it go out at a time."""
    at: datetime = data.at
    if at.tzinfo is None:
        at = service.local_time(at.isoformat(), access.timezone)
    await service.schedule(session, broadcast_id, at.astimezone(ZoneInfo("UTC")))
    audit(session, access, "broadcasts.schedule", broadcast_id, at=at.isoformat())
    return await _fresh(session, broadcast_id)


@post("/broadcasts/{broadcast_id:uuid}/cancel", tags=TAGS, status_code=200)
async def cancel_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> BroadcastOut:
    """Take back a schedule, or stop sending for good."""
    await service.cancel(session, broadcast_id)
    audit(session, access, "broadcasts.cancel", broadcast_id)
    return await _fresh(session, broadcast_id)


@post("/broadcasts/{broadcast_id:uuid}/pause", tags=TAGS, status_code=200)
async def pause_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> BroadcastOut:
    """Stop sending for the time being."""
    await service.pause(session, broadcast_id)
    audit(session, access, "broadcasts.pause", broadcast_id)
    return await _fresh(session, broadcast_id)


@post("/broadcasts/{broadcast_id:uuid}/resume", tags=TAGS, status_code=200)
async def resume_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> BroadcastOut:
    """Go on sending."""
    await service.resume(session, broadcast_id)
    audit(session, access, "broadcasts.resume", broadcast_id)
    return await _fresh(session, broadcast_id)


@post("/broadcasts/{broadcast_id:uuid}/test", tags=TAGS, status_code=200)
async def test_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID, data: TestIn
) -> TestOut:
    """Send it to a few chosen contacts; it counts for nothing."""
    sent = await service.send_test(session, broadcast_id, data.contact_ids)
    audit(session, access, "broadcasts.test", broadcast_id, people=sent)
    return TestOut(sent=sent)


@post("/broadcasts/{broadcast_id:uuid}/duplicate", tags=TAGS)
async def duplicate_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> BroadcastOut:
    """Make a new draft with the same content."""
    old = await session.one(Broadcast, broadcast_id)
    made = await service.duplicate(
        session, broadcast_id, gettext("Copy of %(name)s", name=old.name)
    )
    audit(session, access, "broadcasts.create", made.id, name=made.name)
    return BroadcastOut.of(made)


@get("/broadcasts/{broadcast_id:uuid}/report", tags=TAGS)
async def report_broadcast(session: WorkspaceSession, broadcast_id: UUID) -> Report:
    """Tell what became of it."""
    return await report(session, await session.one(Broadcast, broadcast_id))


@post("/broadcasts/{broadcast_id:uuid}/ask-line", tags=TAGS, status_code=200)
async def ask_line_of_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Report:
    """Ask LINE now who opened it, ahead of the next time that is due."""
    broadcast = await session.one(Broadcast, broadcast_id)
    await ask_line(session, broadcast)
    audit(session, access, "broadcasts.ask_line", broadcast_id, name=broadcast.name)
    return await report(session, broadcast)


@get("/broadcasts/{broadcast_id:uuid}/recipients", tags=TAGS)
async def list_recipients(
    session: WorkspaceSession,
    broadcast_id: UUID,
    after: str | None = None,
    stage: Annotated[
        Literal["ready", "sending", "accepted", "refused", "in_doubt", "cancelled"] | None,
        Parameter(query="state"),
    ] = None,
    limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
) -> RecipientPage:
    """List the frozen audience with each person's state."""
    broadcast = await session.one(Broadcast, broadcast_id)
    items, more = await recipients(session, broadcast, state=stage, after=after, limit=limit)
    return RecipientPage(items=items, next=more)


async def _fresh(session: WorkspaceSession, broadcast_id: UUID) -> BroadcastOut:
    await session.flush()
    broadcast = await session.one(Broadcast, broadcast_id)
    await session.refresh(broadcast)
    return BroadcastOut.of(broadcast)


HANDLERS = [
    list_broadcasts,
    create_broadcast,
    forecast_broadcast,
    get_broadcast,
    update_broadcast,
    delete_broadcast,
    send_broadcast,
    schedule_broadcast,
    cancel_broadcast,
    pause_broadcast,
    resume_broadcast,
    test_broadcast,
    duplicate_broadcast,
    report_broadcast,
    ask_line_of_broadcast,
    list_recipients,
]
