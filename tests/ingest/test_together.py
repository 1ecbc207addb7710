"""Events of many people in one transaction: the same comes of it as one by one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.actions.context import Context
from hiiki.actions.models import Rule
from hiiki.ingest.models import WebhookEvent
from hiiki.ingest.queue import waiting
from hiiki.ingest.together import handle_together
from hiiki.kit.road import Reaction, road
from hiiki.workspace.models import Channel
from ingest.line_side import Person, deliver, drain, make_channel


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


def text(person: Person, words: str) -> dict[str, Any]:
    return person.event("message", message={"type": "text", "id": "1", "text": words})


async def heads() -> list[Any]:
    due, _ = await waiting([])
    return [events[0] for events in due]


async def summary(person: Person) -> tuple[list[str], list[str]]:
    heard = [str(message.get("text")) for message in await person.hears()]
    return [event.kind for event in await person.timeline()], heard


async def test_the_same_comes_of_it(channel: Channel, shop: Shop) -> None:
    """Half of the people are handled one by one, half together; nobody can tell who was which."""
    async with scope(shop.workspace_id) as session:
        for kind, words in (("follow", "ようこそ"), ("message", "はい")):
            draft = {"blocks": [{"kind": "text", "text": words}]}
            session.add(
                Rule(name=kind, event_kind=kind, actions=[{"kind": "send", "draft": draft}])
            )
    alone, together = ([Person(channel) for _ in range(6)] for _ in range(2))
    for group in (alone, together):
        for story in ("follow", "message", "unfollow"):
            await deliver(
                channel,
                *(
                    text(one, "こんにちは")
                    if story == "message"
                    else one.event(story, follow={"isUnblocked": False})
                    for one in group
                ),
            )
        if group is alone:
            await drain()
        else:
            for _ in range(3):
                assert all(await handle_together(await heads()))
    told = (["follow", "message", "unfollow"], ["ようこそ", "はい"])
    assert [await summary(one) for one in (*alone, *together)] == [told] * 12


async def test_all_or_none(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [Person(channel) for _ in range(5)]
    await deliver(channel, *(text(one, "boom" if place == 3 else "hi")
                             for place, one in enumerate(people)))  # fmt: skip
    close = Context.close

    async def fails_for_one(self: Context) -> None:
        if self.contact_id == people[3].contact_id:
            raise RuntimeError("a fault")
        await close(self)

    monkeypatch.setattr(Context, "close", fails_for_one)
    with pytest.raises(RuntimeError):
        await handle_together(await heads())
    assert [await one.timeline() for one in people] == [[]] * 5
    monkeypatch.undo()
    assert await handle_together(await heads()) == [True] * 5


async def test_each_event_is_handled_by_one_worker_and_in_turn(channel: Channel) -> None:
    people = [Person(channel) for _ in range(20)]
    for _ in range(3):
        await deliver(channel, *(text(one, "hi") for one in people))
    due, _ = await waiting([])
    seconds = [events[1] for events in due]
    assert await handle_together(seconds) == [False] * 20, "the first ones still wait"
    firsts = [events[0] for events in due]
    one, two = await asyncio.gather(handle_together(firsts), handle_together(firsts))
    assert [a + b for a, b in zip(one, two, strict=True)] == [1] * 20
    await drain()
    assert [len(await person.timeline()) for person in people] == [3] * 20


async def test_a_reaction_is_asked_once_whom_it_concerns(channel: Channel) -> None:
    people = [Person(channel) for _ in range(10)]
    await deliver(channel, *(text(one, "hi") for one in people))
    await drain()
    asked: list[int] = []
    heard: list[Any] = []

    async def concerns(_session: Any, contact_ids: Any) -> set[Any]:
        asked.append(len(contact_ids))
        return {people[0].contact_id, people[7].contact_id}

    async def hear(context: Any, _event: Any) -> None:
        heard.append(context.contact_id)

    reactions = road().reactions.setdefault("message", [])
    reactions.append(Reaction("message", hear, concerns=concerns))
    try:
        await deliver(channel, *(text(one, "hi") for one in people))
        assert all(await handle_together(await heads()))
    finally:
        reactions.pop()
    assert asked == [10]
    assert set(heard) == {people[0].contact_id, people[7].contact_id}


async def test_groups_beside_friends(channel: Channel, shop: Shop) -> None:
    person = Person(channel)
    elsewhere = text(person, "hi") | {
        "source": {"type": "group", "groupId": "C" + "1" * 32, "userId": person.user_id}
    }
    await deliver(channel, elsewhere, text(person, "hi"))
    assert await handle_together(await heads()) == [True, True]
    assert len(await person.timeline()) == 1
    async with scope(shop.workspace_id) as session:
        assert set(await session.scalars(select(WebhookEvent.state))) == {"handled"}
