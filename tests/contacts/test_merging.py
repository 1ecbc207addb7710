"""Two contacts become one, and nothing that was known of either is lost."""

from __future__ import annotations

import asyncio
import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

import hiiki.rooms
from conftest import Shop, scope
from console import Console
from hiiki.contacts.attributes import values_of
from hiiki.contacts.erasure import erase, tables_about_contacts
from hiiki.contacts.identities import Keys, keys_of, resolve
from hiiki.contacts.merging import contact_of, merge
from hiiki.contacts.models import Attribute, Contact, ContactTag, Double, Merged, Tag
from hiiki.contacts.service import add_tag, set_attribute
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, NotFound
from hiiki.kit.road import Registry, Room
from hiiki.timeline import of_contact, record
from hiiki.workspace.models import AuditEntry, Channel

from .people import T0, make_friend

assert hiiki.rooms.registry

LEFT = {
    "contacts.friendship",
    "contacts.possible_double",
    "contacts.merged",
    "contacts.parted",
    "purchases.customer",
    "purchases.subscriber",
    "timeline.tally",
}
"""Who goes has no friendship, pairs are settled, `merged` and `parted` are tested by themselves.
Sums are worked out anew (`Room.merge`)."""


async def imported(shop: Shop, **keys: str) -> UUID:
    async with scope(shop.workspace_id) as session:
        [made] = await resolve(session, [Keys(**keys)])
        assert made
        return made


async def united(shop: Shop, keep: UUID, gone: UUID, **options: Any) -> UUID:
    async with scope(shop.workspace_id) as session:
        return await merge(session, keep, gone, **options)


def example(kind: Any) -> Any:
    """A value of a type; of a text's there is only one, which no check of words would take."""
    if isinstance(kind, ARRAY):
        return [example(kind.item_type)]
    if isinstance(kind, JSONB):
        return {"words": ["「はい」", 1.5, None]}
    made: dict[Any, Any] = {
        UUID: uuid4(),
        int: 7,
        float: 1.5,
        bytes: b"\x00\xff",
        bool: True,
        date: date(2000, 2, 29),
        datetime: T0 + timedelta(microseconds=secrets.randbelow(10**6)),
        Decimal: Decimal("12345.123456"),
        str: "選択",
    }
    return made[kind.python_type]


async def rows_of(session: WorkspaceSession, table: Table, contact_id: UUID) -> list[Any]:
    """A contact's rows, without whose they are."""
    columns = [column for column in table.columns if column.name != "contact_id"]
    found = await session.execute(
        select(*columns).where(table.c.contact_id == contact_id),
        execution_options={"scoped_by_hand": True},
    )
    return sorted(map(tuple, found.all()), key=str)


async def test_no_table_about_contacts_is_forgotten(shop: Shop, channel: Channel) -> None:
    """A room that is added tomorrow with a `contact_id` needs no line here."""
    keep = (await make_friend(shop, channel)).id
    gone = await imported(shop, customer="1")
    tables = [each for each in tables_about_contacts() if each.fullname not in LEFT]
    async with scope(shop.workspace_id) as session:
        # What the rows refer to and which words they may hold does not matter here.
        by_hand = {"execution_options": {"scoped_by_hand": True}}
        for table in tables:
            for check in await session.scalars(
                text(
                    "select conname from pg_constraint where contype = 'c'"
                    f" and conrelid = '{table.fullname}'::regclass"
                ),
                **by_hand,
            ):
                await session.execute(
                    text(f'alter table {table.fullname} drop constraint "{check}"'), **by_hand
                )
        await session.execute(text("set local session_replication_role = replica"), **by_hand)
        for table in tables:
            row = {column.name: example(column.type) for column in table.columns}
            row |= {"workspace_id": shop.workspace_id, "contact_id": gone}
            await session.execute(insert(table).values(row), **by_hand)
        before = {each.fullname: await rows_of(session, each, gone) for each in tables}
        assert all(before.values())
        others = {each.fullname: await rows_of(session, each, keep) for each in tables}
        assert await merge(session, keep, gone) == keep
        for table in tables:
            after = await rows_of(session, table, keep)
            assert await rows_of(session, table, gone) == []
            assert set(map(str, before[table.fullname])) <= set(map(str, after)), table.fullname
            assert set(map(str, others[table.fullname])) <= set(map(str, after)), table.fullname
        await session.rollback()


async def test_who_stays_and_what_they_keep(shop: Shop, channel: Channel) -> None:
    friend = await make_friend(shop, channel, "花子", phone="+81311112222")
    member = await imported(shop, customer="1", email="h@x.jp", phone="03-9999-9999")
    async with scope(shop.workspace_id) as session:
        row = await session.one(Contact, member)
        row.birthday, row.is_purchaser, row.display_name = date(1990, 1, 2), True, "ignored"
        row.created_at = T0 - timedelta(days=300)
        spice = Attribute(key="spice", label="辛さ", kind="text", choices=[])
        size = Attribute(key="size", label="大きさ", kind="text", choices=[])
        tags = [Tag(name=name) for name in ("both", "theirs", "mine")]
        session.add_all([spice, size, *tags])
        await session.flush()
        await set_attribute(session, friend.id, spice, "hot")
        await set_attribute(session, member, spice, "mild")
        await set_attribute(session, member, size, "L")
        for ident, numbers in ((friend.id, (0, 2)), (member, (0, 1))):
            for number in numbers:
                await add_tag(session, ident, tags[number].id)
        record(session, member, "purchase", at=T0, value=1200, data={"order": "x"})

    # Whichever way round it is asked for: the friend's id is derived from LINE's.
    assert await united(shop, member, friend.id) == friend.id

    async with scope(shop.workspace_id) as session:
        kept = await session.one(Contact, friend.id)
        assert (kept.display_name, kept.phone, kept.email) == ("花子", "+81311112222", "h@x.jp")
        assert (kept.birthday, kept.is_purchaser) == (date(1990, 1, 2), True)
        assert kept.created_at == T0 - timedelta(days=300)
        assert await values_of(session, friend.id) == {spice.id: "hot", size.id: "L"}
        having = select(func.count()).where(ContactTag.contact_id == friend.id)
        assert await session.scalar(having) == 3
        events = await of_contact(session, friend.id)
        assert {event.kind for event in events} >= {"purchase", "merged"}
        assert [each.kind for each in await keys_of(session, friend.id)] == [
            "customer",
            "email",
            "phone",
        ]
        [entry] = await session.scalars(
            select(AuditEntry).where(AuditEntry.action == "contacts.merge")
        )
        assert (entry.actor_kind, entry.data) == ("system", {"gone": str(member)})
    assert await imported(shop, customer="1") == friend.id


async def test_a_field_may_be_taken_from_who_goes(shop: Shop) -> None:
    keep = await imported(shop, customer="1", email="old@x.jp", phone="03-1111-1111")
    gone = await imported(shop, customer="2", email="new@x.jp", phone="03-2222-2222")
    await united(shop, keep, gone, take=["email"])
    async with scope(shop.workspace_id) as session:
        kept = await session.one(Contact, keep)
        assert (kept.email, kept.phone) == ("new@x.jp", "+81311111111")


async def test_two_line_friends_stay_two(shop: Shop, channel: Channel) -> None:
    one, two = [await make_friend(shop, channel) for _ in range(2)]
    with pytest.raises(Conflict, match="LINE"):
        await united(shop, one.id, two.id)
    with pytest.raises(Conflict):
        await united(shop, one.id, one.id)
    with pytest.raises(NotFound):
        await united(shop, one.id, uuid4())


async def test_walls(shop: Shop, other_shop: Shop) -> None:
    mine, theirs = await imported(shop, customer="1"), await imported(other_shop, customer="1")
    with pytest.raises(NotFound):
        await united(shop, mine, theirs)
    with pytest.raises(NotFound):
        await united(shop, theirs, mine)
    assert await imported(other_shop, customer="1") == theirs


async def test_an_old_id_finds_who_stayed_however_often(shop: Shop) -> None:
    a, b, c = [await imported(shop, customer=str(n)) for n in range(3)]
    await united(shop, b, a)
    await united(shop, c, b)
    async with scope(shop.workspace_id) as session:
        assert {(await contact_of(session, ident)).id for ident in (a, b, c)} == {c}
        await erase(session, await session.one(Contact, c))
        with pytest.raises(NotFound):
            await contact_of(session, a)
        assert (await session.scalars(select(Merged))).all() == []


async def test_a_room_is_told_when_the_rows_have_moved(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[UUID, UUID, int]] = []

    async def hook(session: WorkspaceSession, keep: UUID, gone: UUID) -> None:
        told.append((keep, gone, len(await of_contact(session, keep))))

    rooms = [*hiiki.rooms.registry.rooms, Room(name="test", merge=hook)]
    monkeypatch.setattr("hiiki.kit.road._registry", Registry(rooms))
    keep, gone = await imported(shop, customer="1"), await imported(shop, customer="2")
    async with scope(shop.workspace_id) as session:
        record(session, gone, "purchase", at=T0)
    await united(shop, keep, gone)
    assert told == [(keep, gone, 1)]


async def test_who_is_being_found_is_not_merged_away(shop: Shop) -> None:
    """An order that has found its person is written before they are merged, or after."""
    keep, gone = await imported(shop, customer="1"), await imported(shop, customer="2")
    found, go_on = asyncio.Event(), asyncio.Event()

    async def order() -> None:
        async with scope(shop.workspace_id) as session:
            [who] = await resolve(session, [Keys(customer="2")])
            found.set()
            await go_on.wait()
            assert who
            record(session, who, "purchase", at=T0)

    ordering = asyncio.create_task(order())
    await found.wait()
    merging = asyncio.create_task(united(shop, keep, gone))
    await asyncio.sleep(0.1)
    assert not merging.done()
    go_on.set()
    await asyncio.gather(ordering, merging)
    async with scope(shop.workspace_id) as session:
        assert "purchase" in {event.kind for event in await of_contact(session, keep)}


async def test_who_looks_while_people_are_merged_finds_who_stays(shop: Shop) -> None:
    keep, gone = await imported(shop, customer="1"), await imported(shop, customer="2")
    async with scope(shop.workspace_id) as session:
        await merge(session, keep, gone)
        looking = asyncio.create_task(imported(shop, customer="2"))
        await asyncio.sleep(0.1)
        assert not looking.done()
    assert await looking == keep


async def test_pairs_are_settled(shop: Shop) -> None:
    one, two, three = [await imported(shop, customer=str(n)) for n in range(3)]
    async with scope(shop.workspace_id) as session:
        for pair in ((one, two), (one, three), (two, three)):
            session.add(
                Double(contact_id=min(pair), other_id=max(pair), reasons=["email"], state="open")
            )
    await united(shop, one, two)
    async with scope(shop.workspace_id) as session:
        [left] = await session.scalars(select(Double))
        assert {left.contact_id, left.other_id} == {one, three}


async def test_who_was_told_apart_stays_so(shop: Shop, app: Console) -> None:
    one, two, three = [await imported(shop, customer=str(n), email="a@x.jp") for n in range(3)]
    api = await app.program(shop, "operator")
    told = await api.post(f"/api/v1/friends/{two}/different", json={"other_id": str(three)})
    assert told.status_code == 204
    await united(shop, one, two)
    async with scope(shop.workspace_id) as session:
        [left] = await session.scalars(select(Double))
        assert {left.contact_id, left.other_id} == {one, three}
        assert left.state == "different"
