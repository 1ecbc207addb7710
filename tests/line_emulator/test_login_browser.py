"""The pages of LINE Login and LIFF in Chromium, with a web app and a LIFF app of another origin."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, expect

Json = dict[str, Any]

pytestmark = pytest.mark.browser

FORM = "application/x-www-form-urlencoded"
PAGE = """<!doctype html><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,">
<script src="{url}/liff/edge/2/sdk.js"></script><body>app</body>"""


@dataclass
class App:
    """A developer's own server: callback URL, and endpoint of a LIFF app."""

    url: str = ""
    emulator: str = ""
    calls: list[Json] = field(default_factory=list)

    async def callback(self, request: web.Request) -> web.Response:
        posted = dict(await request.post()) if request.method == "POST" else None
        self.calls.append({"query": dict(request.query), "posted": posted})
        return web.Response(text="<title>back</title>welcome back", content_type="text/html")

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE.format(url=self.emulator), content_type="text/html")


@pytest_asyncio.fixture
async def app(line) -> AsyncIterator[App]:
    one = App(emulator=line.url)
    server = web.Application()
    server.router.add_route("*", "/callback", one.callback)
    server.router.add_get("/{path:.*}", one.page)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    # Another host name than the emulator's: cookies and storage are not shared.
    one.url = f"http://localhost:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    one = await browser.new_context(viewport={"width": 390, "height": 844}, locale="ja-JP")
    yield one
    await one.close()


@pytest_asyncio.fixture
async def tab(context: BrowserContext) -> AsyncIterator[Page]:
    """A tab in which no script may fail."""
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    yield page
    # Refused calls are part of the tests; the browser reports each of them.
    assert "\n".join(one for one in errors if "Failed to load resource" not in one) == ""


@pytest_asyncio.fixture
async def channel(line) -> Json:
    return (await line.call("GET", "/login/channels"))["channels"][0]


def authorize(line, channel: Json, app: App, **more: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": channel["channel_id"],
        "redirect_uri": f"{app.url}/callback",
        "state": "abc",
        "scope": "profile openid email",
    }
    return f"{line.url}/oauth2/v2.1/authorize?{urlencode(asked | more)}"


async def liff_app(api, channel: Json, url: str, **more: Any) -> str:
    fields = {
        "grant_type": "client_credentials",
        "client_id": channel["channel_id"],
        "client_secret": channel["channel_secret"],
    }
    issued = await api.call("POST", "/oauth2/v3/token", data=urlencode(fields), Content_Type=FORM)
    body = {
        "view": {"type": "full", "url": url},
        "scope": ["openid", "email", "profile", "chat_message.write"],
        "features": {"qrCode": True},
    } | more
    bearer = f"Bearer {issued.json['access_token']}"
    added = await api.call("POST", "/liff/v1/apps", body, Authorization=bearer)
    return added.json["liffId"]


async def as_phone(context: BrowserContext, line, user: str) -> None:
    value = f"{user}.{line.channel['channel_id']}"
    await context.add_cookies([{"name": "line_emulator_person", "value": value, "url": line.url}])


async def wide(tab: Page) -> int:
    return await tab.evaluate("document.documentElement.scrollWidth")


# LINE Login


async def test_choose_consent_add_and_come_back(line, bot, app, channel, tab):
    await line.create_users(40)
    someone = await line.new_stranger(name="渡辺 さくら子")
    await tab.goto(authorize(line, channel, app, bot_prompt="aggressive"))
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("にログイン")
    assert await wide(tab) <= 390
    await tab.get_by_role("searchbox").fill("さくら子")
    await tab.keyboard.press("Enter")
    await expect(tab.locator(".person")).to_have_count(1)
    await tab.get_by_label("QRコード").check()
    await tab.get_by_role("button", name="渡辺 さくら子").click()
    await expect(tab.get_by_text("プロフィール情報")).to_be_visible()
    assert await wide(tab) <= 390
    await tab.get_by_label("メールアドレス").uncheck()
    await tab.get_by_role("button", name="許可する").click()
    await tab.get_by_role("button", name="友だち追加").click()
    await expect(tab).to_have_title("back")
    assert (await bot.until(1))[0]["source"]["userId"] == someone
    query = app.calls[0]["query"]
    assert query["friendship_status_changed"] == "true"
    # The next time one click is enough.
    await tab.goto(authorize(line, channel, app))
    await tab.get_by_role("button", name="渡辺 さくら子").first.click()
    await expect(tab).to_have_title("back")


async def test_form_post_goes_by_itself(line, app, channel, context, tab):
    friend = await line.new_friend()
    await as_phone(context, line, friend)
    await tab.goto(authorize(line, channel, app, response_mode="form_post", ui_locales="en"))
    await tab.get_by_role("button", name="Allow").click()
    await expect(tab).to_have_title("back")
    posted = app.calls[0]["posted"]
    assert posted["state"] == "abc"
    assert len(posted["code"]) == 20


async def test_keyboard_only(line, app, channel, tab):
    friend = await line.new_friend(name="佐藤 次郎")
    await tab.goto(authorize(line, channel, app))
    for _ in range(10):
        await tab.keyboard.press("Tab")
        if await tab.evaluate("document.activeElement.value") == friend:
            break
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("button", name="許可する")).to_be_visible()
    await tab.get_by_role("button", name="キャンセル").focus()
    await tab.keyboard.press("Enter")
    await expect(tab).to_have_title("back")
    assert app.calls[0]["query"]["error"] == "ACCESS_DENIED"


async def test_account_link_page(line, api, context, tab):
    friend = await line.new_friend()
    await as_phone(context, line, friend)
    token = (await api.call("POST", f"/v2/bot/user/{friend}/linkToken")).json["linkToken"]
    await tab.goto(f"{line.url}/dialog/bot/accountLink?linkToken={token}&nonce=0123456789")
    await expect(tab.get_by_role("status")).to_have_text("アカウントを連携しました。")
    await tab.get_by_role("link", name="トークに戻る").click()
    assert f"/phone/{friend}" in tab.url


# LIFF


async def test_in_the_phones_browser(line, api, bot, app, channel, context, tab):
    friend = await line.new_friend(name="山田 花子")
    await as_phone(context, line, friend)
    liff_id = await liff_app(api, channel, f"{app.url}/app?shop=1")
    await tab.goto(f"{line.url}/liff/{liff_id}/menu/today?dish=ramen&liff.hash=top")
    await tab.get_by_role("button", name="許可する").click()
    await tab.wait_for_url(f"{app.url}/**")
    # The primary redirect URL: init() goes on to the secondary one.
    assert urlsplit(tab.url).path == "/app"
    await tab.evaluate("id => { liff.init({ liffId: id }); }", liff_id)
    await tab.wait_for_url(f"{app.url}/app/menu/today**")
    assert tab.url == f"{app.url}/app/menu/today?shop=1&dish=ramen#top"
    await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
    await tab.evaluate("() => liff.ready")
    seen = await tab.evaluate("""async () => ({
      id: liff.id, inClient: liff.isInClient(), loggedIn: liff.isLoggedIn(), os: liff.getOS(),
      language: liff.getLanguage(), app: liff.getAppLanguage(), version: liff.getVersion(),
      line: liff.getLineVersion(), token: liff.getAccessToken(), claims: liff.getDecodedIDToken(),
      context: liff.getContext(), profile: await liff.getProfile(),
      friendship: await liff.getFriendship(), granted: await liff.permission.getGrantedAll(),
      state: (await liff.permission.query("email")).state,
      link: liff.permanentLink.createUrl(),
      by: await liff.permanentLink.createUrlBy(location.origin + "/app?shop=1"),
      share: liff.isApiAvailable("shareTargetPicker"),
      home: liff.isApiAvailable("createShortcutOnHomeScreen"),
    })""")
    assert seen["id"] == liff_id
    assert (seen["inClient"], seen["loggedIn"], seen["os"]) == (True, True, "web")
    assert (seen["language"], seen["app"]) == ("ja-JP", "ja-JP")
    assert seen["version"].startswith("2.")
    assert seen["line"]
    assert seen["claims"]["name"] == seen["profile"]["displayName"] == "山田 花子"
    assert seen["context"]["type"] == "utou"
    assert seen["context"]["userId"] == seen["profile"]["userId"] == friend
    assert seen["friendship"] == {"friendFlag": True}
    assert seen["granted"] == ["openid", "email", "profile", "chat_message.write"]
    assert seen["state"] == "granted"
    assert seen["link"] == f"https://liff.line.me/{liff_id}/menu/today?dish=ramen#top"
    assert seen["by"] == f"https://liff.line.me/{liff_id}"
    assert (seen["share"], seen["home"]) == (True, False)
    await tab.evaluate("() => liff.sendMessages([{ type: 'text', text: '予約したい' }])")
    assert (await bot.until(1))[0]["message"]["text"] == "予約したい"
    wrong = await tab.evaluate("""() => liff.sendMessages([{ type: "text" }])
      .catch((error) => [error.name, error.code, error.message])""")
    assert wrong[:2] == ["LiffError", "400"]
    assert "messages[0].text" in wrong[2]
    above = await tab.evaluate("""() => liff.permanentLink.createUrlBy(location.origin + "/")
      .catch((error) => error.code)""")
    assert above == "INVALID_CONFIG"


async def test_in_another_browser_one_logs_in(line, api, app, channel, tab):
    friend = await line.new_friend(name="山田 花子")
    liff_id = await liff_app(api, channel, f"{app.url}/app")
    await tab.goto(f"{line.url}/liff/{liff_id}?table=5")
    await tab.wait_for_url(f"{app.url}/app?liff.state=**")
    await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
    assert tab.url == f"{app.url}/app?table=5"
    seen = await tab.evaluate("""() => [liff.isInClient(), liff.isLoggedIn(), liff.getLineVersion(),
      liff.getAccessToken(), liff.getContext().type, liff.isApiAvailable("shareTargetPicker")]""")
    assert seen == [False, False, None, None, "external", False]
    refused = await tab.evaluate("() => liff.getProfile().catch((error) => error.code)")
    assert refused == "UNAUTHORIZED"
    await tab.evaluate("() => { liff.login({ redirectUri: location.href }); }")
    await tab.get_by_role("button", name="山田 花子").click()
    await tab.get_by_role("button", name="許可する").click()
    await tab.wait_for_url(f"{app.url}/app?code=**")
    await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
    assert tab.url == f"{app.url}/app?table=5"
    profile = await tab.evaluate("() => liff.getProfile()")
    assert profile["userId"] == friend
    # It lasts: another page needs no login, until logout().
    await tab.goto(f"{app.url}/app/other")
    await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
    assert await tab.evaluate("() => liff.isLoggedIn()") is True
    code = await tab.evaluate("""() => liff.sendMessages([{ type: "text", text: "x" }])
      .catch((error) => error.code)""")
    assert code == "FORBIDDEN"
    await tab.evaluate("() => liff.logout()")
    assert await tab.evaluate("() => liff.isLoggedIn()") is False


async def test_login_on_external_browser_comes_by_itself(line, api, app, channel, tab):
    await line.new_friend(name="山田 花子")
    liff_id = await liff_app(api, channel, f"{app.url}/app")
    await tab.goto(f"{app.url}/app")
    start = "id => { liff.init({ liffId: id, withLoginOnExternalBrowser: true }); }"
    await tab.evaluate(start, liff_id)
    await expect(tab.get_by_role("button", name="山田 花子")).to_be_visible()


async def test_a_token_that_was_taken_back_means_nobody(line, api, app, channel, context, tab):
    friend = await line.new_friend()
    await as_phone(context, line, friend)
    liff_id = await liff_app(api, channel, f"{app.url}/app")
    await tab.goto(f"{line.url}/liff/{liff_id}")
    await tab.get_by_role("button", name="許可する").click()
    await tab.wait_for_url(f"{app.url}/app**")
    await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
    assert await tab.evaluate("() => liff.isLoggedIn()") is True
    await line.call("DELETE", f"/login/channels/{channel['channel_id']}/grants/{friend}")
    await tab.reload()
    await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
    assert await tab.evaluate("() => liff.isLoggedIn()") is False


async def test_init_that_fails(line, app, tab):
    await tab.goto(f"{app.url}/app")
    for config, code in (({}, "INVALID_CONFIG"), ({"liffId": "1-none"}, "INIT_FAILED")):
        found = await tab.evaluate(
            f"""() => new Promise((resolve) => {{
              liff.init({json.dumps(config)}, () => resolve("done"), () => {{}})
                .catch((error) => resolve(error.code));
            }})"""
        )
        assert found == code
    assert await tab.evaluate("() => liff.id") in (None, "1-none")


async def test_windows_over_an_app(line, api, bot, app, channel, context, tab):
    me = await line.new_stranger(name="山田 花子")
    other = await line.new_friend(name="鈴木 一郎")
    await as_phone(context, line, me)
    liff_id = await liff_app(api, channel, f"{app.url}/app")
    await tab.goto(f"{line.url}/liff/{liff_id}")
    await tab.get_by_role("button", name="許可する").click()
    await tab.wait_for_url(f"{app.url}/app**")
    await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
    frame = tab.frame_locator("iframe")

    await tab.evaluate("""() => { window.result = liff.shareTargetPicker(
      [{ type: "text", text: "見て" }]); }""")
    await frame.get_by_text("鈴木 一郎").click()
    await frame.get_by_role("button", name="送信").click()
    assert await tab.evaluate("() => window.result") == {"status": "success"}
    shared = (await line.call("GET", "/liff/shared"))["shared"]
    assert [one["to"] for one in shared] == [[other]]
    await expect(tab.locator("iframe")).to_have_count(0)

    await tab.evaluate("() => { window.result = liff.scanCodeV2(); }")
    await frame.get_by_role("textbox").fill("table-5")
    await tab.keyboard.press("Enter")
    assert await tab.evaluate("() => window.result") == {"value": "table-5"}
    await tab.evaluate("() => { window.result = liff.scanCodeV2(); }")
    await frame.get_by_role("button", name="キャンセル").click()
    assert await tab.evaluate("() => window.result") == {"value": None}

    await tab.evaluate("() => { window.result = liff.requestFriendship(); }")
    await frame.get_by_role("button", name="友だち追加").click()
    await tab.evaluate("() => window.result")
    assert await tab.evaluate("() => liff.getFriendship()") == {"friendFlag": True}
    assert (await bot.until(1))[0]["type"] == "follow"


async def test_the_demo(line, bot, context, tab):
    friend = await line.new_friend(name="山田 花子")
    await as_phone(context, line, friend)
    channel = (await line.call("GET", "/login/channels"))["channels"][0]
    await tab.goto(f"{line.url}/liff/{channel['channel_id']}-Emulator?lang=ja")
    await tab.get_by_role("button", name="許可する").click()
    await expect(tab.locator("body.ready")).to_be_visible()
    await expect(tab.locator("#name")).to_have_text("山田 花子")
    assert "access_token" not in tab.url
    await tab.get_by_role("button", name="sendMessages", exact=True).click()
    assert (await bot.until(1))[0]["message"]["text"] == "LIFFからこんにちは"
    await tab.get_by_role("button", name="sendMessages Flex").click()
    await tab.get_by_role("button", name="getContext").click()
    await expect(tab.locator("#result")).to_contain_text('"utou"')
    assert await wide(tab) <= 390
    entries = (await line.phone(friend))["entries"]
    assert [entry["kind"] for entry in entries] == ["message", "message"]


async def test_from_the_chat_on_the_phone(line, api, bot, app, channel, context, tab):
    friend = await line.new_friend(name="山田 花子")
    liff_id = await liff_app(api, channel, f"{app.url}/app", description="予約アプリ")
    action = {"type": "uri", "label": "予約", "uri": f"https://liff.line.me/{liff_id}/new?a=1#top"}
    template = {"type": "buttons", "text": "ご予約", "actions": [action]}
    await api.push(friend, {"type": "template", "altText": "予約", "template": template})
    await tab.goto(f"{line.url}/phone/{friend}?lang=ja")
    await tab.get_by_text("予約", exact=True).click()
    frame = tab.frame_locator("iframe")
    await expect(frame.get_by_text("予約アプリ が次の許可を求めています")).to_be_visible()
    await frame.get_by_role("button", name="許可する").click()
    await expect(frame.get_by_text("app")).to_be_visible()
    inside = next(one for one in tab.frames if one.url.startswith(app.url))
    assert await inside.evaluate("() => liff.isInClient()") is True
    await inside.evaluate("id => { liff.init({ liffId: id }); }", liff_id)
    await inside.wait_for_url(f"{app.url}/app/new?a=1#top")
    await inside.evaluate("id => liff.init({ liffId: id })", liff_id)
    await inside.evaluate("() => liff.sendMessages([{ type: 'text', text: '19時に2名' }])")
    assert (await bot.until(1))[0]["message"]["text"] == "19時に2名"
    await inside.evaluate("() => { liff.closeWindow(); }")
    await expect(tab.locator("iframe")).to_be_hidden()
    await expect(tab.locator("#chat")).to_contain_text("19時に2名")


async def test_plugins_and_their_hooks(line, api, app, channel, tab):
    liff_id = await liff_app(api, channel, f"{app.url}/app")
    await tab.goto(f"{app.url}/app")
    seen = await tab.evaluate(
        """async (liffId) => {
          const order = [];
          const greeted = { fns: [], on(fn) { this.fns.push(fn); },
                            call(name) { for (const fn of this.fns) fn(name); } };
          class Greet {
            constructor() { this.name = "greet"; this.hooks = { greeted }; }
            install({ liff, hooks }, option) {
              hooks.init.before(async () => { order.push(`before ${liff.isLoggedIn()}`); });
              hooks.init.after(async () => { order.push(`after ${liff.getContext().type}`); });
              return { hello: (name) => greeted.call(option + name) };
            }
          }
          const other = { name: "other", install({ hooks }) {
            hooks.$greet.greeted((words) => order.push(words));
          } };
          const same = liff.use(new Greet(), "こんにちは、").use(other) === liff;
          const first = liff.$greet;
          liff.use(new Greet());
          liff.$greet.hello("花子");
          liff.ready.then(() => order.push("ready"));
          await liff.init({ liffId }, () => order.push("success"));
          return { order, same, kept: liff.$greet === first };
        }""",
        liff_id,
    )
    assert seen["order"][:3] == ["こんにちは、花子", "before false", "after external"]
    assert sorted(seen["order"][3:]) == ["ready", "success"]
    assert seen["same"]
    assert seen["kept"]


async def test_what_only_some_phones_and_apps_have(line, api, app, channel, browser):
    liff_id = await liff_app(api, channel, f"{app.url}/app")
    friend = await line.new_friend()
    for agent, there in (("Android 15", "function"), ("iPhone", "undefined")):
        context = await browser.new_context(user_agent=f"Mozilla/5.0 ({agent})", locale="ja-JP")
        await as_phone(context, line, friend)
        tab = await context.new_page()
        await tab.goto(f"{line.url}/liff/{liff_id}")
        if there == "function":
            await tab.get_by_role("button", name="許可する").click()
        await tab.wait_for_url(f"{app.url}/app**")
        await tab.evaluate("id => liff.init({ liffId: id })", liff_id)
        assert await tab.evaluate("() => typeof liff.scanCode") == there
        code = "() => liff.iap.getPlatformProducts({ productIds: [] }).catch((e) => e.code)"
        assert await tab.evaluate(code) == "FORBIDDEN"
        await context.close()
