"""The emulator in a thread of its own, for tests that live in other event loops or in none."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from .emulator import Emulator


class EmulatorThread:
    """Runs an `Emulator` with the given arguments until `stop`.

    Its own event loop makes it independent of how a test suite scopes its loops. Once started, use
    it over HTTP only: `url` and `EmulatorClient`.
    """

    def __init__(self, **arguments: Any) -> None:
        self._arguments = arguments
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="line-emulator", daemon=True)
        self.url = ""

    def start(self) -> EmulatorThread:
        """Start and wait until it listens. Raises what starting raised."""
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Stop and wait until everything is closed."""
        if self._loop is not None and self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        emulator = Emulator(**self._arguments)
        try:
            await emulator.start()
        except BaseException as error:
            self._failure = error
            self._started.set()
            return
        self.url = emulator.url
        self._started.set()
        await self._end.wait()
        await emulator.stop()
