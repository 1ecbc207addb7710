"""The numbers of the journey, counted from the timeline alone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop
from hiiki.contacts.models import Contact, Friendship
from hiiki.db import scope
from hiiki.kit.clock import now
from hiiki.reports.service import overview, period
from hiiki.timeline import record
from hiiki.workspace.models import Channel

TOKYO = "Asia/Tokyo"


async def make_channel(shop: Shop) -> uuid.UUID:
    async with scope(shop.workspace_id) as session:
        channel = Channel(
            name="店",
            line_channel_id=uuid.uuid4().hex,
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=uuid.uuid4().hex,
        )
        session.add(channel)
    return channel.id


async def make_friend(shop: Shop, channel_id: uuid.UUID, status: str = "following") -> uuid.UUID:
    async with scope(shop.workspace_id) as session:
        contact = Contact(id=uuid.uuid4())
        session.add(contact)
        await session.flush()
        session.add(
            Friendship(
                contact_id=contact.id,
                channel_id=channel_id,
                line_user_id="U" + contact.id.hex,
                status=status,
            )
        )
    return contact.id


def step(found: object, kind: str) -> tuple[int, int]:
    return next((s.people, s.times) for s in found.steps if s.kind == kind)  # type: ignore[attr-defined]


async def test_an_empty_shop_has_zeros_and_no_rates(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        found = await overview(session, period("week"), TOKYO)
    assert (found.friends, found.blocked, found.block_rate) == (0, 0, None)
    assert all(s.people == 0 and s.share is None for s in found.steps)
    assert len(found.buckets) == 7
    assert set(found.series["follow"]) == {0}


async def test_people_and_times_are_told_apart(shop: Shop) -> None:
    channel_id = await make_channel(shop)
    first, second = [await make_friend(shop, channel_id) for _ in range(2)]
    async with scope(shop.workspace_id) as session:
        for contact_id in (first, second):
            record(session, contact_id, "follow", channel_id=channel_id)
        for _ in range(3):
            record(session, first, "link_open", channel_id=channel_id)
    async with scope(shop.workspace_id) as session:
        found = await overview(session, period("today"), TOKYO)
    assert step(found, "follow") == (2, 2)
    assert step(found, "link_open") == (1, 3)
    assert sum(found.series["link_open"]) == 3
    assert next(s.share for s in found.steps if s.kind == "link_open") == 0.5


async def test_the_block_rate_counts_who_is_blocked_now(shop: Shop) -> None:
    channel_id = await make_channel(shop)
    for status in ("following", "following", "following", "blocked"):
        await make_friend(shop, channel_id, status)
    async with scope(shop.workspace_id) as session:
        found = await overview(session, period("week"), TOKYO)
    assert (found.friends, found.blocked, found.block_rate) == (3, 1, 0.25)


async def test_days_begin_at_the_shops_midnight(shop: Shop) -> None:
    contact = uuid.uuid4()
    midnight = now().astimezone(ZoneInfo(TOKYO)).replace(hour=0, minute=0, second=0, microsecond=0)
    async with scope(shop.workspace_id) as session:
        record(session, contact, "follow", at=midnight)
        record(session, contact, "follow", at=midnight - timedelta(seconds=1))
        record(session, contact, "follow", at=midnight - timedelta(days=6, seconds=1))
    async with scope(shop.workspace_id) as session:
        week = await overview(session, period("week"), TOKYO)
        today = await overview(session, period("today"), TOKYO)
    assert week.series["follow"] == [0, 0, 0, 0, 0, 1, 1]
    assert step(today, "follow") == (1, 1)


async def test_one_account_and_one_workspace_are_counted_alone(
    shop: Shop, other_shop: Shop
) -> None:
    mine, other = await make_channel(shop), await make_channel(shop)
    theirs = await make_channel(other_shop)
    for owner, channel_id in ((shop, mine), (shop, other), (other_shop, theirs)):
        contact_id = await make_friend(owner, channel_id)
        async with scope(owner.workspace_id) as session:
            record(session, contact_id, "follow", channel_id=channel_id)
    async with scope(shop.workspace_id) as session:
        both = await overview(session, period("week"), TOKYO)
        one = await overview(session, period("week"), TOKYO, mine)
    assert (both.friends, step(both, "follow")) == (2, (2, 2))
    assert (one.friends, step(one, "follow")) == (1, (1, 1))


async def test_replies_are_no_broadcast(shop: Shop) -> None:
    channel_id = await make_channel(shop)
    contact_id = await make_friend(shop, channel_id)
    async with scope(shop.workspace_id) as session:
        record(session, contact_id, "sent", channel_id=channel_id, subject="survey:1")
        record(session, contact_id, "sent", channel_id=channel_id, subject="broadcast:1")
    async with scope(shop.workspace_id) as session:
        found = await overview(session, period("week"), TOKYO)
    assert step(found, "sent") == (1, 1)
