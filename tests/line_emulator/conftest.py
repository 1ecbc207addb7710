"""What the emulator's tests share: the plugin's fixtures, LINE's API by hand, and a bot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from line_emulator.client import EmulatorClient
from line_emulator.pytest_plugin import Line, line_emulator_url

__all__ = ["line_emulator_url"]

Json = dict[str, Any]


@dataclass
class Reply:
    """An answer of the API."""

    status: int
    json: Any
    headers: Any


class Api:
    """LINE's API as a bot without an SDK would call it."""

    def __init__(self, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self.url, self.token, self.session = url, token, session

    async def call(
        self, method: str, path: str, body: Any = None, *, data: Any = None, **headers: str
    ) -> Reply:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        payload = data if data is not None else None if body is None else orjson.dumps(body)
        async with self.session.request(
            method, self.url + path, data=payload, headers=sent
        ) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json" and raw
            return Reply(response.status, orjson.loads(raw) if is_json else raw, response.headers)

    async def push(self, to: str, *messages: Json, retry_key: str | None = None) -> Reply:
        headers = {"X_Line_Retry_Key": retry_key} if retry_key else {}
        body = {"to": to, "messages": list(messages)}
        return await self.call("POST", "/v2/bot/message/push", body, **headers)

    async def reply(self, token: str, *messages: Json) -> Reply:
        body = {"replyToken": token, "messages": list(messages)}
        return await self.call("POST", "/v2/bot/message/reply", body)

    async def multicast(self, to: list[str], *messages: Json, **headers: str) -> Reply:
        body = {"to": to, "messages": list(messages)}
        return await self.call("POST", "/v2/bot/message/multicast", body, **headers)


# The plugin's `line` (which `test_plugin` tests) opens connections of its own for each test;
# with two thousand tests that takes longer than many of them.
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def only_line(line_emulator_url: str) -> AsyncIterator[Line]:
    async with EmulatorClient(line_emulator_url) as client:
        channel = (await client.channels())[0]
    async with Line(line_emulator_url, channel) as found:
        yield found


@pytest_asyncio.fixture
async def line(only_line: Line) -> AsyncIterator[Line]:
    """A freshly reset emulator; whatever a test does, it must not have an error of its own."""
    await only_line.reset()
    yield only_line
    assert (await only_line.state())["own_errors"] == 0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wire() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest_asyncio.fixture
async def api(line: Line, wire: aiohttp.ClientSession) -> Api:
    return Api(line.url, line.token, wire)


@dataclass
class Bot:
    """A bot that keeps what it is sent and answers as it is told."""

    url: str = ""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Callable[[int], int] = lambda _: 200
    slow: float = 0.0

    @property
    def bodies(self) -> list[Json]:
        return [orjson.loads(body) for _, body in self.posts]

    @property
    def events(self) -> list[Json]:
        return [event for body in self.bodies for event in body["events"]]

    async def until(self, count: int, seconds: float = 5.0) -> list[Json]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self.events) < count:
                    self.came.clear()
                    await self.came.wait()
        return self.events

    async def handle(self, request: web.Request) -> web.Response:
        self.posts.append((dict(request.headers), await request.read()))
        self.came.set()
        number = len(self.posts)
        if self.slow:
            await asyncio.sleep(self.slow)
        return web.Response(status=self.answer(number))


@pytest_asyncio.fixture
async def bot(line: Line) -> AsyncIterator[Bot]:
    """A bot whose webhook the first channel uses."""
    one = Bot()
    app = web.Application()
    app.router.add_post("/callback", one.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    one.url = f"http://127.0.0.1:{port}/callback"
    await line.set_webhook(one.url)
    yield one
    await line.set_webhook(None)
    await runner.cleanup()


@pytest.fixture
def hello() -> Json:
    return {"type": "text", "text": "こんにちは"}
