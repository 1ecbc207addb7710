"""All webhook events, caused by what people do, as the official SDK's parser understands them."""

from __future__ import annotations

import json
from typing import Any

import pytest_asyncio
from linebot.v3 import WebhookParser
from linebot.v3.webhooks import models

from line_emulator.pytest_plugin import Line

from .conftest import Api, Bot

Json = dict[str, Any]


class Story:
    """What happens to one friend of the bot, told event by event."""

    def __init__(self, line: Line, bot: Bot, user: str) -> None:
        self.line, self.bot, self.user = line, bot, user

    async def act(self, **act: Any) -> Json:
        return await self.line.act(**({"user": self.user} | act))

    async def told(self, count: int = 1) -> list[Any]:
        """Typed events of the last posts, all of them understood by the SDK."""
        await self.bot.until(count)
        await self.line.wait_webhooks_done()
        parser = WebhookParser(self.line.secret)
        found: list[Any] = []
        for headers, body in self.bot.posts:
            signature = {name.lower(): value for name, value in headers.items()}["x-line-signature"]
            found += parser.parse(body.decode(), signature)
        self.bot.posts.clear()
        assert len(found) == count, [type(one).__name__ for one in found]
        for one in found:
            assert type(one).__name__ != "UnknownEvent"
        return found


@pytest_asyncio.fixture
async def story(line: Line, bot: Bot) -> Story:
    return Story(line, bot, await line.new_friend())


async def test_every_kind_of_message(story: Story) -> None:
    kinds = {
        "text": models.TextMessageContent,
        "sticker": models.StickerMessageContent,
        "image": models.ImageMessageContent,
        "video": models.VideoMessageContent,
        "audio": models.AudioMessageContent,
        "file": models.FileMessageContent,
        "location": models.LocationMessageContent,
    }
    for kind, model in kinds.items():
        await story.act(type="message", message={"type": kind, "text": "こんにちは"})
        [event] = await story.told()
        assert isinstance(event, models.MessageEvent)
        assert isinstance(event.message, model), kind
        assert event.source.user_id == story.user
        assert event.reply_token


async def test_photos_sent_at_a_time_are_a_set(story: Story) -> None:
    result = await story.act(type="message", images=3)
    assert len(result["messageIds"]) == 3
    sets = [event.message.image_set for event in await story.told(3)]
    assert {one.id for one in sets} == {sets[0].id}
    assert sets[0].id
    assert sorted(one.index for one in sets) == [1, 2, 3]
    assert {one.total for one in sets} == {3}


async def test_external_content_cannot_be_fetched(story: Story, api: Api) -> None:
    there = {"type": "external", "originalContentUrl": "https://example.com/a.mp4",
             "previewImageUrl": "https://example.com/a.jpg"}  # fmt: skip
    await story.act(type="message", message={"type": "video", "contentProvider": there})
    [event] = await story.told()
    assert event.message.content_provider.type == "external"
    assert event.message.content_provider.original_content_url == "https://example.com/a.mp4"
    assert (await api.call("GET", f"/v2/bot/message/{event.message.id}/content")).status == 404


async def test_quoting_what_was_said_and_what_arrived(story: Story, api: Api, hello: Json) -> None:
    said = await story.act(type="message", text="いつ届きますか")
    sent = (await api.push(story.user, hello)).json["sentMessages"][0]["id"]
    await story.act(type="message", text="これです", quote=said["messageId"])
    await story.act(type="message", message={"type": "sticker"}, quote=sent)
    _, first, second = await story.told(3)
    assert first.message.quoted_message_id == said["messageId"]
    assert second.message.quoted_message_id == sent
    refused = await story.line.acts(
        [{"user": story.user, "type": "message", "text": "?", "quote": "123"}]
    )
    assert not refused[0]["ok"]


async def test_friendship_postback_unsend(story: Story) -> None:
    await story.act(type="unfollow")
    await story.act(type="unblock")
    await story.act(type="postback", data="a=1", params={"datetime": "2026-01-01T00:00"})
    said = await story.act(type="message", text="やっぱり")
    await story.act(type="unsend")
    gone, back, tapped, _, unsent = await story.told(5)
    assert isinstance(gone, models.UnfollowEvent)
    assert isinstance(back, models.FollowEvent)
    assert back.follow.is_unblocked is True
    assert isinstance(tapped, models.PostbackEvent)
    assert tapped.postback.params == {"datetime": "2026-01-01T00:00"}
    assert isinstance(unsent, models.UnsendEvent)
    assert unsent.unsend.message_id == said["messageId"]
    assert "replyToken" not in unsent.to_dict()


async def test_a_video_watched_to_its_end(story: Story, api: Api) -> None:
    video = {"type": "video", "originalContentUrl": "https://example.com/v.mp4",
             "previewImageUrl": "https://example.com/v.jpg", "trackingId": "spring"}  # fmt: skip
    await api.push(story.user, video)
    await story.act(type="play")
    [event] = await story.told()
    assert isinstance(event, models.VideoPlayCompleteEvent)
    assert event.video_play_complete.tracking_id == "spring"
    assert event.reply_token


async def test_beacons(story: Story) -> None:
    await story.act(type="beacon", hwid="0123456789", beacon="stay", dm="00ff")
    [event] = await story.told()
    assert isinstance(event, models.BeaconEvent)
    assert (event.beacon.hwid, event.beacon.type, event.beacon.dm) == ("0123456789", "stay", "00ff")
    stranger = await story.line.new_stranger()
    refused = await story.line.acts([{"user": stranger, "type": "beacon"}])
    assert not refused[0]["ok"]


async def test_groups_and_rooms(story: Story) -> None:
    others = [one["id"] for one in await story.line.create_users(2)]
    group = (await story.act(type="group_create", name="家族", members=others[:1]))["chat"]
    await story.act(type="group_invite", chat=group, account=True)
    await story.act(type="group_invite", chat=group, members=others[1:])
    await story.line.act(user=others[1], type="message", chat=group, text="はじめまして")
    await story.line.act(user=others[1], type="edit", chat=group, text="はじめまして！")
    await story.line.act(user=others[1], type="group_leave", chat=group)
    await story.act(type="group_remove", chat=group, account=True)
    join, came, said, edited, left, leave = await story.told(6)
    assert isinstance(join, models.JoinEvent)
    assert join.source.group_id == group
    assert join.to_dict()["source"].get("userId") is None
    assert isinstance(came, models.MemberJoinedEvent)
    assert [one.user_id for one in came.joined.members] == [others[1]]
    assert isinstance(said, models.MessageEvent)
    assert (said.source.group_id, said.source.user_id) == (group, others[1])
    assert isinstance(edited, models.MessageEditedEvent)
    assert edited.message.id == said.message.id
    assert edited.message.text == "はじめまして！"
    assert edited.message.quote_token != said.message.quote_token
    assert edited.reply_token not in (None, said.reply_token)
    assert isinstance(left, models.MemberLeftEvent)
    assert [one.user_id for one in left.left.members] == [others[1]]
    assert isinstance(leave, models.LeaveEvent)


async def test_a_room_is_joined_at_its_first_event(story: Story) -> None:
    others = [one["id"] for one in await story.line.create_users(1)]
    room = (await story.act(type="group_create", room=True, members=others, account=True))["chat"]
    assert room.startswith("R")
    await story.line.wait_webhooks_done()
    assert not story.bot.posts
    await story.act(type="message", chat=room, text="ここです")
    join, said = await story.told(2)
    assert isinstance(join, models.JoinEvent)
    assert join.source.room_id == room
    assert isinstance(said, models.MessageEvent)
    assert said.source.room_id == room
    refused = await story.line.acts(
        [{"user": story.user, "type": "edit", "chat": room, "text": "?"}]
    )
    assert "groups only" in refused[0]["error"]


async def test_memberships(story: Story) -> None:
    made = await story.line.call(
        "PUT", "/memberships", {"plans": [{"title": "ベーシック"}, {"title": "プレミアム"}]}
    )
    basic, premium = (plan["membershipId"] for plan in made["plans"])
    await story.act(type="membership_join", plan=basic)
    await story.act(type="membership_renew")
    await story.act(type="membership_join", plan=premium)
    await story.act(type="membership_leave")
    found = await story.told(5)
    assert all(isinstance(one, models.MembershipEvent) and one.reply_token for one in found)
    assert [(one.membership.type, one.membership.membership_id) for one in found] == [
        ("joined", basic), ("renewed", basic), ("left", basic), ("joined", premium),
        ("left", premium),
    ]  # fmt: skip


async def test_what_only_modules_are_told(story: Story, api: Api) -> None:
    contracts = "/contracts"
    await story.line.call("PATCH", contracts, {"module": True})
    await story.act(type="message", text="お店の人いますか")
    await api.call("POST", f"/v2/bot/chat/{story.user}/control/acquire", {"ttl": 60})
    await story.act(type="message", text="もしもし")
    await api.call("POST", f"/v2/bot/chat/{story.user}/control/release")
    for change in ({"suspended": True}, {"suspended": False}, {"attached": False},
                   {"attached": True}):  # fmt: skip
        await story.line.call("PATCH", contracts, change)
    found = await story.told(8)
    by_type = {type(one): one for one in found}
    waiting, leading = (one for one in found if isinstance(one, models.MessageEvent))
    assert (waiting.mode, waiting.reply_token) == ("standby", None)
    assert leading.mode == "active"
    assert leading.reply_token
    activated = by_type[models.ActivatedEvent]
    assert activated.chat_control.expire_at == activated.timestamp + 60_000
    assert by_type[models.DeactivatedEvent].source.user_id == story.user
    assert models.BotSuspendedEvent in by_type
    assert models.BotResumedEvent in by_type
    contents = {one.module.type: one.module for one in found if isinstance(one, models.ModuleEvent)}
    assert isinstance(contents["attached"], models.AttachedModuleContent)
    assert contents["attached"].scopes == ["message:send", "message:receive"]
    assert isinstance(contents["detached"], models.DetachedModuleContent)


async def test_account_link_as_it_is_built(story: Story) -> None:
    """The dialog itself belongs to the account link; here are only the two shapes of its event."""
    from line_emulator import events
    from line_emulator.platform import Platform, Setup

    platform = Platform(Setup(friends=1))
    channel, user = platform.channel(None), platform.user_order[0]
    linked = events.account_link(platform, channel, user.id, "n" * 10)
    failed = events.account_link(platform, channel, user.id, "n" * 10, ok=False)
    assert linked["replyToken"] in channel.reply_tokens
    assert linked["source"] == {"type": "user", "userId": user.id}
    assert "source" not in failed
    assert "replyToken" not in failed
    for event, result in ((linked, "ok"), (failed, "failed")):
        typed = models.Event.from_dict(event)
        assert isinstance(typed, models.AccountLinkEvent)
        assert typed.link.result == result


async def test_standby_gives_no_reply_token(story: Story) -> None:
    await story.line.update_channel((await story.line.channels())[0]["channel_id"], mode="standby")
    await story.act(type="message", text="?")
    [event] = await story.told()
    assert event.mode == "standby"
    assert event.reply_token is None


async def test_several_people_share_a_post_and_one_keeps_the_order(story: Story) -> None:
    people = [one["id"] for one in await story.line.create_users(5, state="friend")]
    await story.line.acts(
        [{"user": one, "type": "message", "text": str(n)} for n in range(3) for one in people]
    )
    await story.bot.until(15)
    assert max(len(body["events"]) for body in story.bot.bodies) > 1
    for one in people:
        mine = [event["message"]["text"] for event in story.bot.events
                if event["source"]["userId"] == one]  # fmt: skip
        assert mine == ["0", "1", "2"]


async def test_members_of_a_group_keep_the_order_among_each_other(story: Story) -> None:
    people = [one["id"] for one in await story.line.create_users(4)]
    made = await story.line.call("POST", "/groups", {"members": people, "name": "町内会"})
    await story.line.acts(
        [{"user": people[n % 4], "type": "message", "chat": made["id"], "text": str(n)}
         for n in range(40)]
    )  # fmt: skip
    await story.bot.until(41)
    told = [event["message"]["text"] for event in story.bot.events if event["type"] == "message"]
    assert told == [str(n) for n in range(40)]


async def test_what_cannot_be_written_is_no_act(story: Story, api: Api) -> None:
    deep: Any = "bottom"
    for _ in range(252):
        deep = [deep]
    content = {"type": "text", "text": "a", "mention": deep}
    acts = {"acts": [{"user": story.user, "type": "message", "message": content}]}
    url = f"{story.line.url}/_emulator/acts"
    async with api.session.post(url, data=json.dumps(acts)) as answer:
        [result] = (await answer.json())["results"]
    assert "too deep" in result["error"]
    await story.act(type="message", text="b")
    assert (await story.told())[0].message.text == "b"
