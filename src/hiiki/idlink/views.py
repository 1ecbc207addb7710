"""Console pages: the link rate, who is linked, one friend's link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from babel.dates import format_date
from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy import select

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.idlink import service
from hiiki.idlink.models import Link, Place
from hiiki.idlink.report import PERIODS, STEPS, Report, report
from hiiki.idlink.schemas import LinkIn
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, current_locale, gettext
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.segments.prefill import new_segment_url
from hiiki.workspace.access import Access, audit

NOT_LINKED = {
    "kind": "all",
    "rules": [
        {"kind": "friendship", "status": "following"},
        {"kind": "field", "field": "idlink.linked_at", "test": {"op": "unknown"}},
    ],
}
WAYS: dict[str, Text] = {
    "account": _("In the chat"),
    "login": _("LINE Login"),
    "staff": _("By staff"),
    "api": _("By a program"),
}


@get("/id-links")
async def overview(session: WorkspaceSession, access: Access, days: int = 28) -> Template:
    """Show the link rate, the way to it and where it breaks (requirement A7)."""
    chosen = days if days in PERIODS else 28
    found = await report(session, access.timezone, chosen)
    return page(
        "idlink/overview.html",
        report=found,
        periods=PERIODS,
        chosen=chosen,
        setting=await service.setting_of(session),
        not_linked=new_segment_url(NOT_LINKED, gettext("Friends who are not linked")),
        steps=_steps(found),
        reasons=[(service.FAILURES.get(n, n), count) for n, count in found.failures.items()],
        chart=_chart(found),
        rows=[
            (one.day.isoformat(), one.linked, f"{(one.rate or 0) * 100:.1f}%") for one in found.days
        ],
    )


def _steps(found: Report) -> list[dict[str, Any]]:
    """Return each step with its share of the step before and of the widest."""
    most = max(found.funnel.values(), default=0)
    steps: list[dict[str, Any]] = []
    before: int | None = None
    for name, (label, icon) in STEPS.items():
        people = found.funnel[name]
        share = people / before if before else None
        steps.append({"label": label, "icon": icon, "people": people, "share": share, "most": most})
        before = people
    return steps


def _chart(found: Report) -> dict[str, Any]:
    pattern = "M/d" if current_locale() == "ja" else "d MMM"
    rates = [None if one.rate is None else round(one.rate * 100, 2) for one in found.days]
    return {
        "legend": {"top": 0, "left": 0},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 8, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [format_date(d.day, pattern, locale=current_locale()) for d in found.days],
        },
        "yAxis": [
            {"type": "value", "minInterval": 1},
            {"type": "value", "min": 0, "splitLine": {"show": False},
             "axisLabel": {"formatter": "{value}%"}},
        ],
        "series": [
            {"type": "bar", "name": gettext("Linked"), "data": [d.linked for d in found.days],
             "barMaxWidth": 18},
            {"type": "line", "name": gettext("Link rate (%%)").replace("%%", "%"), "yAxisIndex": 1,
             "data": rates, "showSymbol": False},
        ],
    }  # fmt: skip


@get("/id-links/people")
async def people(session: WorkspaceSession, q: str = "", before: UUID | None = None) -> Template:
    """List who is linked, the latest first."""
    found, more = await service.links(session, q, before)
    names = await session.execute(select(Place.code, Place.name))
    return page(
        "idlink/people.html",
        found=found,
        ways=WAYS,
        places=dict(names.all()),
        q=q,
        back=f"/id-links/people?{urlencode({'q': q})}" if before else "",
        more=f"/id-links/people?{urlencode({'q': q, 'before': more})}" if more else "",
    )


@get("/friends/{contact_id:uuid}/id-link-card")
async def friend_card(session: WorkspaceSession, contact_id: UUID) -> Template:
    """Show in a line whether a friend is linked, on the friend's own page."""
    await session.one(Contact, contact_id)
    return page(
        "idlink/_friend_card.html",
        contact_id=contact_id,
        link=await session.get(Link, contact_id),
    )


@get("/friends/{contact_id:uuid}/id-link")
async def of_friend(session: WorkspaceSession, contact_id: UUID) -> Template:
    """Show a friend's link, or the form by which staff link them."""
    return await _of_friend(session, contact_id)


async def _of_friend(
    session: WorkspaceSession,
    contact_id: UUID,
    typed: str = "",
    errors: dict[str, Text] | None = None,
    message: Any = "",
    status: int = 200,
) -> Template:
    return page(
        "idlink/friend.html",
        status=status,
        contact=await session.one(Contact, contact_id),
        link=await session.get(Link, contact_id),
        is_friend=await service.channel_of(session, contact_id) is not None,
        ways=WAYS,
        typed=typed,
        errors=errors or {},
        message=message,
    )


@post("/friends/{contact_id:uuid}/id-link")
async def link_friend(
    request: WebRequest, session: WorkspaceSession, access: Access, contact_id: UUID
) -> Redirect | Template:
    """Link a friend by hand, as when they have shown their card at the counter."""
    contact = await session.one(Contact, contact_id)
    typed = str((await form_data(request)).get("customer", ""))
    try:
        given = parse(LinkIn, {"contact_id": contact.id, "customer": typed})
        done = await service.link_now(session, contact_id, None, given.customer, way="staff")
    except Invalid as error:
        return await _of_friend(session, contact_id, typed, error.fields, status=422)
    except Conflict as error:
        return await _of_friend(session, contact_id, typed, message=error.message, status=409)
    if done.is_new:
        audit(session, access, "idlink.link", contact_id, customer=done.link.customer)
    return to(f"/friends/{contact_id}/id-link", _("They are linked."))


@post("/friends/{contact_id:uuid}/id-link/delete")
async def unlink_friend(session: WorkspaceSession, access: Access, contact_id: UUID) -> Redirect:
    """Unlink a friend."""
    await session.one(Contact, contact_id)
    if await service.unlink(session, contact_id, by="staff"):
        audit(session, access, "idlink.unlink", contact_id)
    return to(f"/friends/{contact_id}/id-link", _("They are no longer linked."))


HANDLERS = [overview, people, friend_card, of_friend, link_friend, unlink_friend]
