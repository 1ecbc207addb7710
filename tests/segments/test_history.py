"""Who entered and left: counts by day, crossings, and the events that they become."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select, update

from conftest import Shop
from console import console
from hiiki.contacts.models import ContactTag, Friendship, Tag
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.i18n import Text
from hiiki.kit.road import Field, road
from hiiki.rfm.models import Standing as Ranked
from hiiki.segments import history, jobs
from hiiki.segments.history import Taken, crossings, history_of, take, watch_of
from hiiki.segments.models import Segment, SegmentDay, Standing, Watch
from hiiki.workspace.models import AuditEntry

from .making import has, person, save, tag
from .test_pages import form


async def tick(session: WorkspaceSession, contact_id: UUID, tag_id: UUID) -> None:
    session.add(ContactTag(contact_id=contact_id, tag_id=tag_id))
    await session.flush()


async def untick(session: WorkspaceSession, contact_id: UUID, tag_id: UUID) -> None:
    await session.execute(
        delete(ContactTag).where(ContactTag.contact_id == contact_id, ContactTag.tag_id == tag_id)
    )


async def names(session: WorkspaceSession, segment: Segment, *, entered: bool) -> set[str]:
    found = await crossings(session, segment.id, entered=entered)
    return {contact.display_name for contact, _at in found}


async def test_a_count_tells_who_came_and_who_went(shop: Shop, mild: dict[str, Any]) -> None:
    a, _b, c = mild["people"]
    segment = mild["segment"]
    async with scope(shop.workspace_id) as session:
        assert await names(session, segment, entered=True) == set(), "the first count says nobody"
        assert await take(session, segment.id) == Taken(2, 1, 0, 0, False)
        await tick(session, c, mild["tag"])
        await untick(session, a, mild["tag"])
        assert await take(session, segment.id) == Taken(2, 1, 1, 1, False)
        assert await names(session, segment, entered=True) == {"c"}
        assert await names(session, segment, entered=False) == {"a"}
        # There and back between two counts is no crossing.
        await tick(session, a, mild["tag"])
        await untick(session, a, mild["tag"])
        assert await take(session, segment.id) == Taken(2, 1, 0, 0, False)
        await tick(session, a, mild["tag"])
        assert (await take(session, segment.id)) == Taken(3, 2, 1, 0, False)
        [day] = (await history_of(session, segment.id, datetime.now(UTC).date())).days
        assert (day.members, day.reachable, day.entered, day.left, day.anew) == (3, 2, 2, 1, True)
        assert await session.scalar(select(func.count(Standing.contact_id))) == 3


async def test_an_edited_rule_makes_nobody_enter(shop: Shop, mild: dict[str, Any]) -> None:
    async with scope(shop.workspace_id) as session:
        outer = await save(
            session, "outer", {"kind": "segment", "segment_id": str(mild["segment"].id)}
        )
        assert (await take(session, outer.id)) == Taken(2, 1, 0, 0, True)
        hot = await tag(session, "辛口")
        await tick(session, mild["people"][2], hot.id)
        mine = await session.one(Segment, mild["segment"].id)
        await save(session, "甘口", has(hot), mine)
        # What it refers to is as much part of it as its own rule.
        for segment in (mild["segment"], outer):
            assert (await take(session, segment.id)) == Taken(1, 1, 0, 0, True)
            assert await names(session, segment, entered=True) == set()
        [only] = await session.scalars(select(Standing))
        assert only.contact_id == mild["people"][2]
        assert len(only.numbers) == 2


async def test_what_cannot_be_asked_keeps_what_it_had(shop: Shop, mild: dict[str, Any]) -> None:
    async with scope(shop.workspace_id) as session:
        await session.execute(
            update(Segment).values(rule={"kind": "tag", "op": "has", "tag_ids": [str(uuid4())]})
        )
        session.expire_all()
        assert await take(session, mild["segment"].id) is None
        assert await session.scalar(select(func.count(Standing.contact_id))) == 2
        watch = await watch_of(session, mild["segment"].id)
        assert watch.counted_at is not None
        assert watch.tried_at is not None
        assert watch.counted_at < watch.tried_at
        assert await take(session, uuid4()) is None


async def test_the_walls_hold(shop: Shop, other_shop: Shop, mild: dict[str, Any]) -> None:
    async with scope(other_shop.workspace_id) as session:
        word = await tag(session, "甘口")
        await person(session, "stranger", word)
        theirs = await save(session, "theirs", has(word))
        assert await take(session, theirs.id) == Taken(1, 0, 0, 0, True)
        assert await take(session, mild["segment"].id) is None
    async with scope(shop.workspace_id) as session:
        assert (await take(session, mild["segment"].id)) == Taken(2, 1, 0, 0, False)


async def test_few_are_kept_to_be_looked_at(
    shop: Shop, mild: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LISTED", 2)
    async with scope(shop.workspace_id) as session:
        for n in range(4):
            await tick(session, await person(session, f"new {n}"), mild["tag"])
        await untick(session, mild["people"][0], mild["tag"])
        assert (await take(session, mild["segment"].id)) == Taken(5, 0, 4, 1, False)
        assert len(await names(session, mild["segment"], entered=True)) == 2
        assert await names(session, mild["segment"], entered=False) == {"a"}


async def test_counts_are_taken_in_the_night_and_at_first_sight(
    shop: Shop, mild: dict[str, Any]
) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    evening = datetime(2026, 5, 1, 23, 0, tzinfo=tokyo)
    assert jobs.is_due(None, evening)
    assert not jobs.is_due(evening, datetime(2026, 5, 2, 3, 59, tzinfo=tokyo))
    assert jobs.is_due(evening.astimezone(UTC), datetime(2026, 5, 2, 4, 0, tzinfo=tokyo))
    assert not jobs.is_due(evening, datetime(2026, 5, 1, 23, 59, tzinfo=tokyo))
    async with scope(shop.workspace_id) as session:
        new = await save(session, "new", {"kind": "everyone"})
        tried = await session.scalar(select(Watch.tried_at))
    await jobs.watch_workspace(shop.workspace_id, datetime.now(tokyo))
    async with scope(shop.workspace_id) as session:
        assert (
            await session.scalar(select(SegmentDay.members).where(SegmentDay.segment_id == new.id))
            == 3
        )
        watch = await watch_of(session, mild["segment"].id)
        assert watch.tried_at == tried, "its count of today has been taken"
        # Whoever unfollows an account is out of reach, but still in the segment.
        await session.execute(update(Friendship).values(status="blocked"))
        assert (await take(session, new.id)) == Taken(3, 0, 0, 0, False)


async def test_a_field_that_is_worked_out_otherwise_makes_nobody_enter(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = "one"

    async def mark(_session: Any) -> str:
        return definition

    field = Field("rfm.recency", Text("Recency"), "number", Ranked.recency, mark=mark)
    monkeypatch.setitem(road().fields, field.name, field)
    async with scope(shop.workspace_id) as session:
        ids = [await person(session, name) for name in "abc"]
        test = {"op": "number_at_least", "number": 4}
        inner = await save(session, "best", {"kind": "field", "field": field.name, "test": test})
        outer = await save(session, "outer", {"kind": "segment", "segment_id": str(inner.id)})
        for ident, rank in zip(ids, (5, 3, 3), strict=True):
            session.add(Ranked(contact_id=ident, recency=rank, orders=1, spent=1))
        await session.flush()
        for segment in (inner, outer):
            assert await take(session, segment.id) == Taken(1, 0, 0, 0, True)
        for now_by, entered in (("one", 1), ("another", 0)):
            definition = now_by
            row = await session.one(Ranked, ids.pop())
            row.recency = 4
            await session.flush()
            for segment in (inner, outer):
                found = await take(session, segment.id)
                assert found is not None
                assert (found.entered, found.anew) == (entered, not entered)


# --- pages, and the API -----------------------------------------------------------------


async def test_what_people_did_to_a_segment_can_be_taken_back(shop: Shop) -> None:
    async with console() as app:
        staff = await app.person(shop, "operator")
        async with scope(shop.workspace_id) as session:
            mild, hot = await tag(session, "甘口"), await tag(session, "辛口")
            segment = await save(session, "好み", has(mild))
        tree = {"kind": "all", "rules": [has(hot)]}
        changed = await staff.form(
            f"/segments/{segment.id}", form(tree, name="辛い", description="")
        )
        assert changed.status_code == 303
        seen = (await staff.get(f"/segments/{segment.id}/versions")).text
        assert "タグ「甘口」がある人。" in seen, "what nobody had made by hand was kept, too"
        assert "タグ「辛口」がある人。" in seen
        assert seen.index("辛口") < seen.index("甘口")
        [old] = re.findall(r'action="(/segments/[^"]*/restore)"', seen)
        assert (await staff.form(old)).status_code == 303
        shown = (await staff.get(f"/segments/{segment.id}")).text
        assert "タグ「甘口」がある人。" in shown
        assert "<h1>好み</h1>" in shown

        assert (await staff.form(f"/segments/{segment.id}/delete")).status_code == 303
        gone = (await staff.get("/segments/deleted")).text
        [back] = re.findall(r'action="(/segments/[^"]*/restore)"', gone)
        # Meanwhile somebody takes its name, and deletes the tag that it asks about.
        async with scope(shop.workspace_id) as session:
            await save(session, "好み", {"kind": "everyone"})
            await session.execute(delete(ContactTag))
            await session.execute(delete(Tag).where(Tag.id == mild.id))
        mended = await staff.form(back)
        assert "/segments/new?version=" in mended.headers["location"]
        assert "（削除済み）" in (await staff.get(mended.headers["location"])).text
        async with scope(shop.workspace_id) as session:
            session.add(Tag(id=mild.id, name="甘口"))
        assert (await staff.form(back)).headers["location"].startswith(f"/segments/{segment.id}")
        assert "<h1>好み (2)</h1>" in (await staff.get(f"/segments/{segment.id}")).text
        assert "削除したものはありません" in (await staff.get("/segments/deleted")).text
        async with scope(shop.workspace_id) as session:
            done = list(await session.scalars(select(AuditEntry.action)))
        assert done.count("segments.restore") == 2


async def test_the_pages_show_who_came_and_count_on_demand(
    shop: Shop, mild: dict[str, Any]
) -> None:
    segment, (a, _b, c) = mild["segment"], mild["people"]
    url = f"/segments/{segment.id}"
    async with console() as app:
        staff = await app.person(shop, "operator")
        assert "最初の集計のあと、入った人はいません" in (await staff.get(f"{url}/history")).text
        async with scope(shop.workspace_id) as session:
            await tick(session, c, mild["tag"])
            await untick(session, a, mild["tag"])
        assert (await staff.form(f"{url}/history/count")).status_code == 303
        assert 'hx-trigger="every 2s"' in (await staff.get(f"{url}/trend")).text
        await jobs.count_segment(str(shop.workspace_id), str(segment.id))
        trend = (await staff.get(f"{url}/trend")).text
        assert "every 2s" not in trend
        assert "+1" in trend
        assert "−1" in trend
        seen = (await staff.get(f"{url}/history")).text
        assert f"/friends/{c}" in seen
        assert 'aria-checked="false"' in seen
        assert (await staff.form(f"{url}/history/events", {"is_on": "true"})).status_code == 303
        assert 'aria-checked="true"' in (await staff.get(f"{url}/history")).text
        viewer = await app.person(shop, "viewer")
        assert (await viewer.form(f"{url}/history/events", {"is_on": "false"})).status_code == 403


async def test_programs_read_the_history_and_bring_back_what_was(
    shop: Shop, mild: dict[str, Any]
) -> None:
    segment = mild["segment"]
    url = f"/api/v1/segments/{segment.id}"
    async with console() as app:
        api = await app.program(shop)
        [day] = (await api.get(f"{url}/history")).json()["days"]
        assert (day["members"], day["reachable"], day["anew"]) == (2, 1, True)
        assert (await api.post(f"{url}/history/count")).status_code == 202
        assert (await api.put(f"{url}/history/events", json={"is_on": True})).status_code == 200
        assert (await api.get(f"{url}/history")).json()["events_since"] is not None
        async with scope(shop.workspace_id) as session:
            await tick(session, mild["people"][2], mild["tag"])
            await take(session, segment.id)
        [came] = (await api.get(f"{url}/crossings")).json()["items"]
        assert came["member"]["display_name"] == "c"
        assert (await api.get(f"{url}/crossings?entered=false")).json()["items"] == []
        assert (await api.patch(url, json={"name": "新しい名"})).status_code == 200
        new, old = (await api.get(f"{url}/versions")).json()["items"]
        assert (new["name"], old["name"], new["what"]) == ("新しい名", "甘口", "update")
        assert (await api.delete(url)).status_code == 204
        [gone] = (await api.get("/api/v1/segments/deleted")).json()["items"]
        assert gone["what"] == "delete"
        assert (await api.post(f"{url}/versions/{old['id']}/restore")).status_code == 201
        assert (await api.get(url)).json()["name"] == "甘口"
