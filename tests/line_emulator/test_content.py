"""What people send, while and after LINE prepares it; read marks and the loading animation."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from line_emulator.pytest_plugin import Line

from .conftest import Api, Bot

Json = dict[str, Any]
MESSAGE = "/v2/bot/message"


async def _sent(line: Line, user: str, kind: str, **content: Any) -> str:
    message = {"type": kind} | content
    return (await line.act(user=user, type="message", message=message))["messageId"]


def _picture(width: int, height: int) -> str:
    out = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 30, 30, 128)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_preparing_follows_the_clock(line: Line, api: Api, kind: str) -> None:
    await line.clock(freeze=True)
    await line.call("PATCH", "/content", {f"{kind}_seconds": 30})
    path = f"{MESSAGE}/{await _sent(line, await line.new_friend(), kind)}/content"
    for advance, status, told in ((0, 202, "processing"), (29, 202, "processing"),
                                  (1, 200, "succeeded")):  # fmt: skip
        await line.clock(advance=advance)
        got = await api.call("GET", path)
        assert got.status == status
        assert bool(got.json) is (status == 200)
        assert (await api.call("GET", f"{path}/transcoding")).json == {"status": told}


async def test_preparing_can_fail(line: Line, api: Api) -> None:
    await line.call("PATCH", "/content", {"fails": True})
    user = await line.new_friend()
    path = f"{MESSAGE}/{await _sent(line, user, 'video')}/content"
    assert (await api.call("GET", f"{path}/transcoding")).json == {"status": "failed"}
    assert (await api.call("GET", path)).status == 404
    photo = f"{MESSAGE}/{await _sent(line, user, 'image')}/content"
    assert (await api.call("GET", photo)).status == 200


async def test_only_videos_and_audio_are_prepared(line: Line, api: Api) -> None:
    user = await line.new_friend()
    for kind in ("image", "file"):
        message = await _sent(line, user, kind)
        reply = await api.call("GET", f"{MESSAGE}/{message}/content/transcoding")
        assert (reply.status, reply.json) == (
            400, {"message": "Transcoding status doesn't support this type of content"}
        )  # fmt: skip


async def test_previews_are_small_pictures(line: Line, api: Api) -> None:
    user = await line.new_friend()
    photo = await _sent(line, user, "image", data=_picture(1200, 300), contentType="image/png")
    preview = await api.call("GET", f"{MESSAGE}/{photo}/content/preview")
    assert preview.headers["Content-Type"] == "image/jpeg"
    with Image.open(io.BytesIO(preview.json)) as small:
        assert small.size == (240, 60)
    for kind, data in (("video", None), ("image", base64.b64encode(b"no picture").decode())):
        content = {} if data is None else {"data": data}
        message = await _sent(line, user, kind, **content)
        preview = await api.call("GET", f"{MESSAGE}/{message}/content/preview")
        with Image.open(io.BytesIO(preview.json)) as small:
            assert max(small.size) <= 240
    for kind in ("audio", "file"):
        message = await _sent(line, user, kind)
        reply = await api.call("GET", f"{MESSAGE}/{message}/content/preview")
        assert (reply.status, reply.json) == (400, {"message": "The content can not be previewed"})


@pytest.mark.parametrize("path", ["", "/transcoding", "/preview"])
async def test_gone_and_unknown(line: Line, api: Api, path: str) -> None:
    user = await line.new_friend()
    message = await _sent(line, user, "video")
    assert (await api.call("GET", f"{MESSAGE}/{message}/content{path}")).status == 200
    await line.act(user=user, type="unsend")
    gone = await api.call("GET", f"{MESSAGE}/{message}/content{path}")
    assert (gone.status, gone.json) == (410, {"message": "The content is gone"})
    unknown = await api.call("GET", f"{MESSAGE}/1234567/content{path}")
    assert (unknown.status, unknown.json) == (404, {"message": "not found"})


async def test_content_types_cannot_break_the_answer(line: Line, api: Api) -> None:
    user = await line.new_friend()
    data = base64.b64encode(b"x").decode()
    for given in ("image/png\r\nX-Evil: 1", "画像", 7, None):
        message = await _sent(line, user, "file", data=data, contentType=given)
        got = await api.call("GET", f"{MESSAGE}/{message}/content")
        assert got.status == 200
        assert "X-Evil" not in got.headers


async def _reads(line: Line, user: str) -> list[bool]:
    return [one["read"] for one in (await line.phone(user))["entries"]]


async def test_without_chat_everything_is_read_at_once(line: Line, bot: Bot) -> None:
    user = await line.new_friend()
    await line.say(user, "やあ")
    assert "markAsReadToken" not in (await bot.until(1))[0]["message"]
    assert await _reads(line, user) == [True]


async def test_read_up_to_a_message(line: Line, api: Api, bot: Bot) -> None:
    channel = line.channel["channel_id"]
    await line.update_channel(channel, chat_mode="chat")
    await line.clock(freeze=True)
    user, other = await line.new_friend(), await line.new_friend()
    for text in ("一", "二", "三"):
        await line.say(user, text)
        await line.clock(advance=1)
    await line.say(other, "別の人")
    assert await _reads(line, user) == [False] * 3
    tokens = [event["message"]["markAsReadToken"] for event in await bot.until(4)]
    read = "/v2/bot/chat/markAsRead"
    # It never expires.
    await line.clock(advance=400 * 86_400)
    assert (await api.call("POST", read, {"markAsReadToken": tokens[1]})).json == {}
    assert await _reads(line, user) == [True, True, False]
    # An older token takes nothing back.
    await api.call("POST", read, {"markAsReadToken": tokens[0]})
    assert await _reads(line, user) == [True, True, False]
    assert await _reads(line, other) == [False]


async def test_read_tokens_are_the_channels_own(line: Line, api: Api, bot: Bot) -> None:
    await line.update_channel(line.channel["channel_id"], chat_mode="chat")
    user = await line.new_friend()
    await line.say(user, "やあ")
    token = (await bot.until(1))[0]["message"]["markAsReadToken"]
    second = await line.create_channel()
    wrong = {"message": "Invalid markAsReadToken. Tokens must be used by the bot that received "
             "them via Webhook."}  # fmt: skip
    read = "/v2/bot/chat/markAsRead"
    for bad in ("x", "é", token[:-4] + "AAAA", token + "A", "A" * 5000):
        reply = await api.call("POST", read, {"markAsReadToken": bad})
        assert (reply.status, reply.json) == (400, wrong), bad
    stranger = Api(api.url, second["access_token"], api.session)
    reply = await stranger.call("POST", read, {"markAsReadToken": token})
    assert (reply.status, reply.json) == (400, wrong)
    assert (await api.call("POST", read, {})).status == 400


async def test_the_old_endpoint_needs_its_contract(line: Line, api: Api) -> None:
    await line.update_channel(line.channel["channel_id"], chat_mode="chat")
    user = await line.new_friend()
    await line.say(user, "やあ")
    old, body = "/v2/bot/message/markAsRead", {"chat": {"userId": user}}
    refused = await api.call("POST", old, body)
    assert (refused.status, refused.json["message"]) == (
        403, "Access to this API is not available for your account"
    )  # fmt: skip
    await line.call("PATCH", "/contracts", {"mark_as_read": True})
    assert (await api.call("POST", old, body)).json == {}
    assert await _reads(line, user) == [True]
    wrong = await api.call("POST", old, {"chat": {"userId": "x"}})
    assert (wrong.status, wrong.json["message"]) == (
        400, "The property, 'chat.chatId', in the request body is invalid (line: -, column: -)"
    )  # fmt: skip


async def test_loading(line: Line, api: Api, hello: Json) -> None:
    friend, stranger = await line.new_friend(), await line.new_stranger()
    start = "/v2/bot/chat/loading/start"
    await line.clock(freeze=True)
    assert (await api.call("POST", start, {"chatId": friend, "loadingSeconds": 5})).status == 202
    assert (await line.phone(friend))["loading"] is True
    # The second request decides how long.
    await line.clock(advance=4)
    await api.call("POST", start, {"chatId": friend, "loadingSeconds": 10})
    await line.clock(advance=9)
    assert (await line.phone(friend))["loading"] is True
    await line.clock(advance=1)
    assert (await line.phone(friend))["loading"] is False
    await api.call("POST", start, {"chatId": friend})
    await api.push(friend, hello)
    assert (await line.phone(friend))["loading"] is False
    assert (await api.call("POST", start, {"chatId": stranger})).status == 202
    assert (await line.phone(stranger))["loading"] is False
    for wrong in ({"chatId": "C" + "0" * 32}, {"chatId": friend, "loadingSeconds": 7},
                  {"chatId": friend, "loadingSeconds": 65}, {}):  # fmt: skip
        assert (await api.call("POST", start, wrong)).status == 400
