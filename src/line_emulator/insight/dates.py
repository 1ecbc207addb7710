"""Days as LINE's statistics take them: `yyyyMMdd` in UTC+9."""

from __future__ import annotations

from datetime import date, datetime, timedelta


def read_day(value: str | None) -> date | None:
    """The calendar day that `yyyyMMdd` names, or None if it names none."""
    if value is None or len(value) != 8 or not value.isascii() or not value.isdigit():
        return None
    try:
        return datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day
    except ValueError:
        return None


def write_day(day: date) -> str:
    """The day as `yyyyMMdd`."""
    return day.strftime("%Y%m%d")


def years_before(day: date, years: int) -> date:
    """The same day so many years ago; 1 March for a 29 February that was not."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, month=3, day=1)


def days_between(first: date, last: date) -> list[str]:
    """Every day from `first` to `last`, both included, as `yyyyMMdd`."""
    return [write_day(first + timedelta(days=one)) for one in range((last - first).days + 1)]
