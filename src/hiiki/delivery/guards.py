"""Guards against sending too much: caps, quiet hours, and kinds of message people decline.

They are for what nobody asked for: broadcasts, and what rules say by push. An answer to
somebody, and what staff write to somebody, is never held up nor counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    text,
)

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession
from hiiki.delivery.hours import QuietHours, is_long_enough
from hiiki.delivery.models import Guard, OptOut, Send
from hiiki.delivery.sql import BY_HAND
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _
from hiiki.workspace.models import Channel, Workspace

WEEK = timedelta(days=6)
"""A week is a day and the six before it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for an account at present."""

    day_cap: int | None
    week_cap: int | None
    quiet: QuietHours | None
    timezone: str

    @property
    def caps(self) -> bool:
        """Whether it is counted how much people get."""
        return self.day_cap is not None or self.week_cap is not None

    def waits_until(self, at: datetime) -> datetime | None:
        """Return until when what is sent at `at` waits; None when it goes out at once."""
        return self.quiet.over(at) if self.quiet and self.quiet.hold(at) else None

    def day_began(self, at: datetime) -> datetime:
        """Return the midnight before `at`, by the clock of the shop."""
        return _midnight(at, self.timezone)

    def week_began(self, at: datetime) -> datetime:
        """Return the midnight with which the week that ends with `at`'s day began."""
        return _midnight(
            self.day_began(at).astimezone(ZoneInfo(self.timezone)) - WEEK, self.timezone
        )


def _midnight(at: datetime, timezone: str) -> datetime:
    local = at.astimezone(ZoneInfo(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def quiet_hours(start: time | None, end: time | None, timezone: str) -> QuietHours | None:
    """Return quiet hours as they are stored; None when there are none."""
    return None if start is None or end is None else QuietHours(start, end, timezone)


async def guard_of(session: WorkspaceSession, channel_id: UUID) -> Guard:
    """Return an account's settings; one that has none yet gets empty ones, not yet stored."""
    found = await session.get(Guard, channel_id)
    return found or Guard(
        workspace_id=session.workspace_id,
        channel_id=channel_id,
        day_cap=None,
        week_cap=None,
        quiet_from=None,
        quiet_to=None,
    )


async def limits(session: WorkspaceSession, channel_id: UUID) -> Limits:
    """Return what holds for an account at present."""
    guard = await guard_of(session, channel_id)
    workspace = await session.get(Workspace, session.workspace_id)
    timezone = workspace.timezone if workspace else "Asia/Tokyo"
    quiet = quiet_hours(guard.quiet_from, guard.quiet_to, timezone)
    return Limits(guard.day_cap, guard.week_cap, quiet, timezone)


async def set_guard(
    session: WorkspaceSession,
    channel_id: UUID,
    *,
    day_cap: int | None,
    week_cap: int | None,
    quiet_from: time | None,
    quiet_to: time | None,
) -> Guard:
    """Store an account's settings.

    Raises `NotFound` for another workspace's account, `Invalid` at what does not fit together.

    What is said already keeps the hour it was given; running sends heed the new hours at once.
    """
    await session.one(Channel, channel_id)
    errors: dict[str, Text] = {}
    if day_cap is not None and week_cap is not None and week_cap < day_cap:
        errors["week_cap"] = _("This cannot be less than what may come on one day.")
    if (quiet_from is None) != (quiet_to is None):
        errors["quiet_from" if quiet_from is None else "quiet_to"] = _(
            "Please enter both times, or leave both empty."
        )
    elif (
        quiet_from is not None and quiet_to is not None and not is_long_enough(quiet_from, quiet_to)
    ):
        errors["quiet_to"] = _("Quiet hours last from one minute to 20 hours.")
    if errors:
        raise Invalid(fields=errors)
    guard = await session.merge(await guard_of(session, channel_id))
    guard.day_cap, guard.week_cap = day_cap, week_cap
    guard.quiet_from, guard.quiet_to = quiet_from, quiet_to
    await session.flush()
    return guard


async def held(session: WorkspaceSession, sends: Sequence[Send]) -> dict[UUID, datetime]:
    """Return which of these sends wait for the end of quiet hours at present, and until when."""
    at, found = now(), dict[UUID, datetime]()
    known: dict[UUID, datetime | None] = {}
    for send in sends:
        if send.state != "running" or send.finished_at is not None or send.must_go:
            continue
        if send.channel_id not in known:
            known[send.channel_id] = (await limits(session, send.channel_id)).waits_until(at)
        if (until := known[send.channel_id]) is not None:
            found[send.id] = until
    return found


# Bulk: by the sends that were not over when the week began, which are few, and their parcels,
# which hold up to 500 people each. The timeline knows the same, but in a row for each person.
# What is on its way may still arrive today, so it counts as today's.
_RECENT = text(
    """
select person, count(*) filter (where at >= :day) as today, count(*) as this_week
from (
    select unnest(p.contact_ids) as person,
        case when p.settled_at is null then 'infinity' else p.settled_at end as at
    from delivery.send s join delivery.parcel p on p.send_id = s.id
    where s.workspace_id = :workspace and s.channel_id = :channel
      and s.id is distinct from cast(:send as uuid)
      and (s.finished_at is null or s.settled_at >= :week)
      and (p.state in ('accepted', 'in_doubt') and p.settled_at >= :week
           or p.state in ('ready', 'sending') and s.state <> 'cancelled')
    union all
    select p.contact_ids[1],
        case when p.settled_at is null then 'infinity' else p.settled_at end
    from delivery.parcel p
    where p.workspace_id = :workspace and p.channel_id = :channel and p.is_triggered
      and (p.settled_at is null or p.settled_at >= :week)
      and p.state in ('ready', 'sending', 'accepted', 'in_doubt')
) as got
group by person"""
)


Audience: TypeAlias = "Select[Any] | Callable[[Any], Sequence[ColumnElement[bool]]]"
"""Who is meant: a statement of contact ids, or what must be true of a column of them."""


def _meant(audience: Audience) -> Sequence[ColumnElement[bool]]:
    if not isinstance(audience, Select):
        return audience(Friendship.contact_id)
    # A semi-join: somebody whom the audience names twice is one person.
    return [Friendship.contact_id.in_(select(audience.subquery("wanted").c[0]))]


async def people(
    session: WorkspaceSession,
    channel_id: UUID,
    audience: Audience,
    *,
    topic_id: UUID | None = None,
    must_go: bool = False,
    send_id: UUID | None = None,
) -> Select[UUID, str, Any, Any]:
    """Return who of `audience` has to do with the account.

    That is contact, LINE user id, reason, and since when they are a friend.

    `reason` is NULL for those who may be sent to, else one of `LEFT_OUT_REASONS`. What
    people decline holds for every send; `must_go` lifts the caps alone.
    """
    reasons: list[tuple[ColumnElement[bool], Any]] = [
        (Friendship.status != "following", "blocked"),
    ]
    tables: Any = Friendship.__table__
    if topic_id is not None:
        tables = tables.outerjoin(
            OptOut.__table__,
            and_(OptOut.contact_id == Friendship.contact_id, OptOut.topic_id == topic_id),
        )
        reasons.append((OptOut.topic_id.is_not(None), "opted_out"))
    allowed = await limits(session, channel_id)
    if allowed.caps and not must_go:
        at = now()
        got = (
            _RECENT.bindparams(
                bindparam("day", allowed.day_began(at)),
                bindparam("week", allowed.week_began(at)),
                bindparam("workspace", session.workspace_id),
                bindparam("channel", channel_id),
                bindparam("send", send_id),
            )
            .columns(
                person=Friendship.contact_id.type,
                today=literal(0).type,
                this_week=literal(0).type,
            )
            .cte("got")
        )
        tables = tables.outerjoin(got, got.c.person == Friendship.contact_id)
        for had, cap in ((got.c.today, allowed.day_cap), (got.c.this_week, allowed.week_cap)):
            if cap is not None:
                reasons.append((had >= cap, "capped"))
    return (
        select(
            Friendship.contact_id,
            Friendship.line_user_id,
            case(*reasons, else_=null()).label("reason"),
            Friendship.followed_at,
        )
        .select_from(tables)
        .where(
            Friendship.workspace_id == session.workspace_id,
            Friendship.channel_id == channel_id,
            *_meant(audience),
        )
    )


async def count_left_out(
    session: WorkspaceSession,
    channel_id: UUID,
    audience: Audience,
    *,
    topic_id: UUID | None,
    must_go: bool,
) -> Mapping[str, int]:
    """Return how many friends in `audience` would be left out now: reason → people.

    Those who have blocked the account are not friends, and not counted here.
    """
    allowed = await limits(session, channel_id)
    if topic_id is None and (must_go or not allowed.caps):
        return {}  # nothing can leave anybody out: a million need not be looked at
    judged = (
        await people(session, channel_id, audience, topic_id=topic_id, must_go=must_go)
    ).subquery("judged")
    rows = await session.execute(
        select(judged.c.reason, func.count())
        .where(judged.c.reason.is_not(None), judged.c.reason != "blocked")
        .group_by(judged.c.reason),
        execution_options=BY_HAND,
    )
    return dict(rows.all())


async def hold_freezes(session: WorkspaceSession, channel_id: UUID) -> None:
    """Let one send of an account be frozen after the other: each counts those before.

    For accounts with a cap or a quota. Held until the transaction ends.
    """
    await session.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"hiiki.delivery.freeze:{channel_id}"},
        execution_options=BY_HAND,
    )


_ONE = text(
    """
select count(*) filter (where at >= :day), count(*) from (
    -- What a broadcast brought, and what a rule said by push, stand on the timeline once
    -- accepted. Replies, and what staff wrote, stand there too, and do not count.
    select e.at from timeline.event e
    where e.workspace_id = :workspace and e.contact_id = :contact and e.at >= :week
      and e.channel_id = :channel and e.kind = 'sent'
      and (e.data->>'send' is not null or e.data->>'triggered' = 'true')
    union all
    select 'infinity' from delivery.parcel p
    where p.workspace_id = :workspace and p.channel_id = :channel and p.is_triggered
      and p.send_id is null and p.contact_ids[1] = :contact and p.state in ('ready', 'sending')
    union all
    select p.settled_at from delivery.parcel p
    where p.state = 'accepted' and not p.is_told and p.workspace_id = :workspace
      and p.channel_id = :channel and p.settled_at >= :week and :contact = any(p.contact_ids)
    union all
    select 'infinity' from delivery.send s join delivery.parcel p on p.send_id = s.id
    where s.workspace_id = :workspace and s.channel_id = :channel and s.finished_at is null
      and s.state <> 'cancelled' and p.state in ('ready', 'sending')
      and p.method = 'multicast' and :contact = any(p.contact_ids)
    union all
    -- A personal send may have a million parcels: theirs is found by its only recipient.
    select 'infinity' from delivery.parcel p join delivery.send s on s.id = p.send_id
    where p.contact_ids[1] = :contact and p.method = 'push' and p.state in ('ready', 'sending')
      and s.workspace_id = :workspace and s.channel_id = :channel and s.finished_at is null
      and s.state <> 'cancelled'
    union all
    -- What is in doubt may have arrived.
    select p.settled_at from delivery.parcel p
    where p.state = 'in_doubt' and p.workspace_id = :workspace and p.channel_id = :channel
      and p.settled_at >= :week and (p.send_id is not null or p.is_triggered)
      and :contact = any(p.contact_ids)
) as got"""
)


async def has_had_enough(
    session: WorkspaceSession, allowed: Limits, contact_id: UUID, channel_id: UUID
) -> bool:
    """Return whether a contact may be sent nothing more unasked today."""
    if not allowed.caps:
        return False
    at = now()
    today, week = (
        await session.execute(
            _ONE,
            {
                "workspace": session.workspace_id,
                "contact": contact_id,
                "channel": channel_id,
                "day": allowed.day_began(at),
                "week": allowed.week_began(at),
            },
            execution_options=BY_HAND,
        )
    ).one()
    return (allowed.day_cap is not None and today >= allowed.day_cap) or (
        allowed.week_cap is not None and week >= allowed.week_cap
    )
