"""Console pages: the list of friends, its export, tags for many at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Template
from sqlalchemy import select

from hiiki.contacts import listing, people, search
from hiiki.contacts.models import View
from hiiki.contacts.schemas import ViewIn
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.tags import all_tags
from hiiki.db import WorkspaceSession
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _
from hiiki.kit.pages import form_data, is_fragment, page, to
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
    """List friends as the filter, the order and the columns in the address say."""
    wanted = parse(FriendFilter, dict(request.query_params))
    orders = {order.key: order for order in listing.orders()}
    order = orders.get(str(request.query_params.get("sort", "")), listing.ORDERS[0])
    available = await listing.columns(session)
    typed = ",".join(map(str, request.query_params.getall("columns", []))).split(",")
    columns = listing.chosen(available, typed)
    found = await listing.ordered(session, wanted, order, after, before)
    query = listing.query_of(wanted, order.key, [each.key for each in columns])
    return page(
        "contacts/_list.html" if is_fragment(request) else "contacts/list.html",
        found=found,
        wanted=wanted,
        tags=await all_tags(session),
        channels=list(await session.scalars(select(Channel).order_by(Channel.name))),
        segments=await listing.segments(session),
        order=order,
        orders=list(orders.values()),
        available=available,
        columns=columns,
        cells=await listing.cells(session, found, columns),
        views=await listing.views(session),
        query=query,
        first_page=not (after or before),
        count_url=_address(wanted, "/friends/count"),
        csv_url=_address(wanted, "/exports/new"),
        next_url="/friends?" + urlencode({**query, "after": found.next}) if found.next else "",
        previous_url=(
            "/friends?" + urlencode({**query, "before": found.previous}) if found.previous else ""
        ),
        statuses=people.STATUS_LABELS,
    )


@post("/friends/views")
async def save_view(request: AnyRequest, session: WorkspaceSession, access: Access) -> Redirect:
    """Keep the list as it is under a name; a view of the same name is replaced."""
    data = await form_data(request)
    data["columns"] = [each for each in str(data.get("columns", "")).split(",") if each]
    made = await listing.save_view(session, parse(ViewIn, data))
    audit(session, access, "contacts.view_save", made.id, name=made.name)
    return to(
        f"/friends?{urlencode(made.query)}", _("The view “%(name)s” is kept.", name=made.name)
    )


@post("/friends/views/{view_id:uuid}/delete")
async def delete_view(view_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Delete a saved view; nobody's data changes."""
    found = await session.one(View, view_id)
    await session.delete(found)
    audit(session, access, "contacts.view_delete", view_id, name=found.name)
    return to("/friends", _("The view “%(name)s” has been deleted.", name=found.name))


@get("/friends/count")
async def friends_count(request: AnyRequest, session: WorkspaceSession) -> Template:
    """Say how many fit; asked for after the list is there, since counting takes longer."""
    wanted = parse(FriendFilter, dict(request.query_params))
    return page("contacts/_count.html", count=await search.count(session, wanted))


HANDLERS = [friends, friends_count, save_view, delete_view]
