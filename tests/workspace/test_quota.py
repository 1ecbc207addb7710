"""The month's messages: LINE's figure, our own count, and when LINE is asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from conftest import Shop
from hiiki.db import scope
from hiiki.kit.clock import now
from hiiki.line.limits import line_month
from hiiki.workspace import channels, consumption, quota
from hiiki.workspace.models import Channel
from hiiki.workspace.quota import refresh_old_quotas
from line_emulator.client import EmulatorClient

from .accounts import Shopkeeper, given, only_channel


async def test_old_figures_are_asked_for_anew_and_young_ones_are_not(
    shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await line.update_channel(account["channel_id"], consumed=10)
    async with scope(shop.workspace_id) as session:
        channel = await channels.add_channel(session, **given(account))
    assert (channel.quota_limit, channel.quota_used) == (5000, 10)
    await line.update_channel(account["channel_id"], consumed=700)
    await refresh_old_quotas()
    async with scope(shop.workspace_id) as session:
        young = await session.one(Channel, channel.id)
        assert young.quota_used == 10
        young.quota_asked_at = now() - timedelta(minutes=11)
    await refresh_old_quotas()
    assert (await only_channel(shop)).quota_used == 700


async def test_figures_are_asked_for_soon_after_something_was_sent(
    shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    async with scope(shop.workspace_id) as session:
        channel = await channels.add_channel(session, **given(account))
    await line.update_channel(account["channel_id"], consumed=4)
    async with scope(shop.workspace_id) as session:
        kept = await session.one(Channel, channel.id)
        kept.quota_used, kept.quota_own, kept.quota_own_month = 5, 5, line_month(now())
    await refresh_old_quotas()
    assert (await only_channel(shop)).messages_used == 5
    async with scope(shop.workspace_id) as session:
        (await session.one(Channel, channel.id)).quota_asked_at = now() - timedelta(minutes=1)
    await refresh_old_quotas()
    told = await only_channel(shop)
    assert (told.messages_used, told.messages_reported, told.messages_own) == (4, 4, 5)


async def test_lines_silence_changes_no_figure_and_holds_up_nobody(
    shop: Shop, account: dict[str, Any], line: EmulatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scope(shop.workspace_id) as session:
        channel = await channels.add_channel(session, **given(account))
    checked = channel.quota_checked_at
    async with scope(shop.workspace_id) as session:
        (await session.one(Channel, channel.id)).quota_checked_at = now() - timedelta(minutes=3)
    monkeypatch.setattr(quota, "PATIENCE", 0.2)
    await line.update_channel(account["channel_id"], consumed=9)
    await line.fault("slow", match={"path": "/v2/bot/message/quota"}, seconds=1)
    asking = asyncio.create_task(quota.refresh_before_send(shop.workspace_id, channel.id))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(1), scope(shop.workspace_id) as session:
        # What the sender writes down of its sends is not held up while LINE is asked.
        (await session.one(Channel, channel.id)).quota_used = 77
    await asking
    assert (await only_channel(shop)).messages_used == 77
    await line.clear_faults()
    await line.fault("500_before", match={"path": "/v2/bot/message/quota"}, count=1)
    await quota.refresh_before_send(shop.workspace_id, channel.id)
    assert (await only_channel(shop)).messages_used == 77
    await quota.refresh_before_send(shop.workspace_id, channel.id)
    told = await only_channel(shop)
    assert told.messages_used == 9
    assert told.quota_checked_at is not None
    assert checked is not None
    assert told.quota_checked_at > checked
    await line.update_channel(account["channel_id"], consumed=10)
    await quota.refresh_before_send(shop.workspace_id, channel.id)
    assert (await only_channel(shop)).messages_used == 9, "it asked although it knew"


async def test_what_is_sent_while_line_is_asked_is_not_forgotten(
    shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    async with scope(shop.workspace_id) as session:
        channel = await channels.add_channel(session, **given(account))
        channel.quota_used, channel.quota_own, channel.quota_own_month = 50, 50, line_month(now())
        await session.flush()
        await consumption.take(session, channel, consumption.Figures(5000, 70), since=40)
        assert (channel.messages_used, channel.quota_own_then) == (80, 40)
        assert channel.messages_apart == 30


@pytest.mark.parametrize(
    ("reported", "own", "apart"),
    [(20, 0, None), (21, 0, 21), (0, 21, -21), (10_000, 9_700, None), (10_000, 9_699, 301)],
)
def test_small_differences_are_not_worth_a_word(reported: int, own: int, apart: int | None) -> None:
    channel = Channel(quota_reported=reported, quota_own_then=own, quota_checked_at=now())
    assert channel.messages_apart == apart


def test_a_new_month_begins_at_nothing() -> None:
    """LINE's months are those of UTC+9."""
    last = line_month(now()) - timedelta(days=1)
    channel = Channel(
        quota_used=900,
        quota_reported=900,
        quota_checked_at=datetime.combine(last, time(14, 59), UTC),
        quota_own=800,
        quota_own_month=last.replace(day=1),
        quota_own_then=800,
    )
    assert (channel.messages_used, channel.messages_own, channel.messages_reported) == (0, 0, None)
    assert channel.messages_apart is None
    channel.quota_checked_at = datetime.combine(last, time(15, 0), UTC)
    assert channel.messages_used == 900


async def test_figures_are_told_where_staff_see_the_quota(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await line.update_channel(account["channel_id"], consumed=300)
    await owner.form("/settings/channels", given(account))
    channel = await only_channel(shop)
    for page in (f"/settings/channels/{channel.id}", "/"):
        assert "LINEの集計は、Hiikiの今月の配信数より300通多く" in (await owner.get(page)).text
