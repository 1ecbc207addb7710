"""The emulator's clock: real by default, and a test may freeze it or move it forward."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "UTC+9")
"""The zone in which LINE counts days and months (reference, "Get number of sent messages")."""


class Clock:
    """Tells the time that reply tokens, retry keys, quota months and events follow.

    Rate limits follow `elapsed`, which goes on while the clock is frozen: a frozen clock is there
    to make timestamps predictable, not to lock an API for ever.
    """

    __slots__ = ("_advanced", "_day", "_day_number", "_frozen_at", "_offset")

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen_at: float | None = None
        self._advanced = 0.0
        self._day_number = -1
        self._day = ""

    @property
    def frozen(self) -> bool:
        """Whether time stands still until `advance` or `real`."""
        return self._frozen_at is not None

    def now(self) -> float:
        """Seconds since 1970, as this emulator sees it."""
        if self._frozen_at is not None:
            return self._frozen_at
        return time.time() + self._offset

    def now_ms(self) -> int:
        """Milliseconds since 1970: what LINE puts into `timestamp`."""
        return int(self.now() * 1000)

    def elapsed(self) -> float:
        """Monotonic seconds, including what was skipped by `advance`."""
        return time.monotonic() + self._advanced

    def freeze(self, at: float | None = None) -> None:
        """Stop the clock, now or at `at` (seconds since 1970)."""
        self._frozen_at = self.now() if at is None else at

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Raises ValueError for a negative number: time never returns."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._advanced += seconds
        if self._frozen_at is not None:
            self._frozen_at += seconds
        else:
            self._offset += seconds

    def real(self) -> None:
        """Go back to the machine's own time."""
        self._frozen_at = None
        self._offset = 0.0

    def kept(self) -> tuple[float, float | None, float]:
        """What makes this clock differ from the machine's: offset, frozen at, advanced by."""
        return self._offset, self._frozen_at, self._advanced

    def restore(self, offset: float, frozen_at: float | None, advanced: float) -> None:
        """Differ from the machine's clock as `kept` says."""
        self._offset, self._frozen_at, self._advanced = offset, frozen_at, advanced

    def month(self) -> str:
        """The current month in UTC+9 as `yyyyMM`, the unit of the message quota."""
        return self.day()[:6]

    def day(self) -> str:
        """The current day in UTC+9 as `yyyyMMdd`, the unit of delivery counts."""
        now = self.now()
        number = int((now + 9 * 3600) // 86_400)
        if number != self._day_number:
            # Asked for several times by every push: written out once a day.
            self._day = datetime.fromtimestamp(now, JST).strftime("%Y%m%d")
            self._day_number = number
        return self._day
