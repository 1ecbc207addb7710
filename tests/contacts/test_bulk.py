"""Changes of many: what they change, what they leave alone, and taking them back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

import hiiki.rooms
from conftest import Shop, scope
from console import Client, Console
from hiiki.contacts import bulk, jobs
from hiiki.contacts.attributes import values_of
from hiiki.contacts.bulk import Change
from hiiki.contacts.identities import Keys, resolve
from hiiki.contacts.models import (
    Attribute,
    BulkChange,
    BulkEdit,
    Contact,
    ContactTag,
    Tag,
)
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.service import add_tag, remove_tag, set_attribute
from hiiki.kit.errors import Conflict, Invalid
from hiiki.segments.models import Segment
from hiiki.timeline import of_contact
from hiiki.workspace.access import Access

assert hiiki.rooms.registry


def staff(shop: Shop) -> Access:
    return Access(
        shop.workspace_id, "", "Asia/Tokyo", "operator", "ja", "staff", UUID(int=1), "店員"
    )


async def people(shop: Shop, number: int) -> list[UUID]:
    async with scope(shop.workspace_id) as session:
        found = await resolve(session, [Keys(customer=str(n)) for n in range(number)])
        return [each for each in found if each]


async def changed(shop: Shop, change: Change, who: FriendFilter | list[UUID]) -> BulkEdit:
    async with scope(shop.workspace_id) as session:
        meant = await bulk.forecast(session, change, who)
        edit = await bulk.start(session, staff(shop), change, who)
    await run(shop, edit)
    async with scope(shop.workspace_id) as session:
        edit = await session.one(BulkEdit, edit.id)
    assert edit.state == "done"
    assert (edit.total, edit.changed) == (meant.changes, meant.changes)
    return edit


async def run(shop: Shop, edit: BulkEdit) -> None:
    await jobs.bulk_edit.func(str(shop.workspace_id), str(edit.id))


async def undone(shop: Shop, edit: BulkEdit) -> BulkEdit:
    async with scope(shop.workspace_id) as session:
        await bulk.take_back(session, staff(shop), await session.one(BulkEdit, edit.id))
    await run(shop, edit)
    async with scope(shop.workspace_id) as session:
        return await session.one(BulkEdit, edit.id)


async def tagged(shop: Shop, tag: Tag) -> dict[UUID, Any]:
    async with scope(shop.workspace_id) as session:
        rows = await session.execute(
            select(ContactTag.contact_id, ContactTag.at).where(ContactTag.tag_id == tag.id)
        )
        return {row[0]: row[1] for row in rows}


async def known(shop: Shop, attribute: Attribute, ids: list[UUID]) -> list[Any]:
    async with scope(shop.workspace_id) as session:
        return [(await values_of(session, each)).get(attribute.id) for each in ids]


@pytest.fixture
async def tag(shop: Shop) -> Tag:
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="常連")
        session.add(tag)
    return tag


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "SLICE", 2)


@pytest.mark.usefixtures("small_slices")
async def test_a_tag_is_put_on_and_taken_back_but_for_who_changed_since(
    shop: Shop, tag: Tag
) -> None:
    had, anew, left, erased, *rest = await people(shop, 7)
    async with scope(shop.workspace_id) as session:
        await add_tag(session, had, tag.id)
    before = await tagged(shop, tag)
    edit = await changed(shop, Change("tag_add", tag=tag), FriendFilter())
    assert edit.changed == 6
    assert (await tagged(shop, tag)).keys() == {had, anew, left, erased, *rest}
    async with scope(shop.workspace_id) as session:
        assert await of_contact(session, anew) == []  # no rule runs for it
        for ident in (anew, left):
            await remove_tag(session, ident, tag.id)
        await add_tag(session, anew, tag.id)
        await session.delete(await session.one(Contact, erased))
    edit = await undone(shop, edit)
    assert (edit.state, edit.undone) == ("undone", 3)
    after = await tagged(shop, tag)
    assert after.keys() == {had, anew}
    assert after[had] == before[had]


@pytest.mark.usefixtures("small_slices")
async def test_a_tag_is_taken_off_and_comes_back_with_its_own_moment(shop: Shop, tag: Tag) -> None:
    ids = await people(shop, 5)
    async with scope(shop.workspace_id) as session:
        for ident in ids[:4]:
            await add_tag(session, ident, tag.id)
    before = await tagged(shop, tag)
    edit = await changed(shop, Change("tag_remove", tag=tag), ids[1:])
    assert (await tagged(shop, tag)).keys() == {ids[0]}
    async with scope(shop.workspace_id) as session:
        await add_tag(session, ids[1], tag.id)
    edit = await undone(shop, edit)
    assert edit.undone == 2
    after = await tagged(shop, tag)
    assert {**after, ids[1]: before[ids[1]]} == before


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize(
    ("kind", "old", "typed", "new"),
    [
        ("text", "甘口", "辛口", "辛口"),
        ("number", Decimal("1.5"), "１２３", Decimal(123)),
        ("date", date(2026, 1, 2), "2026年5月6日", date(2026, 5, 6)),
        ("choice", "赤", "青", "青"),
        ("choices", ["青"], "青\n赤", ["赤", "青"]),
    ],
)
async def test_an_attribute_is_set_and_taken_back(
    shop: Shop, kind: str, old: Any, typed: str, new: Any
) -> None:
    async with scope(shop.workspace_id) as session:
        attribute = Attribute(key="k", label="k", kind=kind, choices=["赤", "青"])
        session.add(attribute)
    ids = await people(shop, 5)
    same, other, _none, since, cleared = ids
    async with scope(shop.workspace_id) as session:
        await set_attribute(session, same, attribute, new)
        for ident in (other, since, cleared):
            await set_attribute(session, ident, attribute, old)
    edit = await changed(shop, Change("set", attribute=attribute, value=typed), FriendFilter())
    assert edit.changed == 4
    assert await known(shop, attribute, ids) == [new] * 5
    async with scope(shop.workspace_id) as session:
        await set_attribute(session, since, attribute, new)  # by somebody else, to the same
        await set_attribute(session, cleared, attribute, None)
    edit = await undone(shop, edit)
    assert edit.undone == 2
    assert await known(shop, attribute, ids) == [new, old, None, new, None]
    edit = await changed(shop, Change("clear", attribute=attribute), FriendFilter())
    assert await known(shop, attribute, ids) == [None] * 5
    await undone(shop, edit)
    assert await known(shop, attribute, ids) == [new, old, None, new, None]


async def test_who_changes_between_asking_and_doing_is_left_alone(shop: Shop, tag: Tag) -> None:
    async with scope(shop.workspace_id) as session:
        attribute = Attribute(key="k", label="k", kind="text", choices=[])
        session.add(attribute)
    one, two, three = await people(shop, 3)
    async with scope(shop.workspace_id) as session:
        for ident in (one, two):
            await set_attribute(session, ident, attribute, "old")
    async with scope(shop.workspace_id) as session:
        edit = await bulk.start(
            session,
            staff(shop),
            Change("set", attribute=attribute, value="new"),
            [one, two, three],
        )
    assert await bulk.step(shop.workspace_id, edit.id)  # written down, not done yet
    async with scope(shop.workspace_id) as session:
        await set_attribute(session, one, attribute, "theirs")
        await set_attribute(session, three, attribute, "theirs")
    await run(shop, edit)  # as another worker does, when the first was killed
    assert await known(shop, attribute, [one, two, three]) == ["theirs", "new", "theirs"]
    await run(shop, edit)
    async with scope(shop.workspace_id) as session:
        assert (await session.one(BulkEdit, edit.id)).changed == 1


async def test_a_segment_can_be_changed(shop: Shop, tag: Tag) -> None:
    ids = await people(shop, 3)
    async with scope(shop.workspace_id) as session:
        other = Tag(name="会員")
        session.add(other)
        await session.flush()
        await add_tag(session, ids[0], other.id)
        segment = Segment(name="s", rule={"kind": "tag", "tag_ids": [str(other.id)]})
        session.add(segment)
    await changed(shop, Change("tag_add", tag=tag), FriendFilter(segment=segment.id))
    assert (await tagged(shop, tag)).keys() == {ids[0]}


async def test_walls(shop: Shop, other_shop: Shop, tag: Tag) -> None:
    mine, theirs = await people(shop, 2), await people(other_shop, 2)
    await changed(shop, Change("tag_add", tag=tag), [*mine, *theirs])
    assert (await tagged(shop, tag)).keys() == set(mine)
    edit = await changed(shop, Change("tag_remove", tag=tag), FriendFilter())
    assert edit.changed == 2


async def test_what_is_a_day_old_stays_and_is_forgotten(shop: Shop, tag: Tag) -> None:
    edit = await changed(shop, Change("tag_add", tag=tag), await people(shop, 2))
    async with scope(shop.workspace_id) as session:
        await session.execute(
            update(BulkEdit).values(at=BulkEdit.at - timedelta(days=1, seconds=1))
        )
    with pytest.raises(Conflict):
        await undone(shop, edit)
    await jobs.forget_bulk_edit.func(str(shop.workspace_id), str(edit.id))
    async with scope(shop.workspace_id) as session:
        assert (await session.scalars(select(BulkChange))).all() == []


async def test_a_value_of_another_kind_is_refused_before(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        attribute = Attribute(key="k", label="k", kind="number", choices=[])
        session.add(attribute)
        await session.flush()
        with pytest.raises(Invalid):
            await bulk.start(
                session, staff(shop), Change("set", attribute=attribute, value="x"), []
            )


async def test_the_pages(shop: Shop, app: Console, tag: Tag) -> None:
    ids = await people(shop, 3)
    operator: Client = await app.person(shop, "operator")
    asked = {"scope": "all", "verb": "tag_add"}
    page = await operator.form("/friends/bulk/check", asked)
    assert page.status_code == 200
    assert "Change 3 friends" not in page.text
    asked["tag_id"] = str(tag.id)
    page = await operator.form("/friends/bulk/check", asked)
    assert "3人を変更" in page.text
    assert (await operator.form("/friends/bulk/check", {"verb": "tag_add"})).status_code == 422
    refused = await operator.form("/friends/bulk", {"scope": "all", "verb": "set"})
    assert refused.status_code == 422
    begun = await operator.form("/friends/bulk", asked)
    assert begun.status_code == 303
    where = begun.headers["location"]
    async with scope(shop.workspace_id) as session:
        edit = await session.one(BulkEdit, UUID(where.rsplit("/", 1)[1]))
        jobs_waiting = await session.scalar(
            text("select count(*) from procrastinate_jobs where task_name = 'contacts:bulk_edit'"),
            execution_options={"scoped_by_hand": True},
        )
    assert jobs_waiting == 1
    assert "hx-trigger" in (await operator.get(where)).text
    await run(shop, edit)
    shown = await operator.get(f"{where}?part=true")
    assert "hx-trigger" not in shown.text
    assert "undo" in shown.text
    assert tag.name in (await operator.get("/friends/bulk")).text
    assert (await operator.form(f"{where}/undo")).status_code == 303
    await run(shop, edit)
    assert await tagged(shop, tag) == {}
    assert (await operator.form(f"{where}/undo")).status_code == 409
    viewer = await app.person(shop, "viewer")
    assert (await viewer.form("/friends/bulk", asked)).status_code == 403
    assert ids


async def test_programs_change_many_and_take_it_back(shop: Shop, app: Console, tag: Tag) -> None:
    ids = await people(shop, 2)
    api = await app.program(shop, "operator")
    asked = {"verb": "tag_add", "tag_id": str(tag.id), "ids": [str(ids[0])]}
    begun = await api.post("/api/v1/friends/bulk", json=asked)
    assert begun.status_code == 202, begun.text
    path = f"/api/v1/friends/bulk/{begun.json()['id']}"
    async with scope(shop.workspace_id) as session:
        edit = await session.one(BulkEdit, UUID(begun.json()["id"]))
    await run(shop, edit)
    assert (await api.get(path)).json()["changed"] == 1
    assert (await api.post(f"{path}/undo")).json()["state"] == "undoing"
    await run(shop, edit)
    assert (await api.get(path)).json()["undone"] == 1
    assert (await api.post("/api/v1/friends/bulk", json={"verb": "set"})).status_code == 422
