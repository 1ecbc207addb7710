"""Quiet hours: when nothing is sent unasked, by the clock on the shop's wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

LEAST_FREE = timedelta(hours=4)
"""Quiet hours leave at least so much of a day to send in."""
_STEP = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until just before `end` on the clocks of `timezone`, also over midnight.

    The clock on the wall counts: when it is put forward or back at night, the quiet hours
    are shorter or longer by as much.
    """

    start: time
    end: time
    timezone: str

    def hold(self, at: datetime) -> bool:
        """Return whether `at` (with a time zone) lies in the quiet hours."""
        clock = at.astimezone(ZoneInfo(self.timezone)).time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def over(self, at: datetime) -> datetime:
        """Return `at` itself, or the end of the quiet hours in which it lies, to the minute."""
        if not self.hold(at):
            return at
        # Looked for rather than reckoned: what the clock shows at the end may come twice in a
        # night, or never. A day is free for hours (`LEAST_FREE`): the steps cannot miss that.
        found = at.astimezone(UTC).replace(second=0, microsecond=0)
        while self.hold(found):
            found += _STEP
        while not self.hold(found - _MINUTE):
            found -= _MINUTE
        return found


def is_long_enough(start: time, end: time) -> bool:
    """Return whether quiet hours from `start` to `end` are some, and leave time to send in."""
    length = _minutes(end) - _minutes(start)
    if length < 0:
        length += 24 * 60
    return 0 < length <= 24 * 60 - LEAST_FREE.total_seconds() / 60


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute
