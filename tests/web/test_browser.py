"""The console in a real browser: by keyboard, on a phone, under its strict policy."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from conftest import Shop
from console import PASSWORD, make_staff
from stack import Web

pytestmark = pytest.mark.browser


async def log_in(page: Page, shop: Shop, role: str = "owner") -> None:
    await make_staff(shop, role, email=f"{role}@example.com")
    await page.goto("/login")
    # By keyboard alone: the first field has the focus already, once the page is drawn.
    await expect(page.locator("[name=email]")).to_be_focused()
    await page.keyboard.type(f"{role}@example.com")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".hk-nav")).to_be_visible()


async def test_the_first_visit_ends_in_the_console(page: Page) -> None:
    await page.goto("/")
    await expect(page).to_have_url(re.compile("/welcome$"))
    await page.get_by_label("お店の名前").fill("カレーの店")
    await page.get_by_label("お名前").fill("花子")
    await page.get_by_label("メールアドレス").fill("hanako@example.com")
    await page.get_by_label("パスワード").fill("ten letters")
    await page.get_by_role("button", name="はじめる").click()
    await expect(page).to_have_url(re.compile("/settings/channels$"))
    await expect(
        page.get_by_text("ようこそ。次は、公式アカウントを接続しましょう。")
    ).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("ようこそ。次は")).to_have_count(0)


async def test_deleting_asks_first_and_by_keyboard(page: Page, shop: Shop) -> None:
    await log_in(page, shop)
    await page.goto("/settings/tokens")
    await page.get_by_label("用途").fill("レジ")
    await page.get_by_role("button", name="発行する").click()
    await expect(page.get_by_label("新しいトークン", exact=True)).to_have_value(
        re.compile("^hiiki_")
    )
    revoke = page.get_by_role("button", name="無効にする")
    await revoke.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("「レジ」を無効にしますか？")
    # The safe answer has the focus.
    await expect(dialog.get_by_role("button", name="キャンセル")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await revoke.click()
    await dialog.get_by_role("button", name="無効にする").click()
    await expect(page.get_by_text("トークン「レジ」を無効にしました。")).to_be_visible()


async def test_the_drawer_on_a_phone(page: Page, shop: Shop) -> None:
    await log_in(page, shop)
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto("/settings/staff")
    link = page.get_by_role("link", name="公式アカウント")
    await expect(link).to_be_hidden()
    opener = page.get_by_role("button", name="メニューを開く")
    await opener.focus()
    await page.keyboard.press("Enter")
    await expect(link).to_be_visible()
    await expect(page.get_by_role("button", name="メニューを閉じる")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(link).to_be_hidden()
    await expect(opener).to_be_focused()


async def test_no_page_scrolls_sideways(page: Page, shop: Shop) -> None:
    await log_in(page, shop)
    await page.goto("/profile")
    links = await page.locator(".hk-nav a").evaluate_all("all => all.map(a => a.pathname)")
    assert len(links) > 8
    wide = []
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 844})
        for link in [*links, "/profile", "/workspaces", "/settings/channels/new"]:
            await page.goto(link)
            over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wide.append((link, width, over))
    assert not wide


async def test_a_lost_server_is_told_in_passing(page: Page, shop: Shop, web: Web) -> None:
    await log_in(page, shop)
    await page.evaluate(
        """() => {
            const probe = document.createElement('button');
            probe.id = 'probe';
            probe.setAttribute('hx-get', '/settings/staff/00000000-0000-7000-8000-000000000000');
            document.querySelector('main').append(probe);
            htmx.process(probe);
        }"""
    )
    await page.click("#probe")
    await expect(page.locator(".hk-toast")).to_contain_text("存在しない")
    await page.context.set_offline(True)
    await page.click("#probe")
    await expect(page.locator(".hk-toast").last).to_contain_text("サーバーに接続できません")


async def test_a_picker_is_chosen_from_by_typing(page: Page, shop: Shop) -> None:
    await log_in(page, shop)
    await page.evaluate(
        """() => {
            const select = document.createElement('select');
            select.id = 'heat';
            select.setAttribute('data-picker', '');
            const heats = ['', '甘口', '中辛 A', '辛口 Ａ'];
            heats.forEach((label, at) => select.add(new Option(label, at ? `${at}` : '')));
            const form = document.createElement('form');
            form.append(select);
            document.querySelector('main').append(form);
            htmx.process(form);
            document.dispatchEvent(
                new CustomEvent('htmx:load', {detail: {elt: form}}));
        }"""
    )
    field = page.locator("main form input[role=combobox]")
    await field.click()
    await field.fill("a")
    await expect(page.get_by_role("option")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.getElementById('heat').value") == "3"
    await expect(field).to_have_value("辛口 Ａ")
    await expect(page.get_by_role("listbox")).to_be_hidden()
