"""Console pages: who came and went, who changed the segment, and bringing back what was."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.response import Response

from hiiki.db import WorkspaceSession
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.segments import changes, service
from hiiki.segments.chart import history_chart, history_rows
from hiiki.segments.history import LISTED, crossings, history_of, watch_of
from hiiki.segments.listing import say_rules
from hiiki.segments.models import Segment, Version, Watch
from hiiki.segments.rules import stored_rule
from hiiki.segments.telling import forget_waiting
from hiiki.workspace.access import Access, audit

DAYS = 90
SHOWN = 50
WHAT: dict[str, Text] = {
    "create": _("made"),
    "update": _("changed"),
    "restore": _("brought back"),
    "delete": _("deleted"),
}


@get("/segments/{segment_id:uuid}/history")
async def show_history(segment_id: UUID, session: WorkspaceSession) -> Response[Any]:
    """How many there were day by day, who came and went lately, and what that starts."""
    segment = await session.one(Segment, segment_id)
    watch = await session.get(Watch, segment_id)
    return page(
        "segments/history.html",
        segment=segment,
        usages=await service.usages_of(session, segment_id),
        is_told=watch is not None and watch.tells_since is not None,
        entered=await crossings(session, segment_id, entered=True, limit=SHOWN),
        left=await crossings(session, segment_id, entered=False, limit=SHOWN),
        listed=LISTED,
        tab="history",
    )


@get("/segments/{segment_id:uuid}/trend")
async def show_trend(segment_id: UUID, session: WorkspaceSession, access: Access) -> Response[Any]:
    """The picture of the last days; asks again while a count is under way."""
    await session.one(Segment, segment_id)
    watch = await session.get(Watch, segment_id)
    today = now().astimezone(ZoneInfo(access.timezone)).date()
    found = await history_of(session, segment_id, today, days=DAYS)
    is_counting = (
        watch is not None
        and watch.asked_at is not None
        and (watch.tried_at is None or watch.tried_at < watch.asked_at)
    )
    return page(
        "segments/_trend.html",
        segment_id=segment_id,
        found=found,
        watch=watch,
        is_counting=is_counting,
        chart=history_chart(found.days),
        rows=history_rows(found.days),
        days=DAYS,
    )


@post("/segments/{segment_id:uuid}/history/count")
async def count_now(segment_id: UUID, session: WorkspaceSession, access: Access) -> Response[Any]:
    """Have a count taken now, in the background."""
    await ask_for_count(session, segment_id)
    audit(session, access, "segments.count", segment_id)
    return to(f"/segments/{segment_id}/history", _("The segment is being counted."))


async def ask_for_count(session: WorkspaceSession, segment_id: UUID) -> None:
    """Have a worker count a segment as soon as it can; raises `NotFound`."""
    await session.one(Segment, segment_id)
    (await watch_of(session, segment_id)).asked_at = now()
    arguments = {"workspace_id": str(session.workspace_id), "segment_id": str(segment_id)}
    await enqueue(session, "segments:count_segment", arguments)


@post("/segments/{segment_id:uuid}/history/events")
async def switch_events(
    segment_id: UUID, request: WebRequest, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Make entering and leaving events from now on, or no longer."""
    is_on = str((await form_data(request)).get("is_on", "")) == "true"
    await switch(session, access, segment_id, is_on=is_on)
    said = (
        _("From now on, entering and leaving start rules.")
        if is_on
        else _("Entering and leaving no longer start rules.")
    )
    return to(f"/segments/{segment_id}/history", said)


async def switch(
    session: WorkspaceSession, access: Access, segment_id: UUID, *, is_on: bool
) -> None:
    """Turn a segment's events on or off; raises `NotFound`."""
    segment = await session.one(Segment, segment_id)
    watch = await watch_of(session, segment_id)
    if is_on != (watch.tells_since is not None):
        watch.tells_since = now() if is_on else None
        if not is_on:
            await forget_waiting(session, segment_id)
        audit(session, access, "segments.events", segment_id, name=segment.name, is_on=is_on)


# --- who changed it ---------------------------------------------------------------------


@get("/segments/{segment_id:uuid}/versions")
async def list_versions(segment_id: UUID, session: WorkspaceSession) -> Response[Any]:
    """Who changed the segment, and what it said then."""
    segment = await session.one(Segment, segment_id)
    versions = await changes.versions_of(session, segment_id)
    said = await say_rules(session, [version.rule for version in versions])
    return page(
        "segments/versions.html",
        segment=segment,
        usages=await service.usages_of(session, segment_id),
        versions=list(zip(versions, said, strict=True)),
        what=WHAT,
        tab="versions",
    )


@get("/segments/deleted")
async def list_deleted(session: WorkspaceSession) -> Response[Any]:
    """Segments that were deleted, to bring them back."""
    versions = await changes.deleted(session)
    said = await say_rules(session, [version.rule for version in versions])
    return page("segments/deleted.html", versions=list(zip(versions, said, strict=True)))


@post("/segments/{segment_id:uuid}/versions/{version_id:uuid}/restore")
async def restore(
    segment_id: UUID, version_id: UUID, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Make the segment what it was; where that cannot be as it is, go on to the builder."""
    version = await version_of(session, segment_id, version_id)
    try:
        async with session.begin_nested():
            await changes.restore(session, access, version)
    except Invalid:
        if stored_rule(version.rule) is None:
            raise
        there = await session.get(Segment, segment_id)
        where = f"/segments/{segment_id}/edit" if there else "/segments/new"
        return to(
            f"{where}?version={version_id}",
            _("It refers to what is no longer there. Please change that, then save."),
        )
    return to(f"/segments/{segment_id}", _("The segment is as it was."))


async def version_of(session: WorkspaceSession, segment_id: UUID, version_id: UUID) -> Version:
    """Return a version of this segment; raises `NotFound` for another's."""
    version = await session.one(Version, version_id)
    if version.segment_id != segment_id:
        raise NotFound()
    return version


pages = [
    show_history,
    show_trend,
    count_now,
    switch_events,
    list_versions,
    list_deleted,
    restore,
]
