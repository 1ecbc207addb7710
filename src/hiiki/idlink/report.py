"""The link rate as a KPI: by day, source and place, and where linking breaks.

Read from the friendships, the links and the timeline; nothing is kept for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Subquery, and_, case, cast, func, or_, select, text
from sqlalchemy.sql import ColumnElement

from hiiki.contacts.models import Friendship, Identity
from hiiki.content.models import Link as ContentLink
from hiiki.db import WorkspaceSession
from hiiki.idlink.cards import PATH
from hiiki.idlink.models import Link, Place
from hiiki.kit.clock import now
from hiiki.kit.i18n import Text, _
from hiiki.timeline import Event
from hiiki.workspace.models import Channel

PERIODS = {7: _("7 days"), 28: _("28 days"), 90: _("90 days")}

STEPS: Mapping[str, tuple[Text, str]] = {
    "asked": (_("Were asked"), "message-question"),
    "opened": (_("Opened the page"), "click"),
    "logged_in": (_("Showed who they are"), "id"),
    "linked": (_("Linked"), "link"),
}
OWN_KEYS = ("customer", "email", "phone")
"""Keys by which the shop's own systems know somebody; a LINE account alone is none."""
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
    matched: int
    """Those who have not linked, and whom the shop knows all the same: its own systems told their
    customer number, e-mail address or telephone number (`contacts.identity`), by an import, an
    order or the API."""
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

    @property
    def known(self) -> int:
        """Whom the shop knows as its customers: linked, or matched without linking."""
        return self.linked + self.matched

    @property
    def known_rate(self) -> float | None:
        """Known of all friends; None while there is nobody."""
        return self.known / self.friends if self.friends else None


async def report(session: WorkspaceSession, timezone: str, days: int = 28) -> Report:
    """Return how the linking stands, over the last `days` days of the shop's calendar."""
    today = now().astimezone(ZoneInfo(timezone)).date()
    first = today - timedelta(days=days - 1)
    since = datetime.combine(first, datetime.min.time(), ZoneInfo(timezone))
    people = await _people(session)
    sources = await _sources(session, people)
    joined, linked = await _by_day(session, people, timezone, since)
    funnel, failures = await _funnel(session, since)
    friends, all_linked = sum(g.friends for g in sources), sum(g.linked for g in sources)
    return Report(
        friends=friends,
        linked=all_linked,
        matched=await _matched(session, people),
        days=_days(first, days, (friends, joined), (all_linked, linked)),
        sources=sources,
        places=await _places(session, since),
        funnel=funnel,
        failures=failures,
    )


async def _people(session: WorkspaceSession) -> Subquery:
    """Return who follows an account: `contact_id`, `source` and when they `came`.

    Somebody who follows two accounts counts once; where there is but one, nobody does, and
    nothing needs to be sorted out.
    """
    came = func.coalesce(Friendship.first_followed_at, Friendship.followed_at)
    source = func.coalesce(Friendship.source, "")
    here = (Friendship.workspace_id == session.workspace_id, Friendship.status == "following")
    if await session.scalar(select(func.count()).select_from(Channel)) == 1:
        query = select(Friendship.contact_id, source.label("source"), came.label("came"))
        return query.where(*here).subquery()
    return (
        select(
            Friendship.contact_id,
            func.min(source).label("source"),
            func.min(came).label("came"),
        )
        .where(*here)
        .group_by(Friendship.contact_id)
        .subquery()
    )


def _linked_to(session: WorkspaceSession, people: Subquery) -> ColumnElement[bool]:
    return and_(Link.contact_id == people.c.contact_id, Link.workspace_id == session.workspace_id)


async def _sources(session: WorkspaceSession, people: Subquery) -> list[Group]:
    friends = func.count()
    rows = await session.execute(
        select(people.c.source, friends, func.count(Link.contact_id))
        .select_from(people)
        .outerjoin(Link, _linked_to(session, people))
        .group_by(people.c.source)
        .order_by(friends.desc(), people.c.source)
    )
    return [Group(*row) for row in rows.all()]


async def _matched(session: WorkspaceSession, people: Subquery) -> int:
    """Return how many friends have a key of the shop's own systems, and have not linked."""
    # Each once, before they are joined: a person may have several keys.
    keyed = (
        select(Identity.contact_id)
        .where(Identity.workspace_id == session.workspace_id, Identity.kind.in_(OWN_KEYS))
        .distinct()
        .subquery()
    )
    count = await session.scalar(
        select(func.count())
        .select_from(people)
        .join(keyed, keyed.c.contact_id == people.c.contact_id)
        .outerjoin(Link, _linked_to(session, people))
        .where(Link.contact_id.is_(None))
    )
    return count or 0


async def _by_day(
    session: WorkspaceSession, people: Subquery, timezone: str, since: datetime
) -> tuple[dict[date, int], dict[date, int]]:
    """Return today's friends by the day they came, and the linked by the day they were both."""

    def day(moment: Any) -> Any:
        return cast(func.timezone(timezone, moment), Date)

    both = func.greatest(Link.linked_at, people.c.came)
    linked = case((Link.contact_id.is_not(None), day(both)))
    new = await session.execute(
        select(day(people.c.came), linked, func.count())
        .select_from(people)
        .outerjoin(Link, _linked_to(session, people))
        .where(people.c.came >= since)
        .group_by(text("1, 2"))
    )
    old = await session.execute(
        select(day(Link.linked_at), func.count())
        .select_from(people)
        .join(Link, _linked_to(session, people))
        .where(Link.linked_at >= since, or_(people.c.came < since, people.c.came.is_(None)))
        .group_by(text("1"))
    )
    joined: dict[date, int] = {}
    done: dict[date, int] = dict(old.all())
    for came_on, linked_on, count in new.all():
        joined[came_on] = joined.get(came_on, 0) + count
        if linked_on is not None:
            done[linked_on] = done.get(linked_on, 0) + count
    return joined, done


def _days(
    first: date,
    count: int,
    friends: tuple[int, Mapping[date, int]],
    linked: tuple[int, Mapping[date, int]],
) -> list[Day]:
    """Return the days; of each pair the first is how many there are now, of all days."""
    (all_friends, joined), (all_linked, done) = friends, linked
    before = all_friends - sum(joined.values())
    linked_before = all_linked - sum(done.values())
    found: list[Day] = []
    for at in range(count):
        day = first + timedelta(days=at)
        before += joined.get(day, 0)
        linked_before += done.get(day, 0)
        rate = linked_before / before if before else None
        found.append(Day(day, done.get(day, 0), rate))
    return found


def _within(session: WorkspaceSession, since: datetime) -> ColumnElement[bool]:
    return and_(Event.workspace_id == session.workspace_id, Event.at >= since)


async def _funnel(
    session: WorkspaceSession, since: datetime
) -> tuple[dict[str, int], dict[str, int]]:
    owners = list(
        await session.scalars(select(ContentLink.owner).where(ContentLink.url == PATH).distinct())
    )
    step = case(_KINDS, value=Event.kind, else_="").label("step")
    people = await _people_by(
        session,
        since,
        step,
        Event.kind.in_(_KINDS),
        or_(Event.kind != "sent", Event.subject.in_(owners)),
    )
    broken = await _people_by(session, since, Event.subject, Event.kind == "id_link_fail")
    failures = dict(sorted(broken.items(), key=lambda each: -each[1]))
    return {name: people.get(name, 0) for name in STEPS}, failures


async def _people_by(
    session: WorkspaceSession, since: datetime, group: Any, *conditions: ColumnElement[bool]
) -> dict[Any, int]:
    """Return how many people have such events, by what the events are grouped by."""
    # Not count(distinct …), which sorts all events.
    people = (
        select(group.label("grouped"), Event.contact_id)
        .where(_within(session, since), *conditions)
        .distinct()
        .subquery()
    )
    rows = await session.execute(select(people.c.grouped, func.count()).group_by(people.c.grouped))
    return dict(rows.all())


async def _places(session: WorkspaceSession, since: datetime) -> list[Group]:
    opened = await _people_by(session, since, Event.subject, Event.kind == "id_link_open")
    linked = await _people_by(session, since, Event.subject, Event.kind == "id_link")
    places = await session.execute(select(Place.code, Place.name).order_by(Place.name))
    return [Group(name, opened.get(code, 0), linked.get(code, 0)) for code, name in places.all()]
