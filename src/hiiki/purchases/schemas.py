"""What programs and shop systems send about purchases, and what they get."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from hiiki.contacts.identities import Keys
from hiiki.contacts.schemas import Line
from hiiki.kit.clock import now
from hiiki.kit.forms import Wrong, explain
from hiiki.kit.i18n import Text
from hiiki.purchases.carts import CartIn
from hiiki.purchases.orders import (
    MAX_AMOUNT,
    MAX_KEY,
    MAX_LINES,
    MAX_NAME,
    MAX_QUANTITY,
    MAX_SOURCE,
    NOTHING,
    LineIn,
    OrderIn,
    Status,
    StoreIn,
    too_far,
)
from hiiki.purchases.subscriptions import MAX_TIMES, SubscriptionIn

MAX_ORDERS = 1_000
MAX_URL = 1_000
API = "api"
"""Whose numbers it is counted by, where nothing is said."""


def _keepable(value: Any) -> Any:
    # What PostgreSQL and UTF-8 have no place for.
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise Wrong("This holds a character that cannot be kept.")
    return value


def _address(value: Any) -> Any:
    if isinstance(value, str) and value and not value.startswith(("https://", "http://")):
        raise Wrong("Please enter an address that begins with https://.")
    return value


Key = Annotated[Line, Field(max_length=MAX_KEY), BeforeValidator(_keepable)]
NeededKey = Annotated[Line, Field(min_length=1, max_length=MAX_KEY), BeforeValidator(_keepable)]
Name = Annotated[Line, Field(max_length=MAX_NAME), BeforeValidator(_keepable)]
Amount = Annotated[Decimal, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT, max_digits=16, decimal_places=4)]
Word = Annotated[NeededKey, Field(max_length=MAX_SOURCE)]


def _happened(value: datetime) -> datetime:
    if (found := too_far(value, now())) is not None:
        raise Wrong(found.english)
    return value


Past = Annotated[AwareDatetime, AfterValidator(_happened)]
"""A moment that is not more than a day ahead: what is posted has happened."""
Quantity = Annotated[Decimal, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, decimal_places=4)]
Address = Annotated[
    str, Field(max_length=MAX_URL), BeforeValidator(_keepable), BeforeValidator(_address)
]


class Given(BaseModel):
    """What comes from outside: unknown names are said to be unknown."""

    model_config = ConfigDict(extra="forbid")


def within(shop: str, source: str | None) -> str:
    """Return whose numbers something is counted by.

    A shop's own posts stay within its word, whatever they say: one shop changes none of another's.
    """
    if not shop:
        return source or API
    return shop if source in (None, shop) else f"{shop}/{source}"


class CustomerBody(Given):
    """By what the shop's own systems know a person; one of them is enough."""

    number: Key = ""
    """The shop's own number of the customer."""
    email: Key = ""
    phone: Key = ""
    line_user_id: Key = ""

    def keys(self, prefix: str = "") -> Keys:
        """Return them as *contacts* takes them; `prefix` stands before the number."""
        number = f"{prefix}{self.number}" if self.number else ""
        return Keys(number, self.email, self.phone, self.line_user_id)


class StoreBody(Given):
    """Where an order was placed."""

    code: NeededKey
    name: Name = ""


class LineBody(Given):
    """One line of an order, or of a cart. `amount` is that of the whole line."""

    product: NeededKey
    """The product's key: its SKU or code."""
    name: Name = ""
    quantity: Quantity = Decimal(1)
    amount: Amount = NOTHING
    variant: Name = ""


class OrderBody(Given):
    """One version of an order; `source` and `number` say which order it is."""

    source: Word | None = None
    """Whose numbers it is counted by; without it the connection's word, or `api`."""
    number: NeededKey
    at: AwareDatetime
    """When it was placed."""
    updated_at: AwareDatetime | None = None
    """When this version was made: of two versions the later holds. Without it, this one does."""
    customer: CustomerBody = Field(default_factory=CustomerBody)
    """Whose it is. An order that is known already may leave it out."""
    status: Status = "paid"
    """paid and partly_returned count as purchases."""
    currency: Annotated[str, Field(max_length=3)] = ""
    amount: Amount | None = None
    """What is paid in all; without it the lines' amounts, less the discount, with the shipping."""
    discount: Amount = NOTHING
    shipping: Amount = NOTHING
    refunded: Annotated[Amount, Field(ge=0)] = NOTHING
    """What went back of the amount."""
    store: StoreBody | None = None
    lines: Annotated[list[LineBody], Field(max_length=MAX_LINES)] = Field(
        default_factory=list[LineBody]
    )
    reference: Key | None = None
    """The id by which the shop's system knows it inside, where that is not the number. Left out,
    here and below, it stays as it is."""
    cart: Key | None = None
    """The cart it was made of, which ends with it. One of the same `source`."""
    subscription: Key | None = None
    """The subscription it is a delivery of. One of the same `source`."""

    def order(self, shop: str = "", prefix: str = "") -> OrderIn:
        """Return it as the one road takes it; `shop` is the word of the shop that posted it."""
        return OrderIn(
            source=within(shop, self.source),
            number=self.number,
            at=self.at,
            keys=self.customer.keys(prefix),
            status=self.status,
            currency=self.currency,
            amount=self.amount,
            discount=self.discount,
            shipping=self.shipping,
            refunds={"": self.refunded} if self.refunded else {},
            store=StoreIn(self.store.code, self.store.name) if self.store else None,
            lines=[LineIn(**line.model_dump()) for line in self.lines],
            updated_at=self.updated_at,
            reference=self.reference,
            cart=self.cart,
            subscription=self.subscription,
        )


class Unread:
    """An order that could not be read, with what is wrong at which field."""

    def __init__(self, faults: dict[str, Text]) -> None:
        """Take the faults by their fields."""
        self.faults = faults


def _each_by_itself(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    # One order that cannot be read is no reason to lose the nine hundred others.
    try:
        return handler(value)
    except ValidationError as error:
        return Unread(explain(error))


class OrdersBody(Given):
    """Orders; each is judged by itself."""

    orders: Annotated[
        list[Annotated[OrderBody, WrapValidator(_each_by_itself)]],
        Field(min_length=1, max_length=MAX_ORDERS),
    ]

    def read(self) -> list[OrderBody | Unread]:
        """Return each order, or what is wrong with it."""
        return cast("list[OrderBody | Unread]", list(self.orders))


class NameBody(Given):
    """What a product or a store is called."""

    name: Annotated[Line, Field(min_length=1, max_length=MAX_NAME), BeforeValidator(_keepable)]


class CartBody(Given):
    """A cart as it stands now."""

    source: Word | None = None
    """Whose carts it is counted by, as an order's; that of the order it will become."""
    key: NeededKey
    """What the shop's system calls it."""
    customer: CustomerBody = Field(default_factory=CustomerBody)
    """Whose it is. A cart that is known already may leave it out."""
    status: Literal["open", "left", "emptied"] = "open"
    amount: Annotated[Amount, Field(ge=0)] = NOTHING
    items: Annotated[list[LineBody], Field(max_length=MAX_LINES)] = Field(
        default_factory=list[LineBody]
    )
    url: Address = ""
    """Where the customer finds it again."""
    at: Past | None = None
    """When it changed; without it, now."""

    def cart(self, shop: str = "", prefix: str = "") -> CartIn:
        """Return it as the room takes it; `shop` as in `OrderBody.order`."""
        return CartIn(
            source=within(shop, self.source),
            key=self.key,
            keys=self.customer.keys(prefix),
            amount=self.amount or sum((line.amount for line in self.items), NOTHING),
            items=[line.model_dump(mode="json") for line in self.items],
            url=self.url,
            status=self.status,
            at=self.at,
        )


class SubscriptionBody(Given):
    """A subscription as it stands now; what is left out stays as it is."""

    source: Word | None = None
    """Whose subscriptions it is counted by: the `source` of the orders that deliver it."""
    key: NeededKey
    customer: CustomerBody = Field(default_factory=CustomerBody)
    product: Key | None = None
    status: Literal["active", "paused", "ended"] = "active"
    times: Annotated[int, Field(ge=1, le=MAX_TIMES)] | None = None
    """The deliveries so far: 1 is the first."""
    started_at: Past | None = None
    renewed_at: Past | None = None
    """When the latest of them was."""
    next_at: AwareDatetime | None = None

    def subscription(self, shop: str = "", prefix: str = "") -> SubscriptionIn:
        """Return it as the room takes it; `shop` as in `OrderBody.order`."""
        return SubscriptionIn(
            source=within(shop, self.source),
            key=self.key,
            keys=self.customer.keys(prefix),
            product=self.product,
            status=self.status,
            times=self.times,
            started_at=self.started_at,
            renewed_at=self.renewed_at,
            next_at=self.next_at,
        )


class SettingBody(Given):
    """What a workspace decides of its purchases, in whole hours."""

    fresh_hours: Annotated[int, Field(ge=1, le=720)]
    """An order older than this starts no rules."""
    cart_hours: Annotated[int, Field(ge=1, le=168)]
    """A cart that has not changed for so long counts as left."""
