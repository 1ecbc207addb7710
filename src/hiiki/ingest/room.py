"""What this room adds to the road."""

from __future__ import annotations

from typing import Any

from hiiki.ingest import api, views
from hiiki.ingest.erasure import forget_person
from hiiki.ingest.jobs import tasks
from hiiki.ingest.public import webhook
from hiiki.ingest.relay import api as relay_api
from hiiki.ingest.relay import views as relay_views
from hiiki.kit.i18n import _
from hiiki.kit.road import EventKind, NavItem, Room


async def handle_events(stop: Any) -> None:
    """Run the worker's part that handles webhook events."""
    from hiiki.ingest.crew import handle_events

    await handle_events(stop)


async def relay_webhooks(stop: Any) -> None:
    """Run the worker's part that relays webhooks to other tools."""
    from hiiki.ingest.relay.crew import relay

    await relay(stop)


room = Room(
    name="ingest",
    pages=[*views.HANDLERS, *relay_views.HANDLERS],
    api=[*api.HANDLERS, *relay_api.HANDLERS],
    nav=(NavItem("settings", _("Webhooks"), "webhook", "/settings/webhooks", order=70),),
    direct=(webhook,),
    events=(
        EventKind("follow", _("Added the account"), "user-plus"),
        EventKind("unfollow", _("Blocked the account"), "user-off"),
        EventKind("message", _("Sent a message"), "message"),
        EventKind("postback", _("Tapped a button"), "hand-click"),
        EventKind("unsend", _("Took a message back"), "message-off", starts_rules=False),
        EventKind("account_link", _("Linked their account"), "link"),
        EventKind("video_play_complete", _("Watched a video to the end"), "player-play"),
        EventKind("beacon", _("Came near a beacon"), "access-point"),
        EventKind("membership", _("Joined, left or renewed a membership"), "id-badge-2"),
    ),
    erase=forget_person,
    tasks=tasks,
    loops={"ingest": handle_events, "relay": relay_webhooks},
)
