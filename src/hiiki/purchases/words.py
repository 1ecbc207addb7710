"""The states of what is bought, in people's words, with the colours of their badges."""

from __future__ import annotations

from collections.abc import Mapping

from hiiki.kit.i18n import Text, _

ORDERS: Mapping[str, tuple[Text, str]] = {
    "open": (_("Not paid yet"), "yellow"),
    "paid": (_("Paid"), "green"),
    "partly_returned": (_("Partly returned"), "orange"),
    "returned": (_("Returned"), "red"),
    "cancelled": (_("Cancelled"), "grey"),
}
CARTS: Mapping[str, tuple[Text, str]] = {
    "open": (_("Being filled"), "blue"),
    "left": (_("Left behind"), "orange"),
    "bought": (_("Bought after all"), "green"),
    "emptied": (_("Emptied"), "grey"),
}
SUBSCRIPTIONS: Mapping[str, tuple[Text, str]] = {
    "active": (_("Still delivered"), "green"),
    "paused": (_("Paused"), "yellow"),
    "ended": (_("Has ended"), "grey"),
}
SOURCES: Mapping[str, Text] = {
    "api": Text("API"),
    "shopify": Text("Shopify"),
    "ec-cube": Text("EC-CUBE"),
    "base": Text("BASE"),
}
