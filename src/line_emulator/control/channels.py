"""Channels: create, list, change."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..model import Channel, Json, WebhookSettings
from .route import Ask, ControlError, control

_WEBHOOK_FIELDS = {f.name: f for f in dataclasses.fields(WebhookSettings)}
_SETTINGS: Json = {
    "name": {"type": "string"},
    "webhook_url": {"type": ["string", "null"]},
    "use_webhook": {"type": "boolean"},
    "quota": {"type": ["integer", "null"], "description": "messages a month; null: no limit"},
    "consumed": {"type": "integer", "description": "messages of this month already sent"},
    "unlimited": {"type": "boolean", "description": "lift the rate limits"},
    "verified": {"type": "boolean", "description": "may list its followers"},
    "mode": {"enum": ["active", "standby"]},
    "chat_mode": {"enum": ["bot", "chat"]},
    "redelivery": {"type": "boolean", "description": "short for webhook.redelivery"},
    "webhook": {
        "type": "object",
        "description": "gather, timeout, delay and windows in seconds",
        "properties": {name: {} for name in _WEBHOOK_FIELDS},
    },
}


def describe(ask: Ask, channel: Channel) -> Json:
    """The channel as the control API shows it."""
    return channel.public() | {
        "name": channel.name,
        "webhook_url": channel.webhook_url,
        "use_webhook": channel.use_webhook,
        "quota": channel.quota,
        "consumed": channel.consumed.get(ask.platform.clock.month(), 0),
        "unlimited": channel.unlimited,
        "verified": channel.verified,
        "mode": channel.mode,
        "chat_mode": channel.chat_mode,
        "webhook": dataclasses.asdict(channel.webhook),
    }


def set_webhook(channel: Channel, changes: Json) -> None:
    """Change how the channel's webhooks are posted. Raises ControlError for what is not known."""
    for name, value in changes.items():
        known = _WEBHOOK_FIELDS.get(name)
        if known is None:
            raise ControlError(f"webhook does not know {name}")
        setattr(channel.webhook, name, _converted(name, value, getattr(channel.webhook, name)))


def _converted(name: str, value: Any, now: Any) -> Any:
    try:
        if isinstance(now, bool):
            if not isinstance(value, bool):
                raise TypeError
            return value
        if isinstance(now, tuple):
            return tuple(float(one) for one in value)
        number = type(now)(value)
    except (TypeError, ValueError):
        raise ControlError(f"{name} is of the wrong type") from None
    if number < 0 or (name in ("max_events", "concurrency") and number < 1):
        raise ControlError(f"{name} is too small")
    return number


def _change(channel: Channel, changes: Json, month: str) -> None:
    for name, value in changes.items():
        if name == "webhook" and isinstance(value, dict):
            set_webhook(channel, value)  # pyright: ignore[reportUnknownArgumentType]
        elif name == "redelivery":
            set_webhook(channel, {"redelivery": value})
        elif name in ("use_webhook", "unlimited", "verified") and isinstance(value, bool):
            setattr(channel, name, value)
        elif name == "webhook_url" and (value is None or isinstance(value, str)):
            channel.webhook_url = value or None
        elif name == "name" and isinstance(value, str):
            channel.name = value
        elif name == "quota" and (value is None or (isinstance(value, int) and value >= 0)):
            channel.quota = value
        elif name == "consumed" and isinstance(value, int) and value >= 0:
            channel.consumed[month] = value
        elif (name == "mode" and value in ("active", "standby")) or (
            name == "chat_mode" and value in ("bot", "chat")
        ):
            setattr(channel, name, value)
        else:
            raise ControlError(f"cannot set {name} to {value!r}")


@control(
    "POST",
    "/_emulator/channels",
    "Create a channel",
    body={"type": "object", "properties": _SETTINGS},
    returns="The channel with its secret and access token",
)
async def create(ask: Ask) -> Json:
    """A further channel of the same provider: people have the same user ids there."""
    changes = ask.object()
    channel = ask.platform.add_channel()
    try:
        _change(channel, changes, ask.platform.clock.month())
    except ControlError:
        ask.platform.drop_token(channel, channel.token)
        del ask.platform.channels[channel.id]
        raise
    return describe(ask, channel)


@control("GET", "/_emulator/channels", "List channels", returns="The channels")
async def listing(ask: Ask) -> Json:
    """All channels."""
    return {"channels": [describe(ask, channel) for channel in ask.platform.channels.values()]}


@control(
    "PATCH",
    "/_emulator/channels/{channel}",
    "Change a channel",
    body={"type": "object", "properties": _SETTINGS},
    returns="The channel",
)
async def change(ask: Ask) -> Json:
    """Webhook URL, quota, redelivery and the rest."""
    channel = ask.channel()
    _change(channel, ask.object(), ask.platform.clock.month())
    return describe(ask, channel)
