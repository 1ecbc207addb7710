"""What happened, in order: arrivals at phones and requests at the API, for those who watch.

Both are numbered logs that a reader follows with `after=<number>`; reading can wait for news.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from .model import Json, Sending


class News:
    """Lets readers sleep until something is added."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Wake all who wait."""
        if self._waiters:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    async def wait(self, seconds: float) -> None:
        """Return at the next `tell`, or after `seconds`."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """One sending reaching many phones: these have the numbers `first`, `first + 1`, …"""

    first: int
    sending: Sending
    user_ids: Sequence[str]


class Deliveries:
    """The log of messages that arrived at phones, one number for each phone and sending.

    It keeps about `keep` arrivals; a reader who falls further behind misses the oldest.
    """

    def __init__(self, keep: int = 2_000_000) -> None:
        self._blocks: list[Arrivals] = []
        self._starts: list[int] = []
        self._keep = keep
        self.last = 0
        self.news = News()

    def add(self, sending: Sending, user_ids: Sequence[str]) -> None:
        """Record that `sending` reached these people, in this order."""
        if not user_ids:
            return
        self._blocks.append(Arrivals(self.last + 1, sending, user_ids))
        self._starts.append(self.last + 1)
        self.last += len(user_ids)
        if self.last - self._starts[0] > self._keep and len(self._blocks) > 8:
            drop = len(self._blocks) // 4
            del self._blocks[:drop], self._starts[:drop]
        self.news.tell()

    def blocks(self) -> list[Arrivals]:
        """All arrivals that are kept, oldest first."""
        return self._blocks

    def restore(self, blocks: list[Arrivals], last: int) -> None:
        """Go on from a log that was kept elsewhere."""
        self._blocks = blocks
        self._starts = [block.first for block in blocks]
        self.last = last

    def after(self, seq: int, limit: int) -> list[tuple[int, Sending, str]]:
        """Up to `limit` arrivals numbered above `seq`."""
        found: list[tuple[int, Sending, str]] = []
        index = max(0, bisect_right(self._starts, seq + 1) - 1)
        while index < len(self._blocks) and len(found) < limit:
            block = self._blocks[index]
            skip = max(0, seq + 1 - block.first)
            for place in range(skip, len(block.user_ids)):
                if len(found) >= limit:
                    break
                found.append((block.first + place, block.sending, block.user_ids[place]))
            index += 1
        return found


class Requests:
    """The log of requests at LINE's API: what was called and what it answered, never the token."""

    def __init__(self, keep: int = 50_000) -> None:
        self._rows: deque[Json] = deque(maxlen=keep)
        self.last = 0
        self.news = News()

    def add(self, row: Json) -> None:
        """Record one request; `row` gets its number as `seq`."""
        self.last += 1
        row["seq"] = self.last
        self._rows.append(row)
        self.news.tell()

    def newest(self, count: int) -> list[Json]:
        """The last `count` requests, oldest first."""
        return list(self._rows)[-count:]

    def restore(self, rows: list[Json], last: int) -> None:
        """Go on from a log that was kept elsewhere."""
        self._rows.clear()
        self._rows.extend(rows)
        self.last = last

    def after(self, seq: int, limit: int) -> list[Json]:
        """Up to `limit` requests numbered above `seq`."""
        if not self._rows or seq >= self.last:
            return []
        first: int = self._rows[0]["seq"]
        skip = max(0, seq + 1 - first)
        return [self._rows[i] for i in range(skip, min(len(self._rows), skip + limit))]
