"""`/api/v1/segments/…`: who came and went, who changed a segment, and bringing it back."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get, post, put
from litestar.params import Parameter

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import LOCALES
from hiiki.segments import changes, history, service
from hiiki.segments.listing import say_rules
from hiiki.segments.models import Segment, Version, Watch
from hiiki.segments.schemas import (
    CrossingOut,
    CrossingsOut,
    DayOut,
    EventsIn,
    HistoryOut,
    MemberOut,
    SentenceOut,
    VersionOut,
    VersionsOut,
)
from hiiki.segments.views_history import ask_for_count, switch, version_of
from hiiki.workspace.access import Access, audit

GROUP: dict[str, Any] = {"tags": ["segments"]}


@get("/segments/{segment_id:uuid}/history", operation_id="GetSegmentHistory", **GROUP)
async def get_history(
    segment_id: UUID,
    session: WorkspaceSession,
    access: Access,
    days: Annotated[int, Parameter(ge=1, le=3660)] = 90,
) -> HistoryOut:
    """Return the figures of each day on which the segment was counted, oldest first."""
    await session.one(Segment, segment_id)
    watch = await session.get(Watch, segment_id)
    today = now().astimezone(ZoneInfo(access.timezone)).date()
    found = await history.history_of(session, segment_id, today, days=days)
    return HistoryOut(
        days=[DayOut.model_validate(day) for day in found.days],
        entered_in_7_days=found.entered,
        left_in_7_days=found.left,
        counted_at=watch.counted_at if watch else None,
        events_since=watch.tells_since if watch else None,
    )


@post(
    "/segments/{segment_id:uuid}/history/count",
    status_code=202,
    operation_id="AskForSegmentCount",
    **GROUP,
)
async def ask(segment_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Have the segment counted now; see `counted_at` of its history for when it is done."""
    await ask_for_count(session, segment_id)
    audit(session, access, "segments.count", segment_id)


@put("/segments/{segment_id:uuid}/history/events", operation_id="SwitchSegmentEvents", **GROUP)
async def switch_events(
    segment_id: UUID, data: EventsIn, session: WorkspaceSession, access: Access
) -> None:
    """Make entering and leaving `segment_enter` and `segment_leave` events, or no longer."""
    await switch(session, access, segment_id, is_on=data.is_on)


@get("/segments/{segment_id:uuid}/crossings", operation_id="ListSegmentCrossings", **GROUP)
async def list_crossings(
    segment_id: UUID,
    session: WorkspaceSession,
    entered: bool = True,
    limit: Annotated[int, Parameter(ge=1, le=history.LISTED)] = service.PAGE,
) -> CrossingsOut:
    """Return who entered (or left) the segment last; the last 500 are kept."""
    await session.one(Segment, segment_id)
    found = await history.crossings(session, segment_id, entered=entered, limit=limit)
    return CrossingsOut(
        items=[
            CrossingOut(at=at, entered=entered, member=MemberOut.model_validate(contact))
            for contact, at in found
        ]
    )


async def _versions(session: WorkspaceSession, versions: list[Version]) -> VersionsOut:
    said = await say_rules(session, [version.rule for version in versions])
    return VersionsOut(
        items=[
            VersionOut(
                id=version.id,
                segment_id=version.segment_id,
                at=version.created_at,
                what=version.what,
                actor=version.actor_name,
                name=version.name,
                description=version.description,
                rule=version.rule,
                sentence=SentenceOut(**{locale: words.to(locale) for locale in LOCALES}),
            )
            for version, words in zip(versions, said, strict=True)
        ]
    )


@get("/segments/{segment_id:uuid}/versions", operation_id="ListSegmentVersions", **GROUP)
async def list_versions(segment_id: UUID, session: WorkspaceSession) -> VersionsOut:
    """Return how people have left the segment, the last first."""
    await session.one(Segment, segment_id)
    return await _versions(session, list(await changes.versions_of(session, segment_id)))


@get("/segments/deleted", operation_id="ListDeletedSegments", **GROUP)
async def list_deleted(session: WorkspaceSession) -> VersionsOut:
    """Return the segments that were deleted, as they were last."""
    return await _versions(session, list(await changes.deleted(session)))


@post(
    "/segments/{segment_id:uuid}/versions/{version_id:uuid}/restore",
    operation_id="RestoreSegment",
    **GROUP,
)
async def restore(
    segment_id: UUID, version_id: UUID, session: WorkspaceSession, access: Access
) -> None:
    """Make a segment what it was, or bring a deleted one back under its id.

    What it referred to has to be there still; else each objection names the field.
    """
    version = await version_of(session, segment_id, version_id)
    try:
        await changes.restore(session, access, version)
    except Invalid as error:
        raise service.below_rule(error) from error


handlers = [
    get_history,
    ask,
    switch_events,
    list_crossings,
    list_versions,
    list_deleted,
    restore,
]
