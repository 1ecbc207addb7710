"""What staff see of the webhooks, and what they do about those that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.ingest.models import STATES, WebhookEvent
from hiiki.ingest.store import CHANNEL
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.ids import contact_id
from hiiki.workspace.models import Channel

DAYS = 14
PAGE = 50


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of webhook events, latest first."""

    events: list[WebhookEvent]
    next: str | None


async def per_day(session: WorkspaceSession, timezone: str, days: int = DAYS) -> dict[date, int]:
    """Return how many events came in on each of the last days, today included."""
    zone = ZoneInfo(timezone)
    today = now().astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    day = func.date(func.timezone(timezone, WebhookEvent.received_at))
    found = await session.execute(
        select(day, func.count()).where(WebhookEvent.received_at >= since).group_by(day)
    )
    counts = {row[0]: row[1] for row in found}
    return {
        first + timedelta(days=n): counts.get(first + timedelta(days=n), 0) for n in range(days)
    }


async def set_aside(session: WorkspaceSession, limit: int = PAGE) -> list[WebhookEvent]:
    """Return the events that could not be handled, oldest first."""
    found = await session.scalars(
        select(WebhookEvent)
        .where(WebhookEvent.state == "set_aside")
        .order_by(WebhookEvent.serial)
        .limit(limit)
    )
    return list(found)


async def set_aside_count(session: WorkspaceSession) -> int:
    """Return how many events could not be handled."""
    found = await session.scalar(select(func.count()).where(WebhookEvent.state == "set_aside"))
    return found or 0


async def senders(
    session: WorkspaceSession, events: Sequence[WebhookEvent]
) -> dict[tuple[UUID, str], Contact]:
    """Return who these events are of, by channel and LINE's id; groups, rooms and strangers lack.

    A first event that fails leaves nobody behind: its sender is not known yet.
    """
    channels = await session.execute(select(Channel.id, Channel.provider))
    providers = {row[0]: row[1] for row in channels}
    people = {
        (event.channel_id, event.source_id): contact_id(
            event.workspace_id, providers[event.channel_id], event.source_id
        )
        for event in events
        if event.source_id
    }
    found = await session.scalars(select(Contact).where(Contact.id.in_(people.values())))
    known = {contact.id: contact for contact in found}
    return {source: known[person] for source, person in people.items() if person in known}


async def waiting_count(session: WorkspaceSession) -> int:
    """Return how many events wait to be handled."""
    found = await session.scalar(select(func.count()).where(WebhookEvent.state == "waiting"))
    return found or 0


async def list_events(
    session: WorkspaceSession, *, kind: str = "", status: str = "", after: str = ""
) -> EventPage:
    """Return the latest events, 50 a page; of one kind or state only if that is given."""
    query = (
        select(WebhookEvent)
        .order_by(WebhookEvent.received_at.desc(), WebhookEvent.serial.desc())
        .limit(PAGE + 1)
    )
    if kind:
        query = query.where(WebhookEvent.kind == kind)
    if status:
        if status not in STATES:
            raise Invalid(fields={"status": _("This state is not known.")})
        query = query.where(WebhookEvent.state == status)
    if after:
        moment, serial = _cursor(after)
        query = query.where(
            (WebhookEvent.received_at < moment)
            | ((WebhookEvent.received_at == moment) & (WebhookEvent.serial < serial))
        )
    found = list(await session.scalars(query))
    page = found[:PAGE]
    more = f"{page[-1].received_at.isoformat()}~{page[-1].serial}" if len(found) > PAGE else None
    return EventPage(page, more)


def _cursor(after: str) -> tuple[datetime, int]:
    moment, _tilde, serial = after.partition("~")
    try:
        return datetime.fromisoformat(moment.replace(" ", "+")), int(serial)
    except ValueError:
        raise Invalid(fields={"after": _("This is not a place in the list.")}) from None


async def run_again(session: WorkspaceSession, channel_id: UUID, event_id: str) -> WebhookEvent:
    """Let an event that was set aside be handled once more; raises `Conflict` for any other."""
    event = await _aside(session, channel_id, event_id)
    event.state, event.attempts, event.retry_at = "waiting", 0, None
    await session.execute(
        text("select pg_notify(:channel, '')"),
        {"channel": CHANNEL},
        execution_options={"scoped_by_hand": True},
    )
    return event


async def dismiss(session: WorkspaceSession, channel_id: UUID, event_id: str) -> WebhookEvent:
    """Leave an event that was set aside unhandled for good; raises `Conflict` for any other."""
    event = await _aside(session, channel_id, event_id)
    event.state = "dismissed"
    return event


async def _aside(session: WorkspaceSession, channel_id: UUID, event_id: str) -> WebhookEvent:
    event = await session.one(WebhookEvent, (channel_id, event_id))
    if event.state != "set_aside":
        raise Conflict(_("This event has not been set aside (any more)."))
    return event


async def kinds(session: WorkspaceSession) -> Sequence[str]:
    """Return the kinds among the latest events, for the filter."""
    latest = (
        select(WebhookEvent.kind).order_by(WebhookEvent.received_at.desc()).limit(5_000).subquery()
    )
    return list(await session.scalars(select(latest.c.kind).distinct().order_by(latest.c.kind)))
