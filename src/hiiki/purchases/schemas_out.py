"""What programs get told about purchases."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from hiiki.purchases.models import Cart, Customer, Order, Product, Store, Subscription
from hiiki.purchases.orders import NOTHING


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


class CartOut(BaseModel):
    """A cart as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    contact_id: UUID
    source: str
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


class SubscriptionOut(BaseModel):
    """A subscription as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    contact_id: UUID
    source: str
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
