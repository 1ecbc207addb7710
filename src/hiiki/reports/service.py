"""Numbers of the journey: friend → survey → message → click → coupon, read from the timeline.

Nothing here has a table of its own, and nothing here knows a capability's tables: a
capability is counted by the kinds of its events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, distinct, func, literal, or_, select

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.i18n import Text, _
from hiiki.timeline import Event


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time that ends now, and how its chart is cut up."""

    name: str
    label: Text
    days: int
    """0 means since midnight."""
    bucket: str
    """`hour` or `day`."""


PERIODS = (
    Period("today", _("Today"), 0, "hour"),
    Period("week", _("7 days"), 7, "day"),
    Period("month", _("28 days"), 28, "day"),
    Period("quarter", _("90 days"), 90, "day"),
)

STEPS: tuple[tuple[str, Text, str], ...] = (
    ("follow", _("Added the account"), "user-plus"),
    ("survey_start", _("Started a survey"), "message-question"),
    ("survey_finish", _("Finished a survey"), "checks"),
    ("sent", _("Received a broadcast"), "send"),
    ("link_open", _("Tapped a link"), "click"),
    ("coupon_issue", _("Got a coupon"), "ticket"),
    ("coupon_use", _("Used a coupon"), "discount-check"),
)
"""The journey, in order: event kind, words, icon."""

CHARTED_LABELS: dict[str, Text] = {
    "follow": _("Added the account"),
    "unfollow": _("Blocked the account"),
    "link_open": _("Tapped a link"),
    "coupon_use": _("Used a coupon"),
}
"""What the chart over time shows."""
CHARTED = tuple(CHARTED_LABELS)


@dataclass(frozen=True, slots=True)
class Step:
    """How many people took one step of the journey in the period."""

    kind: str
    label: Text
    icon: str
    people: int
    times: int
    share: float | None
    """People of this step for each person of the first; None while there is nobody."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Where a workspace stands now."""

    friends: int
    """Following now: the reach."""
    blocked: int
    block_rate: float | None
    """Blocked among all who ever followed; None while there is nobody."""
    steps: Sequence[Step]
    buckets: Sequence[datetime]
    series: dict[str, list[int]]
    """Event kind → one number for each bucket."""


def period(name: str | None) -> Period:
    """Return the period of this name; the week when there is no such period."""
    return next((found for found in PERIODS if found.name == name), PERIODS[1])


def _since(chosen: Period, timezone: str) -> datetime:
    midnight = (
        now().astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    )
    return midnight - timedelta(days=max(chosen.days - 1, 0))


def _buckets(chosen: Period, since: datetime) -> list[datetime]:
    step = timedelta(hours=1) if chosen.bucket == "hour" else timedelta(days=1)
    count = 24 if chosen.bucket == "hour" else chosen.days
    return [since + step * index for index in range(count)]


async def overview(
    session: WorkspaceSession, chosen: Period, timezone: str, channel_id: UUID | None = None
) -> Overview:
    """Return the numbers of the journey since the period's first midnight in `timezone`."""
    since = _since(chosen, timezone)
    friends, blocked = await _friends(session, channel_id)
    counted = await _counted(session, since, channel_id)
    first = counted.get("follow", (0, 0))[0]
    steps = [
        Step(kind, label, icon, people, times, people / first if first else None)
        for kind, label, icon in STEPS
        for people, times in [counted.get(kind, (0, 0))]
    ]
    buckets = _buckets(chosen, since)
    return Overview(
        friends=friends,
        blocked=blocked,
        block_rate=blocked / (friends + blocked) if friends + blocked else None,
        steps=steps,
        buckets=buckets,
        series=await _series(session, chosen, since, timezone, buckets, channel_id),
    )


async def _friends(session: WorkspaceSession, channel_id: UUID | None) -> tuple[int, int]:
    query = select(
        func.count().filter(Friendship.status == "following"),
        func.count().filter(Friendship.status == "blocked"),
    ).select_from(Friendship)
    if channel_id is not None:
        query = query.where(Friendship.channel_id == channel_id)
    following, blocked = (await session.execute(query)).one()
    return following, blocked


def _window(
    session: WorkspaceSession, kinds: Sequence[str], since: datetime, channel_id: UUID | None
) -> ColumnElement[bool]:
    conditions = [
        Event.workspace_id == session.workspace_id,
        Event.kind.in_(kinds),
        Event.at >= since,
        # What was said in answer is no step of the journey; what a broadcast brought is.
        or_(Event.kind != "sent", Event.subject.startswith("broadcast:")),
    ]
    if channel_id is not None:
        conditions.append(Event.channel_id == channel_id)
    return and_(*conditions)


async def _counted(
    session: WorkspaceSession, since: datetime, channel_id: UUID | None
) -> dict[str, tuple[int, int]]:
    rows = await session.execute(
        select(Event.kind, func.count(distinct(Event.contact_id)), func.count())
        .where(_window(session, [kind for kind, _label, _icon in STEPS], since, channel_id))
        .group_by(Event.kind)
    )
    return {kind: (people, times) for kind, people, times in rows}


async def _series(
    session: WorkspaceSession,
    chosen: Period,
    since: datetime,
    timezone: str,
    buckets: Sequence[datetime],
    channel_id: UUID | None,
) -> dict[str, list[int]]:
    bucket = func.date_trunc(chosen.bucket, Event.at, literal(timezone)).label("bucket")
    rows = await session.execute(
        select(Event.kind, bucket, func.count())
        .where(_window(session, CHARTED, since, channel_id))
        .group_by(Event.kind, bucket)
    )
    found = {(kind, at.astimezone(ZoneInfo(timezone))): count for kind, at, count in rows}
    return {kind: [found.get((kind, at), 0) for at in buckets] for kind in CHARTED}
