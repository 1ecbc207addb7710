"""The builder in a real browser: counting as one edits, undo, the keyboard, a phone's width."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from conftest import Shop
from console import make_staff
from hiiki.contacts.models import Attribute, ContactAttribute
from hiiki.db import scope
from hiiki.workspace import auth
from stack import Web

from .making import channel, person, tag

pytestmark = pytest.mark.browser


async def log_in(page: Page, web: Web, shop: Shop) -> None:
    """Put a log-in into the browser."""
    staff_id = await make_staff(shop, "operator")
    cookie = await auth.start_session(staff_id, workspace_id=shop.workspace_id)
    await page.context.add_cookies([{"name": "hiiki_session", "value": cookie, "url": web.url}])


@pytest.fixture
async def people(shop: Shop) -> None:
    """Four who like it mild, one of them past 40, one blocked; one who likes it hot."""
    async with scope(shop.workspace_id) as session:
        mild, hot = await tag(session, "甘口"), await tag(session, "辛口")
        account = await channel(session, "渋谷")
        age = Attribute(key="age", label="年齢", kind="number")
        session.add(age)
        await session.flush()
        for n in range(3):
            ident = await person(session, f"mild {n}", mild, follows=account)
            if n:
                row = ContactAttribute(contact_id=ident, attribute_id=age.id, number=20 + 25 * n)
                session.add(row)
        await person(session, "blocked", mild, blocked=account)
        await person(session, "hot", hot, follows=account)


async def test_the_count_follows_the_hand_and_undo_leads_back(
    page: Page, web: Web, shop: Shop, people: None
) -> None:
    await log_in(page, web, shop)
    await page.goto("/segments/new")
    now = page.locator("#panel .sg-now")
    # A new one is whole as it stands.
    await expect(now).to_contain_text("人が該当")
    await expect(page.locator(".sg-error")).to_have_count(0)
    await page.locator('[name="rule.rules.0.kind"]').select_option("tag")
    await expect(now).to_contain_text("1件")
    await expect(page.locator(".sg-error")).to_have_text("1つ以上お選びください。")
    await page.get_by_role("checkbox", name="甘口").check(force=True)
    await expect(now).to_contain_text("4 人が該当")
    await expect(now).to_contain_text("3")
    await expect(page.locator(".sg-error")).to_have_count(0)
    await expect(page.locator(".sg-sample li")).to_have_count(4)

    # A group by the keyboard alone: the focus is where the next thing is to be chosen.
    await page.get_by_role("button", name="グループを追加").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator('[name="rule.rules.1.rules.0.kind"]')).to_be_focused()
    await expect(now).to_contain_text("1件")
    await page.locator('[name="rule.rules.1.rules.0.kind"]').select_option("attribute")
    await page.locator('[name="rule.rules.1.rules.0.test.op"]').select_option("number_above")
    await page.locator('[name="rule.rules.1.rules.0.test.number"]').fill("40")
    await expect(now).to_contain_text("2 人が該当")
    await page.get_by_label("不明な人も含める").check()
    await expect(now).to_contain_text("4 人が該当")
    await expect(page.locator("#panel")).to_contain_text("不明な人を含む")

    undo, redo = page.locator("[data-undo]"), page.locator("[data-redo]")
    await undo.click()
    await expect(now).to_contain_text("2 人が該当")
    await redo.click()
    await expect(now).to_contain_text("4 人が該当")
    await page.get_by_role("button", name="外す").last.click()
    await expect(page.locator("#builder")).to_contain_text("グループが空です")
    await undo.click()
    await expect(page.locator('[name="rule.rules.1.rules.0.test.number"]')).to_have_value("40")

    await page.get_by_label("名前").fill("甘口の大人")
    await page.get_by_role("button", name="保存").click()
    await page.wait_for_url("**/segments/*-*")
    await expect(page.get_by_role("heading", name="甘口の大人")).to_be_visible()
    await expect(page.locator("tbody tr")).to_have_count(4)
    await expect(page.locator(".sg-figures")).to_contain_text("75%")


async def test_conditions_are_moved_by_hand_and_by_keyboard(
    page: Page, web: Web, shop: Shop, people: None
) -> None:
    await log_in(page, web, shop)
    await page.goto("/segments/new")
    await page.get_by_role("button", name="グループを追加").click()
    await expect(page.locator('[name="rule.rules.1.rules.0.kind"]')).to_be_focused()
    await page.locator('[name="rule.rules.0.kind"]').select_option("everyone")
    await expect(page.locator('[name="rule.rules.0.status"]')).to_have_count(0)
    inside = page.locator(".sg-inner .sg-part")
    await page.locator('[data-part="rule.rules.0"] .sg-handle').hover()
    await page.mouse.down()
    target = await inside.first.bounding_box()
    assert target
    await page.mouse.move(target["x"] + 60, target["y"] + 20, steps=6)
    await page.mouse.move(target["x"] + 60, target["y"] + target["height"] - 20, steps=6)
    await page.mouse.up()
    # Once the server has drawn the tree, the group is the first of all.
    await expect(page.locator('[data-rules="rule.rules.0"] > .sg-part')).to_have_count(2)
    await expect(page.locator('[data-rules="rule"] > .sg-part')).to_have_count(1)

    # Out of the group again with Alt and an arrow; the focus goes along.
    where = page.locator('[name^="rule.rules.0.rules."][name$=".kind"]')
    first = await where.first.input_value() == "everyone"
    step = "ArrowUp" if first else "ArrowDown"
    here = page.locator(f'[data-node="rule.rules.0.rules.{0 if first else 1}"]')
    await here.get_by_role("button", name="上へ移動").focus()
    await page.keyboard.press(f"Alt+{step}")
    await expect(inside).to_have_count(1)
    moved = page.locator(f'[data-node="rule.rules.{0 if first else 1}"]')
    await expect(moved.locator(":focus")).to_have_count(1)

    # Who presses faster than the tree is drawn loses no step.
    conditions = page.locator(".sg-condition")
    add = page.get_by_role("button", name="条件を追加").last
    await add.evaluate("button => { for (let n = 0; n < 3; n++) button.click(); }")
    await expect(conditions).to_have_count(5)
    for left in (4, 3, 2):
        await page.get_by_role("button", name="外す").last.click()
        await expect(conditions).to_have_count(left)

    # The old count stays to be seen, as an old one, until the new one is there.
    await page.get_by_role("button", name="グループを解除").click()
    await expect(page.locator(".sg-inner")).to_have_count(0)
    await page.get_by_role("checkbox", name="甘口").check(force=True)
    now = page.locator("#panel .sg-now strong")
    await expect(now).to_have_text("4")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/segments/panel", hold)
    await page.get_by_role("checkbox", name="辛口").check(force=True)
    await expect(page.locator(".sg-panel.sg-stale .sg-busy")).to_be_visible()
    await expect(now).to_have_text("4")
    held.set()
    await expect(now).to_have_text("5")
    await expect(page.locator(".sg-stale")).to_have_count(0)
    await page.get_by_role("button", name="該当する理由").first.click()
    await expect(page.locator(".sg-why").first).to_contain_text("すべての条件に当てはまる")


async def test_on_a_phone_nothing_runs_out_of_the_page(
    page: Page, web: Web, shop: Shop, people: None
) -> None:
    await log_in(page, web, shop)
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto("/segments/new")
    for _ in range(3):
        before = await page.locator(".sg-group").count()
        await page.get_by_role("button", name="グループを追加").first.click()
        await expect(page.locator(".sg-group")).to_have_count(before + 1)
    for kind in ("event", "friendship", "profile"):
        await page.locator('[name="rule.rules.0.kind"]').select_option(kind)
        await expect(page.locator('[name="rule.rules.0.kind"]')).to_have_value(kind)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    for path in ("/segments", "/segments/ready-made"):
        await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
