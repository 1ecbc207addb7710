"""What this room adds to the road."""

from __future__ import annotations

from decimal import Decimal

from hiiki.kit.i18n import _
from hiiki.kit.road import EventKind, Field, NavItem, Picker, Room
from hiiki.purchases import (
    api,
    api_shops,
    catalogue,
    erasing,
    exporting,
    importing,
    posts,
    service,
    views,
    views_catalogue,
    views_shops,
)
from hiiki.purchases.jobs import tasks
from hiiki.purchases.models import Customer, Subscriber

room = Room(
    name="purchases",
    imports=[importing.orders],
    exports=[exporting.orders],
    pages=[*views.HANDLERS, *views_catalogue.HANDLERS, *views_shops.HANDLERS],
    api=[*api.HANDLERS, *api_shops.HANDLERS],
    nav=[NavItem("purchases", _("Sales"), "shopping-bag", "/purchases")],
    events=[
        EventKind(
            "purchase",
            _("Bought something"),
            "shopping-bag",
            subject="store",
            value_is="money",
        ),
        EventKind(
            "purchase_item", _("Bought a product"), "package", subject="product", value_is="money"
        ),
        EventKind(
            "purchase_cancel",
            _("An order was cancelled"),
            "receipt-off",
            subject="store",
            value_is="money",
        ),
        EventKind(
            "purchase_return",
            _("Something was returned"),
            "receipt-refund",
            subject="store",
            value_is="money",
        ),
        EventKind("cart", _("Put something into the cart"), "shopping-cart", value_is="money"),
        EventKind(
            "cart_left", _("Left something in the cart"), "shopping-cart-pause", value_is="money"
        ),
        EventKind("subscription_start", _("Began a subscription"), "refresh", subject="product"),
        EventKind(
            "subscription_renew",
            _("Continued a subscription"),
            "rotate",
            subject="product",
            value_is="times",
        ),
        EventKind("subscription_end", _("Ended a subscription"), "refresh-off", subject="product"),
    ],
    pickers=[
        Picker("product", _("Product"), catalogue.product_options),
        Picker("store", _("Store"), catalogue.store_options),
    ],
    fields=[
        Field(
            "purchases.orders",
            _("Number of purchases"),
            "number",
            Customer.orders,
            nothing=Decimal(0),
        ),
        Field("purchases.spent", _("Spent in all"), "money", Customer.spent, nothing=Decimal(0)),
        Field("purchases.average", _("Spent on average"), "money", Customer.average),
        Field("purchases.first_at", _("First purchase"), "moment", Customer.first_at),
        Field("purchases.last_at", _("Last purchase"), "moment", Customer.last_at),
        Field(
            "purchases.continued",
            _("Times a subscription has come"),
            "number",
            Subscriber.continued,
            nothing=Decimal(0),
        ),
    ],
    direct=[posts.webhook],
    friend_parts=["purchases"],
    erase=erasing.erase,
    merge=service.merged,
    tasks=tasks,
    loops={"purchases": posts.work},
)
