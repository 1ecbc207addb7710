"""The official SDK drives the emulator and gets typed answers; its parser takes our webhooks."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from linebot.v3 import WebhookParser
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    AsyncMessagingApiBlob,
    BroadcastRequest,
    Configuration,
    MulticastRequest,
    PushMessageRequest,
    ReplyMessageRequest,
    SetWebhookEndpointRequest,
    ShowLoadingAnimationRequest,
    TextMessage,
    ValidateMessageRequest,
)
from linebot.v3.messaging import TestWebhookEndpointRequest as WebhookTest
from linebot.v3.webhooks import FollowEvent, MessageEvent, PostbackEvent, UnfollowEvent

HI = TextMessage(text="hi")


@pytest_asyncio.fixture
async def client(line) -> AsyncIterator[AsyncApiClient]:
    configuration = Configuration(host=line.url, access_token=line.token)
    async with AsyncApiClient(configuration) as one:
        yield one


@pytest_asyncio.fixture
async def sdk(client) -> AsyncMessagingApi:
    return AsyncMessagingApi(client)


async def test_push(line, sdk):
    friend = await line.new_friend()
    key = str(uuid.uuid4())
    request = PushMessageRequest(to=friend, messages=[HI])
    sent = await sdk.push_message(request, x_line_retry_key=key)
    assert sent.sent_messages[0].quote_token
    with pytest.raises(ApiException) as refused:
        await sdk.push_message(request, x_line_retry_key=key)
    assert refused.value.status == 409
    assert [m["text"] for m in await line.received(friend)] == ["hi"]


async def test_multicast_and_broadcast(line, sdk):
    friend = await line.new_friend()
    await sdk.multicast(MulticastRequest(to=[friend], messages=[HI]))
    await sdk.broadcast(BroadcastRequest(messages=[HI]))
    assert len(await line.received(friend)) == 2


async def test_webhook_to_reply(line, sdk, bot):
    user = await line.new_stranger()
    await line.follow(user)
    await line.say(user, "hello")
    await line.act(user=user, type="message", message={"type": "sticker"})
    await line.act(user=user, type="message", message={"type": "image"})
    await line.act(user=user, type="message", message={"type": "location"})
    await line.act(user=user, type="message", message={"type": "audio"})
    await line.act(user=user, type="message", message={"type": "video"})
    await line.act(user=user, type="message", message={"type": "file"})
    await line.act(user=user, type="postback", data="a=1", params={"date": "2026-11-22"})
    await line.act(user=user, type="unsend")
    await line.block(user)
    await bot.until(11)
    parser = WebhookParser(line.secret)
    events = []
    for headers, body in bot.posts:
        signature = {k.lower(): v for k, v in headers.items()}["x-line-signature"]
        events += parser.parse(body.decode(), signature)
    assert "UnknownEvent" not in {type(event).__name__ for event in events}
    assert "UnknownMessageContent" not in {
        type(event.message).__name__ for event in events if isinstance(event, MessageEvent)
    }
    assert isinstance(events[0], FollowEvent)
    assert isinstance(events[8], PostbackEvent)
    assert isinstance(events[10], UnfollowEvent)
    with pytest.raises(ApiException):
        await sdk.reply_message(ReplyMessageRequest(reply_token="x", messages=[HI]))
    sent = await sdk.reply_message(
        ReplyMessageRequest(reply_token=events[1].reply_token, messages=[HI])
    )
    assert sent.sent_messages[0].id
    assert await line.received(user) == [], "blocked in the meantime"


async def test_readings(line, sdk):
    friend = await line.new_friend(name="花子")
    assert (await sdk.get_profile(friend)).display_name == "花子"
    assert (await sdk.get_bot_info()).user_id == line.channel["bot_user_id"]
    assert (await sdk.get_message_quota()).type == "none"
    assert (await sdk.get_message_quota_consumption()).total_usage == 0
    assert (await sdk.get_followers()).user_ids == [friend]
    assert (await sdk.get_number_of_sent_push_messages("20200101")).success == 0
    with pytest.raises(ApiException) as gone:
        await sdk.get_profile("U" + "0" * 32)
    assert gone.value.status == 404


async def test_webhook_settings(line, sdk, bot):
    await sdk.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=bot.url))
    found = await sdk.get_webhook_endpoint()
    assert (found.endpoint, found.active) == (bot.url, True)
    tested = await sdk.test_webhook_endpoint(WebhookTest(endpoint=bot.url))
    assert tested.success is True
    assert tested.status_code == 200


@pytest.mark.parametrize("kind", ["reply", "push", "multicast", "narrowcast", "broadcast"])
async def test_validate(sdk, kind):
    validate = getattr(sdk, f"validate_{kind}")
    await validate(ValidateMessageRequest(messages=[HI]))
    with pytest.raises(ApiException) as refused:
        await validate(ValidateMessageRequest(messages=[TextMessage(text="")]))
    assert refused.value.status == 400


async def test_loading_and_content(line, sdk, client):
    friend = await line.new_friend()
    await sdk.show_loading_animation(ShowLoadingAnimationRequest(chatId=friend, loadingSeconds=10))
    said = await line.act(user=friend, type="message", message={"type": "image"})
    data = await AsyncMessagingApiBlob(client).get_message_content(said["messageId"])
    assert bytes(data)[:2] == b"\xff\xd8"
