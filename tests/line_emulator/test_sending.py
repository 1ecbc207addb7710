"""Reply, push, multicast, broadcast: who gets what, and what the bot is told."""

from __future__ import annotations

import uuid

import pytest

TEXT = {"type": "text", "text": "hi"}


async def test_push_arrives_and_returns_id_and_quote_token(line, api):
    friend = await line.new_friend()
    answer = await api.push(friend, TEXT, {"type": "location", "title": "店", "address": "東京",
                                           "latitude": 35.6, "longitude": 139.7})  # fmt: skip
    assert answer.status == 200
    first, second = answer.json["sentMessages"]
    assert first["id"].isdigit()
    assert first["quoteToken"]
    assert "quoteToken" not in second, "a location cannot be quoted"
    assert [m["type"] for m in await line.received(friend)] == ["text", "location"]
    deliveries, last = await line.deliveries_page()
    assert last == 1
    assert deliveries[0]["user"] == friend
    assert deliveries[0]["via"] == "push"
    assert deliveries[0]["message_ids"] == [first["id"], second["id"]]
    assert deliveries[0]["request_id"] == answer.headers["x-line-request-id"]


async def test_blocked_is_200_but_not_delivered_and_not_counted(line, api, bot):
    friend = await line.new_friend()
    token = await token_of(line, bot, friend)
    await line.block(friend)
    assert (await api.push(friend, TEXT)).status == 200
    assert (await api.multicast([friend], TEXT)).status == 200
    assert (await api.reply(token, TEXT)).status == 200
    assert await line.received(friend) == []
    used = await api.call("GET", "/v2/bot/message/quota/consumption")
    assert used.json == {"totalUsage": 0}


async def test_stranger_can_be_pushed_to_for_seven_days_after_writing(line, api):
    stranger = await line.new_stranger()
    await api.push(stranger, TEXT)
    assert await line.received(stranger) == []
    await line.say(stranger, "a question")
    await api.push(stranger, TEXT)
    assert len(await line.received(stranger)) == 1
    await line.clock(advance=7 * 24 * 3600 + 1)
    assert (await api.push(stranger, TEXT)).status == 200
    assert len(await line.received(stranger)) == 1


@pytest.mark.parametrize("to", ["U" + "0" * 32, "C" + "1" * 32, "R" + "2" * 32])
async def test_push_to_who_does_not_exist(api, to):
    answer = await api.push(to, TEXT)
    assert (answer.status, answer.json) == (400, {"message": "Failed to send messages"})


async def test_push_to_no_id_at_all(api):
    answer = await api.push("yamada", TEXT)
    assert answer.json == {
        "message": "The property, 'to', in the request body is invalid (line: -, column: -)"
    }


async def test_multicast_reaches_friends_only_and_each_once(line, api):
    friends = [await line.new_friend() for _ in range(3)]
    stranger = await line.new_stranger()
    await line.block(friends[2])
    people = [*friends, stranger, friends[0], "U" + "f" * 32]
    answer = await api.multicast(people, TEXT)
    assert (answer.status, answer.json) == (200, {})
    got = {user: len(await line.received(user)) for user in (*friends, stranger)}
    assert got == {friends[0]: 1, friends[1]: 1, friends[2]: 0, stranger: 0}
    used = await api.call("GET", "/v2/bot/message/quota/consumption")
    assert used.json == {"totalUsage": 2}


async def test_multicast_limits(line, api):
    ids = [f"U{n:032x}" for n in range(501)]
    answer = await api.multicast(ids, TEXT)
    assert answer.status == 400
    assert answer.json["details"] == [{"message": "Size must be between 1 and 500",
                                       "property": "to"}]  # fmt: skip
    assert (await api.multicast(ids[:500], TEXT)).status == 200
    wrong = await api.multicast([ids[0], "x"], TEXT)
    assert wrong.json == {
        "message": "The property, to[1], in the request body is invalid (line: -, column: -)"
    }


async def test_more_than_five_messages(line, api):
    friend = await line.new_friend()
    answer = await api.push(friend, *[TEXT] * 6)
    assert answer.json == {
        "message": "The request body has 1 error(s)",
        "details": [{"message": "Size must be between 1 and 5", "property": "messages"}],
    }
    assert await line.received(friend) == []


async def test_broadcast_reaches_all_friends(line, api):
    friends = [await line.new_friend() for _ in range(3)]
    await line.new_stranger()
    answer = await api.call("POST", "/v2/bot/message/broadcast", {"messages": [TEXT]})
    assert (answer.status, answer.json) == (200, {})
    deliveries, _ = await line.deliveries_page()
    assert [one["user"] for one in deliveries] == friends
    assert {one["via"] for one in deliveries} == {"broadcast"}


async def test_body_over_two_megabytes(line, api):
    whole = b" " * (2 * 1024 * 1024 + 1)
    assert (await api.call("POST", "/v2/bot/message/push", data=whole)).status == 413

    async def in_chunks():
        for _ in range(65):
            yield b" " * 32768

    # Without a Content-Length only the bytes themselves can tell.
    assert (await api.call("POST", "/v2/bot/message/push", data=in_chunks())).status == 413
    assert (await api.call("POST", "/v2/bot/message/push", data=whole[1:])).status == 400


async def test_body_that_is_not_json(api):
    answer = await api.call("POST", "/v2/bot/message/push", data=b'{"to": \n x}')
    assert answer.status == 400
    assert answer.json["message"].startswith(
        "The request body could not be parsed as JSON (line: 2, column:"
    )


async def test_other_content_types(line, api):
    answer = await api.call("POST", "/v2/bot/message/push", {}, Content_Type="text/plain")
    assert answer.status == 415
    assert answer.json == {"message": "The content type, text/plain, is not supported"}


# Retry keys


async def test_retry_key_is_accepted_once(line, api):
    friend = await line.new_friend()
    key = str(uuid.uuid4())
    first = await api.push(friend, TEXT, retry_key=key)
    again = await api.push(friend, TEXT, retry_key=key.upper())
    assert again.status == 409
    assert again.json == {
        "message": "The retry key is already accepted",
        "sentMessages": first.json["sentMessages"],
    }
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert again.headers["x-line-request-id"] != first.headers["x-line-request-id"]
    assert len(await line.received(friend)) == 1


async def test_retry_key_of_multicast_has_no_sent_messages(line, api):
    friend = await line.new_friend()
    key = str(uuid.uuid4())
    await api.multicast([friend], TEXT, X_Line_Retry_Key=key)
    again = await api.multicast([friend], TEXT, X_Line_Retry_Key=key)
    assert (again.status, again.json) == (409, {"message": "The retry key is already accepted"})


async def test_retry_key_is_forgotten_after_a_day(line, api):
    friend = await line.new_friend()
    key = str(uuid.uuid4())
    await api.push(friend, TEXT, retry_key=key)
    await line.clock(advance=24 * 3600 - 5)
    assert (await api.push(friend, TEXT, retry_key=key)).status == 409
    await line.clock(advance=10)
    assert (await api.push(friend, TEXT, retry_key=key)).status == 200
    assert len(await line.received(friend)) == 2


async def test_retry_key_is_not_spent_by_a_refused_request(line, api):
    friend = await line.new_friend()
    key = str(uuid.uuid4())
    assert (await api.push(friend, {"type": "text", "text": ""}, retry_key=key)).status == 400
    assert (await api.push(friend, TEXT, retry_key=key)).status == 200


async def test_retry_key_must_be_a_uuid(line, api):
    assert (await api.push(await line.new_friend(), TEXT, retry_key="again")).status == 400


async def test_reply_knows_no_retry_key(line, api, bot):
    friend = await line.new_friend()
    answer = await api.call(
        "POST",
        "/v2/bot/message/reply",
        {"replyToken": await token_of(line, bot, friend), "messages": [TEXT]},
        X_Line_Retry_Key=str(uuid.uuid4()),
    )
    assert answer.status == 400
    assert await line.received(friend) == []


# Reply tokens


async def token_of(line, bot, user) -> str:
    await line.say(user, "hello")
    return (await bot.until(len(bot.events) + 1))[-1]["replyToken"]


async def test_reply_once_and_free(line, api, bot):
    friend = await line.new_friend()
    token = await token_of(line, bot, friend)
    answer = await api.reply(token, TEXT)
    assert answer.status == 200
    assert answer.json["sentMessages"][0]["id"]
    again = await api.reply(token, TEXT)
    assert (again.status, again.json) == (400, {"message": "Invalid reply token"})
    assert len(await line.received(friend)) == 1
    used = await api.call("GET", "/v2/bot/message/quota/consumption")
    assert used.json == {"totalUsage": 0}


async def test_reply_token_lives_a_minute(line, api, bot):
    friend = await line.new_friend()
    young, old = await token_of(line, bot, friend), await token_of(line, bot, friend)
    await line.clock(advance=55)
    assert (await api.reply(young, TEXT)).status == 200
    await line.clock(advance=10)
    assert (await api.reply(old, TEXT)).json == {"message": "Invalid reply token"}


async def test_invalid_message_does_not_use_the_token_up(line, api, bot):
    friend = await line.new_friend()
    token = await token_of(line, bot, friend)
    assert (await api.reply(token, {"type": "text"})).status == 400
    assert (await api.reply(token, TEXT)).status == 200


async def test_redelivered_token_gets_a_new_minute_for_twenty_minutes(line, api, bot):
    friend = await line.new_friend()
    first = await token_of(line, bot, friend)
    await line.clock(advance=300)
    assert (await api.reply(first, TEXT)).status == 400
    await line.redeliver(1)
    await bot.until(2)
    await line.wait_webhooks_done()
    assert (await api.reply(first, TEXT)).status == 200
    late = await token_of(line, bot, friend)
    await line.clock(advance=21 * 60)
    await line.redeliver(1)
    await line.wait_webhooks_done()
    assert (await api.reply(late, TEXT)).json == {"message": "Invalid reply token"}


# Quota and rate limits


async def test_quota_refuses_what_does_not_fit(line, api):
    friends = [await line.new_friend() for _ in range(3)]
    await line.update_channel(line.channel["channel_id"], quota=2)
    assert (await api.call("GET", "/v2/bot/message/quota")).json == {"type": "limited", "value": 2}
    over = await api.multicast(friends, TEXT)
    assert (over.status, over.json) == (429, {"message": "You have reached your monthly limit."})
    assert (await line.deliveries_page())[1] == 0
    assert (await api.multicast(friends[:2], TEXT)).status == 200
    assert (await api.push(friends[0], TEXT)).status == 429
    month = 32 * 24 * 3600
    await line.clock(advance=month)
    assert (await api.push(friends[0], TEXT)).status == 200


async def test_messages_are_counted_by_person_not_by_object(line, api):
    friend = await line.new_friend()
    await api.push(friend, TEXT, TEXT, TEXT)
    used = await api.call("GET", "/v2/bot/message/quota/consumption")
    assert used.json == {"totalUsage": 1}


async def test_no_quota_by_default(api):
    assert (await api.call("GET", "/v2/bot/message/quota")).json == {"type": "none"}


async def test_rate_limit_of_broadcast(line, api):
    body = {"messages": [TEXT]}
    statuses = [
        (await api.call("POST", "/v2/bot/message/broadcast", body)).status for _ in range(61)
    ]
    assert statuses == [200] * 60 + [429]
    last = await api.call("POST", "/v2/bot/message/broadcast", body)
    assert last.json == {"message": "The API rate limit has been exceeded. Try again later."}
    assert (await api.call("GET", "/v2/bot/info")).status == 200, "each endpoint has its own"
    await line.clock(advance=61)
    assert (await api.call("POST", "/v2/bot/message/broadcast", body)).status == 200
    assert (await api.call("POST", "/v2/bot/message/broadcast", body)).status == 429
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    assert (await api.call("POST", "/v2/bot/message/broadcast", body)).status == 200


async def test_delivery_counts_are_ready_the_next_day(line, api):
    await line.clock(freeze=1_790_000_000)  # 2026-09-21 in UTC+9
    friends = [await line.new_friend() for _ in range(2)]
    await api.multicast(friends, TEXT)
    path = "/v2/bot/message/delivery/multicast?date="
    assert (await api.call("GET", path + "20260921")).json == {"status": "unready"}
    await line.clock(advance=24 * 3600)
    assert (await api.call("GET", path + "20260921")).json == {"status": "ready", "success": 2}
    assert (await api.call("GET", path + "20180330")).json == {"status": "out_of_service"}
    for wrong in ("2026-09-21", "20260931", "", "２０２６０９２１"):
        answer = await api.call("GET", path + wrong)
        assert answer.json == {"message": "The value for the 'date' parameter is invalid"}


async def test_aggregation_unit_is_kept(line, api):
    friend = await line.new_friend()
    body = {"to": [friend], "messages": [TEXT], "customAggregationUnits": ["spring_sale"]}
    assert (await api.call("POST", "/v2/bot/message/multicast", body)).status == 200
    assert (await line.deliveries_page())[0][0]["unit"] == "spring_sale"
    body["customAggregationUnits"] = ["春"]
    assert (await api.call("POST", "/v2/bot/message/multicast", body)).status == 400
