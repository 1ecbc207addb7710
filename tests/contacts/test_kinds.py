"""Changing the kind of a field: what is kept, what is lost, and who must not be broken by it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select

from conftest import Shop, scope
from console import Client, Console
from hiiki.contacts import bulk, kinds
from hiiki.contacts.attributes import values_of
from hiiki.contacts.bulk import Change
from hiiki.contacts.models import Attribute, BulkEdit, ContactAttribute
from hiiki.contacts.schemas import KindIn
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.service import set_attribute
from hiiki.contacts.values import Parsed
from hiiki.kit.errors import Conflict, Invalid
from hiiki.segments.models import Segment

from .test_bulk import changed, people, staff


async def field(
    shop: Shop, values: list[object], kind: str = "text", choices: list[str] | None = None
) -> tuple[Attribute, list[UUID]]:
    """An attribute, and somebody with each of these values."""
    ids = await people(shop, len(values))
    async with scope(shop.workspace_id) as session:
        made = Attribute(key="visits", label="来店回数", kind=kind, choices=choices or [])
        session.add(made)
        await session.flush()
        for ident, value in zip(ids, values, strict=True):
            await set_attribute(session, ident, made, value)  # type: ignore[arg-type]
    return made, ids


async def convert(shop: Shop, attribute: Attribute, wish: KindIn) -> BulkEdit:
    async with scope(shop.workspace_id) as session:
        mine = await session.one(Attribute, attribute.id)
        edit = await kinds.start(session, staff(shop), mine, wish)
    await kinds.run(shop.workspace_id, edit.id)
    async with scope(shop.workspace_id) as session:
        return await session.one(BulkEdit, edit.id)


async def known(shop: Shop, attribute: Attribute, ids: list[UUID]) -> list[Parsed | None]:
    async with scope(shop.workspace_id) as session:
        return [(await values_of(session, ident)).get(attribute.id) for ident in ids]


async def condition(
    shop: Shop, attribute: Attribute, test: dict[str, object], name: str = "常連さん"
) -> None:
    rule = {"kind": "attribute", "attribute_id": str(attribute.id), "test": test}
    async with scope(shop.workspace_id) as session:
        session.add(Segment(name=name, rule=rule))


async def test_text_becomes_numbers_and_what_is_none_is_lost_knowingly(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "SLICE", 2)
    made, ids = await field(shop, ["3", "１,２００", "不明", "12.5", "不明", "たまに"])
    wish = KindIn(kind="number")
    async with scope(shop.workspace_id) as session:
        mine = await session.one(Attribute, made.id)
        found = await kinds.outlook(session, mine, wish)
        lost = [each async for each in kinds.lost_values(session, mine, wish)]
        with pytest.raises(Invalid) as refused:
            await kinds.start(session, staff(shop), mine, KindIn(kind="number", lose=2))
    assert (found.people, found.lost) == (6, 3)
    assert found.examples == [("不明", 2), ("たまに", 1)]
    assert sorted((ident, value) for ident, _name, value in lost) == sorted(
        [(ids[2], "不明"), (ids[4], "不明"), (ids[5], "たまに")]
    )
    assert list(refused.value.fields) == ["lose"]

    edit = await convert(shop, made, KindIn(kind="number", lose=3))
    assert (edit.state, edit.total, edit.changed) == ("done", 6, 3)
    assert await known(shop, made, ids) == [
        Decimal(3),
        Decimal(1200),
        None,
        Decimal("12.5"),
        None,
        None,
    ]
    async with scope(shop.workspace_id) as session:
        assert (await session.one(Attribute, made.id)).kind == "number"
        rows = ContactAttribute.attribute_id == made.id
        assert await session.scalar(select(func.count()).where(rows)) == 3


@pytest.mark.parametrize(
    ("kind", "value", "wish", "expected"),
    [
        ("text", "2026年11月3日", KindIn(kind="date"), date(2026, 11, 3)),
        ("text", "辛口", KindIn(kind="choice", choices=["甘口", "辛口"]), "辛口"),
        ("text", "辛口、甘口", KindIn(kind="choices", choices=["甘口", "辛口"]), ["甘口", "辛口"]),
        ("number", 20261103, KindIn(kind="date"), date(2026, 11, 3)),
        ("number", Decimal("1.50"), KindIn(kind="text"), "1.5"),
        ("date", date(2026, 11, 3), KindIn(kind="text"), "2026-11-03"),
        ("choices", ["b", "a"], KindIn(kind="text"), "a、b"),
        ("choices", ["b"], KindIn(kind="choice", choices=["a", "b"]), "b"),
        ("choice", "a", KindIn(kind="choices", choices=["a", '"b"']), ["a"]),
    ],
)
async def test_every_kind_is_read_as_somebody_would_type_it(
    shop: Shop, kind: str, value: object, wish: KindIn, expected: object
) -> None:
    made, ids = await field(shop, [value], kind, ["a", "b"] if kind.startswith("choice") else [])
    await convert(shop, made, wish)
    assert await known(shop, made, ids) == [expected]


async def test_a_segment_whose_condition_would_make_no_sense_keeps_the_kind(shop: Shop) -> None:
    made, ids = await field(shop, ["3"])
    await condition(shop, made, {"op": "text_contains", "text": "3"})
    wish = KindIn(kind="number")
    async with scope(shop.workspace_id) as session:
        mine = await session.one(Attribute, made.id)
        [used] = await kinds.in_the_way(session, mine, wish)
        with pytest.raises(Conflict, match="常連さん"):
            await kinds.start(session, staff(shop), mine, wish)
    assert "常連さん" in used.label
    assert await known(shop, made, ids) == ["3"]


async def test_a_segment_that_asks_whether_it_is_known_stays_and_one_made_meanwhile_stops_it(
    shop: Shop,
) -> None:
    made, ids = await field(shop, ["3"])
    await condition(shop, made, {"op": "known"}, "来店した人")
    async with scope(shop.workspace_id) as session:
        mine = await session.one(Attribute, made.id)
        edit = await kinds.start(session, staff(shop), mine, KindIn(kind="number"))
        with pytest.raises(Conflict):  # one at a time
            await kinds.start(session, staff(shop), mine, KindIn(kind="number"))
    await condition(shop, made, {"op": "text_contains", "text": "3"})
    with pytest.raises(Conflict):
        await kinds.run(shop.workspace_id, edit.id)
    assert await known(shop, made, ids) == ["3"]


async def test_what_was_changed_of_many_before_does_not_come_back_in_the_old_kind(
    shop: Shop,
) -> None:
    made, ids = await field(shop, ["3"])
    edit = await changed(shop, Change("set", attribute=made, value="4"), FriendFilter())
    assert bulk.may_take_back(edit)
    await convert(shop, made, KindIn(kind="number"))
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Conflict):
            await bulk.take_back(session, staff(shop), await session.one(BulkEdit, edit.id))
    assert await known(shop, made, ids) == [Decimal(4)]


async def test_staff_and_programs_change_a_kind(shop: Shop, app: Console) -> None:
    made, _ids = await field(shop, ["3", "=1+1", "たまに"])
    browser: Client = await app.person(shop, "operator")
    page = f"/attributes/{made.id}/kind"
    assert "たまに" in (await browser.get(page)).text  # offered as a choice
    shown = await browser.form(f"{page}/check", {"kind": "number"})
    assert shown.status_code == 200
    assert "たまに" in shown.text
    file = await browser.form(f"{page}/lost.csv", {"kind": "number"})
    assert "'=1+1" in file.text
    again = await browser.form(f"{page}/check", {"kind": "text"})
    assert (again.status_code, "すでにこの種類です" in again.text) == (422, True)
    unseen = await browser.form(page, {"kind": "number", "lose": "1"})
    assert (unseen.status_code, "2件の値は引き継げません" in unseen.text) == (422, True)

    program = await app.program(shop)
    url = f"/api/v1/attributes/{made.id}/kind"
    outlook = (await program.post(f"{url}/check", json={"kind": "number"})).json()
    assert (outlook["people"], outlook["lost"], outlook["hindered_by"]) == (3, 2, [])
    refused = await program.post(url, json={"kind": "number"})
    assert refused.status_code == 422
    started = await program.post(url, json={"kind": "number", "lose": 2})
    assert (started.status_code, started.json()["verb"]) == (202, "convert")
    assert (await browser.get(page)).headers["location"] == f"/friends/bulk/{started.json()['id']}"
    busy = await browser.form(f"/attributes/{made.id}", {"label": "回数"})
    assert busy.status_code == 409
    await kinds.run(shop.workspace_id, UUID(started.json()["id"]))
    done = await browser.get(f"/friends/bulk/{started.json()['id']}")
    assert "→ 数値" in done.text
