"""LINE's emulator under load: pushes, multicasts, a broadcast, webhooks out, memory per friend.

    python -m benchmarks.emulator [--friends 10000,100000] [--seconds 3] [--flex]

The emulator is a process of its own, started by its command line with rate limits lifted and
validation on as ever; the caller is this process, and keeps connections open. Beside it, in the
same run, the same requests go to the least that could answer them: an aiohttp handler that does
nothing but read the body and parse its JSON. That is the ceiling for any emulator built on aiohttp.
The last line is one JSON object; it has `enough`: whether the figures promised are reached.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson
import uvloop
from aiohttp import web

from benchmarks.wire import Connection
from line_emulator.client import EmulatorClient

PROMISED = {"pushes_per_s": 2500.0, "multicasts_of_500_per_s": 300.0, "mb_at_100000": 400.0}
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024
_TICKS = os.sysconf("SC_CLK_TCK")

TEXT = {"type": "text", "text": "こんにちは、本日のランチは辛口カレーです。"}
FLEX = {
    "type": "flex",
    "altText": "本日のおすすめ",
    "contents": {
        "type": "bubble",
        "hero": {
            "type": "image",
            "url": "https://example.com/curry.jpg",
            "size": "full",
            "aspectRatio": "20:13",
            "action": {"type": "uri", "uri": "https://example.com/"},
        },
        "body": {
            "type": "box",
            "layout": "vertical",
            "spacing": "md",
            "contents": [
                {"type": "text", "text": "辛口カレー", "weight": "bold", "size": "xl"},
                *[
                    {
                        "type": "box",
                        "layout": "baseline",
                        "contents": [
                            {"type": "text", "text": f"項目{n}", "color": "#AAAAAA", "flex": 1},
                            {"type": "text", "text": "説明", "wrap": True, "flex": 5},
                        ],
                    }
                    for n in range(4)
                ],
            ],
        },
        "footer": {
            "type": "box",
            "layout": "vertical",
            "contents": [
                {
                    "type": "button",
                    "style": "primary",
                    "action": {"type": "postback", "label": "予約", "data": f"n={n}"},
                }
                for n in range(2)
            ],
        },
    },
}


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass
class Server:
    """A process that answers requests: what it said when ready, and what it costs."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @classmethod
    def start(cls, *command: str) -> Server:
        """Start `python -m …` and wait for its line of JSON."""
        process = subprocess.Popen(  # noqa: S603 — our own command
            [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if '"ready"' in line:
                return cls(process, json.loads(line))
        raise RuntimeError(f"{command} did not start")

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait()

    def megabytes(self) -> float:
        """Memory in use (resident), in MB of 1024 × 1024 bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * _PAGE_KB / 1024

    def cpu(self) -> float:
        """Seconds of processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


class Caller:
    """Sends requests round and round for so many seconds, over several connections."""

    def __init__(self, requests: list[bytes], seconds: float, connections: int = 32) -> None:
        self._requests = requests
        self._until = time.perf_counter() + seconds
        self._number = 0
        self._connections = self._open = connections
        self._done = asyncio.Event()
        self.latencies: list[float] = []
        self.statuses: set[bytes] = set()

    def take(self) -> bytes | None:
        """The next request, or None when time is over; every connection sends one."""
        if self._number >= self._connections and time.perf_counter() >= self._until:
            return None
        self._number += 1
        return self._requests[self._number % len(self._requests)]

    def opened(self, connection: Connection) -> None:
        """Send the connection's first request."""
        self._next(connection)

    def answered(self, connection: Connection, status: bytes, seconds: float) -> None:
        """Book an answer, and send the next request."""
        self.statuses.add(status)
        self.latencies.append(seconds)
        self._next(connection)

    def closed(self, connection: Connection) -> None:
        """A connection has ended."""
        self._open -= 1
        if not self._open:
            self._done.set()

    def _next(self, connection: Connection) -> None:
        request = self.take()
        if request is None:
            connection.close()
        else:
            connection.send(request)

    async def run(self, server: Server) -> dict[str, float]:
        """Call; returns requests per second, milliseconds and the server's µs of processor."""
        host, port = server.ready["url"].removeprefix("http://").split(":")
        loop = asyncio.get_running_loop()
        cpu, started = server.cpu(), time.perf_counter()
        for _ in range(self._connections):
            await loop.create_connection(lambda: Connection(self), host, int(port))
        async with asyncio.timeout(600):
            await self._done.wait()
        assert self.statuses == {b"200"}, self.statuses
        took, done = time.perf_counter() - started, sorted(self.latencies)
        return {
            "per_s": round(len(done) / took, 1),
            "p50_ms": round(done[len(done) // 2] * 1000, 2),
            "p99_ms": round(done[len(done) * 99 // 100] * 1000, 2),
            "server_cpu_us": round((server.cpu() - cpu) / len(done) * 1e6, 1),
        }


def http(server: Server, path: str, body: Any) -> bytes:
    """A POST request as bytes."""
    data = orjson.dumps(body)
    token = server.ready["channels"][0]["access_token"]
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(data)}\r\n\r\n"
    ).encode() + data


def pushes(server: Server, friends: list[str], message: dict[str, Any]) -> list[bytes]:
    """Push requests to different people."""
    path = "/v2/bot/message/push"
    return [http(server, path, {"to": one, "messages": [message]}) for one in friends[:5000]]


def multicasts(server: Server, friends: list[str]) -> list[bytes]:
    """Multicast requests of 500 people each."""
    groups = [friends[at : at + 500] for at in range(0, min(len(friends), 50_000) - 499, 500)]
    path = "/v2/bot/message/multicast"
    return [http(server, path, {"to": one, "messages": [TEXT]}) for one in groups]


class Bot(asyncio.Protocol):
    """A bot's server at its cheapest: reads posts, counts them, answers 200."""

    posts = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            start = self._buffer.lower().find(b"content-length: ", 0, end) + 16
            whole = end + 4 + int(self._buffer[start : self._buffer.index(b"\r\n", start)])
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            Bot.posts += 1
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def webhooks_out(server: Server, friends: list[str]) -> dict[str, float]:
    """Let people write, and time how fast their events reach a bot."""
    bot = await asyncio.get_running_loop().create_server(Bot, "127.0.0.1", 0)
    port = bot.sockets[0].getsockname()[1]
    people = friends[:10_000]
    async with EmulatorClient(server.ready["url"]) as line:
        channel = server.ready["channels"][0]["channel_id"]
        await line.update_channel(channel, webhook_url=f"http://127.0.0.1:{port}/callback")
        cpu, started, before = server.cpu(), time.perf_counter(), Bot.posts
        for at in range(0, len(people), 1000):
            await line.acts(
                {"user": one, "type": "message", "text": "こんにちは"}
                for one in people[at : at + 1000]
            )
        total = await line.wait_webhooks_done(120)
        took = time.perf_counter() - started
        await line.update_channel(channel, webhook_url=None)
    assert total["ok"] == len(people), total
    bot.close()
    return {
        "events_per_s": round(len(people) / took, 1),
        "posts_per_s": round((Bot.posts - before) / took, 1),
        "server_cpu_us_per_event": round((server.cpu() - cpu) / len(people) * 1e6, 1),
    }


async def broadcast(server: Server) -> float:
    """Seconds that one broadcast to all friends takes."""
    request = http(server, "/v2/bot/message/broadcast", {"messages": [TEXT]})
    return (await Caller([request], 0, connections=1).run(server))["p50_ms"] / 1000


async def all_friends(server: Server) -> list[str]:
    """User ids of (up to 50,000) friends."""
    found: list[str] = []
    async with EmulatorClient(server.ready["url"]) as line:
        place = 0
        while place is not None and len(found) < 50_000:
            page = await line.users(after=place, limit=1000)
            found += [one["id"] for one in page["users"]]
            place = page["next"]
    return found


async def measure(friends: int, seconds: float, empty_mb: float) -> dict[str, Any]:
    """All figures for so many friends."""
    started = time.perf_counter()
    server = Server.start(
        "line_emulator", "serve", "--port", "0", "--unlimited", "--friends", str(friends)
    )
    try:
        result: dict[str, Any] = {
            "friends": friends,
            "start_s": round(time.perf_counter() - started, 2),
            "mb": round(server.megabytes(), 1),
            "bytes_per_friend": round((server.megabytes() - empty_mb) * 1024 * 1024 / friends),
        }
        people = await all_friends(server)
        result["push"] = await Caller(pushes(server, people, TEXT), seconds).run(server)
        result["push_flex"] = await Caller(pushes(server, people, FLEX), seconds).run(server)
        result["multicast_500"] = await Caller(multicasts(server, people), seconds).run(server)
        result["webhooks"] = await webhooks_out(server, people)
        result["broadcast_s"] = await broadcast(server)
        result["mb_after"] = round(server.megabytes(), 1)
        async with EmulatorClient(server.ready["url"]) as line:
            state = await line.state()
        assert state["own_errors"] == 0, state
    finally:
        server.stop()
    return result


async def ceiling(friends: int, seconds: float) -> dict[str, Any]:
    """The same requests answered by a handler that only parses them."""
    server = Server.start("benchmarks.emulator", "--bare")
    try:
        people = [f"U{number:032x}" for number in range(friends)]
        return {
            "push": await Caller(pushes(server, people, TEXT), seconds).run(server),
            "push_flex": await Caller(pushes(server, people, FLEX), seconds).run(server),
            "multicast_500": await Caller(multicasts(server, people), seconds).run(server),
        }
    finally:
        server.stop()


async def bare() -> None:
    """Serve the alternative: parse the JSON, answer `{}`."""

    async def handle(request: web.Request) -> web.Response:
        orjson.loads(await request.read())
        return web.Response(body=b"{}", content_type="application/json")

    app = web.Application(client_max_size=2**21)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channel = {"access_token": "x" * 161}
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    say(json.dumps({"ready": True, "url": url, "channels": [channel]}))
    await asyncio.Event().wait()


async def run(sizes: list[int], seconds: float) -> dict[str, Any]:
    """Measure the ceiling and every size."""
    empty = Server.start("line_emulator", "serve", "--port", "0")
    empty_mb = empty.megabytes()
    empty.stop()
    result: dict[str, Any] = {"cores": os.cpu_count(), "empty_mb": round(empty_mb, 1)}
    result["bare_aiohttp"] = await ceiling(50_000, seconds)
    say(f"bare aiohttp: {result['bare_aiohttp']}")
    result["sizes"] = []
    for friends in sizes:
        one = await measure(friends, seconds, empty_mb)
        result["sizes"].append(one)
        say(f"{friends} friends: {one}")
    # The promise is about a hundred thousand friends; else the size nearest to it.
    said = min(result["sizes"], key=lambda one: abs(one["friends"] - 100_000))
    result["pushes_per_s"] = said["push"]["per_s"]
    result["multicasts_of_500_per_s"] = said["multicast_500"]["per_s"]
    result["mb_at_100000"] = said["mb_after"] if said["friends"] == 100_000 else None
    result["enough"] = {
        "pushes_per_s": result["pushes_per_s"] >= PROMISED["pushes_per_s"],
        "multicasts_of_500_per_s": result["multicasts_of_500_per_s"]
        >= PROMISED["multicasts_of_500_per_s"],
        "mb_at_100000": result["mb_at_100000"] is not None
        and result["mb_at_100000"] < PROMISED["mb_at_100000"],
    }
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--friends", default="10000,100000", help="sizes, with commas between")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each run of calls")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        uvloop.run(bare())
        return
    sizes = [int(one) for one in options.friends.split(",")]
    say(json.dumps(uvloop.run(run(sizes, options.seconds))))


if __name__ == "__main__":
    main()
