"""Many posts in one commit: none is lost by it, and none suffers for another."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from conftest import Shop, scope
from hiiki.db.engine import engine
from hiiki.ingest import store
from hiiki.ingest.models import WebhookEvent
from hiiki.line.wire import parse
from ingest.line_side import Person, body, deliver, make_channel


async def ids(shop: Shop) -> list[str]:
    async with scope(shop.workspace_id) as session:
        found = await session.scalars(select(WebhookEvent.event_id).order_by(WebhookEvent.serial))
        return list(found)


async def test_posts_that_come_together_share_commits(shop: Shop) -> None:
    channel = await make_channel(shop.workspace_id)
    events = [Person(channel).event("follow") for _ in range(300)]
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    sqlalchemy_event.listen(engine().sync_engine, "commit", count)
    try:
        kept = await asyncio.gather(*(deliver(channel, one) for one in events))
    finally:
        sqlalchemy_event.remove(engine().sync_engine, "commit", count)
    assert kept == [1] * 300
    assert sorted(await ids(shop)) == sorted(one["webhookEventId"] for one in events)
    assert commits < 30


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
    assert isinstance(results.pop(5), IntegrityError)
    assert results == [1] * 10
    assert len(await ids(shop)) == 5
    assert len(await ids(other_shop)) == 5


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
