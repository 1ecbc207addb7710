"""Promise 5: nothing passes from one workspace to another."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select, text, update

from conftest import Shop
from hiiki.contacts.models import Tag
from hiiki.db import Unscoped, everywhere, scope
from hiiki.kit.errors import NotFound


async def make_tag(shop: Shop, name: str) -> Tag:
    async with scope(shop.workspace_id) as session:
        tag = Tag(name=name)
        session.add(tag)
    return tag


async def test_a_new_row_gets_its_workspace_from_the_scope(shop: Shop) -> None:
    tag = await make_tag(shop, "辛口")
    assert tag.workspace_id == shop.workspace_id


async def test_queries_see_their_own_workspace_only(shop: Shop, other_shop: Shop) -> None:
    mine = await make_tag(shop, "辛口")
    theirs = await make_tag(other_shop, "辛口")
    async with scope(shop.workspace_id) as session:
        assert (await session.scalars(select(Tag.id))).all() == [mine.id]
        assert await session.scalar(select(func.count()).select_from(Tag)) == 1
        assert await session.get(Tag, theirs.id) is None
        with pytest.raises(NotFound):
            await session.one(Tag, theirs.id)
        inner = select(Tag.id).where(Tag.name == "辛口")
        assert (await session.scalars(select(Tag.id).where(Tag.id.in_(inner)))).all() == [mine.id]


async def test_updates_and_deletes_stop_at_the_wall(shop: Shop, other_shop: Shop) -> None:
    theirs = await make_tag(other_shop, "辛口")
    async with scope(shop.workspace_id) as session:
        await session.execute(update(Tag).where(Tag.id == theirs.id).values(name="甘口"))
        await session.execute(delete(Tag).where(Tag.id == theirs.id))
    async with everywhere() as session:
        assert await session.scalar(select(Tag.name)) == "辛口"


async def test_a_row_of_another_workspace_cannot_be_written(shop: Shop, other_shop: Shop) -> None:
    with pytest.raises(Unscoped):
        async with scope(shop.workspace_id) as session:
            session.add(Tag(name="x", workspace_id=other_shop.workspace_id))


async def test_a_statement_without_a_wall_must_say_so(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Unscoped):
            await session.execute(text("select 1"))
        with pytest.raises(Unscoped):
            await session.execute(select(Tag.__table__.c.id))
        await session.execute(text("select 1"), execution_options={"scoped_by_hand": True})
