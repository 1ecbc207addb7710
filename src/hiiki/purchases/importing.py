"""Orders from a file, and taking them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hiiki.contacts import states
from hiiki.contacts.identities import Keys
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.i18n import _
from hiiki.kit.importable import Column, Importable, Importing, ImportRow, Outcome, Undone
from hiiki.purchases import service, shops, undoing
from hiiki.purchases.order_columns import BASE, COLUMNS, EC_CUBE, SHOPIFY
from hiiki.purchases.orders import NOTHING, LineIn, OrderIn, StoreIn, Taken
from hiiki.purchases.writing import run

_ONE = Decimal(1)
_OF_LINE = {
    *("product", "product_id", "product_name", "variant", "quantity", "price"),
    *("line_amount", "line_discount", "line_kind"),
}
_PRODUCT_LINES = (None, "1", "商品", "product")
"""EC-CUBE's mtb_order_item_type: what else it lists (送料, 手数料, 割引, 税) is no product."""
_FIELDS = {"keys": "customer", "refunds": "refunded", "store.code": "store", "store.name": "store_name"}  # fmt: skip  # noqa: E501
_LINE_FIELDS = {"amount": "line_amount", "quantity": "quantity"}


async def columns(_session: WorkspaceSession) -> Sequence[Column]:
    """Return what a file of orders may say."""
    return COLUMNS


async def take(
    session: WorkspaceSession, importing: Importing, rows: Sequence[ImportRow]
) -> Sequence[Outcome]:
    """Take lines of orders (`Importable.take`); those of one order stand together."""
    outcomes: list[Outcome] = []
    groups: list[list[ImportRow]] = []
    orders: list[OrderIn] = []
    shop = await _shop(session, importing)
    for group in _groups(rows):
        order = _order(group, shop)
        if isinstance(order, OrderIn):
            groups.append(group)
            orders.append(order)
        else:
            outcomes += [Outcome(row.line, "refused", None, order, _MISSING) for row in group]
    before = now()
    taken: list[Taken] = []
    for at in range(0, len(orders), service.AT_MOST):
        part = orders[at : at + service.AT_MOST]
        taken += await service.take(session, part, import_id=importing.id, dry=importing.dry)
    for group, one in zip(groups, taken, strict=True):
        column = _column(one.field)
        outcomes += [
            Outcome(row.line, one.outcome, one.order_id, column, one.reason) for row in group
        ]
    if not importing.dry:
        await _name_new_people(session, importing.id, groups, taken, before)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Shop:
    """Whose orders a file holds, where its lines do not say."""

    source: str
    prefix: str = ""
    """Stands before the customers' numbers, as it does in what the shop posts."""


async def _shop(session: WorkspaceSession, importing: Importing) -> _Shop:
    found = await shops.of_file(session, importing.source, importing.options.get("shop", ""))
    if found is None:
        return _Shop(importing.source or "csv")
    return _Shop(found.source, found.prefix)


_MISSING = _("Please fill this in.")


def _groups(rows: Iterable[ImportRow]) -> Iterable[list[ImportRow]]:
    group: list[ImportRow] = []
    for row in rows:
        if group and row.values["number"] != group[0].values["number"]:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _column(field: str) -> str:
    """Return the file's column of an order's field."""
    if field.startswith("lines."):
        return _LINE_FIELDS.get(field.rpartition(".")[2], "product")
    return _FIELDS.get(field, field)


def _order(group: Sequence[ImportRow], shop: _Shop) -> OrderIn | str:
    """Return the order that these lines tell, or the column that is missing."""
    said = group[0].values
    if len(group) > 1:
        # Most systems say it in the first line alone; some in another.
        missing = [name for name, value in said.items() if value is None and name not in _OF_LINE]
        if missing:
            said = dict(said)
        for name in missing:
            found = (row.values.get(name) for row in group)
            said[name] = next((value for value in found if value is not None), None)
    get = said.get
    if get("at") is None:
        return "at"
    status = get("status") or "paid"
    if get("cancelled_at") and status in ("paid", "open"):
        status = "cancelled"
    store = get("store") or get("store_name")
    refunded, customer = get("refunded"), get("customer")
    return OrderIn(
        source=get("source") or shop.source,
        number=said["number"],
        at=said["at"],
        keys=Keys(
            f"{shop.prefix}{customer}" if customer else "",
            get("email") or "",
            get("phone") or "",
            get("line_user_id") or "",
        ),
        status=status,
        currency=(get("currency") or "").upper(),
        amount=get("amount"),
        discount=abs(get("discount") or NOTHING) - (get("adjustment") or NOTHING),
        shipping=get("shipping") or NOTHING,
        refunds={"": refunded} if refunded else {},
        store=StoreIn(store[:100], get("store_name") or "") if store else None,
        lines=_lines(group),
        updated_at=get("updated_at"),
        subscription=get("subscription"),
    )


def _lines(group: Sequence[ImportRow]) -> list[LineIn]:
    lines: list[LineIn] = []
    for row in group:
        get = row.values.get
        name = get("product_name") or ""
        product = get("product") or get("product_id") or name[:100]
        if not product or get("line_kind") not in _PRODUCT_LINES:
            continue
        number: Decimal | None = get("quantity")
        quantity = _ONE if number is None else number
        amount: Decimal | None = get("line_amount")
        if amount is None:  # 0 is what a present costs
            amount = _worked_out(get("price"), quantity, get("line_discount"))
        lines.append(LineIn(product, name, quantity, amount, get("variant") or ""))
    return lines


def _worked_out(price: Decimal | None, quantity: Decimal, off: Decimal | None) -> Decimal:
    whole = (price or NOTHING) * quantity
    return whole - abs(off) if off else whole


# --- people who were not known before -------------------------------------------------------

_NEW_PEOPLE = text(
    """
    select id from contacts.contact
    where workspace_id = :workspace_id and id = any(cast(:contacts as uuid[]))
      and created_at >= :since and real_name is null
    """
)


async def _name_new_people(
    session: WorkspaceSession,
    import_id: UUID,
    groups: Sequence[Sequence[ImportRow]],
    taken: Sequence[Taken],
    since: datetime,
) -> None:
    """Give whom these orders brought their name, and note that they came by this import."""
    ids = {one.contact_id for one in taken if one.outcome == "new" and one.contact_id is not None}
    if not ids:
        return
    new = {row[0] for row in await run(session, _NEW_PEOPLE, contacts=list(ids), since=since)}
    changes: dict[UUID, states.Change] = {}
    for group, one in zip(groups, taken, strict=True):
        ident = one.contact_id
        if ident is not None and ident in new and ident not in changes:
            name = _name(group[0].values)
            changes[ident] = states.Change(ident, True, {}, {"real_name": name} if name else {})
    if changes:
        await states.write(session, list(changes.values()))
        await states.remember(session, import_id, list(changes.values()))


def _name(values: Mapping[str, Any]) -> str:
    whole = values.get("name") or " ".join(
        filter(None, (values.get("family_name"), values.get("given_name")))
    )
    return " ".join(whole.split())[:100]


# --- taking back ----------------------------------------------------------------------------


async def undo(session: WorkspaceSession, import_id: UUID, most: int) -> Undone:
    """Take back a part of an import of orders (`Importable.undo`).

    What a later version has changed is no longer this import's. Orders first; then the people
    who came by it, as far as nothing else is known of them.
    """
    undone = await undoing.undo(session, import_id, most)
    if not undone:
        # They are not counted: what is told is of orders.
        people = await states.undo(session, import_id, most)
        return Undone(more=bool(people.undone or people.kept))
    return Undone(undone=undone)


orders = Importable(
    name="orders",
    label=_("Orders and their lines"),
    icon="shopping-bag",
    hint=_(
        "Orders of the past, one line for each or one for each of its products. An order comes in"
        " once, and old ones start no rules."
    ),
    columns=columns,
    take=take,
    undo=undo,
    formats=(SHOPIFY, EC_CUBE, BASE),
    group="number",
    may_keep=False,
)
