"""Who is a friend: events in any order, twice, at once, end in the same standing."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from conftest import Shop
from hiiki.contacts.models import Contact, Friendship
from hiiki.contacts.service import befriend, block, meet
from hiiki.db import Unscoped, everywhere, scope
from hiiki.kit.ids import contact_id
from hiiki.workspace.models import Channel

from .people import make_channel

T0 = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
Happening = tuple[str, int]


async def play(shop: Shop, channel: Channel, user: str, events: list[Happening]) -> dict[str, Any]:
    for kind, minute in events:
        at = T0 + timedelta(minutes=minute)
        async with scope(shop.workspace_id) as session:
            match kind:
                case "follow":
                    await befriend(session, channel, user, at=at, is_unblocked=False)
                case "unblock":
                    await befriend(session, channel, user, at=at, is_unblocked=True)
                case "block":
                    await block(session, channel, user, at=at)
                case _:
                    await meet(session, channel, user, at=at)
    async with scope(shop.workspace_id) as session:
        row = await session.one(
            Friendship, (contact_id(shop.workspace_id, channel.provider, user), channel.id)
        )
        return {
            name: getattr(row, name)
            for name in ("status", "first_followed_at", "followed_at", "blocked_at", "last_seen_at")
        }


async def test_the_id_is_derived_and_shared_by_the_channels_of_a_provider(
    shop: Shop, other_shop: Shop
) -> None:
    one, two = await make_channel(shop, "p"), await make_channel(shop, "p")
    elsewhere, theirs = await make_channel(shop, "q"), await make_channel(other_shop, "p")
    async with scope(shop.workspace_id) as session:
        first = await befriend(session, one, "U1", at=T0, is_unblocked=False)
        assert first == contact_id(shop.workspace_id, "p", "U1")
        assert await meet(session, two, "U1", at=T0) == first
        assert await meet(session, elsewhere, "U1", at=T0) != first
        assert await session.scalar(select(func.count()).select_from(Friendship)) == 3
    async with scope(other_shop.workspace_id) as session:
        assert await meet(session, theirs, "U1", at=T0) != first
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1


async def test_another_shops_channel_is_refused(shop: Shop, other_shop: Shop) -> None:
    theirs = await make_channel(other_shop, "p")
    with pytest.raises(Unscoped):
        async with scope(shop.workspace_id) as session:
            await meet(session, theirs, "U1", at=T0)
    async with everywhere() as session:
        assert await session.scalar(select(func.count()).select_from(Contact)) == 0


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([("follow", 1)], "following"),
        ([("message", 1)], "following"),
        ([("block", 1)], "blocked"),
        ([("block", 5), ("follow", 1)], "blocked"),
        ([("follow", 1), ("block", 2), ("unblock", 3)], "following"),
        ([("unblock", 3), ("block", 2), ("follow", 1)], "following"),
        ([("follow", 1), ("block", 2), ("message", 3)], "blocked"),
    ],
)
async def test_the_latest_moment_tells_the_standing(
    shop: Shop, events: list[Happening], status: str
) -> None:
    channel = await make_channel(shop)
    assert (await play(shop, channel, "U1", events))["status"] == status


async def test_unblocking_is_not_a_first_time(shop: Shop) -> None:
    channel = await make_channel(shop)
    known = await play(shop, channel, "U1", [("unblock", 9), ("follow", 1), ("block", 4)])
    assert known["first_followed_at"] == T0 + timedelta(minutes=1)
    assert known["followed_at"] == T0 + timedelta(minutes=9)
    unknown = await play(shop, channel, "U2", [("unblock", 9)])
    assert unknown["first_followed_at"] is None


async def test_every_order_of_four_events_ends_the_same(shop: Shop) -> None:
    channel = await make_channel(shop)
    events = [("follow", 1), ("block", 2), ("unblock", 3), ("message", 4)]
    results = [
        await play(shop, channel, f"U{number}", list(order))
        for number, order in enumerate(itertools.permutations(events))
    ]
    assert all(result == results[0] for result in results)
    assert results[0]["status"] == "following"


@given(
    events=st.lists(
        st.tuples(st.sampled_from(["follow", "unblock", "block", "message"]), st.integers(0, 5)),
        min_size=1,
        max_size=7,
    ),
    data=st.data(),
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_order_and_any_repetition_ends_the_same(
    shop: Shop, events: list[Happening], data: st.DataObject
) -> None:
    channel = await make_channel(shop)
    again = data.draw(st.permutations(events)) + data.draw(
        st.lists(st.sampled_from(events), max_size=3)
    )
    assert await play(shop, channel, "U1", events) == await play(shop, channel, "U2", again)


async def test_many_at_once_make_one_contact(shop: Shop) -> None:
    channel = await make_channel(shop)

    async def once(minute: int) -> None:
        async with scope(shop.workspace_id) as session:
            await befriend(
                session, channel, "U1", at=T0 + timedelta(minutes=minute), is_unblocked=False
            )

    await asyncio.gather(*(once(minute) for minute in range(10)))
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1
        [row] = (await session.scalars(select(Friendship))).all()
        assert row.first_followed_at == T0
        assert row.followed_at == T0 + timedelta(minutes=9)


async def test_a_known_face_costs_no_write(shop: Shop) -> None:
    """A redelivered or older message leaves the row as it is: xmin tells."""
    channel = await make_channel(shop)
    await play(shop, channel, "U1", [("follow", 5)])

    async def version() -> Any:
        async with everywhere() as session:
            return (
                await session.execute(
                    text(
                        "select f.xmin::text, c.xmin::text from contacts.friendship f,"
                        " contacts.contact c"
                    ),
                    execution_options={"scoped_by_hand": True},
                )
            ).one()

    before = await version()
    await play(shop, channel, "U1", [("message", 5), ("message", 3)])
    assert await version() == before
    await play(shop, channel, "U1", [("message", 6)])
    assert await version() != before
