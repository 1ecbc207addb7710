"""Posting webhook events to bots: signed, gathered, in order for each person, once more if asked.

Rules: Messaging API docs, "Receive messages (webhook)" and "Check webhook error statistics": 2 s
to answer, anything but 2xx is a failure, redelivery is off by default and keeps `webhookEventId`,
`replyToken` and `timestamp`. Duplicates, reordering and delays happen at LINE by chance; here on
demand.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import aiohttp
import orjson

from .journal import News
from .lanes import Lane, Pending
from .model import Channel, Json

if TYPE_CHECKING:
    from .platform import Platform

log = logging.getLogger("line_emulator.webhooks")


def sign(secret: str, body: bytes) -> str:
    """The `x-line-signature` of a body: base64 of HMAC-SHA256 keyed with the channel secret.

    Reference, "Signature validation".
    """
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


class WebhookPoster:
    """Posts the events of all channels."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.news = News()
        self.moved = 0
        """Rises whenever an event is queued or answered for."""
        self._lanes: dict[str, Lane] = {}
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()

    def lane(self, channel: Channel) -> Lane:
        """The channel's queue and statistics."""
        lane = self._lanes.get(channel.id)
        if lane is None:
            lane = self._lanes[channel.id] = Lane(self, channel)
        return lane

    def session(self) -> aiohttp.ClientSession:
        """The HTTP client shared by all posts."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "User-Agent": "LineBotWebhook/2.0",
                },
                auto_decompress=False,
            )
        return self._session

    def send(self, channel: Channel, event: Json, order_key: str) -> bool:
        """Put an event on its way; False if the channel has no webhook in use."""
        lane = self.lane(channel)
        if not (channel.webhook_url and channel.use_webhook):
            lane.stats.unsent += 1
            return False
        channel.recent_events.append(event)
        lane.stats.created += 1
        self._enqueue(lane, Pending(event, order_key))
        return True

    def redeliver(self, channel: Channel, count: int) -> int:
        """Post the last `count` events once more, marked as redelivered. Returns how many."""
        events = list(channel.recent_events)[-count:] if count > 0 else []
        lane = self.lane(channel)
        for event in events:
            lane.stats.redeliveries += 1
            self._enqueue(lane, Pending(event, _order_key(event), redelivery=True))
        return len(events)

    def _enqueue(self, lane: Lane, item: Pending) -> None:
        lane.unsettled[item] = None
        self.moved += 1
        settings = lane.channel.webhook
        wait = settings.delay
        if settings.delay_jitter:
            wait += self.platform.rng.random() * settings.delay_jitter
        put = lane.put_shuffled if settings.reorder_window > 0 else lane.put
        if wait > 0:
            self.later(wait, lambda: put(item))
        else:
            put(item)

    def resume(self) -> None:
        """Post what an earlier process left unanswered, as a state file remembers it.

        Who was posted to just before the end gets those events again, as LINE may do.
        """
        for lane in self._lanes.values():
            for item in list(lane.unsettled):
                lane.put(item)

    async def post(self, lane: Lane, batch: list[Pending]) -> None:
        """Post one batch (and its duplicates) and book what became of it."""
        channel = lane.channel
        self._mark_delivered(channel, batch)
        body = self.body(channel, [self._as_sent(item) for item in batch])
        settings = channel.webhook
        copies = 0
        if settings.duplicate_times and self.platform.rng.random() < settings.duplicate_chance:
            copies = settings.duplicate_times
        lane.stats.duplicates += copies * len(batch)
        outcomes = await asyncio.gather(*(self._once(channel, body) for _ in range(1 + copies)))
        lane.stats.posts += 1 + copies
        status, reason, detail = outcomes[0]
        if any(200 <= outcome[0] < 300 for outcome in outcomes):
            lane.stats.ok += len(batch)
            self._settle(lane, batch)
            return
        if reason == "REQUEST_TIMEOUT":
            lane.stats.timeouts += 1
        lane.stats.errors.append(
            {
                "at": self.platform.clock.now_ms(),
                "url": channel.webhook_url,
                "reason": reason,
                "detail": detail,
                "statusCode": status,
                "events": len(batch),
            }
        )
        for item in batch:
            self._retry_or_fail(lane, item)

    def _retry_or_fail(self, lane: Lane, item: Pending) -> None:
        settings = lane.channel.webhook
        if settings.redelivery and item.attempts <= len(settings.redelivery_delays):
            wait = settings.redelivery_delays[item.attempts - 1]
            item.redelivery = True
            lane.stats.redeliveries += 1
            self.later(wait, lambda: lane.put(item))
            return
        lane.stats.failed += 1
        self._settle(lane, (item,))

    def _settle(self, lane: Lane, items: Iterable[Pending]) -> None:
        for item in items:
            lane.unsettled.pop(item, None)
        self.moved += 1
        if not lane.unsettled:
            self.news.tell()

    def _mark_delivered(self, channel: Channel, batch: list[Pending]) -> None:
        now = self.platform.clock.now()
        for item in batch:
            item.attempts += 1
            value = item.event.get("replyToken")
            token = channel.reply_tokens.get(value) if isinstance(value, str) else None
            if token is not None:
                token.delivered_at = now
                token.redelivered = item.redelivery

    @staticmethod
    def _as_sent(item: Pending) -> Json:
        if not item.redelivery:
            return item.event
        return item.event | {"deliveryContext": {"isRedelivery": True}}

    @staticmethod
    def body(channel: Channel, events: list[Json]) -> bytes:
        """The request body for these events (reference, "Request body" of webhooks)."""
        return orjson.dumps({"destination": channel.bot_user_id, "events": events})

    async def _once(self, channel: Channel, body: bytes) -> tuple[int, str, str]:
        url = channel.webhook_url
        if url is None:
            return 0, "UNCLASSIFIED", "the webhook URL was removed"
        faults = self.platform.faults
        fault = None
        if faults.rules:
            fault = faults.strike("POST", urlsplit(url).path, channel.id, body, on="webhook")
        if fault is None:
            return await self.post_once(channel, url, body)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return await self.post_once(channel, url, body)
        if fault.kind == "signature":
            return await self.post_once(channel, url, body, secret="somebody else's")  # noqa: S106
        # What is left counts as failed; the bot may have got it all the same.
        if fault.kind == "500_after" or fault.accept:
            await self.post_once(channel, url, body)
        if fault.kind == "timeout":
            await asyncio.sleep(channel.webhook.timeout)
            return 0, "REQUEST_TIMEOUT", "Request timeout"
        if fault.kind == "reset":
            return 0, "COULD_NOT_CONNECT", f"Failed to connect: {url}"
        return 500, "ERROR_STATUS_CODE", "500"

    async def post_once(
        self, channel: Channel, url: str, body: bytes, *, secret: str | None = None
    ) -> tuple[int, str, str]:
        """Post a signed body; returns status, reason and detail as LINE's webhook test names them.

        Reference, "Test webhook endpoint". Status is 0 when no answer came.
        """
        timeout = channel.webhook.timeout
        headers = {"x-line-signature": sign(secret or channel.secret, body)}
        try:
            async with asyncio.timeout(timeout):
                async with self.session().post(
                    url, data=body, headers=headers, allow_redirects=False
                ) as response:
                    await response.read()
                    status = response.status
        except TimeoutError:
            return 0, "REQUEST_TIMEOUT", "Request timeout"
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError, OSError) as error:
            kind = "TLS handshake failure" if isinstance(error, aiohttp.ClientSSLError) else (
                "Failed to connect"
            )  # fmt: skip
            return 0, "COULD_NOT_CONNECT", f"{kind}: {url}"
        except (aiohttp.ClientError, ValueError) as error:
            log.info("webhook to %s failed: %r", url, error)
            return 0, "UNCLASSIFIED", "N/A"
        if 200 <= status < 300:
            return status, "OK", str(status)
        return status, "ERROR_STATUS_CODE", str(status)

    # Lifetime

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run work beside the others until it ends or everything is dropped."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something after `seconds` of real time, unless everything is dropped before."""

        def run() -> None:
            self._timers.discard(handle)
            call()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(handle)

    async def drop_all(self) -> None:
        """Forget everything that is on its way."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
        self.news.tell()

    async def close(self) -> None:
        """Stop posting and close the HTTP client."""
        await self.drop_all()
        if self._session is not None:
            await self._session.close()

    def pending(self, channel: Channel | None = None) -> int:
        """Events not yet answered for, of one channel or of all; waits for redelivery included."""
        if channel is not None:
            return self.lane(channel).pending
        return sum(lane.pending for lane in self._lanes.values())

    def describe(self, channel: Channel) -> Json:
        """The channel's statistics for the control API."""
        lane = self.lane(channel)
        stats = lane.stats
        return {
            "channel_id": channel.id,
            "created": stats.created,
            "ok": stats.ok,
            "failed": stats.failed,
            "pending": lane.pending,
            "unsent": stats.unsent,
            "posts": stats.posts,
            "timeouts": stats.timeouts,
            "redeliveries": stats.redeliveries,
            "duplicates": stats.duplicates,
            "errors": list(stats.errors),
        }


def _order_key(event: Json) -> str:
    source = event.get("source")
    if not isinstance(source, dict):
        return ""
    who = cast(Json, source)
    return str(who.get("groupId") or who.get("roomId") or who.get("userId") or "")
