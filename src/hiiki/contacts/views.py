"""Console pages: the list of friends, its export, tags for many at once."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Response, Stream, Template
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import Select, select

from hiiki.contacts import people, search
from hiiki.contacts.models import Tag
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.service import add_tag_to, remove_tag_from
from hiiki.contacts.tags import all_tags
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _, current_locale
from hiiki.kit.pages import flash, form_data, go, is_fragment, page, to
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

AnyRequest = Request[Any, Any, Any]

SLICE = 10_000
"""People whose tags change in one transaction: about a second's work."""


def _address(wanted: FriendFilter, path: str = "/friends", **more: str | None) -> str:
    query = wanted.query() | {name: value for name, value in more.items() if value}
    return f"{path}?{urlencode(query)}" if query else path


@get("/friends", name="friends")
async def friends(
    request: AnyRequest,
    session: WorkspaceSession,
    after: str | None = None,
    before: str | None = None,
) -> Template:
    """List friends, the newest first, as the filter in the address says."""
    wanted = parse(FriendFilter, dict(request.query_params))
    found = await search.find(session, wanted, after, before=before)
    channels = list(await session.scalars(select(Channel).order_by(Channel.name)))
    return page(
        "contacts/_list.html" if is_fragment(request) else "contacts/list.html",
        found=found,
        wanted=wanted,
        tags=await all_tags(session),
        channels=channels,
        first_page=not (after or before),
        count_url=_address(wanted, "/friends/count"),
        csv_url=_address(wanted, "/friends.csv"),
        next_url=_address(wanted, after=found.next) if found.next else "",
        previous_url=_address(wanted, before=found.previous) if found.previous else "",
        statuses=people.STATUS_LABELS,
    )


@get("/friends/count")
async def friends_count(request: AnyRequest, session: WorkspaceSession) -> Template:
    """Say how many fit; asked for after the list is there, since counting takes longer."""
    wanted = parse(FriendFilter, dict(request.query_params))
    return page("contacts/_count.html", count=await search.count(session, wanted))


@get("/friends.csv", opt={"role": "operator"})
async def friends_csv(request: AnyRequest, session: WorkspaceSession, access: Access) -> Stream:
    """Send all whom the filter describes as CSV."""
    wanted = parse(FriendFilter, dict(request.query_params))
    audit(session, access, "contacts.export_list", **wanted.query())
    return Stream(
        people.csv_lines(access, current_locale(), wanted),
        media_type="text/csv",
        headers={
            "content-disposition": f'attachment; filename="friends-{now():%Y%m%d-%H%M}.csv"',
            "cache-control": "no-store",
        },
    )


class BulkForm(BaseModel):
    """Which tag to add or remove, and for whom."""

    verb: Literal["add", "remove"]
    tag_id: Annotated[UUID | None, BeforeValidator(lambda value: value or None)] = None
    scope: Literal["selected", "all"] = "selected"
    ids: list[UUID] = Field(default_factory=list[UUID], max_length=1000)
    filter: FriendFilter = Field(default_factory=FriendFilter)
    after: str = ""
    """Where the next slice begins; "" for the first."""
    done: int = Field(default=0, ge=0)
    total: int = Field(default=0, ge=0)
    changed: int = Field(default=0, ge=0)


async def _bulk(
    request: AnyRequest, session: WorkspaceSession
) -> tuple[BulkForm, Tag, Select[UUID]]:
    form = parse(BulkForm, await form_data(request))
    if form.tag_id is None:
        raise Invalid(_("Please choose a tag first."))
    if form.scope == "selected" and not form.ids:
        raise Invalid(_("Please select friends first."))
    tag = await session.one(Tag, form.tag_id)
    who = search.matching(form.filter) if form.scope == "all" else people.chosen(form.ids)
    return form, tag, who


@post("/friends/tags/check", status_code=200)
async def check_tag_many(request: AnyRequest, session: WorkspaceSession) -> Template:
    """Show how many a tag would be added to, or removed from, before it is done."""
    form, tag, who = await _bulk(request, session)
    return page(
        "contacts/bulk.html",
        form=form,
        tag=tag,
        count=await people.count_of(session, who),
        having=await people.count_having(session, who, tag.id),
        back=_address(form.filter),
    )


@post("/friends/tags", status_code=200)
async def tag_many(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Response[None] | Template:
    """Add a tag to many, or remove it from them: a slice at a time, with the progress shown.

    The page asks for the next slice by itself. Whoever closes it in between has done a
    part, and doing it again does the rest.
    """
    form, tag, who = await _bulk(request, session)
    rest: str | None = None
    if form.scope == "all":
        who, rest = await search.slices(session, form.filter, form.after or None, SLICE)
    change = add_tag_to if form.verb == "add" else remove_tag_from
    number = await change(session, who, tag.id)
    audit(session, access, f"contacts.tag_{form.verb}_many", tag.id, count=number)
    form.changed += number
    if rest is not None:
        form.after, form.done = rest, form.done + SLICE
        form.total = form.total or await search.count(session, form.filter)
        part = "contacts/_bulk_progress.html" if is_fragment(request) else "contacts/progress.html"
        return page(part, form=form, tag=tag)
    said = (
        _("Added the tag “%(tag)s” to %(n)s friends.", tag=tag.name, n=f"{form.changed:,}")
        if form.verb == "add"
        else _("Removed the tag “%(tag)s” from %(n)s friends.", tag=tag.name, n=f"{form.changed:,}")
    )
    back = _address(form.filter)
    if is_fragment(request):
        answer = go(back)
        answer.set_cookie(flash(said))
        return answer
    return to(back, said)


HANDLERS = [friends, friends_count, friends_csv, check_tag_many, tag_many]
