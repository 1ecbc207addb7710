"""What was bought, what nearly was, and what is bought again and again.

All that grows with people has `contact_id` in its keys, and none is looked up row by row:
an order's id is derived from what the shop's system calls it, so that it comes in once.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned, OwnedInBulk
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7

SCHEMA = {"schema": "purchases"}
COUNTED = ("paid", "partly_returned")
"""The states of an order that make it a purchase."""


class Order(Base, OwnedInBulk):
    """One order as it stands now. Its id is derived (`hiiki.purchases.orders.order_id`)."""

    __tablename__ = "order"
    __table_args__ = (
        CheckConstraint(
            "status in ('open', 'paid', 'cancelled', 'returned', 'partly_returned')", name="status"
        ),
        Index(None, "workspace_id", "id"),
        Index(None, "workspace_id", "at", "id"),
        Index(None, "workspace_id", "number"),
        Index(None, "workspace_id", "store", "at", postgresql_where=text("store <> ''")),
        Index(None, "workspace_id", "reference", postgresql_where=text("reference <> ''")),
        Index(None, "workspace_id", "contact_id", postgresql_where=text("owners is not null")),
        Index(None, "import_id", "contact_id", postgresql_where=text("import_id is not null")),
        SCHEMA,
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    """Whose numbers it is counted by: a connection's word (`Connection.source`), api, csv, …"""
    number: Mapped[str]
    """What the shop and its customer call it; unique within its source."""
    reference: Mapped[str] = mapped_column(default="")
    """What the shop's system calls it inside, where that is something else."""
    at: Mapped[datetime]
    status: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[Decimal]
    """What the customer pays in all: lines less discount, with shipping."""
    discount: Mapped[Decimal] = mapped_column(default=Decimal(0))
    shipping: Mapped[Decimal] = mapped_column(default=Decimal(0))
    refunds: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What went back to the customer: by the refund's id, the amount as a string."""
    refunded: Mapped[Decimal] = mapped_column(default=Decimal(0))
    """The sum of `refunds`."""
    items: Mapped[Decimal] = mapped_column(default=Decimal(0))
    """The sum of its lines' quantities."""
    lines: Mapped[int] = mapped_column(default=0)
    store: Mapped[str] = mapped_column(default="")
    """The code of the store where it was bought; "" for none."""
    cart: Mapped[str] = mapped_column(default="")
    subscription: Mapped[str] = mapped_column(default="")
    """The key of the subscription it is a delivery of; "" for none."""
    digest: Mapped[str]
    """Of all that is said of it, so that a repeat is known for one."""
    updated_at: Mapped[datetime]
    """When this version was made in the shop's system."""
    received_at: Mapped[datetime] = mapped_column(default=now)
    import_id: Mapped[UUID | None]
    """The import that this version came by."""
    previous: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    """The versions before, the oldest first, where imports changed it: to undo that."""
    owners: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid(as_uuid=True)))
    """Whose it was in `previous`, where that is somebody else."""


class OrderLine(Base, OwnedInBulk):
    """One line of an order."""

    __tablename__ = "order_line"
    __table_args__ = (Index(None, "workspace_id", "product", "contact_id"), SCHEMA)

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    product: Mapped[str]
    """The product's key."""
    name: Mapped[str] = mapped_column(default="")
    """As it was called when it was bought."""
    variant: Mapped[str] = mapped_column(default="")
    quantity: Mapped[Decimal]
    amount: Mapped[Decimal]
    """Of the whole line."""


class Customer(Base, OwnedInBulk):
    """What one person has bought in all: only orders that count. Nobody without one has a row."""

    __tablename__ = "customer"
    __table_args__ = (Index(None, "workspace_id", "spent", "contact_id"), SCHEMA)

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    orders: Mapped[int]
    spent: Mapped[Decimal]
    """What was paid, less what went back."""
    average: Mapped[Decimal]
    """An order's amount on average."""
    items: Mapped[Decimal]
    days: Mapped[int]
    """On how many days something was bought, in the workspace's time zone."""
    gap_days: Mapped[Decimal | None]
    """Days from one order to the next, on average; NULL with a single order."""
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    is_marked: Mapped[bool] = mapped_column(default=False)
    """Whether it was their orders that made them a purchaser (`Contact.is_purchaser`): then it
    ends with the orders. What staff or a list of members say stays."""


class Product(Base, Identified, Owned):
    """Something that is sold. `key` is what the shop's system calls it (a SKU, a code)."""

    __tablename__ = "product"
    __table_args__ = (
        Index("uq_product_key", "workspace_id", "key", unique=True),
        Index(None, "workspace_id", "revenue", "id"),
        SCHEMA,
    )

    key: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    sold: Mapped[Decimal] = mapped_column(default=Decimal(0))
    """How many, in orders that count."""
    revenue: Mapped[Decimal] = mapped_column(default=Decimal(0))
    """Its lines' amounts together."""


class Store(Base, Identified, Owned):
    """Where something is sold: a shop, a site."""

    __tablename__ = "store"
    __table_args__ = (Index("uq_store_code", "workspace_id", "code", unique=True), SCHEMA)

    code: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    orders: Mapped[int] = mapped_column(default=0)
    """Orders that count."""
    revenue: Mapped[Decimal] = mapped_column(default=Decimal(0))


class Day(Base, Owned):
    """What was bought on one day, in the time zone of `Reckoning`: orders that count."""

    __tablename__ = "day"
    __table_args__ = (SCHEMA,)

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    orders: Mapped[int] = mapped_column(default=0)
    revenue: Mapped[Decimal] = mapped_column(default=Decimal(0))


class Reckoning(Base, Owned):
    """In which time zone the days of a workspace's sales are reckoned.

    It follows the workspace's own within the hour, and all days are counted anew: what an order
    added to a day in one zone would else be taken off another day in the next.
    """

    __tablename__ = "reckoning"
    __table_args__ = (SCHEMA,)

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    zone: Mapped[str]


class TakenBack(Base, Owned):
    """An import that was undone: its versions of orders come back no more."""

    __tablename__ = "taken_back"
    __table_args__ = (SCHEMA,)

    import_id: Mapped[UUID] = mapped_column(primary_key=True)


class Cart(Base, OwnedInBulk):
    """What somebody has put into a cart. Its id is derived from what the shop calls it."""

    __tablename__ = "cart"
    __table_args__ = (
        CheckConstraint("status in ('open', 'left', 'bought', 'emptied')", name="status"),
        Index(None, "workspace_id", "id"),
        Index(None, "workspace_id", "status", "touched_at", "id"),
        SCHEMA,
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    """As `Order.source`: an order's cart is one of the same source."""
    key: Mapped[str]
    status: Mapped[str]
    amount: Mapped[Decimal]
    items: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Its lines: product, name, quantity, amount."""
    url: Mapped[str] = mapped_column(default="")
    """Where the customer finds it again."""
    opened_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    """When it last changed."""
    left_at: Mapped[datetime | None]
    order_id: Mapped[UUID | None]


class Subscription(Base, OwnedInBulk):
    """What is delivered to somebody again and again (requirement B10)."""

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("status in ('active', 'paused', 'ended')", name="status"),
        Index(None, "workspace_id", "id"),
        Index(None, "workspace_id", "status", "started_at", "id"),
        SCHEMA,
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    """As `Order.source`: its deliveries are orders of the same source."""
    key: Mapped[str]
    product: Mapped[str] = mapped_column(default="")
    status: Mapped[str]
    times: Mapped[int]
    """The deliveries so far: 1 is the first, 2 that it has been continued once."""
    told: Mapped[int] = mapped_column(default=0)
    """The deliveries that the shop's system said there were; orders may be more, or fewer."""
    started_at: Mapped[datetime]
    renewed_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Subscriber(Base, OwnedInBulk):
    """How far one person's subscriptions have come."""

    __tablename__ = "subscriber"
    __table_args__ = (SCHEMA,)

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    continued: Mapped[int]
    """The `times` of the subscription that has come furthest, of those that run if any does."""
    active: Mapped[int]
    """How many run."""


class Connection(Base, Identified, Owned):
    """A shop system that posts its orders to an address of its own."""

    __tablename__ = "connection"
    __table_args__ = (
        CheckConstraint("kind in ('shopify', 'json')", name="kind"),
        Index("uq_connection_key", "key", unique=True),
        Index("uq_connection_source", "workspace_id", "source", unique=True),
        SCHEMA,
    )

    name: Mapped[str]
    kind: Mapped[str]
    key: Mapped[str]
    """The last part of its address."""
    source: Mapped[str]
    """The word under which its orders stand, so that the #1001 of two shops are two orders."""
    sealed_secret: Mapped[bytes]
    prefix: Mapped[str] = mapped_column(default="")
    """Stands before its customers' numbers, where two systems count alike."""
    is_active: Mapped[bool] = mapped_column(default=True)
    last_at: Mapped[datetime | None]
    """When it last posted something."""


class Post(Base, Owned):
    """What a shop system posted, kept before it was answered."""

    __tablename__ = "post"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'failed', 'done', 'dismissed')", name="state"),
        Index("uq_post_once", "connection_id", "once", unique=True),
        Index(None, "due_at", "id", postgresql_where=text("state = 'waiting'")),
        Index(None, "workspace_id", "state", "id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    connection_id: Mapped[UUID] = mapped_column(
        ForeignKey("purchases.connection.id", ondelete="CASCADE")
    )
    once: Mapped[str]
    """What the sender calls it, or a digest of it: a repeat is kept once."""
    topic: Mapped[str] = mapped_column(default="")
    body: Mapped[bytes]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    error: Mapped[str] = mapped_column(default="")
    """Why it could not be handled, in English (`hiiki.kit.i18n.Text`)."""
    faults: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """What of it was refused, and why; the body then holds that alone. See `posts.Fault`."""
    received_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]


class Setting(Base, Owned):
    """What a workspace decides of its purchases; without a row the defaults hold."""

    __tablename__ = "setting"
    __table_args__ = (SCHEMA,)

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    fresh_hours: Mapped[int] = mapped_column(default=24)
    """An order older than this starts no rules."""
    cart_hours: Mapped[int] = mapped_column(default=3)
    """A cart that has not changed for so long counts as left."""
