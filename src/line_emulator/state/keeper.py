"""Saving while the emulator runs, without making it wait.

On systems that can fork, a copy of the process writes the state: it sees everything as it was at
one moment, and the emulator goes on after the few milliseconds that copying takes. Elsewhere, and
if such a copy ever fails, the state is written between two requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import time
import warnings
from collections.abc import Callable
from typing import NoReturn

from ..platform import Platform
from .file import StateFile
from .snapshot import snapshot

log = logging.getLogger("line_emulator.state")

REST = 10
"""Saving may take one part in so many of the time."""
_POLL_SECONDS = 0.02


class Keeper:
    """Keeps a platform's state in a file: every `every` seconds if something changed, and at the
    end.

    `activity` counts what happens outside the platform's own logs (requests of any kind).
    """

    def __init__(
        self,
        platform: Platform,
        file: StateFile,
        activity: Callable[[], int],
        every: float = 2.0,
    ) -> None:
        self.platform = platform
        self.file = file
        self.saves = 0
        self.longest_stall = 0.0
        """Seconds for which saving held up everything else, at most."""
        self._activity = activity
        self._every = every
        self._forks = hasattr(os, "fork")
        self._task: asyncio.Task[None] | None = None
        self._child: int | None = None

    def start(self) -> None:
        """Begin to save now and then."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Save for the last time."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._child is not None:
            # It must not put an older state in place of the last one.
            with contextlib.suppress(OSError):
                os.kill(self._child, 9)
                os.waitpid(self._child, 0)  # noqa: ASYNC222 - it is dead
            self._child = None
            self.file.sweep()
        self.save_now()

    def save_now(self) -> None:
        """Save before anything else happens. Raises OSError if it cannot be written."""
        started = time.perf_counter()
        self.file.write(snapshot(self.platform))
        self.longest_stall = max(self.longest_stall, time.perf_counter() - started)
        self.saves += 1

    def _moment(self) -> tuple[object, ...]:
        """Something that differs whenever the state may have changed."""
        platform = self.platform
        return (
            self._activity(),
            platform.requests.last,
            platform.deliveries.last,
            platform.message_ids.next,
            platform.agenda.moved,
            platform.webhooks.moved,
        )

    async def _run(self) -> None:
        saved: tuple[object, ...] = ()
        seen: tuple[object, ...] = ()
        pause = self._every
        while True:
            await asyncio.sleep(pause)
            now = self._moment()
            # Twice the same means that requests which had begun have ended, too.
            if now == saved and now == seen:
                continue
            settled = now == seen
            seen = now
            started = time.perf_counter()
            try:
                await self._save()
            except Exception:
                # The file is as it was; the next try may go better (a full disk, say).
                log.exception("the state was not saved")
                self.platform.own_errors += 1
            else:
                saved = now if settled else ()
            pause = max(self._every, (time.perf_counter() - started) * REST)

    async def _save(self) -> None:
        if not self._forks:
            self.save_now()
            return
        started = time.perf_counter()
        with warnings.catch_warnings():
            # A process with threads should not be forked for more than writing a file.
            warnings.simplefilter("ignore", DeprecationWarning)
            parent = os.getpid()
            child = os.fork()
        if child == 0:
            self._write_and_end(parent)
        self._child = child
        self.longest_stall = max(self.longest_stall, time.perf_counter() - started)
        while True:
            done, status = os.waitpid(child, os.WNOHANG)  # noqa: ASYNC222 - does not wait
            if done:
                break
            await asyncio.sleep(_POLL_SECONDS)
        self._child = None
        if status != 0:
            self._forks = False
            log.warning("saving beside the emulator failed (status %s): saving in it", status)
            self.save_now()
            return
        self.saves += 1

    def _write_and_end(self, parent: int) -> NoReturn:
        """In the copy: write and be gone, touching nothing that the emulator needs."""
        status = 1
        try:
            gc.disable()
            # Connections end when their last copy is closed: these must not keep them open.
            os.closerange(3, _highest_descriptor() + 1)
            self.file.write(snapshot(self.platform), only_while=parent)
            status = 0
        except BaseException:
            log.exception("saving failed")
        finally:
            os._exit(status)


def _highest_descriptor() -> int:
    try:
        return max(int(name) for name in os.listdir("/dev/fd"))
    except (OSError, ValueError):
        return 4096
