"""LINE's rate limits as token buckets, one for each channel and endpoint.

Figures: Messaging API reference, "Rate limits". "How rate limits work" there says that the limit is
a token bucket by channel and by endpoint with method.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds."""

    requests: int
    seconds: float


PER_SECOND_2000 = Limit(2000, 1)
PER_SECOND_370 = Limit(370, 1)
PER_SECOND_200 = Limit(200, 1)
PER_SECOND_100 = Limit(100, 1)
PER_SECOND_10 = Limit(10, 1)
PER_MINUTE_1000 = Limit(1000, 60)
PER_MINUTE_60 = Limit(60, 60)
PER_HOUR_100 = Limit(100, 3600)
PER_HOUR_60 = Limit(60, 3600)
PER_HOUR_3 = Limit(3, 3600)


class Buckets:
    """The token buckets of one channel."""

    __slots__ = ("_level",)

    def __init__(self) -> None:
        self._level: dict[str, tuple[float, float]] = {}

    def kept(self, now: float) -> dict[str, tuple[float, float]]:
        """Each bucket's level and for how many seconds it has stood."""
        return {key: (level, now - then) for key, (level, then) in self._level.items()}

    def restore(
        self, levels: dict[str, tuple[float, float]], now: float, away: float = 0.0
    ) -> None:
        """Take over what `kept` said `away` seconds ago; they have filled up in the meantime."""
        self._level = {key: (level, now - age - away) for key, (level, age) in levels.items()}

    def take(self, key: str, limit: Limit, now: float) -> bool:
        """Take a token for the endpoint `key` at monotonic second `now`; False if none is left."""
        level, then = self._level.get(key, (float(limit.requests), now))
        level = min(limit.requests, level + (now - then) * limit.requests / limit.seconds)
        if level < 1:
            self._level[key] = (level, now)
            return False
        self._level[key] = (level - 1, now)
        return True
