"""Console pages: the list of coupons, one coupon and who holds it, its form."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, get, post
from litestar.response import Redirect, Template

from hiiki.coupons import listing, service
from hiiki.coupons.models import Coupon
from hiiki.coupons.schemas import CouponIn
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import HiikiError, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, gettext
from hiiki.kit.pages import form_data, page, to
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]
OPERATOR = {"role": "operator"}
_EMPTY: dict[str, Any] = {
    "title": "",
    "benefit": "percent",
    "amount": "10",
    "terms": "",
    "valid_days": "",
    "valid_until": "",
    "stock": "",
    "is_active": True,
}


@get("/coupons")
async def list_coupons(
    session: WorkspaceSession, q: str = "", before: UUID | None = None
) -> Template:
    """List coupons with how many were given out and used (requirement D3)."""
    found, more = await listing.coupons(session, q, before)
    return page(
        "coupons/list.html",
        coupons=found,
        used=await service.used_counts(session, [one.id for one in found]),
        benefit=service.benefit_text,
        q=q,
        back="/coupons" if before else "",
        more=f"/coupons?{urlencode({'q': q, 'before': more})}" if more else "",
    )


@get("/coupons/new", opt=OPERATOR)
async def new_coupon() -> Template:
    """Show an empty form."""
    return _form(None, dict(_EMPTY), {})


@post("/coupons/new")
async def create_coupon(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Make a coupon."""
    data = await form_data(request)
    try:
        made = await service.create(session, _read(data, access))
    except Invalid as error:
        return _form(None, {**_EMPTY, **data}, error.fields)
    audit(session, access, "coupons.create", made.id, title=made.title)
    return to(f"/coupons/{made.id}", _("The coupon is ready."))


@get("/coupons/{coupon_id:uuid}")
async def show_coupon(
    session: WorkspaceSession,
    access: Access,
    coupon_id: UUID,
    q: str = "",
    before: UUID | None = None,
) -> Template:
    """Show a coupon: its figures, and who holds it."""
    coupon = await session.one(Coupon, coupon_id)
    holders, more = await listing.holders(session, coupon_id, q, before)
    days = await listing.per_day(session, coupon_id, access.timezone)
    here = f"/coupons/{coupon_id}"
    return page(
        "coupons/show.html",
        coupon=coupon,
        benefit=service.benefit_text(coupon),
        last_day=_last_day(coupon.valid_until, access.timezone),
        used=(await service.used_counts(session, [coupon_id])).get(coupon_id, 0),
        holders=holders,
        usages=await road().usages(session, "coupon", coupon_id),
        chart=_chart(days),
        q=q,
        back=f"{here}?{urlencode({'q': q})}" if before else "",
        more=f"{here}?{urlencode({'q': q, 'before': more})}#holders" if more else "",
    )


@get("/coupons/{coupon_id:uuid}/edit", opt=OPERATOR)
async def edit_coupon(session: WorkspaceSession, access: Access, coupon_id: UUID) -> Template:
    """Show a coupon in its form."""
    coupon = await session.one(Coupon, coupon_id)
    data = {name: getattr(coupon, name) for name in _EMPTY}
    data["valid_until"] = _last_day(coupon.valid_until, access.timezone) or ""
    return _form(coupon, data, {})


@post("/coupons/{coupon_id:uuid}/edit")
async def save_coupon(
    request: AnyRequest, session: WorkspaceSession, access: Access, coupon_id: UUID
) -> Redirect | Template:
    """Change a coupon."""
    coupon = await session.one(Coupon, coupon_id)
    data = await form_data(request)
    try:
        await service.change(session, coupon_id, _read(data, access))
    except Invalid as error:
        return _form(coupon, {**_EMPTY, **data}, error.fields)
    audit(session, access, "coupons.update", coupon_id, title=coupon.title)
    return to(f"/coupons/{coupon_id}", _("Saved."))


@post("/coupons/{coupon_id:uuid}/delete")
async def delete_coupon(session: WorkspaceSession, access: Access, coupon_id: UUID) -> Redirect:
    """Delete a coupon that nobody holds and nothing uses."""
    await service.delete(session, coupon_id)
    audit(session, access, "coupons.delete", coupon_id)
    return to("/coupons", _("The coupon has been deleted."))


@post("/coupons/{coupon_id:uuid}/use")
async def use_coupon(
    request: AnyRequest, session: WorkspaceSession, access: Access, coupon_id: UUID
) -> Redirect:
    """Use a customer's coupon at the counter, by its code."""
    await session.one(Coupon, coupon_id)
    typed = service.plain_code(str((await form_data(request)).get("code", "")))
    here = f"/coupons/{coupon_id}"
    try:
        found = await service.find(session, coupon_id, typed)
        used = await service.use(session, found.code)
    except HiikiError as error:
        return to(here, error.message)
    if not used.is_new:
        return to(here, service.UsedBefore.default)
    audit(session, access, "coupons.use", coupon_id, issue=str(used.issue.id))
    return to(here, _("The coupon has been used."))


def _read(data: dict[str, Any], access: Access) -> CouponIn:
    """Return the form as a coupon; the last day means its end, in the shop's time zone."""
    given = dict(data)
    typed = str(given.get("valid_until", "")).strip()
    if typed:
        try:
            day = date.fromisoformat(typed)
            end = datetime.combine(day + timedelta(days=1), datetime.min.time())
            given["valid_until"] = end.replace(tzinfo=ZoneInfo(access.timezone))
        except (ValueError, OverflowError):
            raise Invalid(
                fields={"valid_until": _("Please enter a date, such as 2026-11-21.")}
            ) from None
    return parse(CouponIn, given)


def _last_day(end: datetime | None, timezone: str) -> date | None:
    if end is None:
        return None
    return (end - timedelta(microseconds=1)).astimezone(ZoneInfo(timezone)).date()


def _form(coupon: Coupon | None, data: dict[str, Any], errors: dict[str, Text]) -> Template:
    return page(
        "coupons/edit.html",
        status=422 if errors else 200,
        coupon=coupon,
        data=data,
        errors=errors,
    )


def _chart(days: list[tuple[date, int, int]]) -> dict[str, Any] | None:
    if not any(issued or used for _day, issued, used in days):
        return None
    labels = [f"{day.month}/{day.day}" for day, _issued, _used in days]
    return {
        "option": {
            "legend": {"top": 0},
            "xAxis": {"type": "category", "data": labels},
            "yAxis": {"type": "value", "minInterval": 1},
            "tooltip": {"trigger": "axis"},
            "series": [
                {
                    "type": "bar",
                    "name": gettext("Given out"),
                    "data": [issued for _day, issued, _used in days],
                },
                {
                    "type": "bar",
                    "name": gettext("Used"),
                    "data": [used for _day, _issued, used in days],
                },
            ],
        },
        "rows": [(day.isoformat(), issued, used) for day, issued, used in days if issued or used],
    }


HANDLERS = [
    list_coupons,
    new_coupon,
    create_coupon,
    show_coupon,
    edit_coupon,
    save_coupon,
    delete_coupon,
    use_coupon,
]
