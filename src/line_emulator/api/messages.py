"""Send messages: reply, push, multicast, broadcast (reference, "Message")."""

from __future__ import annotations

from typing import cast

import orjson

from ..coupon.sending import missing_coupons
from ..events import good_reply_token
from ..groups import sending as groups
from ..groups.store import Group
from ..limits import PER_HOUR_60, PER_SECOND_200
from ..model import Json, Sending, Via
from ..sending import (
    accepted_before,
    assign_unit,
    deliver,
    friends_among,
    quota_allows,
    reachable,
    remember_key,
    sent_messages,
)
from ..validation import requests
from ..validation.core import Check
from .operation import EMPTY, Answer, Call, LineError, answer, operation

MONTHLY_LIMIT = LineError(429, "You have reached your monthly limit.")


def refuse_repeat(call: Call) -> None:
    """Raise LINE's 409 if the request's retry key was accepted before."""
    if call.retry_key is None:
        return
    before = accepted_before(call.platform, call.channel, call.retry_key)
    if before is None:
        return
    body: Json = {"message": "The retry key is already accepted"}
    if before.sent_messages is not None:
        body["sentMessages"] = orjson.loads(before.sent_messages)
    raise LineError(409, body, {"x-line-accepted-request-id": before.request_id})


def written(messages: list[Json]) -> bytes:
    """The message objects as JSON. Raises LINE's 400 if they cannot be written."""
    try:
        return orjson.dumps(messages)
    except TypeError:
        # Valid JSON, but nested beyond what can be written again (in a property nobody reads).
        raise LineError(
            400, "The property, 'messages', in the request body is invalid (line: -, column: -)"
        ) from None


def _send(
    call: Call, body: Json, via: Via, people: list[str], group: Group | None = None
) -> Sending:
    """Deliver to these reachable people, or into this group or room.

    Raises 429 when the month's limit is too small.
    """
    platform, channel = call.platform, call.channel
    messages = cast(list[Json], body["messages"])
    for message in messages:
        if message["type"] in _LOOKED_UP:
            look_up(call, messages, group)
            break
    reached = len(people) if group is None else len(group.members)
    if via != "reply" and not quota_allows(platform, channel, reached):
        raise MONTHLY_LIMIT
    messages_json = written(messages)
    units = body.get("customAggregationUnits") or [None]
    sending = Sending(
        at_ms=platform.clock.now_ms(),
        channel_id=channel.id,
        via=via,
        request_id=call.request_id,
        messages_json=messages_json,
        message_ids=platform.message_ids.take(len(messages)),
        unit=assign_unit(platform, channel, units[0]),
        retry_key=call.retry_key,
        silent=body.get("notificationDisabled") is True,
    )
    if group is None:
        deliver(platform, channel, sending, people)
    else:
        groups.deliver(platform, channel, sending, group)
    return sending


_LOOKED_UP = frozenset({"textV2", "coupon", "video"})
"""Message types whose validity depends on more than the request."""


def look_up(call: Call, messages: list[Json], group: Group | None = None) -> None:
    """Raise LINE's 400 for what the messages refer to and is not there."""
    wrong = groups.misplaced(messages, group) or missing_coupons(
        call.platform, call.channel, messages
    )
    if wrong is not None:
        raise LineError(400, wrong)


def _addressee(call: Call, chat_id: str, via: Via) -> tuple[list[str], Group | None]:
    """Whom a reply or push reaches: a person (or nobody), or a group that the account is in.

    Raises LINE's 400 if there is no such person or group.
    """
    if chat_id.startswith("U"):
        if chat_id not in call.platform.users:
            raise LineError(400, "Failed to send messages")
        there = reachable(call.platform, call.channel, chat_id, via)
        return ([chat_id] if there else []), None
    group = groups.joined(call.platform, call.channel, chat_id)
    if group is None:
        raise LineError(400, "Failed to send messages")
    return [], group


def accept(call: Call, sent: bytes | None = None) -> None:
    """Remember the request's retry key, if it has one; `sent` is what a repeat is told."""
    if call.retry_key is not None:
        remember_key(call.platform, call.channel, call.retry_key, call.request_id, sent)


@operation("POST", "/v2/bot/message/reply", body="json")
async def reply(call: Call) -> Answer:
    """Send reply message: free, once for each token, within a minute."""
    body = call.json(requests.REPLY)
    token = good_reply_token(call.platform, call.channel, body["replyToken"])
    if token is None:
        raise LineError(400, "Invalid reply token")
    people, group = _addressee(call, token.chat_id, "reply")
    sending = _send(call, body, "reply", people, group)
    token.used = True
    return answer({"sentMessages": sent_messages(sending.message_ids, body["messages"])})


@operation("POST", "/v2/bot/message/push", body="json", retry=True)
async def push(call: Call) -> Answer:
    """Send push message to one person, a group or a room."""
    body = call.json(requests.PUSH)
    refuse_repeat(call)
    people, group = _addressee(call, body["to"], "push")
    sending = _send(call, body, "push", people, group)
    sent = orjson.dumps(sent_messages(sending.message_ids, body["messages"]))
    accept(call, sent)
    return Answer(b'{"sentMessages":' + sent + b"}")


@operation("POST", "/v2/bot/message/multicast", body="json", retry=True, limit=PER_SECOND_200)
async def multicast(call: Call) -> Answer:
    """Send multicast message: the same to up to 500 people; who cannot be reached is left out."""
    body = call.json(requests.MULTICAST)
    refuse_repeat(call)
    _send(call, body, "multicast", friends_among(call.channel, cast(list[str], body["to"])))
    accept(call)
    return EMPTY


@operation("POST", "/v2/bot/message/broadcast", body="json", retry=True, limit=PER_HOUR_60)
async def broadcast(call: Call) -> Answer:
    """Send broadcast message to all friends."""
    body = call.json(requests.BROADCAST)
    refuse_repeat(call)
    _send(call, body, "broadcast", list(call.platform.friends(call.channel)))
    accept(call)
    return EMPTY


def _validation_of(kind: str, check: Check) -> None:
    @operation("POST", f"/v2/bot/message/validate/{kind}", body="json")
    async def validate(call: Call) -> Answer:  # pyright: ignore[reportUnusedFunction]
        """Validate message objects of one kind of message: only `messages` is looked at."""
        call.json(check)
        return EMPTY


for _kind in ("reply", "push"):
    _validation_of(_kind, requests.VALIDATE)
for _kind in ("multicast", "narrowcast", "broadcast"):
    _validation_of(_kind, requests.VALIDATE_FOR_MANY)
