"""Claiming parcels: which may go out now, and to whom that is left.

A claim is a lease: `next_attempt_at` says until when, by the database's clock, which all
workers share. `attempts` tells whose lease it is, so a worker that comes back late with
an outcome changes nothing that another has taken over.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.delivery import budget
from hiiki.delivery.guards import quiet_hours
from hiiki.delivery.sql import BY_HAND
from hiiki.delivery.verdict import Claimed
from hiiki.kit.clock import now
from hiiki.settings import settings

PUSH_RATHER = 2.0
"""A reply token with fewer seconds left is not tried: the parcel goes by push at once."""


def lease_seconds() -> float:
    """Return for how long a worker may hold a parcel: time to send it, and to record that."""
    return settings().line_timeout * 2 + 3


@dataclass(frozen=True, slots=True)
class Running:
    """A send that has parcels for one of LINE's endpoints to give."""

    id: UUID
    channel_id: UUID
    method: str
    personal: bool

    @property
    def endpoint(self) -> budget.Endpoint:
        """Whose budget its parcels are sent by."""
        return self.channel_id, self.method


_LEASE = """
update delivery.parcel p
set state = 'sending', attempts = p.attempts + 1,
    first_attempt_at = coalesce(p.first_attempt_at, now()),
    next_attempt_at = now() + make_interval(secs => :lease),
    -- Never by reply when an earlier push may have arrived, nor the other way round: the
    -- way changes only while no attempt can have been accepted.
    method = case when p.method = 'reply' and p.first_attempt_at is null
                       and p.reply_until < now() + make_interval(secs => :push_rather)
                  then 'push' else p.method end
from mine where p.id = mine.id
returning p.id, p.attempts, p.workspace_id, p.send_id, p.channel_id, p.method, p.contact_ids,
    p.line_user_ids, p.messages, p.values, p.reply_token, p.retry_key,
    extract(epoch from now() - mine.first_attempt_at)::float8 as doubt,
    extract(epoch from p.reply_until - now())::float8 as reply_left,
    (select s.unit from delivery.send s where s.id = p.send_id) as unit, p.created_at
"""

_URGENT = f"""
with found as materialized (
    select one.id, one.first_attempt_at, one.next_attempt_at, c.id as channel_id
    from workspace.channel c
    cross join lateral (
        select p.id, p.first_attempt_at, p.next_attempt_at
        from delivery.parcel p
        where p.channel_id = c.id and p.send_id is null
          and p.state in ('ready', 'sending') and p.next_attempt_at <= now()
          -- One person's messages keep their order: not before an earlier one that is new
          -- or with LINE. One that waits for another try holds nobody up.
          and not exists (
              select from delivery.parcel q
              where q.contact_ids[1] = p.contact_ids[1] and q.id < p.id
                and q.channel_id = c.id and q.send_id is null
                -- Nor does one that was given a later hour, the end of quiet hours.
                and (q.state = 'ready' and q.attempts = 0
                         and (q.next_attempt_at <= now()
                              or q.next_attempt_at < q.created_at + interval '1 second')
                     or q.state = 'sending' and q.next_attempt_at > now()))
        order by p.next_attempt_at
        limit :room
        for update skip locked) one
    where c.is_active and c.paused_reason is null
      and not exists (select from delivery.budget b
                      where b.channel_id = c.id and b.method <> 'multicast'
                        and {budget.LEVEL} < 1)
), mine as (
    -- By turns, so that one channel's rush does not hold up another's replies.
    select id, first_attempt_at from found
    order by row_number() over (partition by channel_id order by next_attempt_at),
             next_attempt_at
    limit :room
)"""  # noqa: S608 — our own figures
_CLAIM_URGENT = text(_URGENT + _LEASE)

_RUNNING = text(
    """
select s.id, s.channel_id, m.method, s.personal, s.must_go, g.quiet_from, g.quiet_to, w.timezone
from delivery.send s join workspace.channel c on c.id = s.channel_id
join workspace.workspace w on w.id = s.workspace_id
left join delivery.guard g on g.channel_id = s.channel_id
cross join (values ('multicast'), ('push')) as m(method)
where s.finished_at is null and s.state = 'running' and c.is_active and c.paused_reason is null
  and exists (select from delivery.parcel p
              where p.send_id = s.id and p.method = m.method
                and p.state in ('ready', 'sending') and p.next_attempt_at <= now())
order by s.created_at, m.method"""
)

_BULK = """
with mine as materialized (
    select one.id, one.first_attempt_at
    from unnest(cast(:sends as uuid[]), cast(:methods as text[]), cast(:rooms as int[]))
        as wanted(send_id, method, room)
    -- Looked at again with the claim itself: a pause must hold at once.
    join delivery.send s on s.id = wanted.send_id and s.state = 'running'
    join workspace.channel c on c.id = s.channel_id and c.paused_reason is null
    cross join lateral (
        select p.id, p.first_attempt_at
        from delivery.parcel p
        where p.send_id = wanted.send_id and p.method = wanted.method
          and p.state in ('ready', 'sending') and p.next_attempt_at <= now()
        order by p.next_attempt_at
        limit wanted.room
        for update skip locked) one
)"""
_CLAIM_BULK = text(_BULK + _LEASE)


async def claim_urgent(session: WorkspaceSession, room: int) -> tuple[list[Claimed], bool]:
    """Take up to `room` urgent parcels of channels whose budgets are not spent.

    Also returns whether those budgets have room for more.
    """
    claimed = await _claim(session, _CLAIM_URGENT, {"room": room})
    return claimed, await budget.spend(session, _requests(claimed))


async def running_sends(session: WorkspaceSession) -> list[Running]:
    """Return what may be claimed now, oldest first: nothing that waits for quiet hours."""
    rows = await session.execute(_RUNNING, execution_options=BY_HAND)
    at = now()
    found: list[Running] = []
    for ident, channel_id, method, personal, must_go, quiet_from, quiet_to, timezone in rows:
        # Not in SQL: a server may not know the zone, and nothing at all would then be sent.
        quiet = None if must_go else quiet_hours(quiet_from, quiet_to, timezone)
        if quiet is None or not quiet.hold(at):
            found.append(Running(ident, channel_id, method, personal))
    return found


async def claim_bulk(
    session: WorkspaceSession, running: Sequence[Running], room: int
) -> list[Claimed]:
    """Take up to `room` parcels, shared among what is running; the first get most.

    What the budgets do not allow now is left.
    """
    levels = await budget.lock(session, {send.endpoint for send in running})
    rooms = _share(running, room, levels)
    given = {
        "sends": [send.id for send in rooms],
        "methods": [send.method for send in rooms],
        "rooms": list(rooms.values()),
    }
    claimed = await _claim(session, _CLAIM_BULK, given) if rooms else []
    await budget.spend(session, _requests(claimed))
    return claimed


def _share(
    running: Sequence[Running], room: int, levels: Mapping[budget.Endpoint, float]
) -> dict[Running, int]:
    left = {send.endpoint: 0 for send in running}
    rivals = Counter(send.endpoint for send in running)
    for endpoint, level in levels.items():
        left[endpoint] = budget.for_bulk(endpoint[1], level)
    rooms: dict[Running, int] = {}
    for place, send in enumerate(running):
        fair = -(-room // (len(running) - place))
        take = min(room, fair, -(-left[send.endpoint] // rivals[send.endpoint]))
        rivals[send.endpoint] -= 1
        if take > 0:
            rooms[send] = take
            left[send.endpoint] -= take
            room -= take
    return rooms


def _requests(claimed: Sequence[Claimed]) -> Counter[budget.Endpoint]:
    return Counter((parcel.channel_id, parcel.method) for parcel in claimed)


async def _claim(session: WorkspaceSession, statement: Any, given: dict[str, Any]) -> list[Claimed]:
    at = time.monotonic()
    rows = await session.execute(
        statement,
        {**given, "lease": lease_seconds(), "push_rather": PUSH_RATHER},
        execution_options=BY_HAND,
    )
    found = sorted(rows.all(), key=lambda row: (row.created_at, row.id))
    return [Claimed(*tuple(row)[:-1], claimed_at=at) for row in found]
