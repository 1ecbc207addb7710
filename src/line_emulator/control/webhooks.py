"""Webhook deliveries: statistics, and trouble on demand."""

from __future__ import annotations

import time

from ..model import Json
from .channels import set_webhook
from .route import Ask, ControlError, control

_CHANNEL = {"channel": {"type": "string", "description": "all channels by default"}}


def _apply(ask: Ask, changes: Json) -> Json:
    wanted = ask.object().get("channel")
    channels = [ask.channel(wanted)] if wanted else list(ask.platform.channels.values())
    for channel in channels:
        set_webhook(channel, changes)
    return {"channels": [channel.id for channel in channels], "settings": changes}


@control(
    "POST",
    "/_emulator/webhooks/duplicate",
    "Post every webhook several times",
    body={
        "type": "object",
        "properties": _CHANNEL
        | {
            "times": {"type": "integer", "description": "further copies; 0 ends it"},
            "probability": {"type": "number", "description": "for each post, 1 by default"},
        },
    },
)
async def duplicate(ask: Ask) -> Json:
    """Copies are posted at the same time as the original, as LINE may do."""
    body = ask.object()
    return _apply(
        ask,
        {
            "duplicate_times": body.get("times", 1),
            "duplicate_chance": body.get("probability", 1.0),
        },
    )


@control(
    "POST",
    "/_emulator/webhooks/reorder",
    "Post events in random order, one person's too",
    body={
        "type": "object",
        "properties": _CHANNEL
        | {"window": {"type": "number", "description": "seconds in which events mix; 0 ends it"}},
    },
)
async def reorder(ask: Ask) -> Json:
    """Events are held for the window and then leave shuffled."""
    return _apply(ask, {"reorder_window": ask.object().get("window", 0.2)})


@control(
    "POST",
    "/_emulator/webhooks/delay",
    "Post events late",
    body={
        "type": "object",
        "properties": _CHANNEL
        | {
            "seconds": {"type": "number", "description": "0 ends it"},
            "jitter": {"type": "number", "description": "up to so many seconds more, by lot"},
        },
    },
)
async def delay(ask: Ask) -> Json:
    """Every event waits before it is queued."""
    body = ask.object()
    return _apply(ask, {"delay": body.get("seconds", 1.0), "delay_jitter": body.get("jitter", 0.0)})


@control(
    "GET",
    "/_emulator/webhooks/stats",
    "How webhook deliveries went",
    query={"wait": "seconds to wait until nothing is pending"},
    returns="Counts of events by channel and together",
)
async def stats(ask: Ask) -> Json:
    """With `wait` it answers when all events are delivered or given up, or time is over."""
    poster = ask.platform.webhooks
    deadline = time.monotonic() + ask.number("wait", 0, 0, 600)
    while poster.pending() and (left := deadline - time.monotonic()) > 0:
        await poster.news.wait(min(left, 1.0))
    channels = [poster.describe(channel) for channel in ask.platform.channels.values()]
    numbers = ("created", "ok", "failed", "pending", "unsent", "posts", "timeouts", "redeliveries",
               "duplicates")  # fmt: skip
    total = {name: sum(one[name] for one in channels) for name in numbers}
    return {"total": total, "channels": channels}


@control(
    "POST",
    "/_emulator/webhooks/redeliver",
    "Post the last events again, marked as redelivered",
    body={"type": "object", "properties": _CHANNEL | {"last": {"type": "integer"}}},
    returns="How many were put on their way",
)
async def redeliver(ask: Ask) -> Json:
    """Same `webhookEventId`, reply token and timestamp; `isRedelivery` true."""
    body = ask.object()
    last = body.get("last", 1)
    if isinstance(last, bool) or not isinstance(last, int) or not 0 <= last <= 10_000:
        raise ControlError("last must be a whole number from 0 to 10000")
    return {"redelivered": ask.platform.webhooks.redeliver(ask.channel(body.get("channel")), last)}
