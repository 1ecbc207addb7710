"""The link rate as a KPI: by day, source and place, and where linking breaks.

Read from the friendships, the links and the timeline; nothing is kept for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, and_, case, cast, distinct, func, literal, or_, select, text
from sqlalchemy.sql import ColumnElement

from hiiki.contacts.models import Friendship
from hiiki.content.models import Link as ContentLink
from hiiki.db import WorkspaceSession
from hiiki.idlink.cards import PATH
from hiiki.idlink.models import Link, Place
from hiiki.kit.clock import now
from hiiki.kit.i18n import Text, _
from hiiki.timeline import Event

PERIODS = {7: _("7 days"), 28: _("28 days"), 90: _("90 days")}

STEPS: Mapping[str, tuple[Text, str]] = {
    "asked": (_("Were asked"), "message-question"),
    "opened": (_("Opened the page"), "click"),
    "logged_in": (_("Showed who they are"), "id"),
    "linked": (_("Linked"), "link"),
}
_KINDS = {
    "id_link_ask": "asked",
    "sent": "asked",
    "id_link_open": "opened",
    "id_link_login": "logged_in",
    "id_link": "linked",
}


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the shop's, and how things stood when it ended."""

    day: date
    linked: int
    """People who linked on it and are linked still."""
    rate: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Friends of one source, or visitors of one place."""

    name: str
    friends: int
    linked: int

    @property
    def rate(self) -> float | None:
        """Linked of all of them; None while there is nobody."""
        return self.linked / self.friends if self.friends else None


@dataclass(frozen=True, slots=True)
class Report:
    """Where the linking stands, over a number of days."""

    friends: int
    linked: int
    days: Sequence[Day]
    sources: Sequence[Group]
    """By where friends came from, the biggest first; the name "" is unknown."""
    places: Sequence[Group]
    """By place: who opened the page there in the period, and who of them linked."""
    funnel: Mapping[str, int]
    """Step (`STEPS`) → people, in the period."""
    failures: Mapping[str, int]
    """Why it broke (`service.FAILURES`) → people, the most first."""

    @property
    def rate(self) -> float | None:
        """Linked of all friends; None while there is nobody."""
        return self.linked / self.friends if self.friends else None


async def report(session: WorkspaceSession, timezone: str, days: int = 28) -> Report:
    """Return how the linking stands, over the last `days` days of the shop's calendar."""
    today = now().astimezone(ZoneInfo(timezone)).date()
    first = today - timedelta(days=days - 1)
    since = datetime.combine(first, datetime.min.time(), ZoneInfo(timezone))
    sources, joined, linked = await _friends(session, timezone, first)
    funnel, failures = await _funnel(session, since)
    friends, all_linked = sum(joined.values()), sum(linked.values())
    return Report(
        friends=friends,
        linked=all_linked,
        days=_days(first, days, joined, linked),
        sources=sources,
        places=await _places(session, since),
        funnel=funnel,
        failures=failures,
    )


async def _friends(
    session: WorkspaceSession, timezone: str, first: date
) -> tuple[list[Group], dict[date, int], dict[date, int]]:
    """Return today's friends by source, by the day they came, and the linked by the day they did.

    A person who follows two accounts counts once. Days before the period are one day.
    """

    def day(moment: Any) -> Any:
        local = cast(func.timezone(timezone, moment), Date)
        # greatest() passes over NULL: whose first day is not known was there before.
        return func.greatest(local, literal(first - timedelta(days=1), Date))

    person = (
        select(
            Friendship.contact_id.label("contact_id"),
            func.min(func.coalesce(Friendship.source, "")).label("source"),
            func.min(func.coalesce(Friendship.first_followed_at, Friendship.followed_at)).label(
                "came"
            ),
        )
        .where(Friendship.status == "following")
        .group_by(Friendship.contact_id)
        .subquery()
    )
    rows = await session.execute(
        select(
            person.c.source,
            day(person.c.came),
            case((Link.contact_id.is_not(None), day(Link.linked_at))),
            func.count(),
        )
        .select_from(person)
        .outerjoin(
            Link,
            and_(Link.contact_id == person.c.contact_id, Link.workspace_id == session.workspace_id),
        )
        .group_by(text("1, 2, 3"))
    )
    joined: dict[date, int] = {}
    linked: dict[date, int] = {}
    by_source: dict[str, list[int]] = {}
    for source, came, linked_on, count in rows.all():
        joined[came] = joined.get(came, 0) + count
        both = by_source.setdefault(source, [0, 0])
        both[0] += count
        if linked_on is not None:
            # Who linked before they came back as a friend counts from when they came.
            when = max(linked_on, came)
            linked[when] = linked.get(when, 0) + count
            both[1] += count
    groups = [Group(name, *both) for name, both in by_source.items()]
    return sorted(groups, key=lambda each: -each.friends), joined, linked


def _days(
    first: date, count: int, joined: Mapping[date, int], linked: Mapping[date, int]
) -> list[Day]:
    before = first - timedelta(days=1)
    friends, done = joined.get(before, 0), linked.get(before, 0)
    found: list[Day] = []
    for at in range(count):
        day = first + timedelta(days=at)
        friends += joined.get(day, 0)
        done += linked.get(day, 0)
        found.append(Day(day, linked.get(day, 0), done / friends if friends else None))
    return found


def _within(session: WorkspaceSession, since: datetime) -> ColumnElement[bool]:
    return and_(Event.workspace_id == session.workspace_id, Event.at >= since)


async def _funnel(
    session: WorkspaceSession, since: datetime
) -> tuple[dict[str, int], dict[str, int]]:
    owners = list(
        await session.scalars(select(ContentLink.owner).where(ContentLink.url == PATH).distinct())
    )
    step = case(_KINDS, value=Event.kind, else_="")
    rows = await session.execute(
        select(step, func.count(distinct(Event.contact_id)))
        .where(
            _within(session, since),
            Event.kind.in_(_KINDS),
            or_(Event.kind != "sent", Event.subject.in_(owners)),
        )
        .group_by(step)
    )
    people = dict(rows.all())
    broken = await session.execute(
        select(Event.subject, func.count(distinct(Event.contact_id)).label("people"))
        .where(_within(session, since), Event.kind == "id_link_fail")
        .group_by(Event.subject)
        .order_by(text("people desc"))
    )
    return {name: people.get(name, 0) for name in STEPS}, dict(broken.all())


async def _places(session: WorkspaceSession, since: datetime) -> list[Group]:
    rows = await session.execute(
        select(Event.subject, Event.kind, func.count(distinct(Event.contact_id)))
        .where(_within(session, since), Event.kind.in_(("id_link_open", "id_link")))
        .group_by(Event.subject, Event.kind)
    )
    counted = {(subject, kind): count for subject, kind, count in rows.all()}
    places = await session.execute(select(Place.code, Place.name).order_by(Place.name))
    return [
        Group(name, counted.get((code, "id_link_open"), 0), counted.get((code, "id_link"), 0))
        for code, name in places.all()
    ]
