"""What this room adds to the road."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from hiiki.db import WorkspaceSession
from hiiki.delivery import api, guard_api, guard_views, topics, views
from hiiki.delivery.erasure import forget_person
from hiiki.delivery.forecast import forecast
from hiiki.delivery.insight import keep_statistics
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionContext, ActionKind, EventKind, NavItem, Option, Picker, Room


class TopicParams(BaseModel):
    """Which kind of message a contact declines, or takes again."""

    topic_id: UUID = Field(title="Kind of message", json_schema_extra={"picker": "topic"})


async def _opt_out(context: ActionContext, params: TopicParams) -> None:
    await topics.opt_out(context.session, context.contact_id, params.topic_id, context.channel_id)


async def _opt_in(context: ActionContext, params: TopicParams) -> None:
    await topics.opt_in(context.session, context.contact_id, params.topic_id, context.channel_id)


async def _topics(session: WorkspaceSession) -> list[Option]:
    return [Option(str(topic.id), topic.name) for topic, _count in await topics.all_topics(session)]


async def run_sender(stop: Any) -> None:
    """Run the worker's part that speaks to LINE."""
    # The web server lists this room too, and has no use for the sender.
    from hiiki.delivery.sender import run_sender

    await run_sender(stop)


room = Room(
    name="delivery",
    pages=[*views.HANDLERS, *guard_views.HANDLERS],
    api=[*api.HANDLERS, *guard_api.HANDLERS],
    nav=(
        NavItem("broadcasts", _("Sending status"), "truck-delivery", "/deliveries", 90),
        NavItem("broadcasts", _("Sending limits"), "shield-check", guard_views.HOME, 95),
    ),
    events=(
        EventKind("sent", _("Received a message"), "send", starts_rules=False, tally=""),
        EventKind(
            "left_out", _("Was left out of sending"), "shield-check", starts_rules=False, tally=""
        ),
        EventKind("opt_out", _("Declined a kind of message"), "bell-off", "topic", False),
        EventKind("opt_in", _("Takes a kind of message again"), "bell", "topic", False),
    ),
    actions=(
        ActionKind("opt_out", _("Decline a kind of message"), "bell-off", TopicParams, _opt_out),
        ActionKind("opt_in", _("Take a kind of message again"), "bell", TopicParams, _opt_in),
    ),
    pickers=(Picker("topic", _("Kinds of message"), _topics),),
    forecast=forecast,
    erase=forget_person,
    loops={"sender": run_sender, "insight": keep_statistics},
)
