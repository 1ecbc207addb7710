"""Module channels (reference of the options for corporate customers, "Module").

A module channel here is attached to its own account. Without the contract, no channel is one.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl

from .. import events
from ..api import paging
from ..api.operation import EMPTY, Answer, Call, LineError, answer, not_found, operation
from ..groups.sending import joined
from ..ids import CHAT_ID, USER_ID
from ..model import Channel, Friendship, Json
from ..platform import Platform
from ..validation.core import boolean, obj, string
from ..validation.report import Path, Report
from .store import Contracts, Lead

YEAR = 3600 * 24 * 365
DEFAULT_TTL = 3600
CODE_SECONDS = 600
"""How long an authorization code lives; LINE gives 10 minutes for those of LINE Login."""
FOR_EVER_MS = 253_402_300_799_000
"""`expireAt` of a lead without a limit; LINE publishes none."""
MAX_BOTS = 100


def _module(call: Call) -> Contracts:
    contracts = call.channel.store.of(Contracts)
    if not contracts.module:
        raise LineError(403, "Access to this API is not available for your account")
    return contracts


# Attaching


def attached(platform: Platform, channel: Channel) -> None:
    """Attach the module channel and tell it."""
    contracts = channel.store.of(Contracts)
    contracts.attached = True
    event = events.module_attached(platform, channel, contracts.scopes)
    events.post(platform, channel, None, event)


def detached(platform: Platform, channel: Channel, reason: str | None) -> None:
    """Detach the module channel and tell it."""
    contracts = channel.store.of(Contracts)
    contracts.attached = False
    contracts.leads.clear()
    event = events.module_detached(platform, channel, reason)
    events.post(platform, channel, None, event)


@operation("POST", "/module/auth/v1/token", auth=False, body="form", limit=None)
async def attach(call: Call) -> Answer:
    """Attach by operation of the module channel provider, with an authorization code."""
    try:
        form = dict(parse_qsl(call.body.decode("ascii"), keep_blank_values=True))
    except UnicodeDecodeError:
        raise LineError(400, "Bad Request") from None
    client_id, secret = _client(call, form)
    if form.get("grant_type") != "authorization_code" or not form.get("redirect_uri"):
        raise LineError(400, "Bad Request")
    channel = call.platform.channels.get(client_id)
    if channel is None or channel.secret != secret:
        raise LineError(400, "Bad Request")
    contracts = channel.store.of(Contracts)
    if not contracts.module:
        raise LineError(403, "Forbidden")
    issued = contracts.codes.pop(form.get("code", ""), None)
    if issued is None or call.platform.clock.now() - issued > CODE_SECONDS:
        raise LineError(400, "Bad Request")
    attached(call.platform, channel)
    return answer({"bot_id": channel.bot_user_id, "scopes": contracts.scopes})


def _client(call: Call, form: dict[str, str]) -> tuple[str, str]:
    given = call.headers.get("Authorization", "")
    if not given.startswith("Basic "):
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        text = base64.b64decode(given.removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, ValueError):
        raise LineError(400, "Bad Request") from None
    client_id, _, secret = text.partition(":")
    return client_id, secret


_DETACH = obj({}, {"botId": string})


@operation("POST", "/v2/bot/channel/detach", body="json")
async def detach(call: Call) -> Answer:
    """Unlink (detach) the module channel from the account."""
    bot_id = call.json(_DETACH).get("botId") or ""
    bots = {channel.bot_user_id for channel in call.platform.channels.values()}
    if not USER_ID.fullmatch(bot_id) or bot_id not in bots:
        raise LineError(400, "user/group/room Id is not available.")
    contracts = call.channel.store.of(Contracts)
    if not contracts.module or not contracts.attached or bot_id != call.channel.bot_user_id:
        raise LineError(400, "Specified channel is not detachable")
    detached(call.platform, call.channel, None)
    return EMPTY


@operation("GET", "/v2/bot/list")
async def bots(call: Call) -> Answer:
    """Get a list of bots to which the module is attached."""
    contracts = _module(call)
    limit = paging.limit(call, MAX_BOTS, MAX_BOTS)
    place = paging.start(call, "bots") or 0
    channel = call.channel
    known: list[Json] = []
    if contracts.attached:
        known.append(
            {
                "userId": channel.bot_user_id,
                "basicId": channel.basic_id,
                "displayName": channel.name,
            }
        )
    body: Json = {"bots": known[place : place + limit]}
    if place + limit < len(known):
        body["next"] = paging.token(call, place + limit, "bots")
    return answer(body)


# Leading


def _ttl(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        report.unreadable(path)
    elif not 1 <= value <= YEAR:
        report.between(path, 1, YEAR)


_ACQUIRE = obj({}, {"expired": boolean, "ttl": _ttl})


def _chat_id(call: Call) -> str:
    chat_id = call.params["chat_id"]
    if not CHAT_ID.fullmatch(chat_id):
        raise LineError(400, "The value for the 'chatId' parameter is invalid")
    return chat_id


@operation("POST", "/v2/bot/chat/{chat_id}/control/acquire", body="json")
async def acquire(call: Call) -> Answer:
    """Acquire Control API: the module channel leads in the chat from now on."""
    contracts = _module(call)
    chat_id = _chat_id(call)
    body = call.json(_ACQUIRE) if call.body.strip() else {}
    channel, platform = call.channel, call.platform
    if chat_id.startswith("U"):
        there = channel.friendship(chat_id) is Friendship.FRIEND
    else:
        there = joined(platform, channel, chat_id) is not None
    if not there or not contracts.attached:
        not_found()
    now_ms = platform.clock.now_ms()
    until_ms = None
    if body.get("expired") is not False:
        until_ms = now_ms + 1000 * (body.get("ttl") or DEFAULT_TTL)
    contracts.leads[chat_id] = Lead(until_ms, now_ms)
    event = events.activated(platform, channel, chat_id, until_ms or FOR_EVER_MS)
    events.post(platform, channel, events.Source(chat_id), event)
    return EMPTY


@operation("POST", "/v2/bot/chat/{chat_id}/control/release")
async def release(call: Call) -> Answer:
    """Release Control API: the module channel stands by again."""
    contracts = _module(call)
    chat_id = _chat_id(call)
    if contracts.leads_in(chat_id, call.platform.clock.now_ms()):
        del contracts.leads[chat_id]
        event = events.deactivated(call.platform, call.channel, chat_id)
        events.post(call.platform, call.channel, events.Source(chat_id), event)
    return EMPTY
