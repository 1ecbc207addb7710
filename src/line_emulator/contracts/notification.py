"""LINE notification messages, flexible and by template (their own reference).

They reach people by telephone number, friends or not; who has blocked the account or refuses such
messages (attribute `notification` false) gets nothing, and the bot is told nothing.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn, cast

import orjson

from .. import events
from ..api.operation import EMPTY, Answer, Call, LineError, operation
from ..model import Friendship, Json, Sending, User
from ..validation.core import Check, array, boolean, obj, string, text, url
from ..validation.messages import MESSAGES
from ..validation.report import Path, Report
from .phones import person_with
from .store import Contracts

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_FORBIDDEN = ("image", "video", "audio", "imagemap")
"""Pictures, videos and sounds are not permitted (docs, "Message types that can be sent")."""


def _to(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, str):
        report.unreadable(path)
    elif not _DIGEST.fullmatch(value):
        report.invalid(path, "The value must be a valid SHA-256 digest.")


def _messages(value: Any, path: Path, report: Report) -> None:
    MESSAGES(value, path, report)
    if not isinstance(value, list):
        return
    for place, message in enumerate(cast(list[Any], value)):
        kind = cast(Json, message).get("type") if isinstance(message, dict) else None
        if kind in _FORBIDDEN:
            report.invalid(((path, place), "type"), f"{kind} can't be sent as a notification")


_PUSH = obj({"to": _to, "messages": _messages}, {"notificationDisabled": boolean})


def _item(length: int) -> Check:
    return obj({"itemKey": string, "content": text(length)})


_TEMPLATED = obj(
    {
        "to": _to,
        "templateKey": string,
        "body": obj(
            {},
            {
                "emphasizedItem": _item(15),
                "items": array(_item(300), 0, 15),
                "buttons": array(
                    obj({"buttonKey": string, "url": url(1000, "http", "https")}), 0, 2
                ),
            },
        ),
    }
)


@operation("POST", "/bot/pnp/push", body="json")
async def push(call: Call) -> Answer:
    """Send a LINE notification message (flexible)."""
    if not call.channel.store.of(Contracts).notification:
        _not_allowed()
    tag = _tag(call)
    body = call.json(_PUSH)
    silent = body.get("notificationDisabled") is True
    _deliver(call, body["to"], body["messages"], tag, "pnp", silent=silent)
    return EMPTY


@operation("POST", "/v2/bot/message/pnp/templated/push", body="json")
async def push_templated(call: Call) -> Answer:
    """Send a LINE notification message (template)."""
    contracts = call.channel.store.of(Contracts)
    if not contracts.notification_templates:
        _not_allowed()
    tag = _tag(call)
    body = call.json(_TEMPLATED)
    _check_keys(contracts, body)
    _deliver(call, body["to"], [drawn(contracts, body)], tag, "pnp/templated")
    return Answer(status=202)


def _not_allowed() -> NoReturn:
    raise LineError(403, "Access to this API is not available for your account")


def _tag(call: Call) -> str | None:
    # SDKs send the header empty when there is no tag.
    tag = call.headers.get("X-Line-Delivery-Tag") or None
    if tag is not None and not 16 <= len(tag) <= 100:
        # LINE publishes the limits but no wording.
        raise LineError(400, "The value for the 'X-Line-Delivery-Tag' header is invalid")
    return tag


def _check_keys(contracts: Contracts, body: Json) -> None:
    key = body["templateKey"]
    if key not in contracts.templates:
        detail = {
            "message": "The specified template doesn't exist, or you don't have the permission",
            "property": "templateKey",
        }
        raise LineError(400, {"message": f"Invalid templateKey: {key}", "details": [detail]})
    inner: Json = body["body"]
    places: list[tuple[str, str]] = []
    if inner.get("emphasizedItem") is not None:
        places.append(("body.emphasizedItem", inner["emphasizedItem"]["itemKey"]))
    for place, item in enumerate(inner.get("items") or []):
        places.append((f"body.items[{place}]", item["itemKey"]))
    unknown = [
        {
            "message": f"The specified item key does not exist: {item}",
            "property": f"{where}.itemKey",
        }
        for where, item in places
        if item not in contracts.items
    ] + [
        {
            "message": f"The specified button key does not exist: {button['buttonKey']}",
            "property": f"body.buttons[{place}].buttonKey",
        }
        for place, button in enumerate(inner.get("buttons") or [])
        if button["buttonKey"] not in contracts.buttons
    ]
    if unknown:
        count = len(unknown)
        message = f"The request body has {count} invalid key(s)."
        raise LineError(400, {"message": message, "details": unknown})
    _check_twice([(f"{where}.itemKey", item) for where, item in places], "itemKey")


def _check_twice(places: list[tuple[str, str]], name: str) -> None:
    keys = [key for _, key in places]
    twice = next(((where, key) for where, key in places if keys.count(key) > 1), None)
    if twice is None:
        return
    where, key = twice
    detail = {
        "message": f"Duplicate {name} in items or between emphasizedItem and items are not "
        f"allowed: {key}",
        "property": where,
    }
    raise LineError(400, {"message": "The request body has 1 error(s)", "details": [detail]})


def _deliver(
    call: Call,
    to: str,
    messages: list[Json],
    tag: str | None,
    counted: str,
    *,
    silent: bool = False,
) -> None:
    platform, channel = call.platform, call.channel
    user = person_with(platform, to.lower())
    if user is None:
        raise LineError(422, "Failed to send messages")
    if channel.friendship(user.id) is Friendship.BLOCKED or not _willing(user):
        return
    try:
        messages_json = orjson.dumps(messages)
    except TypeError:
        raise LineError(
            400, "The property, 'messages', in the request body is invalid (line: -, column: -)"
        ) from None
    sending = Sending(
        at_ms=platform.clock.now_ms(),
        channel_id=channel.id,
        via="pnp",
        request_id=call.request_id,
        messages_json=messages_json,
        message_ids=platform.message_ids.take(len(messages)),
        unit=None,
        retry_key=None,
        silent=silent,
    )
    platform.put_on_phone(channel, user.id, sending)
    platform.deliveries.add(sending, [user.id])
    day = (counted, platform.clock.day())
    channel.sent_by_day[day] = channel.sent_by_day.get(day, 0) + 1
    event = events.delivery(platform, channel, tag if tag is not None else to)
    events.post(platform, channel, user.id, event)


def _willing(user: User) -> bool:
    return (user.attributes or {}).get("notification") is not False


def drawn(contracts: Contracts, body: Json) -> Json:
    """The templated message as a Flex Message, which is what the phone can show."""
    title = contracts.templates[body["templateKey"]]
    inner: Json = body["body"]
    lines: list[Json] = [{"type": "text", "text": title, "weight": "bold", "size": "lg",
                          "wrap": True}]  # fmt: skip
    emphasized: Json | None = inner.get("emphasizedItem")
    if emphasized is not None:
        label = contracts.items[emphasized["itemKey"]]
        lines += [
            {"type": "text", "text": label, "size": "sm", "color": "#888888", "margin": "lg"},
            {"type": "text", "text": emphasized["content"], "size": "xl", "weight": "bold"},
        ]
    for item in cast(list[Json], inner.get("items") or []):
        words = contracts.items[item["itemKey"]]
        name: Json = {"type": "text", "text": words, "color": "#888888", "flex": 2}
        value: Json = {"type": "text", "text": item["content"], "wrap": True, "flex": 4}
        row: Json = {"type": "box", "layout": "baseline", "margin": "md"}
        lines.append(row | {"contents": [name | {"size": "sm"}, value | {"size": "sm"}]})
    bubble: Json = {
        "type": "bubble",
        "body": {"type": "box", "layout": "vertical", "contents": lines},
    }
    buttons: list[Json] = [
        {
            "type": "button",
            "action": {
                "type": "uri",
                "label": contracts.buttons[button["buttonKey"]],
                "uri": button["url"],
            },
        }
        for button in cast(list[Json], inner.get("buttons") or [])
    ]
    if buttons:
        bubble["footer"] = {"type": "box", "layout": "vertical", "contents": buttons}
    return {"type": "flex", "altText": title, "contents": bubble}
