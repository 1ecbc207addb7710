"""Sending: pushes and multicasts through the emulated LINE, frozen, sent and recorded.

    python -m benchmarks.delivery [--friends 1000000] [--pushes 20000] [--seconds 30]

Everything runs on this machine: PostgreSQL (with fsync), the emulator and a real `hiiki
worker`, each a process of its own. In turn:

- LINE's own SDK (the asynchronous client of line-bot-sdk, as its README shows it) pushes to
  one person after the other, so many at a time as serves it best; the emulator has no limits;
- the worker sends as many personal pushes, each recorded with its `sent` event; no limits;
- the same under LINE's rate limits for so many seconds, counting the 429s;
- one message goes to 10,000, to 100,000 and to all friends; no limits.

The last line is one JSON object. `cpu_us_…` are microseconds of processor time by part;
`told_s` is how long after a send's end every recipient's timeline knew of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import uvloop
from linebot.v3.messaging import (
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    PushMessageRequest,
    TextMessage,
)

from benchmarks.processes import peak_mb, postmaster, start_line
from benchmarks.wire import cpu_of
from hiiki.db.embedded import prepare
from hiiki.db.migrate import migrate
from line_emulator.client import EmulatorClient

SDK_AT_ONCE = 16
"""Of 16, 64 and 100 requests at a time, the SDK was fastest with 16."""


@dataclass(slots=True)
class Side:
    """An emulated LINE and a channel on it that Hiiki knows."""

    process: subprocess.Popen[str]
    url: str
    channel: dict[str, Any]
    workspace_id: UUID
    channel_id: UUID
    users: list[str]


@contextmanager
def working(line_url: str, log: Path) -> Iterator[int]:
    """A real `hiiki worker`; gives its process id."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "hiiki", "worker"],
            stdout=out,
            stderr=out,
            env={**os.environ, "HIIKI_LINE_API": line_url},
        )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


async def open_side(url: str, friends: int, *, limits: bool) -> Side:
    """Start an emulator, make its people, and a workspace that knows them all."""
    process, line = start_line(limits)
    users: list[str] = []
    async with EmulatorClient(line["url"]) as control:
        while len(users) < friends:
            some = min(50_000, friends - len(users))
            users += [user["id"] for user in await control.create_users(some, state="friend")]
    channel = line["channels"][0]
    workspace_id, channel_id = await make_friends(url, channel, users)
    return Side(process, line["url"], channel, workspace_id, channel_id, users)


async def make_friends(url: str, channel: dict[str, Any], users: list[str]) -> tuple[UUID, UUID]:
    """Make a workspace, a channel and its friends; returns the ids of the first two."""
    from hiiki.db import everywhere, scope
    from hiiki.kit.clock import now
    from hiiki.kit.ids import contact_id, uuid7
    from hiiki.workspace.models import Channel, Workspace
    from hiiki.workspace.seal import seal

    ident, workspace_id = uuid7(), uuid7()
    async with everywhere() as session:  # a new workspace
        session.add(Workspace(id=workspace_id, name="Bench"))
    async with scope(workspace_id) as session:
        session.add(
            Channel(
                id=ident,
                name="Bench",
                line_channel_id=f"{channel['channel_id']}-{workspace_id}",
                provider="P",
                sealed_secret=seal(channel["channel_secret"], ident, "secret"),
                sealed_token=seal(channel["access_token"], ident, "token"),
                webhook_key=workspace_id.hex,
                quota_checked_at=now(),  # LINE says: no limit
            )
        )
    people = [contact_id(workspace_id, "P", user) for user in users]
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = connection.cursor()
        async with cursor.copy(
            "copy contacts.contact (id, workspace_id, display_name, is_purchaser, created_at,"
            " updated_at) from stdin"
        ) as copy:
            for number, person in enumerate(people):
                await copy.write_row((person, workspace_id, f"友だち{number}", False, "now", "now"))
        async with cursor.copy(
            "copy contacts.friendship (contact_id, channel_id, workspace_id, line_user_id, status)"
            " from stdin"
        ) as copy:
            for user, person in zip(users, people, strict=True):
                await copy.write_row((person, ident, workspace_id, user, "following"))
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("vacuum analyze contacts.contact, contacts.friendship")
        await connection.execute("checkpoint")
    return workspace_id, ident


async def send(side: Side, people: int, *, personal: bool) -> dict[str, float]:
    """Send to so many people; returns the seconds of freezing, of all of it, and of telling."""
    from sqlalchemy import select

    from hiiki.contacts.models import Friendship
    from hiiki.db import scope
    from hiiki.delivery.models import Parcel, Send
    from hiiki.delivery.service import start_send

    started = time.monotonic()
    async with scope(side.workspace_id) as session:
        friends = select(Friendship.contact_id).where(Friendship.workspace_id == side.workspace_id)
        made = await start_send(
            session,
            channel_id=side.channel_id,
            subject=f"broadcast:{uuid.uuid4()}",
            messages=[{"type": "text", "text": "{{ name }}さん" if personal else "こんにちは"}],
            personal=personal,
            audience=friends.order_by(Friendship.contact_id).limit(people),
        )
    frozen = time.monotonic()
    while True:
        await asyncio.sleep(0.05)
        async with scope(side.workspace_id) as session:
            stands = await session.one(Send, made.id)
        if stands.finished_at is not None:
            break
    ended = time.monotonic()
    assert stands.accepted == people, (stands.accepted, stands.refused, stands.in_doubt)
    while True:
        async with scope(side.workspace_id) as session:
            left = select(Parcel.id).where(Parcel.state == "accepted", Parcel.is_told.is_(False))
            if await session.scalar(left.limit(1)) is None:
                break
        await asyncio.sleep(0.05)
    return {
        "freeze_s": frozen - started,
        "all_s": ended - started,
        "told_s": time.monotonic() - ended,
    }


async def push_by_sdk(side: Side, pushes: int) -> dict[str, float]:
    """Push with LINE's SDK; returns pushes a second, and its processor time for each."""
    waiting = iter(side.users[:pushes])
    begun, cpu = time.monotonic(), time.process_time()
    configuration = Configuration(host=side.url, access_token=side.channel["access_token"])
    async with AsyncApiClient(configuration) as client:
        api = AsyncMessagingApi(client)

        async def push() -> None:
            for number, user in enumerate(waiting):
                message = TextMessage(text=f"友だち{number}さん", quickReply=None, quoteToken=None)
                request = PushMessageRequest(
                    to=user,
                    messages=[message],
                    notificationDisabled=False,
                    customAggregationUnits=None,
                )
                await api.push_message(request, x_line_retry_key=str(uuid.uuid4()))

        await asyncio.gather(*(push() for _ in range(SDK_AT_ONCE)))
    return {
        "per_s": pushes / (time.monotonic() - begun),
        "cpu_us": (time.process_time() - cpu) / pushes * 1e6,
    }


async def measure(arguments: argparse.Namespace, folder: Path, server: Any) -> dict[str, Any]:
    """Run everything; returns the figures."""
    import hiiki.rooms  # noqa: F401 — opens the road
    from hiiki.db.engine import dispose

    url, postgres = server.url(), postmaster(server.data)
    free = await open_side(url, arguments.friends, limits=False)
    sdk = await push_by_sdk(free, arguments.pushes)
    figures: dict[str, Any] = {}
    try:
        with working(free.url, folder / "worker.log") as worker:
            await send(free, 1_000, personal=True)  # it is up, and knows its statements

            def used() -> dict[str, float]:
                parts = {"worker": worker, "postgresql": postgres, "emulator": free.process.pid}
                return {name: cpu_of(pid) for name, pid in parts.items()}

            before = used()
            pushed = await send(free, arguments.pushes, personal=True)
            after = used()
            sizes = [n for n in (10_000, 100_000) if n < arguments.friends] + [arguments.friends]
            by_size: dict[str, dict[str, float]] = {}
            for people in sizes:
                begin = used()
                took = await send(free, people, personal=False)
                end = used()
                cpu = sum(end[k] - begin[k] for k in ("worker", "postgresql"))
                by_size[str(people)] = {
                    **{name: round(seconds, 2) for name, seconds in took.items()},
                    "us_per_recipient": round(took["all_s"] / people * 1e6, 1),
                    "cpu_us_per_recipient": round(cpu / people * 1e6, 1),
                }
            peak = peak_mb(worker)
    finally:
        free.process.terminate()
        free.process.wait()
    steady = await under_limits(url, arguments.seconds, folder)
    await dispose()
    per_push = {
        f"cpu_us_per_push_{name}": round((after[name] - before[name]) / arguments.pushes * 1e6)
        for name in after
    }
    everybody = by_size[str(arguments.friends)]
    rate = arguments.pushes / pushed["all_s"]
    figures = {
        "push_per_s": round(rate),
        "sdk_push_per_s": round(sdk["per_s"]),
        "ratio_to_sdk": round(rate / sdk["per_s"], 2),
        "multicast_recipients_per_s": round(
            arguments.friends / (everybody["all_s"] - everybody["freeze_s"])
        ),
        "million_friends_s": everybody["all_s"] if arguments.friends == 1_000_000 else None,
        "peak_mb": round(peak),
        "cpu_us_per_push": per_push["cpu_us_per_push_worker"],
        "sdk_cpu_us_per_push": round(sdk["cpu_us"]),
        **per_push,
        "push_freeze_s": round(pushed["freeze_s"], 2),
        **steady,
        "multicast": by_size,
    }
    return figures


async def under_limits(url: str, seconds: int, folder: Path) -> dict[str, Any]:
    """Push for so many seconds under LINE's rate limits; returns how fast, and the 429s."""
    if not seconds:
        return {}
    from hiiki.line.limits import PUSH_RATE

    people = PUSH_RATE.requests * seconds
    strict = await open_side(url, people, limits=True)
    try:
        async with EmulatorClient(strict.url) as control:
            with working(strict.url, folder / "worker.log"):
                took = await send(strict, people, personal=True)
            state = await control.state()
            refused = sum(
                1
                for request in await control.requests(max(0, state["requests"] - people - 1_000))
                if request["status"] == 429
            )
    finally:
        strict.process.terminate()
        strict.process.wait()
    return {
        "limited_push_per_s": round(people / (took["all_s"] - took["freeze_s"])),
        "limited_pushes": people,
        "limited_429": refused,
    }


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--friends", type=int, default=1_000_000)
    parser.add_argument("--pushes", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=30, help="of pushes under LINE's limits")
    arguments = parser.parse_args()
    arguments.friends = max(arguments.friends, arguments.pushes, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        server = prepare(Path(folder) / "pg")
        server.start()
        try:
            server.create_database("hiiki")
            os.environ["HIIKI_DATABASE_URL"] = server.url()
            os.environ["HIIKI_DATA_DIR"] = folder
            os.environ["HIIKI_LOG_LEVEL"] = "warning"
            asyncio.run(migrate(server.url()))
            figures = uvloop.run(measure(arguments, Path(folder), server))
        finally:
            server.stop("immediate")
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
