"""Forming the ranks: from the `purchase` events of a workspace to a standing for each customer.

Set-based throughout, and what costs (adding up the events, comparing with what stands) is done
contact by contact, so that it stays on the shard that has them. What was cancelled or returned
has no event any more; an order counts as it stands.

A rank is 1 and one more for each bound that is reached. Bounds of fifths are taken from the
customers themselves, so that equal figures always come into the same rank: of a shop where most
bought once, nobody has the frequency 2 or 3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.rfm.models import Scheme
from hiiki.workspace.models import Workspace

BY_HAND = {"scoped_by_hand": True}
PURCHASE = "purchase"

OWN_RECENCY, OWN_FREQUENCY = (365, 180, 90, 30), (2, 3, 5, 10)
OWN_MONETARY = (5_000, 10_000, 30_000, 100_000)
"""What the editor begins with when a shop wants bounds of its own."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which purchases count, and for whom."""

    days: int | None
    counts: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on a customer has the ranks 2, 3, 4 and 5; None where nobody gets there."""

    recency: tuple[int | None, ...]
    """Days since the last order, at most."""
    frequency: tuple[int | None, ...]
    """Orders, at least."""
    monetary: tuple[Decimal | None, ...]
    """Money, at least."""

    def dump(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "recency": list(self.recency),
            "frequency": list(self.frequency),
            "monetary": [None if one is None else float(one) for one in self.monetary],
        }

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Bounds:
        """Return what `dump` has written."""
        money = [None if one is None else Decimal(str(one)) for one in stored["monetary"]]
        return cls(tuple(stored["recency"]), tuple(stored["frequency"]), tuple(money))


_FIGURES = """
    select contact_id, max((at at time zone :zone)::date) as last_on,
        count(*) filter (where at >= :since)::int as orders,
        coalesce(sum(value) filter (where at >= :since), 0) as spent
    from timeline.event
    where workspace_id = :workspace_id and kind = :kind and at < :until and at >= :from_
    group by contact_id
"""
"""One row a customer. `from_` leaves out all who bought nothing in the days that count."""

_GONE = """
    update rfm.standing s set last_on = null, orders = 0, spent = 0,
        recency = null, frequency = null, monetary = null
    where workspace_id = :workspace_id and last_on is not null and not exists (
        select from timeline.event e
        where e.contact_id = s.contact_id and e.workspace_id = :workspace_id
            and e.kind = :kind and e.at < :until and e.at >= :from_)
"""

# Ranked so that more is better; a bound is the least figure of those behind the fifth.
_FIFTHS = """
    with figures as materialized (
        select (last_on - cast(:today as date)) as r, orders as f, spent as m from {source} one),
    ends as (select
        percentile_disc(array[0.2, 0.4, 0.6, 0.8]) within group (order by r) as r,
        percentile_disc(array[0.2, 0.4, 0.6, 0.8]) within group (order by f) as f,
        percentile_disc(array[0.2, 0.4, 0.6, 0.8]) within group (order by m) as m
        from figures)
    select {columns} from figures, ends
"""
STANDING = """(select contact_id, last_on, orders, spent from rfm.standing
    where workspace_id = :workspace_id and last_on is not null)"""
"""Everybody's figures as they were taken last."""
EVENTS = f"({_FIGURES})"
"""The same, straight from the events."""


def _fifths(source: str) -> str:
    columns = ", ".join(
        f"min(figures.{one}) filter (where figures.{one} > ends.{one}[{end}])"
        for one in "rfm"
        for end in (1, 2, 3, 4)
    )
    return _FIFTHS.format(source=source, columns=columns)


def _reached(figure: str, name: str, comparison: str, kind: str) -> str:
    parts = [
        f"case when {figure} {comparison} cast(:{name}{rank} as {kind}) then 1 else 0 end"
        for rank in (2, 3, 4, 5)
    ]
    return f"(1 + {' + '.join(parts)})"


RECENCY = _reached("(cast(:today as date) - last_on)", "r", "<=", "int")
FREQUENCY = _reached("orders", "f", ">=", "int")
MONETARY = _reached("spent", "m", ">=", "numeric")
"""The ranks as SQL over `last_on`, `orders` and `spent`, with the values of `bound_values`."""


# Whoever stands as before is not written at all. In a new way of ranking nobody has moved yet.
_TAKE = f"""
    insert into rfm.standing (workspace_id, contact_id, last_on, orders, spent,
        recency, frequency, monetary, was_recency, was_frequency)
    select :workspace_id, n.contact_id, n.last_on, n.orders, n.spent,
        n.recency, n.frequency, n.monetary,
        case when :is_new then n.recency else o.was_recency end,
        case when :is_new then n.frequency else o.was_frequency end
    from (
        select *, {RECENCY} as recency, {FREQUENCY} as frequency, {MONETARY} as monetary
        from ({_FIGURES}) figures
    ) n
    left join rfm.standing o on o.contact_id = n.contact_id and o.workspace_id = :workspace_id
    where (n.last_on, n.orders, n.spent, n.recency, n.frequency, n.monetary)
            is distinct from (o.last_on, o.orders, o.spent, o.recency, o.frequency, o.monetary)
        or :is_new and (n.recency, n.frequency)
            is distinct from (o.was_recency, o.was_frequency)
    -- In the order of the indexes, which are filled in two thirds of the time so.
    order by n.contact_id
    on conflict (contact_id) do update set
        last_on = excluded.last_on, orders = excluded.orders, spent = excluded.spent,
        recency = excluded.recency, frequency = excluded.frequency, monetary = excluded.monetary,
        was_recency = excluded.was_recency, was_frequency = excluded.was_frequency
"""  # noqa: S608 — text of our own
_BEGIN = """
    update rfm.standing set was_recency = recency, was_frequency = frequency
    where workspace_id = :workspace_id
        and (was_recency, was_frequency) is distinct from (recency, frequency)
"""
_FORGOTTEN = """
    delete from rfm.standing
    where workspace_id = :workspace_id and last_on is null and was_recency is null
"""
_FLOWS = """
    insert into rfm.flow (workspace_id, month, came_from, went_to, people)
    select :workspace_id, :month, coalesce(10 * was_recency + was_frequency, 0),
        coalesce(10 * recency + frequency, 0), count(*)
    from rfm.standing where workspace_id = :workspace_id
    group by 3, 4
"""
_COUNTED = """
    select recency, frequency, monetary, count(*), sum(spent),
        count(*) filter (where orders = 1), count(*) filter (where orders between 2 and 4),
        count(*) filter (where orders >= 5)
    from rfm.standing where workspace_id = :workspace_id and recency is not null
    group by 1, 2, 3 order by 1, 2, 3
"""
_PEOPLE = "select count(*) from contacts.contact where workspace_id = :workspace_id"


def bound_values(bounds: Bounds) -> dict[str, Any]:
    """Return bounds as the values that the ranks' SQL takes."""
    named = {"r": bounds.recency, "f": bounds.frequency, "m": bounds.monetary}
    return {
        f"{letter}{rank}": bound
        for letter, values in named.items()
        for rank, bound in zip((2, 3, 4, 5), values, strict=True)
    }


async def today_of(session: WorkspaceSession) -> tuple[date, str]:
    """Return the day that it is in the workspace's time zone, and that zone."""
    workspace = await session.known(Workspace, session.workspace_id)
    return now().astimezone(ZoneInfo(workspace.timezone)).date(), workspace.timezone


async def figure_values(session: WorkspaceSession, window: Window) -> dict[str, Any]:
    """Return the values that the SQL of everybody's figures takes."""
    today, zone = await today_of(session)
    until = _midnight(today + timedelta(days=1), zone)
    first = datetime(1900, 1, 1, tzinfo=ZoneInfo("UTC"))
    since = first if window.days is None else _midnight(today - timedelta(window.days - 1), zone)
    return {
        "workspace_id": session.workspace_id,
        "kind": PURCHASE,
        "zone": zone,
        "today": today,
        "since": since,
        "until": until,
        "from_": since if window.counts == "window" else first,
    }


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


async def bounds_of(
    session: WorkspaceSession, method: str, own: Bounds, source: str, values: dict[str, Any]
) -> Bounds:
    """Return the bounds that hold for the figures of `source`: the shop's own, or fifths."""
    if method == "own":
        return own
    found = await session.execute(text(_fifths(source)), values, execution_options=BY_HAND)
    row = list(found.one())
    recency = [None if one is None else -int(one) for one in row[:4]]
    return Bounds(tuple(recency), tuple(row[4:8]), tuple(row[8:]))


def own_bounds(scheme: Scheme) -> Bounds:
    """Return a scheme's own bounds, or those to begin with."""
    return Bounds(
        tuple(scheme.recency or OWN_RECENCY),
        tuple(scheme.frequency or OWN_FREQUENCY),
        tuple(Decimal(str(one)) for one in scheme.monetary or OWN_MONETARY),
    )


def definition(scheme: Scheme) -> str:
    """Return how a scheme forms ranks, as a text that changes with it.

    Bounds of fifths move a little each night with the customers; that is no change of it.
    """
    return defined(scheme.method, Window(scheme.days, scheme.counts), own_bounds(scheme))


def defined(method: str, window: Window, own: Bounds) -> str:
    """Return the same of a way of ranking that may not be the scheme's."""
    bounds = own.dump() if method == "own" else None
    return json.dumps([method, window.days, window.counts, bounds])


async def ranked_by(session: WorkspaceSession) -> str:
    """Return by which definition the ranks that stand now were formed (`Field.mark`)."""
    found = await session.scalar(select(Scheme.ranked_by))
    return found or ""


async def scheme_of(session: WorkspaceSession) -> Scheme:
    """Return the workspace's scheme; a new one when it has none yet."""
    found = await session.get(Scheme, session.workspace_id)
    if found is None:
        found = Scheme(workspace_id=session.workspace_id)
        session.add(found)
        await session.flush()
    return found


async def rank(session: WorkspaceSession) -> Scheme:
    """Form everybody's ranks anew, and count who moved since the last month's end."""
    lock = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await session.execute(lock, {"key": f"rfm:{session.workspace_id}"}, execution_options=BY_HAND)
    # Everybody is looked at. Right after an import PostgreSQL does not know how many that are,
    # and would look all events up for each.
    await _run(session, "set local enable_nestloop = off", {})
    # What is sorted and hashed is as long as the list of customers: it is to stay off the disk.
    await _run(session, "set local work_mem = '128MB'", {})
    await _run(session, "set local jit = off", {})
    scheme = await scheme_of(session)
    await session.refresh(scheme)
    today, _zone = await today_of(session)
    month = today.replace(day=1)
    month_before = month - timedelta(days=1)
    if not scheme.is_new and scheme.since is not None and scheme.since < month_before:
        await _run(session, _BEGIN, {"workspace_id": session.workspace_id})
        scheme.since = month_before
    values = await figure_values(session, Window(scheme.days, scheme.counts))
    bounds = await bounds_of(session, scheme.method, own_bounds(scheme), EVENTS, values)
    await _run(session, _TAKE, {**values, **bound_values(bounds), "is_new": scheme.is_new})
    await _run(session, _GONE, values)
    flows = {"workspace_id": session.workspace_id, "month": month}
    if scheme.is_new:
        await _run(session, _BEGIN, values)
        scheme.is_new, scheme.since = False, today
    await _run(session, _FORGOTTEN, values)
    await _run(
        session, "delete from rfm.flow where workspace_id = :workspace_id and month = :month", flows
    )
    await _run(session, _FLOWS, flows)
    scheme.bounds, scheme.figures = bounds.dump(), await count_all(session)
    scheme.ranked_at, scheme.ranked_by = now(), definition(scheme)
    await session.flush()
    return scheme


async def count_all(session: WorkspaceSession) -> dict[str, Any]:
    """Count who stands where now.

    `cells` are recency, frequency, monetary, people and money spent (as text) wherever somebody is;
    `orders` are the customers with one, two to four, and five orders and more; `people` are all who
    are known, customers or not.
    """
    values = {"workspace_id": session.workspace_id}
    found = await session.execute(text(_COUNTED), values, execution_options=BY_HAND)
    rows = found.all()
    people = await session.execute(text(_PEOPLE), values, execution_options=BY_HAND)
    return {
        "cells": [[*row[:4], str(row[4])] for row in rows],
        "orders": [sum(row[place] for row in rows) for place in (5, 6, 7)],
        "people": people.scalar_one(),
    }


async def _run(session: WorkspaceSession, statement: str, values: dict[str, Any]) -> None:
    await session.execute(text(statement), values, execution_options=BY_HAND)
