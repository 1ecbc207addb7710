"""What people do, and the logs of what happened: acts, deliveries, requests."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import orjson

from ..acts import ACTS, CHAT_ACTS, ActError
from ..journal import News
from ..model import Json
from .route import Ask, ControlError, control
from .users import delivery_json

MAX_WAIT = 60.0
_ACT = {
    "type": "object",
    "required": ["user", "type"],
    "properties": {
        "user": {"type": "string"},
        "channel": {"type": "string", "description": "the first by default"},
        "type": {"enum": sorted(ACTS.keys() | CHAT_ACTS.keys())},
        "chat": {"type": "string", "description": "the group or room in which it happens"},
        "images": {"type": "integer", "description": "message: so many photos at a time"},
        "quote": {"type": "string", "description": "message: the id of a message it quotes"},
        "members": {"type": "array", "items": {"type": "string"}, "description": "group_create, "
                    "group_invite: user ids"},
        "member": {"type": "string", "description": "group_remove: a user id"},
        "account": {"type": "boolean", "description": "group acts: the account itself"},
        "coupon": {"type": "string", "description": "coupon acts: a coupon id or \"last\""},
        "plan": {"type": "integer", "description": "membership_join: a plan's id"},
        "hwid": {"type": "string", "description": "beacon: its hardware id"},
        "text": {"type": "string", "description": "message: a text message, for short"},
        "message": {
            "description": "message: the content object (text, sticker, image, video, audio, file "
            "with base64 `data`, location); tap and unsend: a message id or \"last\""
        },
        "data": {"type": "string", "description": "postback"},
        "params": {"type": "object", "description": "postback"},
        "label": {"type": "string", "description": "tap, menu: what is written on it"},
        "index": {"type": "integer", "description": "tap: its place, negative from the end"},
        "area": {"type": "integer", "description": "menu: the area's place, from 0"},
        "x": {"type": "number", "description": "menu: with `y`, the point in the menu's pixels"},
        "y": {"type": "number"},
        "value": {"description": "tap: the date picked, or the location sent"},
        "url": {"type": "string", "description": "open: a link that arrived"},
        "percent": {"type": "integer", "description": "play: how far, 100 by default"},
        "event": {"type": "object", "description": "raw: posted exactly as given"},
        "fill": {"type": "boolean", "description": "raw: add the common properties"},
    },
}  # fmt: skip


@control(
    "POST",
    "/_emulator/acts",
    "Do things as people",
    body={"type": "object", "properties": {"acts": {"type": "array", "items": _ACT}}},
    returns="One result for each act: ok, webhookEventIds, uri, messageId, or error",
)
async def acts(ask: Ask) -> Json:
    """Carry out acts in order; an impossible one has `ok` false and does not stop the others."""
    body = ask.body
    wanted: Any = cast(Json, body).get("acts") if isinstance(body, dict) else body
    if not isinstance(wanted, list):
        raise ControlError("acts must be a list")
    results: list[Json] = []
    for place, act in enumerate(cast(list[Any], wanted)):
        if not isinstance(act, dict):
            results.append({"ok": False, "error": "an act must be an object"})
            continue
        try:
            _writable(cast(Json, act))
            results.append({"ok": True} | ask.actor.do(cast(Json, act)))
        except ActError as error:
            results.append({"ok": False, "error": str(error)})
        if place % 200 == 199:
            # A driver may send thousands of acts at once: let the webhooks out in between.
            await asyncio.sleep(0)
    return {"results": results}


def _writable(act: Json) -> None:
    """Raise ActError for what is nested too deep to be written into a webhook or an answer."""
    try:
        orjson.dumps([[[[act]]]])
    except TypeError:
        raise ActError("the act cannot be written as JSON: it is nested too deep") from None


async def _wait(ask: Ask, news: News, nothing_new: Any) -> None:
    wait = ask.number("wait", 0, 0, MAX_WAIT)
    if wait and nothing_new():
        await news.wait(wait)


@control(
    "GET",
    "/_emulator/deliveries",
    "Messages that arrived at phones, of everybody in one stream",
    query={
        "after": "the last seq seen, 0 at first",
        "limit": "up to 10000",
        "wait": "seconds to wait when there is nothing new",
    },
    returns="Arrivals in order; `last` is the highest seq there is",
)
async def deliveries(ask: Ask) -> Json:
    """Follow with `after` = the last `seq`; `wait` makes it a long poll."""
    after = int(ask.number("after", 0, 0, 1e15))
    limit = int(ask.number("limit", 1000, 1, 10_000))
    found = ask.platform.deliveries
    await _wait(ask, found.news, lambda: found.last <= after)
    # A reset during the wait put a new log in place: read the one that is there now.
    found = ask.platform.deliveries
    rows = [delivery_json(*row) for row in found.after(after, limit)]
    return {"deliveries": rows, "last": found.last}


@control(
    "GET",
    "/_emulator/requests",
    "Requests at LINE's API",
    query={
        "after": "the last seq seen, 0 at first",
        "limit": "up to 10000",
        "wait": "seconds to wait when there is nothing new",
    },
    returns="Method, path, status, retry key and request id of each; never the token",
)
async def requests(ask: Ask) -> Json:
    """What bots asked for and what they were answered."""
    after = int(ask.number("after", 0, 0, 1e15))
    limit = int(ask.number("limit", 1000, 1, 10_000))
    found = ask.platform.requests
    await _wait(ask, found.news, lambda: found.last <= after)
    found = ask.platform.requests
    return {"requests": found.after(after, limit), "last": found.last}
