"""What programs and shop systems send about purchases, and what they get."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import (
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
from hiiki.kit.forms import Wrong, explain
from hiiki.kit.i18n import Text
from hiiki.purchases.carts import CartIn
from hiiki.purchases.models import Cart, Customer, Order, Product, Store, Subscription
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
)
from hiiki.purchases.subscriptions import MAX_TIMES, SubscriptionIn

MAX_ORDERS = 1_000
MAX_URL = 1_000


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
Quantity = Annotated[Decimal, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, decimal_places=4)]
Address = Annotated[
    str, Field(max_length=MAX_URL), BeforeValidator(_keepable), BeforeValidator(_address)
]


class Given(BaseModel):
    """What comes from outside: unknown names are said to be unknown."""

    model_config = ConfigDict(extra="forbid")


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

    source: Annotated[NeededKey, Field(max_length=MAX_SOURCE)] = "api"
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
    reference: Key = ""
    """The id by which the shop's system knows it inside, where that is not the number."""
    cart: Key = ""
    """The cart it was made of, which ends with it."""
    subscription: Key = ""
    """The subscription it is a delivery of."""

    def order(self, prefix: str = "") -> OrderIn:
        """Return it as the one road takes it."""
        return OrderIn(
            source=self.source,
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


class Fault(BaseModel):
    """What is wrong, and where."""

    path: str
    message: str


class OrderTaken(BaseModel):
    """What became of one order."""

    status: Literal["new", "changed", "same", "refused"]
    number: str
    id: UUID | None
    contact_id: UUID | None
    errors: list[Fault]


class OrdersTaken(BaseModel):
    """What became of each order, in their order."""

    new: int
    changed: int
    same: int
    refused: int
    results: list[OrderTaken]


class LineOut(BaseModel):
    """One line of an order."""

    model_config = ConfigDict(from_attributes=True)

    product: str
    name: str
    variant: str
    quantity: Decimal
    amount: Decimal


class OrderOut(BaseModel):
    """An order as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    contact_id: UUID
    source: str
    number: str
    reference: str
    at: datetime
    status: str
    currency: str
    amount: Decimal
    discount: Decimal
    shipping: Decimal
    refunded: Decimal
    store: str
    cart: str
    subscription: str
    updated_at: datetime
    received_at: datetime


class OrderWithLines(OrderOut):
    """An order with its lines."""

    lines: list[LineOut]

    @classmethod
    def of(cls, order: Order, lines: list[Any]) -> OrderWithLines:
        """Return `order` as the API shows it."""
        plain = OrderOut.model_validate(order).model_dump()
        return cls(**plain, lines=[LineOut.model_validate(line) for line in lines])


class OrderPage(BaseModel):
    """Orders, the latest first; `next` is the `before` of the next page."""

    items: list[OrderOut]
    next: str | None


class ProductOut(BaseModel):
    """Something that is sold; `sold` and `revenue` are of orders that count."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    key: str
    name: str
    sold: Decimal
    revenue: Decimal


class ProductPage(BaseModel):
    """Products, those that brought in most first; `next` is the `after` of the next page."""

    items: list[ProductOut]
    next: UUID | None


class NameBody(Given):
    """What a product or a store is called."""

    name: Annotated[Line, Field(min_length=1, max_length=MAX_NAME), BeforeValidator(_keepable)]


class StoreOut(BaseModel):
    """Where something is sold."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    orders: int
    revenue: Decimal


class StoreList(BaseModel):
    """The stores, those that brought in most first."""

    items: list[StoreOut]


class CartBody(Given):
    """A cart as it stands now."""

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
    at: AwareDatetime | None = None
    """When it changed; without it, now."""

    def cart(self, prefix: str = "") -> CartIn:
        """Return it as the room takes it."""
        return CartIn(
            key=self.key,
            keys=self.customer.keys(prefix),
            amount=self.amount or sum((line.amount for line in self.items), NOTHING),
            items=[line.model_dump(mode="json") for line in self.items],
            url=self.url,
            status=self.status,
            at=self.at,
        )


class CartOut(BaseModel):
    """A cart as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    contact_id: UUID
    key: str
    status: str
    amount: Decimal
    items: list[dict[str, Any]]
    url: str
    opened_at: datetime
    touched_at: datetime
    left_at: datetime | None
    order_id: UUID | None

    @classmethod
    def of(cls, cart: Cart) -> CartOut:
        """Return `cart` as the API shows it."""
        return cls.model_validate(cart)


class CartPage(BaseModel):
    """Carts, those that changed last first; `next` is the `before` of the next page."""

    items: list[CartOut]
    next: str | None


class SubscriptionBody(Given):
    """A subscription as it stands now; what is left out stays as it is."""

    key: NeededKey
    customer: CustomerBody = Field(default_factory=CustomerBody)
    product: Key | None = None
    status: Literal["active", "paused", "ended"] = "active"
    times: Annotated[int, Field(ge=1, le=MAX_TIMES)] | None = None
    """The deliveries so far: 1 is the first."""
    started_at: AwareDatetime | None = None
    renewed_at: AwareDatetime | None = None
    """When the latest of them was."""
    next_at: AwareDatetime | None = None

    def subscription(self, prefix: str = "") -> SubscriptionIn:
        """Return it as the room takes it."""
        return SubscriptionIn(
            key=self.key,
            keys=self.customer.keys(prefix),
            product=self.product,
            status=self.status,
            times=self.times,
            started_at=self.started_at,
            renewed_at=self.renewed_at,
            next_at=self.next_at,
        )


class SubscriptionOut(BaseModel):
    """A subscription as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    contact_id: UUID
    key: str
    product: str
    status: str
    times: int
    started_at: datetime
    renewed_at: datetime
    next_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, subscription: Subscription) -> SubscriptionOut:
        """Return `subscription` as the API shows it."""
        return cls.model_validate(subscription)


class SubscriptionPage(BaseModel):
    """Subscriptions, the latest begun first; `next` is the `before` of the next page."""

    items: list[SubscriptionOut]
    next: str | None


class Reached(BaseModel):
    """How many subscriptions came to their nth delivery, of those that could have by now."""

    time: int
    reached: int
    of: int


class Continuation(BaseModel):
    """The KPI of continuation."""

    items: list[Reached]


class CustomerOut(BaseModel):
    """What one person has bought in all: only orders that count."""

    model_config = ConfigDict(from_attributes=True)

    orders: int = 0
    spent: Decimal = NOTHING
    average: Decimal | None = None
    items: Decimal = NOTHING
    days: int = 0
    gap_days: Decimal | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    continued: int = 0

    @classmethod
    def of(cls, customer: Customer | None, continued: int) -> CustomerOut:
        """Return what somebody has bought; without a row, nothing."""
        found = cls.model_validate(customer) if customer is not None else cls()
        return found.model_copy(update={"continued": continued})


def product_out(product: Product) -> ProductOut:
    """Return `product` as the API shows it."""
    return ProductOut.model_validate(product)


def store_out(store: Store) -> StoreOut:
    """Return `store` as the API shows it."""
    return StoreOut.model_validate(store)


class SettingBody(Given):
    """What a workspace decides of its purchases, in whole hours."""

    fresh_hours: Annotated[int, Field(ge=1, le=720)]
    """An order older than this starts no rules."""
    cart_hours: Annotated[int, Field(ge=1, le=168)]
    """A cart that has not changed for so long counts as left."""
