"""Many posts in one commit: none is lost by it, and none suffers for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import select, text

from conftest import Shop, scope
from hiiki.ingest import store
from hiiki.ingest.models import WebhookEvent
from hiiki.kit.errors import Invalid
from hiiki.line.wire import parse
from ingest.line_side import Person, body, deliver, make_channel


async def ids(shop: Shop) -> list[str]:
    async with scope(shop.workspace_id) as session:
        found = await session.scalars(select(WebhookEvent.event_id).order_by(WebhookEvent.serial))
        return list(found)


async def test_posts_that_come_together_share_commits(shop: Shop) -> None:
    channel = await make_channel(shop.workspace_id)
    events = [Person(channel).event("follow") for _ in range(300)]
    kept = await asyncio.gather(*(deliver(channel, one) for one in events))
    assert kept == [1] * 300
    assert sorted(await ids(shop)) == sorted(one["webhookEventId"] for one in events)
    async with scope(shop.workspace_id) as session:
        commits = await session.scalar(
            text("select count(distinct xmin::text) from ingest.webhook_event"),
            execution_options={"scoped_by_hand": True},
        )
    assert commits < 30


async def test_nobody_is_taken_who_would_wait_too_long(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that waits has waited long enough: whoever comes now is told at once."""
    channel = await make_channel(shop.workspace_id)
    monkeypatch.setattr(store, "WAIT_AT_MOST", -1.0)
    results = await asyncio.gather(
        *(deliver(channel, Person(channel).event("follow")) for _ in range(3)),
        return_exceptions=True,
    )
    assert results[0] == 1  # before it nobody waited
    assert all(isinstance(result, store.Overloaded) for result in results[1:])
    assert await deliver(channel, Person(channel).event("follow")) == 1


async def test_a_post_that_comes_as_the_last_writers_end_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the very step of the event loop: nobody would ever write it, and nobody be taken again."""
    keeper = store.Keeper()
    under_way: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
    moment = asyncio.get_running_loop().create_future()

    async def insert(posts: Sequence[Any]) -> set[tuple[str, str]]:
        done = asyncio.get_running_loop().create_future()
        under_way.put_nowait(done)
        await done
        return {key for post in posts for key in post.keys}

    async def keep() -> int:
        return await keeper.keep(uuid4(), uuid4(), parse(body({"type": "follow"})))

    async def keep_then() -> int:
        await moment
        return await keep()

    monkeypatch.setattr(store, "_insert", insert)
    monkeypatch.setattr(store, "WAIT_AT_MOST", 0.0)
    late = asyncio.create_task(keep_then())
    first: list[asyncio.Task[int]] = []
    writing: list[asyncio.Future[None]] = []
    for _ in range(store.WRITERS):
        first.append(asyncio.create_task(keep()))
        writing.append(await under_way.get())
    for future in (*writing, moment):
        future.set_result(None)  # each wakes its task in the next step, in this order
    async with asyncio.timeout(5):
        assert await asyncio.gather(*first) == [1] * store.WRITERS
        (await under_way.get()).set_result(None)
        assert await late == 1


async def test_a_connection_that_ended_while_nobody_used_it_fails_no_post(shop: Shop) -> None:
    channel = await make_channel(shop.workspace_id)
    assert await deliver(channel, Person(channel).event("follow")) == 1
    async with scope(shop.workspace_id) as session:
        ended = await session.execute(
            text(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
                " and query like '%insert into ingest.webhook_event%'"
            ),
            execution_options={"scoped_by_hand": True},
        )
        assert (True,) in ended.all()
    assert await deliver(channel, Person(channel).event("follow")) == 1


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
@example(values=['"', "\\", '\\"', "{a,b}", "", "NULL", " ", "\n\t", "é日本\U0001f600"])
async def test_an_array_as_text_is_what_it_was(shop: Shop, values: list[str]) -> None:
    async with scope(shop.workspace_id) as session:
        found = await session.scalar(
            text("select cast(:values as text[])"),
            {"values": store.array(values)},
            execution_options={"scoped_by_hand": True},
        )
    assert found == values


async def test_what_two_posts_bring_is_kept_once_and_in_order(shop: Shop) -> None:
    channel = await make_channel(shop.workspace_id)
    events = [Person(channel).event("follow") for _ in range(50)]
    kept = await asyncio.gather(
        *(deliver(channel, *events[start : start + 10]) for start in range(0, 50, 5))
    )
    assert sum(kept) == 50
    assert await ids(shop) == [one["webhookEventId"] for one in events]


async def test_a_body_that_cannot_be_kept_takes_no_other_with_it(
    shop: Shop, other_shop: Shop
) -> None:
    here, there = await make_channel(shop.workspace_id), await make_channel(other_shop.workspace_id)
    lost = parse(body(Person(here).event("follow")))
    results = await asyncio.gather(
        *(deliver(here, Person(here).event("follow")) for _ in range(5)),
        store.keep(shop.workspace_id, uuid4(), lost),  # a channel deleted a moment ago
        *(deliver(there, Person(there).event("follow")) for _ in range(5)),
        return_exceptions=True,
    )
    assert isinstance(results.pop(5), ForeignKeyViolation)
    assert results == [1] * 10
    assert len(await ids(shop)) == 5
    assert len(await ids(other_shop)) == 5


@pytest.mark.parametrize(
    ("odd", "refusal"),
    [
        ({"payload": {"a": 2**70}}, Invalid),
        ({"payload": {"a": "\ud83d"}}, Invalid),
        ({"id": "a\0b"}, psycopg.DataError),  # the driver's own, without a state
        ({"source_id": "\ud83d"}, UnicodeEncodeError),
        ({"payload": {"a": "\0"}}, psycopg.DataError),
    ],
)
async def test_what_cannot_be_written_is_refused_alone(
    shop: Shop, other_shop: Shop, odd: dict[str, Any], refusal: type[Exception]
) -> None:
    """Whatever the reading of bodies lets through one day."""
    here, there = await make_channel(shop.workspace_id), await make_channel(other_shop.workspace_id)
    [good] = parse(body(Person(here).event("follow")))
    results = await asyncio.gather(
        deliver(there, Person(there).event("follow")),
        store.keep(shop.workspace_id, here.id, [replace(good, **odd)]),
        deliver(there, Person(there).event("follow")),
        deliver(here, Person(here).event("follow")),
        return_exceptions=True,
    )
    first, refused, *others = results
    assert isinstance(refused, refusal)
    assert [first, *others] == [1, 1, 1]
    assert len(await ids(shop)) == 1
    assert len(await ids(other_shop)) == 2


async def test_more_than_can_be_kept_in_time_is_refused_and_comes_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = await make_channel(shop.workspace_id)
    monkeypatch.setattr(store, "WAITING_AT_MOST", 20)
    events = [Person(channel).event("follow") for _ in range(60)]
    results = await asyncio.gather(
        *(deliver(channel, one) for one in events), return_exceptions=True
    )
    refused = [one for one, came in zip(events, results, strict=True) if came != 1]
    assert refused, "nothing was refused"
    assert all(
        isinstance(came, store.Overloaded) and came.status == 503 for came in results if came != 1
    )
    assert len(await ids(shop)) == 60 - len(refused)
    for one in refused:  # LINE delivers again
        assert await deliver(channel, one) == 1
    assert sorted(await ids(shop)) == sorted(one["webhookEventId"] for one in events)


async def test_who_gives_up_waiting_disturbs_nobody(shop: Shop) -> None:
    channel = await make_channel(shop.workspace_id)
    events = [Person(channel).event("follow") for _ in range(30)]
    posts = [asyncio.create_task(deliver(channel, one)) for one in events]
    await asyncio.sleep(0)
    for impatient in posts[::3]:
        impatient.cancel()
    results = await asyncio.gather(*posts, return_exceptions=True)
    stayed = [place for place in range(30) if place % 3]
    assert [results[place] for place in stayed] == [1] * len(stayed)
    assert {events[place]["webhookEventId"] for place in stayed} <= set(await ids(shop))
    for one in events:
        await deliver(channel, one)
    assert len(await ids(shop)) == 30
