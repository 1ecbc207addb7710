"""The matrix, who is in it, who moved, and what other bounds would do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, select, text, tuple_

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.rfm.areas import AREAS, BY_KEY, RANKS, area_of, area_of_number
from hiiki.rfm.models import Flow, Scheme, Standing
from hiiki.rfm.ranking import (
    BY_HAND,
    EVENTS,
    FREQUENCY,
    MONETARY,
    PURCHASE,
    RECENCY,
    STANDING,
    Bounds,
    Window,
    bound_values,
    bounds_of,
    defined,
    figure_values,
    own_bounds,
)

PAGE = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """How many customers have these ranks, or belong to this area."""

    people: int = 0
    share: float = 0.0
    """Of all customers."""
    spent: Decimal = Decimal(0)
    share_of_spent: float = 0.0
    monetary: float = 0.0
    """Their mean rank of money; 0 when nobody is there."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Where all customers of a workspace stand."""

    customers: int
    spent: Decimal
    never: int
    """People who are known, and never bought (or not in the days that count)."""
    cells: Mapping[tuple[int, int], Cell]
    """(recency, frequency) → who is there; all twenty-five."""
    areas: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Row:
    """A customer with her standing."""

    contact: Contact
    standing: Standing


def matrix(scheme: Scheme) -> Matrix:
    """Return the matrix as it was when the ranks were formed."""
    counted: dict[tuple[int, int], tuple[int, Decimal, int]] = {}
    for r, f, m, n, spent in scheme.figures.get("cells", ()):
        people, money, ranks = counted.get((r, f), (0, Decimal(0), 0))
        counted[r, f] = (people + n, money + Decimal(spent), ranks + m * n)
    customers = sum(n for n, _spent, _ranks in counted.values())
    total = sum((spent for _n, spent, _ranks in counted.values()), Decimal(0))

    def cell(of: Sequence[tuple[int, int]]) -> Cell:
        found = [counted[key] for key in of if key in counted]
        people = sum(n for n, _spent, _ranks in found)
        spent = sum((spent for _n, spent, _ranks in found), Decimal(0))
        if not people:
            return Cell()
        return Cell(
            people,
            people / customers,
            spent,
            float(spent / total) if total else 0.0,
            sum(ranks for _n, _spent, ranks in found) / people,
        )

    everybody = scheme.figures.get("people", 0)
    places = [(r, f) for r in RANKS for f in RANKS]
    return Matrix(
        customers,
        total,
        max(0, everybody - customers),
        {place: cell([place]) for place in places},
        {
            area.key: cell([place for place in places if area_of(*place) == area.key])
            for area in AREAS
        },
    )


def by_orders(scheme: Scheme) -> Sequence[int]:
    """Return how many customers have one order, two to four, and five and more (B5)."""
    return scheme.figures.get("orders", (0, 0, 0))


# --- who they are -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Whom a list is about: one cell, an area, those who moved between two areas, or everybody
    who never bought. "" and None narrow nothing."""

    area: str = ""
    recency: int | None = None
    frequency: int | None = None
    moved_from: str | None = None
    """The area in which they were when the month began; "" for no customers."""
    moved_to: str | None = None
    never: bool = False

    def query(self) -> dict[str, str]:
        """Return it as parameters of an address."""
        given = {
            "area": self.area,
            "recency": self.recency,
            "frequency": self.frequency,
            "never": "true" if self.never else None,
        }
        found = {name: str(value) for name, value in given.items() if value}
        moved = {"moved_from": self.moved_from, "moved_to": self.moved_to}
        return found | {name: value for name, value in moved.items() if value is not None}

    def rule(self, scheme: Scheme) -> dict[str, Any] | None:
        """Return the segment of these people; None when they have moved: a segment knows only
        where somebody is."""
        if self.moved_from is not None or self.moved_to is not None:
            return None
        if self.never:
            # As the matrix counts them: whoever ever bought is a customer, or only who did lately.
            return bought("at_most", 0, scheme.days if scheme.counts == "window" else None)
        ranks = {"recency": self.recency, "frequency": self.frequency}
        between = {name: (rank, rank) for name, rank in ranks.items() if rank is not None}
        if self.area:
            area = BY_KEY[self.area]
            between = {"recency": area.recency, "frequency": area.frequency}
        return {
            "kind": "all",
            "rules": [
                {
                    "kind": "field",
                    "field": f"rfm.{name}",
                    "test": {"op": "number_is", "number": low}
                    if low == high
                    else {"op": "number_between", "low": low, "high": high},
                }
                for name, (low, high) in between.items()
            ],
        }


def bought(op: str, number: int, days: int | None) -> dict[str, Any]:
    """Return the segment of those with so many orders (`at_least`, `at_most`, `exactly`) in so
    many last days; None is all the time there was."""
    period: dict[str, Any] = {"kind": "ever"}
    if days is not None:
        period = {"kind": "recent", "days": days}
    return {"kind": "event", "event": PURCHASE, "op": op, "number": number, "period": period}


def _within(area: str, recency: Any, frequency: Any) -> ColumnElement[bool]:
    if not area:
        return recency.is_(None)
    found = BY_KEY[area]
    return and_(recency.between(*found.recency), frequency.between(*found.frequency))


def _of(group: Group) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if group.moved_from is not None or group.moved_to is not None:
        if group.moved_from is not None:
            found.append(_within(group.moved_from, Standing.was_recency, Standing.was_frequency))
        if group.moved_to is not None:
            found.append(_within(group.moved_to, Standing.recency, Standing.frequency))
        return found
    found.append(Standing.recency.is_not(None))
    if group.area:
        found.append(_within(group.area, Standing.recency, Standing.frequency))
    if group.recency is not None:
        found.append(Standing.recency == group.recency)
    if group.frequency is not None:
        found.append(Standing.frequency == group.frequency)
    return found


async def count(session: WorkspaceSession, group: Group) -> int:
    """Return how many people a group has."""
    query = select(func.count()).select_from(Standing).where(*_of(group))
    return await session.scalar(query) or 0


async def people(
    session: WorkspaceSession,
    group: Group,
    after: tuple[Decimal, UUID] | None = None,
    limit: int = PAGE,
) -> Sequence[Row]:
    """Return a group's people, those who spent most first; `after` is the last that was seen."""
    query = (
        select(Contact, Standing)
        .join(Contact, Contact.id == Standing.contact_id)
        .where(*_of(group))
        .order_by(Standing.spent.desc(), Standing.contact_id.desc())
        .limit(limit)
    )
    if after is not None:
        place = tuple_(Standing.spent, Standing.contact_id)
        query = query.where(place < tuple_(literal(after[0]), literal(after[1])))
    return [Row(*row) for row in await session.execute(query)]


# --- who moved --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Move:
    """How many went from one area to another; "" stands for no customer."""

    came_from: str
    went_to: str
    people: int


async def months(session: WorkspaceSession) -> Sequence[date]:
    """Return the months of which movement is known, the latest first."""
    return list(await session.scalars(select(Flow.month).distinct().order_by(Flow.month.desc())))


async def moves(session: WorkspaceSession, month: date) -> Sequence[Move]:
    """Return who went where in a month, area by area; those who stayed among them."""
    rows = await session.execute(
        select(Flow.came_from, Flow.went_to, Flow.people).where(Flow.month == month)
    )
    found: dict[tuple[str, str], int] = {}
    for came_from, went_to, number in rows:
        way = (area_of_number(came_from), area_of_number(went_to))
        found[way] = found.get(way, 0) + number
    order = {key: place for place, key in enumerate([area.key for area in AREAS] + [""])}
    ways = sorted(found, key=lambda way: (order[way[0]], order[way[1]]))
    return [Move(*way, found[way]) for way in ways]


# --- other bounds -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What some other way of ranking would make of the customers of today."""

    bounds: Bounds
    recency: Sequence[int]
    """How many would have the ranks 1 to 5."""
    frequency: Sequence[int]
    monetary: Sequence[int]
    customers: int


async def preview(
    session: WorkspaceSession, scheme: Scheme, method: str, window: Window, own: Bounds
) -> Preview:
    """Return how many would fall where; nothing is changed.

    Of what stands already, the last ranking's counts are returned. As long as the days that count
    are the same, its figures serve: one row a customer instead of all their orders.
    """
    if scheme.figures and defined(method, window, own) == scheme.ranked_by:
        cells = scheme.figures["cells"]
        return _preview(bounds_now(scheme), [(r, f, m, n) for r, f, m, n, _spent in cells])
    values = await figure_values(session, window)
    is_same = scheme.ranked_at is not None and window == Window(scheme.days, scheme.counts)
    source = STANDING if is_same else EVENTS
    bounds = await bounds_of(session, method, own, source, values)
    rows = await session.execute(
        text(
            f"select {RECENCY} as r, {FREQUENCY} as f, {MONETARY} as m, count(*)"  # noqa: S608
            f" from {source} figures group by 1, 2, 3"
        ),
        {**values, **bound_values(bounds)},
        execution_options=BY_HAND,
    )
    return _preview(bounds, rows)


def _preview(bounds: Bounds, rows: Iterable[Sequence[int]]) -> Preview:
    ranks = [[0] * 5 for _letter in "rfm"]
    for *reached, number in rows:
        for counts, rank in zip(ranks, reached, strict=True):
            counts[rank - 1] += number
    return Preview(bounds, *ranks, customers=sum(ranks[0]))


def bounds_now(scheme: Scheme) -> Bounds:
    """Return the bounds that hold, or would for a shop's own ones."""
    return Bounds.load(scheme.bounds) if scheme.bounds else own_bounds(scheme)
