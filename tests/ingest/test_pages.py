"""What staff see of the webhooks, and what they do about those that failed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.ingest import service
from hiiki.ingest.jobs import forget_old_events
from hiiki.ingest.models import WebhookEvent
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.workspace.models import Channel
from ingest import samples
from ingest.line_side import Person, deliver, drain, make_channel


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


async def put_aside(person: Person) -> dict[str, Any]:
    event = person.event("follow", follow={"isUnblocked": False})
    await deliver(person.channel, event)
    async with scope(person.channel.workspace_id) as session:
        await session.execute(
            update(WebhookEvent)
            .where(WebhookEvent.event_id == event["webhookEventId"])
            .values(state="set_aside", attempts=5, error="ValueError: no")
        )
    return event


async def test_run_again(channel: Channel, shop: Shop) -> None:
    person = Person(channel)
    event = await put_aside(person)
    assert await drain() == 0
    async with scope(shop.workspace_id) as session:
        assert [e.event_id for e in await service.set_aside(session)] == [event["webhookEventId"]]
        await service.run_again(session, channel.id, event["webhookEventId"])
    assert await drain() == 1
    assert [e.kind for e in await person.timeline()] == ["follow"]
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Conflict):
            await service.run_again(session, channel.id, event["webhookEventId"])


async def test_who_sent_what_was_set_aside(channel: Channel, shop: Shop) -> None:
    known, stranger = Person(channel), Person(channel)
    await known.follow()
    for person in (stranger, known, known):
        await put_aside(person)
    await deliver(channel, *samples.FROM_ELSEWHERE)
    async with scope(shop.workspace_id) as session:
        aside = await service.set_aside(session, limit=2)
        assert [event.source_id for event in aside] == [stranger.user_id, known.user_id]
        assert await service.set_aside_count(session) == 3
        everything = (await service.list_events(session)).events
        found = await service.senders(session, everything)
        assert {source: contact.id for source, contact in found.items()} == {
            (channel.id, known.user_id): known.contact_id
        }


async def test_dismiss(channel: Channel, shop: Shop) -> None:
    person = Person(channel)
    event = await put_aside(person)
    async with scope(shop.workspace_id) as session:
        await service.dismiss(session, channel.id, event["webhookEventId"])
    assert await drain() == 0
    assert await person.timeline() == []
    assert await deliver(channel, event) == 0


async def test_the_wall(channel: Channel, other_shop: Shop) -> None:
    event = await put_aside(Person(channel))
    async with scope(other_shop.workspace_id) as session:
        for act in (service.run_again, service.dismiss):
            with pytest.raises(NotFound):
                await act(session, channel.id, event["webhookEventId"])
        assert await service.set_aside(session) == []
        assert (await service.list_events(session)).events == []
        assert sum((await service.per_day(session, "Asia/Tokyo")).values()) == 0


async def test_pages_and_filters(channel: Channel, shop: Shop) -> None:
    person = Person(channel)
    await deliver(channel, *(person.event("unfollow") for _ in range(60)))
    await deliver(channel, person.event("follow", follow={}))
    await put_aside(Person(channel))
    async with scope(shop.workspace_id) as session:
        first = await service.list_events(session)
        second = await service.list_events(session, after=first.next or "")
        assert (len(first.events), len(second.events), second.next) == (50, 12, None)
        assert len({e.event_id for e in first.events + second.events}) == 62
        assert [e.kind for e in (await service.list_events(session, kind="follow")).events] == [
            "follow"
        ] * 2
        assert len((await service.list_events(session, status="set_aside")).events) == 1
        assert list(await service.kinds(session)) == ["follow", "unfollow"]
        assert await service.waiting_count(session) == 61
        days = await service.per_day(session, "Asia/Tokyo")
        assert list(days.values())[-1] == 62
        assert len(days) == 14
        for bad in ({"status": "what"}, {"after": "x"}, {"after": "2026-01-01~x"}):
            with pytest.raises(Invalid):
                await service.list_events(session, **bad)
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(WebhookEvent.kind).limit(1))


async def test_old_events_are_forgotten(channel: Channel, shop: Shop) -> None:
    people = [Person(channel) for _ in range(4)]
    for person in people:
        await deliver(channel, person.event("unfollow"))
    for person, state, days in zip(
        people, ("handled", "handled", "waiting", "set_aside"), (31, 29, 31, 31), strict=True
    ):
        async with scope(shop.workspace_id) as session:
            await session.execute(
                update(WebhookEvent)
                .where(WebhookEvent.source_id == person.user_id)
                .values(state=state, received_at=now() - timedelta(days=days))
            )
    await forget_old_events(0)
    async with scope(shop.workspace_id) as session:
        left = set(await session.scalars(select(WebhookEvent.source_id)))
    assert left == {person.user_id for person in people[1:]}
