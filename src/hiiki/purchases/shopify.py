"""What Shopify posts, as orders.

Shopify's documents "Webhooks" (topics, headers, `X-Shopify-Hmac-Sha256`: the base64 of an
HMAC-SHA256 of the body) and "Order", "Refund" of the Admin REST API. Amounts are read in the
shop's own currency, which stands in the plain fields; what the customer saw (`presentment`) may
be another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from hiiki.contacts.identities import Keys
from hiiki.purchases.orders import MAX_KEY, MAX_NAME, NOTHING, LineIn, OrderIn, StoreIn

ORDER_TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/paid",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
)
REFUND_TOPIC = "refunds/create"

_STATES = {
    "paid": "paid",
    "partially_refunded": "partly_returned",
    "refunded": "returned",
    "voided": "cancelled",
}
"""`financial_status`; the others (pending, authorized, partially_paid) are not yet purchases."""


def _text(value: Any) -> Any:
    return "" if value is None else str(value)


def _amount(value: Any) -> Any:
    return "0" if value in (None, "") else value


def _listed(value: Any) -> Any:
    return [] if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]


class _Lenient(BaseModel):
    """Shopify adds fields as it likes; what is not read here is passed over."""

    model_config = ConfigDict(extra="ignore")


class _Customer(_Lenient):
    id: Text = ""
    email: Text = ""
    phone: Text = ""


class _Allocation(_Lenient):
    amount: Amount = NOTHING


class _Line(_Lenient):
    product_id: Text = ""
    variant_id: Text = ""
    sku: Text = ""
    title: Text = ""
    name: Text = ""
    variant_title: Text = ""
    quantity: Amount = NOTHING
    price: Amount = NOTHING
    discount_allocations: Annotated[list[_Allocation], BeforeValidator(_listed)] = Field(
        default_factory=list[_Allocation]
    )

    def line(self) -> LineIn:
        off = sum((one.amount for one in self.discount_allocations), NOTHING)
        return LineIn(
            product=_cut(self.sku or self.variant_id or self.product_id or self.title, MAX_KEY),
            name=_cut(self.title or self.name, MAX_NAME),
            quantity=self.quantity,
            amount=self.price * self.quantity - off,
            variant=_cut(self.variant_title, MAX_NAME),
        )


class _Transaction(_Lenient):
    kind: Text = ""
    status: Text = ""
    amount: Amount = NOTHING


class ShopifyRefund(_Lenient):
    """A refund, in `refunds/create` or in its order."""

    id: Text
    order_id: Text = ""
    created_at: AwareDatetime
    transactions: Annotated[list[_Transaction], BeforeValidator(_listed)] = Field(
        default_factory=list[_Transaction]
    )

    @property
    def amount(self) -> Decimal:
        """What went back to the customer by it."""
        done = [t for t in self.transactions if t.kind == "refund" and t.status == "success"]
        return sum((each.amount for each in done), NOTHING)


class _Money(_Lenient):
    amount: Amount = NOTHING


class _Set(_Lenient):
    shop_money: _Money = Field(default_factory=_Money)


class ShopifyOrder(_Lenient):
    """The body of the order topics."""

    id: Text
    name: Text
    created_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None = None
    financial_status: Text = ""
    currency: Text = ""
    total_price: Amount = NOTHING
    total_discounts: Amount = NOTHING
    total_shipping_price_set: _Set | None = None
    email: Text = ""
    phone: Text = ""
    customer: _Customer | None = None
    location_id: Text = ""
    cart_token: Text = ""
    test: bool | None = False
    line_items: Annotated[list[_Line], BeforeValidator(_listed)] = Field(
        default_factory=list[_Line]
    )
    refunds: Annotated[list[ShopifyRefund], BeforeValidator(_listed)] = Field(
        default_factory=list[ShopifyRefund]
    )

    def order(self, source: str, prefix: str) -> OrderIn:
        """Return it as the one road takes it.

        `source` is the word for its shop; `prefix` stands before the customer's number.
        """
        customer = self.customer or _Customer()
        shipping = self.total_shipping_price_set
        back = {one.id: one.amount for one in self.refunds if one.amount}
        state = "cancelled" if self.cancelled_at else _STATES.get(self.financial_status, "open")
        return OrderIn(
            source=source,
            number=_cut(self.name, MAX_KEY),
            reference=_cut(self.id, MAX_KEY),
            at=self.created_at,
            updated_at=self.updated_at,
            keys=Keys(
                f"{prefix}{customer.id}" if customer.id else "",
                customer.email or self.email,
                customer.phone or self.phone,
            ),
            status=state,
            currency=self.currency,
            amount=self.total_price,
            discount=self.total_discounts,
            shipping=shipping.shop_money.amount if shipping else NOTHING,
            refunds=_within(back, self.total_price),
            store=StoreIn(_cut(self.location_id, MAX_KEY)) if self.location_id else None,
            lines=[line.line() for line in self.line_items if line.quantity],
            cart=_cut(self.cart_token, MAX_KEY) or None,
        )


def _cut(text: str, most: int) -> str:
    return text.replace("\0", "")[:most]


def _within(back: dict[str, Decimal], total: Decimal) -> dict[str, Decimal]:
    # More may go back than was paid (a gift with it): then all of it has.
    over = sum(back.values(), NOTHING) - total
    return back if over <= 0 else {"": total}


def with_refund(order: OrderIn, refund: ShopifyRefund) -> OrderIn | None:
    """Return an order as it stands after this refund; None when it knows of it already."""
    if refund.id in order.refunds or not refund.amount:
        return None
    back = _within({**order.refunds, refund.id: refund.amount}, order.total)
    whole = sum(back.values(), NOTHING) >= order.total
    return OrderIn(
        source=order.source,
        number=order.number,
        at=order.at,
        keys=Keys(),
        status="returned" if whole else "partly_returned",
        currency=order.currency,
        amount=order.amount,
        discount=order.discount,
        shipping=order.shipping,
        refunds=back,
        store=order.store,
        lines=order.lines,
        updated_at=_later(order.updated_at, refund.created_at),
        reference=order.reference,
        cart=order.cart,
        subscription=order.subscription,
    )


def _later(known: datetime | None, moment: datetime) -> datetime:
    return moment if known is None else max(known, moment)


def topics() -> Sequence[str]:
    """Return the topics that a shop is asked to have posted here."""
    return ("orders/create", "orders/updated", "orders/cancelled", REFUND_TOPIC)
