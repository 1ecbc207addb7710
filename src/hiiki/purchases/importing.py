"""Orders from a file, and taking them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts import imported, states
from hiiki.contacts.identities import Keys, among
from hiiki.contacts.models import Contact, Imported
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.importable import (
    Ask,
    Column,
    Fault,
    Importable,
    Importing,
    ImportRow,
    Outcome,
    Undone,
)
from hiiki.purchases import service, shops, undoing
from hiiki.purchases.order_columns import BASE, COLUMNS, EC_CUBE, SHOPIFY
from hiiki.purchases.orders import NOTHING, LineIn, OrderIn, StoreIn, Taken

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


@dataclass(frozen=True, slots=True)
class _Made:
    """Orders of some lines, as far as they can be told without a database."""

    groups: Sequence[Sequence[int]]
    """Of each order, its lines' numbers."""
    orders: Sequence[OrderIn]
    refused: Sequence[Outcome]


async def ready(
    session: WorkspaceSession, importing: Importing
) -> Callable[[Sequence[ImportRow]], _Made]:
    """Return what reads lines of orders (`Importable.ready`); those of one stand together."""
    shop = await _shop(session, importing)

    def made(rows: Sequence[ImportRow]) -> _Made:
        groups: list[Sequence[int]] = []
        orders: list[OrderIn] = []
        refused: list[Outcome] = []
        for group in _groups(rows):
            order = _order(group, shop)
            lines = [row.line for row in group]
            if isinstance(order, OrderIn):
                groups.append(lines)
                orders.append(order)
            else:
                faults = [Fault(order, _MISSING)]
                refused += [Outcome(line, "refused", faults=faults) for line in lines]
        return _Made(groups, orders, refused)

    return made


async def take(session: WorkspaceSession, importing: Importing, made: _Made) -> Sequence[Outcome]:
    """Take lines of orders (`Importable.take`)."""
    outcomes, orders = list(made.refused), made.orders
    brought = service.Brought()
    taken: list[Taken] = []
    for at in range(0, len(orders), service.AT_MOST):
        part = orders[at : at + service.AT_MOST]
        taken += await service.take(
            session, part, import_id=importing.id, dry=importing.dry, brought=brought
        )
    for lines, one in zip(made.groups, taken, strict=True):
        faults = [Fault(_column(one.field), one.reason)] if one.reason is not None else []
        outcomes += [Outcome(line, one.outcome, one.order_id, faults) for line in lines]
    if not importing.dry:
        await _note_new_people(session, importing.id, brought)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Shop:
    """Whose orders a file holds, where its lines do not say."""

    source: str
    prefix: str = ""
    """Stands before the customers' numbers, as it does in what the shop posts."""


async def _shop(session: WorkspaceSession, importing: Importing) -> _Shop:
    chosen = importing.options.get("shop", "")
    found = await shops.of_file(session, importing.source, chosen)
    if found is not None:
        return _Shop(found.source, found.prefix)
    # A system's own name may be the word of a shop that is connected, and was not chosen.
    return _Shop("file" if chosen else importing.source or "csv")


async def asks(session: WorkspaceSession, source: str) -> Sequence[Ask]:
    """Return what is to be chosen for a file of orders (`Importable.asks`): whose they are."""
    connected = await shops.all_connections(session)
    if not connected:
        return ()
    likely = await shops.of_file(session, source)
    choices = [(one.source, f"{one.name} ({one.source})") for one in connected]
    choices.insert(0, (shops.NONE, str(_("No connected shop"))))
    choices.sort(key=lambda each: likely is None or each[0] != likely.source)
    return [
        Ask(
            "shop",
            _("Whose orders these are"),
            choices,
            _("An order that this shop has posted already is then the same order."),
        )
    ]


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
        name=_name(said),
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


async def _note_new_people(
    session: WorkspaceSession, import_id: UUID, brought: service.Brought
) -> None:
    """Note what the import made of people whom its orders brought: who has nothing else when it is
    taken back goes with it."""
    made: dict[UUID, states.State] = {}
    if brought.made:
        columns = (Contact.id, Contact.real_name, Contact.email, Contact.phone)
        rows = await session.execute(select(*columns).where(among(Contact.id, brought.made)))
        for ident, name, email, phone in rows:
            made[ident] = {"real_name": name, "email": email, "phone": phone}
    later: dict[UUID, states.State] = {}
    for key, ident in brought.noted.items():
        its = made.get(ident)
        (later.setdefault(ident, {}) if its is None else its).update(imported.named([key]))
    await imported.begin(session, import_id, made)
    if later:
        rows = await session.scalars(
            select(Imported.contact_id).where(
                Imported.import_id == import_id,
                Imported.is_new,
                among(Imported.contact_id, later),
            )
        )
        changes = [states.Change(ident, True, {}, later[ident]) for ident in rows]
        await imported.remember(session, import_id, changes)


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
        people = await imported.undo(session, import_id, most)
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
    ready=ready,
    take=take,
    undo=undo,
    asks=asks,
    formats=(SHOPIFY, EC_CUBE, BASE),
    group="number",
    may_keep=False,
)
