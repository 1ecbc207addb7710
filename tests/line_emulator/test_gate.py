"""What every request meets before its operation: methods, tokens, media types, sizes, encodings."""

from __future__ import annotations

import asyncio
import gzip
import uuid

import aiohttp
import orjson
import pytest

HI = {"type": "text", "text": "hi"}
PUSH = "/v2/bot/message/push"


async def raw(line, method: str, path: str, body: bytes = b"", **headers: str):
    """A request with exactly these headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.request(method, line.url + path, data=body or None, headers=sent) as response,
    ):
        data = await response.read()
        is_json = response.content_type == "application/json" and data
        return response.status, orjson.loads(data) if is_json else data, response.headers


@pytest.fixture
def bearer(line) -> dict[str, str]:
    return {"Authorization": f"Bearer {line.token}"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", PUSH, "POST"),
        ("DELETE", "/v2/bot/info", "GET"),
        ("HEAD", "/v2/bot/info", "GET"),
        ("POST", "/v2/bot/profile/U" + "0" * 32, "GET"),
        ("OPTIONS", "/v2/bot/channel/webhook/endpoint", "GET, PUT"),
    ],
)
async def test_a_method_that_is_not_there(line, bearer, method, path, allowed):
    status, answer, headers = await raw(line, method, path, **bearer)
    assert status == 405
    assert headers["Allow"] == allowed
    assert headers["x-line-request-id"]
    assert method == "HEAD" or answer["message"]


@pytest.mark.parametrize("path", ["/v2", "/v2/bot/nothing", PUSH + "/", "/v2/bot//info"])
async def test_a_path_that_is_not_there(line, bearer, path):
    status, answer, headers = await raw(line, "GET", path, **bearer)
    assert (status, answer) == (404, {"message": "Not found"})
    assert headers["x-line-request-id"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic eDp5"])
async def test_without_a_good_token(line, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    status, answer, _ = await raw(line, "GET", "/v2/bot/info", **headers)
    assert status == 401
    assert answer["message"].startswith("Authentication failed due to the following reason: ")


async def test_the_token_is_asked_for_before_anything_else(line):
    status, _, _ = await raw(line, "POST", PUSH, b"no json", Content_Type="text/plain")
    assert status == 401


@pytest.mark.parametrize("given", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_a_media_type_that_is_not_taken(line, bearer, given):
    status, answer, _ = await raw(line, "POST", PUSH, b"{}", Content_Type=given, **bearer)
    assert status == 415
    assert answer == {"message": f"The content type, {given}, is not supported"}


@pytest.mark.parametrize(
    "given",
    ["application/json", "application/json; charset=UTF-8", "Application/JSON;charset=utf-8"],
)
async def test_a_media_type_with_its_parameters(line, bearer, given):
    body = orjson.dumps({"to": await line.new_friend(), "messages": [HI]})
    status, answer, _ = await raw(line, "POST", PUSH, body, Content_Type=given, **bearer)
    assert status == 200, answer


@pytest.mark.parametrize("body", [b"", b" ", b"{", b'{"to"', b"nul", b"\xff\xfe{}", b"[]", b'"x"'])
async def test_a_body_that_is_no_object(line, bearer, body):
    given = {"Content_Type": "application/json"} | bearer
    status, answer, _ = await raw(line, "POST", PUSH, body, **given)
    assert status == 400
    assert answer["message"].startswith("The request body could not be parsed as JSON (line: ")


async def test_the_place_where_json_breaks(line, bearer):
    given = {"Content_Type": "application/json"} | bearer
    _, answer, _ = await raw(line, "POST", PUSH, b'{\n  "to": x\n}', **given)
    assert answer["message"].endswith("(line: 2, column: 9)")


async def test_zipped_bodies(line, bearer):
    friend = await line.new_friend()
    body = orjson.dumps({"to": friend, "messages": [HI]})
    given = {"Content_Type": "application/json", "Content_Encoding": "gzip"} | bearer
    status, _, _ = await raw(line, "POST", PUSH, gzip.compress(body), **given)
    assert status == 200
    assert len(await line.received(friend)) == 1
    status, answer, _ = await raw(line, "POST", PUSH, b"not gzip at all", **given)
    assert status == 400
    assert answer["message"]


async def test_a_bomb(line, bearer):
    bomb = gzip.compress(b" " * 60_000_000)
    given = {"Content_Type": "application/json", "Content_Encoding": "gzip"} | bearer
    status, _, _ = await raw(line, "POST", PUSH, bomb, **given)
    assert status == 413


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, 9_000_000])
async def test_too_large(line, bearer, size):
    given = {"Content_Type": "application/json"} | bearer
    status, answer, headers = await raw(line, "POST", PUSH, b"x" * size, **given)
    assert status == 413
    assert answer["message"]
    assert headers["x-line-request-id"]


async def test_just_small_enough(line, bearer):
    friend = await line.new_friend()
    body = orjson.dumps({"to": friend, "messages": [HI]})
    body += b" " * (2 * 1024 * 1024 - len(body))
    given = {"Content_Type": "application/json"} | bearer
    status, _, _ = await raw(line, "POST", PUSH, body, **given)
    assert status == 200


@pytest.mark.parametrize("path", [PUSH, "/v2/bot/message/multicast", "/v2/bot/message/broadcast"])
async def test_retry_keys_where_they_are_known(line, api, path):
    answer = await api.call("POST", path, {"messages": [HI]}, X_Line_Retry_Key="not a uuid")
    assert answer.status == 400
    assert "retry key" in answer.json["message"].lower()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/bot/message/reply"),
        ("POST", "/v2/bot/message/validate/push"),
        ("GET", "/v2/bot/info"),
        ("POST", "/v2/bot/richmenu"),
    ],
)
async def test_retry_keys_where_they_are_not(api, method, path):
    body = {"messages": [HI]} if method == "POST" else None
    answer = await api.call(method, path, body, X_Line_Retry_Key=str(uuid.uuid4()))
    assert answer.status == 400
    assert "X-Line-Retry-Key" in answer.json["message"]


async def test_a_refused_request_leaves_its_retry_key_free(line, api):
    key, friend = str(uuid.uuid4()), await line.new_friend()
    assert (await api.push(friend, {"type": "text"}, retry_key=key)).status == 400
    assert (await api.push(friend, HI, retry_key=key)).status == 200
    again = await api.push(friend, HI, retry_key=key.upper())
    assert again.status == 409
    assert again.json["message"] == "The retry key is already accepted"
    assert again.json["sentMessages"][0]["id"]


async def test_request_ids_are_uuids_and_never_the_same(line, api):
    asked = [api.call("GET", "/v2/bot/info") for _ in range(20)]
    ids = {answer.headers["x-line-request-id"] for answer in await asyncio.gather(*asked)}
    assert len(ids) == 20
    assert all(str(uuid.UUID(one)) == one for one in ids)


async def test_the_rate_limit_says_when_it_is_over(line, api):
    answers = [await api.call("POST", "/v2/bot/channel/webhook/test", {}) for _ in range(61)]
    last = answers[-1]
    assert last.status == 429
    assert last.json == {"message": "The API rate limit has been exceeded. Try again later."}
    assert "Retry-After" not in last.headers, "LINE sends none"
    other = await api.call("GET", "/v2/bot/info")
    assert other.status == 200
