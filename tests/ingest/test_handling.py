"""From stored events to the timeline: once, in order, whatever happens in between."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, make_shop, scope
from hiiki.actions.models import Rule
from hiiki.contacts.erasure import erase
from hiiki.contacts.models import Contact, Friendship
from hiiki.delivery.models import Parcel
from hiiki.ingest import handle as handling
from hiiki.ingest.crew import Crew
from hiiki.ingest.handle import handle
from hiiki.ingest.models import WebhookEvent
from hiiki.ingest.queue import failed, waiting
from hiiki.kit.clock import now
from hiiki.kit.road import Reaction, road
from hiiki.timeline import Event
from hiiki.workspace.models import Channel
from ingest import samples
from ingest.line_side import Person, deliver, drain, make_channel, texts, until

LINE_OPENAPI = Path(__file__).parents[3] / "shared" / "line-openapi" / "webhook.yml"


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


async def states(channel: Channel) -> list[str]:
    async with scope(channel.workspace_id) as session:
        return list(await session.scalars(select(WebhookEvent.state).order_by(WebhookEvent.serial)))


async def run_crews(count: int, check: Any, seconds: float = 30) -> None:
    """Let so many workers' crews run side by side until `check()` holds."""
    stop = asyncio.Event()
    crews = [asyncio.create_task(Crew(stop).run()) for _ in range(count)]
    try:
        await until(check, seconds)
    finally:
        stop.set()
        await asyncio.gather(*crews)


async def nothing_waits(workspace_id: Any) -> bool:
    async with scope(workspace_id) as session:
        found = await session.scalar(select(func.count()).where(WebhookEvent.state == "waiting"))
        return found == 0


async def test_every_event_line_documents(channel: Channel) -> None:
    await deliver(channel, *samples.ALL)
    await drain()
    assert set(await states(channel)) == {"handled"}
    async with scope(channel.workspace_id) as session:
        [contact] = await session.scalars(select(Contact))
        [friendship] = await session.scalars(select(Friendship))
        events = list(await session.scalars(select(Event).order_by(Event.at)))
    assert friendship.line_user_id == samples.USER
    assert friendship.status == "blocked"
    assert {event.contact_id for event in events} == {contact.id}
    assert [event.kind for event in events] == [
        *["message"] * 7, "unsend", "follow", "unfollow", "postback", "postback",
        "video_play_complete", "beacon", "account_link", *["membership"] * 3,
    ]  # fmt: skip
    assert [e.data["type"] for e in events[:7]] == [
        "text", "image", "video", "audio", "file", "location", "sticker",
    ]  # fmt: skip
    assert "text" not in events[0].data  # it was unsent
    assert events[5].data["latitude"] == 35.67966
    assert events[10].data == {"data": "storeId=12345", "params": {"datetime": "2017-12-25T01:00"}}


def test_the_samples_are_all_that_line_has() -> None:
    if not LINE_OPENAPI.exists():
        pytest.skip("LINE's OpenAPI description is not on this machine")
    text = LINE_OPENAPI.read_text()
    mapping = text.split("mapping:", 1)[1].split("EventMode:", 1)[0]
    kinds = {line.split(":")[0].strip() for line in mapping.splitlines() if '"#/' in line}
    assert kinds <= {event["type"] for event in samples.ALL}
    assert len(kinds) == 19


async def test_groups_and_rooms_make_no_contacts(channel: Channel) -> None:
    await deliver(channel, *samples.FROM_ELSEWHERE)
    await drain()
    assert set(await states(channel)) == {"handled"}
    async with scope(channel.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Contact)) == 0
        assert await session.scalar(select(func.count()).select_from(Event)) == 0


async def test_handled_once(channel: Channel) -> None:
    person = Person(channel)
    event = person.event("follow", follow={"isUnblocked": False})
    assert await deliver(channel, event) == 1
    [[seen]], _ = await waiting([])
    assert await handle(seen)
    assert not await handle(seen)
    assert await deliver(channel, event) == 0
    assert await drain() == 0
    assert len(await person.timeline()) == 1


async def test_standby_says_nothing(channel: Channel, shop: Shop) -> None:
    await greeting(shop)
    person = Person(channel)
    assert await person.does("follow", follow={"isUnblocked": False}, mode="standby") == []
    assert [event.kind for event in await person.timeline()] == ["follow"]
    assert texts(await person.follow()) == ["ようこそ"]


async def greeting(shop: Shop, **more: Any) -> None:
    async with scope(shop.workspace_id) as session:
        draft = {"blocks": [{"kind": "text", "text": "ようこそ"}]}
        session.add(
            Rule(
                name="あいさつ",
                event_kind="follow",
                actions=[{"kind": "send", "draft": draft}],
                **more,
            )
        )


async def test_the_reply_token_is_used_while_it_is_good(channel: Channel, shop: Shop) -> None:
    await greeting(shop)
    fresh, old, redelivered, stale = (Person(channel) for _ in range(4))

    async def follows(person: Person, seconds_ago: float, redelivery: bool) -> Parcel:
        at = now() - timedelta(seconds=seconds_ago)
        await person.does(
            "follow",
            timestamp=int(at.timestamp() * 1000),
            deliveryContext={"isRedelivery": redelivery},
        )
        async with scope(shop.workspace_id) as session:
            [found] = await session.scalars(
                select(Parcel).where(Parcel.contact_ids.contains([person.contact_id]))
            )
            return found

    assert (await follows(fresh, 2, False)).method == "reply"
    assert (await follows(old, 70, False)).method == "push"
    assert (await follows(redelivered, 300, True)).method == "reply"
    assert (await follows(stale, 1300, True)).method == "push"


async def test_a_message_taken_back(channel: Channel) -> None:
    person = Person(channel)
    message = {"id": "42", "type": "text", "text": "ひみつ"}
    await person.does("message", message=message)
    await person.does("message", message=message | {"id": "43", "text": "のこる"})
    await person.does("unsend", unsend={"messageId": "42"})
    [gone, left, _unsend] = await person.timeline()
    assert "text" not in gone.data
    assert left.data["text"] == "のこる"
    async with scope(channel.workspace_id) as session:
        payloads = [e.payload for e in await session.scalars(select(WebhookEvent))]
    assert "ひみつ" not in str(payloads)
    assert "のこる" in str(payloads)


async def test_taken_back_before_it_arrived(channel: Channel) -> None:
    """Our server was away for the message, not for its unsend; then LINE redelivers."""
    person = Person(channel)
    await person.does("unsend", unsend={"messageId": "42"})
    await person.does(
        "message",
        message={"id": "42", "type": "text", "text": "ひみつ"},
        deliveryContext={"isRedelivery": True},
    )
    [_unsend, late] = await person.timeline()
    assert late.kind == "message"
    assert "text" not in late.data


@given(order=st.permutations(range(8)), cuts=st.lists(st.integers(1, 8), max_size=4))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_the_order_of_happening_counts(
    db: str, order: Sequence[int], cuts: Sequence[int]
) -> None:
    """However LINE shuffles events among its posts: what waits is handled in order."""
    shop = await make_shop()
    channel = await make_channel(shop.workspace_id)
    people = [Person(channel), Person(channel)]
    events = [
        (
            person.event("message", message={"type": "text", "id": f"{place}", "text": str(place)})
            | {"timestamp": 1_700_000_000_000 + place // 2}
        )
        for place in range(8)
        for person in people
    ]
    shuffled = [events[2 * place + who] for place in order for who in (0, 1)]
    edges = sorted({0, len(shuffled), *(cut * 2 for cut in cuts)})
    for begin, end in itertools.pairwise(edges):
        await deliver(channel, *shuffled[begin:end])
    await asyncio.gather(drain(), drain())
    await drain()
    for person in people:
        said = [int(event.data["text"]) for event in await person.timeline("message")]
        # Two share each millisecond: between them, the order of arrival.
        expected = sorted(range(8), key=lambda place: (place // 2, order.index(place)))
        assert said == expected


async def test_two_workers_share_a_storm(channel: Channel, shop: Shop) -> None:
    """Two workers, duplicates everywhere: each event once, each person in order."""
    inside: dict[Any, int] = {}
    overlaps: list[Any] = []

    async def watch(context: Any, event: Any) -> None:
        inside[event.contact_id] = inside.get(event.contact_id, 0) + 1
        if inside[event.contact_id] > 1:
            overlaps.append(event.contact_id)
        await asyncio.sleep(random.random() / 100)
        inside[event.contact_id] -= 1

    people = [Person(channel) for _ in range(12)]
    events = [
        person.event("message", message={"type": "text", "id": "1", "text": str(place)})
        | {"timestamp": 1_700_000_000_000 + place}
        for place in range(15)
        for person in people
    ]
    shuffled = events * 2
    random.Random(3).shuffle(shuffled)
    await deliver(channel, *shuffled[:200])
    reactions = road().reactions.setdefault("message", [])
    reactions.append(Reaction("message", watch))
    try:
        stop = asyncio.Event()
        crews = [asyncio.create_task(Crew(stop).run()) for _ in range(2)]
        for begin in range(200, len(shuffled), 20):
            await deliver(channel, *shuffled[begin : begin + 20])
        await until(lambda: nothing_waits(shop.workspace_id))
        stop.set()
        await asyncio.gather(*crews)
    finally:
        reactions.pop()
    assert overlaps == []
    for person in people:
        said = [event.data["text"] for event in await person.timeline("message")]
        assert sorted(said, key=int) == [str(place) for place in range(15)]


async def test_a_crew_is_woken_at_once(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the NOTIFY of the transaction that stored the event: it never polls here."""
    monkeypatch.setattr("hiiki.ingest.crew.POLL_SECONDS", 3600.0)
    stop = asyncio.Event()
    crew = asyncio.create_task(Crew(stop).run())
    await asyncio.sleep(1)  # it has looked once, and listens
    for _ in range(3):
        person = Person(channel)
        await deliver(channel, person.event("follow", follow={"isUnblocked": False}))
        await until(lambda: nothing_waits(channel.workspace_id), 20)
    stop.set()
    await crew


async def test_a_failing_event_is_retried_then_set_aside(
    channel: Channel, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It blocks its own person's later events only until then, and nobody else's at all."""
    monkeypatch.setattr("hiiki.ingest.queue.RETRY_AFTER", (0.05, 0.05, 0.05, 0.05))
    attempts: list[str] = []

    async def burst(context: Any, event: Any) -> None:
        if event.data.get("text") == "boom":
            attempts.append(event.data["text"])
            raise RuntimeError("a fault in a room, with 秘密 in it")

    unlucky, other = Person(channel), Person(channel)
    await deliver(
        channel,
        unlucky.event("message", message={"type": "text", "id": "1", "text": "boom"}),
        unlucky.event("message", message={"type": "text", "id": "2", "text": "after"}),
        other.event("message", message={"type": "text", "id": "3", "text": "hello"}),
    )
    reactions = road().reactions.setdefault("message", [])
    reactions.append(Reaction("message", burst))
    try:
        await run_crews(2, lambda: nothing_waits(shop.workspace_id))
    finally:
        reactions.pop()
    # Each of the two workers may have tried it together with the other person's event first,
    # or begin once more between a failure and its being written down; five tries count.
    assert len(attempts) in range(5, 9)
    assert await states(channel) == ["set_aside", "handled", "handled"]
    assert [e.data["text"] for e in await unlucky.timeline()] == ["after"]
    assert [e.data["text"] for e in await other.timeline()] == ["hello"]
    async with scope(shop.workspace_id) as session:
        [aside] = await session.scalars(
            select(WebhookEvent).where(WebhookEvent.state == "set_aside")
        )
        assert aside.attempts == 5
        assert aside.error is not None
        assert aside.error.startswith("RuntimeError: a fault")


async def test_a_failed_first_event_holds_back_the_next(channel: Channel) -> None:
    person = Person(channel)
    await deliver(channel, person.event("unfollow"), person.event("follow"))
    [[first, second]], _ = await waiting([])
    await failed(first, RuntimeError("no"))
    due, resting = await waiting([])
    assert due == []
    assert list(resting) == [(channel.id, person.user_id)]
    assert not await handle(second), "an earlier event of this person still waits"


async def test_a_long_line_of_a_resting_source_hides_nobody(channel: Channel) -> None:
    """One person's failed event with hundreds behind it: another's must still be found."""
    stuck, free = Person(channel), Person(channel)
    await deliver(channel, *(stuck.event("unfollow") for _ in range(300)))
    [[first, *_rest]], _ = await waiting([])
    async with scope(channel.workspace_id) as session:
        await session.execute(
            update(WebhookEvent)
            .where(WebhookEvent.event_id == first.event_id)
            .values(retry_at=now() + timedelta(hours=1))
        )
    await deliver(channel, free.event("follow", follow={"isUnblocked": False}))

    async def free_is_handled() -> bool:
        return len(await free.timeline()) == 1

    await run_crews(1, free_is_handled, seconds=10)


async def test_a_crash_before_the_commit_leaves_nothing(
    channel: Channel, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await greeting(shop)
    person = Person(channel)
    await deliver(channel, person.event("follow", follow={"isUnblocked": False}))

    async def dies(self: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(handling.Context, "close", dies)
        [[event]], _ = await waiting([])
        with pytest.raises(KeyboardInterrupt):
            await handle(event)
    assert await person.timeline() == []
    assert await states(channel) == ["waiting"]
    assert await drain() == 1
    assert texts(await person.hears()) == ["ようこそ"]


async def test_a_rule_that_is_switched_off_never_runs_again(channel: Channel, shop: Shop) -> None:
    """Rules are kept in the worker's memory; a change is seen by the very next event."""
    await greeting(shop)
    person = Person(channel)
    assert len(await person.follow()) == 1
    for is_on in (False, True, False):
        async with scope(shop.workspace_id) as session:
            [rule] = await session.scalars(select(Rule))
            rule.is_on = is_on
        assert len(await person.follow()) == is_on


async def test_what_arrives_while_its_person_is_erased_waits(channel: Channel) -> None:
    """Or it would hang on the person who comes back later, whose id is the same."""
    person = Person(channel)
    await person.types("まだいます")
    async with scope(channel.workspace_id) as session:
        await erase(session, await session.one(Contact, person.contact_id))
        message = {"type": "text", "id": "late", "text": "もういません"}
        await deliver(channel, person.event("message", message=message))
        [[late]], _ = await waiting([])
        assert not await handle(late)
    assert await person.timeline() == []
    assert await handle(late)
    async with scope(channel.workspace_id) as session:
        assert await session.get(Contact, person.contact_id)
