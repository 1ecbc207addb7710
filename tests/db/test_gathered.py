"""What many write in one statement, and what is asked for many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select

import hiiki.rooms
from conftest import Shop
from hiiki.contacts.models import Tag
from hiiki.db import Unscoped, WorkspaceSession, scope
from hiiki.db.engine import engine
from hiiki.kit.errors import Conflict
from hiiki.timeline import Event, record

assert hiiki.rooms.registry


@contextmanager
def statements() -> Iterator[list[str]]:
    """Give a list that fills with the statements that are sent."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(engine().sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine().sync_engine, "before_cursor_execute", note)


async def count(session: WorkspaceSession) -> int:
    return await session.scalar(select(func.count()).select_from(Event)) or 0


async def test_many_events_are_one_statement_and_whoever_asks_sees_them(shop: Shop) -> None:
    people = [uuid4() for _ in range(20)]
    with statements() as sent:
        async with scope(shop.workspace_id) as session:
            for person in people:
                record(session, person, "sent", data={"text": "こんにちは"})  # is not counted
            assert await count(session) == 20
            record(session, people[0], "sent")
    assert [statement.split()[0].lower() for statement in sent] == ["insert", "select", "insert"]
    async with scope(shop.workspace_id) as session:
        assert await count(session) == 21
        assert set(await session.scalars(select(Event.workspace_id))) == {shop.workspace_id}


async def test_a_savepoint_takes_back_what_was_gathered_in_it_alone(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        record(session, uuid4(), "before")
        with suppress(Conflict):
            async with session.begin_nested():
                record(session, uuid4(), "in it")
                raise Conflict()
        record(session, uuid4(), "after")
    async with scope(shop.workspace_id) as session:
        assert set(await session.scalars(select(Event.kind))) == {"before", "after"}


async def test_a_failed_transaction_writes_nothing_of_it(shop: Shop) -> None:
    with suppress(Conflict):
        async with scope(shop.workspace_id) as session:
            record(session, uuid4(), "message")
            raise Conflict()
    async with scope(shop.workspace_id) as session:
        assert await count(session) == 0


async def test_asking_of_one_asks_of_all_whom_it_deals_with(shop: Shop) -> None:
    people = [uuid4() for _ in range(5)]
    stranger = uuid4()
    asked: list[list[UUID]] = []

    async def ask(ids: Sequence[UUID]) -> dict[UUID, str]:
        asked.append(list(ids))
        return {ident: str(ident) for ident in ids if ident != people[3]}

    async with scope(shop.workspace_id) as session:
        session.deals_with(people)
        found = [await session.ahead("x", person, ask) for person in people]
        assert found == [str(p) if p != people[3] else None for p in people]
        assert asked == [people]
        assert await session.ahead("x", stranger, ask) == str(stranger)
        assert asked == [people, [stranger]]
        # What a savepoint took back may have been part of what is known.
        with suppress(Conflict):
            async with session.begin_nested():
                raise Conflict()
        assert await session.ahead("x", people[0], ask) == str(people[0])
        assert asked == [people, [stranger], people]


async def test_it_is_known_whether_anything_was_written(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        kept = Tag(name="甘口")
        session.add(kept)
        await session.flush()
        record(session, uuid4(), "message")
        seen = session.writes
        # Reading is no writing, though it sends what was gathered before.
        assert await count(session) == 1
        assert session.writes == seen
        for write in (
            lambda: session.add(Tag(name="辛口")),
            lambda: record(session, uuid4(), "message"),
            lambda: setattr(kept, "name", "中辛"),
        ):
            seen = session.writes
            write()
            assert session.writes != seen


async def test_new_rows_go_together_and_have_their_tables_defaults(
    shop: Shop, other_shop: Shop
) -> None:
    words = "「辛口」 \"50%\" \\ 'x' {a,b} \n🍛"
    tags = [Tag(workspace_id=shop.workspace_id, name=f"{words}{number}") for number in range(3)]
    with statements() as sent:
        async with scope(shop.workspace_id) as session:
            for tag in tags:
                session.write(tag)
                session.write(Tag(workspace_id=shop.workspace_id, id=tag.id, name="二度目"),
                              "on conflict do nothing")  # fmt: skip
            with pytest.raises(Unscoped):
                session.write(Tag(workspace_id=other_shop.workspace_id, name="x"))
    assert len(sent) == 2
    async with scope(shop.workspace_id) as session:
        stored = list(await session.scalars(select(Tag).order_by(Tag.id)))
    assert [(tag.id, tag.name, tag.colour) for tag in stored] == [
        (tag.id, tag.name, "blue") for tag in tags
    ]
    assert [tag.created_at for tag in stored] == [tag.created_at for tag in tags]
