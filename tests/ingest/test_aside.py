"""What cannot be handled: tried again, set aside, seen by staff, and run again by them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from console import Console, console
from hiiki.ingest import service
from hiiki.ingest.crew import Crew
from hiiki.ingest.models import WebhookEvent
from hiiki.kit.road import Reaction, road
from hiiki.workspace.models import AuditEntry, Channel
from ingest.line_side import Person, deliver, make_channel, until


class Fault:
    """A room that cannot cope with a certain text, until it is mended."""

    def __init__(self) -> None:
        self.is_mended = False
        self.heard: list[str] = []

    async def hear(self, _context: Any, event: Any) -> None:
        """What the room does with a message."""
        said = event.data.get("text", "")
        self.heard.append(said)
        if said == "boom" and not self.is_mended:
            raise RuntimeError("the room cannot cope")


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


@pytest.fixture
async def fault(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fault]:
    monkeypatch.setattr("hiiki.ingest.queue.RETRY_AFTER", (0.02, 0.02, 0.02, 0.02))
    made = Fault()
    reactions = road().reactions.setdefault("message", [])
    reactions.append(Reaction("message", made.hear))
    yield made
    reactions.pop()


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


async def handle_what_waits(shop: Shop) -> None:
    stop = asyncio.Event()
    crew = asyncio.create_task(Crew(stop).run())

    async def nothing_waits() -> bool:
        async with scope(shop.workspace_id) as session:
            query = select(func.count()).where(WebhookEvent.state == "waiting")
            return not await session.scalar(query)

    try:
        await until(nothing_waits)
    finally:
        stop.set()
        await crew


def says(person: Person, text: str) -> dict[str, Any]:
    return person.event("message", message={"type": "text", "id": text, "text": text})


async def set_aside_beside(person: Person, shop: Shop) -> str:
    """Let `boom` fail and what was written after it go on; returns the id of `boom`."""
    boom = says(person, "boom")
    await deliver(person.channel, boom, says(person, "one"), says(person, "two"))
    await handle_what_waits(shop)
    return str(boom["webhookEventId"])


async def test_later_events_wait_until_it_is_set_aside(
    shop: Shop, channel: Channel, fault: Fault
) -> None:
    person = Person(channel)
    await set_aside_beside(person, shop)
    # Five tries of its own; a worker may have begun with others' events beside it first.
    *tries, one, two = fault.heard
    assert (one, two) == ("one", "two")
    assert tries == ["boom"] * len(tries)
    assert len(tries) >= 5
    assert [event.data["text"] for event in await person.timeline()] == ["one", "two"]


async def test_staff_see_it_and_run_it_again(
    shop: Shop, channel: Channel, fault: Fault, app: Console
) -> None:
    person = Person(channel)
    event_id = await set_aside_beside(person, shop)
    operator, viewer = await app.person(shop, "operator"), await app.person(shop, "viewer")
    run = f"/settings/webhooks/{channel.id}/{event_id}/run"
    seen = await operator.get("/settings/webhooks")
    assert "RuntimeError: the room cannot cope" in seen.text
    assert run in seen.text
    assert f"/friends/{person.contact_id}" in seen.text, "whose it is"
    assert "RuntimeError" in (looked := await viewer.get("/settings/webhooks")).text
    assert run not in looked.text

    # The cause is still there: it comes back to them.
    assert (await operator.form(run)).status_code in (302, 303)
    await handle_what_waits(shop)
    assert run in (await operator.get("/settings/webhooks")).text
    assert len(await person.timeline()) == 2

    fault.is_mended = True
    assert (await operator.form(run)).status_code in (302, 303)
    await handle_what_waits(shop)
    assert run not in (await operator.get("/settings/webhooks")).text
    late = (await person.timeline())[-1]
    assert late.data["text"] == "boom"
    assert late.at == min(event.at for event in await person.timeline()), "when it was written"
    assert (await operator.form(run)).status_code == 409
    async with scope(shop.workspace_id) as session:
        noted = await session.scalars(select(AuditEntry.action))
        assert list(noted) == ["webhooks.run_again"] * 2


async def test_programs_see_it_run_it_again_or_leave_it(
    shop: Shop, channel: Channel, fault: Fault, app: Console
) -> None:
    person, other = Person(channel), Person(channel)
    event_id, left = await set_aside_beside(person, shop), await set_aside_beside(other, shop)
    program = await app.program(shop)
    listed = (await program.get("/api/v1/webhook-events", params={"status": "set_aside"})).json()
    assert {one["event_id"]: one["attempts"] for one in listed["items"]} == {event_id: 5, left: 5}
    url = f"/api/v1/webhook-events/{channel.id}"
    fault.is_mended = True
    assert (await program.post(f"{url}/{event_id}/run")).json()["state"] == "waiting"
    assert (await program.post(f"{url}/{left}/dismiss")).json()["state"] == "dismissed"
    await handle_what_waits(shop)
    assert (await program.get(f"{url}/{event_id}")).json()["state"] == "handled"
    assert len(await person.timeline()) == 3
    assert len(await other.timeline()) == 2
    for path in (f"{url}/{event_id}/run", f"{url}/{left}/run", f"{url}/{left}/dismiss"):
        assert (await program.post(path)).status_code == 409


async def test_what_was_taken_back_does_not_come_back(
    shop: Shop, channel: Channel, fault: Fault
) -> None:
    """A message is set aside, then unsent, then run again: it stays unsent."""
    person = Person(channel)
    boom = await set_aside_beside(person, shop)
    await deliver(channel, person.event("unsend", unsend={"messageId": "boom"}))
    await handle_what_waits(shop)
    async with scope(shop.workspace_id) as session:
        event = await session.one(WebhookEvent, (channel.id, boom))
        assert event.payload["message"] == {"id": "boom", "type": "text", "unsent": True}
        await service.run_again(session, channel.id, boom)
    fault.is_mended = True
    await handle_what_waits(shop)
    [*_said, late] = await person.timeline("message")
    assert late.data == {"type": "text", "message_id": "boom", "unsent": True}
