"""Events of many people in one transaction: the same comes of it as one by one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pydantic import BaseModel
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.actions.context import Context, MustUndo
from hiiki.actions.models import Rule
from hiiki.contacts.models import Tag
from hiiki.ingest import crew as crew_module
from hiiki.ingest.crew import Crew
from hiiki.ingest.handle import handle_together
from hiiki.ingest.models import WebhookEvent
from hiiki.ingest.queue import waiting
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import Text
from hiiki.kit.road import ActionKind, Reaction, road
from hiiki.workspace.models import Channel
from ingest.line_side import Person, deliver, drain, make_channel, until


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


def text(person: Person, words: str) -> dict[str, Any]:
    return person.event("message", message={"type": "text", "id": "1", "text": words})


async def heads() -> list[Any]:
    due, _resting = await waiting([])
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
    due, _resting = await waiting([])
    seconds = [events[1] for events in due]
    assert await handle_together(seconds) == [False] * 20, "the first ones still wait"
    firsts = [events[0] for events in due]
    one, two = await asyncio.gather(handle_together(firsts), handle_together(firsts))
    assert [a + b for a, b in zip(one, two, strict=True)] == [1] * 20
    await drain()
    assert [len(await person.timeline()) for person in people] == [3] * 20


@pytest.mark.parametrize("failed_before", [False, True])
async def test_while_the_database_is_away_nobody_tries_the_others_one_by_one(
    channel: Channel, shop: Shop, monkeypatch: pytest.MonkeyPatch, failed_before: bool
) -> None:
    """Each would wait for a connection of its own, and the end of the worker for them all."""
    await deliver(channel, *(text(Person(channel), "hi") for _ in range(10)))
    if failed_before:
        async with scope(shop.workspace_id) as session:
            await session.execute(update(WebhookEvent).values(attempts=1))
    away = OperationalError("select 1", {}, psycopg.OperationalError("no route to host"))
    tried: list[str] = []

    async def together(_events: Any) -> list[bool]:
        tried.append("together")
        raise away

    async def alone(_event: Any) -> bool:
        tried.append("alone")
        raise away

    async def tried_one() -> bool:
        return bool(tried)

    monkeypatch.setattr(crew_module, "handle_together", together)
    monkeypatch.setattr(crew_module, "handle", alone)
    monkeypatch.setattr(crew_module, "PARALLEL", 1)
    monkeypatch.setattr(crew_module, "RECOVER_SECONDS", 3600.0)
    stop = asyncio.Event()
    crew = asyncio.create_task(Crew(stop).run())
    await until(tried_one)
    stop.set()
    await crew
    assert tried == ["alone" if failed_before else "together"]
    async with scope(shop.workspace_id) as session:
        attempts = set(await session.scalars(select(WebhookEvent.attempts)))
    assert attempts == {int(failed_before)}, "no fault of theirs"


class _Nothing(BaseModel):
    """An action without parameters."""


@pytest.fixture
def refuses() -> Iterator[list[str]]:
    """Two actions that refuse: one at once, one when it has written something."""
    ran: list[str] = []

    async def at_once(_context: Any, _params: Any) -> None:
        ran.append("at once")
        raise Conflict(Text("Sold out."))

    async def late(context: Any, _params: Any) -> None:
        ran.append("late")
        context.say([{"type": "text", "text": "たった今の言葉"}])
        context.session.add(Tag(name=f"半分 {context.contact_id}"))
        raise Conflict(Text("Sold out."))

    kinds = road().actions
    for name, run in (("at_once", at_once), ("late", late)):
        kinds[name] = ActionKind(name, Text("Broken"), "x", _Nothing, run)
    yield ran
    del kinds["at_once"], kinds["late"]


def say(words: str) -> dict[str, Any]:
    return {"kind": "send", "draft": {"blocks": [{"kind": "text", "text": words}]}}


async def test_a_refusal_leaves_the_others(
    channel: Channel, shop: Shop, refuses: list[str]
) -> None:
    """One that has written nothing costs nothing; one that has is begun anew with savepoints."""
    async with scope(shop.workspace_id) as session:
        for kind, broken in (("follow", "at_once"), ("message", "late")):
            actions = [say("一"), {"kind": broken}, say("二")]
            session.add(Rule(name=kind, event_kind=kind, actions=actions))
    people = [Person(channel) for _ in range(4)]
    await deliver(channel, *(one.event("follow") for one in people))
    assert all(await handle_together(await heads()))
    await deliver(channel, *(text(one, "hi") for one in people[:2]))
    with pytest.raises(MustUndo):
        await handle_together(await heads())
    assert [await one.timeline("message") for one in people] == [[]] * 4

    async def all_handled() -> bool:
        return not await heads()

    stop = asyncio.Event()
    crew = asyncio.create_task(Crew(stop).run())
    await until(all_handled)
    stop.set()
    await crew
    greeted = (["follow", "action_failed"], ["一", "二"])
    told = (["follow", "action_failed", "message", "action_failed"], ["一", "二"] * 2)
    assert [await summary(one) for one in people] == [told] * 2 + [greeted] * 2
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Tag)) == 0
    # Tried for the first of two together, by the test and by the crew; then once for each.
    assert Counter(refuses) == {"at once": 4, "late": 4}


async def test_what_a_reaction_asks_is_asked_once_for_all(channel: Channel) -> None:
    people = [Person(channel) for _ in range(10)]
    asked: list[int] = []
    heard: dict[Any, Any] = {}

    async def ask(contact_ids: Any) -> dict[Any, int]:
        asked.append(len(contact_ids))
        return {ident: place for place, ident in enumerate(contact_ids)}

    async def hear(context: Any, _event: Any) -> None:
        heard[context.contact_id] = await context.session.ahead("x", context.contact_id, ask)

    reactions = road().reactions.setdefault("message", [])
    reactions.append(Reaction("message", hear))
    try:
        await deliver(channel, *(text(one, "hi") for one in people))
        assert all(await handle_together(await heads()))
    finally:
        reactions.pop()
    assert asked == [10]
    assert set(heard) == {one.contact_id for one in people}
    assert sorted(heard.values()) == list(range(10))


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
