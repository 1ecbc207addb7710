"""Settling what no claim will, and closing sends that have nothing left to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, text

from hiiki.db import WorkspaceSession
from hiiki.delivery.sql import BY_HAND
from hiiki.delivery.verdict import DOUBT_SECONDS, DOUBT_TOO_LONG

_FINISH = text(
    """
update delivery.send s
set state = case when s.state = 'cancelled' then s.state else 'done' end,
    pause_code = null, pause_reason = null, pause_failed = null, pause_of = null,
    finished_at = now()
where s.id = any(:ids) and s.finished_at is null
  and not exists (select from delivery.parcel p
                  where p.send_id = s.id and p.state in ('ready', 'sending'))"""
)

_UNFINISHED = text("select id from delivery.send where finished_at is null")

_DROP = text(
    """
with gone as (
    select p.id, p.first_attempt_at
    from delivery.send s
    cross join lateral (
        select p.id, p.first_attempt_at from delivery.parcel p
        where p.send_id = s.id and (p.state = 'ready' or p.state = 'sending'
                                    and p.next_attempt_at <= now())
        limit :room
        for update skip locked) p
    where s.state = 'cancelled' and s.finished_at is null
), done as (
    update delivery.parcel p
    set state = case when gone.first_attempt_at is null then 'cancelled' else 'in_doubt' end,
        settled_at = now(), values = null
    from gone where p.id = gone.id
    returning p.send_id, p.state, cardinality(p.contact_ids) as people
), counts as (
    select send_id, coalesce(sum(people) filter (where state = 'cancelled'), 0) as cancelled,
        coalesce(sum(people) filter (where state = 'in_doubt'), 0) as in_doubt
    from done group by send_id
)
update delivery.send s
set cancelled = s.cancelled + c.cancelled, in_doubt = s.in_doubt + c.in_doubt,
    settled_at = case when c.in_doubt > 0 then now() else s.settled_at end
from counts c where s.id = c.send_id"""
)

_DOUBT = text(
    """
with old as (
    select p.id from delivery.parcel p
    where p.state in ('ready', 'sending') and p.next_attempt_at <= now()
      and p.first_attempt_at < now() - make_interval(secs => :seconds)
    limit :room
    for update skip locked
), done as (
    update delivery.parcel p
    set state = 'in_doubt', settled_at = now(), error = :error
    from old where p.id = old.id
    returning p.send_id, cardinality(p.contact_ids) as people
), counts as (
    select send_id, sum(people) as people from done where send_id is not null group by send_id
)
update delivery.send s
set in_doubt = s.in_doubt + c.people, settled_at = now()
from counts c where s.id = c.send_id"""
)

PACE_SECONDS = 5.0
"""How often a send's pace is marked: its speed is told over the last one to two of these."""

_MARK_PACE = text(
    """
with due as materialized (
    select id from delivery.send
    where finished_at is null and state = 'running'
      and next_pace_at < now() - make_interval(secs => :seconds)
    -- Whoever records outcomes holds the row a moment: a second later will do as well.
    for no key update skip locked
)
update delivery.send s
set pace_at = s.next_pace_at, pace_settled = s.next_pace_settled, next_pace_at = now(),
    next_pace_settled = s.accepted + s.refused + s.in_doubt + s.cancelled
from due where s.id = due.id"""
)

SWEPT = 5_000
"""Parcels settled in one sweep: a cancelled million takes some minutes to be written down."""


async def finish(session: WorkspaceSession, send_ids: Sequence[UUID]) -> None:
    """Close those of these sends that have nothing left to do."""
    await session.execute(_FINISH, {"ids": list(send_ids)}, execution_options=BY_HAND)


async def sweep(session: WorkspaceSession) -> bool:
    """Settle what no claim will: cancelled sends, paused ones in doubt for a day.

    Also closes sends whose last parcels two workers settled at the same moment, and marks how
    far the running ones are, by which their speed is told. Returns True when there may be more
    to do at once.
    """
    dropped = await session.execute(_DROP, {"room": SWEPT}, execution_options=BY_HAND)
    await session.execute(
        _DOUBT,
        {"room": SWEPT, "seconds": DOUBT_SECONDS, "error": DOUBT_TOO_LONG},
        execution_options=BY_HAND,
    )
    unfinished = list((await session.execute(_UNFINISHED, execution_options=BY_HAND)).scalars())
    if unfinished:
        await finish(session, unfinished)
        await session.execute(_MARK_PACE, {"seconds": PACE_SECONDS}, execution_options=BY_HAND)
    return cast("CursorResult[Any]", dropped).rowcount > 0
