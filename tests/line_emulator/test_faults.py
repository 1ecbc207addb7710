"""Trouble by rule, on both ways: bots calling LINE, and LINE posting to bots."""

from __future__ import annotations

import asyncio
import time

import pytest

from line_emulator import EmulatorError
from line_emulator.webhooks import sign

TEXT = {"type": "text", "text": "こんにちは"}


async def test_a_webhook_that_never_arrives(line, bot):
    friend = await line.new_friend()
    await line.fault("500_before", on="webhook", nth=1)
    await line.say(friend, "lost")
    total = await line.wait_webhooks_done()
    assert (total["failed"], bot.events) == (1, [])
    await line.say(friend, "there")
    assert [one["message"]["text"] for one in await bot.until(1)] == ["there"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("500_after", "ERROR_STATUS_CODE"), ("timeout", "REQUEST_TIMEOUT"),
     ("reset", "COULD_NOT_CONNECT")],
)  # fmt: skip
async def test_line_did_not_hear_the_answer_and_redelivers(line, bot, kind, reason):
    channel = line.channel["channel_id"]
    settings = {"redelivery": True, "redelivery_delays": [0.05], "timeout": 0.3}
    await line.update_channel(channel, webhook=settings)
    friend = await line.new_friend()
    await line.fault(kind, on="webhook", accept=True, count=1)
    await line.say(friend, "twice")
    await line.wait_webhooks_done()
    first, second = bot.events
    assert first["webhookEventId"] == second["webhookEventId"]
    assert [one["deliveryContext"]["isRedelivery"] for one in bot.events] == [False, True]
    stats = (await line.webhook_stats())["channels"][0]
    assert [one["reason"] for one in stats["errors"]] == [reason]
    assert stats["ok"] == 1


async def test_a_forged_webhook(line, bot):
    friend = await line.new_friend()
    await line.fault("signature", on="webhook", nth=2)
    for text in ("real", "forged", "real"):
        await line.say(friend, text)
        await line.wait_webhooks_done()
    for headers, body in bot.posts:
        lower = {name.lower(): value for name, value in headers.items()}
        right = lower["x-line-signature"] == sign(line.secret, body)
        assert right == (b"forged" not in body)


async def test_rules_of_one_side_leave_the_other_alone(line, api, bot):
    friend = await line.new_friend()
    await line.fault("500_before", on="webhook")
    await line.fault("500_before", match={"path": "/v2/bot/message"})
    assert (await api.push(friend, TEXT)).status == 500
    await line.say(friend, "?")
    await line.wait_webhooks_done()
    rules = (await line.call("GET", "/faults"))["rules"]
    assert [(one["on"], one["seen"], one["struck"]) for one in rules] == [
        ("webhook", 1, 1),
        ("api", 1, 1),
    ]


async def test_a_slow_webhook_is_late_but_arrives(line, bot):
    friend = await line.new_friend()
    await line.fault("slow", on="webhook", seconds=0.3)
    started = time.monotonic()
    await line.say(friend, "slow")
    await bot.until(1)
    assert time.monotonic() - started >= 0.3


async def test_only_this_person_is_struck(line, api):
    unlucky, lucky = await line.new_friend(), await line.new_friend()
    await line.fault("500_before", match={"user": unlucky})
    assert (await api.push(lucky, TEXT)).status == 200
    assert (await api.push(unlucky, TEXT)).status == 500
    assert (await api.multicast([lucky, unlucky], TEXT)).status == 500


async def test_nth_as_a_list_and_count(line, api):
    await line.fault("429", nth=[2, 4])
    got = [(await api.call("GET", "/v2/bot/info")).status for _ in range(5)]
    assert got == [200, 429, 200, 429, 200]
    await line.clear_faults()
    await line.fault("401", count=2)
    got = [(await api.call("GET", "/v2/bot/info")).status for _ in range(4)]
    assert got == [401, 401, 200, 200]


async def test_chances_fall_the_same_for_a_seed(line, api):
    async def fall() -> list[int]:
        await line.reset()
        await line.fault("429", probability=0.5)
        return [(await api.call("GET", "/v2/bot/info")).status for _ in range(20)]

    first = await fall()
    assert first == await fall()
    assert 2 < first.count(429) < 18


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "429", "on": "webhook"},
        {"kind": "signature"},
        {"kind": "429", "on": "moon"},
        {"kind": "429", "nth": 0},
        {"kind": "429", "nth": "2"},
        {"kind": "429", "nth": []},
        {"kind": "429", "count": "many"},
        {"kind": "429", "count": -1},
        {"kind": "slow", "seconds": -1},
        {"kind": "slow", "seconds": 1e9},
        {"kind": "slow", "seconds": "1"},
        {"kind": "429", "probability": True},
        {"kind": "429", "match": {"path": 5}},
        {"kind": "429", "match": ["/v2"]},
        {"kind": ["429"]},
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(line, api, rule):
    with pytest.raises(EmulatorError):
        await line.faults([rule])
    assert (await api.call("GET", "/v2/bot/info")).status == 200
    assert (await line.call("GET", "/faults"))["rules"] == []


# Trouble with webhooks on demand


async def test_duplicates_reordering_and_delay_together(line, bot):
    friend = await line.new_friend()
    await line.duplicate_webhooks(1)
    await line.reorder_webhooks(0.2)
    await line.delay_webhooks(0.1)
    for number in range(8):
        await line.say(friend, str(number))
    await line.wait_webhooks_done()
    await asyncio.sleep(0.05)
    ids = [one["webhookEventId"] for one in bot.events]
    assert len(ids) == 16
    assert all(ids.count(one) == 2 for one in ids)
    order = list(dict.fromkeys(one["message"]["text"] for one in bot.events))
    assert sorted(order) == [str(number) for number in range(8)]
    assert order != sorted(order)


async def test_a_standby_channel_gets_no_reply_token(line, bot):
    await line.update_channel(line.channel["channel_id"], mode="standby")
    await line.say(await line.new_friend(), "?")
    (event,) = await bot.until(1)
    assert event["mode"] == "standby"
    assert "replyToken" not in event
