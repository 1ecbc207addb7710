"""What a person does in the chat: sending everything, replying, taking back, picking, using."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect
from tests.line_emulator.browsing import tab

__all__ = ["tab"]

pytestmark = pytest.mark.browser


def quick(*actions):
    return {
        "type": "text",
        "text": "どうぞ",
        "quickReply": {"items": [{"type": "action", "action": one} for one in actions]},
    }


async def phone(line, tab, user, **query):
    query = {"lang": "ja"} | query
    address = f"{line.url}/phone/{user}?" + "&".join(f"{k}={v}" for k, v in query.items())
    await tab.goto(address)
    await expect(tab.locator("html")).to_have_attribute("data-ready", user)


async def send(tab, what):
    await tab.locator("#attach").click()
    await tab.locator(f'#tools [data-send="{what}"]').click()


async def test_all_that_can_be_sent(line, bot, tab):
    friend = await line.new_friend()
    await phone(line, tab, friend)
    await send(tab, "sticker")
    await tab.locator('[data-sticker="1990"]').click()
    said = (await bot.until(1))[0]["message"]
    assert (said["packageId"], said["stickerId"]) == ("446", "1990")
    await expect(tab.locator(".lp-sticker")).to_have_attribute("title", "スタンプ 446 / 1990")

    await send(tab, "location")
    await tab.get_by_role("button", name="大阪城").click()
    assert (await bot.until(2))[1]["message"]["title"] == "大阪城"
    await send(tab, "location")
    await tab.get_by_text("ほかの場所").click()
    await tab.get_by_label("緯度").fill("-33.85")
    await tab.get_by_label("経度").fill("151.21")
    await tab.get_by_role("button", name="この場所を送信").click()
    place = (await bot.until(3))[2]["message"]
    assert (place["latitude"], place["longitude"]) == (-33.85, 151.21)

    await send(tab, "camera")
    await tab.locator('[data-photo="cat"]').click()
    assert (await bot.until(4))[3]["message"]["type"] == "image"
    picture = tab.locator(".lp-photo-img").last
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("naturalWidth", 960)

    for place, kind in enumerate(("video", "audio", "file"), 5):
        await send(tab, kind)
        await tab.locator(f'[data-sample="{kind}"]').click()
        assert (await bot.until(place))[place - 1]["message"]["type"] == kind
    await send(tab, "file")
    await tab.set_input_files(
        "#file", {"name": "予約.csv", "mimeType": "text/csv", "buffer": b"a,b\n"}
    )
    assert (await bot.until(8))[7]["message"]["fileName"] == "予約.csv"
    await expect(tab.locator(".lp-file-name").last).to_have_text("予約.csv")


async def test_enter_sends_and_shift_enter_breaks_the_line(line, bot, tab):
    friend = await line.new_friend()
    await phone(line, tab, friend)
    await tab.locator("#text").press_sequentially("一行目")
    await tab.keyboard.press("Shift+Enter")
    await tab.keyboard.type("二行目")
    await tab.keyboard.press("Enter")
    assert (await bot.until(1))[0]["message"]["text"] == "一行目\n二行目"


async def test_replying_and_taking_back(line, api, bot, tab):
    friend = await line.new_friend()
    await api.push(friend, {"type": "text", "text": "ご注文は？"})
    await phone(line, tab, friend)
    received = tab.locator(".received .lp-line")
    await received.hover()
    await received.get_by_role("button", name="メッセージの操作").click()
    sheet = tab.get_by_role("dialog")
    await expect(sheet.get_by_role("button", name="送信取消")).to_have_count(0)
    await sheet.get_by_role("button", name="リプライ").click()
    await expect(tab.locator("#quotebar")).to_contain_text("ご注文は？")
    await tab.keyboard.type("カレー")
    await tab.keyboard.press("Enter")
    said = (await bot.until(1))[0]["message"]
    assert re.fullmatch(r"\d+", said["quotedMessageId"])
    await expect(tab.locator(".lp-said .lp-quote")).to_contain_text("ご注文は？")
    await expect(tab.locator("#quotebar")).to_be_hidden()

    # The bot quotes what the person said.
    await api.push(friend, {"type": "text", "text": "はい", "quoteToken": said["quoteToken"]})
    await expect(tab.locator(".received .lp-quote")).to_have_text(re.compile("自分.*カレー", re.S))

    await tab.locator(".lp-said .dots").focus()
    await tab.keyboard.press("Enter")
    await tab.get_by_role("dialog").get_by_role("button", name="送信取消").click()
    assert (await bot.until(2))[1]["unsend"] == {"messageId": said["id"]}
    await expect(tab.get_by_text("メッセージの送信を取り消しました")).to_be_visible()
    await expect(tab.locator(".lp-said")).to_have_count(0)


async def test_a_long_press_opens_the_menu_of_a_message(line, api, tab):
    friend = await line.new_friend()
    await api.push(friend, {"type": "text", "text": "押してください"})
    await phone(line, tab, friend)
    bubble = tab.locator(".lp-text")
    await bubble.dispatch_event("pointerdown", {"pointerType": "touch"})
    await expect(tab.get_by_role("dialog")).to_be_visible()
    await tab.keyboard.press("Escape")
    await expect(tab.get_by_role("dialog")).to_be_hidden()
    await bubble.dispatch_event("pointerdown", {"pointerType": "touch"})
    await bubble.dispatch_event("pointermove", {"pointerType": "touch"})
    await tab.wait_for_timeout(700)
    await expect(tab.get_by_role("dialog")).to_be_hidden()


async def test_date_pickers_keep_to_their_range(line, api, bot, tab):
    friend = await line.new_friend()
    day = {"type": "datetimepicker", "label": "日", "data": "d", "mode": "date",
           "initial": "2026-12-05", "min": "2026-12-01", "max": "2026-12-31"}  # fmt: skip
    moment = {"type": "datetimepicker", "label": "日時", "data": "m", "mode": "datetime",
              "initial": "2026-12-05t10:00"}  # fmt: skip
    hour = {"type": "datetimepicker", "label": "時刻", "data": "h", "mode": "time", "max": "21:00"}
    await api.push(friend, quick(day, moment, hour))
    await phone(line, tab, friend)
    await tab.get_by_text("日", exact=True).click()
    await expect(tab.locator("#picked")).to_have_value("2026-12-05")
    await tab.fill("#picked", "2027-01-01")
    await tab.get_by_role("button", name="決定").click()
    await expect(tab.get_by_role("alert")).to_have_text("選べる範囲の外です")
    await tab.fill("#picked", "2026-12-31")
    await tab.keyboard.press("Enter")
    assert (await bot.until(1))[0]["postback"]["params"] == {"date": "2026-12-31"}

    await api.push(friend, quick(day, moment, hour))
    await tab.get_by_text("日時", exact=True).click()
    await tab.get_by_role("button", name="決定").click()
    assert (await bot.until(2))[1]["postback"]["params"] == {"datetime": "2026-12-05T10:00"}
    await api.push(friend, quick(day, moment, hour))
    await tab.get_by_text("時刻", exact=True).click()
    await tab.fill("#picked", "21:00")
    await tab.get_by_role("button", name="決定").click()
    assert (await bot.until(3))[2]["postback"]["params"] == {"time": "21:00"}


async def test_quick_replies_for_camera_place_clipboard_and_telephone(line, api, bot, tab):
    friend = await line.new_friend()
    actions = (
        {"type": "cameraRoll", "label": "アルバム"},
        {"type": "location", "label": "ここ"},
        {"type": "clipboard", "label": "写す", "clipboardText": "ABC-123"},
        {"type": "uri", "label": "電話", "uri": "tel:0312345678"},
    )
    await api.push(friend, quick(*actions))
    await phone(line, tab, friend)
    await tab.get_by_text("写す").click()
    await expect(tab.locator("#toast")).to_contain_text("ABC-123")
    await tab.get_by_text("電話", exact=True).click()
    sheet = tab.get_by_role("dialog", name="電話をかけます")
    await expect(sheet).to_contain_text("tel:0312345678")
    await tab.keyboard.press("Escape")
    await tab.get_by_text("ここ").click()
    await tab.get_by_role("button", name="博多駅").click()
    assert (await bot.until(1))[0]["message"]["type"] == "location"
    await api.push(friend, quick(*actions))
    await tab.get_by_text("アルバム").click()
    await tab.locator('[data-photo="sea"]').click()
    assert (await bot.until(2))[1]["message"]["type"] == "image"


async def test_read_marks(line, api, bot, tab):
    friend = await line.new_friend()
    await line.update_channel((await line.channels())[0]["channel_id"], chat_mode="chat")
    await phone(line, tab, friend)
    await tab.fill("#text", "読みましたか")
    await tab.keyboard.press("Enter")
    token = (await bot.until(1))[0]["message"]["markAsReadToken"]
    await expect(tab.locator(".lp-said")).to_be_visible()
    await expect(tab.locator(".lp-read")).to_have_count(0)
    await api.call("POST", "/v2/bot/chat/markAsRead", {"markAsReadToken": token})
    await expect(tab.locator(".lp-read")).to_have_text("既読")


async def test_a_video_seen_to_its_end(line, api, bot, tab):
    friend = await line.new_friend()
    url = f"{line.url}/phone-pictures/sea.jpg"
    video = {"type": "video", "originalContentUrl": url, "previewImageUrl": url, "trackingId": "t1"}
    await api.push(friend, {"type": "text", "text": "ご覧ください"}, video)
    await phone(line, tab, friend)
    await tab.locator(".lp-video").click()
    await tab.locator("video").dispatch_event("ended")
    # Before the end there was the start: insight counts both, the bot is told of the end.
    event = (await bot.until(1))[0]
    assert (event["type"], event["videoPlayComplete"]) == (
        "videoPlayComplete",
        {"trackingId": "t1"},
    )


async def test_coupons(line, api, tab):
    friend = await line.new_friend()
    coupon = {
        "title": "焼き菓子プレゼント", "timezone": "ASIA_TOKYO", "visibility": "UNLISTED",
        "acquisitionCondition": {"type": "normal"}, "maxUseCountPerTicket": 1,
        "startTimestamp": 1_600_000_000, "endTimestamp": 4_000_000_000,
        "reward": {"type": "discount", "priceInfo": {"type": "fixed", "fixedAmount": 1500}},
        "couponCode": "CAKE",
    }  # fmt: skip
    made = await api.call("POST", "/v2/bot/coupon", coupon)
    assert made.status == 200, made.json
    coupon_id = made.json["couponId"]
    await api.push(friend, {"type": "coupon", "couponId": coupon_id})
    await phone(line, tab, friend)
    await expect(tab.locator(".lp-coupon")).to_contain_text("焼き菓子プレゼント")
    await tab.get_by_role("button", name="クーポンを見る").click()
    sheet = tab.get_by_role("dialog")
    await expect(sheet).to_contain_text("¥1,500 割引")
    assert "CAKE" not in await sheet.inner_text()
    await sheet.get_by_role("button", name="クーポンを受け取る").click()
    await expect(sheet).to_contain_text("CAKE")
    await sheet.get_by_role("button", name="使用済みにする").click()
    await expect(sheet).to_contain_text("使用済み 20")
    await expect(sheet.get_by_role("button", name="使用済みにする")).to_be_disabled()


async def test_a_group(line, api, bot, tab):
    people = await line.create_users(3, state="friend")
    me, other, third = (one["id"] for one in people)
    made = await line.act(
        user=me, type="group_create", name="新年会", members=[other, third], account=True
    )
    chat = made["chat"]
    await phone(line, tab, me, chat=chat)
    await expect(tab.locator("h1")).to_have_text("新年会 (3)")
    await line.act(user=other, type="message", chat=chat, text="何時から？")
    heard = tab.locator(".message .lp-heard")
    await expect(heard).to_contain_text("何時から？")
    await expect(heard).to_contain_text(people[1]["display_name"])
    await tab.fill("#text", "七時から")
    await tab.keyboard.press("Enter")
    assert (await bot.until(3))[-1]["source"]["groupId"] == chat
    await line.act(user=other, type="read", chat=chat)
    await line.act(user=third, type="message", chat=chat, text="了解")
    await expect(tab.locator(".lp-read")).to_have_text("既読 2")
    await api.push(chat, {"type": "text", "text": "承りました"})
    await expect(tab.locator(".received")).to_contain_text("承りました")
    mention = {"type": "mention", "mentionee": {"type": "user", "userId": other}}
    await api.push(chat, {"type": "textV2", "text": "{x}さん", "substitution": {"x": mention}})
    named = tab.locator(".received .lp-mention")
    await expect(named).to_have_text(f"@{people[1]['display_name']}")
    await expect(tab.locator("#menu .richmenu")).to_have_count(0)
    await tab.goto(f"{line.url}/phone/{me}?lang=ja")
    await expect(tab.get_by_role("link", name="新年会")).to_be_visible()


async def test_letters_of_another_size(line, api, tab):
    friend = await line.new_friend()
    text = {"type": "text", "text": "大きく", "size": "20px"}
    body = {"type": "box", "layout": "vertical", "contents": [text | {"scaling": True}, text]}
    bubble = {"type": "flex", "altText": "x", "contents": {"type": "bubble", "body": body}}
    await api.push(friend, bubble)
    await phone(line, tab, friend)
    await tab.get_by_text("特大", exact=True).click()
    sizes = await tab.locator(".lp-txt").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).fontSize)"
    )
    assert sizes == ["29px", "20px"]
    await tab.reload()
    await expect(tab.get_by_label("特大")).to_be_checked()


async def test_sheets_keep_the_keyboard_inside_and_give_it_back(line, tab):
    friend = await line.new_friend()
    await phone(line, tab, friend)
    attach = tab.locator("#attach")
    await attach.focus()
    await tab.keyboard.press("Enter")
    await tab.locator('#tools [data-send="file"]').focus()
    await tab.keyboard.press("Enter")
    sheet = tab.get_by_role("dialog")
    await expect(sheet).to_be_visible()
    for _ in range(6):
        await tab.keyboard.press("Tab")
        assert await tab.evaluate("document.activeElement.closest('.sheet') !== null")
    await tab.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    assert await tab.evaluate(
        "document.activeElement !== null && !document.querySelector('[inert]')"
    )


async def test_blocked_accounts_and_errors_are_said(line, bot, tab):
    friend = await line.new_friend()
    await phone(line, tab, friend, lang="en")
    await line.block(friend)
    await expect(tab.locator(".bar .act")).to_have_text("Unblock")
    await send(tab, "sticker")
    await tab.locator("[data-sticker]").first.click()
    await expect(tab.locator("#toast")).to_contain_text("blocked")
