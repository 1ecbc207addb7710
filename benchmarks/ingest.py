"""Webhook events: made durable by the real web handler, handled by a real worker's crew.

    python -m benchmarks.ingest [--events 5000] [--people 1000] [--profile]

Everything runs on this machine: PostgreSQL (with fsync), the handler behind Litestar's own
ASGI interface, and one worker. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg

from hiiki.db.embedded import prepare
from hiiki.db.migrate import migrate
from hiiki.line.signature import sign

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"  # noqa: S105 — the SDK's published test vector
BATCH = 10
"""Events in a webhook body."""


def events(count: int, people: int, run: int) -> list[dict[str, Any]]:
    """Return so many text messages of so many people, as LINE posts them."""
    start = int(time.time() * 1000)
    return [
        {
            "type": "message",
            "mode": "active",
            "timestamp": start + number,
            "source": {"type": "user", "userId": f"U{number % people:032x}"},
            "webhookEventId": f"01BENCH{run:03}{number:016}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": f"token{run}{number}",
            "message": {"id": f"{number}", "type": "text", "text": "こんにちは", "quoteToken": "q"},
        }
        for number in range(count)
    ]


async def make_channel() -> tuple[UUID, str]:
    """Make a workspace and a channel; returns the workspace's id and the webhook's address."""
    from hiiki.db import everywhere, scope
    from hiiki.kit.ids import uuid7
    from hiiki.workspace.models import Channel, Workspace
    from hiiki.workspace.seal import seal

    async with everywhere() as session:
        workspace = Workspace(name="bench")
        session.add(workspace)
        await session.flush()
    async with scope(workspace.id) as session:
        ident = uuid7()
        session.add(
            Channel(
                id=ident,
                name="bench",
                line_channel_id="1",
                provider="p",
                sealed_secret=seal(SECRET, ident, "secret"),
                sealed_token=seal("t", ident, "token"),
                webhook_key="bench",
            )
        )
    return workspace.id, "/webhook/bench"


async def post_all(url: str, bodies: list[bytes], parallel: int = 32) -> list[float]:
    """Post signed bodies through the application; returns each one's seconds."""
    from litestar.testing import AsyncTestClient

    from hiiki.ingest.room import room
    from hiiki.kit.road import Registry
    from hiiki.web.app import create_app

    took: list[float] = []
    gate = asyncio.Semaphore(parallel)
    async with AsyncTestClient(create_app(Registry([room]))) as client:

        async def post(body: bytes) -> None:
            async with gate:
                begun = time.perf_counter()
                answer = await client.post(
                    url, content=body, headers={"x-line-signature": sign(SECRET, body)}
                )
                assert answer.status_code == 200, answer.text
                took.append(time.perf_counter() - begun)

        await asyncio.gather(*(post(body) for body in bodies))
    return took


async def handle_all(database: str) -> tuple[float, float]:
    """Let one crew handle everything that waits; returns the seconds and the CPU seconds."""
    from hiiki.ingest.crew import Crew

    stop = asyncio.Event()
    begun, cpu = time.perf_counter(), time.process_time()
    crew = asyncio.create_task(Crew(stop).run())
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        while True:
            found = await connection.execute(
                "select exists (select 1 from ingest.webhook_event where state = 'waiting')"
            )
            row = await found.fetchone()
            if row is not None and not row[0]:
                break
            await asyncio.sleep(0.05)
    took = time.perf_counter() - begun, time.process_time() - cpu
    stop.set()
    await crew
    return took


async def measure(database: str, count: int, people: int, profiled: bool) -> dict[str, Any]:
    """Run it all and return the figures."""
    import hiiki.rooms  # noqa: F401 — opens the road

    _workspace, url = await make_channel()

    def bodies(run: int, total: int) -> list[bytes]:
        made = events(total, people, run)
        return [
            orjson.dumps({"destination": "U" + "f" * 32, "events": made[i : i + BATCH]})
            for i in range(0, total, BATCH)
        ]

    # Everybody is known already: what is measured is what happens every day.
    await post_all(url, bodies(0, people))
    await handle_all(database)
    measured = bodies(1, count)
    begun = time.perf_counter()
    took = sorted(await post_all(url, measured))
    stored = time.perf_counter() - begun
    profile = cProfile.Profile()
    if profiled:
        profile.enable()
    seconds, cpu = await handle_all(database)
    if profiled:
        profile.disable()
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    async with await psycopg.AsyncConnection.connect(database) as connection:
        found = await connection.execute("select count(*) from timeline.event")
        row = await found.fetchone()
    assert row is not None
    return {
        "events_per_s": round(count / stored),
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
        "handled_per_s": round(count / seconds),
        "handled_cpu_us": round(cpu / count * 1_000_000),
        "lost": count + people - row[0],
    }


def main() -> None:
    """Run the benchmark and print its figures as the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = prepare(Path(folder) / "pg")
        server.start()
        try:
            server.create_database("hiiki")
            database = server.url("hiiki")
            os.environ["HIIKI_DATABASE_URL"] = database
            os.environ["HIIKI_DATA_DIR"] = folder
            os.environ["HIIKI_LOG_LEVEL"] = "warning"
            asyncio.run(migrate(database))
            figures = asyncio.run(measure(database, given.events, given.people, given.profile))
        finally:
            server.stop("immediate")
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
