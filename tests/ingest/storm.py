"""A storm: people write to a shop through an emulated LINE that delivers again what fails.

LINE is the judge. What its people did stands in its journal, what they were told on their
phones; each event of the one must be on a timeline once, each answer on a phone once.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from conftest import Shop
from forked import Forked
from hiiki.db import scope
from hiiki.ingest.models import WebhookEvent
from hiiki.kit.ids import contact_id, uuid7
from hiiki.timeline import Event
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal
from ingest.line_side import PROVIDER, make_channel, until
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator
from line_emulator.lanes import Lane
from stack import answers, free_port

AGAIN = [0.05, 0.1, 0.2, *[0.3] * 400]
"""Seconds until LINE delivers again; so often that it never gives up while a test runs."""
ON_THE_WAY_AT_MOST = 60
"""Events: nobody writes more until some of them have been taken."""


@dataclass
class Storm:
    """A channel on both sides, and its people on LINE's."""

    line: Emulator
    control: EmulatorClient
    channel: Channel
    users: list[str]
    port: int
    said: Counter[str] = field(default_factory=Counter[str])
    """How many numbered messages each person has sent."""

    @property
    def lane(self) -> Lane:
        """What LINE posts to this channel, and how that went."""
        platform = self.line.platform
        return platform.webhooks.lane(platform.channels[self.channel.line_channel_id])

    def web(self, folder: Path, **environment: str) -> Forked:
        """The web server that LINE posts to; not yet started."""
        return self._forked(folder, environment, "web", "--port", str(self.port))

    def worker(self, folder: Path, **environment: str) -> Forked:
        """A worker; not yet started."""
        return self._forked(folder, environment, "worker")

    def _forked(self, folder: Path, environment: dict[str, str], *command: str) -> Forked:
        log = folder / f"{command[0]}.log"
        given = {"HIIKI_LINE_API": self.line.url, "HIIKI_DATABASE_POOL": "5", **environment}
        return Forked(log, given, *command)

    async def is_up(self) -> None:
        """Wait until the web server answers."""
        url = f"http://127.0.0.1:{self.port}/healthz"
        await until(lambda: asyncio.to_thread(answers, url), 60)

    async def write(self, users: Sequence[str]) -> None:
        """Let each of these people send a message: their first is "0", the next "1", …"""
        acts: list[dict[str, Any]] = []
        for user in users:
            acts.append(self.act(user, "message", text=str(self.said[user])))
            self.said[user] += 1
        await self.do(acts)

    def act(self, user: str, kind: str, **more: Any) -> dict[str, Any]:
        """Return something that a person does on this channel."""
        return {"user": user, "channel": self.channel.line_channel_id, "type": kind, **more}

    async def do(self, acts: Sequence[dict[str, Any]]) -> None:
        """Let it be done."""
        assert all(done["ok"] for done in await self.control.acts(acts))

    @asynccontextmanager
    async def blowing(self, dice: random.Random) -> AsyncIterator[None]:
        """Let people write, ten at a time, for as long as the block."""

        async def blow() -> None:
            while True:
                if self.lane.pending < ON_THE_WAY_AT_MOST:
                    await self.write(dice.sample(self.users, 10))
                await asyncio.sleep(0.02)

        task = asyncio.create_task(blow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def taken(self, more: int) -> None:
        """Wait until so many more events than now have been answered 200."""
        goal = self.lane.stats.ok + more

        async def reached() -> bool:
            return self.lane.stats.ok >= goal

        await until(reached, 60)

    def on_post(self, number: int, call: Callable[[], object], seconds: float) -> None:
        """Call something so many seconds after LINE has begun its `number`th post from now on."""
        poster = self.line.platform.webhooks
        post = poster.post_once
        left = number

        async def counted(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                asyncio.get_running_loop().call_later(seconds, call)
                poster.post_once = post
            return await post(*given, **more)

        poster.post_once = counted

    async def all_delivered(self) -> None:
        """Wait until LINE has a 200 for everything; it must not have given up on anything."""
        await self.control.wait_webhooks_done(90)
        assert self.lane.stats.failed == 0
        assert self.line.platform.own_errors == 0

    async def none_waits(self) -> None:
        """Wait until everything that was stored has been handled."""

        async def handled() -> bool:
            async with scope(self.channel.workspace_id) as session:
                query = select(func.count()).where(WebhookEvent.state == "waiting")
                return not await session.scalar(query)

        await until(handled, 90)

    def journal(self) -> list[dict[str, Any]]:
        """Every event that LINE made, in its order."""
        return list(self.lane.channel.recent_events)

    async def each_event_once(self) -> None:
        """Compare what LINE made with what is stored and what stands on the timelines."""
        journal = self.journal()
        async with scope(self.channel.workspace_id) as session:
            stored = Counter(await session.scalars(select(WebhookEvent.event_id)))
            states = set(await session.scalars(select(WebhookEvent.state).distinct()))
            told = await session.execute(
                select(Event.contact_id, Event.data["message_id"].astext)
                .where(Event.kind == "message")
                .order_by(Event.id)
            )
            on_timelines = Counter((row[0], row[1]) for row in told)
        assert stored == Counter(event["webhookEventId"] for event in journal)
        assert states == {"handled"}
        assert on_timelines == Counter(
            (self.contact(event["source"]["userId"]), event["message"]["id"])
            for event in journal
            if event["type"] == "message"
        )

    def contact(self, user: str) -> UUID:
        """The id under which Hiiki knows somebody."""
        return contact_id(self.channel.workspace_id, PROVIDER, user)

    async def texts_on_timelines(self) -> dict[str, list[str]]:
        """What each person wrote, in the order in which it was handled."""
        async with scope(self.channel.workspace_id) as session:
            found = await session.execute(
                select(Event.contact_id, Event.data["text"].astext)
                .where(Event.kind == "message")
                .order_by(Event.id)
            )
            rows = found.all()
        return {
            user: [words for who, words in rows if who == self.contact(user)] for user in self.users
        }

    async def heard(self, user: str) -> list[str]:
        """The words of everything that arrived on somebody's phone."""
        messages = await self.control.received(user, self.channel.line_channel_id)
        return [one.get("text") or one["template"]["text"] for one in messages]


async def brew(shop: Shop, line: Emulator, control: EmulatorClient, people: int) -> Storm:
    """Make the channel; its people are friends already when the storm begins."""
    made = await control.create_channel(unlimited=True)
    ident, port = uuid7(), free_port()
    channel = await make_channel(
        shop.workspace_id,
        id=ident,
        line_channel_id=made["channel_id"],
        sealed_secret=seal(made["channel_secret"], ident, "secret"),
        sealed_token=seal(made["access_token"], ident, "token"),
    )
    await control.update_channel(
        made["channel_id"],
        webhook_url=f"http://127.0.0.1:{port}/webhook/{channel.webhook_key}",
        use_webhook=True,
        webhook={"redelivery": True, "redelivery_delays": AGAIN},
    )
    users = await control.create_users(people)
    return Storm(line, control, channel, [user["id"] for user in users], port)


def environment_of(database: str) -> dict[str, str]:
    """What a process needs to know to use a database that is not this run's."""
    return {"HIIKI_DATABASE_URL": database, "HIIKI_DATA_DIR": os.environ["HIIKI_DATA_DIR"]}
