"""The queue of one channel's webhook events: gathered into posts, in order for each person."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from .model import Channel, Json

if TYPE_CHECKING:
    from .webhooks import WebhookPoster


class Stats:
    """Counts of one channel's webhook deliveries since the last reset, in events unless named."""

    __slots__ = (
        "created", "duplicates", "errors", "failed", "ok", "posts", "redeliveries", "timeouts",
        "unsent",
    )  # fmt: skip

    def __init__(self) -> None:
        self.created = 0
        self.ok = 0
        self.failed = 0
        self.unsent = 0
        self.posts = 0
        self.timeouts = 0
        self.redeliveries = 0
        self.duplicates = 0
        self.errors: deque[Json] = deque(maxlen=50)


class Pending:
    """An event on its way: its JSON and how often it has been tried."""

    __slots__ = ("attempts", "event", "order_key", "redelivery")

    def __init__(self, event: Json, order_key: str, redelivery: bool = False) -> None:
        self.event = event
        self.order_key = order_key
        self.redelivery = redelivery
        self.attempts = 0


class Lane:
    """One channel's queue.

    Events of one person never travel in two posts at the same time: the next one waits until the
    post before it is answered. Events of different people do, up to the channel's concurrency.
    """

    def __init__(self, poster: WebhookPoster, channel: Channel) -> None:
        self.poster = poster
        self.channel = channel
        self.stats = Stats()
        self.unsettled: dict[Pending, None] = {}
        """Events not yet answered for, in the order in which they came."""
        self._queues: dict[str, deque[Pending]] = {}
        self._ready: deque[str] = deque()
        self._posting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._shuffle: list[Pending] = []

    @property
    def pending(self) -> int:
        """How many events are not yet answered for."""
        return len(self.unsettled)

    def put(self, item: Pending) -> None:
        """Queue an event behind the others of the same person."""
        queue = self._queues.get(item.order_key)
        if queue is None:
            self._queues[item.order_key] = deque((item,))
            self._ready.append(item.order_key)
        else:
            queue.append(item)
        self._arm()

    def put_shuffled(self, item: Pending) -> None:
        """Hold an event for the reorder window; all held events then leave in random order."""
        if not self._shuffle:
            self.poster.later(self.channel.webhook.reorder_window, self._release_shuffled)
        self._shuffle.append(item)

    def _release_shuffled(self) -> None:
        held, self._shuffle = self._shuffle, []
        self.poster.platform.rng.shuffle(held)
        for place, item in enumerate(held):
            # A key of its own lifts the order among one person's events: that is the point here.
            item.order_key = f"{item.order_key}/{place}/{id(item)}"
            self.put(item)

    def _arm(self) -> None:
        settings = self.channel.webhook
        if self._posting >= settings.concurrency or not self._ready:
            return
        if len(self._ready) >= settings.max_events:
            self._cut()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(settings.gather, self._cut)

    def _cut(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        settings = self.channel.webhook
        while self._ready and self._posting < settings.concurrency:
            batch: list[Pending] = []
            keys: list[str] = []
            while self._ready and len(batch) < settings.max_events:
                key = self._ready.popleft()
                queue = self._queues[key]
                while queue and len(batch) < settings.max_events:
                    batch.append(queue.popleft())
                keys.append(key)
            self._posting += 1
            self.poster.spawn(self._post_batch(batch, keys))
            if len(self._ready) < settings.max_events:
                break
        self._arm()

    async def _post_batch(self, batch: list[Pending], keys: list[str]) -> None:
        try:
            await self.poster.post(self, batch)
        finally:
            self._posting -= 1
            for key in keys:
                if self._queues.get(key):
                    self._ready.append(key)
                else:
                    self._queues.pop(key, None)
            self._arm()
