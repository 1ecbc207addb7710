"""Reading sends page by page: the sends, whom each reached, and what did not arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, tuple_

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.delivery.models import SEND_STATES, Parcel, Send
from hiiki.delivery.service import Progress, progress_of
from hiiki.delivery.sql import BY_HAND, ERASED
from hiiki.workspace.models import Channel

PAGE = 50
PROBLEMS = ("refused", "in_doubt")


@dataclass(frozen=True, slots=True)
class SendPage:
    """Sends with their accounts, latest first; `next` is the cursor of the page after."""

    sends: list[tuple[Send, Channel]]
    next: str | None


async def sends(
    session: WorkspaceSession, *, state: str = "", after: str = "", limit: int = PAGE
) -> SendPage:
    """Return the latest sends; an unknown `state` or `after` is as good as none."""
    query = (
        select(Send, Channel)
        .join(Channel, Channel.id == Send.channel_id)
        .order_by(Send.id.desc())
        .limit(limit + 1)
    )
    if state in SEND_STATES:
        query = query.where(Send.state == state)
    if (cursor := _uuid(after)) is not None:
        query = query.where(Send.id < cursor)
    rows = list(await session.execute(query))
    found = [(send, channel) for send, channel in rows[:limit]]
    return SendPage(found, str(found[-1][0].id) if len(rows) > limit else None)


SHOWN_HALTED = 3


async def halted(session: WorkspaceSession) -> list[tuple[Send, Channel, Progress]]:
    """Return the latest sends that have paused by themselves, with their accounts.

    Not those of accounts that send nothing at all at present: the account is the trouble then.
    """
    rows = await session.execute(
        select(Send, Channel)
        .join(Channel, Channel.id == Send.channel_id)
        .where(
            Send.finished_at.is_(None),
            Send.state == "paused",
            Send.pause_code.is_not(None),
            Channel.is_active.is_(True),
            Channel.paused_reason.is_(None),
        )
        .order_by(Send.id.desc())
        .limit(SHOWN_HALTED)
    )
    return [(send, channel, progress_of(send, channel)) for send, channel in rows]


@dataclass(frozen=True, slots=True)
class Problem:
    """A parcel that LINE refused, or of which nobody knows whether it arrived."""

    parcel: Parcel
    people: int
    contact_id: UUID | None
    """The person, when it was for one."""
    name: str
    messages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """Problems, latest first; `next` is the cursor of the page after."""

    problems: list[Problem]
    next: str | None


async def problems(
    session: WorkspaceSession,
    *,
    state: str = "",
    send_id: UUID | None = None,
    after: str = "",
    limit: int = PAGE,
) -> ProblemPage:
    """Return the latest parcels that were refused or are in doubt, or of one of these states.

    With a `send_id`, those of that send alone.
    """
    states = [state] if state in PROBLEMS else PROBLEMS
    query = (
        select(Parcel, Send.messages)
        .outerjoin(Send, Send.id == Parcel.send_id)
        .where(Parcel.state.in_(states))
        .order_by(Parcel.settled_at.desc(), Parcel.id.desc())
        .limit(limit + 1)
    )
    if send_id is not None:
        query = query.where(Parcel.send_id == send_id)
    if (place := _moment_and_uuid(after)) is not None:
        query = query.where(tuple_(Parcel.settled_at, Parcel.id) < tuple_(*place))
    rows = list(await session.execute(query))
    shown = rows[:limit]
    names = await _names(session, [parcel.contact_ids[0] for parcel, _messages in shown])
    found: list[Problem] = []
    for parcel, messages in shown:
        person = parcel.contact_ids[0] if len(parcel.contact_ids) == 1 else None
        person = None if person == ERASED else person
        name = names.get(person, "") if person is not None else ""
        said = parcel.messages or messages or []
        found.append(Problem(parcel, len(parcel.contact_ids), person, name, said))
    last = shown[-1][0] if len(rows) > limit else None
    more = f"{last.settled_at.isoformat()}~{last.id}" if last and last.settled_at else None
    return ProblemPage(found, more)


async def _names(session: WorkspaceSession, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await session.execute(
        select(Contact.id, Contact.real_name, Contact.display_name).where(Contact.id.in_(set(ids)))
    )
    return {ident: real or shown for ident, real, shown in rows}


@dataclass(frozen=True, slots=True)
class Recipient:
    """One of a send's people, and what became of the parcel they are in."""

    contact_id: UUID
    state: str
    method: str
    settled_at: datetime | None
    error: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class RecipientPage:
    """People of a frozen audience; `next` is the cursor of the page after."""

    recipients: list[Recipient]
    next: str | None


_RECIPIENTS = text(
    """
select p.id, r.n, r.contact_id, p.state, p.method, p.settled_at, p.error, p.request_id
from delivery.parcel p
cross join unnest(p.contact_ids) with ordinality as r(contact_id, n)
where p.workspace_id = :workspace and p.send_id = :send and r.contact_id <> :erased
  and (cast(:state as text) = '' or p.state = :state)
  and (cast(:parcel as uuid) is null or p.id >= :parcel and (p.id, r.n) > (:parcel, :n))
order by p.id, r.n
limit :limit"""
)


async def recipients(
    session: WorkspaceSession,
    send_id: UUID,
    *,
    state: str = "",
    after: str = "",
    limit: int = PAGE,
) -> RecipientPage:
    """Return whom a send was for, in the order of its parcels; raises `NotFound`."""
    await session.one(Send, send_id)
    ident, _colon, number = after.partition("~")
    parcel = _uuid(ident)
    rows = (
        await session.execute(
            _RECIPIENTS,
            {
                "workspace": session.workspace_id,
                "send": send_id,
                "erased": ERASED,
                "state": state,
                "parcel": parcel,
                "n": int(number) if number.isascii() and number.isdigit() else 0,
                "limit": limit + 1,
            },
            execution_options=BY_HAND,
        )
    ).all()
    found = [Recipient(*row[2:]) for row in rows[:limit]]
    return RecipientPage(
        found, f"{rows[limit - 1][0]}~{rows[limit - 1][1]}" if len(rows) > limit else None
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _moment_and_uuid(text: str) -> tuple[datetime, UUID] | None:
    moment, _tilde, ident = text.partition("~")
    found = _uuid(ident)
    try:
        return None if found is None else (datetime.fromisoformat(moment), found)
    except ValueError:
        return None
