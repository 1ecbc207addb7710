"""What is to happen later, by the emulated clock.

LINE does much of its work after it has answered: a narrowcast is sent, an audience fills, a batch
of rich menus is linked, a video is transcoded. Such work is a duty: a function with a name, called
with plain data when its time has come. Freezing the clock holds duties back, advancing it makes
them due at once. As duties are data, they can be kept in a state file.

    @duty("audience.ready")
    def _ready(platform: Platform, data: Json) -> None: ...

    platform.agenda.after(1.5, "audience.ready", {"channel": channel.id, "audience": 7})
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .model import Json

if TYPE_CHECKING:
    from .platform import Platform

log = logging.getLogger("line_emulator.agenda")

Duty = Callable[["Platform", Json], None]
DUTIES: dict[str, Duty] = {}
"""Every duty by its name; filled by `duty` when the feature's module is imported."""
_AT_ONCE = 500
_AT_ONCE_SECONDS = 0.02
"""So many duties run, or so long (of the machine's time), before requests get their turn again."""


def duty(name: str) -> Callable[[Duty], Duty]:
    """Register a function as the duty `name`. Raises ValueError if the name is taken."""

    def register(function: Duty) -> Duty:
        if name in DUTIES:
            raise ValueError(f"there is a duty {name!r} already")
        DUTIES[name] = function
        return function

    return register


class Agenda:
    """The duties of one platform, soonest first."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._heap: list[tuple[float, int, str, Json]] = []
        self._number = 0
        self._handle: asyncio.Handle | None = None
        self._closed = False
        self._due: float | None = None

    @property
    def moved(self) -> tuple[int, int]:
        """Differs whenever a duty was added or done."""
        return self._number, len(self._heap)

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, name: str, data: Json) -> None:
        """Do `name` with `data` when the clock shows `when` (seconds since 1970)."""
        self._number += 1
        heapq.heappush(self._heap, (when, self._number, name, data))
        if self._heap[0][1] == self._number:
            self.wake()

    def after(self, seconds: float, name: str, data: Json) -> None:
        """Do `name` with `data` in so many seconds.

        What a duty plans counts from when that duty was due, not from when it was done: a clock
        that is moved by a day finds a day's chain of duties, one after the other.
        """
        since = self._platform.clock.now() if self._due is None else self._due
        self.at(since + seconds, name, data)

    def pending(self) -> list[tuple[float, str, Json]]:
        """All duties still to be done, in order."""
        return [(when, name, data) for when, _, name, data in sorted(self._heap)]

    def wake(self) -> None:
        """Look at the clock again: it was moved, or there is something sooner."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._closed or not self._heap:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # not started yet; `Emulator.start` wakes the agenda
        wait = self._heap[0][0] - self._platform.clock.now()
        if wait <= 0:
            self._handle = loop.call_soon(self._run)
        elif not self._platform.clock.frozen:
            self._handle = loop.call_later(wait, self._run)

    def close(self) -> None:
        """Do nothing any more."""
        self._closed = True
        self.wake()

    def _run(self) -> None:
        self._handle = None
        now = self._platform.clock.now()
        until = time.perf_counter() + _AT_ONCE_SECONDS
        for _ in range(_AT_ONCE):
            if not self._heap or self._heap[0][0] > now or time.perf_counter() > until:
                break
            self._due, _, name, data = heapq.heappop(self._heap)
            try:
                DUTIES[name](self._platform, data)
            except Exception:
                log.exception("duty %s", name)
                self._platform.own_errors += 1
            finally:
                self._due = None
        self.wake()
