"""What LINE grants by contract: refused without it, and working with it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import aiohttp
import pytest
from linebot.v3 import WebhookParser
from linebot.v3.messaging import (
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    PnpMessagesRequest,
    TextMessage,
)
from linebot.v3.webhooks import PnpDeliveryCompletionEvent

from line_emulator.pytest_plugin import Line

from .conftest import Api, Bot, Reply

Json = dict[str, Any]
NOT_AVAILABLE = {"message": "Access to this API is not available for your account"}
PUSH = "/bot/pnp/push"
TEMPLATED = "/v2/bot/message/pnp/templated/push"
NOBODY = hashlib.sha256(b"+810000000000").hexdigest()


async def _digest(line: Line, user: str) -> str:
    told = await line.call("GET", f"/users/{user}/telephone")
    assert hashlib.sha256(told["number"].encode()).hexdigest() == told["sha256"]
    return told["sha256"]


def _template(to: str, **changes: Any) -> Json:
    body = {
        "emphasizedItem": {"itemKey": "date_002_ja", "content": "8月10日(土)"},
        "items": [{"itemKey": "number_001_ja", "content": "1234567"}],
        "buttons": [{"buttonKey": "contact_ja", "url": "https://example.com/c"}],
    }
    return {"to": to, "templateKey": "shipment_completed_ja", "body": body | changes}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", PUSH, {"to": NOBODY, "messages": []}, 403, NOT_AVAILABLE["message"]),
        ("POST", TEMPLATED, _template(NOBODY), 403, NOT_AVAILABLE["message"]),
        ("POST", "/shop/v3/mission", {}, 403, "not allowed to use the API"),
        ("POST", f"/v2/bot/chat/U{'0' * 32}/control/acquire", {}, 403, NOT_AVAILABLE["message"]),
        ("POST", f"/v2/bot/chat/U{'0' * 32}/control/release", None, 403, NOT_AVAILABLE["message"]),
        ("GET", "/v2/bot/list", None, 403, NOT_AVAILABLE["message"]),
        ("POST", "/v2/bot/channel/detach", {"botId": "x"}, 400,
         "user/group/room Id is not available."),
    ],
)  # fmt: skip
async def test_without_contract(
    api: Api, method: str, path: str, body: Any, status: int, message: str
) -> None:
    reply = await api.call(method, path, body)
    assert (reply.status, reply.json) == (status, {"message": message})


async def test_detaching_what_is_no_module(line: Line, api: Api) -> None:
    mine = {"botId": line.channel["bot_user_id"]}
    reply = await api.call("POST", "/v2/bot/channel/detach", mine)
    assert (reply.status, reply.json) == (400, {"message": "Specified channel is not detachable"})


# LINE notification messages


async def test_notifications_reach_strangers_by_number(line: Line, api: Api, bot: Bot) -> None:
    await line.call("PATCH", "/contracts", {"notification": True})
    await line.update_channel(line.channel["channel_id"], quota=0)
    stranger = await line.new_stranger(attributes={"phone": "+818000001234"})
    to = await _digest(line, stranger)
    assert to == "d41e0ad70dddfeb68f149ad6fc61574b9c5780ab7bcb2fba5517771ffbb2409c"
    text = {"type": "text", "text": "発送しました"}
    body = {"to": to, "messages": [text, text]}
    assert (await api.call("POST", PUSH, body)).json == {}
    tag = "0123456789abcdef"
    assert (await api.call("POST", PUSH, body, X_Line_Delivery_Tag=tag)).status == 200
    assert len(await line.received(stranger)) == 4
    events = await bot.until(2)
    assert [one["delivery"]["data"] for one in events] == [to, tag]
    parser = WebhookParser(line.secret)
    for headers, raw in bot.posts:
        for event in parser.parse(raw.decode(), headers["x-line-signature"]):
            assert isinstance(event, PnpDeliveryCompletionEvent)
            assert event.source is None
    await line.clock(advance=86_400)
    day = _yesterday(await line.clock())
    for kind, count in (("pnp", 2), ("pnp/templated", 0), ("push", 0)):
        path = f"/v2/bot/message/delivery/{kind}?date={day}"
        assert (await api.call("GET", path)).json == {"status": "ready", "success": count}
    # Notification messages are paid for in another way.
    assert (await api.call("GET", "/v2/bot/message/quota/consumption")).json["totalUsage"] == 0


def _yesterday(clock: Json) -> str:
    from datetime import datetime, timedelta, timezone

    now = datetime.fromtimestamp(clock["now"], timezone(timedelta(hours=9)))
    return (now - timedelta(days=1)).strftime("%Y%m%d")


async def test_notifications_that_do_not_arrive(line: Line, api: Api, bot: Bot) -> None:
    await line.call("PATCH", "/contracts", {"notification": True})
    text = {"type": "text", "text": "a"}
    nobody = await api.call("POST", PUSH, {"to": NOBODY, "messages": [text]})
    assert (nobody.status, nobody.json) == (422, {"message": "Failed to send messages"})
    blocker = await line.new_friend()
    await line.block(blocker)
    unwilling = await line.new_friend(attributes={"notification": False})
    for user in (blocker, unwilling):
        body = {"to": await _digest(line, user), "messages": [text]}
        assert (await api.call("POST", PUSH, body)).status == 200
        assert await line.received(user) == []
    await line.wait_webhooks_done()
    assert [one["type"] for one in bot.events] == ["unfollow"]


async def test_wrong_notifications(line: Line, api: Api) -> None:
    await line.call("PATCH", "/contracts", {"notification": True})
    text = {"type": "text", "text": "a"}
    wrong = await api.call("POST", PUSH, {"to": "+818000001234", "messages": [text]})
    assert (wrong.status, wrong.json["details"]) == (
        400, [{"message": "The value must be a valid SHA-256 digest.", "property": "to"}]
    )  # fmt: skip
    to = await _digest(line, await line.new_friend())
    photo = {"type": "image", "originalContentUrl": "https://example.com/a.jpg",
             "previewImageUrl": "https://example.com/a.jpg"}  # fmt: skip
    for messages in ([], [text] * 6, [photo]):
        assert (await api.call("POST", PUSH, {"to": to, "messages": messages})).status == 400
    good = {"to": to, "messages": [text]}
    for tag in ("short", "x" * 101):
        assert (await api.call("POST", PUSH, good, X_Line_Delivery_Tag=tag)).status == 400
    retry = "123e4567-e89b-42d3-a456-426614174000"
    assert (await api.call("POST", PUSH, good, X_Line_Retry_Key=retry)).status == 400


async def test_templates(line: Line, api: Api, bot: Bot) -> None:
    await line.call("PATCH", "/contracts", {"notification_templates": True})
    user = await line.new_friend()
    to = await _digest(line, user)
    sent = await api.call("POST", TEMPLATED, _template(to))
    assert (sent.status, sent.json) == (202, {})
    [shown] = await line.received(user)
    assert shown["type"] == "flex"
    assert "1234567" in str(shown["contents"])
    # What is shown is itself a message that LINE would take.
    checked = await api.call("POST", "/v2/bot/message/validate/push", {"messages": [shown]})
    assert checked.status == 200
    assert (await bot.until(1))[0]["delivery"] == {"data": to}


@pytest.mark.parametrize(
    ("changes", "message", "detail", "property"),
    [
        ({"items": [{"itemKey": "datetime_000", "content": "a"}]},
         "The request body has 1 invalid key(s).",
         "The specified item key does not exist: datetime_000", "body.items[0].itemKey"),
        ({"items": [{"itemKey": "date_002_ja", "content": "a"}]},
         "The request body has 1 error(s)",
         "Duplicate itemKey in items or between emphasizedItem and items are not allowed: "
         "date_002_ja", "body.emphasizedItem.itemKey"),
        ({"emphasizedItem": {"itemKey": "date_002_ja", "content": "あ" * 16}},
         "The request body has 1 error(s)", "Length must be between 0 and 15",
         "body.emphasizedItem.content"),
    ],
)  # fmt: skip
async def test_wrong_templates(
    line: Line, api: Api, changes: Json, message: str, detail: str, property: str
) -> None:
    await line.call("PATCH", "/contracts", {"notification_templates": True})
    to = await _digest(line, await line.new_friend())
    wrong = await api.call("POST", TEMPLATED, _template(to, **changes))
    assert wrong.status == 400
    assert wrong.json == {
        "message": message, "details": [{"message": detail, "property": property}]
    }  # fmt: skip
    unknown = await api.call("POST", TEMPLATED, _template(to) | {"templateKey": "reserve_004"})
    assert (unknown.status, unknown.json["message"]) == (400, "Invalid templateKey: reserve_004")


async def test_the_sdk_notifies(line: Line) -> None:
    await line.call("PATCH", "/contracts", {"notification": True})
    user = await line.new_stranger()
    to = await _digest(line, user)
    async with AsyncApiClient(Configuration(host=line.url, access_token=line.token)) as client:
        bot = AsyncMessagingApi(client)
        request = PnpMessagesRequest(to=to, messages=[TextMessage(text="どうぞ")])
        await bot.push_messages_by_phone(request, x_line_delivery_tag="0123456789abcdef")
        counted = await bot.get_pnp_message_statistics("20200101")
        assert counted.status == "ready"
    assert [one["text"] for one in await line.received(user)] == ["どうぞ"]


# Modules


async def test_leading_for_a_while(line: Line, api: Api, bot: Bot) -> None:
    await line.call("PATCH", "/contracts", {"module": True})
    friend, stranger = await line.new_friend(), await line.new_stranger()
    acquire = f"/v2/bot/chat/{friend}/control/acquire"
    assert (await api.call("POST", acquire, {"expired": True, "ttl": 60})).status == 200
    await line.say(friend, "一")
    await line.clock(advance=61)
    await line.say(friend, "二")
    events = await bot.until(3)
    # The end of the time is not told, only felt.
    assert [(one["type"], one["mode"]) for one in events] == [
        ("activated", "active"), ("message", "active"), ("message", "standby")
    ]  # fmt: skip
    assert "replyToken" not in events[2]
    for path, status in (("x", 400), (stranger, 404), ("C" + "0" * 32, 404)):
        wrong = await api.call("POST", f"/v2/bot/chat/{path}/control/acquire", {})
        assert wrong.status == status
    for ttl in (0, 365 * 86_400 + 1, "1"):
        assert (await api.call("POST", acquire, {"ttl": ttl})).status == 400
    assert (await api.call("POST", "/v2/bot/chat/x/control/release")).status == 400
    # Null is as good as absent.
    assert (await api.call("POST", acquire, {"ttl": None, "expired": None})).status == 200
    assert (await api.call("POST", "/v2/bot/channel/detach", {"botId": None})).status == 400


async def test_leading_for_ever_in_a_group(line: Line, api: Api, bot: Bot) -> None:
    await line.call("PATCH", "/contracts", {"module": True})
    people = [one["id"] for one in await line.create_users(2)]
    group = (await line.call("POST", "/groups", {"members": people}))["id"]
    await api.call("POST", f"/v2/bot/chat/{group}/control/acquire", {"expired": False})
    await line.clock(advance=400 * 86_400)
    await line.act(user=people[0], type="message", chat=group, text="やあ")
    join, activated, said = await bot.until(3)
    assert (join["mode"], activated["type"], said["mode"]) == ("standby", "activated", "active")
    assert activated["source"] == {"type": "group", "groupId": group}


async def _attach(line: Line, given: str, basic: bool = False, **form: str) -> Reply:
    channel = line.channel
    fields = {"grant_type": "authorization_code", "code": given,
              "redirect_uri": "https://example.com/auth"}  # fmt: skip
    headers: dict[str, str] = {}
    if basic:
        pair = f"{channel['channel_id']}:{channel['channel_secret']}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    else:
        fields |= {"client_id": channel["channel_id"], "client_secret": channel["channel_secret"]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{line.url}/module/auth/v1/token", data=fields | form, headers=headers
        ) as answer,
    ):
        return Reply(answer.status, await answer.json(), answer.headers)


async def test_attaching(line: Line, api: Api, bot: Bot) -> None:
    assert (await _attach(line, "x")).status == 403
    await line.call("PATCH", "/contracts", {"module": True})
    bot_id = line.channel["bot_user_id"]
    listed = (await api.call("GET", "/v2/bot/list")).json
    assert [one["userId"] for one in listed["bots"]] == [bot_id]
    assert (await api.call("POST", "/v2/bot/channel/detach", {"botId": bot_id})).status == 200
    assert (await api.call("GET", "/v2/bot/list")).json == {"bots": []}
    assert (await api.call("POST", "/v2/bot/channel/detach", {"botId": bot_id})).status == 400
    for basic in (False, True):
        code = (await line.call("POST", "/contracts/module-code"))["code"]
        for wrong in ({"code": "x"}, {"grant_type": "x"}, {"client_secret": "x"}):
            if not (basic and "client_secret" in wrong):
                assert (await _attach(line, code, basic, **wrong)).status == 400
        done = await _attach(line, code, basic)
        assert (done.status, done.json) == (
            200, {"bot_id": bot_id, "scopes": ["message:send", "message:receive"]}
        )  # fmt: skip
        assert (await _attach(line, code, basic)).status == 400
    code = (await line.call("POST", "/contracts/module-code"))["code"]
    await line.clock(advance=601)
    assert (await _attach(line, code)).status == 400
    events = await bot.until(3)
    assert [one["module"]["type"] for one in events] == ["detached", "attached", "attached"]
    assert all("source" not in one for one in events)


# Mission stickers


async def test_mission_stickers(line: Line, api: Api) -> None:
    await line.call("PATCH", "/contracts", {"mission": True, "sticker_sets": ["1234"]})
    user = await line.new_friend()
    good = {"to": user, "productType": "STICKER", "productId": "1234", "sendPresentMessage": False}
    done = await api.call("POST", "/shop/v3/mission", good)
    assert (done.status, done.json) == (200, b"")
    assert (await line.call("GET", "/contracts"))["granted"] == {user: ["1234"]}
    for change, status, message in (
        ({"to": "U" + "0" * 32}, 400, "invalid request"),
        ({"productType": "THEME"}, 400, "invalid request"),
        ({"sendPresentMessage": None}, 400, "invalid request"),
        ({"productId": "9"}, 404, "not found"),
    ):
        wrong = await api.call("POST", "/shop/v3/mission", good | change)
        assert (wrong.status, wrong.json) == (status, {"message": message})
    assert (await api.call("POST", "/shop/v3/mission", data=b"[")).status == 400
