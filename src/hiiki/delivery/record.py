"""Recording what became of parcels, in one transaction with all that follows from it.

An outcome counts only while the lease is still ours (`attempts`): a worker that comes
back late changes nothing that another has taken over.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.delivery import budget
from hiiki.delivery.pauses import watch
from hiiki.delivery.sql import BY_HAND, uuid7
from hiiki.delivery.sweep import finish
from hiiki.delivery.verdict import Claimed, Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """A parcel and what became of it; `sealed_token` is the token that LINE was shown."""

    parcel: Claimed
    verdict: Verdict
    sealed_token: bytes | None = None


_ACCEPT = text(
    """
with told as (
    select * from unnest(cast(:ids as uuid[]), cast(:attempts as int[]), cast(:requests as text[]))
        as t(id, attempts, request_id)
), done as (
    update delivery.parcel p
    set state = 'accepted', settled_at = now(), request_id = t.request_id, error = null,
        is_told = cardinality(p.contact_ids) = 1, values = null
    from told t
    where p.id = t.id and p.state = 'sending' and p.attempts = t.attempts
    returning p.id, p.send_id, p.channel_id, p.method, p.contact_ids
), counts as (
    select send_id, sum(cardinality(contact_ids)) as people, count(*) as parcels
    from done where send_id is not null group by send_id
), counted as (
    update delivery.send s
    set accepted = s.accepted + counts.people, settled_at = now(),
        tried_since = s.tried_since + counts.parcels
    from counts where s.id = counts.send_id
    returning s.id
), bill as (
    select channel_id, sum(cardinality(contact_ids)) as people
    from done where method <> 'reply' group by channel_id
), ours as (
    -- Locked in the order of their ids, so that two workers never wait for each other.
    select c.id from workspace.channel c where c.id in (select channel_id from bill)
    order by c.id for no key update
), billed as (
    -- LINE counts people, and replies are free (Messaging API pricing). This is our own count
    -- until LINE is asked for its figure again (`hiiki.workspace.quota`), whose months are UTC+9's.
    update workspace.channel c set quota_used = c.quota_used + bill.people,
        quota_own = bill.people
            + case when c.quota_own_month = month.first then c.quota_own else 0 end,
        quota_own_month = month.first
    from bill join ours on ours.id = bill.channel_id
    cross join (select date_trunc('month', now() at time zone 'Asia/Tokyo')::date) as month(first)
    where c.id = ours.id
)
select array(select id from counted) as sends,
    array(select id from done where cardinality(contact_ids) = 1) as single"""
)
# What went to many is told a little later (`hiiki.delivery.telling`). A statement of its own: what
# is written to tables that may be spread is written by no part of another statement.
_TELL = text(
    """
insert into timeline.event (workspace_id, contact_id, id, at, channel_id, kind, subject, data)
select p.workspace_id, p.contact_ids[1], p.id, now(), p.channel_id, 'sent', p.subject,
    jsonb_build_object(
        'messages', coalesce(jsonb_array_length(p.messages), jsonb_array_length(s.messages)),
        'method', p.method, 'send', p.send_id)
    || case when p.is_triggered then jsonb_build_object('triggered', true)
            else jsonb_build_object() end
from delivery.parcel p left join delivery.send s on s.id = p.send_id
where p.id = any(cast(:ids as uuid[]))"""
)

_SETTLE = text(
    """
with told as (
    select * from unnest(cast(:ids as uuid[]), cast(:attempts as int[]), cast(:states as text[]),
        cast(:waits as float8[]), cast(:errors as text[]), cast(:requests as text[]),
        cast(:pushes as bool[]), cast(:forgets as bool[]), cast(:failed as bool[]),
        cast(:ages as float8[]))
        as t(id, attempts, state, wait, error, request_id, becomes_push, forgets, failed, age)
), done as (
    update delivery.parcel p
    set state = t.state, error = t.error,
        values = case when t.state = 'ready' then p.values end,
        request_id = coalesce(t.request_id, p.request_id),
        settled_at = case when t.state = 'ready' then null else now() end,
        next_attempt_at = now() + make_interval(secs => t.wait),
        method = case when t.becomes_push then 'push' else p.method end,
        first_attempt_at = case when t.forgets then null else p.first_attempt_at end
    from told t
    where p.id = t.id and p.state = 'sending' and p.attempts = t.attempts
    returning p.send_id, p.state, cardinality(p.contact_ids) as people, t.failed,
        now() - make_interval(secs => t.age) as claimed_at
), counts as (
    select d.send_id, coalesce(sum(d.people) filter (where d.state = 'refused'), 0) as refused,
        coalesce(sum(d.people) filter (where d.state = 'in_doubt'), 0) as in_doubt,
        bool_or(d.state <> 'ready') as settles,
        -- The error budget: what was tried before the last resume tells nothing any more.
        coalesce(sum(d.people) filter (where d.state = 'refused'
                                       and d.claimed_at >= s.running_since), 0) as refused_since,
        count(*) filter (where d.state <> 'in_doubt'
                         and d.claimed_at >= s.running_since) as tried,
        count(*) filter (where d.failed and d.claimed_at >= s.running_since) as failed
    from done d join delivery.send s on s.id = d.send_id
    where d.state <> 'ready' or d.failed
    group by d.send_id
)
update delivery.send s
set refused = s.refused + c.refused, in_doubt = s.in_doubt + c.in_doubt,
    settled_at = case when c.settles then now() else s.settled_at end,
    refused_since = s.refused_since + c.refused_since,
    tried_since = s.tried_since + c.tried, failed_since = s.failed_since + c.failed
from counts c where s.id = c.send_id
returning s.id"""
)


async def record(session: WorkspaceSession, outcomes: Sequence[Outcome]) -> None:
    """Write down outcomes, the sends' counters and single people's `sent` events, all at once."""
    touched: set[UUID] = set()
    await _hold(session, outcomes)
    accepted = [o for o in outcomes if o.verdict.state == "accepted"]
    if accepted:
        given = {**_leases(accepted), "requests": [o.verdict.request_id for o in accepted]}
        found = await session.execute(_ACCEPT, given, execution_options=BY_HAND)
        sends, single = found.one()
        touched.update(sends)
        if single:
            await session.execute(_TELL, {"ids": single}, execution_options=BY_HAND)
    others = [o for o in outcomes if o.verdict.state != "accepted" and not o.verdict.splits]
    if others:
        verdicts = [o.verdict for o in others]
        given = {
            **_leases(others),
            "states": [v.state for v in verdicts],
            "waits": [v.wait for v in verdicts],
            "errors": [v.error for v in verdicts],
            "requests": [v.request_id for v in verdicts],
            "pushes": [v.becomes_push for v in verdicts],
            "forgets": [_forgets(o) for o in others],
            "failed": [v.failed for v in verdicts],
            "ages": [time.monotonic() - o.parcel.claimed_at for o in others],
        }
        rows = await session.execute(_SETTLE, given, execution_options=BY_HAND)
        counted = set(rows.scalars())
        said = {
            o.parcel.send_id: o.verdict.error
            for o in others
            if o.verdict.failed or o.verdict.state == "refused"
        }
        await watch(session, {i: words for i, words in said.items() if i in counted})
        touched |= counted
    for outcome in outcomes:
        if outcome.verdict.splits:
            await _split(session, outcome)
    await _pause(session, outcomes)
    await budget.punish(
        session, {(o.parcel.channel_id, o.parcel.method) for o in outcomes if o.verdict.punishes}
    )
    if touched:
        await finish(session, sorted(touched))


async def _hold(session: WorkspaceSession, outcomes: Sequence[Outcome]) -> None:
    """Lock what several sends' outcomes change, in one order: parcels, then sends.

    Two workers would otherwise each hold a send that the other wants. A single send cannot
    be part of such a circle.
    """
    sends = {o.parcel.send_id for o in outcomes if o.parcel.send_id is not None}
    if len(sends) > 1:
        for table, ids in (("parcel", [o.parcel.id for o in outcomes]), ("send", list(sends))):
            await session.execute(
                text(f"select from delivery.{table} where id = any(:ids) order by id for update"),
                {"ids": ids},
                execution_options=BY_HAND,
            )


def _leases(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "ids": [o.parcel.id for o in outcomes],
        "attempts": [o.parcel.attempts for o in outcomes],
    }


def _forgets(outcome: Outcome) -> bool:
    """True when it is certain that no attempt so far was accepted."""
    return outcome.verdict.is_certain and outcome.parcel.doubt is None


async def _split(session: WorkspaceSession, outcome: Outcome) -> None:
    # LINE's 400 is certain: nobody of these got anything, so the halves may have new keys.
    given = {
        "id": outcome.parcel.id,
        "attempts": outcome.parcel.attempts,
        "key": uuid4(),
        "other_key": uuid4(),
        "error": outcome.verdict.error,
        "request": outcome.verdict.request_id,
    }
    await session.execute(
        text(_SPLIT.format(uuid7=await uuid7(session))), given, execution_options=BY_HAND
    )


# By the row and not by what the worker remembers: somebody in it may have been erased since.
_SPLIT = """
with whole as materialized (
    select p.*, greatest(1, cardinality(p.contact_ids) / 2) as half from delivery.parcel p
    where p.id = :id and p.state = 'sending' and p.attempts = :attempts
    for update
), first as (
    update delivery.parcel p
    set contact_ids = w.contact_ids[1 : w.half], line_user_ids = w.line_user_ids[1 : w.half],
        retry_key = :key, state = 'ready', next_attempt_at = now(), first_attempt_at = null,
        error = cast(:error as text), request_id = cast(:request as text)
    from whole w where p.id = w.id
)
insert into delivery.parcel (id, workspace_id, send_id, channel_id, subject, method, contact_ids,
    line_user_ids, messages, values, retry_key, state, attempts, next_attempt_at, created_at, error)
select {uuid7}, w.workspace_id, w.send_id, w.channel_id, w.subject, w.method,
    w.contact_ids[w.half + 1 :], w.line_user_ids[w.half + 1 :], w.messages, w.values, :other_key,
    'ready', 0, now(), now(), cast(:error as text)
from whole w where cardinality(w.contact_ids) > 1"""


async def _pause(session: WorkspaceSession, outcomes: Sequence[Outcome]) -> None:
    sends = {
        o.parcel.send_id: (o.verdict.pauses_send, o.verdict.error)
        for o in outcomes
        if o.verdict.pauses_send
    }
    for send_id, (code, reason) in sends.items():
        await session.execute(
            text(
                "update delivery.send set state = 'paused', pause_code = :code,"
                " pause_reason = :reason, pause_failed = null, pause_of = null"
                " where id = :id and state = 'running'"
            ),
            {"id": send_id, "code": code, "reason": reason},
            execution_options=BY_HAND,
        )
    if spent := {o.parcel.channel_id for o in outcomes if o.verdict.pauses_send == "quota"}:
        # LINE's figures, by which the send could begin, were wrong: they are asked for anew.
        await session.execute(
            text("update workspace.channel set quota_asked_at = null where id = any(:ids)"),
            {"ids": sorted(spent)},
            execution_options=BY_HAND,
        )
    channels = {
        o.parcel.channel_id: (o.verdict.error, o.sealed_token)
        for o in outcomes
        if o.verdict.pauses_channel
    }
    for channel_id, (reason, sealed_token) in channels.items():
        # Not when the owner has put in a new token while LINE refused the old one.
        await session.execute(
            text(
                "update workspace.channel set paused_reason = :reason where id = :id"
                " and paused_reason is null and sealed_token = :token"
            ),
            {"id": channel_id, "reason": reason, "token": sealed_token},
            execution_options=BY_HAND,
        )
