"""Counting a group, its counterpart and everybody in one pass of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Select,
    Subquery,
    and_,
    cast,
    func,
    select,
    true,
)

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.personas.findings import NONE, Four, Moments

BY_HAND = {"scoped_by_hand": True}
MOST_VALUES = 60
"""Of a trait; the most frequent ones. More than the prefectures, less than anybody reads."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is asked about. The groups are found once for all passes (`segments.found`)."""

    session: WorkspaceSession
    zone: ZoneInfo
    group: Select[Any]
    against: Select[Any] | None
    """None for everybody."""

    @property
    def today(self) -> date:
        """The day it is for the shop."""
        return now().astimezone(self.zone).date()

    async def rows(
        self,
        source: FromClause,
        keys: Sequence[ColumnElement[Any]],
        *,
        where: Sequence[ColumnElement[bool]] = (),
        numbers: ColumnElement[Any] | None = None,
        most: int = 0,
    ) -> list[Any]:
        """Count rows of `source` (with a `contact_id`, a row a person) by `keys`.

        A row is the keys, then four counts; with `numbers` then four sums and four sums of
        squares of it. With `most`, the keys that hold for most people.
        """
        query, measures = self._measured(source, keys, numbers)
        query = query.where(*where).group_by(*keys)
        if most:
            query = query.order_by(measures[0].desc(), *keys).limit(most)
        found = await self.session.execute(query, execution_options=BY_HAND)
        return list(found.all())

    def _measured(
        self,
        source: FromClause,
        keys: Sequence[ColumnElement[Any]],
        numbers: ColumnElement[Any] | None,
    ) -> tuple[Select[Any], list[ColumnElement[Any]]]:
        a = self.group.subquery("a")
        joined = source.outerjoin(a, a.c.contact_id == source.c.contact_id)
        b: Subquery | None = None
        if self.against is not None:
            b = self.against.subquery("b")
            joined = joined.outerjoin(b, b.c.contact_id == source.c.contact_id)
        masks = _masks(a, b)
        measures: list[ColumnElement[Any]] = [func.count().filter(mask) for mask in masks]
        if numbers is not None:
            exact = cast(numbers, Double)
            measures += [func.sum(exact).filter(mask) for mask in masks]
            measures += [func.sum(exact * exact).filter(mask) for mask in masks]
        return select(*keys, *measures).select_from(joined), measures


def _masks(a: Subquery, b: Subquery | None) -> list[ColumnElement[bool]]:
    everybody = true()
    in_a = a.c.contact_id.is_not(None)
    if b is None:
        return [everybody, in_a, everybody, in_a]
    in_b = b.c.contact_id.is_not(None)
    return [everybody, in_a, in_b, and_(in_a, in_b)]


def four(row: Sequence[Any], start: int) -> Four:
    """Return the four counts of a row of `Crowd.rows` whose keys end before `start`."""
    return (row[start], row[start + 1], row[start + 2], row[start + 3])


def means(row: Sequence[Any], start: int) -> tuple[Moments, Moments, Moments, Moments]:
    """Return the moments of a row with numbers."""
    found = [
        Moments(n=row[start + i], total=row[start + 4 + i] or 0, squares=row[start + 8 + i] or 0)
        for i in range(4)
    ]
    return (found[0], found[1], found[2], found[3])


def moments_of(counted: Sequence[tuple[int, Four]]) -> tuple[Moments, Moments, Moments, Moments]:
    """Return the moments of numbers, each with how many people have it."""
    found = [
        Moments(
            n=sum(counts[place] for _number, counts in counted),
            total=sum(number * counts[place] for number, counts in counted),
            squares=sum(number * number * counts[place] for number, counts in counted),
        )
        for place in range(4)
    ]
    return (found[0], found[1], found[2], found[3])


def plus(one: Four, other: Four) -> Four:
    """Add two counts."""
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def total(counts: Sequence[Four]) -> Four:
    """Add any number of counts."""
    found = NONE
    for one in counts:
        found = plus(found, one)
    return found
