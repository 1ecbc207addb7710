"""Rate budgets: how many requests a channel may still make to an endpoint at this moment.

LINE's limits are token buckets by channel and endpoint (Messaging API reference, "Rate
limits"). Ours fill at the same speed but hold less, so whatever we let through, LINE's
have room for. They live in this process: with several workers LINE's 429 says when it
was too much, and `punish` makes the channel wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from hiiki.line.limits import MULTICAST_RATE, PUSH_RATE, REPLY_RATE, Rate

RATES = {"push": PUSH_RATE, "multicast": MULTICAST_RATE, "reply": REPLY_RATE}
BURST = 0.2
"""How much of a second's requests may go at once."""
KEPT_FOR_URGENT = 0.25
"""The part of the burst that bulk leaves to what is urgent."""
PUNISHMENT = 1.0
"""Seconds for which an endpoint is left alone after LINE's 429."""


class Bucket:
    """One endpoint of one channel."""

    __slots__ = ("_clock", "_level", "_then", "capacity", "per_second")

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.per_second = rate.requests / rate.seconds
        self.capacity = max(1.0, self.per_second * BURST)
        self._level = self.capacity
        self._then = clock()

    def level(self) -> float:
        """Return how many requests may be made now; below zero after a debt."""
        now = self._clock()
        if now > self._then:
            filled = self._level + (now - self._then) * self.per_second
            self._level, self._then = min(self.capacity, filled), now
        return self._level

    def spend(self, requests: float) -> None:
        """Note requests that are made; urgent ones may go into debt, which bulk then pays."""
        self._level = self.level() - requests

    def punish(self) -> None:
        """Let nothing through for a while."""
        self.level()
        self._level = min(self._level, 0.0)
        self._then = max(self._then, self._clock() + PUNISHMENT)


class Budgets:
    """The buckets of all channels."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[UUID, str], Bucket] = {}

    def of(self, channel_id: UUID, method: str) -> Bucket:
        """Return the bucket of push, multicast or reply of a channel."""
        key = (channel_id, method)
        found = self._buckets.get(key)
        if found is None:
            found = self._buckets[key] = Bucket(RATES[method], self._clock)
        return found

    def bulk(self, channel_id: UUID, method: str) -> int:
        """Return how many bulk requests may be made now, leaving some for what is urgent."""
        bucket = self.of(channel_id, method)
        return max(0, int(bucket.level() - bucket.capacity * KEPT_FOR_URGENT))

    def spent_channels(self) -> list[UUID]:
        """Return the channels whose urgent requests have to wait a little."""
        return list(
            {
                channel_id
                for (channel_id, method), bucket in self._buckets.items()
                if method != "multicast" and bucket.level() < 1
            }
        )
