"""The relay's queue: bodies put in with their events, taken out when a target has them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from sqlalchemy import select, text

from hiiki.db import WorkspaceSession, everywhere
from hiiki.ingest.relay.models import RelayTarget
from hiiki.ingest.relay.post import Outcome
from hiiki.kit.ids import uuid7
from hiiki.line.wire import WireEvent

CHANNEL = "hiiki_relay"
"""The NOTIFY channel on which workers hear of bodies to relay."""
GIVEN_UP_AFTER = timedelta(hours=24)
LEASE_SECONDS = 15.0
"""Longer than a batch may take (`hiiki.ingest.relay.crew.BEGIN_WITHIN` and one attempt)."""
OUTAGE = 5
"""So many failures in a row, and it is the target that was away, not some bodies' fault."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A webhook body as LINE posted it."""

    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A body that brought something new, to be relayed."""

    workspace_id: UUID
    channel_id: UUID
    events: Sequence[WireEvent]
    raw: Raw


@dataclass(frozen=True, slots=True)
class Parcel:
    """A body that waits for its target."""

    serial: int
    attempts: int
    body_id: UUID
    body: bytes
    signature: str
    people: Sequence[str]


_PUT = """
    with arrived as (
        select * from unnest(
            %(ids)s::uuid[], %(workspace_ids)s::uuid[], %(channel_ids)s::uuid[],
            %(bodies)s::bytea[], %(signatures)s::text[], %(people)s::text[],
            %(events)s::int[]
        ) with ordinality as a
            (id, workspace_id, channel_id, body, signature, people, events, place)
    ), kept as (
        insert into ingest.relay_body (id, workspace_id, channel_id, body, signature, people)
        select a.id, a.workspace_id, a.channel_id, a.body, a.signature,
            string_to_array(a.people, ' ')
        from arrived a
        where exists (select 1 from ingest.relay_target t where t.channel_id = a.channel_id
            and t.workspace_id = a.workspace_id)
        returning id
    ), told as (
        select case when exists (select 1 from kept) then pg_notify(%(notify)s, '')::text end
    )
    insert into ingest.relay_delivery
        (workspace_id, target_id, body_id, events, received_at, expires_at, due_at, state,
         attempts)
    select t.workspace_id, t.id, k.id, a.events, clock_timestamp(),
        clock_timestamp() + %(kept_for)s, clock_timestamp(), 'waiting', 0
    from kept k join arrived a on a.id = k.id
    join ingest.relay_target t
        on t.channel_id = a.channel_id and t.workspace_id = a.workspace_id
    left join told on true
    order by a.place
    """

_WITH_WORK = text(
    """
    select t.id from ingest.relay_target t join workspace.channel c on c.id = t.channel_id
    where not t.is_paused and c.is_active
        and (t.rests_until is null or t.rests_until <= clock_timestamp())
        and (t.leased_until is null or t.leased_until <= clock_timestamp())
        and t.id <> all(cast(:busy as uuid[]))
        and exists (select 1 from ingest.relay_delivery d
            where d.target_id = t.id and d.state = 'waiting' and d.due_at <= clock_timestamp()
                and d.expires_at > clock_timestamp())
    """
)

_LEASE = text(
    """
    update ingest.relay_target set leased_until = clock_timestamp() + :lease * interval '1 second'
    where id = :target_id and not is_paused
        and (rests_until is null or rests_until <= clock_timestamp())
        and (leased_until is null or leased_until <= clock_timestamp())
    """
)

_NEXT = text(
    """
    select d.serial, d.attempts, b.id, b.body, b.signature, b.people
    from ingest.relay_delivery d join ingest.relay_body b on b.id = d.body_id
    where d.target_id = :target_id and d.state = 'waiting' and d.due_at <= clock_timestamp()
        and d.expires_at > clock_timestamp()
    order by d.serial limit :many
    """
)

_EXPIRE = text(
    """
    update ingest.relay_delivery
    set state = 'given_up', settled_at = clock_timestamp(), problem = coalesce(problem, 'expired')
    where state = 'waiting' and expires_at <= clock_timestamp()
    """
)

_RECORD = text(
    """
    update ingest.relay_delivery d
    set attempts = d.attempts + 1, answer = r.answer, problem = r.problem,
        state = case when r.problem is null then 'delivered' else d.state end,
        body_id = case when r.problem is null then null else d.body_id end,
        settled_at = case when r.problem is null then clock_timestamp() end,
        due_at = clock_timestamp() + r.wait * interval '1 second'
    from unnest(cast(:serials as bigint[]), cast(:answers as int[]), cast(:problems as text[]),
        cast(:waits as float8[])) as r (serial, answer, problem, wait)
    where d.serial = r.serial and d.state = 'waiting'
    """
)

_LOCK_BODIES = text(
    "select id from ingest.relay_body where id = any(cast(:ids as uuid[])) order by id for update"
)
_DROP_BODIES = text(
    """
    delete from ingest.relay_body b where b.id = any(cast(:ids as uuid[]))
        and not exists (select 1 from ingest.relay_delivery d where d.body_id = b.id)
    """
)

_GIVEN_UP_WITH = text(
    """
    select b.id from ingest.relay_body b
    where b.workspace_id = :workspace_id and b.channel_id = :channel_id
        and position(convert_to(:quoted, 'UTF8') in b.body) > 0
        and exists (select 1 from ingest.relay_delivery d
            where d.body_id = b.id and d.state = 'given_up')
    order by b.id for update of b
    """
)
_LET_GO = text(
    """
    update ingest.relay_delivery set body_id = null
    where body_id = any(cast(:ids as uuid[])) and state = 'given_up'
    """
)

_SETTLE = text(
    """
    update ingest.relay_target
    set failures = :failures, leased_until = null,
        rests_until = clock_timestamp() + cast(:rest as float8) * interval '1 second'
    where id = :target_id and leased_until = :leased_until
    """
)

_WAKE = text(
    """
    update ingest.relay_delivery set due_at = clock_timestamp()
    where target_id = :target_id and state = 'waiting' and due_at > clock_timestamp()
    """
)


async def put(connection: AsyncConnection[Any], arrived: Sequence[Arrived]) -> None:
    """Queue bodies for all targets of their channels, in the transaction of their events."""
    # In the order of appearance: a target gets one after the other what begins with one sender.
    people = [
        dict.fromkeys(name for e in one.events for name in (e.source_id, e.user_id) if name)
        for one in arrived
    ]
    await connection.execute(
        _PUT,
        {
            "ids": [uuid7() for _ in arrived],
            "workspace_ids": [one.workspace_id for one in arrived],
            "channel_ids": [one.channel_id for one in arrived],
            "bodies": [one.raw.body for one in arrived],
            "signatures": [one.raw.signature for one in arrived],
            "people": [" ".join(names) for names in people],
            "events": [len(one.events) for one in arrived],
            "kept_for": GIVEN_UP_AFTER,
            "notify": CHANNEL,
        },
    )


async def targets_with_work(busy: Collection[UUID]) -> list[UUID]:
    """Return the targets that something can be sent to now, except those in `busy`."""
    # The queue is all workspaces' together: a worker serves whoever has something.
    async with everywhere() as session:
        return list(await session.scalars(_WITH_WORK, {"busy": list(busy)}))


async def claim(target_id: UUID, many: int) -> tuple[RelayTarget, list[Parcel]] | None:
    """Take the lease of a target and read its oldest due bodies; one only while it fails.

    None when there is nothing to do, or another worker is at it.
    """
    # As above; what is read belongs to the one target.
    async with everywhere() as session:
        leased = await session.execute(_LEASE, {"target_id": target_id, "lease": LEASE_SECONDS})
        target = await session.scalar(select(RelayTarget).where(RelayTarget.id == target_id))
        if not leased.rowcount or target is None:  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]
            return None
        found = await session.execute(
            _NEXT, {"target_id": target_id, "many": 1 if target.failures else many}
        )
        parcels = [Parcel(*row) for row in found]
        if not parcels:
            target.leased_until = None
            return None
        return target, parcels


async def record(
    target: RelayTarget,
    tried: Sequence[tuple[Parcel, Outcome, float]],
    failures: int,
    rest: float | None,
) -> None:
    """Write down a batch: each body's outcome and wait, and how the target does (`rest` s)."""
    ids = sorted({parcel.body_id for parcel, _outcome, _wait in tried})
    # As above. Whoever changes these tables locks targets, then bodies, then deliveries; and two
    # targets that finish with one body must not miss each other, or nobody would drop it.
    async with everywhere() as session:
        await session.execute(
            _SETTLE,
            {
                "target_id": target.id,
                # Too late, the lease is another worker's, which knows better how the target does.
                "leased_until": target.leased_until,
                "failures": failures,
                "rest": rest,
            },
        )
        await session.execute(_LOCK_BODIES, {"ids": ids})
        await session.execute(
            _RECORD,
            {
                "serials": [parcel.serial for parcel, _outcome, _wait in tried],
                "answers": [outcome.answer for _parcel, outcome, _wait in tried],
                "problems": [outcome.problem for _parcel, outcome, _wait in tried],
                "waits": [wait for _parcel, _outcome, wait in tried],
            },
        )
        await session.execute(_DROP_BODIES, {"ids": ids})
        if target.failures >= OUTAGE and not failures:
            await session.execute(_WAKE, {"target_id": target.id})


async def forget_given_up(session: WorkspaceSession, channel_id: UUID, message_id: str) -> None:
    """Drop what was given up and names this message, which was taken back.

    A body cannot be changed without breaking its signature, so it goes as a whole. What still
    waits is relayed: the other tool is told that the message was taken back, too.
    """
    by_hand = {"scoped_by_hand": True}
    ids = list(
        await session.scalars(
            _GIVEN_UP_WITH,
            {
                "workspace_id": session.workspace_id,
                "channel_id": channel_id,
                "quoted": f'"{message_id}"',
            },
            execution_options=by_hand,
        )
    )
    if ids:
        await session.execute(_LET_GO, {"ids": ids}, execution_options=by_hand)
        await session.execute(_DROP_BODIES, {"ids": ids}, execution_options=by_hand)


async def give_up_old() -> None:
    """Give up what was not delivered in a day."""
    # How long one tries is the same for all workspaces.
    async with everywhere() as session:
        await session.execute(_EXPIRE)
