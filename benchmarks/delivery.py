"""Sending: friends by multicast and by push, through real HTTP to the emulator.

    python -m benchmarks.delivery [--friends 100000] [--pushes 5000] [--limits] [--profile]

Everything runs on this machine: PostgreSQL (with fsync), the emulator as a process of its
own, and the sender in this one. `--limits` keeps LINE's rate limits on. The last line is
one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import uvloop

from hiiki.db.embedded import prepare
from hiiki.db.migrate import migrate
from line_emulator.client import EmulatorClient


def start_line(limits: bool) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Start an emulator; returns the process and what it says when it is ready."""
    command = [sys.executable, "-m", "line_emulator", "serve", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 — our own command
        command if limits else [*command, "--unlimited"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if '"ready"' in line:
            return process, json.loads(line)
    raise RuntimeError("the emulator did not start")


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
                line_channel_id=channel["channel_id"],
                provider="P",
                sealed_secret=seal(channel["channel_secret"], ident, "secret"),
                sealed_token=seal(channel["access_token"], ident, "token"),
                webhook_key="bench",
                quota_checked_at=now(),  # LINE says: no limit
            )
        )
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = connection.cursor()
        async with cursor.copy(
            "copy contacts.contact (id, workspace_id, display_name, is_purchaser, created_at,"
            " updated_at) from stdin"
        ) as copy:
            for user in users:
                person = contact_id(workspace_id, "P", user)
                await copy.write_row((person, workspace_id, "友だち", False, "now", "now"))
        async with cursor.copy(
            "copy contacts.friendship (contact_id, channel_id, workspace_id, line_user_id, status)"
            " from stdin"
        ) as copy:
            for user in users:
                person = contact_id(workspace_id, "P", user)
                await copy.write_row((person, ident, workspace_id, user, "following"))
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("analyze")
    return workspace_id, ident


async def send(workspace_id: UUID, channel_id: UUID, people: int, personal: bool) -> dict[str, Any]:
    """Send to so many people; returns how long freezing and all of it took, in seconds."""
    from sqlalchemy import select

    from hiiki.contacts.models import Friendship
    from hiiki.db import scope
    from hiiki.delivery.models import Send
    from hiiki.delivery.service import start_send

    started = time.monotonic()
    async with scope(workspace_id) as session:
        audience = select(Friendship.contact_id).where(Friendship.workspace_id == workspace_id)
        made = await start_send(
            session,
            channel_id=channel_id,
            subject="bench",
            messages=[{"type": "text", "text": "{{ name }}さん" if personal else "こんにちは"}],
            personal=personal,
            audience=audience.order_by(Friendship.contact_id).limit(people),
        )
    frozen = time.monotonic()
    while True:
        await asyncio.sleep(0.1)
        async with scope(workspace_id) as session:
            stands = await session.one(Send, made.id)
        if stands.finished_at is not None:
            break
    assert stands.accepted == people, (stands.accepted, stands.refused, stands.in_doubt)
    return {"freeze_s": frozen - started, "all_s": time.monotonic() - started}


async def measure(arguments: argparse.Namespace, line: dict[str, Any], url: str) -> dict[str, Any]:
    """Run everything; returns the figures."""
    import hiiki.rooms  # noqa: F401 — opens the road
    from hiiki.db.engine import dispose
    from hiiki.delivery.sender import run_sender
    from hiiki.line.http import close_http

    async with EmulatorClient(line["url"]) as control:
        users: list[str] = []
        while len(users) < arguments.friends:
            some = min(50_000, arguments.friends - len(users))
            users += [user["id"] for user in await control.create_users(some, state="friend")]
        workspace_id, channel_id = await make_friends(url, line["channels"][0], users)
        stop = asyncio.Event()
        task = asyncio.create_task(run_sender(stop))
        multicast = await send(workspace_id, channel_id, arguments.friends, personal=False)
        cpu = time.process_time()
        push = await send(workspace_id, channel_id, arguments.pushes, personal=True)
        cpu = time.process_time() - cpu
        stop.set()
        await task
        state = await control.state()
        requests = await control.requests(max(0, state["requests"] - 10_000))
    await close_http()
    await dispose()
    assert state["deliveries"] == arguments.friends + arguments.pushes
    return {
        "friends": arguments.friends,
        "multicast_recipients_per_s": round(arguments.friends / multicast["all_s"]),
        "multicast_freeze_s": round(multicast["freeze_s"], 2),
        "multicast_s": round(multicast["all_s"], 2),
        "pushes": arguments.pushes,
        "push_per_s": round(arguments.pushes / push["all_s"]),
        "push_freeze_s": round(push["freeze_s"], 2),
        "push_s": round(push["all_s"], 2),
        "cpu_us_per_push": round(cpu / arguments.pushes * 1e6),
        "status_429": sum(1 for request in requests if request["status"] == 429),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--friends", type=int, default=100_000)
    parser.add_argument("--pushes", type=int, default=5_000)
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    arguments.friends = max(arguments.friends, arguments.pushes)
    process, line = start_line(arguments.limits)
    profile = cProfile.Profile() if arguments.profile else None
    try:
        with tempfile.TemporaryDirectory() as folder:
            server = prepare(Path(folder) / "pg")
            server.start()
            try:
                server.create_database("hiiki")
                url = server.url()
                os.environ["HIIKI_DATABASE_URL"] = url
                os.environ["HIIKI_DATA_DIR"] = folder
                os.environ["HIIKI_LINE_API"] = line["url"]
                asyncio.run(migrate(url))
                if profile is not None:
                    profile.enable()
                figures = uvloop.run(measure(arguments, line, url))
            finally:
                server.stop("immediate")
    finally:
        process.terminate()
        process.wait()
    if profile is not None:
        profile.disable()
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
