"""What simulated people do elsewhere on the web: open a page of the shop, order something."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

log = logging.getLogger("line_emulator.living")

AT_A_TIME = 16
MOST_WAITING = 100_000
SECONDS = 10.0
"""An errand is given up after so long."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One request; `tell` learns whether it was answered with a status below 400."""

    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    tell: Callable[[bool], None]


class Errands:
    """Runs errands, a few at a time, in the order given."""

    def __init__(self) -> None:
        self._waiting: deque[Errand] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._running)

    def run(self, errand: Errand) -> None:
        """Run the errand soon. One too many is told to have failed."""
        if len(self._waiting) >= MOST_WAITING:
            errand.tell(False)
            return
        self._waiting.append(errand)
        if len(self._running) < AT_A_TIME:
            task = asyncio.get_running_loop().create_task(self._work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def drop_all(self) -> None:
        """Forget what waits and break off what runs."""
        self._waiting.clear()
        for task in list(self._running):
            task.cancel()
        for task in list(self._running):
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """Run no more."""
        await self.drop_all()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _work(self) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SECONDS), cookie_jar=aiohttp.DummyCookieJar()
            )
        while self._waiting:
            errand = self._waiting.popleft()
            try:
                async with self._session.request(
                    errand.method, errand.url, data=errand.body, headers=errand.headers
                ) as response:
                    await response.read()
                    well = response.status < 400
            except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
                log.info("%s %s: %s", errand.method, errand.url, error)
                well = False
            errand.tell(well)
