"""Webhook bodies as events, leniently: one odd event must not lose the others.

LINE adds event types, fields and values without notice (Messaging API, "Development
guidelines"), so nothing is required but that the body is a JSON object with a list.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson

from hiiki.kit.clock import from_millis, now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _

_SOURCES = {"user": "userId", "group": "groupId", "room": "roomId"}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One webhook event; `payload` is all of it, the rest what everybody needs of it."""

    id: str
    """`webhookEventId`; for an event without one, `sha256:` and a hash of what it says."""
    kind: str
    """`type`: message, follow, postback, …, or one that we do not know yet."""
    at: datetime
    """LINE's `timestamp`; the present moment when there is none."""
    source_type: str
    """user, group, room; "" when the event has no source."""
    source_id: str
    """The user, group or room it came from; "" when the event has no source."""
    user_id: str
    """The person, also in a group where LINE tells; otherwise ""."""
    mode: str
    """active, or standby when another module speaks to the person and we must not."""
    is_redelivery: bool
    reply_token: str | None
    payload: dict[str, Any]


def parse(body: bytes) -> list[WireEvent]:
    """Return the events of a webhook body, in its order; raises `Invalid` if it is no webhook."""
    odd = b"\\u0000" in body or b"\\ud" in body.lower()
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = _parse_oddly(body)
        odd = True  # in another encoding, say, where the above would not be seen
    if not isinstance(found, dict):
        raise Invalid(_("The body is not a LINE webhook: it must be a JSON object."))
    events = cast("dict[str, Any]", found).get("events", [])
    if not isinstance(events, list):
        raise Invalid(_("The body is not a LINE webhook: `events` must be a list."))
    return [_event(_storable(event) if odd else event) for event in cast("list[Any]", events)]


def _parse_oddly(body: bytes) -> Any:
    # orjson refuses half an emoji (a lone surrogate), which a phone can nevertheless send.
    try:
        return json.loads(body, parse_int=_number)
    except (ValueError, RecursionError):
        raise Invalid(_("The body is not JSON.")) from None


def _number(digits: str) -> float:
    """Return an integer as orjson does: one that 64 bits may not hold is rounded."""
    return int(digits) if len(digits) < 20 else float(digits)


def _storable(value: Any) -> Any:
    """Return `value` without the characters that PostgreSQL cannot keep."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {_storable(key): _storable(item) for key, item in items}
    return value


def _event(event: Any) -> WireEvent:
    payload = cast("dict[str, Any]", event) if isinstance(event, dict) else {"value": event}
    source = payload.get("source")
    source = cast("dict[str, Any]", source) if isinstance(source, dict) else {}
    context = payload.get("deliveryContext")
    context = cast("dict[str, Any]", context) if isinstance(context, dict) else {}
    source_type = _text(source.get("type"))
    return WireEvent(
        id=_text(payload.get("webhookEventId")) or _hash(payload),
        kind=_text(payload.get("type")) or "unknown",
        at=_moment(payload.get("timestamp")),
        source_type=source_type,
        source_id=_text(source.get(_SOURCES.get(source_type, ""))),
        user_id=_text(source.get("userId")),
        mode=_text(payload.get("mode")) or "active",
        is_redelivery=context.get("isRedelivery") is True,
        reply_token=_text(payload.get("replyToken")) or None,
        payload=payload,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: Any) -> datetime:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return from_millis(int(value))
        except (OverflowError, ValueError, OSError):
            pass
    return now()


def _hash(payload: dict[str, Any]) -> str:
    # Redelivery changes only the delivery context: the event must keep its hash.
    said = {key: value for key, value in payload.items() if key != "deliveryContext"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
