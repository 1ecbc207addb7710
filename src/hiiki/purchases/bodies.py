"""What is in a body that a shop's system posted: taken part by part.

What can be taken comes in; what cannot is told part by part, so that one bad order of a thousand
keeps none of the others out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, cast

import orjson
from sqlalchemy import select

from hiiki.contacts.identities import Keys
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import HiikiError, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.purchases import carts, listing, service, shopify, subscriptions
from hiiki.purchases.models import Connection, Order
from hiiki.purchases.orders import LineIn, OrderIn, StoreIn
from hiiki.purchases.schemas import CartBody, OrderBody, SubscriptionBody
from hiiki.purchases.writing import hold

_PATHS = {"keys": "customer", "refunds": "refunded"}
"""What is at fault, as a body calls it."""
LISTS = ("orders", "carts", "subscriptions")


class NotYet(HiikiError):
    """It is about an order that has not come in yet."""

    status = 409
    code = "not_yet"
    default: ClassVar[Text] = _("The order that this is about has not come in yet.")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a body tells of, as it was posted."""

    kind: str
    """orders, carts, subscriptions, or "" for a body that is one thing (Shopify's)."""
    said: Any

    @property
    def name(self) -> str:
        """What the shop's system calls it."""
        said = _object(self.said)
        return str(said.get("number") or said.get("key") or said.get("name") or "")[:100]

    @property
    def reference(self) -> str:
        """The order that a refund is about, as the shop's system calls it inside; or ""."""
        return "" if self.kind else str(_object(self.said).get("order_id") or "")

    def keys(self, prefix: str) -> Keys:
        """Return whom it names, as far as it can be read."""
        said = _object(self.said)
        customer = _object(said.get("customer"))
        number = str(customer.get("number" if self.kind else "id") or "")
        return Keys(
            f"{prefix}{number}" if number else "",
            str(customer.get("email") or said.get("email") or ""),
            str(customer.get("phone") or said.get("phone") or ""),
            str(customer.get("line_user_id") or ""),
        )


@dataclass(frozen=True, slots=True)
class Refused(Part):
    """A part that was not taken."""

    faults: Mapping[str, Text]
    """What is wrong, by the field."""
    is_lasting: bool = True
    """Whether it would be refused again tomorrow."""


def _object(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def parts(connection: Connection, body: Mapping[str, Any]) -> list[Part]:
    """Return what a body tells of."""
    if connection.kind == "shopify":
        return [Part("", body)]
    if not any(name in body for name in LISTS):
        return [Part("orders", body)]
    return [Part(name, each) for name in LISTS if name in body for each in _listed(body[name])]


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def joined(some: Sequence[Part]) -> bytes:
    """Return a body of these parts."""
    if not some[0].kind:
        return orjson.dumps(some[0].said)
    return orjson.dumps(
        {name: found for name in LISTS if (found := [p.said for p in some if p.kind == name])}
    )


async def take(
    session: WorkspaceSession, connection: Connection, topic: str, body: Mapping[str, Any]
) -> list[Refused]:
    """Take a body, and return what of it was refused.

    Raises `Invalid` for one that is a single thing and cannot be read, `NotYet` for a refund
    whose order is not here.
    """
    if connection.kind == "shopify":
        return await _take_shopify(session, connection, topic, body)
    found = parts(connection, body)
    refused = await _take_orders(session, connection, [p for p in found if p.kind == "orders"])
    for part in found:
        try:
            if part.kind == "carts":
                cart = parse(CartBody, part.said).cart(connection.source, connection.prefix)
                await carts.put(session, cart)
            elif part.kind == "subscriptions":
                one = parse(SubscriptionBody, part.said)
                await subscriptions.put(
                    session, one.subscription(connection.source, connection.prefix)
                )
        except Invalid as error:
            refused.append(Refused(part.kind, part.said, error.fields))
    return refused


async def _take_orders(
    session: WorkspaceSession, connection: Connection, given: Sequence[Part]
) -> list[Refused]:
    refused: list[Refused] = []
    read: list[tuple[Part, OrderIn]] = []
    for part in given:
        try:
            body = parse(OrderBody, part.said)
            read.append((part, body.order(connection.source, connection.prefix)))
        except Invalid as error:
            refused.append(Refused(part.kind, part.said, error.fields))
    for at in range(0, len(read), service.AT_MOST):
        refused += await _taken(session, read[at : at + service.AT_MOST])
    return refused


async def _taken(session: WorkspaceSession, read: Sequence[tuple[Part, OrderIn]]) -> list[Refused]:
    taken = await service.take(session, [order for _part, order in read])
    return [
        # What is at no field is nobody's fault: its customer has just been erased.
        Refused(
            part.kind,
            part.said,
            {_PATHS.get(one.field, one.field) or "order": one.reason},
            bool(one.field),
        )
        for (part, _order), one in zip(read, taken, strict=True)
        if one.reason is not None
    ]


async def _take_shopify(
    session: WorkspaceSession, connection: Connection, topic: str, body: Mapping[str, Any]
) -> list[Refused]:
    if topic in shopify.ORDER_TOPICS:
        order = parse(shopify.ShopifyOrder, dict(body))
        if not order.test:
            read = order.order(connection.source, connection.prefix)
            return await _taken(session, [(Part("", body), read)])
    elif topic == shopify.REFUND_TOPIC:
        refund = parse(shopify.ShopifyRefund, dict(body))
        standing = await _by_reference(session, connection.source, refund.order_id)
        if (changed := shopify.with_refund(standing, refund)) is not None:
            return await _taken(session, [(Part("", body), changed)])
    return []


async def _by_reference(session: WorkspaceSession, source: str, reference: str) -> OrderIn:
    """Return an order that nobody else changes until this transaction ends."""
    wanted = select(Order.id).where(Order.source == source, Order.reference == reference)
    ident = await session.scalar(wanted.limit(1)) if reference else None
    if ident is None:
        raise NotYet()
    await hold(session, [ident])
    found = await session.scalar(select(Order).where(Order.id == ident))
    if found is None:
        raise NotYet()
    return order_in(found, await listing.lines(session, found))


def order_in(order: Order, lines: Sequence[Any]) -> OrderIn:
    """Return an order as it stands, as if it came in so."""
    return OrderIn(
        source=order.source,
        number=order.number,
        at=order.at,
        keys=Keys(),
        status=order.status,
        currency=order.currency,
        amount=order.amount,
        discount=order.discount,
        shipping=order.shipping,
        refunds={key: Decimal(value) for key, value in order.refunds.items()},
        store=StoreIn(order.store) if order.store else None,
        lines=[LineIn(x.product, x.name, x.quantity, x.amount, x.variant) for x in lines],
        updated_at=order.updated_at,
        reference=order.reference,
        cart=order.cart,
        subscription=order.subscription,
    )
