"""The control API: people, acts and taps, faults, clock, logs, and its own document."""

from __future__ import annotations

import asyncio
import time
import uuid

import aiohttp
import pytest

from line_emulator import EmulatorError

CHOICES = {
    "type": "text",
    "text": "辛さは？",
    "quickReply": {
        "items": [
            {"type": "action", "action": {"type": "message", "label": "甘口", "text": "甘口で"}},
            {"type": "action", "action": {"type": "postback", "label": "辛口", "data": "hot=1",
                                          "displayText": "辛口にします"}},
        ]
    },
}  # fmt: skip
BUTTONS = {
    "type": "template",
    "altText": "x",
    "template": {
        "type": "buttons",
        "text": "?",
        "actions": [
            {"type": "uri", "label": "開く", "uri": "https://example.com/a"},
            {"type": "datetimepicker", "label": "日付", "data": "when", "mode": "date"},
            {"type": "clipboard", "label": "写す", "clipboardText": "SPRING"},
        ],
    },
}
CARD = {
    "type": "flex",
    "altText": "x",
    "contents": {
        "type": "bubble",
        "footer": {
            "type": "box",
            "layout": "vertical",
            "contents": [
                {"type": "button", "action": {"type": "message", "label": "予約", "text": "予約"}}
            ],
        },
    },
}


async def test_people_for_a_seed_are_believable_and_the_same(line):
    before = await line.create_users(30)
    await line.reset()
    after = await line.create_users(30)
    assert [u["id"] for u in before] == [u["id"] for u in after]
    assert [u["display_name"] for u in before] == [u["display_name"] for u in after]
    assert len({u["display_name"] for u in before}) > 20
    page = await line.users(after=10, limit=5)
    assert [u["id"] for u in page["users"]] == [u["id"] for u in after[10:15]]
    assert (page["next"], page["total"]) == (15, 30)


async def test_named_people_and_search(line):
    await line.create_users(3)
    made = await line.create_users(
        0, users=[{"name": "織田 信長", "attributes": {"hot": True}, "state": "blocked"}]
    )
    found = (await line.users(q="信長"))["users"]
    assert [u["id"] for u in found] == [made[0]["id"]]
    assert found[0]["attributes"] == {"hot": True}
    assert list(found[0]["channels"].values()) == ["blocked"]


async def test_reset_keeps_ids_and_tokens(line, api):
    await line.new_friend()
    before = (await line.channels())[0]
    await line.reset()
    after = (await line.channels())[0]
    assert before["access_token"] == after["access_token"]
    assert before["channel_secret"] == after["channel_secret"]
    assert (await line.state())["users"] == 0
    assert (await api.call("GET", "/v2/bot/info")).status == 200


async def test_several_channels_are_apart(line, api):
    second = await line.create_channel(name="式場", quota=5)
    friend = await line.new_stranger()
    await line.follow(friend, channel=second["channel_id"])
    await api.push(friend, CHOICES)
    assert await line.received(friend) == [], "not a friend of the first channel"
    api.token = second["access_token"]
    await api.push(friend, CHOICES)
    assert len(await line.received(friend, second["channel_id"])) == 1
    assert (await api.call("GET", "/v2/bot/message/quota")).json["value"] == 5


async def test_tap_a_quick_reply(line, api, bot):
    friend = await line.new_friend()
    await api.push(friend, CHOICES)
    await line.tap(friend, "甘口")
    await api.push(friend, CHOICES)
    await line.tap(friend, index=1)
    said, tapped = await bot.until(2)
    assert said["message"]["text"] == "甘口で"
    assert tapped["postback"] == {"data": "hot=1"}
    entries = (await line.phone(friend))["entries"]
    assert entries[-1]["body"]["displayText"] == "辛口にします"


async def test_tap_buttons(line, api, bot):
    friend = await line.new_friend()
    sent = await api.push(friend, BUTTONS, CARD)
    card = sent.json["sentMessages"][1]["id"]
    assert (await line.tap(friend, "開く"))["uri"] == "https://example.com/a"
    assert (await line.tap(friend, "写す"))["clipboard"] == "SPRING"
    await line.tap(friend, "日付", value="2026-12-24")
    await line.tap(friend, index=0, message=card)
    picked, said = await bot.until(2)
    assert picked["postback"] == {"data": "when", "params": {"date": "2026-12-24"}}
    assert said["message"]["text"] == "予約"


async def test_quick_replies_belong_to_the_last_message(line, api):
    friend = await line.new_friend()
    sent = await api.push(friend, CHOICES, CARD)
    first = sent.json["sentMessages"][0]["id"]
    for message in ("last", first):
        with pytest.raises(EmulatorError, match="no action with label '甘口'"):
            await line.tap(friend, "甘口", message=message)
    sent = await api.push(friend, CARD, CHOICES)
    with pytest.raises(EmulatorError, match="no action with label '甘口'"):
        await line.tap(friend, "甘口", message=sent.json["sentMessages"][0]["id"])
    assert await line.tap(friend, "甘口", message=sent.json["sentMessages"][1]["id"])


async def test_tap_what_is_not_there(line, api):
    friend = await line.new_friend()
    with pytest.raises(EmulatorError, match="nothing has arrived"):
        await line.tap(friend, "甘口")
    await api.push(friend, CHOICES)
    with pytest.raises(EmulatorError, match="no action with label '激辛'; there is '甘口', '辛口'"):
        await line.tap(friend, "激辛")
    with pytest.raises(EmulatorError, match="did not arrive"):
        await line.tap(friend, "甘口", message="123")


async def test_impossible_acts_do_not_stop_the_others(line, bot):
    friend = await line.new_friend()
    results = await line.acts(
        [
            {"user": friend, "type": "follow"},
            {"user": "nobody", "type": "follow"},
            {"user": friend, "type": "dance"},
            {"user": friend, "type": "unfollow"},
            {"user": friend, "type": "message", "text": "still there?"},
            {"user": friend, "type": "message", "message": {"type": "image", "data": "%"}},
            {"user": friend, "type": "unblock"},
        ]
    )
    assert [one["ok"] for one in results] == [False, False, False, True, False, False, True]
    assert "blocked" in results[4]["error"]
    assert len(await bot.until(2)) == 2


async def test_deliveries_wait_and_stream(line, api):
    friends = [u["id"] for u in await line.create_users(5, state="friend")]

    async def later() -> None:
        await asyncio.sleep(0.1)
        await api.multicast(friends, CHOICES)

    task = asyncio.create_task(later())
    started = time.monotonic()
    page, last = await line.deliveries_page(wait=10)
    assert time.monotonic() - started < 5
    await task
    assert last == 5
    assert [one["user"] for one in page] == friends
    rest, _ = await line.deliveries_page(3)
    assert [one["seq"] for one in rest] == [4, 5]
    streamed = [one["user"] async for one in line.deliveries(2, quiet=0.1)]
    assert streamed == friends[2:]


async def test_request_log_names_no_token(line, api):
    key = str(uuid.uuid4())
    answer = await api.push(await line.new_friend(), CHOICES, retry_key=key)
    rows = await line.requests()
    assert rows[-1]["path"] == "/v2/bot/message/push"
    assert rows[-1]["status"] == 200
    assert rows[-1]["retry_key"] == key
    assert rows[-1]["request_id"] == answer.headers["x-line-request-id"]
    assert line.token not in str(rows)


# Faults


async def test_500_before_and_after(line, api):
    friend = await line.new_friend()
    await line.fault("500_before", match={"path": "/v2/bot/message/push"}, nth=1)
    await line.fault("500_after", match={"path": "/v2/bot/message/push"}, nth=2)
    key = str(uuid.uuid4())
    assert (await api.push(friend, CHOICES, retry_key=key)).status == 500
    assert await line.received(friend) == []
    assert (await api.push(friend, CHOICES, retry_key=key)).status == 500
    assert len(await line.received(friend)) == 1
    assert (await api.push(friend, CHOICES, retry_key=key)).status == 409


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("kind", ["timeout", "reset"])
async def test_lost_answers(line, api, kind, accept):
    friend = await line.new_friend()
    await line.fault(kind, match={"user": friend}, count=1, accept=accept)
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        async with asyncio.timeout(0.3):
            await api.push(friend, CHOICES)
    assert len(await line.received(friend)) == (1 if accept else 0)
    assert (await api.push(friend, CHOICES)).status == 200


@pytest.mark.parametrize("kind", ["429", "401", "400"])
async def test_refusals_on_demand(line, api, kind):
    await line.fault(kind, match={"method": "get", "channel": line.channel["channel_id"]})
    assert (await api.call("GET", "/v2/bot/info")).status == int(kind)
    await line.clear_faults()
    assert (await api.call("GET", "/v2/bot/info")).status == 200


async def test_only_one_rule_strikes_and_the_others_keep_their_count(line, api):
    for kind in ("401", "429"):
        await line.fault(kind, count=1)
    statuses = [(await api.call("GET", "/v2/bot/info")).status for _ in range(3)]
    assert statuses == [401, 429, 200]


async def test_slow_and_by_chance(line, api):
    await line.fault("slow", seconds=0.2, count=1)
    started = time.monotonic()
    assert (await api.call("GET", "/v2/bot/info")).status == 200
    assert time.monotonic() - started >= 0.2
    await line.fault("429", probability=0.5)
    statuses = {(await api.call("GET", "/v2/bot/info")).status for _ in range(40)}
    assert statuses == {200, 429}


async def test_wrong_fault_rules(line):
    for rule in ({"kind": "flood"}, {"kind": "429", "match": {"colour": 1}},
                 {"kind": "429", "probability": 2}):  # fmt: skip
        with pytest.raises(EmulatorError):
            await line.faults([rule])


# Clock and document


async def test_clock(line, bot):
    frozen = await line.clock(freeze=1_800_000_000)
    assert frozen == {"now": 1_800_000_000, "now_ms": 1_800_000_000_000, "frozen": True}
    await line.follow(await line.new_stranger())
    assert (await bot.until(1))[0]["timestamp"] == 1_800_000_000_000
    assert (await line.clock(advance=60))["now"] == 1_800_000_060
    assert abs((await line.clock(real=True))["now"] - time.time()) < 5
    with pytest.raises(EmulatorError):
        await line.clock(advance=-1)


async def test_openapi_names_every_route(line):
    document = await line.call("GET", "/openapi.json")
    assert document["openapi"].startswith("3.1")
    for path in ("/_emulator/acts", "/_emulator/deliveries", "/_emulator/users/{user}/phone",
                 "/_emulator/webhooks/stats", "/_emulator/faults"):  # fmt: skip
        assert path in document["paths"]
    operations = [op for path in document["paths"].values() for op in path.values()]
    assert len({op["operationId"] for op in operations}) == len(operations)


async def test_operations(line):
    operations = await line.operations()
    assert "POST /v2/bot/message/push" in operations
    assert "GET /v2/bot/message/delivery/push" in operations
    assert len(operations) == len(set(operations))


async def test_bad_control_requests(line):
    with pytest.raises(EmulatorError, match="no such user"):
        await line.user("U0")
    with pytest.raises(EmulatorError, match="no such channel"):
        await line.update_channel("1", quota=1)
    with pytest.raises(EmulatorError, match="cannot set"):
        await line.update_channel(line.channel["channel_id"], colour="red")
    with pytest.raises(EmulatorError):
        await line.update_channel(line.channel["channel_id"], webhook={"max_events": 0})
    with pytest.raises(EmulatorError):
        await line.create_users(1, state="lover")
    with pytest.raises(EmulatorError):
        await line.call("POST", "/acts", {"acts": 5})
