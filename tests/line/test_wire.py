"""Webhooks are read leniently: nothing LINE may send, today or tomorrow, loses an event."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiiki.kit.errors import Invalid
from hiiki.line.wire import parse

MESSAGE = {
    "type": "message",
    "message": {"type": "text", "id": "1", "text": "辛口がいい🌶"},
    "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
    "deliveryContext": {"isRedelivery": False},
    "timestamp": 1625665242211,
    "source": {"type": "user", "userId": "U" + "1" * 32},
    "replyToken": "757913772c4646b784d4b7ce46d12671",
    "mode": "standby",
}


def body(*events: object) -> bytes:
    return orjson.dumps({"destination": "U" + "0" * 32, "events": list(events)})


def test_a_message() -> None:
    (event,) = parse(body(MESSAGE))
    assert event.id == "01FZ74A0TDDPYRVKNK77XKC3ZR"
    assert (event.kind, event.mode, event.is_redelivery) == ("message", "standby", False)
    assert (event.source_type, event.source_id) == ("user", "U" + "1" * 32)
    assert event.user_id == "U" + "1" * 32
    assert event.at == datetime(2021, 7, 7, 13, 40, 42, 211000, tzinfo=UTC)
    assert event.reply_token == MESSAGE["replyToken"]
    assert event.payload == MESSAGE


def test_no_events() -> None:
    assert parse(body()) == []
    assert parse(b"{}") == []


def test_one_odd_event_does_not_lose_the_others() -> None:
    events = parse(body(MESSAGE, {"type": "teleport"}, 7, None, {"source": "x"}, MESSAGE))
    assert [e.kind for e in events] == [
        "message",
        "teleport",
        "unknown",
        "unknown",
        "unknown",
        "message",
    ]
    assert all(e.mode == "active" for e in events[1:5])
    assert len({e.id for e in events}) == 5


def test_without_an_id_the_hash_survives_redelivery() -> None:
    bare = {k: v for k, v in MESSAGE.items() if k not in ("webhookEventId", "mode")}
    again = {**bare, "deliveryContext": {"isRedelivery": True}}
    other = {**bare, "timestamp": 1625665242212}
    first, second, third = parse(body(bare, again, other))
    assert first.id == second.id != third.id
    assert second.is_redelivery
    assert first.mode == "active"


def test_in_a_group_the_group_is_the_source() -> None:
    source = {"type": "group", "groupId": "C1", "userId": "U1"}
    (event,) = parse(body({**MESSAGE, "source": source}))
    assert (event.source_type, event.source_id, event.user_id) == ("group", "C1", "U1")


def test_what_postgresql_cannot_keep_is_replaced() -> None:
    raw = b'{"events":[{"type":"message","message":{"text":"a\\u0000b\\ud83dc"}}]}'
    (event,) = parse(raw)
    assert event.payload["message"]["text"] == "a\ufffdb\ufffdc"
    whole = b'{"events":[{"type":"message","message":{"text":"\\ud83d\\ude00"}}]}'
    assert parse(whole)[0].payload["message"]["text"] == "😀"


def test_what_only_a_lenient_reader_takes_is_storable_too() -> None:
    text = (
        '{"events":[{"type":"message","webhookEventId":"a\\u0000","n":-12345678901234567890123}]}'
    )
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        (event,) = parse(text.encode(encoding))
        assert (event.id, event.payload["n"]) == ("a\ufffd", -1.2345678901234568e22)
    (event,) = parse(b'{"events":[{"type":"\xed\xa0\x80","n":9223372036854775807}]}')
    assert (event.kind, event.payload["n"]) == ("\ufffd", 2**63 - 1)
    assert orjson.dumps(event.payload)


@pytest.mark.parametrize("raw", [b"", b"not json", b"[]", b"7", b'{"events":{}}', b"\xff\xfe"])
def test_what_is_no_webhook(raw: bytes) -> None:
    with pytest.raises(Invalid):
        parse(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["type", "source", "timestamp", "mode", "deliveryContext", "webhookEventId", "replyToken"]
)


@given(st.lists(st.dictionaries(FIELDS, JSON) | JSON, max_size=4))
def test_any_json_is_kept(events: list[object]) -> None:
    try:
        raw = body(*events)
    except TypeError:  # an integer that LINE's 64 bits would not hold either
        return
    found = parse(raw)
    assert len(found) == len(events)
    assert all(e.id and e.kind and e.at.tzinfo for e in found)
