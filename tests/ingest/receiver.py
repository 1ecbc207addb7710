"""Another tool on the same account: a real web server that keeps what it is posted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Receiver:
    """Keeps every post; `answer` says the status, `delay` how long it takes its time."""

    url: str = ""
    answer: Callable[[bytes], int] = lambda _body: 200
    delay: float = 0.0
    got: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    @property
    def bodies(self) -> list[bytes]:
        """What was answered with a 2xx, in order."""
        return [body for body, _headers in self.got]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.under_way -= 1
        status = self.answer(body)
        if status < 300:
            self.got.append((body, {k.lower(): v for k, v in request.headers.items()}))
        else:
            self.refused.append(body)
        return web.Response(status=status, text="x" * 5000, headers={"location": "/elsewhere"})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver on loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver._take)  # pyright: ignore[reportPrivateUsage]
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
