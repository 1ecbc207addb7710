"""What events come to: kept as they are written, and the same when counted anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import delete, select

import hiiki.rooms
from conftest import Shop, scope
from hiiki.contacts.merging import merge
from hiiki.contacts.models import Contact
from hiiki.kit.ids import uuid7
from hiiki.timeline import Event, record
from hiiki.timeline.models import Tally
from hiiki.timeline.service import record_rows, retract
from hiiki.timeline.tallies import count_anew

assert hiiki.rooms.registry

T0 = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KINDS = ("purchase_of_test", "message", "survey_answer", "sent")

happenings = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(KINDS),
        st.sampled_from(["", "q1", "q2"]),
        st.integers(0, 3),
        st.none() | st.integers(-5, 5),
        st.none() | st.lists(st.sampled_from("abc"), max_size=2),
    ),
    max_size=12,
)


async def people(shop: Shop, number: int = 2) -> list[UUID]:
    found = [uuid7() for _ in range(number)]
    async with scope(shop.workspace_id) as session:
        session.add_all(Contact(id=each) for each in found)
    return found


async def tallies(shop: Shop) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    async with scope(shop.workspace_id) as session:
        return {
            (row.contact_id, row.kind, row.subject): (
                row.n, row.total, row.least, row.most, row.first_at, row.last_at, row.chosen,
            )
            for row in await session.scalars(select(Tally))
        }  # fmt: skip


def by_hand(events: Sequence[Event]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    found: dict[tuple[Any, ...], list[Event]] = {}
    for event in events:
        if event.kind != "sent":
            subject = event.subject if event.kind == "survey_answer" else ""
            found.setdefault((event.contact_id, event.kind, subject), []).append(event)
    counted: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for key, group in found.items():
        values = [event.value for event in group if event.value is not None]
        latest = max(group, key=lambda event: (event.at, event.id))
        counted[key] = (
            len(group),
            sum(values, Decimal(0)) if values else None,
            min(values, default=None),
            max(values, default=None),
            min(event.at for event in group),
            max(event.at for event in group),
            latest.data.get("choice_ids"),
        )
    return counted


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(transactions=st.lists(happenings, max_size=4))
async def test_they_say_what_the_events_say(shop: Shop, transactions: list[Any]) -> None:
    who = await people(shop)
    events: list[Event] = []
    for happened in transactions:
        async with scope(shop.workspace_id) as session:
            for person, kind, subject, hours, value, chosen in happened:
                events.append(
                    record(
                        session,
                        who[person],
                        kind,
                        subject=subject,
                        at=T0 + timedelta(hours=hours),
                        value=value,
                        data={} if chosen is None else {"choice_ids": chosen},
                    )
                )
    mine = {key: row for key, row in (await tallies(shop)).items() if key[0] in who}
    assert mine == by_hand(events)
    async with scope(shop.workspace_id) as session:
        await count_anew(session, who)
    again = {key: row for key, row in (await tallies(shop)).items() if key[0] in who}
    assert again == mine
    # The same in bulk, then all of one kind taken back.
    others = {each: uuid7() for each in who}
    columns = Event.__table__.columns.keys()
    async with scope(shop.workspace_id) as session:
        rows = [
            {name: getattr(event, name) for name in columns}
            | {"contact_id": others[event.contact_id]}
            for event in events
        ]
        for part in (rows[:5], rows[5:]):
            await record_rows(session, part)
    bulk = {key: row for key, row in (await tallies(shop)).items() if key[0] in others.values()}
    assert bulk == {(others[key[0]], *key[1:]): row for key, row in mine.items()}
    async with scope(shop.workspace_id) as session:
        gone = [event for event in events if event.kind == "message"]
        await retract(session, [(event.contact_id, event.id) for event in gone])
    left = {key: row for key, row in (await tallies(shop)).items() if key[0] in who}
    assert left == {key: row for key, row in mine.items() if key[1] != "message"}


async def test_what_is_taken_back_is_not_counted(shop: Shop) -> None:
    [person] = await people(shop, 1)
    async with scope(shop.workspace_id) as session:
        for kind in ("message", "follow", "follow"):
            record(session, person, kind, at=T0)
    async with scope(shop.workspace_id) as session:
        await session.execute(delete(Event).where(Event.kind == "message"))
        await count_anew(session, [person], ["message"])
    assert [key[1] for key in await tallies(shop)] == ["follow"]


async def test_of_two_who_become_one_all_is_counted(shop: Shop) -> None:
    keep, gone = await people(shop)
    async with scope(shop.workspace_id) as session:
        record(session, keep, "message", at=T0)
        record(session, gone, "message", at=T0 + timedelta(hours=1))
        record(session, gone, "follow", at=T0)
    async with scope(shop.workspace_id) as session:
        await merge(session, keep, gone)
    found = await tallies(shop)
    assert found[keep, "message", ""][:1] == (2,)
    assert found[keep, "follow", ""][:1] == (1,)
    assert {key[0] for key in found} == {keep}


@pytest.mark.parametrize("known", [True, False])
async def test_counted_anew_while_others_count(shop: Shop, known: bool) -> None:
    [person] = await people(shop, 1)
    if known:
        async with scope(shop.workspace_id) as session:
            record(session, person, "message", at=T0)
    counting = asyncio.Event()

    async def anew() -> None:
        async with scope(shop.workspace_id) as session:
            counting.set()
            await count_anew(session, [person], ["message"])

    async with scope(shop.workspace_id) as session:
        record(session, person, "message", at=T0)
        await session.flush()
        await session.execute(select(Tally))  # writes what is gathered, and does not commit yet
        other = asyncio.create_task(anew())
        await counting.wait()
        await asyncio.sleep(0.1)
    await other
    assert [row[0] for row in (await tallies(shop)).values()] == [1 + known]


async def test_two_who_write_by_statements_of_their_own_count_each_other(shop: Shop) -> None:
    [person] = await people(shop, 1)
    has_written = asyncio.Event()

    async def write(first: bool) -> None:
        async with scope(shop.workspace_id) as session:
            session.add(
                Event(contact_id=person, at=T0, kind="message", workspace_id=shop.workspace_id)
            )
            await session.flush()
            await count_anew(session, [person], ["message"])
            if first:
                has_written.set()
                await asyncio.sleep(0.2)

    first = asyncio.create_task(write(first=True))
    await has_written.wait()
    await write(first=False)
    await first
    assert [row[0] for row in (await tallies(shop)).values()] == [2]
