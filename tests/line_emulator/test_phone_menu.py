"""The rich menu below the chat, and where links lead."""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.async_api import expect
from tests.line_emulator.browsing import tab
from tests.line_emulator.test_phone_chat import phone

__all__ = ["tab"]

MENU = {
    "size": {"width": 1200, "height": 600},
    "selected": False,
    "name": "案内",
    "chatBarText": "メニューはこちら",
    "areas": [
        {
            "bounds": {"x": x, "y": 0, "width": 300, "height": 600},
            "action": action,
        }
        for x, action in (
            (0, {"type": "message", "label": "予約", "text": "予約したい"}),
            (300, {"type": "uri", "label": "地図", "uri": "https://example.com/map"}),
            (600, {"type": "postback", "label": "質問", "data": "q", "inputOption": "openKeyboard",
                   "fillInText": "質問です："}),
            (900, {"type": "richmenuswitch", "label": "次へ", "richMenuAliasId": "second",
                   "data": "to-second"}),
        )
    ],
}  # fmt: skip


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 600), colour).save(out, "PNG")
    return out.getvalue()


async def make_menu(api, colour="#ffcc00", **changes) -> str:
    made = await api.call("POST", "/v2/bot/richmenu", MENU | changes)
    assert made.status == 200, made.json
    menu_id = made.json["richMenuId"]
    path = f"/v2/bot/richmenu/{menu_id}/content"
    sent = await api.call("POST", path, data=picture(colour), Content_Type="image/png")
    assert sent.status == 200
    return menu_id


@pytest.mark.browser
async def test_a_menu_is_opened_tapped_and_closed(line, api, bot, tab):
    friend = await line.new_friend()
    menu = await make_menu(api)
    await api.call("POST", f"/v2/bot/user/{friend}/richmenu/{menu}")
    await phone(line, tab, friend)
    bar = tab.get_by_role("button", name="メニューはこちら")
    image = tab.locator(".richmenu")
    await expect(image).to_be_hidden()
    await expect(tab.locator("#text")).to_be_hidden()
    await bar.click()
    await expect(image).to_be_visible()
    await expect(bar).to_have_attribute("aria-expanded", "true")

    whole = await tab.locator(".richimage").bounding_box()
    area = await tab.get_by_role("button", name="質問").bounding_box()
    assert whole
    assert area
    assert abs(whole["width"] / whole["height"] - 2) < 0.02
    assert abs((area["x"] - whole["x"]) / whole["width"] - 0.5) < 0.01
    assert abs(area["width"] / whole["width"] - 0.25) < 0.01

    await tab.get_by_role("button", name="予約").focus()
    await tab.keyboard.press("Enter")
    assert (await bot.until(1))[0]["message"]["text"] == "予約したい"
    await tab.get_by_role("button", name="質問").click()
    assert (await bot.until(2))[1]["postback"]["data"] == "q"
    await expect(image).to_be_hidden()
    await expect(tab.locator("#text")).to_have_value("質問です：")
    await tab.get_by_role("button", name="リッチメニューに戻る").click()
    await expect(image).to_be_visible()
    await bar.click()
    await expect(image).to_be_hidden()


@pytest.mark.browser
async def test_menus_change_while_the_phone_is_watched(line, api, bot, tab):
    friend = await line.new_friend()
    await phone(line, tab, friend)
    await expect(tab.locator("#menubar")).to_have_count(0)
    first = await make_menu(api, selected=True)
    second = await make_menu(api, "#3366ff", name="二つ目", chatBarText="二つ目")
    alias = {"richMenuAliasId": "second", "richMenuId": second}
    assert (await api.call("POST", "/v2/bot/richmenu/alias", alias)).status == 200
    await api.call("POST", f"/v2/bot/user/{friend}/richmenu/{first}")
    await expect(tab.locator(".richmenu")).to_be_visible()
    await tab.get_by_role("button", name="次へ").click()
    event = (await bot.until(1))[0]["postback"]
    assert event["params"] == {"newRichMenuAliasId": "second", "status": "SUCCESS"}
    await expect(tab.locator(f'.richmenu[data-menu="{second}"]')).to_be_visible()
    await expect(tab.locator("#menubar")).to_contain_text("二つ目")
    await api.call("DELETE", f"/v2/bot/user/{friend}/richmenu")
    await expect(tab.locator("#menubar")).to_have_count(0)
    await expect(tab.locator("#text")).to_be_visible()


async def test_opening_a_link_makes_the_browser_this_persons_phone(line, api):
    friend = await line.new_friend()
    url = "https://example.com/?a=1&b=2"
    await api.push(friend, {"type": "text", "text": f"こちら {url} です"})
    path = f"{line.url}/phone/{friend}/open"
    for wanted, leads_to in (
        (url, url),
        ("http://127.0.0.1:8/予約?人=二", "http://127.0.0.1:8/%E4%BA%88%E7%B4%84?%E4%BA%BA=%E4%BA%8C"),
        ("https://liff.line.me/123-abc/x?y=1", "/liff/123-abc/x?y=1"),
        ("https://access.line.me/dialog/bot/accountLink?linkToken=t&nonce=n",
         "/dialog/bot/accountLink?linkToken=t&nonce=n"),
    ):  # fmt: skip
        async with api.session.get(path, params={"url": wanted}, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, leads_to)
            assert friend in answer.headers["Set-Cookie"]
            assert "HttpOnly" in answer.headers["Set-Cookie"]
    for bad in (
        "javascript:alert(1)", "ftp://x/", "", "https://", "//evil.example/x", "https://[",
        "https://a/\r\nSet-Cookie: x=1", "data:text/html,x",
    ):  # fmt: skip
        async with api.session.get(path, params={"url": bad}, allow_redirects=False) as answer:
            assert answer.status == 400, bad
    for tail in ("coupon", "liff", "open", "stream"):
        for query in ("?id=%00%ff%f0", "?channel=x", "?chat=C0", "?url=https://%ed%a0%80/"):
            async with api.session.get(f"{line.url}/phone/{friend}/{tail}{query}",
                                       allow_redirects=False) as answer:  # fmt: skip
                assert answer.status < 500, (tail, query)


@pytest.mark.browser
@pytest.mark.parametrize("size", ["compact", "tall", "full"])
async def test_a_liff_app_opens_in_the_phone_and_closes(line, api, tab, size):
    friend = await line.new_friend()
    login = (await line.call("GET", "/login/channels"))["channels"][0]
    form = {
        "grant_type": "client_credentials",
        "client_id": login["channel_id"],
        "client_secret": login["channel_secret"],
    }
    async with api.session.post(f"{line.url}/v2/oauth/accessToken", data=form) as answer:
        token = (await answer.json())["access_token"]
    view = {"type": size, "url": f"{line.url}/_emulator/liff/demo"}
    added = await api.call("POST", "/liff/v1/apps", {"view": view}, Authorization=f"Bearer {token}")
    assert added.status == 200, added.json
    url = f"https://liff.line.me/{added.json['liffId']}"
    await api.push(friend, {"type": "text", "text": url})
    await phone(line, tab, friend)
    await tab.locator(".lp-url").click()
    frame = tab.frame_locator(".sheet iframe")
    await expect(frame.locator("body")).not_to_be_empty()
    await expect(tab.locator(f".sheet.{size}")).to_be_visible()
    whole = await tab.locator(".front").bounding_box()
    sheet = await tab.locator(".sheet").bounding_box()
    assert whole
    assert sheet
    share = {"compact": 0.5, "tall": 0.8, "full": 1}[size]
    assert abs(sheet["height"] / whole["height"] - share) < 0.01
    await tab.evaluate("window.postMessage({ lineEmulatorLiff: 'close' }, '*')")
    await expect(tab.locator(".sheet")).to_be_hidden()


@pytest.mark.browser
async def test_screens_of_line_itself(line, api, bot, tab):
    friend = await line.new_friend()
    account = (await line.channels())[0]["basic_id"]
    await api.push(
        friend,
        {
            "type": "template",
            "altText": "x",
            "template": {
                "type": "buttons",
                "text": "x",
                "actions": [
                    {"type": "uri", "label": label, "uri": f"https://line.me/R/{path}"}
                    for label, path in (
                        ("カメラ", "nv/camera/"),
                        ("場所", "nv/location/"),
                        ("書く", f"oaMessage/{quote(account)}/?{quote('予約 & 質問')}"),
                        ("設定", "nv/settings"),
                    )
                ],
            },
        },
    )
    await phone(line, tab, friend)
    await tab.get_by_role("button", name="カメラ", exact=True).click()
    await tab.locator('[data-photo="curry"]').click()
    assert (await bot.until(1))[0]["message"]["type"] == "image"
    await tab.get_by_role("button", name="場所", exact=True).click()
    await tab.get_by_role("button", name="東京駅").click()
    assert (await bot.until(2))[1]["message"]["type"] == "location"
    await tab.get_by_role("button", name="書く", exact=True).click()
    await expect(tab.locator("#text")).to_have_value("予約 & 質問")
    await tab.get_by_role("button", name="設定", exact=True).click()
    await expect(tab.get_by_role("dialog")).to_contain_text("https://line.me/R/nv/settings")
