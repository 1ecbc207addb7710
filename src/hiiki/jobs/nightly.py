"""What is worked out anew each night, in the night of each workspace."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hiiki.kit.clock import now

HOUR = 3
"""Shops are closed, broadcasts are over, and the day before is complete."""


def last_night(timezone: str) -> datetime:
    """Return when it was three o'clock in the morning last in this time zone.

    A job that runs every hour, and does what was not done since then, also makes up for a night
    in which no worker ran.
    """
    here = now().astimezone(ZoneInfo(timezone))
    three = datetime.combine(here.date(), time(HOUR), ZoneInfo(timezone))
    return three if three <= here else three - timedelta(days=1)
