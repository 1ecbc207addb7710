"""Contracts in the control API: LINE grants them by application only."""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any, cast

from .. import events
from ..control.route import Ask, ControlError, control
from ..model import Json
from . import module, phones
from .store import Contracts

_SWITCHES = ("notification", "notification_templates", "mark_as_read", "mission")
_WORDS = ("templates", "items", "buttons")
_LISTS = ("sticker_sets", "scopes")
_BODY: Json = {
    "type": "object",
    "properties": {
        "channel": {"type": "string", "description": "the first by default"},
        "notification": {"type": "boolean", "description": "LINE notification messages, flexible"},
        "notification_templates": {"type": "boolean", "description": "the same by template"},
        "mark_as_read": {"type": "boolean", "description": "the old endpoint"},
        "mission": {"type": "boolean", "description": "mission stickers"},
        "module": {"type": "boolean", "description": "a module channel, standing by"},
        "attached": {"type": "boolean", "description": "of a module channel; tells it"},
        "suspended": {"type": "boolean", "description": "botSuspended or botResumed is sent"},
        "templates": {"type": "object", "description": "words by templateKey"},
        "items": {"type": "object", "description": "words by itemKey"},
        "buttons": {"type": "object", "description": "words by buttonKey"},
        "sticker_sets": {"type": "array", "items": {"type": "string"}},
        "scopes": {"type": "array", "items": {"type": "string"}},
    },
}


def _shown(contracts: Contracts) -> Json:
    shown = dataclasses.asdict(contracts)
    del shown["codes"]
    return shown


@control(
    "PATCH",
    "/_emulator/contracts",
    "Give a channel contracts",
    body=_BODY,
    returns="The channel's contracts",
)
async def change(ask: Ask) -> Json:
    """Without them the endpoints answer as for most accounts: not available."""
    body = ask.object()
    channel = ask.channel(body.get("channel"))
    contracts = channel.store.of(Contracts)
    for name, value in body.items():
        if name in _SWITCHES and isinstance(value, bool):
            setattr(contracts, name, value)
        elif name in _WORDS and _words(value):
            setattr(contracts, name, dict(value))
        elif name in _LISTS and _texts(value):
            setattr(contracts, name, list(value))
        elif name == "module" and isinstance(value, bool):
            contracts.module = contracts.attached = value
        elif name == "attached" and isinstance(value, bool):
            if not contracts.module:
                raise ControlError("the channel is no module channel")
            if value:
                module.attached(ask.platform, channel)
            else:
                module.detached(ask.platform, channel, "bot_deleted")
        elif name == "suspended" and isinstance(value, bool):
            contracts.suspended = value
            build = events.bot_suspended if value else events.bot_resumed
            events.post(ask.platform, channel, None, build(ask.platform, channel))
        elif name != "channel":
            raise ControlError(f"cannot set {name} to {value!r}")
    return _shown(contracts)


def _words(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return all(isinstance(one, str) for one in cast(dict[str, Any], value).values())


def _texts(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(one, str) for one in cast(list[Any], value))


@control("GET", "/_emulator/contracts", "A channel's contracts", returns="The contracts")
async def read(ask: Ask) -> Json:
    """What the channel may do beyond others, and whom it granted stickers."""
    return _shown(ask.channel().store.of(Contracts))


@control(
    "POST",
    "/_emulator/contracts/module-code",
    "Let the account's admin approve a module",
    returns="`code`, to be exchanged at /module/auth/v1/token within 10 minutes",
)
async def module_code(ask: Ask) -> Json:
    """The authorization code that the admin's browser would bring to the redirect URL."""
    contracts = ask.channel(ask.object().get("channel")).store.of(Contracts)
    if not contracts.module:
        raise ControlError("the channel is no module channel")
    code = secrets.token_urlsafe(16)
    contracts.codes[code] = ask.platform.clock.now()
    return {"code": code}


@control(
    "GET",
    "/_emulator/users/{user}/telephone",
    "A person's telephone number",
    returns="`number` in E.164 and its `sha256` for LINE notification messages",
)
async def telephone(ask: Ask) -> Json:
    """From the attribute `phone`, or made up."""
    number = phones.number_of(ask.user())
    return {"number": number, "sha256": phones.digest(number)}
