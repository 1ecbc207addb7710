"""Names and pictures from LINE: asked of the emulator, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from conftest import Shop, scope
from hiiki.contacts import profiles
from hiiki.contacts.models import Contact
from hiiki.contacts.service import befriend, block, meet
from hiiki.kit.clock import now
from hiiki.line.http import close_http
from hiiki.settings import settings
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator

from .people import T0, make_channel


@dataclass
class Line:
    """An emulator and the shop's channel on it."""

    control: EmulatorClient
    channel: Channel


@pytest.fixture
async def line(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    emulator = Emulator()
    await emulator.start()
    monkeypatch.setenv("HIIKI_LINE_API", emulator.url)
    settings.cache_clear()
    async with EmulatorClient(emulator.url) as control:
        token = (await control.channels())[0]["access_token"]
        channel = await make_channel(shop)
        await give_token(shop, channel, token)
        yield Line(control, channel)
    await close_http()
    await emulator.stop()
    settings.cache_clear()


async def give_token(shop: Shop, channel: Channel, token: str) -> None:
    async with scope(shop.workspace_id) as session:
        row = await session.one(Channel, channel.id)
        row.sealed_token = seal(token, channel.id, "token")
        row.sealed_secret = seal("secret", channel.id, "secret")


async def people(shop: Shop) -> list[Contact]:
    async with scope(shop.workspace_id) as session:
        return list(await session.scalars(select(Contact).order_by(Contact.id)))


async def due(shop: Shop) -> int:
    async with scope(shop.workspace_id) as session:
        waiting = (
            select(func.count()).select_from(Contact).where(Contact.profile_due_at.is_not(None))
        )
        return await session.scalar(waiting) or 0


async def test_many_new_friends_get_their_names(shop: Shop, line: Line) -> None:
    users = await line.control.create_users(120, state="friend")
    async with scope(shop.workspace_id) as session:
        for user in users:
            await befriend(session, line.channel, user["id"], at=T0, is_unblocked=False)
    assert await profiles.fetch_due(100) == 100
    assert await profiles.fetch_due(100) == 20
    assert await profiles.fetch_due() == 0
    found = await people(shop)
    assert {each.display_name for each in found} == {user["display_name"] for user in users}
    assert all(each.profile_at and each.profile_due_at is None for each in found)


async def test_who_has_blocked_is_asked_for_once(shop: Shop, line: Line) -> None:
    [user] = await line.control.create_users(1, state="blocked")
    async with scope(shop.workspace_id) as session:
        await block(session, line.channel, user["id"], at=T0)
    assert await profiles.fetch_due() == 1
    assert await profiles.fetch_due() == 0
    [contact] = await people(shop)
    assert (contact.display_name, contact.profile_due_at) == ("", None)
    # Coming back, they are asked for again, though it is the same day.
    await line.control.follow(user["id"])
    async with scope(shop.workspace_id) as session:
        await befriend(session, line.channel, user["id"], at=now(), is_unblocked=True)
    assert await profiles.fetch_due() == 1
    [contact] = await people(shop)
    assert contact.display_name == user["display_name"]


async def test_who_follows_one_account_and_blocked_another_is_asked_for_where_they_follow(
    shop: Shop, line: Line
) -> None:
    other = await make_channel(shop)  # of the same provider; LINE would give nothing there
    [user] = await line.control.create_users(1, state="friend")
    async with scope(shop.workspace_id) as session:
        await befriend(session, line.channel, user["id"], at=T0, is_unblocked=False)
        await befriend(session, other, user["id"], at=T0, is_unblocked=False)
        await block(session, other, user["id"], at=now())
    assert await profiles.fetch_due() == 1
    [contact] = await people(shop)
    assert contact.display_name == user["display_name"]


async def test_a_name_that_is_known_is_kept_when_line_has_none(shop: Shop, line: Line) -> None:
    async with scope(shop.workspace_id) as session:
        ident = await meet(session, line.channel, "U" + "0" * 32, at=T0)
        contact = await session.one(Contact, ident)
        contact.display_name = "むかしの名前"
    assert await profiles.fetch_due() == 1
    [contact] = await people(shop)
    assert contact.display_name == "むかしの名前"


async def test_a_refused_token_and_a_silent_line_are_tried_later(
    shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    [user] = await line.control.create_users(1, state="friend")
    async with scope(shop.workspace_id) as session:
        await befriend(session, line.channel, user["id"], at=T0, is_unblocked=False)
    await give_token(shop, line.channel, "not the token")
    assert await profiles.fetch_due() == 1
    [contact] = await people(shop)
    assert contact.profile_due_at is not None
    assert contact.profile_due_at > now() + timedelta(minutes=30)

    await be_due(shop)
    monkeypatch.setenv("HIIKI_LINE_API", "http://127.0.0.1:9")
    settings.cache_clear()
    assert await profiles.fetch_due() == 1
    [contact] = await people(shop)
    assert contact.profile_due_at is not None
    assert now() < contact.profile_due_at < now() + timedelta(minutes=5)
    assert (contact.display_name, contact.profile_at) == ("", None)


async def be_due(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        await session.execute(update(Contact).values(profile_due_at=now()))


async def test_a_channel_whose_token_cannot_be_opened_stops_nobody(shop: Shop, line: Line) -> None:
    broken = await make_channel(shop, "elsewhere")
    [user] = await line.control.create_users(1, state="friend")
    async with scope(shop.workspace_id) as session:
        await befriend(session, broken, "U1", at=T0, is_unblocked=False)
        await befriend(session, line.channel, user["id"], at=T0, is_unblocked=False)
        session.add(Contact(id=shop.workspace_id, profile_due_at=T0))  # no friend of any account
    assert await profiles.fetch_due() == 3
    assert user["display_name"] in {each.display_name for each in await people(shop)}
    assert await due(shop) == 1


async def test_two_workers_ask_for_each_once(shop: Shop, line: Line) -> None:
    users = await line.control.create_users(40, state="friend")
    async with scope(shop.workspace_id) as session:
        for user in users:
            await meet(session, line.channel, user["id"], at=T0)
    numbers = await asyncio.gather(*(profiles.fetch_due(10) for _ in range(8)))
    assert sum(numbers) + await due(shop) == 40
    while await profiles.fetch_due(10):
        pass
    assert await due(shop) == 0


async def test_the_loop_works_and_stops(shop: Shop, line: Line) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(profiles.run(stop))
    [user] = await line.control.create_users(1, state="friend")
    async with scope(shop.workspace_id) as session:
        await meet(session, line.channel, user["id"], at=T0)
    for _ in range(100):
        if await due(shop) == 0:
            break
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(running, 3)
    assert (await people(shop))[0].display_name == user["display_name"]
