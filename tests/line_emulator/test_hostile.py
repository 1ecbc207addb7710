"""Whatever bytes come: an answer of LINE's kind, never an error of the emulator's own."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from line_emulator.validation import problem
from line_emulator.validation.requests import BROADCAST, MULTICAST, PUSH, REPLY, VALIDATE

KEYS = st.sampled_from(
    [
        "type", "text", "messages", "to", "replyToken", "altText", "template", "contents",
        "actions", "action", "columns", "label", "data", "uri", "mode", "initial", "min", "max",
        "items",
        "quickReply", "sender", "name", "emojis", "index", "substitution", "baseSize", "width",
        "area", "video", "body", "hero", "footer", "layout", "size", "url", "aspectRatio",
        "background", "angle", "customAggregationUnits", "notificationDisabled", "duration",
        "latitude", "title", "altContent", "previewUrl", "thumbnailImageUrl",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "text", "textV2", "flex", "template", "imagemap", "bubble", "carousel", "box", "buttons",
        "confirm", "image_carousel", "uri", "postback", "message", "datetimepicker", "date", "span",
        "icon", "image", "video", "audio", "vertical", "baseline", "https://example.com", "http://[",
        "{a}", "$", "", "linearGradient", "1:1", "2026-02-30", "U" + "0" * 32, "sticker",
        "location",
    ]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), WORDS,
    st.text(max_size=8),
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, st.text(max_size=4)), inner)
    ),
    max_leaves=25,
)
MESSAGE = st.dictionaries(KEYS, ANYTHING, max_size=6).flatmap(
    lambda rest: WORDS.map(lambda kind: rest | {"type": kind})
)
BODY = st.one_of(
    ANYTHING,
    st.dictionaries(KEYS, ANYTHING),
    st.lists(st.one_of(MESSAGE, ANYTHING), max_size=6).map(lambda m: {"messages": m}),
)


@given(body=BODY)
@settings(max_examples=60, deadline=None)
def test_any_json_gets_a_verdict(body: Any):
    for check in (PUSH, REPLY, MULTICAST, BROADCAST, VALIDATE):
        answer = problem(check, body)
        if answer is not None:
            assert isinstance(answer["message"], str)
            for detail in answer.get("details", []):
                assert isinstance(detail["message"], str)
                assert isinstance(detail["property"], str)


SEND = ("reply", "push", "multicast", "broadcast", "validate/push")
LIKE_JSON = BODY.map(lambda body: orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS))


async def test_any_bytes_get_an_answer(line, api):
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    friend = await line.new_friend()
    loop = asyncio.get_running_loop()

    @given(
        path=st.sampled_from(SEND),
        data=st.one_of(st.binary(max_size=60), LIKE_JSON),
        to=st.booleans(),
    )
    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    def throw(path: str, data: bytes, to: bool) -> None:
        if to and data.startswith(b'{"'):
            data = b'{"to":"%s",' % friend.encode() + data[1:]
        call = api.call("POST", f"/v2/bot/message/{path}", data=data)
        answer = asyncio.run_coroutine_threadsafe(call, loop).result(20)
        assert answer.status in (200, 400, 413, 429), (answer.status, data)
        assert answer.headers["x-line-request-id"]
        if answer.status != 200:
            assert isinstance(answer.json["message"], str)

    await asyncio.to_thread(throw)


async def test_nested_beyond_reason(line, api):
    friend = await line.new_friend()
    for depth in (200, 300, 900, 5000):
        nest = b"[" * depth + b"]" * depth
        body = b'{"to":"%s","messages":[{"type":"text","text":"a","x":%s}]}' % (
            friend.encode(),
            nest,
        )
        answer = await api.call("POST", "/v2/bot/message/push", data=body)
        assert answer.status in (200, 400)


async def test_odd_headers_and_paths(line, api):
    paths = (
        "/v2/bot/profile/%00",
        "/v2/bot/profile/" + "x" * 4000,
        "/v2/bot/message/é/content",
        "/v2/bot/message/delivery/push?date=%ff",
        "/v2/bot/followers/ids?limit=9999999999999",
        "/v2/bot/followers/ids?start=%00",
    )
    for path in paths:
        assert (await api.call("GET", path)).status in (400, 404)
    for name in ("/v2/oauth/accessToken", "/v2/oauth/verify", "/v2/oauth/revoke",
                 "/oauth2/v3/token"):  # fmt: skip
        for data in (b"", b"\xff\xfe", b"a&b=%zz", b"access_token=" + b"x" * 9999):
            answer = await api.call("POST", name, data=data, Content_Type="x/y")
            assert answer.status in (200, 400)


NASTY: dict[str, bytes] = {
    "nothing": b"",
    "no UTF-8": b'{"messages":[{"type":"text","text":"\xff\xfe"}],"to":"\xc3("}',
    "overlong": b'{"to":"\xc0\x80"}',
    "lone surrogate": rb'{"to":"\ud800","messages":[{"type":"text","text":"\udfff"}]}',
    "NUL": rb'{"to":"\u0000","description":"\u0000","title":"a\u0000b","name":"\u0000"}',
    "raw NUL": b'{"to":"\x00"}',
    "huge numbers": b'{"audienceGroupId":1e999,"limit":{"max":9' + b"9" * 400 + b"}}",
    "huge negative": b'{"audienceGroupId":-1e308,"startTimestamp":-1e308,"loadingSeconds":-1e308}',
    "not a number": b'{"audienceGroupId":NaN,"max":Infinity}',
    "same key twice": b'{"to":"a","to":["b"],"messages":1,"messages":[],"description":[]}',
    "deep list": b'{"messages":' + b"[" * 900 + b"]" * 900 + b',"operations":[[[[[[]]]]]]}',
    "deep object": b'{"filter":' + b'{"not":' * 900 + b"1" + b"}" * 900 + b"}",
    "beyond depth": b"[" * 100_000,
    "null everywhere": b'{"to":null,"messages":null,"view":null,"areas":null,"size":null}',
    "wrong kinds": b'{"to":{},"messages":{},"view":[],"areas":{},"size":"x","userIds":{},'
                   b'"operations":{},"audiences":{},"recipient":[],"filter":[],"reward":[]}',
    "wrong elements": b'{"messages":[null,1,[],"x"],"areas":[1],"userIds":[null,{}],"scope":[1],'
                      b'"operations":[1],"audiences":[1,{"id":{}}],"to":[{}]}',
    "long key": b'{"' + b"k" * 200_000 + b'":1}',
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(20_000)) + b"}",
    "many elements": b'{"messages":[' + b",".join([b"{}"] * 50_000) + b"]}",
    "long text": b'{"to":"' + "😀".encode() * 100_000 + b'"}',
    "form": b"a=%zz&b=%00&c=\xff&=&&;grant_type=%F0%9F&client_id=" + b"9" * 5000,
}  # fmt: skip
"""Bodies that have broken one parser or another."""


@pytest.mark.parametrize("body", NASTY.values(), ids=NASTY.keys())
async def test_every_operation_survives(line, api, body):
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    friend = await line.new_friend()
    for one in (await line.call("GET", "/operations"))["operations"]:
        method, _, path = one.partition(" ")
        if path.endswith("/webhook/test"):
            continue  # it would really look the endpoint up
        path = re.sub(r"\{(user\w*|chat\w*)\}", friend, path)
        path = re.sub(r"\{\w+\}", "1", path)
        kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
        for kind in kinds if method in ("POST", "PUT") else kinds[:1]:
            answer = await api.call(method, path, data=body or None, Content_Type=kind)
            assert answer.status < 500, (one, kind, answer.status, answer.json)
            if answer.status >= 400 and "text/html" not in answer.headers["Content-Type"]:
                assert isinstance(answer.json, dict), (one, kind, answer.json)
