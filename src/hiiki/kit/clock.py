"""Time, from one place, so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


def from_millis(millis: int) -> datetime:
    """Return the moment that LINE writes as milliseconds since 1970."""
    return datetime.fromtimestamp(millis / 1000, UTC)
