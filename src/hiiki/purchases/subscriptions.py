"""Subscriptions: what is delivered again and again, and how often so far (requirement B10).

A subscription is told by the API, or known by the orders that name it; with both, whichever
knows of more deliveries is believed. The first delivery starts it, each further one renews it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from hiiki.contacts.identities import Keys, resolve
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.purchases import reactions
from hiiki.purchases.models import Subscription
from hiiki.purchases.orders import derived, event_id
from hiiki.purchases.writing import Row, Version, document, inserting, run
from hiiki.timeline.service import record_rows, retract

MAX_TIMES = 10_000

_HOLD = text("select pg_advisory_xact_lock(hashtextextended(:subscription, 0))")
_THESE = """unnest(cast(:contacts as uuid[]), cast(:sources as text[]), cast(:keys as text[]))
    as k(contact_id, source, key)"""
_STANDING = text(
    f"""
    select s.* from purchases.subscription s join {_THESE}
      on s.contact_id = k.contact_id and s.source = k.source and s.key = k.key
    where s.workspace_id = :workspace_id
    """  # noqa: S608 — our own words
)
_DELIVERIES = text(
    f"""
    select o.contact_id, o.source, o.subscription as key,
        array_agg(o.at order by o.at, o.id) as moments
    from purchases.order o join {_THESE}
      on o.contact_id = k.contact_id and o.source = k.source and o.subscription = k.key
    where o.workspace_id = :workspace_id and o.status in ('paid', 'partly_returned')
    group by 1, 2, 3
    """  # noqa: S608 — our own words
)
_CLEAR = text(
    f"""
    delete from purchases.subscription s using {_THESE}
    where s.workspace_id = :workspace_id and s.contact_id = k.contact_id
      and s.source = k.source and s.key = k.key
    """  # noqa: S608 — our own words
)
_INSERT = inserting(Subscription)
_FORGET = text(
    """
    delete from purchases.subscriber
    where workspace_id = :workspace_id and contact_id = any(cast(:contacts as uuid[]))
    """
)
_COUNT = text(
    """
    insert into purchases.subscriber (workspace_id, contact_id, continued, active)
    select workspace_id, contact_id,
        coalesce(max(times) filter (where status <> 'ended'), max(times)),
        count(*) filter (where status <> 'ended')
    from purchases.subscription
    where workspace_id = :workspace_id and contact_id = any(cast(:contacts as uuid[]))
    group by workspace_id, contact_id
    """
)


@dataclass(frozen=True, slots=True)
class SubscriptionIn:
    """A subscription as it stands now in the shop's system; None: as it was.

    `(source, key)` says which it is.
    """

    source: str
    key: str
    keys: Keys
    product: str | None = None
    status: str = "active"
    times: int | None = None
    """The deliveries so far."""
    started_at: datetime | None = None
    renewed_at: datetime | None = None
    """When the latest of them was."""
    next_at: datetime | None = None


Which = tuple[UUID, str, str]
"""A subscription of somebody's: the contact, the source, the key."""


def subscription_id(workspace_id: UUID, source: str, key: str) -> UUID:
    """Return the id of the subscription that `source` calls `key`."""
    return derived(workspace_id, "subscription", f"{source}:{key}")


async def put(session: WorkspaceSession, data: SubscriptionIn) -> Subscription:
    """Take a subscription as it stands now; raises `Invalid` when it is nobody's."""
    ident = subscription_id(session.workspace_id, data.source, data.key)
    await run(session, _HOLD, subscription=str(ident))
    [contact_id] = await resolve(session, [data.keys])
    standing = await session.scalar(
        select(Subscription)
        .where(Subscription.id == ident)
        .execution_options(populate_existing=True)
    )
    contact_id = contact_id or (standing.contact_id if standing else None)
    if contact_id is None:
        raise Invalid(fields={"customer": _("Please say whose subscription it is.")})
    row = _row(session.workspace_id, contact_id, data, standing)
    if standing is not None:
        session.expunge(standing)
        await _take_back(session, [{c: getattr(standing, c) for c in row}])
    which = (contact_id, data.source, data.key)
    await _settle(session, {which: row}, {which: _known(standing)})
    return await session.one(Subscription, (contact_id, ident))


def _row(
    workspace_id: UUID, contact_id: UUID, data: SubscriptionIn, standing: Subscription | None
) -> Row:
    moment = now()
    times = data.times if data.times is not None else (standing.told if standing else 1)
    started = data.started_at or (standing.started_at if standing else moment)
    renewed = data.renewed_at
    if renewed is None:
        was = standing.times if standing else 0
        renewed = moment if times > max(was, 1) else standing.renewed_at if standing else started
    ended = None
    if data.status == "ended":
        ended = standing.ended_at if standing and standing.ended_at else moment
    return {
        "workspace_id": workspace_id,
        "contact_id": contact_id,
        "id": subscription_id(workspace_id, data.source, data.key),
        "source": data.source,
        "key": data.key,
        "product": data.product
        if data.product is not None
        else standing.product
        if standing
        else "",
        "status": data.status,
        "times": times,
        "told": times,
        "started_at": started,
        "renewed_at": renewed,
        "next_at": data.next_at if data.next_at or not standing else standing.next_at,
        "ended_at": ended,
        "updated_at": moment,
    }


async def follow_orders(
    session: WorkspaceSession,
    removed: Iterable[Version],
    added: Sequence[Version],
    *,
    is_live: bool,
) -> None:
    """Bring subscriptions up to date after orders that name them have changed."""
    named: dict[Which, str] = {}
    for version in (*removed, *added):
        order = version.order
        if key := order["subscription"]:
            product = version.lines[0]["product"] if version.lines else ""
            named[(order["contact_id"], order["source"], key)] = product
    if not named:
        return
    found = [dict(row) for row in (await run(session, _STANDING, **_keys(named))).mappings()]
    rows: dict[Which, Row] = {_which(row): row for row in found}
    before = {which: (row["times"], row["status"] == "ended") for which, row in rows.items()}
    await _take_back(session, found)
    for which, product in named.items():
        if which not in rows:
            contact_id, source, key = which
            data = SubscriptionIn(source, key, Keys(), product, times=0)
            rows[which] = _row(session.workspace_id, contact_id, data, None)
    await _settle(session, rows, before, is_live=is_live)


def _known(standing: Subscription | None) -> tuple[int, bool]:
    return (standing.times, standing.status == "ended") if standing else (0, False)


def _which(row: Mapping[str, Any]) -> Which:
    return row["contact_id"], row["source"], row["key"]


def _keys(named: Iterable[Which]) -> dict[str, Any]:
    contacts, sources, keys = zip(*named, strict=True)
    return {"contacts": list(contacts), "sources": list(sources), "keys": list(keys)}


async def _take_back(session: WorkspaceSession, rows: Sequence[Row]) -> None:
    """Take rows out of the table, with the events they told."""
    if rows:
        await run(session, _CLEAR, **_keys(map(_which, rows)))
        await retract(
            session,
            [
                (row["contact_id"], event_id(row["id"], n))
                for row in rows
                for n in range(row["times"] + 1)
            ],
        )
        await count(session, [row["contact_id"] for row in rows])


async def _settle(
    session: WorkspaceSession,
    rows: dict[Which, Row],
    before: Mapping[Which, tuple[int, bool]],
    *,
    is_live: bool = True,
) -> None:
    """Write subscriptions with what their orders tell, and their events.

    `before` is how many deliveries were known, and whether it had ended: what goes beyond that
    is news.
    """
    found = (await run(session, _DELIVERIES, **_keys(rows))).all()
    delivered = {(row.contact_id, row.source, row.key): row.moments for row in found}
    fresh = await reactions.since(session)
    kept: list[Row] = []
    events: list[Row] = []
    news: list[Row] = []
    for which, row in rows.items():
        moments = delivered.get(which, [])
        if not moments and not row["told"]:
            continue
        _reckon(row, moments)
        kept.append(row)
        times, had_ended = before.get(which, (0, False))
        for n, event in _events(row, moments):
            events.append(event)
            if event["at"] >= fresh and (n > times or (n == 0 and not had_ended)):
                news.append(event)
    if kept:
        await run(session, _INSERT, rows=document(kept))
        await record_rows(session, events)
    await count(session, sorted({contact_id for contact_id, _source, _key in rows}))
    if is_live:
        await reactions.run_for(session, news)


def _reckon(row: Row, moments: Sequence[datetime]) -> None:
    row["times"] = max(row["told"], len(moments))
    if moments:
        row["started_at"] = min(moments[0], row["started_at"])
        row["renewed_at"] = moments[-1] if not row["told"] else max(moments[-1], row["renewed_at"])
        if row["ended_at"] is not None and moments[-1] > row["ended_at"]:
            row["status"], row["ended_at"] = "active", None


def _events(row: Row, moments: Sequence[datetime]) -> list[tuple[int, Row]]:
    """Return what a subscription tells: the endings of the events' ids (0 is its end, `n` its
    nth delivery), and the events."""
    when = {1: row["started_at"], row["times"]: row["renewed_at"]}
    when |= dict(enumerate(moments, 1))
    told = [
        (n, "subscription_start" if n == 1 else "subscription_renew", at, n if n > 1 else None)
        for n, at in sorted(when.items())
    ]
    if row["ended_at"] is not None:
        told.append((0, "subscription_end", row["ended_at"], row["times"]))
    return [
        (
            n,
            {
                "workspace_id": row["workspace_id"],
                "contact_id": row["contact_id"],
                "id": event_id(row["id"], n),
                "at": at,
                "channel_id": None,
                "kind": kind,
                "subject": row["product"],
                "value": value,
                "data": {"subscription": row["key"]},
            },
        )
        for n, kind, at, value in told
    ]


async def count(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> None:
    """Work out anew how far these people's subscriptions have come."""
    await run(session, _FORGET, contacts=list(contact_ids))
    await run(session, _COUNT, contacts=list(contact_ids))


async def reaching(session: WorkspaceSession, most: int = 12) -> list[tuple[int, int, int]]:
    """Return (time, subscriptions that reached it, those of them that could have) up to `most`.

    The share of the two is the KPI of continuation. A subscription that still runs has not
    failed to reach a time that lies ahead, so it is left out of those that could have.
    """
    rows = await session.execute(
        select(Subscription.times, Subscription.status, func.count()).group_by(
            Subscription.times, Subscription.status
        )
    )
    counts = [(times, status == "ended", n) for times, status, n in rows]
    found: list[tuple[int, int, int]] = []
    for time in range(1, most + 1):
        reached = sum(n for times, _ended, n in counts if times >= time)
        over = sum(n for times, ended, n in counts if times < time and ended)
        if not reached:
            break
        found.append((time, reached, reached + over))
    return found
