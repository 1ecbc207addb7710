"""What this room adds to the road."""

from __future__ import annotations

from typing import Any

from hiiki.delivery import api, views
from hiiki.delivery.erasure import forget_person
from hiiki.kit.i18n import _
from hiiki.kit.road import EventKind, NavItem, Room


async def run_sender(stop: Any) -> None:
    """Run the worker's part that speaks to LINE."""
    # The web server lists this room too, and has no use for the sender.
    from hiiki.delivery.sender import run_sender

    await run_sender(stop)


room = Room(
    name="delivery",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    nav=(NavItem("broadcasts", _("Sending status"), "truck-delivery", "/deliveries", 90),),
    events=(EventKind("sent", _("Received a message"), "send", starts_rules=False),),
    erase=forget_person,
    loops={"sender": run_sender},
)
