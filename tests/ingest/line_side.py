"""LINE's side of a conversation, for tests: people whose events go the whole way in.

What a `Person` does is stored and handled by the code that serves the real webhook and
the real worker; what the shop says back is read from the parcels that wait to be sent.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from hiiki.db import scope
from hiiki.delivery.models import Parcel
from hiiki.ingest.handle import handle
from hiiki.ingest.queue import waiting
from hiiki.ingest.store import keep
from hiiki.kit.ids import contact_id
from hiiki.line.wire import parse
from hiiki.timeline import Event
from hiiki.workspace.models import Channel

PROVIDER = "provider-1"
_numbers = itertools.count(1)


async def make_channel(workspace_id: UUID, **given: Any) -> Channel:
    """Put a channel into a workspace, without LINE knowing of it."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "name": "カレーの店",
        "line_channel_id": f"20000{number:05}",
        "provider": PROVIDER,
        "sealed_secret": b"",
        "sealed_token": b"",
        "webhook_key": f"key-{number}",
    }
    async with scope(workspace_id) as session:
        channel = Channel(**(values | given))
        session.add(channel)
    return channel


def body(*events: dict[str, Any]) -> bytes:
    """Return a webhook body with these events."""
    return orjson.dumps({"destination": "Uffffffffffffffffffffffffffffffff", "events": events})


def event_id() -> str:
    """Return an id such as LINE gives its events."""
    return f"01TEST{next(_numbers):020}"


async def deliver(channel: Channel, *events: dict[str, Any]) -> int:
    """Store events as the webhook does; returns how many were new."""
    return await keep(channel.workspace_id, channel.id, parse(body(*events)))


async def drain() -> int:
    """Handle everything that waits, as one worker does; returns how many events that were."""
    done = 0
    while True:
        due, _resting = await waiting([])
        if not due:
            return done
        for events in due:
            for event in events:
                done += await handle(event)


async def until(check: Callable[[], Awaitable[object]], seconds: float = 30) -> None:
    """Wait until `check()` gives something true; raises `TimeoutError` when it does not."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 — what we wait for happens elsewhere
            await asyncio.sleep(0.01)


@dataclass
class Person:
    """Somebody with a phone."""

    channel: Channel
    user_id: str = field(default_factory=lambda: f"U{next(_numbers):032x}")
    heard_until: int = 0

    @property
    def contact_id(self) -> UUID:
        """The id under which Hiiki knows them."""
        return contact_id(self.channel.workspace_id, self.channel.provider, self.user_id)

    def event(self, kind: str, **more: Any) -> dict[str, Any]:
        """Return an event of theirs as LINE would post it."""
        return {
            "type": kind,
            "mode": "active",
            "timestamp": int(time.time() * 1000),
            "source": {"type": "user", "userId": self.user_id},
            "webhookEventId": event_id(),
            "deliveryContext": {"isRedelivery": False},
            "replyToken": event_id(),
            **more,
        }

    async def does(self, kind: str, **more: Any) -> list[dict[str, Any]]:
        """Do one thing and return what the shop says to it."""
        await deliver(self.channel, self.event(kind, **more))
        await drain()
        return await self.hears()

    async def follow(self) -> list[dict[str, Any]]:
        """Add the account."""
        return await self.does("follow", follow={"isUnblocked": False})

    async def types(self, text: str) -> list[dict[str, Any]]:
        """Send a text."""
        message = {"id": str(next(_numbers)), "type": "text", "text": text, "quoteToken": "q"}
        return await self.does("message", message=message)

    async def taps(self, messages: list[dict[str, Any]], label: str, **params: Any) -> list[Any]:
        """Tap the button `label` of these messages."""
        return await self.does("postback", **tap_of(messages, label, **params))

    async def hears(self) -> list[dict[str, Any]]:
        """Return what was said to them since the last time."""
        async with scope(self.channel.workspace_id) as session:
            parcels = list(
                await session.scalars(
                    select(Parcel)
                    .where(Parcel.contact_ids.contains([self.contact_id]))
                    .order_by(Parcel.id)
                )
            )
        new = parcels[self.heard_until :]
        self.heard_until = len(parcels)
        return [message for parcel in new for message in parcel.messages or []]

    async def timeline(self, *kinds: str) -> list[Event]:
        """Return what stands on their timeline, oldest first."""
        async with scope(self.channel.workspace_id) as session:
            query = select(Event).where(Event.contact_id == self.contact_id)
            if kinds:
                query = query.where(Event.kind.in_(kinds))
            return list(await session.scalars(query.order_by(Event.id)))


def actions_in(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every action that can be tapped in these messages."""
    found: list[dict[str, Any]] = []
    for message in messages:
        template = message.get("template", {})
        found += template.get("actions", [])
        for column in template.get("columns", []):
            found += column["actions"]
        found += [item["action"] for item in message.get("quickReply", {}).get("items", [])]
    return found


def tap_of(messages: list[dict[str, Any]], label: str, **params: Any) -> dict[str, Any]:
    """Return the `postback` part of the event that a tap on `label` makes."""
    action = next(a for a in actions_in(messages) if a["label"] == label)
    postback: dict[str, Any] = {"data": action["data"]}
    return {"postback": postback | ({"params": params} if params else {})}


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """Return the words of these messages, one string each."""
    return [
        message.get("text")
        or message.get("template", {}).get("text")
        or message["template"]["columns"][0]["text"]
        for message in messages
    ]
