"""Console pages: orders, an order, what one person has bought."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get
from litestar.params import Parameter
from litestar.response import Template

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.i18n import Text, _, current_locale, gettext
from hiiki.kit.pages import page
from hiiki.purchases import catalogue, listing, words
from hiiki.purchases.orders import MAX_AMOUNT
from hiiki.workspace.access import Access

State = Annotated[str, Parameter(query="state")]


@get("/purchases")
async def list_orders(
    session: WorkspaceSession,
    access: Access,
    q: str = "",
    status: State = "",
    store: str = "",
    product: str = "",
    first: str = "",
    last: str = "",
    least: str = "",
    most: str = "",
    before: str = "",
) -> Template:
    """List orders, the latest first, below a year's purchases by month."""
    typed = {
        "q": q, "state": status, "store": store, "product": product,
        "first": first, "last": last, "least": least, "most": most,
    }  # fmt: skip
    chosen = {name: value for name, value in typed.items() if value.strip()}
    wanted, errors = _wanted(typed, access.timezone)
    found, more = await listing.orders(session, wanted, before) if not errors else ([], None)
    by_month = await _months(session, access.timezone)
    codes = [one.row.store for one in found if one.row.store]
    return page(
        "purchases/orders.html",
        status=422 if errors else 200,
        orders=found,
        stores=await catalogue.store_options(session),
        products=await catalogue.product_options(session),
        store_names=await catalogue.store_names(session, codes),
        words=words.ORDERS,
        sources=words.SOURCES,
        typed=typed,
        errors=errors,
        chosen=chosen,
        has_details=bool(set(chosen) - {"q", "state"}),
        is_first=not chosen and not before,
        chart=_chart(by_month),
        month=by_month[-1],
        back=f"/purchases?{urlencode(chosen)}" if before else "",
        more=f"/purchases?{urlencode({**chosen, 'before': more})}" if more else "",
    )


def _wanted(typed: dict[str, str], timezone: str) -> tuple[listing.Wanted, dict[str, Text]]:
    errors: dict[str, Text] = {}

    def day(name: str, more: int) -> datetime | None:
        text = typed[name].strip()
        if not text:
            return None
        try:
            found = date.fromisoformat(text) + timedelta(days=more)
            return datetime.combine(found, datetime.min.time(), ZoneInfo(timezone))
        except (ValueError, OverflowError):
            errors[name] = _("Please enter a date, such as 2026-11-21.")
            return None

    def amount(name: str) -> Decimal | None:
        text = typed[name].strip().replace(",", "")
        if not text:
            return None
        try:
            found = Decimal(text)
        except InvalidOperation:
            found = Decimal("nan")
        if not found.is_finite() or abs(found) > MAX_AMOUNT:
            errors[name] = _("Please enter a number.")
            return None
        return found

    wanted = listing.Wanted(
        typed["q"].replace("\0", "")[:100],
        typed["state"] if typed["state"] in words.ORDERS else "",
        typed["store"].replace("\0", ""),
        typed["product"].replace("\0", ""),
        day("first", 0),
        day("last", 1),
        amount("least"),
        amount("most"),
    )
    return wanted, errors


async def _months(session: WorkspaceSession, timezone: str) -> list[tuple[str, int, Decimal]]:
    """Return the last twelve months, the running one last: name, orders, amount."""
    today = now().astimezone(ZoneInfo(timezone)).date()
    marks: list[date] = []
    month = today.replace(day=1)
    for _n in range(listing.MONTHS):
        marks.append(month)
        month = (month - timedelta(days=1)).replace(day=1)
    marks.reverse()
    found = await listing.months(session, marks[0])
    return [
        (mark.strftime("%Y-%m"), *found.get(mark.strftime("%Y-%m"), (0, Decimal(0))))
        for mark in marks
    ]


def _chart(months: list[tuple[str, int, Decimal]]) -> dict[str, Any] | None:
    if not any(n for _name, n, _amount in months):
        return None
    labels = [_month_name(name) for name, _n, _amount in months]
    return {
        "option": {
            "tooltip": {"trigger": "axis"},
            "xAxis": {"type": "category", "data": labels},
            "yAxis": [{"type": "value"}, {"type": "value", "minInterval": 1, "show": False}],
            "legend": {"top": 0, "left": 0},
            "grid": {"left": 8, "right": 8, "top": 36, "bottom": 4, "containLabel": True},
            "series": [
                {
                    "type": "bar",
                    "name": gettext("Amount"),
                    "data": [float(amount) for _name, _n, amount in months],
                    "itemStyle": {"borderRadius": [4, 4, 0, 0]},
                },
                {
                    "type": "line",
                    "name": gettext("Orders"),
                    "yAxisIndex": 1,
                    "data": [n for _name, n, _amount in months],
                },
            ],
        },
        "rows": months,
    }


def _month_name(name: str) -> str:
    year, month = name.split("-")
    return f"{year}/{month}" if current_locale() == "ja" else f"{month}/{year}"


@get("/purchases/orders/{order_id:uuid}")
async def show_order(session: WorkspaceSession, order_id: UUID) -> Template:
    """Show an order: its lines, its amounts, whose it is."""
    order = await listing.order(session, order_id)
    contact = await session.one(Contact, order.contact_id)
    stores = await catalogue.store_names(session, [order.store]) if order.store else {}
    return page(
        "purchases/order.html",
        order=order,
        lines=await listing.lines(session, order),
        contact=contact,
        bought=await listing.bought(session, order.contact_id, 1),
        store=stores.get(order.store, order.store),
        products=await catalogue.ids_of(session, order),
        words=words.ORDERS,
        sources=words.SOURCES,
    )


@get("/friends/{contact_id:uuid}/purchases")
async def of_friend(session: WorkspaceSession, contact_id: UUID, all: bool = False) -> Template:
    """Show what one person has bought, as a part of their page."""
    await session.one(Contact, contact_id)
    return page(
        "purchases/_friend.html",
        contact_id=contact_id,
        bought=await listing.bought(session, contact_id, 100 if all else 5),
        words=words.ORDERS,
    )


HANDLERS = [list_orders, show_order, of_friend]
