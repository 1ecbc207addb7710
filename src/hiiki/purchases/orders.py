"""An order as it comes in, from whichever side: the API, a shop system's post, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, get_args
from uuid import UUID

from hiiki.contacts.identities import Keys
from hiiki.kit.i18n import Text, _
from hiiki.line.prices import price_list

Status = Literal["open", "paid", "cancelled", "returned", "partly_returned"]
STATUSES: tuple[str, ...] = get_args(Status)
Outcome = Literal["new", "changed", "same", "refused"]

MAX_KEY = 100
"""Characters of a number, a key, a code."""
MAX_NAME = 300
MAX_SOURCE = 40
MAX_LINES = 500
MAX_AMOUNT = Decimal(10) ** 12
MAX_QUANTITY = Decimal(10) ** 6
NOTHING = Decimal(0)
AHEAD = timedelta(days=1)
"""Clocks and time zones may be wrong by so much: what lies further ahead has not happened."""
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoreIn:
    """Where an order was placed."""

    code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class LineIn:
    """One line of an order; `amount` is that of the whole line, in the order's currency."""

    product: str
    name: str = ""
    quantity: Decimal = Decimal(1)
    amount: Decimal = NOTHING
    variant: str = ""


@dataclass(frozen=True, slots=True)
class OrderIn:
    """One version of an order. `(source, number)` says which order it is."""

    source: str
    number: str
    at: datetime
    """When it was placed."""
    keys: Keys
    """Whose it is; without any key it stays whose it was."""
    status: str = "paid"
    currency: str = ""
    """Three letters; "" for the currency in which this server reckons, the only one it takes."""
    amount: Decimal | None = None
    """What is paid in all; None: the lines' amounts, less the discount, with the shipping."""
    discount: Decimal = NOTHING
    shipping: Decimal = NOTHING
    refunds: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    """What went back of it: by the refund's id, or under "" for all in one."""
    store: StoreIn | None = None
    lines: Sequence[LineIn] = ()
    updated_at: datetime | None = None
    """When this version was made; None: it is the latest there is."""
    reference: str | None = None
    """The id by which the shop's system knows it inside, where that is not the number. None, here
    and in what follows: it does not say, so that what is known stays."""
    cart: str | None = None
    """The cart it was made of."""
    subscription: str | None = None
    """The subscription it is a delivery of."""
    name: str = ""
    """What it calls its person: whom it makes begins with that."""

    @property
    def total(self) -> Decimal:
        """What is paid in all."""
        if self.amount is not None:
            return self.amount
        return sum((line.amount for line in self.lines), NOTHING) - self.discount + self.shipping

    @property
    def refunded(self) -> Decimal:
        """What went back in all."""
        return sum(self.refunds.values(), NOTHING)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an order that came in."""

    outcome: Outcome
    order_id: UUID
    contact_id: UUID | None = None
    reason: Text | None = None
    """Why it was refused."""
    field: str = ""
    """Which part of the order is at fault, such as `lines.0.amount`."""


def currency() -> str:
    """Return the currency in which this server reckons (`HIIKI_LINE_PRICES`)."""
    return price_list().currency


def derived(workspace_id: UUID, what: str, key: str) -> UUID:
    """Return the id of a thing by what the shop calls it.

    Its last 16 bits are 0: what happens with it has ids that differ in these alone
    (`event_id`), so that a repeat finds its own events again.
    """
    said = f"{what}:{key}".encode("utf-8", "replace")
    found = blake2b(said, digest_size=14, key=workspace_id.bytes).digest()
    return UUID(int=int.from_bytes(found) << 16)


def order_id(workspace_id: UUID, source: str, number: str) -> UUID:
    """Return the id of the order that `source` calls `number`."""
    return derived(workspace_id, "order", f"{source}:{number}")


def event_id(ident: UUID, n: int) -> UUID:
    """Return the id of the `n`th event (from 0 to 65535) of a thing with a derived id."""
    if n == 0:
        return ident
    return UUID(int=ident.int + n)


def digest(order: OrderIn) -> str:
    """Return what tells two versions of an order apart, whatever their moments."""
    store = order.store
    said: list[Any] = [
        order.at.timestamp(),
        order.status,
        _plain(order.total),
        _plain(order.discount),
        _plain(order.shipping),
        sorted((key, _plain(value)) for key, value in order.refunds.items()),
        store.code if store else "",
        order.reference or "",
        order.cart or "",
        order.subscription or "",
    ]
    for line in order.lines:
        said += (
            line.product, line.name, _plain(line.quantity), _plain(line.amount), line.variant
        )  # fmt: skip
    return blake2b(repr(said).encode("utf-8", "replace"), digest_size=9).hexdigest()


@lru_cache(maxsize=4096)
def _plain(value: Decimal) -> str:
    # 100, 100.0 and 100.00 are the same amount.
    return str(value.normalize()) if value else "0"


def too_far(moment: datetime, present: datetime) -> Text | None:
    """Return what is wrong with the moment of something that has happened; None for a good one."""
    if moment > present + AHEAD:
        # It would be the latest for ever: nothing could change it, nor anybody be long gone.
        return _("This lies in the future.")
    return _("This is too long ago.") if moment < EARLIEST else None


def fault(order: OrderIn, present: datetime) -> tuple[str, Text] | None:
    """Return the first thing that is wrong with an order, and its field; None for a good one."""
    for path, moment in (("at", order.at), ("updated_at", order.updated_at)):
        if moment is not None and (found := too_far(moment, present)) is not None:
            return path, found
    if (currency_ := order.currency) and currency_ != currency():
        return "currency", _(
            "Amounts are reckoned in %(own)s here. Please send this order's amounts in it.",
            own=currency(),
        )
    if order.status not in STATUSES:
        return "status", _("Please choose one of: %(expected)s.", expected=", ".join(STATUSES))
    amounts = [("amount", order.total), ("discount", order.discount), ("shipping", order.shipping)]
    if order.refunds:
        amounts.append(("refunds", order.refunded))
    if len(order.lines) > MAX_LINES:
        return "lines", _("Please give at most %(max_length)s.", max_length=MAX_LINES)
    if (text := _order_text_fault(order)) is not None:
        return text
    for path, amount in amounts:
        if not _is_within(amount, MAX_AMOUNT):
            return path, _("This amount is too large.")
    if order.refunds and not NOTHING <= order.refunded <= max(order.total, NOTHING):
        return "refunds", _("No more can go back than was paid.")
    return _line_fault(order)


def _order_text_fault(order: OrderIn) -> tuple[str, Text] | None:
    texts = [
        ("source", order.source, MAX_SOURCE, True),
        ("number", order.number, MAX_KEY, True),
        ("reference", order.reference or "", MAX_KEY, False),
        ("cart", order.cart or "", MAX_KEY, False),
        ("subscription", order.subscription or "", MAX_KEY, False),
    ]
    if order.store is not None:
        texts += [
            ("store.code", order.store.code, MAX_KEY, True),
            ("store.name", order.store.name, MAX_NAME, False),
        ]
    for path, text, most, is_needed in texts:
        if text or is_needed:
            found = _text_fault(text, most, is_needed=is_needed)
            if found is not None:
                return path, found
    return None


def _is_within(value: Decimal, most: Decimal) -> bool:
    return value.is_finite() and -most <= value <= most


def _line_fault(order: OrderIn) -> tuple[str, Text] | None:
    for n, line in enumerate(order.lines):
        # Nearly every line is right, so all its texts are looked at in one go.
        if not _is_right(line):
            found = (
                _text_fault(line.product, MAX_KEY, is_needed=True)
                or _text_fault(line.name, MAX_NAME, is_needed=False)
                or _text_fault(line.variant, MAX_NAME, is_needed=False)
            )
            if found is not None:
                return f"lines.{n}", found
        if not _is_within(line.amount, MAX_AMOUNT):
            return f"lines.{n}.amount", _("This amount is too large.")
        if not _is_within(line.quantity, MAX_QUANTITY):
            return f"lines.{n}.quantity", _("This quantity is too large.")
    return None


def _is_right(line: LineIn) -> bool:
    product, name, variant = line.product, line.name, line.variant
    if not 0 < len(product) <= MAX_KEY or len(name) > MAX_NAME or len(variant) > MAX_NAME:
        return False
    return not product.isspace() and _is_keepable(product + name + variant)


def _is_keepable(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 have a place for it."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text_fault(text: str, most: int, *, is_needed: bool) -> Text | None:
    if is_needed and not text.strip():
        return _("Please fill this in.")
    if len(text) > most:
        return _("Please shorten this to %(max_length)s characters.", max_length=most)
    if not _is_keepable(text):
        return _("This holds a character that cannot be kept.")
    return None
