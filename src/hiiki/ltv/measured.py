"""Measured lifetime value: cohorts, their curves, and what customers cost to win and to keep.

Only whole months count: a month that is not over would look like a loss of customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import gettext
from hiiki.kit.road import road
from hiiki.line.prices import plan_of, price
from hiiki.ltv.models import Cohort, Fit, Spending
from hiiki.workspace.models import Channel

SPLITS = ("all", "source", "store", "product")
YEAR = 12
SHOWN = 24
"""Months of cohorts on the page."""


def months_after(month: date, number: int) -> date:
    """Return the first day of the month so many months later (or, below 0, earlier)."""
    place = month.year * 12 + month.month - 1 + number
    return date(place // 12, place % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """A cohort of the heat map: customers won in one month."""

    month: date
    size: int
    kept: Sequence[float | None]
    """Share of them who bought 0, 1, … months later; None where that month is not over."""
    a_head: Sequence[float | None]
    """Money a head in that month, likewise."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How much a customer of a part has brought in, month by month, counted up."""

    part: str
    size: int
    a_head: Sequence[float]
    """After the first month, the second, …: of all cohorts that are old enough."""

    @property
    def year(self) -> float | None:
        """Money a head in the first twelve months; None when no cohort is so old."""
        return self.a_head[YEAR - 1] if len(self.a_head) >= YEAR else None


async def cohorts(session: WorkspaceSession, split: str) -> Sequence[Cohort]:
    """Return all cohorts by this split, the oldest first."""
    query = select(Cohort).where(Cohort.split == split).order_by(Cohort.month, Cohort.since)
    return list(await session.scalars(query))


def heat(found: Sequence[Cohort], current: date) -> Sequence[Row]:
    """Return the rows of the heat map, the latest cohort first."""
    by_month: dict[date, dict[int, Cohort]] = defaultdict(dict)
    for one in found:
        by_month[one.month][one.since] = one
    rows: list[Row] = []
    for month in sorted(by_month, reverse=True)[:SHOWN]:
        cells, size = by_month[month], by_month[month][0].people
        over = [months_after(month, since) < current for since in range(YEAR + 1)]
        if not over[0]:
            continue
        rows.append(
            Row(
                month,
                size,
                [
                    (cells[since].people if since in cells else 0) / size if is_over else None
                    for since, is_over in enumerate(over)
                ],
                [
                    float(cells[since].revenue if since in cells else 0) / size if is_over else None
                    for since, is_over in enumerate(over)
                ],
            )
        )
    return rows


def curves(found: Sequence[Cohort], current: date) -> Sequence[Curve]:
    """Return a curve for each part, the largest first."""
    parts: dict[str, list[Cohort]] = defaultdict(list)
    for one in found:
        parts[one.part].append(one)
    made = [_curve(part, rows, current) for part, rows in parts.items()]
    return sorted((one for one in made if one.a_head), key=lambda one: -one.size)


def _curve(part: str, rows: Sequence[Cohort], current: date) -> Curve:
    sizes = {one.month: one.people for one in rows if one.since == 0}
    revenue = {(one.month, one.since): float(one.revenue) for one in rows}
    total, steps = 0.0, list[float]()
    for since in range(SHOWN):
        old = [month for month in sizes if months_after(month, since) < current]
        people = sum(sizes[month] for month in old)
        if not people:
            break
        total += sum(revenue.get((month, since), 0.0) for month in old) / people
        steps.append(total)
    return Curve(part, sum(sizes.values()), steps)


async def names_of(session: WorkspaceSession, split: str, parts: Sequence[str]) -> dict[str, str]:
    """Return what the parts of a split are called."""
    known: dict[str, str] = {}
    if split in road().pickers:
        known = {one.value: one.label for one in await road().pickers[split].options(session)}
    special = {"": gettext("Not recorded"), "*": gettext("All others")}
    if split == "all":
        special[""] = gettext("All customers")
    return {part: special.get(part) or known.get(part, part) for part in parts}


# --- what it costs ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MonthCost:
    """What a month cost, and what it brought in customers."""

    month: date
    spent: Decimal
    """On advertising, all sources together."""
    won: int
    """Customers who bought for the first time."""
    winning: Decimal | None
    """Advertising for each of these; None where one of the two is nothing."""
    messages: int
    """Broadcast messages to people who had bought before."""
    bill: Decimal
    """Their share of what LINE charges for the month by the plans of today."""
    kept: int
    """Customers of earlier months who bought again."""
    keeping: Decimal | None
    """Messages for each of these."""


@dataclass(frozen=True, slots=True)
class SourceCost:
    """The same by where customers came from, over the last twelve months."""

    source: str
    spent: Decimal
    won: int
    winning: Decimal | None
    year: float | None
    """What a customer of this source brings in within twelve months, measured."""


def _each(amount: Decimal, people: int) -> Decimal | None:
    return (amount / people).quantize(Decimal("0.01")) if amount and people else None


async def month_costs(session: WorkspaceSession, fit: Fit, current: date) -> Sequence[MonthCost]:
    """Return the last twelve whole months, the latest first."""
    found = await cohorts(session, "all")
    won = {one.month: one.people for one in found if one.since == 0}
    kept: dict[date, int] = defaultdict(int)
    for one in found:
        if one.since > 0:
            kept[months_after(one.month, one.since)] += one.people
    spent: dict[date, Decimal] = defaultdict(Decimal)
    for one in await spendings(session):
        spent[one.month] += one.amount
    messages = await _message_costs(session, fit.messages)
    costs: list[MonthCost] = []
    for back in range(1, YEAR + 1):
        month = months_after(current, -back)
        number, bill = messages.get(month, (0, Decimal(0)))
        costs.append(
            MonthCost(
                month,
                spent[month],
                won.get(month, 0),
                _each(spent[month], won.get(month, 0)),
                number,
                bill,
                kept[month],
                _each(bill, kept[month]),
            )
        )
    return costs


async def _message_costs(
    session: WorkspaceSession, counted: Sequence[Mapping[str, Any]]
) -> dict[date, tuple[int, Decimal]]:
    plans = {one.id: one.plan for one in await session.scalars(select(Channel))}
    found: dict[date, tuple[int, Decimal]] = {}
    for one in counted:
        plan = plans.get(UUID(one["channel_id"]))
        if plan is None:
            continue
        bill = plan_of(plan).monthly_fee + price(plan, 0, one["all"])
        share = bill * one["customers"] / one["all"]
        month = date.fromisoformat(one["month"])
        number, total = found.get(month, (0, Decimal(0)))
        found[month] = (number + one["customers"], (total + share).quantize(Decimal("0.01")))
    return found


async def source_costs(session: WorkspaceSession, current: date) -> Sequence[SourceCost]:
    """Return the sources of the last twelve whole months, those that cost most first."""
    first = months_after(current, -YEAR)
    found = await cohorts(session, "source")
    years = {one.part: one.year for one in curves(found, current)}
    won: dict[str, int] = defaultdict(int)
    for one in found:
        if one.since == 0 and first <= one.month < current:
            won[one.part] += one.people
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for one in await spendings(session):
        if first <= one.month < current:
            spent[one.source] += one.amount
    costs = [
        SourceCost(
            source,
            spent[source],
            won[source],
            _each(spent[source], won[source]) if source else None,
            years.get(source),
        )
        for source in {*won, *spent}
    ]
    return sorted(costs, key=lambda one: (-one.spent, -one.won))


async def spendings(session: WorkspaceSession) -> Sequence[Spending]:
    """Return what was entered, the latest month first."""
    query = select(Spending).order_by(Spending.month.desc(), Spending.source)
    return list(await session.scalars(query))
