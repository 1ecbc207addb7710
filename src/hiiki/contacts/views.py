"""Console pages: the list of friends, its export, tags for many at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.response import Stream, Template
from sqlalchemy import select

from hiiki.contacts import people, search
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.tags import all_tags
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.forms import parse
from hiiki.kit.i18n import current_locale
from hiiki.kit.pages import is_fragment, page
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


HANDLERS = [friends, friends_count, friends_csv]
