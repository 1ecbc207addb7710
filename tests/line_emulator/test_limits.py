"""Rate limits as the reference's table has them, and the month's quota by the emulated clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import line_emulator.api  # noqa: F401 - fills the list of operations
from line_emulator.api.operation import OPERATIONS
from line_emulator.limits import Buckets, Limit

HELLO = {"type": "text", "text": "こんにちは"}
TABLE = {
    (60, 3600): {
        "POST /v2/bot/message/narrowcast", "POST /v2/bot/message/broadcast",
        "GET /v2/bot/insight/message/delivery", "GET /v2/bot/insight/followers",
        "GET /v2/bot/insight/demographic", "GET /v2/bot/insight/message/event",
        "GET /v2/bot/insight/message/event/aggregation",
        "GET /v2/bot/insight/richmenu/{}/summary", "GET /v2/bot/insight/richmenu/{}/daily",
        "POST /v2/bot/channel/webhook/test",
    },
    (60, 60): {
        "POST /v2/bot/audienceGroup/upload", "PUT /v2/bot/audienceGroup/upload",
        "POST /v2/bot/audienceGroup/upload/byFile", "PUT /v2/bot/audienceGroup/upload/byFile",
        "POST /v2/bot/audienceGroup/click", "POST /v2/bot/audienceGroup/imp",
        "PUT /v2/bot/audienceGroup/{}/updateDescription", "DELETE /v2/bot/audienceGroup/{}",
        "GET /v2/bot/audienceGroup/{}", "GET /v2/bot/audienceGroup/list",
        "GET /v2/bot/audienceGroup/shared/{}", "GET /v2/bot/audienceGroup/shared/list",
    },
    (1000, 60): {
        "PUT /v2/bot/channel/webhook/endpoint", "GET /v2/bot/channel/webhook/endpoint",
    },
    (100, 3600): {
        "POST /v2/bot/richmenu", "DELETE /v2/bot/richmenu/{}", "DELETE /v2/bot/richmenu/alias/{}",
        "GET /v2/bot/richmenu/progress/batch",
    },
    (3, 3600): {"POST /v2/bot/richmenu/batch"},
    (10, 1): {"GET /v2/bot/richmenu/list"},
    (200, 1): {
        "POST /v2/bot/message/multicast", "GET /v2/bot/membership/subscription/{}",
        "GET /v2/bot/membership/list", "POST /v2/bot/coupon", "PUT /v2/bot/coupon/{}/close",
        "GET /v2/bot/coupon", "GET /v2/bot/coupon/{}",
    },
    (100, 1): {"POST /v2/bot/chat/loading/start"},
    (370, 1): {"POST /v2/oauth/accessToken"},
}  # fmt: skip


def _plain(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def test_every_operation_has_the_limit_of_the_table():
    """Reference, "Rate limits": whatever the table does not name may be called 2,000 times a
    second. LINE Login, LIFF and partners' endpoints have limits that nobody publishes."""
    wanted = {name: limit for limit, names in TABLE.items() for name in names}
    seen: set[str] = set()
    for one in OPERATIONS:
        name = f"{one.method} {_plain(one.path)}"
        limit = None if one.limit is None else (one.limit.requests, one.limit.seconds)
        if one.path.startswith(("/v2/bot/", "/v2/oauth/")):
            assert limit == wanted.get(name, (2000, 1)), name
        seen.add(name)
    assert set(wanted) <= seen


@pytest.mark.parametrize("limit", [Limit(3, 3600), Limit(10, 1), Limit(2000, 1)])
def test_a_bucket_is_never_fuller_than_full_and_fills_by_and_by(limit):
    buckets = Buckets()

    def taken(now: float) -> int:
        count = 0
        while buckets.take("x", limit, now):
            count += 1
        return count

    assert taken(1000.0) == limit.requests
    assert taken(1000.0 + limit.seconds / limit.requests * 2.01) == 2
    assert taken(1000.0 + limit.seconds * 50) == limit.requests


async def test_buckets_are_apart_by_channel_endpoint_and_method(line, api):
    second = await line.create_channel()
    for _ in range(10):
        assert (await api.call("GET", "/v2/bot/richmenu/list")).status == 200
    limited = await api.call("GET", "/v2/bot/richmenu/list")
    assert limited.status == 429
    assert limited.json == {"message": "The API rate limit has been exceeded. Try again later."}
    assert (await api.call("GET", "/v2/bot/info")).status == 200
    first, api.token = api.token, second["access_token"]
    assert (await api.call("GET", "/v2/bot/richmenu/list")).status == 200
    api.token = first
    await line.clock(advance=1)
    assert (await api.call("GET", "/v2/bot/richmenu/list")).status == 200


async def test_different_values_in_a_path_share_a_bucket(line, api):
    for number in range(100):
        assert (await api.call("DELETE", f"/v2/bot/richmenu/richmenu-{number:032x}")).status == 404
    assert (await api.call("DELETE", "/v2/bot/richmenu/richmenu-other")).status == 429


async def test_unlimited_lifts_rates_but_not_the_quota(line, api):
    channel = line.channel["channel_id"]
    await line.update_channel(channel, unlimited=True, quota=70)
    friend = await line.new_friend()
    for _ in range(70):
        sent = await api.call("POST", "/v2/bot/message/broadcast", {"messages": [HELLO]})
        assert sent.status == 200
    over = await api.push(friend, HELLO)
    assert (over.status, over.json) == (429, {"message": "You have reached your monthly limit."})


async def test_the_quota_is_renewed_with_the_month_in_japan(line, api):
    """Counted by UTC+9: the last hour of a month in London is already the next one in Tokyo."""
    await line.update_channel(line.channel["channel_id"], quota=1)
    friend = await line.new_friend()
    tokyo_is_a_second_before_december = datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC)
    await line.clock(freeze=tokyo_is_a_second_before_december.timestamp())
    assert (await api.push(friend, HELLO)).status == 200
    assert (await api.push(friend, HELLO)).status == 429
    used = await api.call("GET", "/v2/bot/message/quota/consumption")
    assert used.json == {"totalUsage": 1}
    await line.clock(advance=1)
    used = await api.call("GET", "/v2/bot/message/quota/consumption")
    assert used.json == {"totalUsage": 0}
    assert (await api.push(friend, HELLO)).status == 200
    assert (await api.push(friend, HELLO)).status == 429
