"""The numbers of the map: who stands where, on which day, and who went from where to where.

The present is counted in `standing`. An earlier day is the present with all later moves taken
back, so it costs as much as has happened since, and not as much as the shop has people. For the
map of everybody, the moves of each day are kept (`hiiki.ninecells.kept`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Subquery, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.kit.statistics import wilson
from hiiki.ninecells.cells import CELLS
from hiiki.ninecells.kept import Moved, kept, moved_by_month, moved_since
from hiiki.ninecells.models import Move, Standing
from hiiki.segments.compiler import compile_rule
from hiiki.segments.found import found_once
from hiiki.segments.models import Segment
from hiiki.segments.service import checked_rule, frame_for

BY_HAND = {"scoped_by_hand": True}
PAGE = 50
EARLIEST = date(2000, 1, 1)

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Share:
    """One cell on a day."""

    people: int
    share: float | None
    low: float | None
    high: float | None
    market: int | None


@dataclass(frozen=True, slots=True)
class Map:
    """The map on a day."""

    people: int
    placed: int
    cells: Mapping[str, Share]


def day_end(day: date, timezone: str) -> datetime:
    """Return the midnight that ends a day of the workspace's zone."""
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(timezone))


def today(timezone: str) -> date:
    """Return the day it is in the workspace's zone."""
    return now().astimezone(ZoneInfo(timezone)).date()


def read_day(typed: str, field: str, timezone: str) -> date | None:
    """Return a day as a form gives it, None for ""; raises `Invalid` at `field`.

    A day to come is taken for today.
    """
    if not typed:
        return None
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        raise Invalid(fields={field: _("Please enter a date, such as 2026-11-21.")}) from None
    if found < EARLIEST:
        raise Invalid(fields={field: _("Please enter a day after the year 2000.")})
    return min(found, today(timezone))


async def among(session: WorkspaceSession, segment_id: UUID | None) -> Subquery | None:
    """Return the members of a segment, or None for everybody; raises as segments do.

    They are found once, however often a page counts them.
    """
    if segment_id is None:
        return None
    segment = await session.one(Segment, segment_id)
    rule = await checked_rule(session, segment)
    members = compile_rule(rule, await frame_for(session, rule))
    return (await found_once(session, "ninecells_among", members)).subquery()


async def people_in(session: WorkspaceSession, inner: Subquery | None) -> int:
    """Count everybody of the workspace or of `among`, on the map or not."""
    query = select(func.count()).select_from(Contact)
    if inner is not None:
        query = select(func.count()).select_from(inner).execution_options(**BY_HAND)
    return await session.scalar(query) or 0


def _only(column: Any, inner: Subquery | None) -> list[ColumnElement[bool]]:
    return [] if inner is None else [column.in_(select(inner.c.contact_id))]


async def counts_now(session: WorkspaceSession, inner: Subquery | None = None) -> Counts:
    """Return how many stand in each cell now."""
    query = (
        select(Standing.cell, func.count())
        .where(Standing.workspace_id == session.workspace_id, *_only(Standing.contact_id, inner))
        .group_by(Standing.cell)
    )
    rows = await session.execute(query, execution_options=BY_HAND)
    found = {row[0]: row[1] for row in rows}
    return {cell.name: found.get(cell.name, 0) for cell in CELLS}


async def counts_at(
    session: WorkspaceSession, moment: datetime, inner: Subquery | None = None
) -> Counts:
    """Return how many stood in each cell just before a moment."""
    if moment <= now() and inner is None and (before := await kept(session)) is not None:
        moved = await moved_since(session, before, moment)
        if moved is not None:
            return _back(before.cells, moved)
    found = await counts_now(session, inner)
    if moment > now():
        return found
    query = (
        select(Move.was, Move.cell, func.count())
        .where(
            Move.workspace_id == session.workspace_id,
            Move.at >= moment,
            *_only(Move.contact_id, inner),
        )
        .group_by(Move.was, Move.cell)
    )
    for was, cell, people in await session.execute(query, execution_options=BY_HAND):
        _shift(found, cell, was, people)
    return found


async def by_month(
    session: WorkspaceSession, timezone: str, months: int = 12
) -> list[tuple[date, Counts]]:
    """Return the map at the end of each of the last months, the oldest first, today's last."""
    first = today(timezone).replace(day=1)
    starts = [first]
    while len(starts) < months:
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    current = await counts_now(session)
    found: list[tuple[date, Counts]] = [(starts[0], current)]
    before = await kept(session)
    if before is not None and before.at >= day_end(first - timedelta(days=1), timezone):
        current, moved = before.cells, await moved_by_month(session, starts[-1])
    else:
        moved = await _moved_by_month(session, timezone, starts[-1])
    for later, start in pairwise(starts):
        current = _back(current, moved.get(later, ()))
        found.append((start, current))
    return found[::-1]


async def _moved_by_month(
    session: WorkspaceSession, timezone: str, first: date
) -> dict[date, Moved]:
    month = func.date_trunc("month", Move.at, literal(timezone))
    query = (
        select(month, Move.was, Move.cell, func.count())
        .where(
            Move.workspace_id == session.workspace_id,
            Move.at >= day_end(first - timedelta(days=1), timezone),
        )
        .group_by(month, Move.was, Move.cell)
        .execution_options(**BY_HAND)
    )
    found: dict[date, list[tuple[str, str, int]]] = {}
    for at, was, cell, people in await session.execute(query):
        found.setdefault(at.astimezone(ZoneInfo(timezone)).date(), []).append((was, cell, people))
    return dict(found)


def _back(counts: Counts, moved: Moved) -> Counts:
    """Return counts with moves taken back."""
    found = dict(counts)
    for was, cell, people in moved:
        _shift(found, cell, was, people)
    return found


def _shift(counts: Counts, source: str, target: str, people: int) -> None:
    if source:
        counts[source] = counts.get(source, 0) - people
    if target:
        counts[target] = counts.get(target, 0) + people


def shares(counts: Counts, people: int, market: int | None) -> Map:
    """Return counts as shares of those who are placed, with how sure they are.

    A market is estimated from all who were placed: that they are like the others is the
    shop's assumption, not a finding.
    """
    placed = sum(counts.values())
    cells: dict[str, Share] = {}
    for name, n in counts.items():
        if not placed:
            cells[name] = Share(n, None, None, None, None)
            continue
        low, high = wilson(n, placed)
        estimate = round(market * n / placed) if market else None
        cells[name] = Share(n, n / placed, low, high, estimate)
    return Map(people, placed, cells)


# --- movement ---------------------------------------------------------------------------


def _moved(session: WorkspaceSession, first: datetime, until: datetime) -> Subquery:
    """Who moved in the time, from where at its beginning to where at its end."""
    return (
        select(
            Move.contact_id.label("contact_id"),
            func.array_agg(aggregate_order_by(Move.was, Move.at))[1].label("was"),
            func.array_agg(aggregate_order_by(Move.cell, Move.at.desc()))[1].label("cell"),
            func.max(Move.at).label("at"),
        )
        .where(Move.workspace_id == session.workspace_id, Move.at >= first, Move.at < until)
        .group_by(Move.contact_id)
        .subquery()
    )


async def flows(
    session: WorkspaceSession, first: datetime, until: datetime
) -> dict[tuple[str, str], int]:
    """Return how many went from cell to cell between two moments.

    Whoever came back counts as having stayed; "" is outside the map, and who was outside all
    the time is in no flow.
    """
    before = await counts_at(session, first)
    moved = _moved(session, first, until)
    rows = await session.execute(
        select(moved.c.was, moved.c.cell, func.count()).group_by(moved.c.was, moved.c.cell),
        execution_options=BY_HAND,
    )
    found = {(was, cell): people for was, cell, people in rows if was or cell}
    for cell, people in before.items():
        left = sum(n for (was, _to), n in found.items() if was == cell)
        stayed = people - left + found.get((cell, cell), 0)
        if stayed:
            found[cell, cell] = stayed
    return found


@dataclass(frozen=True, slots=True)
class Mover:
    """A person who stands elsewhere than before."""

    contact: Contact
    at: datetime
    was: str
    cell: str


async def movers(
    session: WorkspaceSession,
    first: datetime,
    until: datetime,
    *,
    was: str | None = None,
    cell: str | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> tuple[Sequence[Mover], UUID | None]:
    """Return those who went from one cell to another, and what to give as `after` next.

    None means anywhere; who came back to where she was has not moved.
    """
    moved = _moved(session, first, until)
    query = (
        select(Contact, moved.c.at, moved.c.was, moved.c.cell)
        .join(moved, moved.c.contact_id == Contact.id)
        .where(Contact.workspace_id == session.workspace_id, moved.c.was != moved.c.cell)
        .order_by(Contact.id)
        .limit(limit + 1)
        .execution_options(**BY_HAND)
    )
    if was is not None:
        query = query.where(moved.c.was == was)
    if cell is not None:
        query = query.where(moved.c.cell == cell)
    if after is not None:
        query = query.where(Contact.id > after)
    rows = (await session.execute(query)).all()
    found = [Mover(*row) for row in rows[:limit]]
    return found, found[-1].contact.id if len(rows) > limit else None
