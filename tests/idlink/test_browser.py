"""The whole way in a real browser: a store's QR code, LINE's own screens, linked; and unlinked."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from console import Shop
from hiiki.contacts.identities import Keys, resolve
from hiiki.contacts.models import Contact
from hiiki.db import scope
from hiiki.idlink import settings
from hiiki.idlink.models import Link, LoginChannel
from hiiki.idlink.schemas import PlaceIn, SettingIn
from hiiki.kit.ids import uuid7
from hiiki.workspace.seal import seal
from idlink.shop import open_account
from line_emulator.client import EmulatorClient
from line_emulator.pytest_plugin import Line
from stack import LineProcess


@pytest.mark.browser
async def test_from_the_qr_code_to_being_linked(
    page: Page, shop: Shop, emulator_process: LineProcess
) -> None:
    async with EmulatorClient(emulator_process.url) as client:
        line = Line(client.url, emulator_process.channel)
        channel = await open_account(shop, line)
        name = "連携する花子"
        # Nobody's friend yet: LINE Login offers to add the account.
        user = (await line.create_users(1, name=name))[0]["id"]
        found = (await line.call("GET", "/login/channels"))["channels"][0]
        await line.close()
    async with scope(shop.workspace_id) as session:
        login_id = uuid7()
        session.add(
            LoginChannel(
                id=login_id,
                channel_id=channel.id,
                line_channel_id=found["channel_id"],
                sealed_secret=seal(found["channel_secret"], login_id, "line login"),
            )
        )
        await settings.save(session, SettingIn(proof="email"))
        place = await settings.add_place(session, PlaceIn(name="渋谷店", channel_id=channel.id))
        [member] = await resolve(session, [Keys(customer="B-77")])
        (await session.one(Contact, member)).email = "b@example.com"

    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"/id-link/at/{place.code}")
    await page.get_by_role("link", name="LINEでログイン").click()
    await page.get_by_role("searchbox").fill(name)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name=name).click()
    await page.get_by_role("button", name="許可する").click()
    await page.get_by_role("button", name="友だち追加").click()

    await page.get_by_label("会員番号").fill("B-77")
    await page.get_by_label("登録しているメールアドレス").fill("B@example.com")
    await page.get_by_role("button", name="連携する").click()
    await expect(page.get_by_role("heading", name="連携済みです")).to_be_visible()
    async with scope(shop.workspace_id) as session:
        [link] = await session.scalars(select(Link))
    assert (link.way, link.place, link.customer) == ("login", place.code, "B-77")
    assert user.startswith("U")

    await page.get_by_role("link", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.get_by_text("Unlink", exact=True).first.click()
    await page.get_by_role("button", name="Unlink").click()
    await expect(page.get_by_text("You are no longer linked.")).to_be_visible()
