"""Lists: orders as staff look for them, carts, subscriptions, what one person has bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.i18n import _
from hiiki.purchases.models import (
    Cart,
    Customer,
    Day,
    Order,
    OrderLine,
    Subscriber,
    Subscription,
)

PAGE_SIZE = 50
MONTHS = 12
NAMES_SEARCHED = 500
"""People of a name whose orders are looked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders to show."""

    q: str = ""
    """An order's number, or a part of its customer's name."""
    status: str = ""
    store: str = ""
    product: str = ""
    since: datetime | None = None
    until: datetime | None = None
    least: Decimal | None = None
    most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A row with the name of whose it is."""

    row: Any
    name: str
    picture_url: str | None


@dataclass(frozen=True, slots=True)
class Bought:
    """What one person has bought."""

    customer: Customer | None
    continued: int
    orders: list[Order]
    total: int
    """How many orders there are, in any state."""


async def orders(
    session: WorkspaceSession, wanted: Wanted, before: str = "", limit: int = PAGE_SIZE
) -> tuple[list[Named], str | None]:
    """Return orders, the latest first, and where to go on from when there are more."""
    query = select(Order).order_by(Order.at.desc(), Order.id.desc()).limit(limit + 1)
    query = await _narrow(session, query, wanted)
    if before:
        query = query.where(tuple_(Order.at, Order.id) < _mark(before))
    found = list(await session.scalars(query))
    last = found[limit - 1] if len(found) > limit else None
    shown = await _with_names(session, found[:limit])
    return shown, f"{last.at.isoformat()}_{last.id}" if last else None


async def _narrow(session: WorkspaceSession, query: Select[Order], wanted: Wanted) -> Select[Order]:
    if text := wanted.q.strip():
        # Nobody has thousands of one name; an order's number is looked for as it is.
        people = await session.scalars(
            select(Contact.id)
            .where(
                or_(
                    Contact.display_name.icontains(text, autoescape=True),
                    Contact.real_name.icontains(text, autoescape=True),
                )
            )
            .limit(NAMES_SEARCHED)
        )
        numbers = {text, text.removeprefix("#"), f"#{text}"}
        query = query.where(
            or_(Order.number.in_(numbers), Order.contact_id.in_(list(people.all())))
        )
    if wanted.status:
        query = query.where(Order.status == wanted.status)
    if wanted.store:
        query = query.where(Order.store == wanted.store)
    if wanted.product:
        line = select(OrderLine.order_id).where(
            OrderLine.contact_id == Order.contact_id,
            OrderLine.order_id == Order.id,
            OrderLine.product == wanted.product,
        )
        query = query.where(line.exists())
    if wanted.since is not None:
        query = query.where(Order.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Order.at < wanted.until)
    if wanted.least is not None:
        query = query.where(Order.amount >= wanted.least)
    if wanted.most is not None:
        query = query.where(Order.amount <= wanted.most)
    return query


async def _with_names(session: WorkspaceSession, rows: Sequence[Any]) -> list[Named]:
    found = await session.execute(
        select(Contact.id, Contact.real_name, Contact.display_name, Contact.picture_url).where(
            Contact.id.in_({row.contact_id for row in rows})
        )
    )
    people = {ident: (real or shown, url) for ident, real, shown, url in found}
    return [Named(row, *people.get(row.contact_id, ("", None))) for row in rows]


def _mark(text: str) -> tuple[datetime, UUID]:
    moment, _sep, ident = text.rpartition("_")
    try:
        found = datetime.fromisoformat(moment)
        if found.tzinfo is None:
            raise ValueError(moment)
        return found, UUID(ident)
    except ValueError:
        raise Invalid(fields={"before": _("This page is not there.")}) from None


async def order(session: WorkspaceSession, order_id: UUID) -> Order:
    """Return an order; raises `NotFound`."""
    found = await session.scalar(select(Order).where(Order.id == order_id))
    if found is None:
        raise NotFound()
    return found


async def lines(session: WorkspaceSession, of: Order) -> list[OrderLine]:
    """Return an order's lines, in their order."""
    found = await session.scalars(
        select(OrderLine)
        .where(OrderLine.contact_id == of.contact_id, OrderLine.order_id == of.id)
        .order_by(OrderLine.position)
    )
    return list(found)


async def bought(session: WorkspaceSession, contact_id: UUID, limit: int = 5) -> Bought:
    """Return what one person has bought, with the latest orders."""
    mine = select(Order).where(Order.contact_id == contact_id)
    found = await session.scalars(mine.order_by(Order.at.desc(), Order.id.desc()).limit(limit))
    subscriber = await session.get(Subscriber, contact_id)
    return Bought(
        await session.get(Customer, contact_id),
        subscriber.continued if subscriber else 0,
        list(found),
        await session.scalar(
            select(func.count()).select_from(Order).where(Order.contact_id == contact_id)
        )
        or 0,
    )


async def months(session: WorkspaceSession, first: date) -> dict[str, tuple[int, Decimal]]:
    """Return the purchases of each month (`2026-05`) from a day on: how many, how much."""
    month = func.to_char(Day.day, "YYYY-MM")
    rows = await session.execute(
        select(month, func.sum(Day.orders), func.sum(Day.revenue))
        .where(Day.day >= first)
        .group_by(month)
    )
    return {name: (int(n), amount) for name, n, amount in rows.all()}


async def carts(
    session: WorkspaceSession, status: str = "", before: str = "", limit: int = PAGE_SIZE
) -> tuple[list[Named], str | None]:
    """Return carts, those that changed last first, and where to go on from."""
    query = select(Cart).order_by(Cart.touched_at.desc(), Cart.id.desc()).limit(limit + 1)
    query = query.where(Cart.status == status if status else Cart.status.in_(("open", "left")))
    if before:
        query = query.where(tuple_(Cart.touched_at, Cart.id) < _mark(before))
    found = list(await session.scalars(query))
    last = found[limit - 1] if len(found) > limit else None
    shown = await _with_names(session, found[:limit])
    return shown, f"{last.touched_at.isoformat()}_{last.id}" if last else None


async def cart_sums(session: WorkspaceSession) -> dict[str, tuple[int, Decimal]]:
    """Return how many carts there are of each state, and what they hold in all."""
    rows = await session.execute(
        select(Cart.status, func.count(), func.sum(Cart.amount)).group_by(Cart.status)
    )
    return {status: (n, amount) for status, n, amount in rows.all()}


async def subscriptions(
    session: WorkspaceSession, status: str = "", before: str = "", limit: int = PAGE_SIZE
) -> tuple[list[Named], str | None]:
    """Return subscriptions, the latest begun first, and where to go on from."""
    query = select(Subscription).order_by(Subscription.started_at.desc(), Subscription.id.desc())
    if status:
        query = query.where(Subscription.status == status)
    if before:
        query = query.where(tuple_(Subscription.started_at, Subscription.id) < _mark(before))
    found = list(await session.scalars(query.limit(limit + 1)))
    last = found[limit - 1] if len(found) > limit else None
    shown = await _with_names(session, found[:limit])
    return shown, f"{last.started_at.isoformat()}_{last.id}" if last else None


async def subscription_sums(session: WorkspaceSession) -> dict[str, int]:
    """Return how many subscriptions there are of each state."""
    rows = await session.execute(
        select(Subscription.status, func.count()).group_by(Subscription.status)
    )
    return dict(rows.tuples().all())
