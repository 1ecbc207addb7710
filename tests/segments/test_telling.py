"""Entering and leaving as events: each told once, and none of what is no news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text, update

from conftest import Shop
from console import console
from hiiki.contacts.erasure import erase
from hiiki.contacts.merging import merge
from hiiki.contacts.models import Contact, ContactTag, Tag
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.kit.clock import now
from hiiki.segments import jobs, telling
from hiiki.segments.history import Taken, take, watch_of
from hiiki.segments.models import Crossing
from hiiki.timeline.models import Event

from .making import has, person, save
from .test_history import tick, untick


async def events(shop: Shop) -> list[tuple[str, str, str]]:
    async with scope(shop.workspace_id) as session:
        found = await session.execute(
            select(Event.kind, Event.subject, Contact.display_name)
            .join(Contact, Contact.id == Event.contact_id)
            .where(Event.kind.in_((telling.ENTER, telling.LEAVE)))
            .order_by(Event.at)
        )
        return [(kind, subject, name) for kind, subject, name in found.tuples()]


async def test_entering_starts_rules_exactly_once(
    shop: Shop, telling_mild: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    segment, (a, b, c) = telling_mild["segment"], telling_mild["people"]
    async with scope(shop.workspace_id) as session:
        await tick(session, c, telling_mild["tag"])
        await untick(session, a, telling_mild["tag"])
        await untick(session, b, telling_mild["tag"])
    local = datetime.now(ZoneInfo("Asia/Tokyo"))
    await jobs.watch_workspace(shop.workspace_id, local)
    wanted = {
        (telling.ENTER, str(segment.id), "c"),
        (telling.LEAVE, str(segment.id), "a"),
        (telling.LEAVE, str(segment.id), "b"),
    }
    assert set(await events(shop)) == wanted
    async with scope(shop.workspace_id) as session:
        tagged = await session.scalars(
            select(ContactTag.contact_id).where(ContactTag.tag_id == telling_mild["met"])
        )
        assert list(tagged) == [c]
        channels = await session.execute(
            select(Event.contact_id, Event.channel_id).where(Event.contact_id.in_([b, c]))
        )
        found = dict(channels.tuples().all())
        assert found[c] == telling_mild["account"]
        assert found[b] is None, "who has blocked every account is on none of them"
    await jobs.watch_workspace(shop.workspace_id, local)
    assert await telling.tell(shop.workspace_id, segment.id) == 0
    assert len(await events(shop)) == 3


async def test_what_was_before_the_switch_is_no_news(shop: Shop, mild: dict[str, Any]) -> None:
    ident = mild["segment"].id
    async with scope(shop.workspace_id) as session:
        await tick(session, mild["people"][2], mild["tag"])
        (await watch_of(session, ident)).tells_since = now()
        assert (await take(session, ident)) == Taken(3, 2, 1, 0, False)
    assert await telling.tell(shop.workspace_id, ident) == 0


async def test_a_worker_that_dies_half_way_leaves_the_rest_to_be_told(
    shop: Shop, telling_mild: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, (a, b, _c) = telling_mild["segment"], telling_mild["people"]
    async with scope(shop.workspace_id) as session:
        await untick(session, a, telling_mild["tag"])
        await untick(session, b, telling_mild["tag"])
        await take(session, segment.id)
    real, calls = telling.hold_turns, 0

    async def dies(session: WorkspaceSession, contact_id: UUID) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt  # in the midst of a batch, after one was emitted
        await real(session, contact_id)

    monkeypatch.setattr(telling, "hold_turns", dies)
    with pytest.raises(KeyboardInterrupt):
        await telling.tell(shop.workspace_id, segment.id)
    assert await events(shop) == [], "what was half done was not done"
    assert await telling.tell(shop.workspace_id, segment.id) == 2
    assert sorted(name for _kind, _subject, name in await events(shop)) == ["a", "b"]


async def test_ones_fault_keeps_nobody_else_from_being_told(
    shop: Shop, telling_mild: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, (a, b, _c) = telling_mild["segment"], telling_mild["people"]
    async with scope(shop.workspace_id) as session:
        await untick(session, a, telling_mild["tag"])
        await untick(session, b, telling_mild["tag"])
        await take(session, segment.id)
    real = telling.hold_turns

    async def faulty(session: WorkspaceSession, contact_id: UUID) -> None:
        if contact_id == a:
            raise RuntimeError("a's own fault")
        await real(session, contact_id)

    monkeypatch.setattr(telling, "hold_turns", faulty)
    assert await telling.tell(shop.workspace_id, segment.id) == 1
    assert [name for _kind, _subject, name in await events(shop)] == ["b"]
    async with scope(shop.workspace_id) as session:
        waiting = select(Crossing.contact_id).where(Crossing.is_due)
        assert list(await session.scalars(waiting)) == [a], "tried again next time"
        await session.execute(update(Crossing).values(at=datetime.now(UTC) - timedelta(days=2)))
    assert await telling.tell(shop.workspace_id, segment.id) == 0
    async with scope(shop.workspace_id) as session:
        assert list(await session.scalars(waiting)) == []


async def test_nothing_is_told_of_the_erased_or_when_switched_off(
    shop: Shop, telling_mild: dict[str, Any]
) -> None:
    segment, (a, b, _c) = telling_mild["segment"], telling_mild["people"]
    async with scope(shop.workspace_id) as session:
        await untick(session, a, telling_mild["tag"])
        await take(session, segment.id)
        await erase(session, await session.one(Contact, a))
    assert await telling.tell(shop.workspace_id, segment.id) == 0
    async with scope(shop.workspace_id) as session:
        await untick(session, b, telling_mild["tag"])
        await take(session, segment.id)
        (await watch_of(session, segment.id)).tells_since = None
    await telling.tell(shop.workspace_id, segment.id)
    assert await events(shop) == []


async def test_what_waited_when_the_events_were_switched_off_is_never_told(
    shop: Shop, telling_mild: dict[str, Any]
) -> None:
    segment, (a, b, c) = telling_mild["segment"], telling_mild["people"]
    async with scope(shop.workspace_id) as session:
        await untick(session, a, telling_mild["tag"])
        await take(session, segment.id)
    async with console() as app:
        staff = await app.person(shop, "operator")
        for is_on in ("false", "true"):
            url = f"/segments/{segment.id}/history/events"
            assert (await staff.form(url, {"is_on": is_on})).status_code == 303
    assert await telling.tell(shop.workspace_id, segment.id) == 0
    async with scope(shop.workspace_id) as session:
        assert await take(session, segment.id) == Taken(1, 0, 0, 0, False)
        await untick(session, b, telling_mild["tag"])
        await take(session, segment.id)
        # Switched off and on again by somebody else, between a count and its telling.
        (await watch_of(session, segment.id)).tells_since = now()
        await take(session, segment.id)
        await tick(session, c, telling_mild["tag"])
        await take(session, segment.id)
    await telling.tell(shop.workspace_id, segment.id)
    assert [name for _kind, _subject, name in await events(shop)] == ["c"]


async def test_a_merge_makes_nobody_enter_again(shop: Shop, telling_mild: dict[str, Any]) -> None:
    """Who was in a segment by what has become a part of somebody else stays in it, untold."""
    segment, (a, _b, c) = telling_mild["segment"], telling_mild["people"]
    async with scope(shop.workspace_id) as session:
        everybody = await save(session, "everybody", {"kind": "everyone"})
        gone = await person(session, "gone", await session.one(Tag, telling_mild["tag"]))
        for _time in range(2):
            await take(session, everybody.id)
            await take(session, segment.id)
    assert await telling.tell(shop.workspace_id, segment.id) == 1, "who has just come"
    for keep in (c, a):  # not in it so far, and in it already
        async with scope(shop.workspace_id) as session:
            other = gone if keep == c else await person(session, "also gone")
            await merge(session, keep, other)
    async with scope(shop.workspace_id) as session:
        assert await take(session, segment.id) == Taken(3, 2, 0, 0, False)
        assert await take(session, everybody.id) == Taken(3, 2, 0, 0, False)
        await untick(session, c, telling_mild["tag"])
        assert await take(session, segment.id) == Taken(2, 1, 0, 1, False)


async def test_each_workspace_is_counted_by_a_job_of_its_own(
    shop: Shop, other_shop: Shop, telling_mild: dict[str, Any]
) -> None:
    """All its segments first, then what is told: one segment's rules come after all counts."""
    async with scope(shop.workspace_id) as session:
        met = await save(session, "met", has(await session.one(Tag, telling_mild["met"])))
        await take(session, met.id)
        (await watch_of(session, met.id)).tells_since = now()
        await take(session, met.id)
        await tick(session, telling_mild["people"][2], telling_mild["tag"])
    for _time in range(2):
        await jobs.watch(0)
    async with everywhere() as session:
        found = await session.execute(
            text("select task_name, args->>'workspace_id' from procrastinate_jobs"),
            execution_options={"scoped_by_hand": True},
        )
        assert found.all() == [(jobs.COUNT, str(shop.workspace_id))]
    await jobs.count_workspace(str(shop.workspace_id))
    assert [name for _kind, _subject, name in await events(shop)] == ["c"]
    await jobs.count_workspace(str(shop.workspace_id))
    told = [(subject, name) for _kind, subject, name in await events(shop)]
    assert told == [(str(telling_mild["segment"].id), "c"), (str(met.id), "c")]
