"""Writing to, and reading from, the timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, tuple_

from hiiki.db import WorkspaceSession
from hiiki.db.copying import copy_in, uuids
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.timeline.models import Event
from hiiki.timeline.tallies import count_anew, count_in, count_rows


def record(
    session: WorkspaceSession,
    contact_id: UUID,
    kind: str,
    *,
    at: datetime | None = None,
    channel_id: UUID | None = None,
    subject: object = "",
    value: Decimal | int | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Put one event on a contact's timeline, in this session's transaction.

    It is written with the others of the transaction, in one statement; what is returned is not
    a row of the session. It starts no rules: `hiiki.actions.context.Context.emit` does both.
    """
    event = Event(
        workspace_id=session.workspace_id,
        contact_id=contact_id,
        id=uuid7(),
        at=at or now(),
        channel_id=channel_id,
        kind=kind,
        subject=str(subject),
        value=None if value is None else Decimal(value),
        data=data or {},
    )
    keep(session, event)
    return event


def keep(session: WorkspaceSession, event: Event) -> None:
    """Put an event that somebody has made, with an id of their own, on the timeline."""
    session.write(event)
    count_in(session, event)


_RETRACT = text(
    """
    delete from timeline.event e
    using unnest(cast(:contacts as uuid[]), cast(:events as uuid[]))
        as gone(contact_id, id)
    where e.workspace_id = :workspace_id
      and e.contact_id = gone.contact_id and e.id = gone.id
    returning e.contact_id, e.kind
    """
)


async def record_rows(session: WorkspaceSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put thousands of events on the timeline, given as rows of it, each in all its columns.

    In two statements. They start no rules, and whoever calls sees to it that they are new.
    """
    await copy_in(session, Event, rows)
    await count_rows(session, rows)


async def retract(session: WorkspaceSession, events: Sequence[tuple[UUID, UUID]]) -> None:
    """Take events, by (contact's id, event's id), off the timeline; unknown ones are passed over.

    For what somebody else keeps and the timeline only tells, such as an order that has been
    changed since: what is counted over events is then always of what stands.
    """
    if events:
        contacts, ids = zip(*events, strict=True)
        gone = await session.execute(
            _RETRACT,
            {
                "workspace_id": session.workspace_id,
                "contacts": uuids(contacts),
                "events": uuids(ids),
            },
            execution_options={"scoped_by_hand": True},
        )
        if found := gone.all():
            await count_anew(session, {row[0] for row in found}, {row[1] for row in found})


async def of_contact(
    session: WorkspaceSession,
    contact_id: UUID,
    *,
    before: datetime | None = None,
    before_id: UUID | None = None,
    kinds: tuple[str, ...] = (),
    limit: int = 50,
) -> list[Event]:
    """Return a contact's latest events, newest first.

    `before` gives those of earlier moments; with `before_id`, the id of the last event
    seen, also those of the same moment that stand behind it.
    """
    query = select(Event).where(Event.contact_id == contact_id)
    if before is not None and before_id is not None:
        query = query.where(tuple_(Event.at, Event.id) < tuple_(before, before_id))
    elif before is not None:
        query = query.where(Event.at < before)
    if kinds:
        query = query.where(Event.kind.in_(kinds))
    found = await session.scalars(query.order_by(Event.at.desc(), Event.id.desc()).limit(limit))
    return list(found)


async def kinds_of(session: WorkspaceSession, contact_id: UUID) -> list[str]:
    """Return the kinds of events that have happened with a contact."""
    found = await session.scalars(
        select(Event.kind).where(Event.contact_id == contact_id).distinct()
    )
    return sorted(found)
