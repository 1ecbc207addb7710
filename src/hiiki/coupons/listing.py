"""Lists of coupons and of who holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast, func, or_, select

from hiiki.contacts.models import Contact
from hiiki.coupons.models import Coupon, Issue
from hiiki.coupons.service import plain_code
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.road import Option
from hiiki.timeline import Event

PAGE_SIZE = 50
CHART_DAYS = 30


@dataclass(frozen=True, slots=True)
class Holder:
    """One issue with the name of who holds it."""

    issue: Issue
    name: str
    picture_url: str | None


async def coupons(
    session: WorkspaceSession,
    search: str = "",
    before: UUID | None = None,
    limit: int = PAGE_SIZE,
) -> tuple[list[Coupon], UUID | None]:
    """Return coupons, newest first, and the id to go on from when there are more."""
    query = select(Coupon).order_by(Coupon.id.desc()).limit(limit + 1)
    if search.strip():
        query = query.where(Coupon.title.icontains(search.strip(), autoescape=True))
    if before is not None:
        query = query.where(Coupon.id < before)
    found = list(await session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def holders(
    session: WorkspaceSession,
    coupon_id: UUID,
    search: str = "",
    before: UUID | None = None,
    limit: int = PAGE_SIZE,
) -> tuple[list[Holder], UUID | None]:
    """Return who got a coupon, the latest first; `search` is a code or a part of a name."""
    query = (
        select(Issue, Contact.real_name, Contact.display_name, Contact.picture_url)
        .join(Contact, Contact.id == Issue.contact_id)
        .where(Issue.coupon_id == coupon_id)
        .order_by(Issue.id.desc())
        .limit(limit + 1)
    )
    if wanted := search.strip():
        query = query.where(
            or_(
                Issue.code == plain_code(wanted),
                Contact.display_name.icontains(wanted, autoescape=True),
                Contact.real_name.icontains(wanted, autoescape=True),
            )
        )
    if before is not None:
        query = query.where(Issue.id < before)
    rows = await session.execute(query)
    found = [Holder(issue, real or shown, url) for issue, real, shown, url in rows]
    return found[:limit], found[limit - 1].issue.id if len(found) > limit else None


async def per_day(
    session: WorkspaceSession, coupon_id: UUID, timezone: str
) -> list[tuple[date, int, int]]:
    """Return (day in the shop's time zone, issued, used) for the last thirty days."""
    today = now().astimezone(ZoneInfo(timezone)).date()
    first = today - timedelta(days=CHART_DAYS - 1)
    day = cast(func.date(func.timezone(timezone, Event.at)), String)
    rows = await session.execute(
        select(day, Event.kind, func.count())
        .where(
            Event.kind.in_(("coupon_issue", "coupon_use")),
            Event.subject == str(coupon_id),
            Event.at >= now() - timedelta(days=CHART_DAYS),
        )
        .group_by(day, Event.kind)
    )
    found = {(when, kind): n for when, kind, n in rows}
    days = [first + timedelta(days=n) for n in range(CHART_DAYS)]
    return [
        (
            one,
            found.get((one.isoformat(), "coupon_issue"), 0),
            found.get((one.isoformat(), "coupon_use"), 0),
        )
        for one in days
    ]


async def options(session: WorkspaceSession) -> Sequence[Option]:
    """Return the coupons that are given out, newest first, for the picker."""
    rows = await session.execute(
        select(Coupon.id, Coupon.title)
        .where(Coupon.is_active)
        .order_by(Coupon.id.desc())
        .limit(500)
    )
    return [Option(str(ident), title) for ident, title in rows]
