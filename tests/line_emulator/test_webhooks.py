"""Webhooks: signatures, shapes, order, time-outs, redelivery and trouble on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from line_emulator.webhooks import sign


def test_signature_of_the_official_vector():
    body = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    secret = "8c570fa6dd201bb328f1c1eac23a96d8"
    assert sign(secret, body) == "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


async def test_every_post_is_signed(line, bot):
    await line.follow(await line.new_stranger())
    await bot.until(1)
    headers, body = bot.posts[0]
    wanted = base64.b64encode(hmac.digest(line.secret.encode(), body, hashlib.sha256)).decode()
    assert {k.lower(): v for k, v in headers.items()}["x-line-signature"] == wanted
    assert bot.bodies[0]["destination"] == line.channel["bot_user_id"]


async def test_follow_unfollow_unblock(line, bot):
    user = await line.new_stranger()
    await line.follow(user)
    await line.block(user)
    await line.act(user=user, type="unblock")
    first, second, third = await bot.until(3)
    assert first["follow"] == {"isUnblocked": False}
    assert first["source"] == {"type": "user", "userId": user}
    assert first["mode"] == "active"
    assert first["deliveryContext"] == {"isRedelivery": False}
    assert len(first["webhookEventId"]) == 26
    assert first["replyToken"]
    assert second["type"] == "unfollow"
    assert "replyToken" not in second
    assert third["follow"] == {"isUnblocked": True}
    assert len({e["webhookEventId"] for e in (first, second, third)}) == 3


async def test_one_persons_events_stay_in_order(line, bot):
    await line.update_channel(
        line.channel["channel_id"], webhook={"max_events": 2, "concurrency": 8, "gather": 0}
    )
    bot.slow = 0.01
    people = [await line.new_friend() for _ in range(4)]
    await line.acts(
        {"user": user, "type": "message", "text": str(n)} for n in range(12) for user in people
    )
    await line.wait_webhooks_done()
    for user in people:
        said = [e["message"]["text"] for e in bot.events if e["source"]["userId"] == user]
        assert said == [str(n) for n in range(12)]


async def test_quick_events_share_a_post(line, bot):
    people = [u["id"] for u in await line.create_users(40, state="friend")]
    await line.acts({"user": user, "type": "message", "text": "hi"} for user in people)
    await line.wait_webhooks_done()
    assert len(bot.events) == 40
    assert len(bot.posts) < 20
    assert max(len(body["events"]) for body in bot.bodies) <= 10


async def test_failure_without_redelivery_is_lost(line, bot):
    bot.answer = lambda _: 500
    await line.follow(await line.new_stranger())
    stats = await line.wait_webhooks_done()
    assert (stats["failed"], stats["ok"], len(bot.posts)) == (1, 0, 1)
    errors = (await line.webhook_stats())["channels"][0]["errors"]
    assert errors[0]["reason"] == "ERROR_STATUS_CODE"
    assert errors[0]["detail"] == "500"


async def test_redelivery_keeps_id_token_and_timestamp(line, bot):
    await line.update_channel(
        line.channel["channel_id"],
        redelivery=True,
        webhook={"redelivery_delays": [0.02, 0.02, 0.02]},
    )
    bot.answer = lambda number: 500 if number < 3 else 200
    await line.follow(await line.new_stranger())
    stats = await line.wait_webhooks_done()
    assert (stats["ok"], stats["failed"], stats["redeliveries"]) == (1, 0, 2)
    first, second, third = bot.events
    assert [e["deliveryContext"]["isRedelivery"] for e in bot.events] == [False, True, True]
    for name in ("webhookEventId", "replyToken", "timestamp"):
        assert first[name] == second[name] == third[name]


async def test_redelivery_gives_up_in_the_end(line, bot):
    await line.update_channel(
        line.channel["channel_id"], redelivery=True, webhook={"redelivery_delays": [0.01, 0.01]}
    )
    bot.answer = lambda _: 503
    await line.follow(await line.new_stranger())
    stats = await line.wait_webhooks_done()
    assert (stats["failed"], len(bot.posts)) == (1, 3)


async def test_slow_bot_times_out(line, bot):
    await line.update_channel(line.channel["channel_id"], webhook={"timeout": 0.1})
    bot.slow = 0.5
    await line.follow(await line.new_stranger())
    stats = await line.wait_webhooks_done()
    assert (stats["timeouts"], stats["failed"]) == (1, 1)


async def test_two_seconds_by_default(line):
    assert (await line.channels())[0]["webhook"]["timeout"] == 2.0


async def test_a_bot_that_is_not_there(line):
    await line.set_webhook("http://127.0.0.1:9/callback")
    await line.follow(await line.new_stranger())
    await line.wait_webhooks_done()
    errors = (await line.webhook_stats())["channels"][0]["errors"]
    assert errors[0]["reason"] == "COULD_NOT_CONNECT"


async def test_no_webhook_in_use_sends_nothing(line, bot):
    await line.set_webhook(bot.url, use_webhook=False)
    result = await line.follow(await line.new_stranger())
    assert result["posted"] is False
    assert (await line.wait_webhooks_done())["unsent"] == 1
    assert bot.posts == []


async def test_duplicates_on_demand(line, bot):
    await line.duplicate_webhooks(4)
    await line.follow(await line.new_stranger())
    await line.wait_webhooks_done()
    assert len(bot.events) == 5
    assert len({e["webhookEventId"] for e in bot.events}) == 1


async def test_reordering_on_demand(line, bot):
    await line.reorder_webhooks(0.05)
    friend = await line.new_friend()
    await line.acts({"user": friend, "type": "message", "text": str(n)} for n in range(30))
    await line.wait_webhooks_done()
    said = [int(e["message"]["text"]) for e in bot.events]
    assert sorted(said) == list(range(30))
    assert said != list(range(30))


async def test_delay_on_demand(line, bot):
    await line.delay_webhooks(0.3)
    started = time.monotonic()
    await line.follow(await line.new_stranger())
    await line.wait_webhooks_done()
    assert time.monotonic() - started >= 0.3


async def test_redeliver_on_demand(line, bot):
    await line.follow(await line.new_stranger())
    await line.wait_webhooks_done()
    assert await line.redeliver(5) == 1
    await line.wait_webhooks_done()
    first, second = bot.events
    assert second["deliveryContext"] == {"isRedelivery": True}
    assert first["webhookEventId"] == second["webhookEventId"]


async def test_standby_events_carry_no_reply_token(line, bot):
    await line.update_channel(line.channel["channel_id"], mode="standby")
    await line.follow(await line.new_stranger())
    event = (await bot.until(1))[0]
    assert event["mode"] == "standby"
    assert "replyToken" not in event


async def test_raw_events_go_out_as_they_are(line, bot):
    friend = await line.new_friend()
    odd = {"type": "somethingNew", "source": None, "replyToken": [1]}
    await line.act(user=friend, type="raw", event=odd)
    await line.act(user=friend, type="raw", event={"type": "beacon"}, fill=True)
    first, second = await bot.until(2)
    assert first == odd
    assert second["type"] == "beacon"
    assert second["webhookEventId"]


async def test_reset_forgets_what_is_on_its_way(line, bot):
    bot.slow = 5
    await line.follow(await line.new_stranger())
    await bot.until(1)
    await line.reset()
    assert (await line.webhook_stats())["total"]["pending"] == 0
