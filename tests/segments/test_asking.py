"""Who is in which segment, asked with what is remembered of the segments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from conftest import Shop
from hiiki.db import scope
from hiiki.db.engine import engine
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.rooms import registry
from hiiki.segments import service
from hiiki.segments.models import Segment
from hiiki.segments.rules import dump_rule, read_rule
from hiiki.timeline import record
from hiiki.workspace.models import Workspace

from .making import both, channel, either, has, person, save, tag

assert registry


async def test_who_is_in_which_of_known_segments_takes_one_statement(
    shop: Shop,
) -> None:
    async with scope(shop.workspace_id) as session:
        mild, hot = await tag(session, "甘口"), await tag(session, "辛口")
        one, other = await person(session, "1", mild), await person(session, "2", hot)
        tagged = await save(session, "mild", has(mild))
        inner = {"kind": "segment", "segment_id": str(tagged.id)}
        outer = await save(session, "outer", either(inner, {"kind": "not", "rule": inner}))
        none = await save(session, "none", both(inner, has(hot)))
        recent = {"kind": "event", "event": "link_open", "period": {"kind": "recent", "days": 3}}
        opened = await save(session, "opened", both(recent))
    segments = [tagged.id, outer.id, none.id, opened.id]
    for statements in (2, 1):
        asked: list[str] = []

        def note(_c: Any, _k: Any, sql: str, *_rest: Any, asked: list[str] = asked) -> None:
            asked.append(sql)

        async with scope(shop.workspace_id) as session:
            event.listen(engine().sync_engine, "before_cursor_execute", note)
            found = await service.memberships(session, segments, [one, other])
            event.remove(engine().sync_engine, "before_cursor_execute", note)
        assert found == {tagged.id: {one}, outer.id: {one, other}, none.id: set(), opened.id: set()}
        assert len(asked) == statements
    # What is kept of the statement is not when it is asked, nor what was there then.
    async with scope(shop.workspace_id) as session:
        record(session, one, "link_open", at=now() - timedelta(days=2))
        assert await service.contains(session, opened.id, one)
        assert not await service.contains(session, opened.id, other)
        assert [each.name for each in await service.segments_of(session, one)] == [
            "mild",
            "opened",
            "outer",
        ]


async def test_a_segment_inside_that_lost_its_tag_breaks_what_refers_to_it(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        ident = await person(session, "someone")
        inner = await save(session, "inner", has(mild, op="has_not"))
        outer = await save(session, "outer", {"kind": "segment", "segment_id": str(inner.id)})
        await session.delete(mild)
        await session.flush()
        for segment in (inner, outer):
            assert not await service.contains(session, segment.id, ident)
        with pytest.raises(Invalid):
            await service.count(session, read_rule(outer.rule))


async def test_what_is_remembered_of_a_segment_holds_until_it_changes(shop: Shop) -> None:
    """Each change by others, in a transaction of its own, is seen by the next who ask."""
    async with scope(shop.workspace_id) as session:
        mild, hot = await tag(session, "甘口"), await tag(session, "辛口")
        ident = await person(session, "someone", mild)
        inner = await save(session, "inner", has(mild))
        outer = await save(session, "outer", {"kind": "segment", "segment_id": str(inner.id)})

    async def is_in() -> bool:
        async with scope(shop.workspace_id) as session:
            return await service.contains(session, outer.id, ident)

    async def say(rule: dict[str, Any]) -> None:
        async with scope(shop.workspace_id) as session:
            kept = await session.one(Segment, inner.id)
            kept.rule = dump_rule(read_rule(rule))

    assert await is_in()
    await say(has(hot))
    assert not await is_in()
    await say(has(mild))
    assert await is_in()
    async with scope(shop.workspace_id) as session:
        (await session.one(Segment, inner.id)).rule = dump_rule(read_rule(has(hot)))
        assert not await service.contains(session, outer.id, ident)
        await session.rollback()
    assert await is_in()
    async with scope(shop.workspace_id) as session:
        await session.delete(await session.one(Segment, inner.id))
    assert not await is_in()


async def test_a_tag_that_goes_by_hand_breaks_what_is_remembered(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        ident = await person(session, "someone")
        segment = await save(session, "without", has(mild, op="has_not"))
    async with scope(shop.workspace_id) as session:
        assert await service.contains(session, segment.id, ident)
    async with scope(shop.workspace_id) as session:
        await session.delete(mild)
    async with scope(shop.workspace_id) as session:
        assert not await service.contains(session, segment.id, ident)


async def test_a_second_account_and_another_zone_count_at_once(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        ident = await person(session, "someone", follows=await channel(session, "first"))
        rule = {"kind": "friendship", "status": "following", "on_every": True}
        friends = await save(session, "friends", rule)
        record(session, ident, "message", at=datetime(2026, 1, 10, 15, 30, tzinfo=UTC))
        day = {"kind": "dates", "first": "2026-01-10", "until": "2026-01-10"}
        that_day = await save(
            session, "that day", {"kind": "event", "event": "message", "period": day}
        )

    async def found() -> list[bool]:
        async with scope(shop.workspace_id) as session:
            return [await service.contains(session, each.id, ident) for each in (friends, that_day)]

    assert await found() == [True, False]
    async with scope(shop.workspace_id) as session:
        await channel(session, "second")
        shops = update(Workspace).where(Workspace.id == shop.workspace_id)
        await session.execute(shops.values(timezone="UTC"))
    assert await found() == [False, True]
