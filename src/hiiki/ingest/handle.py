"""What one webhook event does, in one transaction.

The event is marked handled, the person and their friendship are brought up to date, and
`Context.emit` puts it on the timeline and lets everything that waits for it run. Either
all of that is committed, with what is to be said in reply, or nothing of it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hiiki.actions.context import Context
from hiiki.actions.rulebook import STATE
from hiiki.contacts import service as contacts
from hiiki.db import WorkspaceSession, scope
from hiiki.ingest.translate import Told, part, reply_until, tell
from hiiki.ingest.unsend import forget_message, was_unsent
from hiiki.kit.ids import contact_id
from hiiki.kit.road import Reaction
from hiiki.workspace.models import Channel

CHANNEL_KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits to be handled, as the queue shows it."""

    workspace_id: UUID
    channel_id: UUID
    event_id: str
    source_id: str
    kind: str
    at: datetime
    received_at: datetime
    serial: int
    attempts: int
    payload: Mapping[str, Any]

    @property
    def source(self) -> tuple[UUID, str]:
        """Whose it is: events are handled one after the other within it."""
        return (self.channel_id, self.source_id)

    @property
    def user_id(self) -> str:
        """The friend it is of; "" for what happens in a group or a room."""
        source = part(self.payload, "source")
        return str(source.get("userId") or "") if source.get("type") == "user" else ""


SEEN_WITHIN = timedelta(minutes=1)
"""Somebody who was seen so short a time ago need not be noted as seen once more."""

# One statement that claims and marks. The advisory lock lasts until the transaction ends,
# so no other worker is at the same source meanwhile; and an event has its turn only when
# no earlier one of its source still waits. Where either does not hold, no row comes back.
# What comes back: in which state the workspace's rules are (`hiiki.actions.rulebook`), and
# whether the person is well known, so that in the middle of a conversation nothing more
# has to be asked. Their friendship's key is derived (`kit.ids.contact_id`).
_CLAIM = text(
    f"""
    update ingest.webhook_event w
    set state = 'handled', handled_at = clock_timestamp(), attempts = w.attempts + 1,
        retry_at = null, error = null
    where w.workspace_id = :workspace_id and w.channel_id = :channel_id
        and w.event_id = :event_id and w.state = 'waiting'
        and (w.retry_at is null or w.retry_at <= clock_timestamp())
        and not exists (
            select 1 from ingest.webhook_event e
            where e.channel_id = :channel_id and e.source_id = :source_id
                and e.state = 'waiting' and (e.at, e.serial) < (w.at, w.serial)
        )
        and pg_try_advisory_xact_lock(hashtextextended(:source, 0))
    returning {STATE}, exists (
        select 1 from contacts.friendship f
        where f.workspace_id = :workspace_id and f.contact_id = :contact_id
            and f.channel_id = :channel_id and f.last_seen_at > :seen_since
    )
    """  # noqa: S608 — put together of two constants
)

_BY_HAND = {"scoped_by_hand": True}

_channels: dict[UUID, tuple[float, Channel]] = {}


async def handle(waiting: Waiting) -> bool:
    """Handle one event; False when it is not (or no longer) this worker's turn.

    Raises whatever went wrong in it, with nothing of it done.
    """
    user_id = waiting.user_id
    async with scope(waiting.workspace_id) as session:
        channel = await channel_of(session, waiting.channel_id)
        person = contact_id(waiting.workspace_id, channel.provider, user_id)
        claimed = await session.execute(
            _CLAIM,
            {
                "workspace_id": waiting.workspace_id,
                "channel_id": waiting.channel_id,
                "event_id": waiting.event_id,
                "source_id": waiting.source_id,
                "source": f"{waiting.channel_id}{waiting.source_id}",
                "contact_id": person,
                "seen_since": waiting.at - SEEN_WITHIN,
            },
            execution_options=_BY_HAND,
        )
        row = claimed.one_or_none()
        if row is None:
            return False
        told = tell(waiting.kind, waiting.payload)
        if user_id and told.kind:
            if not row[1] or told.kind in ("follow", "unfollow"):
                await note(session, channel, user_id, waiting, told)
            await apply(session, person, waiting, told, rulebook=str(row[0]))
    return True


async def apply(
    session: WorkspaceSession,
    person: UUID,
    waiting: Waiting,
    told: Told,
    rulebook: str,
    unconcerned: Collection[Reaction] = (),
) -> None:
    """Let the event happen to the person: the timeline, whoever waits for it, what is said."""
    payload = waiting.payload
    token = payload.get("replyToken")
    context = Context(
        session,
        person,
        waiting.channel_id,
        reply_token=token if isinstance(token, str) and token else None,
        reply_until=reply_until(payload, waiting.at, waiting.received_at),
        # Messaging API, "Common properties": in standby another module speaks, we must not.
        is_silent=payload.get("mode") == "standby",
        rulebook=rulebook,
        unconcerned=unconcerned,
    )
    data = told.data
    if told.kind == "unsend":
        await forget_message(session, person, waiting.channel_id, data["message_id"])
    elif told.kind == "message":
        is_late = part(payload, "deliveryContext").get("isRedelivery") is True
        if is_late and await was_unsent(session, person, data["message_id"]):
            data = {"type": data["type"], "message_id": data["message_id"], "unsent": True}
        else:
            data = data | {"event_id": waiting.event_id}
    await context.emit(told.kind, at=waiting.at, data=data)
    await context.close()


async def note(
    session: WorkspaceSession, channel: Channel, user_id: str, waiting: Waiting, told: Told
) -> None:
    """Bring the person and their friendship up to date."""
    if told.kind == "follow":
        await contacts.befriend(
            session, channel, user_id, at=waiting.at, is_unblocked=told.data["is_unblocked"]
        )
    elif told.kind == "unfollow":
        await contacts.block(session, channel, user_id, at=waiting.at)
    else:
        await contacts.meet(session, channel, user_id, at=waiting.at)


async def channel_of(session: WorkspaceSession, channel_id: UUID) -> Channel:
    """Return the channel, from this worker's memory if it was read a moment ago.

    Only what never changes (its id, workspace and provider) is used of it here.
    """
    known = _channels.get(channel_id)
    if known is not None and time.monotonic() - known[0] < CHANNEL_KEPT_SECONDS:
        return known[1]
    channel = await session.one(Channel, channel_id)
    session.expunge(channel)
    _channels[channel_id] = (time.monotonic(), channel)
    return channel
