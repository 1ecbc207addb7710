"""Quiet hours: over midnight, in every time zone, on nights when the clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiiki.delivery.guards import Limits
from hiiki.delivery.hours import QuietHours, is_long_enough

MINUTE = timedelta(minutes=1)
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.builds(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
    st.integers(0, 3 * 365 * 24 * 3600),
)
# The nights on which clocks change, hour by hour around.
CHANGES = st.builds(
    lambda base, minutes: base + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2026, 3, 29, 1, tzinfo=UTC),
            datetime(2026, 10, 25, 1, tzinfo=UTC),
            datetime(2026, 3, 8, 7, tzinfo=UTC),
            datetime(2026, 11, 1, 6, tzinfo=UTC),
            datetime(2026, 4, 4, 15, tzinfo=UTC),
            datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        ]
    ),
    st.integers(-600, 600),
)


def tokyo(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("at", "over"),
    [
        (tokyo(22, 20, 59), tokyo(22, 20, 59)),
        (tokyo(22, 21), tokyo(23, 8)),
        (tokyo(22, 23, 59), tokyo(23, 8)),
        (tokyo(23, 0), tokyo(23, 8)),
        (tokyo(23, 7, 59), tokyo(23, 8)),
        (tokyo(23, 8), tokyo(23, 8)),
    ],
)
def test_over_midnight(at: datetime, over: datetime) -> None:
    quiet = QuietHours(time(21), time(8), "Asia/Tokyo")
    assert quiet.over(at.astimezone(UTC)) == over


def test_within_a_day() -> None:
    quiet = QuietHours(time(12), time(13, 30), "Asia/Tokyo")
    assert quiet.over(tokyo(22, 12)) == tokyo(22, 13, 30)
    assert quiet.over(tokyo(22, 11, 59)) == tokyo(22, 11, 59)
    assert quiet.over(tokyo(22, 13, 30)) == tokyo(22, 13, 30)


def test_the_hour_that_comes_twice_and_the_one_that_never_comes() -> None:
    berlin = QuietHours(time(22), time(2, 30), "Europe/Berlin")
    # 25 October: 2:30 comes first at 0:30 UTC. It is then 2:00 again at 1:00, and quiet again.
    assert berlin.over(datetime(2026, 10, 24, 22, tzinfo=UTC)) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert berlin.over(datetime(2026, 10, 25, 1, tzinfo=UTC)) == datetime(
        2026, 10, 25, 1, 30, tzinfo=UTC
    )
    # 29 March: at 2:00 it is 3:00, so there is no 2:30.
    assert berlin.over(datetime(2026, 3, 28, 23, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


@settings(max_examples=150, deadline=None)
@given(start=CLOCKS, end=CLOCKS, zone=st.sampled_from(ZONES), at=MOMENTS | CHANGES)
def test_the_end_is_the_first_moment_that_is_free(
    start: time, end: time, zone: str, at: datetime
) -> None:
    if not is_long_enough(start, end):
        return
    quiet = QuietHours(start, end, zone)
    over = quiet.over(at)
    assert over >= at
    assert not quiet.hold(over)
    if over == at:
        return
    minute = at.replace(second=0, microsecond=0)
    assert over - at <= timedelta(hours=22)
    while minute < over:
        assert quiet.hold(minute), f"{minute} was free already"
        minute += MINUTE


@settings(max_examples=100, deadline=None)
@given(zone=st.sampled_from(ZONES), at=MOMENTS | CHANGES)
def test_days_and_weeks_begin_at_midnight_by_the_shops_clock(zone: str, at: datetime) -> None:
    allowed = Limits(1, 1, None, zone)
    day, week = allowed.day_began(at), allowed.week_began(at)
    here = at.astimezone(ZoneInfo(zone))
    assert day.astimezone(UTC) <= at
    assert day.date() == here.date()
    assert (day.date() - week.date()).days == 6
    for began in (day, week):
        assert began.astimezone(ZoneInfo(zone)).time() == time(0)


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        (time(21), time(8), True),
        (time(8), time(8), False),
        (time(8), time(4), True),
        (time(8), time(4, 1), False),
        (time(0), time(23, 59), False),
        (time(0), time(0, 1), True),
    ],
)
def test_how_long_quiet_hours_may_be(start: time, end: time, fits: bool) -> None:
    assert is_long_enough(start, end) is fits
