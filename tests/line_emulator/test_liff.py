"""LIFF over HTTP: the server API, LIFF URLs, and what the SDK's calls do."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import pytest_asyncio
from linebot.v3.liff import (
    AddLiffAppRequest,
    ApiClient,
    ApiException,
    Configuration,
    Liff,
    LiffView,
    UpdateLiffAppRequest,
    UpdateLiffView,
)

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
ENDPOINT = "https://example.com/2020campaign/?key=value"
BUBBLE = {
    "type": "bubble",
    "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "x"}]},
}
ALL = ["openid", "email", "profile", "chat_message.write"]


class Apps:
    """A login channel with its LIFF apps, and the browser that opens them."""

    def __init__(self, line, api, channel: Json, token: str) -> None:
        self.line, self.api, self.channel, self.token = line, api, channel, token

    async def call(self, method: str, path: str = "", body: Any = None, token: str | None = None):
        bearer = f"Bearer {self.token if token is None else token}"
        return await self.api.call(method, f"/liff/v1/apps{path}", body, Authorization=bearer)

    async def add(self, url: str = ENDPOINT, **more: Any) -> str:
        view = {"type": more.pop("type", "full"), "url": url}
        answer = await self.call("POST", "", {"view": view, "scope": ALL} | more)
        assert answer.status == 200, answer.json
        return answer.json["liffId"]

    async def visit(self, path: str, person: str = "", **headers: str):
        cookie = f"line_emulator_person={person}" if person else ""
        sent = {"Cookie": cookie, "Accept-Language": "en"} | headers
        async with self.api.session.get(
            self.line.url + path, headers=sent, allow_redirects=False
        ) as response:
            return response.status, await response.text(), response.headers

    async def consent(self, screen: str, answer: str = "allow", **more: str):
        key = re.search(r'name="underway" value="([^"]+)"', screen)
        assert key, screen
        fields = {"underway": key[1], "answer": answer, "email": "yes", "lang": "en"} | more
        async with self.api.session.post(
            f"{self.line.url}/_emulator/login/consent",
            data=urlencode(fields),
            headers={"Content-Type": FORM},
            allow_redirects=False,
        ) as response:
            return response.status, await response.text(), response.headers

    async def open(self, liff_id: str, user: str, tail: str = "", chat: bool = True) -> Json:
        """Open the app from the chat; where it leads, with query and fragment."""
        person = f"{user}.{self.line.channel['channel_id']}" if chat else user
        status, screen, headers = await self.visit(f"/liff/{liff_id}{tail}", person)
        if status == 200:
            _, _, headers = await self.consent(screen)
        parts = urlsplit(headers["Location"])
        return {
            "url": f"{parts.scheme}://{parts.netloc}{parts.path}",
            "query": dict(parse_qsl(parts.query, keep_blank_values=True)),
            "fragment": dict(parse_qsl(parts.fragment)),
        }

    async def sdk(self, name: str, liff_id: str, token: str, **body: Any):
        return await self.api.call(
            "POST",
            f"/_emulator/liff/call/{name}",
            {"liffId": liff_id} | body,
            Authorization=f"Bearer {token}",
        )


@pytest_asyncio.fixture
async def apps(line, api) -> Apps:
    channel = (await line.call("GET", "/login/channels"))["channels"][0]
    issued = await api.call(
        "POST",
        "/v2/oauth/accessToken",
        data=urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": channel["channel_id"],
                "client_secret": channel["channel_secret"],
            }
        ),
        Content_Type=FORM,
    )
    return Apps(line, api, channel, issued.json["access_token"])


# The server API


async def test_apps_are_added_changed_listed_and_deleted(apps):
    assert (await apps.call("GET")).status == 404
    body = {
        "view": {"type": "tall", "url": "https://example.com/myservice", "moduleMode": True},
        "description": "Service Example",
        "features": {"qrCode": True},
        "permanentLinkPattern": "concat",
        "scope": ["profile", "chat_message.write"],
        "botPrompt": "none",
    }
    added = await apps.call("POST", "", body)
    liff_id = added.json["liffId"]
    assert re.fullmatch(rf"{apps.channel['channel_id']}-\w{{8}}", liff_id)
    listed = (await apps.call("GET")).json["apps"]
    assert listed == [{"liffId": liff_id} | body | {"features": {"ble": False, "qrCode": True}}]
    changed = await apps.call("PUT", f"/{liff_id}", {"view": {"url": "https://new.example.com"}})
    assert changed.status == 200
    view = (await apps.call("GET")).json["apps"][0]["view"]
    assert view == {"type": "tall", "url": "https://new.example.com", "moduleMode": True}
    assert (await apps.call("DELETE", f"/{liff_id}")).status == 200
    assert (await apps.call("DELETE", f"/{liff_id}")).status == 404
    assert (await apps.call("PUT", f"/{liff_id}", {})).status == 404


async def test_defaults(apps):
    answer = await apps.call("POST", "", {"view": {"type": "full", "url": "https://a.example"}})
    shown = (await apps.call("GET")).json["apps"][0]
    assert shown["liffId"] == answer.json["liffId"]
    assert shown["scope"] == ["profile", "chat_message.write"]
    assert shown["botPrompt"] == "none"
    assert shown["features"]["qrCode"] is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"view": {}},
        {"view": {"type": "full"}},
        {"view": {"url": "https://a.example"}},
        {"view": {"type": "huge", "url": "https://a.example"}},
        {"view": {"type": "full", "url": "http://example.com/"}},
        {"view": {"type": "full", "url": "https://a.example/#x"}},
        {"view": {"type": "full", "url": "https://a.example/#"}},
        {"view": {"type": "full", "url": "https://[x"}},
        {"view": {"type": "full", "url": "https://a.example", "moduleMode": "yes"}},
        {"scope": ["profile", "friends"]},
        {"scope": "profile"},
        {"botPrompt": "always"},
        {"permanentLinkPattern": "replace"},
        {"features": {"qrCode": 1}},
        {"description": ""},
        {"description": "My LINE app"},
        [],
        None,
    ],
)
async def test_what_no_app_can_be(apps, body):
    good = {"view": {"type": "full", "url": "https://a.example"}}
    whole = good | body if isinstance(body, dict) and body and "view" not in body else body
    assert (await apps.call("POST", "", whole)).status == 400
    assert (await apps.call("GET")).status == 404


async def test_thirty_apps(apps):
    ids = [await apps.add() for _ in range(30)]
    assert len(set(ids)) == 30
    refused = await apps.call("POST", "", {"view": {"type": "full", "url": ENDPOINT}})
    assert refused.status == 400
    await apps.call("DELETE", f"/{ids[0]}")
    await apps.add()


async def test_only_tokens_of_login_channels_open_it(line, api, apps):
    assert (await apps.call("GET", token="x")).status == 401
    assert (await apps.call("GET", token="")).status == 401
    liff_id = await apps.add()
    # The account's own token stands for that of the login channel linked with it.
    listed = await apps.call("GET", token=line.token)
    assert [app["liffId"] for app in listed.json["apps"]] == [liff_id]
    other = await line.call("POST", "/login/channels", {})
    answer = await api.call(
        "POST",
        "/oauth2/v3/token",
        data=urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": other["channel_id"],
                "client_secret": other["channel_secret"],
            }
        ),
        Content_Type=FORM,
    )
    stateless = answer.json["access_token"]
    assert (await apps.call("GET", token=stateless)).status == 404
    assert (await apps.call("PUT", f"/{liff_id}", {}, token=stateless)).status == 404
    assert (await apps.call("DELETE", f"/{liff_id}", token=stateless)).status == 404
    await line.clock(advance=901)
    assert (await apps.call("GET", token=stateless)).status == 401


async def test_the_sdk_drives_the_server_api(line, apps):
    with ApiClient(Configuration(host=line.url, access_token=apps.token)) as client:
        sdk = Liff(client)
        view = LiffView(type="full", url="https://example.com/a")
        added = sdk.add_liff_app(AddLiffAppRequest(view=view, bot_prompt="normal"))
        change = UpdateLiffAppRequest(view=UpdateLiffView(url="https://example.com/b"))
        sdk.update_liff_app(added.liff_id, change)
        found = sdk.get_all_liff_apps().apps[0]
        assert (found.liff_id, found.view.url) == (added.liff_id, "https://example.com/b")
        sdk.delete_liff_app(added.liff_id)
        with pytest.raises(ApiException) as raised:
            sdk.get_all_liff_apps()
        assert raised.value.status == 404


# LIFF URLs


async def test_the_primary_redirect_url(line, apps):
    friend = await line.new_friend()
    liff_id = await apps.add()
    opened = await apps.open(liff_id, friend, "/path_A/?key1=value1&liff.hash=there")
    assert opened["url"] == "https://example.com/2020campaign/"
    assert opened["query"] == {"key": "value", "liff.state": "/path_A/?key1=value1#there"}
    secrets = opened["fragment"]
    assert set(secrets) == {
        "access_token",
        "context_token",
        "feature_token",
        "id_token",
        "client_id",
    }
    assert secrets["client_id"] == apps.channel["channel_id"]
    plain = await apps.open(liff_id, friend)
    assert plain["query"] == {"key": "value"}
    searched = await apps.open(liff_id, friend, "?a=1")
    assert searched["query"]["liff.state"] == "?a=1"

    claims = jwt.decode(secrets["id_token"], options={"verify_signature": False})
    assert jwt.get_unverified_header(secrets["id_token"])["alg"] == "ES256"
    assert (claims["sub"], claims["amr"]) == (friend, ["lineautologin"])
    context = jwt.decode(secrets["context_token"], options={"verify_signature": False})
    assert context["type"] == "utou"
    assert context["userId"] == friend
    assert context["viewType"] == "full"
    assert context["liffId"] == liff_id
    assert context["endpointUrl"] == ENDPOINT
    assert context["scope"] == sorted(ALL)
    profile = await apps.api.call(
        "GET", "/v2/profile", Authorization=f"Bearer {secrets['access_token']}"
    )
    assert profile.json["userId"] == friend
    assert profile.headers["Access-Control-Allow-Origin"] == "*"


async def test_access_tokens_of_liff_live_twelve_hours(line, apps):
    friend = await line.new_friend()
    await line.clock(freeze=True)
    token = (await apps.open(await apps.add(), friend))["fragment"]["access_token"]
    verified = await apps.api.call("GET", f"/oauth2/v2.1/verify?access_token={token}")
    assert verified.json["expires_in"] == 43_200
    await line.clock(advance=43_200)
    expired = await apps.api.call("GET", f"/oauth2/v2.1/verify?access_token={token}")
    assert expired.status == 400
    assert expired.headers["Access-Control-Allow-Origin"] == "*"


async def test_consent_is_asked_for_once_and_can_be_refused(line, apps):
    friend = await line.new_friend()
    liff_id = await apps.add(description="予約アプリ")
    status, screen, _ = await apps.visit(f"/liff/{liff_id}", friend)
    assert (status, "予約アプリ" in screen, "Send messages to chats" in screen) == (200, True, True)
    status, told, headers = await apps.consent(screen, "cancel")
    assert (status, "not opened" in told, "Location" in headers) == (200, True, False)
    status, screen, _ = await apps.visit(f"/liff/{liff_id}", friend)
    await apps.consent(screen)
    assert (await apps.visit(f"/liff/{liff_id}", friend))[0] == 302
    # What is asked for later is asked for anew.
    other = await apps.add(scope=["profile"])
    assert (await apps.visit(f"/liff/{other}", friend))[0] == 302


async def test_in_another_browser_the_app_starts_without_anybody(apps):
    liff_id = await apps.add()
    status, _, headers = await apps.visit(f"/liff/{liff_id}/a?b=c")
    assert status == 302
    assert headers["Location"] == ENDPOINT + "&" + urlencode({"liff.state": "/a?b=c"})
    assert (await apps.visit("/liff/1-unknown"))[0] == 404


async def test_liff_to_liff_tells_where_one_comes_from(line, apps):
    friend = await line.new_friend()
    liff_id = await apps.add()
    await apps.open(liff_id, friend)
    _, _, headers = await apps.visit(
        f"/liff/{liff_id}", friend, Referer="https://first.example.com/"
    )
    assert "liff.referrer=https%3A%2F%2Ffirst.example.com%2F" in headers["Location"]
    _, _, headers = await apps.visit(f"/liff/{liff_id}", friend, Referer=f"{line.url}/phone/x")
    assert "liff.referrer" not in headers["Location"]


async def test_logging_in_from_another_browser(line, apps):
    friend = await line.new_friend()
    liff_id = await apps.add()
    asked = {"app_id": liff_id, "state": "s1", "redirect_uri": "https://example.com/2020campaign/x"}
    asked |= {
        "code_challenge": "EdAqPdR1Tuwq0VGEGMHMRDoLdkBlMtiz3yAbmHkEKZY",
        "code_challenge_method": "S256",
    }
    status, screen, _ = await apps.visit(f"/liff/v1/authorize?{urlencode(asked)}")
    assert (status, "Who are you?" in screen) == (200, True)
    status, screen, _ = await apps.visit(f"/liff/v1/authorize?{urlencode(asked | {'as': friend})}")
    _, _, headers = await apps.consent(screen)
    location = headers["Location"]
    assert location.startswith(ENDPOINT)
    got = dict(parse_qsl(urlsplit(location).query))
    assert got["liffClientId"] == apps.channel["channel_id"]
    assert got["liffRedirectUri"] == asked["redirect_uri"]
    assert got["state"] == "s1"
    for bad in (
        "https://example.com/",
        "https://example.com/2020campaign2",
        "https://evil.example/",
    ):
        query = urlencode(asked | {"redirect_uri": bad})
        assert (await apps.visit(f"/liff/v1/authorize?{query}"))[0] == 400


# The SDK's calls


async def said(line, user: str) -> list[Json]:
    entries = (await line.phone(user))["entries"]
    return [entry for entry in entries if entry["kind"] == "message"]


async def test_messages_are_said_by_the_person(line, bot, apps):
    friend = await line.new_friend()
    liff_id = await apps.add()
    token = (await apps.open(liff_id, friend))["fragment"]["access_token"]
    messages = [
        {"type": "text", "text": "予約したい"},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {
            "type": "image",
            "originalContentUrl": "https://example.com/a.jpg",
            "previewImageUrl": "https://example.com/b.jpg",
        },
        {
            "type": "location",
            "title": "店",
            "address": "東京",
            "latitude": 35.6,
            "longitude": 139.7,
        },
        {
            "type": "flex",
            "altText": "表",
            "contents": {
                "type": "bubble",
                "body": {
                    "type": "box",
                    "layout": "vertical",
                    "contents": [
                        {
                            "type": "button",
                            "action": {
                                "type": "uri",
                                "label": "見る",
                                "uri": "https://example.com",
                            },
                        }
                    ],
                },
            },
        },
    ]
    sent = await apps.sdk("send", liff_id, token, messages=messages)
    assert sent.status == 200, sent.json
    assert sent.headers["Access-Control-Allow-Origin"] == "*"
    events = await bot.until(4)
    await line.wait_webhooks_done()
    assert [event["message"]["type"] for event in bot.events] == [
        "text",
        "sticker",
        "image",
        "location",
    ]
    assert {event["source"]["userId"] for event in events} == {friend}
    provider = events[2]["message"]["contentProvider"]
    assert provider == {
        "type": "external",
        "originalContentUrl": "https://example.com/a.jpg",
        "previewImageUrl": "https://example.com/b.jpg",
    }
    # The Flex Message is on the phone all the same.
    assert len(await said(line, friend)) == 5
    assert (await apps.api.call("GET", f"/phone/{friend}")).status == 200


@pytest.mark.parametrize(
    "messages",
    [
        [],
        None,
        "text",
        [{"type": "text", "text": "x"}] * 6,
        [{"type": "text"}],
        [{"type": "textV2", "text": "x"}],
        [{"type": "text", "text": "$", "emojis": []}],
        [{"type": "text", "text": "x", "quoteToken": "q"}],
        [
            {
                "type": "template",
                "altText": "x",
                "template": {
                    "type": "confirm",
                    "text": "x",
                    "actions": [
                        {"type": "message", "label": "a", "text": "a"},
                        {"type": "uri", "label": "b", "uri": "https://example.com"},
                    ],
                },
            }
        ],
    ],
)
async def test_messages_that_no_liff_app_may_send(line, apps, messages):
    friend = await line.new_friend()
    liff_id = await apps.add()
    token = (await apps.open(liff_id, friend))["fragment"]["access_token"]
    assert (await apps.sdk("send", liff_id, token, messages=messages)).status == 400
    assert await said(line, friend) == []


async def test_who_may_not_send(line, apps):
    friend = await line.new_friend()
    hello = [{"type": "text", "text": "x"}]
    liff_id = await apps.add()
    outside = (await apps.open(liff_id, friend, chat=False))["fragment"]["access_token"]
    refused = await apps.sdk("send", liff_id, outside, messages=hello)
    assert refused.status == 403
    assert refused.json == {"message": "user doesn't grant required permissions yet"}
    mute = await apps.add(scope=["profile"])
    token = (await apps.open(mute, friend))["fragment"]["access_token"]
    assert (await apps.sdk("send", mute, token, messages=hello)).status == 403
    assert (await apps.sdk("send", liff_id, "x", messages=hello)).status == 401
    token = (await apps.open(liff_id, friend))["fragment"]["access_token"]
    await line.block(friend)
    assert (await apps.sdk("send", liff_id, token, messages=hello)).status == 403
    assert await said(line, friend) == []


async def test_in_a_group_the_message_is_said_to_all(line, bot, apps):
    people = [await line.new_friend() for _ in range(2)]
    channel = line.channel["channel_id"]
    made = await line.act(user=people[0], type="group_create", members=[people[1]], account=True)
    await bot.until(1)
    liff_id = await apps.add()
    person = f"{people[0]}.{channel}.{made['chat']}"
    _, screen, _ = await apps.visit(f"/liff/{liff_id}", person)
    _, _, headers = await apps.consent(screen)
    secrets = dict(parse_qsl(urlsplit(headers["Location"]).fragment))
    context = jwt.decode(secrets["context_token"], options={"verify_signature": False})
    assert context["type"] == "group"
    assert made["chat"] not in str(context)
    flex = {"type": "flex", "altText": "x", "contents": BUBBLE}
    messages = [{"type": "text", "text": "みなさん"}, flex]
    sent = await apps.sdk("send", liff_id, secrets["access_token"], messages=messages)
    assert sent.status == 200, sent.json
    await line.wait_webhooks_done()
    last = bot.events[-1]
    assert last["message"]["text"] == "みなさん"
    assert last["source"] == {"type": "group", "groupId": made["chat"], "userId": people[0]}


async def test_permissions(line, apps):
    friend = await line.new_friend()
    liff_id = await apps.add()
    token = (await apps.open(liff_id, friend))["fragment"]["access_token"]
    found = await apps.sdk("permissions", liff_id, token)
    assert found.json == {"granted": ALL, "scope": ALL}
    assert (await apps.sdk("permissions", liff_id, "x")).status == 401


async def test_sharing_reaches_the_people_who_were_picked(line, apps):
    me, first, second = [await line.new_friend() for _ in range(3)]
    liff_id = await apps.add()
    token = (await apps.open(liff_id, me))["fragment"]["access_token"]
    text = [{"type": "text", "text": "見て"}]
    opened = await apps.sdk("windows", liff_id, token, kind="share", messages=text)
    path = opened.json["path"]
    _, screen, headers = await apps.visit(path)
    assert first in screen
    assert me not in screen
    assert "frame-ancestors" not in headers["Content-Security-Policy"]
    async with apps.api.session.post(
        line.url + path, data=[("answer", "ok"), ("to", first), ("to", second), ("to", "U1")]
    ) as response:
        answer = html.unescape(await response.text())
    assert '{"status":"success"}' in answer
    shared = (await line.call("GET", "/liff/shared"))["shared"]
    assert len(shared) == 1
    assert (shared[0]["user_id"], shared[0]["to"]) == (me, [first, second])
    assert shared[0]["messages"] == text
    assert (await apps.visit(path))[0] == 404
    sticker = [{"type": "sticker", "packageId": "446", "stickerId": "1988"}]
    refused = await apps.sdk("windows", liff_id, token, kind="share", messages=sticker)
    assert refused.status == 400
    login = apps.channel["channel_id"]
    await line.call("PATCH", f"/login/channels/{login}", {"share_target_picker": False})
    refused = await apps.sdk("windows", liff_id, token, kind="share", messages=text)
    assert refused.status == 403


async def test_windows_that_an_app_may_not_open(line, apps):
    friend = await line.new_friend()
    for more, kind, status in (
        ({}, "scan", 403),
        ({"features": {"qrCode": True}}, "scan", 200),
        ({"features": {"qrCode": True}, "type": "tall"}, "scan", 403),
        ({"type": "tall"}, "friendship", 403),
        ({}, "other", 400),
    ):
        liff_id = await apps.add(**more)
        token = (await apps.open(liff_id, friend))["fragment"]["access_token"]
        assert (await apps.sdk("windows", liff_id, token, kind=kind)).status == status, (more, kind)
    # A friend need not be asked.
    liff_id = await apps.add()
    token = (await apps.open(liff_id, friend))["fragment"]["access_token"]
    assert (await apps.sdk("windows", liff_id, token, kind="friendship")).json == {"answer": {}}


async def test_the_sdk_is_served_where_lines_own_would_be(api):
    for path in (
        "/_emulator/liff/sdk.js",
        "/liff/edge/2/sdk.js",
        "/liff/edge/versions/2.22.3/sdk.js",
    ):
        script = await api.call("GET", path)
        assert script.status == 200
        assert script.headers["Content-Type"].startswith("text/javascript")
        assert script.headers["Access-Control-Allow-Origin"] == "*"
    for path in ("/v2/profile", "/friendship/v1/status", "/_emulator/liff/call/app"):
        asked = await api.call("OPTIONS", path)
        assert asked.status == 204
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]


async def test_whatever_comes(line, apps):
    friend = await line.new_friend()
    liff_id = await apps.add()
    token = (await apps.open(liff_id, friend))["fragment"]["access_token"]
    for name in ("app", "send", "permissions", "windows"):
        for data in (
            b"",
            b"[]",
            b"\xff",
            b'{"liffId":[]}',
            b"[" * 5000,
            b'{"liffId":null,"kind":{}}',
        ):
            answer = await apps.api.call(
                "POST", f"/_emulator/liff/call/{name}", data=data, Authorization=f"Bearer {token}"
            )
            assert answer.status in (400, 401, 404), (name, data)
    for tail in (
        "/%00",
        "/%ff%fe",
        "/%0d%0aX:%20y",
        "?%ff=%fe",
        "/" + "a" * 2000,
        "?as=%00",
        "//x",
    ):
        status, _, headers = await apps.visit(f"/liff/{liff_id}{tail}", friend)
        assert status == 302, tail
        assert headers["Location"].startswith("https://example.com/2020campaign/?key=value")
