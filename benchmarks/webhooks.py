"""LINE's side of the ingest benchmark: a process that posts signed webhooks and times answers.

    python -m benchmarks.webhooks '{"url": "http://127.0.0.1:8000/webhook/bench", "count": 10000}'

Everything it posts is made and signed before the clock starts. Two ways: with `count`, so many
connections post one body after the other (closed loop: what can be done). With `rate` and
`seconds`, bodies are posted when they are due, whether earlier ones were answered or not (open
loop: what LINE does in a storm). It prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import uvloop

from benchmarks.wire import Connection, spread
from hiiki.line.signature import sign

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"  # noqa: S105 — the SDK's published test vector
TICK = 0.002
PATIENCE = 300.0
"""Seconds after which something is wrong with the server."""
LINE_WAITS = 2.0
"""Seconds LINE waits for an answer."""


@dataclass(frozen=True)
class Order:
    """What to post."""

    url: str
    run: int = 0
    """Part of the event ids, so that runs do not repeat each other's."""
    people: int = 1_000
    together: int = 1
    """Events in a body. LINE mostly sends one; with 0, bodies have none."""
    connections: int = 32
    """In an open loop, as many as are needed, up to so many."""
    count: int = 0
    """Events, in a closed loop."""
    rate: int = 0
    """Bodies a second, in an open loop."""
    seconds: float = 0


def event_id(run: int, number: int) -> str:
    """Return the `webhookEventId` of a run's event."""
    return f"01BENCH{run:03}{number:016}"


def event(run: int, number: int, person: int, at: int) -> dict[str, Any]:
    """Return a text message as LINE posts it."""
    return {
        "type": "message",
        "mode": "active",
        "timestamp": at,
        "source": {"type": "user", "userId": f"U{person:032x}"},
        "webhookEventId": event_id(run, number),
        "deliveryContext": {"isRedelivery": False},
        "replyToken": f"{run:08x}{number:024x}",
        "message": {
            "type": "text",
            "id": f"{run}{number:017}",
            "quoteToken": "yHAz4Ua2wx7yHAz4Ua2wx7yHAz4Ua2wx7",
            "text": "こんにちは、明日の夜は予約できますか?",
        },
    }


def bodies(run: int, count: int, people: int, together: int) -> list[bytes]:
    """Return webhook bodies with `count` events of `people` in turn (`count` empty ones for 0)."""
    start = int(time.time() * 1000)
    events = [event(run, number, number % people, start + number) for number in range(count)]
    return [
        orjson.dumps({"destination": "U" + "f" * 32, "events": events[at : at + together]})
        for at in range(0, count, together or 1)
    ]


def request(path: str, body: bytes) -> bytes:
    """Return a POST with the headers that LINE sends."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: crm.example.com\r\nUser-Agent: LineBotWebhook/2.0\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nx-line-signature: {sign(SECRET, body)}"
        f"\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Line:
    """Posts, and keeps the books."""

    def __init__(self, order: Order) -> None:
        where = urlsplit(order.url)
        total = order.count or int(order.rate * order.seconds) * (order.together or 1)
        self.order = order
        self._host, self._port = str(where.hostname), int(where.port or 80)
        made = bodies(order.run, total, order.people, order.together)
        self._requests = [request(where.path, body) for body in made]
        self._next = 0
        self._under_way: dict[Connection, int] = {}
        self._idle: list[Connection] = []
        self._due: dict[Connection, float] = {}
        self._connections = 0
        self._done = asyncio.Event()
        self.kept: list[int] = []
        """The bodies that were answered 200."""
        self.took: dict[bytes, list[float]] = {}

    # Connection's caller

    def opened(self, connection: Connection) -> None:
        """See `Caller`."""
        if self.order.rate:
            self._post(connection, self._due.pop(connection))
        else:
            self._go_on(connection)

    def answered(self, connection: Connection, status: bytes, seconds: float) -> None:
        """See `Caller`."""
        number = self._under_way.pop(connection)
        if status == b"200":
            self.kept.append(number)
        self.took.setdefault(status, []).append(seconds)
        if self.order.rate:
            self._idle.append(connection)
        else:
            self._go_on(connection)

    def closed(self, connection: Connection) -> None:
        """See `Caller`."""
        self._connections -= 1
        if connection in self._idle:
            self._idle.remove(connection)
        if self._under_way.pop(connection, None) is not None:
            self.took.setdefault(b"lost", []).append(0)
        if not self._connections:
            self._done.set()

    # Posting

    def _go_on(self, connection: Connection) -> None:
        if self._next < len(self._requests):
            self._post(connection)
        else:
            connection.close()

    def _post(self, connection: Connection, since: float | None = None) -> None:
        self._under_way[connection] = self._next
        connection.send(self._requests[self._next], since)
        self._next += 1

    async def _open(self, connection: Connection) -> None:
        self._connections += 1
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: connection, self._host, self._port)
        except OSError:
            self._connections -= 1
            if not self.order.rate:
                raise
            self.took.setdefault(b"unreachable", []).append(0)

    async def _closed_loop(self) -> None:
        for _ in range(self.order.connections):
            await self._open(Connection(self))
        if not self._done.is_set():
            async with asyncio.timeout(PATIENCE):
                await self._done.wait()

    async def _open_loop(self) -> int:
        """Post when due; returns how many posts had no connection left to go by."""
        begun, due, left_out = time.perf_counter(), 0, 0
        opening: set[asyncio.Task[None]] = set()
        while (now := time.perf_counter() - begun) < self.order.seconds:
            while due < min(now * self.order.rate, len(self._requests)):
                at = begun + due / self.order.rate
                due += 1
                if self._idle:
                    self._post(self._idle.pop(), at)
                elif self._connections < self.order.connections:
                    connection = Connection(self)
                    self._due[connection] = at
                    task = asyncio.create_task(self._open(connection))
                    opening.add(task)
                    task.add_done_callback(opening.discard)
                else:
                    left_out += 1
            await asyncio.sleep(TICK)
        last = time.perf_counter() + 10
        while (self._under_way or opening) and time.perf_counter() < last:  # noqa: ASYNC110
            await asyncio.sleep(TICK)
        if self._under_way:
            self.took[b"never"] = [0.0] * len(self._under_way)
        return left_out

    async def run(self) -> dict[str, Any]:
        """Post everything; returns the figures."""
        begun, cpu = time.perf_counter(), time.process_time()
        left_out = await self._open_loop() if self.order.rate else (await self._closed_loop() or 0)
        seconds = time.perf_counter() - begun
        used = time.process_time() - cpu
        every = [one for found in self.took.values() for one in found]
        return {
            "seconds": seconds,
            "posts": self._next,
            "answers": dict(Counter({s.decode(): len(t) for s, t in self.took.items()})),
            "late": sum(one > LINE_WAITS for one in every),
            "left_out": left_out,
            **spread(every),
            "by_status": {s.decode(): spread(t) for s, t in self.took.items()},
            "client_cpu_us": round(used / max(1, len(every)) * 1e6, 1),
            "kept": self.kept,
        }


def main() -> None:
    """Post what the argument says and print the figures."""
    order = Order(**json.loads(sys.argv[1]))

    async def run() -> dict[str, Any]:
        return await Line(order).run()

    sys.stdout.write(json.dumps(uvloop.run(run())) + "\n")


if __name__ == "__main__":
    main()
