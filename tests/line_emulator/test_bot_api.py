"""Everything but sending: authentication, tokens, profile, followers, webhook settings, content."""

from __future__ import annotations

import pytest


async def test_without_and_with_a_wrong_token(line, api):
    missing = await api.call("GET", "/v2/bot/info", Authorization="")
    assert missing.status == 401
    assert missing.json["message"].startswith("Authentication failed due to the following reason:")
    api.token = "wrong"
    wrong = await api.call("GET", "/v2/bot/info")
    assert wrong.status == 401
    assert "invalid token" in wrong.json["message"]
    assert wrong.headers["x-line-request-id"]


async def test_request_ids_differ_and_unknown_paths_have_one(api):
    ids = {(await api.call("GET", "/v2/bot/info")).headers["x-line-request-id"] for _ in range(3)}
    assert len(ids) == 3
    unknown = await api.call("GET", "/v2/bot/nowhere")
    assert (unknown.status, unknown.json) == (404, {"message": "Not found"})
    assert unknown.headers["x-line-request-id"]


async def test_info(line, api):
    info = (await api.call("GET", "/v2/bot/info")).json
    assert info["userId"] == line.channel["bot_user_id"]
    assert info["basicId"].startswith("@")
    assert (info["chatMode"], info["markAsReadMode"]) == ("bot", "auto")


async def test_profile(line, api):
    friend = await line.new_friend(name="佐藤 花子", language="ja", status_message="元気です")
    profile = (await api.call("GET", f"/v2/bot/profile/{friend}")).json
    assert profile["displayName"] == "佐藤 花子"
    assert profile["statusMessage"] == "元気です"
    picture = await api.call("GET", profile["pictureUrl"].removeprefix(line.url))
    assert picture.status == 200
    assert picture.json.startswith(b"<svg")


async def test_profile_of_who_must_stay_private(line, api):
    blocked = await line.new_friend()
    await line.block(blocked)
    for user in (blocked, await line.new_stranger(), "U" + "a" * 32):
        answer = await api.call("GET", f"/v2/bot/profile/{user}")
        assert (answer.status, answer.json) == (404, {"message": "Not found"})
    writer = await line.new_stranger()
    await line.say(writer, "hello")
    assert (await api.call("GET", f"/v2/bot/profile/{writer}")).status == 200
    assert (await api.call("GET", "/v2/bot/profile/yamada")).status == 400


async def test_follower_ids_page_by_page(line, api):
    ids = [u["id"] for u in await line.create_users(25, state="friend")]
    await line.block(ids[3])
    found: list[str] = []
    start = ""
    for _ in range(10):
        page = (await api.call("GET", f"/v2/bot/followers/ids?limit=10{start}")).json
        found += page["userIds"]
        if "next" not in page:
            break
        start = f"&start={page['next']}"
    assert found == [one for one in ids if one != ids[3]]


async def test_follower_ids_refusals(line, api):
    await line.create_users(5, state="friend")
    page = (await api.call("GET", "/v2/bot/followers/ids?limit=2")).json
    for wrong in ("nonsense", "MTo", "é"):
        answer = await api.call("GET", f"/v2/bot/followers/ids?start={wrong}")
        assert (answer.status, answer.json) == (400, {"message": "Invalid start param"})
    assert (await api.call("GET", "/v2/bot/followers/ids?limit=1001")).status == 400
    await line.clock(advance=24 * 3600 + 2)
    late = await api.call("GET", f"/v2/bot/followers/ids?start={page['next']}")
    assert late.json == {"message": "Invalid start param"}
    await line.update_channel(line.channel["channel_id"], verified=False)
    assert (await api.call("GET", "/v2/bot/followers/ids")).status == 403


# Webhook settings


async def test_webhook_endpoint_get_and_set(line, api):
    path = "/v2/bot/channel/webhook/endpoint"
    missing = await api.call("GET", path)
    assert (missing.status, missing.json) == (404, {"message": "Webhook endpoint not found"})
    url = "https://shop.example.com/callback"
    assert (await api.call("PUT", path, {"endpoint": url})).json == {}
    assert (await api.call("GET", path)).json == {"endpoint": url, "active": True}


@pytest.mark.parametrize(
    "url",
    ["http://shop.example.com/cb", "ftp://x", "https://", "nonsense", "https://[", "https://a:x/",
     "https://example.com/" + "x" * 500],
)  # fmt: skip
async def test_webhook_endpoint_refusals(api, url):
    answer = await api.call("PUT", "/v2/bot/channel/webhook/endpoint", {"endpoint": url})
    assert (answer.status, answer.json) == (400, {"message": "Invalid webhook endpoint URL"})


async def test_webhook_test_really_posts(line, api, bot):
    answer = await api.call("POST", "/v2/bot/channel/webhook/test", {})
    assert answer.json["success"] is True
    assert (answer.json["statusCode"], answer.json["reason"]) == (200, "OK")
    assert answer.json["timestamp"].endswith("Z")
    assert bot.bodies == [{"destination": line.channel["bot_user_id"], "events": []}]
    bot.answer = lambda _: 403
    refused = await api.call("POST", "/v2/bot/channel/webhook/test", {"endpoint": bot.url})
    assert refused.json | {"timestamp": ""} == {
        "success": False,
        "timestamp": "",
        "statusCode": 403,
        "reason": "ERROR_STATUS_CODE",
        "detail": "403",
    }
    gone = await api.call(
        "POST", "/v2/bot/channel/webhook/test", {"endpoint": "http://127.0.0.1:9/x"}
    )
    assert (gone.json["reason"], gone.json["statusCode"]) == ("COULD_NOT_CONNECT", 0)


async def test_webhook_test_without_a_url(api):
    assert (await api.call("POST", "/v2/bot/channel/webhook/test", {})).status == 404


# Tokens

FORM = "application/x-www-form-urlencoded"


def credentials(line, **changes: str) -> bytes:
    form = {
        "grant_type": "client_credentials",
        "client_id": line.channel["channel_id"],
        "client_secret": line.secret,
    } | changes
    return "&".join(f"{name}={value}" for name, value in form.items()).encode()


@pytest.mark.parametrize(
    ("path", "lifetime"), [("/v2/oauth/accessToken", 2_592_000), ("/oauth2/v3/token", 900)]
)
async def test_issued_tokens_work_until_they_expire(line, api, path, lifetime):
    issued = await api.call("POST", path, data=credentials(line), Content_Type=FORM)
    assert issued.json["expires_in"] == lifetime
    api.token = issued.json["access_token"]
    assert (await api.call("GET", "/v2/bot/info")).status == 200
    await line.clock(advance=lifetime + 1)
    expired = await api.call("GET", "/v2/bot/info")
    assert expired.status == 401
    assert expired.json["message"].endswith("Access token expired")


async def test_token_refusals(line, api):
    path = "/v2/oauth/accessToken"
    wrong_secret = credentials(line, client_secret="x")
    answer = await api.call("POST", path, data=wrong_secret, Content_Type=FORM)
    assert answer.status == 400
    assert answer.json == {"error": "invalid_client", "error_description": "invalid client_secret"}
    wrong_id = credentials(line, client_id="1")
    answer = await api.call("POST", path, data=wrong_id, Content_Type=FORM)
    assert answer.json["error_description"] == "invalid client_id"
    answer = await api.call("POST", "/oauth2/v3/token", data=wrong_id, Content_Type=FORM)
    assert answer.json["error_description"] == "Invalid 'client_credentials'."


async def test_verify_and_revoke(line, api):
    async def verify(token: str):
        data = f"access_token={token}".encode()
        return await api.call("POST", "/v2/oauth/verify", data=data, Content_Type=FORM)

    issued = await api.call(
        "POST", "/v2/oauth/accessToken", data=credentials(line), Content_Type=FORM
    )
    token = issued.json["access_token"]
    good = await verify(token)
    assert good.json["client_id"] == line.channel["channel_id"]
    assert 0 < good.json["expires_in"] <= 2_592_000
    data = f"access_token={token}".encode()
    revoked = await api.call("POST", "/v2/oauth/revoke", data=data, Content_Type=FORM)
    assert revoked.status == 200
    assert (await verify(token)).json == {
        "error": "invalid_request",
        "error_description": "access_token invalid",
    }
    assert (await verify("short")).json["error_description"] == "access_token in invalid format"
    long_lived = await verify(line.token.replace("=", "%3D"))
    assert long_lived.status == 200


async def test_the_thirty_first_token_revokes_the_first(line, api):
    tokens = []
    for _ in range(31):
        issued = await api.call(
            "POST", "/v2/oauth/accessToken", data=credentials(line), Content_Type=FORM
        )
        tokens.append(issued.json["access_token"])
    api.token = tokens[0]
    assert (await api.call("GET", "/v2/bot/info")).status == 401
    api.token = tokens[1]
    assert (await api.call("GET", "/v2/bot/info")).status == 200


# Chat and content


async def test_loading_animation(line, api):
    friend = await line.new_friend()
    path = "/v2/bot/chat/loading/start"
    assert (await api.call("POST", path, {"chatId": friend})).status == 202
    assert (await line.phone(friend))["loading"] is True
    await line.clock(advance=21)
    assert (await line.phone(friend))["loading"] is False
    wrong = await api.call("POST", path, {"chatId": friend, "loadingSeconds": 62})
    assert wrong.json == {
        "message": "The request body has 2 error(s)",
        "details": [
            {"message": "Must be between 5 and 60", "property": "loadingSeconds"},
            {"message": "must be a multiple of five", "property": "loadingSeconds"},
        ],
    }
    group = await api.call("POST", path, {"chatId": "C" + "1" * 32})
    assert group.json["details"][0]["message"].startswith("Only user id is acceptable")


async def test_content_and_unsend(line, api):
    friend = await line.new_friend()
    said = await line.act(
        user=friend,
        type="message",
        message={"type": "image", "data": "aGVsbG8=", "contentType": "image/png"},
    )
    path = f"/v2/bot/message/{said['messageId']}/content"
    content = await api.call("GET", path)
    assert (content.status, content.json) == (200, b"hello")
    assert content.headers["Content-Type"] == "image/png"
    await line.act(user=friend, type="unsend", message=said["messageId"])
    gone = await api.call("GET", path)
    assert (gone.status, gone.json) == (410, {"message": "The content is gone"})
    never = await api.call("GET", "/v2/bot/message/1/content")
    assert (never.status, never.json) == (404, {"message": "not found"})


@pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
async def test_stand_in_content(line, api, bot, kind):
    friend = await line.new_friend()
    said = await line.act(user=friend, type="message", message={"type": kind})
    content = await api.call("GET", f"/v2/bot/message/{said['messageId']}/content")
    assert content.status == 200
    assert len(content.json) > 10
    message = (await bot.until(1))[0]["message"]
    assert message["id"] == said["messageId"]
    assert ("fileName" in message) if kind == "file" else message["contentProvider"]
