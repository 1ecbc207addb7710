"""Console pages: the list of segments, one segment and its members, segments to begin with."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar import get, post
from litestar.response import Response

from hiiki.contacts import search
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.segments import changes, ready_made, service
from hiiki.segments.listing import page_of_segments, sentences
from hiiki.segments.models import Segment
from hiiki.workspace.access import Access, audit

OPERATOR = {"role": "operator"}


@get("/segments")
async def list_segments(
    session: WorkspaceSession, q: str = "", after: str = "", before: str = "", sort: str = ""
) -> Response[Any]:
    """The saved segments; each row asks for its own numbers when it comes into view."""
    newest_first = sort == "newest"
    found = await page_of_segments(
        session, q, after=after, before=before, newest_first=newest_first
    )
    said = await sentences(session, found.segments)
    asked = {"q": q, "sort": "newest" if newest_first else ""}
    base = f"/segments?{urlencode({name: value for name, value in asked.items() if value})}&"
    return page(
        "segments/list.html",
        rows=list(zip(found.segments, said, strict=True)),
        q=q,
        newest_first=newest_first,
        before=f"{base}before={quote(found.previous)}" if found.previous else "",
        after=f"{base}after={quote(found.next)}" if found.next else "",
    )


@get("/segments/{segment_id:uuid}/figures")
async def show_figures(
    segment_id: UUID, session: WorkspaceSession, wide: bool = False
) -> Response[Any]:
    """How many are in it, for a cell of the list or (`wide`) for the segment's own page."""
    segment = await session.one(Segment, segment_id)
    usages = await service.usages_of(session, segment_id)
    try:
        counted = await service.count(session, await service.checked_rule(session, segment))
    except Invalid:
        counted = None
    return page(
        "segments/_figures.html", counted=counted, usages=usages, wide=wide, segment=segment
    )


@get("/segments/{segment_id:uuid}")
async def show_segment(
    segment_id: UUID, session: WorkspaceSession, after: str = ""
) -> Response[Any]:
    """What it says, how many it has, and who they are."""
    segment = await session.one(Segment, segment_id)
    [said] = await sentences(session, [segment])
    friends: list[search.Friend] = []
    next_page = ""
    errors: dict[str, Any] = {}
    try:
        rule = await service.checked_rule(session, segment)
    except Invalid as error:
        errors = error.fields
    else:
        found = await service.page_of_members(session, rule, after=after, limit=service.PAGE + 1)
        members = found[: service.PAGE]
        friends = await search.with_details(session, members)
        if len(found) > service.PAGE:
            next_page = f"/segments/{segment_id}?after={search.cursor(members[-1])}"
    return page(
        "segments/show.html",
        segment=segment,
        sentence=said,
        friends=friends,
        next_page=next_page,
        is_first=not after,
        tab="people",
        errors=errors,
        usages=await service.usages_of(session, segment_id),
    )


@post("/segments/{segment_id:uuid}/duplicate")
async def duplicate(segment_id: UUID, session: WorkspaceSession, access: Access) -> Response[Any]:
    """Make a copy and go on editing it."""
    made = await changes.copy(session, access, await session.one(Segment, segment_id))
    return to(f"/segments/{made.id}/edit", _("This is the copy; the original is as it was."))


@post("/segments/{segment_id:uuid}/delete")
async def delete(segment_id: UUID, session: WorkspaceSession, access: Access) -> Response[Any]:
    """Delete a segment that nothing uses."""
    await changes.delete(session, access, await session.one(Segment, segment_id))
    return to("/segments", _("The segment has been deleted. It can be brought back."))


# --- segments to begin with -------------------------------------------------------------


@get("/segments/ready-made")
async def list_ready_made(session: WorkspaceSession) -> Response[Any]:
    """Segments to begin with, what each says, and which of their tags there are already."""
    offered = ready_made.offered()
    ids = await ready_made.ids_for(session, offered)
    groups: dict[str, list[tuple[ready_made.ReadyMade, Text]]] = {}
    for each in offered:
        _rule, said = await ready_made.preview(session, each, ids)
        groups.setdefault(str(each.group), []).append((each, said))
    missing = {name for name, ident in ids.items() if ident is None}
    return page("segments/ready_made.html", groups=groups, missing=missing)


@get("/segments/ready-made/count")
async def count_ready_made(session: WorkspaceSession, key: str = "") -> Response[Any]:
    """How many one of them would have among this shop's people."""
    chosen = ready_made.find(key)
    if chosen is None:
        raise NotFound()
    ids = await ready_made.ids_for(session, [chosen])
    rule, _said = await ready_made.preview(session, chosen, ids)
    return page("segments/_ready_count.html", counted=await service.count(session, rule))


@post("/segments/ready-made")
async def use_ready_made(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Make the tags and attributes that are missing, and go on to the builder."""
    key = str((await form_data(request)).get("key", ""))
    chosen = ready_made.find(key)
    if chosen is None:
        raise NotFound()
    tags, attributes = await ready_made.make_missing(session, chosen)
    for tag in tags:
        audit(session, access, "contacts.tag_create", tag.id, name=tag.name)
    for attribute in attributes:
        audit(session, access, "attributes.create", attribute.id, label=attribute.label)
    made = [*(tag.name for tag in tags), *(attribute.label for attribute in attributes)]
    said = _("These have been made: %(names)s", names="、".join(made)) if made else None
    return to(f"/segments/new?from_ready_made={key}", said)


pages = [
    list_segments,
    show_figures,
    show_segment,
    duplicate,
    delete,
    list_ready_made,
    count_ready_made,
    use_ready_made,
]
