"""Groups and rooms: the account's operations, sending, mentions, quota."""

from __future__ import annotations

from typing import Any

import pytest

from line_emulator.pytest_plugin import Line

from .conftest import Api, Bot

Json = dict[str, Any]
NOBODYS_GROUP = "C" + "0" * 32
NOBODYS_ROOM = "R" + "0" * 32


async def _people(line: Line, count: int, **attributes: Any) -> list[str]:
    return [one["id"] for one in await line.create_users(count, **attributes)]


async def _chat(line: Line, people: list[str], **settings: Any) -> str:
    return (await line.call("POST", "/groups", {"members": people} | settings))["id"]


async def _texts(line: Line, chat: str) -> list[str]:
    entries = (await line.call("GET", f"/groups/{chat}"))["entries"]
    return [
        message["message"]["text"]
        for entry in entries
        if entry["kind"] == "received"
        for message in entry["messages"]
    ]


async def test_summary_count_profile(line: Line, api: Api) -> None:
    people = await _people(line, 3, name="花子", picture=False)
    group = await _chat(line, people, name="同窓会")
    bare = await _chat(line, people, name="無地", picture=False)
    summary = (await api.call("GET", f"/v2/bot/group/{group}/summary")).json
    assert (summary["groupId"], summary["groupName"]) == (group, "同窓会")
    async with api.session.get(summary["pictureUrl"]) as picture:
        assert picture.content_type == "image/svg+xml"
    assert "pictureUrl" not in (await api.call("GET", f"/v2/bot/group/{bare}/summary")).json
    assert (await api.call("GET", f"/v2/bot/group/{group}/members/count")).json == {"count": 3}
    # Members are known whether they are friends, strangers or have blocked the account.
    await line.follow(people[1])
    await line.block(people[1])
    for one in people:
        profile = (await api.call("GET", f"/v2/bot/group/{group}/member/{one}")).json
        assert profile == {"displayName": "花子", "userId": one}


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("group/x/summary", 400, "The value for the 'groupId' parameter is invalid"),
        (f"group/{NOBODYS_ROOM}/summary", 400, "The value for the 'groupId' parameter is invalid"),
        (f"group/{NOBODYS_GROUP}/summary", 404, "Not found"),
        (f"group/{NOBODYS_GROUP}/members/count", 404, "Not found"),
        (f"group/{NOBODYS_GROUP}/members/ids", 404, "Not found"),
        (f"room/{NOBODYS_GROUP}/members/count", 400, "The value for the 'roomId' parameter is "
         "invalid"),
        (f"room/{NOBODYS_ROOM}/members/ids", 404, "Not found"),
        ("room/R1/member/U1", 400, "The value for the 'roomId' parameter is invalid"),
        (f"room/{NOBODYS_ROOM}/member/U1", 400, "The value for the 'userId' parameter is invalid"),
        (f"room/{NOBODYS_ROOM}/member/U{'0' * 32}", 404, "Not found"),
    ],
)  # fmt: skip
async def test_wrong_ids(api: Api, path: str, status: int, message: str) -> None:
    reply = await api.call("GET", f"/v2/bot/{path}")
    assert (reply.status, reply.json) == (status, {"message": message})


async def test_a_group_without_the_account_is_not_found(line: Line, api: Api) -> None:
    group = await _chat(line, await _people(line, 2), account=False)
    assert (await api.call("GET", f"/v2/bot/group/{group}/summary")).status == 404
    assert (await api.call("POST", f"/v2/bot/group/{group}/leave")).status == 404
    assert (await api.push(group, {"type": "text", "text": "?"})).status == 400


async def test_ids_come_in_pages_of_a_hundred(line: Line, api: Api) -> None:
    people = await _people(line, 205)
    shy = await _people(line, 1, attributes={"consented": False})
    group = await _chat(line, people + shy)
    found: list[str] = []
    query = ""
    for size in (100, 100, 5):
        page = (await api.call("GET", f"/v2/bot/group/{group}/members/ids{query}")).json
        assert len(page["memberIds"]) == size
        found += page["memberIds"]
        query = f"?start={page.get('next')}"
    assert found == people
    assert "next" not in page
    # The one who does not want to be known is counted all the same, but is nobody.
    assert (await api.call("GET", f"/v2/bot/group/{group}/members/count")).json["count"] == 206
    assert (await api.call("GET", f"/v2/bot/group/{group}/member/{shy[0]}")).status == 404


async def test_start_tokens_are_for_one_list_and_a_day(line: Line, api: Api) -> None:
    people = await _people(line, 101)
    first, second = await _chat(line, people), await _chat(line, people)
    start = (await api.call("GET", f"/v2/bot/group/{first}/members/ids")).json["next"]
    for path in (f"group/{second}/members/ids?start={start}",
                 f"group/{first}/members/ids?start=nonsense"):  # fmt: skip
        reply = await api.call("GET", f"/v2/bot/{path}")
        assert (reply.status, reply.json) == (400, {"message": "Invalid start param"})
    await line.clock(advance=86_401)
    late = await api.call("GET", f"/v2/bot/group/{first}/members/ids?start={start}")
    assert late.status == 400


async def test_ids_are_for_verified_accounts(line: Line, api: Api) -> None:
    group = await _chat(line, await _people(line, 2))
    room = await _chat(line, await _people(line, 2), kind="room")
    await line.update_channel(line.channel["channel_id"], verified=False)
    for path in (f"group/{group}", f"room/{room}"):
        assert (await api.call("GET", f"/v2/bot/{path}/members/ids")).status == 403
        assert (await api.call("GET", f"/v2/bot/{path}/members/count")).status == 200


async def test_leaving(line: Line, api: Api, bot: Bot) -> None:
    group = await _chat(line, await _people(line, 2))
    room = await _chat(line, await _people(line, 2), kind="room")
    assert (await api.call("POST", f"/v2/bot/group/{group}/leave")).json == {}
    events = await bot.until(2)
    assert [one["type"] for one in events] == ["join", "leave"]
    assert events[1]["source"] == {"type": "group", "groupId": group}
    assert (await api.call("POST", f"/v2/bot/group/{group}/leave")).status == 404
    # A room left already is no error, one that never was is.
    for _ in range(2):
        assert (await api.call("POST", f"/v2/bot/room/{room}/leave")).status == 200
    assert (await api.call("POST", f"/v2/bot/room/{NOBODYS_ROOM}/leave")).status == 404


async def test_replies_and_pushes_reach_the_chat(line: Line, api: Api, bot: Bot) -> None:
    people = await _people(line, 3)
    group = await _chat(line, people)
    [join] = await bot.until(1)
    reply = await api.reply(join["replyToken"], {"type": "text", "text": "よろしく"})
    assert reply.status == 200
    assert reply.json["sentMessages"][0]["id"]
    assert (await api.reply(join["replyToken"], {"type": "text", "text": "?"})).status == 400
    assert (await api.push(group, {"type": "text", "text": "お知らせ"})).status == 200
    assert await _texts(line, group) == ["よろしく", "お知らせ"]
    # One's own chat with the account stays empty, and the log of arrivals has every member.
    assert await line.received(people[0]) == []
    page, _ = await line.deliveries_page()
    assert sorted(one["user"] for one in page) == sorted(people * 2)


async def test_multicast_knows_no_groups(line: Line, api: Api) -> None:
    group = await _chat(line, await _people(line, 2))
    assert (await api.multicast([group], {"type": "text", "text": "?"})).status == 400


async def test_a_push_to_a_group_counts_every_member(line: Line, api: Api, bot: Bot) -> None:
    people = await _people(line, 3)
    await line.update_channel(line.channel["channel_id"], quota=5)
    group = await _chat(line, people)
    [join] = await bot.until(1)
    used = "/v2/bot/message/quota/consumption"
    text = {"type": "text", "text": "a"}
    await api.reply(join["replyToken"], text)
    assert (await api.call("GET", used)).json["totalUsage"] == 0
    await api.push(group, text)
    assert (await api.call("GET", used)).json["totalUsage"] == 3
    refused = await api.push(group, text)
    assert (refused.status, refused.json["message"]) == (
        429,
        "You have reached your monthly limit.",
    )
    assert await _texts(line, group) == ["a", "a"]


def _mention(**mentionee: Any) -> Json:
    return {
        "type": "textV2",
        "text": "{who} こんにちは",
        "substitution": {"who": {"type": "mention", "mentionee": mentionee}},
    }


async def test_mentions_belong_into_groups(line: Line, api: Api) -> None:
    member, stranger = await _people(line, 2, state="friend")
    group = await _chat(line, [member])
    assert (await api.push(group, _mention(type="user", userId=member))).status == 200
    assert (await api.push(group, _mention(type="all"))).status == 200
    for to, who in ((group, {"type": "user", "userId": stranger}), (member, {"type": "all"})):
        refused = await api.push(to, _mention(**who))
        assert refused.status == 400
        assert refused.json["details"][0]["property"].startswith("messages[0].substitution.who")
    assert (await api.multicast([member], _mention(type="all"))).status == 400
    # The validating endpoints cannot know the addressee.
    checked = {"messages": [_mention(type="user", userId=stranger)]}
    assert (await api.call("POST", "/v2/bot/message/validate/push", checked)).status == 200


async def test_a_refused_reply_does_not_use_its_token_up(line: Line, api: Api, bot: Bot) -> None:
    friend = await line.new_friend()
    await line.say(friend, "hi")
    token = (await bot.until(1))[0]["replyToken"]
    refused = await api.reply(token, _mention(type="user", userId=friend))
    assert refused.status == 400
    assert (await api.reply(token, {"type": "text", "text": "hi"})).status == 200
    assert (await api.reply(token, {"type": "text", "text": "hi"})).status == 400


async def test_people_mention_each_other_and_the_bot(line: Line, api: Api, bot: Bot) -> None:
    short = (await line.create_users(1, name="Ann"))[0]["id"]
    long = (await line.create_users(1, name="Anna"))[0]["id"]
    shy = (await line.create_users(1, name="影", attributes={"consented": False}))[0]["id"]
    group = await _chat(line, [short, long, shy])
    name = (await api.call("GET", "/v2/bot/info")).json["displayName"]
    text = f"😀 @Anna と @Ann と @影、@{name} @All @Bob"
    await line.act(user=short, type="message", chat=group, text=text)
    told = (await bot.until(2))[-1]["message"]["mention"]["mentionees"]
    units = text.encode("utf-16-le")
    spelled = [
        units[2 * one["index"] : 2 * (one["index"] + one["length"])].decode("utf-16-le")
        for one in told
    ]
    assert spelled == ["@Anna", "@Ann", "@影", f"@{name}", "@All"]
    assert [one.get("userId") for one in told[:3]] == [long, short, None]
    assert told[3]["isSelf"] is True
    assert told[3]["userId"] == line.channel["bot_user_id"]
    assert told[4] == {"index": told[4]["index"], "length": 4, "type": "all"}


async def test_who_does_not_consent_has_no_user_id(line: Line, bot: Bot) -> None:
    shy = await _people(line, 1, attributes={"consented": False})
    group = await _chat(line, shy)
    await line.act(user=shy[0], type="message", chat=group, text="内緒")
    said = (await bot.until(2))[-1]
    assert said["source"] == {"type": "group", "groupId": group}


async def test_taps_in_a_group(line: Line, api: Api, bot: Bot) -> None:
    people = await _people(line, 2)
    group = await _chat(line, people)
    actions = [{"type": "postback", "label": "行く", "data": "go", "displayText": "行きます"},
               {"type": "message", "label": "休む", "text": "休みます"}]  # fmt: skip
    await api.push(group, {"type": "template", "altText": "出欠", "template": {
        "type": "buttons", "text": "出欠", "actions": actions}})  # fmt: skip
    await line.act(user=people[0], type="tap", chat=group, label="行く")
    await line.act(user=people[1], type="tap", chat=group, index=1)
    _, first, second = await bot.until(3)
    assert first["postback"] == {"data": "go"}
    assert first["source"] == {"type": "group", "groupId": group, "userId": people[0]}
    assert second["message"]["text"] == "休みます"
    assert (await api.reply(first["replyToken"], {"type": "text", "text": "了解"})).status == 200
    entries = (await line.call("GET", f"/groups/{group}"))["entries"]
    assert entries[-1]["messages"][0]["message"]["text"] == "了解"


async def test_unsent_in_a_group(line: Line, api: Api, bot: Bot) -> None:
    people = await _people(line, 2)
    group = await _chat(line, people)
    said = await line.act(user=people[0], type="message", chat=group, message={"type": "image"})
    path = f"/v2/bot/message/{said['messageId']}/content"
    assert (await api.call("GET", path)).status == 200
    others = await line.acts([{"user": people[1], "type": "unsend", "chat": group}])
    assert not others[0]["ok"]
    await line.act(user=people[0], type="unsend", chat=group)
    assert (await bot.until(3))[-1]["unsend"] == {"messageId": said["messageId"]}
    gone = await api.call("GET", path)
    assert (gone.status, gone.json) == (410, {"message": "The content is gone"})


async def test_what_cannot_be_done(line: Line) -> None:
    member, stranger = await _people(line, 2)
    group, room = await _chat(line, [member]), await _chat(line, [member], kind="room")
    impossible = [
        {"user": stranger, "type": "message", "chat": group, "text": "?"},
        {"user": member, "type": "message", "chat": "Cx", "text": "?"},
        {"user": member, "type": "group_invite", "chat": group, "account": True},
        {"user": member, "type": "group_remove", "chat": group, "member": stranger},
        {"user": member, "type": "group_remove", "chat": room, "member": member},
        {"user": member, "type": "follow", "chat": group},
        {"user": member, "type": "tap", "chat": group},
        {"user": member, "type": "group_create", "members": ["U1"]},
        {"user": member, "type": "message", "chat": group, "message": []},
        {"user": member, "type": "message", "chat": {}, "text": "?"},
        {"user": member, "type": "unsend", "chat": group},
    ]
    for result in await line.acts(impossible):
        assert not result["ok"]
        assert result["error"]


async def test_a_group_without_an_account_tells_nobody(line: Line, bot: Bot) -> None:
    people = await _people(line, 2)
    group = await _chat(line, people, account=False)
    await line.act(user=people[0], type="message", chat=group, text="秘密")
    await line.act(user=people[1], type="group_leave", chat=group)
    shown = await line.call("GET", f"/groups/{group}")
    assert [one["kind"] for one in shown["entries"]] == ["created", "message", "left"]
    await line.wait_webhooks_done()
    assert bot.posts == []


async def test_videos_in_groups_have_no_tracking_id(line: Line, api: Api) -> None:
    [member] = await _people(line, 1, state="friend")
    group = await _chat(line, [member])
    page = "https://example.com/a"
    video = {"type": "video", "originalContentUrl": page, "previewImageUrl": page}
    assert (await api.push(group, video)).status == 200
    refused = await api.push(group, video | {"trackingId": "t"})
    assert refused.status == 400
    assert refused.json["details"][0]["property"] == "messages[0].trackingId"
    assert (await api.push(member, video | {"trackingId": "t"})).status == 200
