"""Orders as a file, one line for each of their lines; it can be imported again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_

from hiiki.contacts.identities import among
from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.exportable import Exportable, ExportColumn, Rows
from hiiki.kit.i18n import Text, _
from hiiki.purchases.models import Order, OrderLine

SIZE = 2000

_ORDER: Mapping[str, Text] = {
    "number": _("Order number"),
    "source": _("Where it comes from"),
    "at": _("Ordered at"),
    "status": _("State of the order"),
    "amount": _("Amount paid"),
    "discount": _("Discount"),
    "shipping": _("Shipping fee"),
    "refunded": _("Returned amount"),
    "currency": _("Currency"),
    "store": _("Store's code"),
    "subscription": _("Subscription"),
    "updated_at": _("Changed at"),
}
_PERSON: Mapping[str, Text] = {
    "contact_id": _("ID"),
    "real_name": _("Real name"),
    "email": _("E-mail"),
    "phone": _("Phone"),
}
_LINE: Mapping[str, Text] = {
    "product": _("Product's code"),
    "name": _("Product"),
    "variant": _("Variant"),
    "quantity": _("Quantity"),
    "line_amount": _("Amount of the line"),
}


async def columns(_session: WorkspaceSession) -> Sequence[ExportColumn]:
    """Return what a file of orders may say."""
    return [
        *(ExportColumn(name, label, _("The order itself")) for name, label in _ORDER.items()),
        *(ExportColumn(name, label, _("Customer")) for name, label in _PERSON.items()),
        *(ExportColumn(name, label, _("Line of the order")) for name, label in _LINE.items()),
    ]


async def rows(workspace_id: UUID, _wanted: Mapping[str, Any], names: Sequence[str]) -> Rows:
    """Return the lines of all orders, the oldest first (`Exportable.rows`)."""
    async with scope(workspace_id) as session:
        total = await session.scalar(select(func.sum(func.greatest(Order.lines, 1)))) or 0
    return int(total), _slices(workspace_id, names)


async def _slices(
    workspace_id: UUID, names: Sequence[str]
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    after: tuple[Any, UUID] | None = None
    while True:
        async with scope(workspace_id) as session:
            query = select(Order).order_by(Order.at, Order.id).limit(SIZE)
            if after is not None:
                query = query.where(tuple_(Order.at, Order.id) > tuple_(*after))
            orders = (await session.scalars(query)).all()
            if not orders:
                return
            after = (orders[-1].at, orders[-1].id)
            lines = await _lines(session, orders, names)
        yield lines


async def _lines(
    session: WorkspaceSession, orders: Sequence[Order], names: Sequence[str]
) -> list[list[Any]]:
    people = {each.contact_id for each in orders}
    found = await session.scalars(select(Contact).where(among(Contact.id, people)))
    contacts = {each.id: each for each in found}
    lines: dict[UUID, list[OrderLine]] = {}
    for line in await session.scalars(
        select(OrderLine)
        .where(
            among(OrderLine.contact_id, people),
            among(OrderLine.order_id, [each.id for each in orders]),
        )
        .order_by(OrderLine.order_id, OrderLine.position)
    ):
        lines.setdefault(line.order_id, []).append(line)
    return [
        [_cell(name, order, contacts.get(order.contact_id), line) for name in names]
        for order in orders
        for line in lines.get(order.id, [None])
    ]


def _cell(name: str, order: Order, person: Contact | None, line: OrderLine | None) -> Any:
    if name in _ORDER or name == "contact_id":
        return getattr(order, name)
    if name in _PERSON:
        return getattr(person, name, None)
    return getattr(line, "amount" if name == "line_amount" else name, None)


orders = Exportable(
    name="orders",
    label=_("Orders and their lines"),
    icon="shopping-bag",
    hint=_("One line for each line of an order."),
    columns=columns,
    rows=rows,
)
