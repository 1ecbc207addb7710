"""Workers that are killed with -9 in the middle: nothing is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from sqlalchemy import func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.actions.models import Rule
from hiiki.delivery.models import Parcel
from hiiki.ingest.models import WebhookEvent
from ingest.line_side import Person, deliver, make_channel, until
from stack import Running, run

PEOPLE = 40
EVENTS = 12


@pytest.mark.slow
async def test_killed_again_and_again(shop: Shop, database: str, tmp_path: Path) -> None:
    channel = await make_channel(shop.workspace_id)
    async with scope(shop.workspace_id) as session:
        draft = {"blocks": [{"kind": "text", "text": "はい"}]}
        action = {"kind": "send", "draft": draft}
        session.add(Rule(name="返事", event_kind="message", actions=[action]))
    people = [Person(channel) for _ in range(PEOPLE)]
    for person in people:
        await deliver(channel, person.event("follow", follow={"isUnblocked": False}))
    for place in range(EVENTS):
        message = {"type": "text", "id": str(place), "text": str(place)}
        await deliver(channel, *(person.event("message", message=message) for person in people))
    env = {
        "HIIKI_DATABASE_URL": database,
        "HIIKI_DATA_DIR": os.environ["HIIKI_DATA_DIR"],
        "HIIKI_LINE_API": "http://127.0.0.1:1",  # nobody: what is said waits in its parcels
    }

    async def left() -> int:
        async with scope(shop.workspace_id) as session:
            query = select(func.count()).where(WebhookEvent.state == "waiting")
            return await session.scalar(query) or 0

    dice = random.Random(11)
    kills = 0
    while remaining := await left():
        worker = run(tmp_path / "worker.log", "hiiki", "worker", env=env)

        async def has_begun(before: int = remaining, worker: Running = worker) -> bool:
            return await left() < before or worker.process.poll() is not None

        async def is_done() -> bool:
            return not await left()

        try:
            # Let it get to work, then cut it off somewhere in the middle.
            await until(has_begun, 60)
            if kills < 3:
                await asyncio.sleep(dice.random() * 0.15)
                kills += 1
            else:
                await until(is_done, 60)
        finally:
            worker.kill()
    assert kills == 3, (tmp_path / "worker.log").read_text()[-2000:]
    for person in people:
        said = [event.data["text"] for event in await person.timeline("message")]
        assert said == [str(place) for place in range(EVENTS)]
        assert len(await person.timeline("follow")) == 1
    async with scope(shop.workspace_id) as session:
        parcels = await session.scalar(select(func.count()).select_from(Parcel))
        states = set(await session.scalars(select(WebhookEvent.state)))
    assert parcels == PEOPLE * EVENTS
    assert states == {"handled"}
