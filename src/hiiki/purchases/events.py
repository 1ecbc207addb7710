"""What an order tells on its person's timeline, always of the order as it stands.

The ids of its events are the order's own with another ending (`orders.event_id`): an order that
comes in anew takes exactly its old events back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from hiiki.purchases.models import COUNTED
from hiiki.purchases.orders import event_id

PURCHASE, CANCEL, RETURN, FIRST_ITEM = range(4)
"""The endings of the ids; a line's is `FIRST_ITEM` and its position."""

Row = dict[str, Any]


def event_ids(order_id: UUID, lines: int) -> Iterator[UUID]:
    """Give the ids of all events that an order of so many lines may have told."""
    return (event_id(order_id, n) for n in range(FIRST_ITEM + lines))


def events_of(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return what an order tells, as rows of `timeline.event`, the purchase itself first."""
    common = {
        "workspace_id": order["workspace_id"],
        "contact_id": order["contact_id"],
        "channel_id": None,
    }
    ident = order["id"]
    told: list[Row] = []

    def tell(n: int, kind: str, at: Any, subject: str, value: Any, data: Row) -> None:
        told.append(
            {
                **common,
                "id": event_id(ident, n),
                "kind": kind,
                "at": at,
                "subject": subject,
                "value": value,
                "data": data,
            }
        )

    about = {"order": ident, "number": order["number"], "source": order["source"]}
    status, store = order["status"], order["store"]
    if status in COUNTED:
        worth = order["amount"] - order["refunded"]
        tell(PURCHASE, "purchase", order["at"], store, worth, about)
        for line in lines:
            tell(
                FIRST_ITEM + line["position"],
                "purchase_item",
                order["at"],
                line["product"],
                line["amount"],
                {"quantity": _number(line["quantity"]), "order": ident},
            )
    if status == "cancelled":
        tell(CANCEL, "purchase_cancel", order["updated_at"], store, order["amount"], about)
    elif status in ("returned", "partly_returned"):
        back = order["refunded"] or (order["amount"] if status == "returned" else None)
        tell(RETURN, "purchase_return", order["updated_at"], store, back, about)
    return told


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
