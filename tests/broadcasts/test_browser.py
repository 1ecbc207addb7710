"""A broadcast written and sent in a real browser, by mouse and by keyboard."""

from __future__ import annotations

import uuid

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from conftest import Shop
from console import make_staff
from hiiki.broadcasts.models import Broadcast
from hiiki.contacts.models import Contact, Friendship
from hiiki.coupons import service as coupons
from hiiki.coupons.actions import give_by_hand
from hiiki.coupons.schemas import CouponIn
from hiiki.db import scope
from hiiki.delivery.models import Parcel, Send
from hiiki.delivery.service import start_send
from hiiki.kit.clock import now
from hiiki.timeline import Event
from hiiki.workspace import auth
from hiiki.workspace.models import Channel

pytestmark = pytest.mark.browser


@pytest.fixture
async def shop_page(page: Page, shop: Shop) -> Page:
    staff_id = await make_staff(shop, "operator")
    session = await auth.start_session(staff_id, workspace_id=shop.workspace_id)
    await page.goto("/login")
    await page.context.add_cookies([{"name": "hiiki_session", "value": session, "url": page.url}])
    return page


async def friends(shop: Shop, count: int) -> list[uuid.UUID]:
    ids = [uuid.uuid4() for _ in range(count)]
    async with scope(shop.workspace_id) as session:
        channel = Channel(
            name="スパイス横丁",
            line_channel_id=uuid.uuid4().hex,
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=uuid.uuid4().hex,
        )
        session.add(channel)
        session.add_all(Contact(id=ident, display_name=f"友だち{n}") for n, ident in enumerate(ids))
        await session.flush()
        session.add_all(
            Friendship(
                contact_id=ident,
                channel_id=channel.id,
                line_user_id="U" + ident.hex,
                status="following",
                followed_at=now(),
            )
            for ident in ids
        )
    return ids


async def test_writing_checking_and_sending(shop_page: Page, shop: Shop) -> None:
    await friends(shop, 4)
    page = shop_page
    await page.goto("/broadcasts/new")
    await page.get_by_label("名前", exact=True).fill("甘口の日")
    words = page.locator("[name='draft.blocks.0.text']")
    await words.fill("こんにちは、")
    await page.locator(".co-words summary").press("Enter")
    await page.locator("[data-insert]").first.press("Enter")
    await expect(words).to_have_value('こんにちは、{{ name | default: "お客様" }}')
    await expect(page.locator(".lp-chat")).to_contain_text("こんにちは、花子")
    await expect(page.locator(".co-counter").first).to_have_text("33 / 5,000")
    await page.get_by_role("button", name="ボタン付きカード").press("Enter")
    await page.locator("[name='draft.blocks.1.text']").fill("カードです")
    await page.locator("[name='draft.blocks.1.buttons.0.label']").fill("見る")
    address = page.locator("[name='draft.blocks.1.buttons.0.value']")
    await address.fill("example")
    await page.get_by_role("button", name="保存して確認へ").click()
    await expect(page.locator(".hk-error")).to_contain_text("URLを入力してください")
    await expect(words).to_have_value('こんにちは、{{ name | default: "お客様" }}')
    await address.fill("https://example.com/")
    await page.get_by_role("button", name="保存して確認へ").click()
    await page.get_by_role("button", name="4人に今すぐ送信").click()
    await expect(page.locator("#hk-confirm-text")).to_contain_text("4人に今すぐ送信しますか?")
    await page.locator("#hk-confirm button[value=yes]").click()
    await expect(page.locator("#progress")).to_contain_text("0 / 4")
    async with scope(shop.workspace_id) as session:
        (broadcast,) = (await session.scalars(select(Broadcast))).all()
        parcels = (await session.scalars(select(Parcel))).all()
        # The page follows what the workers do, without being loaded again.
        send = await session.one(Send, broadcast.send_id)
        send.accepted, send.state, send.finished_at = 4, "done", now()
    assert len(parcels) == 4
    await expect(page.locator("#progress")).to_contain_text("4 / 4", timeout=10_000)


async def test_a_running_send_is_followed(shop_page: Page, shop: Shop) -> None:
    people = await friends(shop, 10)
    async with scope(shop.workspace_id) as session:
        channel = (await session.scalars(select(Channel))).one()
        broadcast = Broadcast(
            name="夏の便り", channel_id=channel.id, draft={"blocks": []}, state="sent", everybody=10
        )
        session.add(broadcast)
        await session.flush()
        send = await start_send(
            session,
            channel_id=channel.id,
            subject=f"broadcast:{broadcast.id}",
            messages=[{"type": "text", "text": "夏です"}],
            personal=False,
            audience=select(Contact.id).where(Contact.id.in_(people)),
        )
        broadcast.send_id = send.id

    async def becomes(**values: object) -> None:
        async with scope(shop.workspace_id) as session:
            found = await session.one(Send, send.id)
            for name, value in values.items():
                setattr(found, name, value)

    page = shop_page
    await page.goto(f"/broadcasts/{broadcast.id}")
    progress, badge, said = (page.locator(f"#{i}") for i in ("progress", "state-badge", "hk-said"))
    await page.locator("#pause").focus()
    await expect(said).to_have_text("")
    await becomes(accepted=4)
    await expect(progress).to_contain_text("4 / 10")
    await expect(said).to_have_text("送信中 40%")
    # Whoever works by keyboard is not thrown out of the place by what draws itself anew.
    assert await page.evaluate("document.activeElement.id") == "pause"
    await becomes(state="paused", pause_code="errors", pause_failed=150, pause_of=200)
    await expect(progress).to_contain_text("200回のうち150回が失敗")
    await expect(badge).to_have_text("一時停止中")
    await expect(said).to_contain_text("しばらく待ってから再開してください")
    await page.get_by_role("button", name="再開").click()
    await expect(progress).to_contain_text("送信中")
    # The question stays answerable for longer than the page waits until it asks anew.
    await page.locator("#stop").click()
    async with page.expect_response(lambda answer: answer.url.endswith("/progress")):
        pass
    async with page.expect_response(lambda answer: answer.url.endswith("/progress")):
        pass
    await page.locator("#hk-confirm button[value=yes]").click()
    await expect(badge).to_have_text("中止")
    async with scope(shop.workspace_id) as session:
        assert (await session.one(Send, send.id)).state == "cancelled"
    await becomes(cancelled=6, finished_at=now())
    await expect(said).to_have_text("中止")
    await page.get_by_role("link", name="レポートを見る").click()
    await expect(page.get_by_text("6人には、送信前に中止")).to_be_visible()


async def test_as_many_as_the_months_messages_suffice_for(shop_page: Page, shop: Shop) -> None:
    await friends(shop, 4)
    async with scope(shop.workspace_id) as session:
        channel = (await session.scalars(select(Channel))).one()
        channel.quota_limit, channel.quota_used, channel.quota_reported = 1000, 997, 996
        channel.quota_checked_at = now()
    page = shop_page
    await page.goto("/broadcasts/new")
    await page.get_by_label("名前", exact=True).fill("年末のお知らせ")
    await page.locator("[name='draft.blocks.0.text']").fill("年末年始の営業時間です")
    reach = page.get_by_role("region", name="届く人数と料金")
    await expect(reach.get_by_role("alert")).to_contain_text("今月の残りは3通です")
    await expect(reach).to_contain_text("LINEの集計で996通")
    box = page.get_by_label("今月の通数が足りないときは、送れる人数まで送る")
    await box.focus()
    await page.keyboard.press("Space")
    await expect(reach).to_contain_text("3人に届きます")
    await expect(reach).to_contain_text("1人：今月の通数が足りません")
    await expect(reach.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="保存して確認へ").click()
    await expect(page.locator("main")).to_contain_text("足りないときは、送れる人数まで送る")
    await page.get_by_role("link", name="編集").click()
    await expect(box).to_be_checked()
    await page.get_by_role("button", name="保存して確認へ").click()
    await page.get_by_role("button", name="3人に今すぐ送信").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("送信後の残りは0通")
    await dialog.get_by_role("button", name="送信", exact=True).click()
    left = page.get_by_role("link", name="今月の通数が足りなかった 1")
    await left.click()
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page.get_by_role("row").last).to_contain_text("今月の通数が足りなかった")
    async with scope(shop.workspace_id) as session:
        made = (await session.scalars(select(Send))).one()
        assert (made.targeted, made.quota) == (3, 1)


async def test_nothing_scrolls_sideways_on_a_phone(shop_page: Page, shop: Shop) -> None:
    (person, *_rest) = await friends(shop, 2)
    async with scope(shop.workspace_id) as session:
        coupon = await coupons.create(
            session,
            CouponIn(title="カ" * 40, benefit="yen", amount=10_000_000, terms="条件" * 400),
        )
        held = await give_by_hand(session, coupon.id, person, None)
    page = shop_page
    await page.set_viewport_size({"width": 390, "height": 844})
    for path in (
        "/broadcasts",
        "/broadcasts/new",
        "/library",
        "/coupons",
        "/coupons/new",
        f"/coupons/{coupon.id}",
        f"/c/{held.code}",
        f"/c/{held.code}/use",
    ):
        await page.goto(path)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path


async def test_a_customer_uses_a_coupon_without_a_log_in(shop_page: Page, shop: Shop) -> None:
    (person,) = await friends(shop, 1)
    async with scope(shop.workspace_id) as session:
        coupon = await coupons.create(session, CouponIn(title="全品", benefit="percent", amount=10))
        held = await give_by_hand(session, coupon.id, person, None)
    page = shop_page
    await page.context.clear_cookies()
    await page.goto(f"/c/{held.code}")
    image = page.locator(".cp-qr")
    assert await image.evaluate("image => image.complete && image.naturalWidth > 0")
    await page.get_by_role("link", name="クーポンを使う").click()
    await expect(page.get_by_role("heading")).to_have_text("店員に見せてから押してください")
    await page.get_by_role("button", name="使用する").click()
    await expect(page.locator(".cp-stamp")).to_have_text("使用済み")
    async with scope(shop.workspace_id) as session:
        used = await session.scalars(select(Event).where(Event.kind == "coupon_use"))
        assert len(used.all()) == 1
