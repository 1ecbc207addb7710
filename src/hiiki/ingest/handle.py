"""What webhook events do, one of each of many people in one transaction.

Each event is marked handled, the person and their friendship are brought up to date, and
`Context.emit` puts it on the timeline and lets everything that waits for it run. Either
all of that is committed, with what is to be said in reply, or nothing of it.

A transaction, and each statement in it, costs the same for one event as for thirty. So a hand
that finds work for many people does it together, and what their events ask and write goes in
few statements (`hiiki.db.gathered`). When anything goes wrong, nothing of it has happened, and
each event is handled by itself, so that a fault is its own event's alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from hiiki.actions.context import Context
from hiiki.actions.rulebook import STATE
from hiiki.contacts import service as contacts
from hiiki.contacts.turns import turn_key
from hiiki.db import WorkspaceSession, scope
from hiiki.ingest.translate import Told, part, reply_until, tell
from hiiki.ingest.unsend import forget_message, was_unsent
from hiiki.kit.ids import contact_id
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

# One statement that claims and marks. The advisory locks last until the transaction ends,
# so no other worker is at the same sources meanwhile; they are tried in whatever order the
# rows come, for nobody ever waits for one. An event has its turn only when no earlier one of
# its source still waits. Where either does not hold, no row comes back.
# What comes back: in which state the workspace's rules are (`hiiki.actions.rulebook`), and
# whether the person is well known, so that in the middle of a conversation nothing more
# has to be asked. Their friendship's key is derived (`kit.ids.contact_id`).
_CLAIM = text(
    f"""
    with claimed as (
        update ingest.webhook_event w
        set state = 'handled', handled_at = clock_timestamp(), attempts = w.attempts + 1,
            retry_at = null, error = null
        from json_to_recordset(cast(:events as json)) as x (
            place int, channel_id uuid, event_id text, source_id text, contact_id uuid,
            seen_since timestamptz
        )
        where w.workspace_id = :workspace_id and w.channel_id = x.channel_id
            and w.event_id = x.event_id and w.state = 'waiting'
            and (w.retry_at is null or w.retry_at <= clock_timestamp())
            and not exists (
                select 1 from ingest.webhook_event e
                where e.channel_id = x.channel_id and e.source_id = x.source_id
                    and e.state = 'waiting' and (e.at, e.serial) < (w.at, w.serial)
            )
            and pg_try_advisory_xact_lock({turn_key("x.channel_id", "x.source_id")})
        returning x.place, x.channel_id, x.contact_id, x.seen_since
    ), known as (
        select c.place from claimed c join contacts.friendship f
            on f.workspace_id = :workspace_id and f.contact_id = c.contact_id
            and f.channel_id = c.channel_id and f.last_seen_at > c.seen_since
    )
    select place, {STATE} as rulebook, place in (select k.place from known k) as is_known
    from claimed
    """  # noqa: S608 — put together of two constants
)

_channels: dict[UUID, tuple[float, Channel]] = {}


async def handle(waiting: Waiting) -> bool:
    """Handle one event by itself; False when it is not (or no longer) this worker's turn.

    Raises whatever went wrong in it, with nothing of it done.
    """
    [was_handled] = await handle_together([waiting], is_careful=True)
    return was_handled


async def handle_together(events: Sequence[Waiting], *, is_careful: bool = False) -> list[bool]:
    """Handle one event of each of several sources of one workspace, all or none of them.

    Returns for each whether it was this worker's turn. Raises what went wrong in any; and,
    unless it `is_careful`, `MustUndo` when an action would have to be undone.
    """
    async with scope(events[0].workspace_id) as session:
        people = [
            contact_id(
                event.workspace_id,
                (await channel_of(session, event.channel_id)).provider,
                event.user_id,
            )
            for event in events
        ]
        claimed = await session.execute(
            _CLAIM,
            {
                "workspace_id": events[0].workspace_id,
                "events": orjson.dumps(
                    [
                        {
                            "place": place,
                            "channel_id": event.channel_id,
                            "event_id": event.event_id,
                            "source_id": event.source_id,
                            "contact_id": people[place],
                            "seen_since": event.at - SEEN_WITHIN,
                        }
                        for place, event in enumerate(events)
                    ]
                ).decode(),
            },
            execution_options={"scoped_by_hand": True},
        )
        rows = sorted((int(row[0]), str(row[1]), bool(row[2])) for row in claimed)
        mine = {place for place, _, _ in rows}
        happened: list[tuple[Waiting, Told, UUID, str]] = []
        for place, rulebook, is_known in rows:
            event, told = events[place], tell(events[place].kind, events[place].payload)
            if not (event.user_id and told.kind):
                continue
            if not is_known or told.kind in ("follow", "unfollow"):
                channel = await channel_of(session, event.channel_id)
                await note(session, channel, event.user_id, event, told)
            happened.append((event, told, people[place], rulebook))
        await session.flush()  # what happens to people now may refer to them
        session.deals_with(person for _, _, person, _ in happened)
        for event, told, person, rulebook in happened:
            await apply(session, person, event, told, rulebook, is_careful=is_careful)
    return [place in mine for place in range(len(events))]


async def apply(
    session: WorkspaceSession,
    person: UUID,
    waiting: Waiting,
    told: Told,
    rulebook: str,
    *,
    is_careful: bool,
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
        is_careful=is_careful,
    )
    data = told.data
    if told.kind == "unsend":
        await forget_message(session, person, waiting.channel_id, data["message_id"])
    elif told.kind == "message":
        is_late = part(payload, "deliveryContext").get("isRedelivery") is True
        if part(payload, "message").get("unsent") is True or (
            is_late and await was_unsent(session, person, data["message_id"])
        ):
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
