"""Locks on many people: one statement on one server, one for each shard on many."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from conftest import Shop, scope
from hiiki.contacts.models import Contact
from hiiki.db import locking

BY_HAND = {"scoped_by_hand": True}
PEOPLE = [UUID(int=each) for each in (5, 2, 9, 4, 2)]


async def test_everybody_is_in_one_part_once(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        parts = await locking.lockable(session, PEOPLE)
        assert sorted(ident for part in parts for ident in part) == sorted(set(PEOPLE))
        assert all(part == sorted(part) for part in parts)
        assert await locking.lockable(session, PEOPLE[:1]) == [PEOPLE[:1]]
        assert await locking.lockable(session, []) == []


async def test_each_shard_is_asked_for_its_own(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def yes(_session: object) -> bool:
        return True

    monkeypatch.setattr(locking, "_is_spread", yes)
    # The shards of odd and of even numbers, as a cluster would tell of its own.
    shard = "cast(right(cast(id as text), 1) as int) % 2"
    told = locking._SHARDS.text.replace(  # pyright: ignore[reportPrivateUsage]
        "get_shard_id_for_distribution_column('contacts.contact', id)", shard
    )
    monkeypatch.setattr(locking, "_SHARDS", text(told))
    async with scope(shop.workspace_id) as session:
        parts = await locking.lockable(session, PEOPLE)
    assert [[ident.int for ident in part] for part in parts] == [[2, 4], [5, 9]]


async def test_people_of_any_shard_are_locked(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        session.add_all(people := [Contact(id=UUID(int=each)) for each in range(1, 21)])
        await session.flush()
        found: list[UUID] = []
        for part in await locking.lockable(session, [each.id for each in people]):
            rows = await session.execute(
                text("select id from contacts.contact where id = any(:ids) order by id for update"),
                {"ids": part},
                execution_options=BY_HAND,
            )
            found += rows.scalars()
    assert sorted(found) == sorted(each.id for each in people)
