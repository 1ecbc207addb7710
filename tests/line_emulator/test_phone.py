"""The phone in the browser: what is drawn, what taps do, what arrives by itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from playwright.async_api import expect
from tests.line_emulator.browsing import tab

__all__ = ["tab"]

QUESTION = {
    "type": "text",
    "text": "辛さのお好みは？",
    "quickReply": {
        "items": [
            {"type": "action", "action": {"type": "message", "label": label, "text": label}}
            for label in ("甘口", "辛口")
        ]
    },
}
BUTTONS = {
    "type": "template",
    "altText": "x",
    "template": {
        "type": "buttons",
        "text": "予約",
        "actions": [
            {"type": "datetimepicker", "label": "日付", "data": "when", "mode": "date"},
            {"type": "postback", "label": "あとで", "data": "later", "displayText": "あとで！"},
            {"type": "uri", "label": "開く", "uri": "http://127.0.0.1:9/menu"},
        ],
    },
}
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


class Tags(HTMLParser):
    """Collects what a browser would take for attributes and inline scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: set[str] = set()
        self.scripts_without_source = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        self.attributes |= names
        self.scripts_without_source += tag == "script" and "src" not in names


# Without a browser


async def test_pages_forbid_inline_script(line, api):
    friend = await line.new_friend(name=EVIL)
    await api.push(friend, {"type": "text", "text": EVIL})
    await line.say(friend, EVIL)
    for path in (f"/phone/{friend}", "/phones", f"/phones?q={EVIL}&lang={EVIL}"):
        page = await api.call("GET", path)
        assert page.status == 200
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        html = page.json.decode()
        assert EVIL not in html
        assert "<img src=x" not in html
        tags = Tags()
        tags.feed(html)
        assert [name for name in tags.attributes if name.startswith("on") or name == "style"] == []
        assert tags.scripts_without_source == 0


async def test_pages_that_do_not_exist(line, api):
    friend = await line.new_friend()
    for path in ("/phone/U0", f"/phone/{friend}?channel=1", "/phone-assets/../cli.py"):
        assert (await api.call("GET", path)).status == 404
    for path in ("/phones?page=99999999999", "/phones?size=0&page=-1", "/phones?page=x"):
        assert (await api.call("GET", path)).status == 200


async def test_languages(line, api):
    friend = await line.new_friend()
    japanese = await api.call("GET", f"/phone/{friend}", Accept_Language="fr, ja;q=0.5")
    english = await api.call("GET", f"/phone/{friend}", Accept_Language="en-GB,ja;q=0.5")
    chosen = await api.call("GET", f"/phone/{friend}?lang=en", Accept_Language="ja")
    assert "メッセージを入力" in japanese.json.decode()
    assert 'lang="en"' in english.json.decode()
    assert "Block" in chosen.json.decode()


async def test_content_is_never_served_as_a_page(line, api):
    friend = await line.new_friend()
    said = await line.act(
        user=friend,
        type="message",
        message={"type": "file", "data": "PGI+", "contentType": "text/html"},
    )
    answer = await api.call("GET", f"/_emulator/contents/{said['messageId']}")
    assert answer.json == b"<b>"
    assert answer.headers["Content-Type"] == "application/octet-stream"


# In Chromium


@pytest.mark.browser
async def test_a_conversation(line, api, bot, tab):
    friend = await line.new_stranger(name="山田 花子")
    await tab.goto(f"{line.url}/phone/{friend}?lang=ja")
    await tab.get_by_role("button", name="友だち追加").first.click()
    await expect(tab.get_by_text("友だち追加しました")).to_be_visible()
    assert (await bot.until(1))[0]["type"] == "follow"

    await api.push(friend, QUESTION)
    await expect(tab.get_by_text("辛さのお好みは？")).to_be_visible()
    await tab.get_by_text("辛口", exact=True).click()
    assert (await bot.until(2))[1]["message"]["text"] == "辛口"
    await expect(tab.locator(".lp-chips")).to_have_count(0)
    await expect(tab.locator(".lp-said")).to_have_text(re.compile("辛口"))

    await tab.fill("#text", "大盛りで")
    await tab.keyboard.press("Enter")
    assert (await bot.until(3))[2]["message"]["text"] == "大盛りで"
    await expect(tab.locator("#text")).to_have_value("")


@pytest.mark.browser
async def test_buttons(line, api, bot, tab):
    friend = await line.new_friend()
    await api.push(friend, BUTTONS)
    await tab.goto(f"{line.url}/phone/{friend}?lang=ja")
    await tab.get_by_text("あとで", exact=True).click()
    assert (await bot.until(1))[0]["postback"] == {"data": "later"}
    await expect(tab.locator(".lp-said")).to_have_text(re.compile("あとで！"))
    await tab.get_by_text("日付", exact=True).click()
    await tab.fill("#picked", "2026-12-24")
    await tab.get_by_role("button", name="決定").click()
    params = {"date": "2026-12-24"}
    assert (await bot.until(2))[1]["postback"] == {"data": "when", "params": params}
    async with tab.context.expect_page() as opened:
        await tab.get_by_text("開く", exact=True).click()
    await (await opened.value).close()


@pytest.mark.browser
async def test_blocking_and_photos(line, bot, tab):
    friend = await line.new_friend()
    await tab.goto(f"{line.url}/phone/{friend}?lang=en")
    await tab.get_by_role("button", name="Photo, sticker").click()
    await tab.get_by_role("button", name="Photo", exact=True).click()
    await tab.set_input_files(
        "#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG"}
    )
    assert (await bot.until(1))[0]["message"]["type"] == "image"
    await tab.get_by_role("button", name="Block").first.click()
    assert (await bot.until(2))[1]["type"] == "unfollow"
    await expect(tab.locator(".person .state")).to_have_text("Blocked")
    await tab.fill("#text", "hello?")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#toast")).to_contain_text("blocked")
    await expect(tab.locator("#text")).to_have_value("hello?")
    await tab.get_by_role("button", name="Unblock").first.click()
    assert (await bot.until(3))[2]["follow"] == {"isUnblocked": True}


@pytest.mark.browser
async def test_loading_animation_shows_and_ends_with_a_message(line, api, tab):
    friend = await line.new_friend()
    await tab.goto(f"{line.url}/phone/{friend}")
    await expect(tab.locator("#typing")).to_be_hidden()
    await api.call("POST", "/v2/bot/chat/loading/start", {"chatId": friend, "loadingSeconds": 60})
    await expect(tab.locator("#typing")).to_be_visible()
    await api.push(friend, {"type": "text", "text": "done"})
    await expect(tab.locator("#typing")).to_be_hidden()


@pytest.mark.browser
async def test_the_wall_shows_a_broadcast_arrive(line, api, tab):
    await line.create_users(30, state="friend")
    await tab.goto(f"{line.url}/phones?lang=ja&size=10")
    await expect(tab.locator(".card")).to_have_count(10)
    await api.call("POST", "/v2/bot/message/broadcast", {"messages": [QUESTION]})
    await expect(tab.locator(".card.arrived")).to_have_count(10)
    await expect(tab.locator(".card").first).to_contain_text("辛さのお好みは？")
    await tab.get_by_role("link", name="次へ").click()
    await expect(tab.locator(".pages")).to_contain_text("11–20 / 30")
    name = await tab.locator(".card b").first.inner_text()
    await tab.get_by_role("searchbox").fill(name)
    await tab.keyboard.press("Enter")
    await expect(tab.locator(".card b").first).to_have_text(name)
    await tab.locator(".card a").first.click()
    await expect(tab.locator(".person h2")).to_have_text(name)


@pytest.mark.browser
async def test_two_hundred_phones_at_once(line, api, tab):
    await line.create_users(220, state="friend")
    await tab.goto(f"{line.url}/phones?lang=en&size=200")
    await expect(tab.locator(".card")).to_have_count(200)
    for round_ in range(3):
        message = {"type": "text", "text": f"round {round_}"}
        await api.call("POST", "/v2/bot/message/broadcast", {"messages": [message, QUESTION]})
        await expect(tab.locator("#bubbles")).to_have_text(str((round_ + 1) * 400))
    await expect(tab.locator("#reached")).to_have_text("200")
    await expect(tab.locator(".card").first).to_contain_text("round 2")
    last = tab.locator(".card").last
    assert "round" not in await last.inner_text()
    await last.scroll_into_view_if_needed()
    await expect(last).to_contain_text("round 2")
    await tab.get_by_role("button", name="Start again").click()
    await expect(tab.locator("#reached")).to_have_text("0")


@pytest.mark.browser
async def test_the_wall_can_be_narrowed_to_a_state(line, tab):
    await line.create_users(3, state="friend")
    await line.create_users(2, state="blocked")
    await tab.goto(f"{line.url}/phones?lang=en")
    await tab.get_by_label("Show").select_option(label="Blocked")
    await expect(tab.locator(".card")).to_have_count(2)
    await expect(tab.locator(".card.blocked")).to_have_count(2)
    await tab.get_by_label("Show").select_option(label="Everybody")
    await expect(tab.locator(".card")).to_have_count(5)
    sound = tab.get_by_role("button", name="Sound: off")
    await sound.click()
    await expect(tab.get_by_role("button", name="Sound: on")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_sticks_out(line, api, tab, width):
    friend = await line.new_friend(name="とても長い名前の人" * 5)
    await api.push(friend, {"type": "text", "text": "x" * 500}, BUTTONS, QUESTION)
    await tab.set_viewport_size({"width": width, "height": 844})
    for path in (f"/phone/{friend}", "/phones"):
        await tab.goto(line.url + path)
        wide = await tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


@pytest.mark.browser
async def test_what_comes_before_the_page_listens_is_shown(line, api, tab):
    """Between drawing a page and its stream there is a moment: nothing may fall into it."""
    friend = await line.new_friend()

    async def late(route):
        await api.push(friend, {"type": "text", "text": "in between"})
        started = {"chatId": friend, "loadingSeconds": 60}
        await api.call("POST", "/v2/bot/chat/loading/start", started)
        await route.continue_()

    await tab.route("**/stream?*", late)
    await tab.goto(f"{line.url}/phone/{friend}?lang=en")
    await expect(tab.locator("#chat")).to_contain_text("in between")
    await expect(tab.locator("#typing")).to_be_visible()
    await expect(tab.get_by_text("in between")).to_have_count(1)
    await tab.goto(f"{line.url}/phones?lang=en")
    await expect(tab.locator("#reached")).to_have_text("1")
