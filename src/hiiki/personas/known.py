"""The passes over answers: the shop's own attributes, its surveys, and what rooms work out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Integer,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from hiiki.contacts.models import Attribute, ContactAttribute
from hiiki.kit.road import Field, road
from hiiki.personas.bands import bands_of
from hiiki.personas.crowd import BY_HAND, MOST_VALUES, Crowd, four, means, plus
from hiiki.personas.findings import NONE, Four, Moments, Trait, Value
from hiiki.personas.passes import labels, one_of, people
from hiiki.timeline.models import Event, Tally

FIFTHS = (0.2, 0.4, 0.6, 0.8)
ANSWER = "survey_answer"
AGO = (31, 91, 181, 366)
"""Days ago at which the bands of moments begin."""


# --- the shop's own fields --------------------------------------------------------------


async def attributes(crowd: Crowd) -> list[Trait]:
    """The shop's own fields: choices, several choices, numbers. Words and dates say too little."""
    named = await crowd.session.execute(
        select(Attribute.id, Attribute.label, Attribute.kind).order_by(Attribute.position)
    )
    by_kind: dict[str, dict[UUID, str]] = {}
    for ident, label, kind in named:
        by_kind.setdefault(kind, {})[ident] = label
    found: list[Trait] = []
    if chosen := by_kind.get("choice"):
        found += await _choice(crowd, chosen)
    if chosen := by_kind.get("choices"):
        found += await _choices(crowd, chosen)
    if chosen := by_kind.get("number"):
        found += await _numbers(crowd, chosen)
    return found


def _values(crowd: Crowd, idents: Iterable[UUID], *columns: ColumnElement[Any]) -> Any:
    return select(
        ContactAttribute.contact_id, ContactAttribute.attribute_id.label("of"), *columns
    ).where(
        ContactAttribute.workspace_id == crowd.session.workspace_id,
        ContactAttribute.attribute_id.in_(list(idents)),
    )


async def _choice(crowd: Crowd, named: dict[UUID, str]) -> list[Trait]:
    row = ContactAttribute
    source = (
        _values(crowd, named, row.choice.label("value"))
        .where(row.choice.is_not(None), row.choice != "")
        .subquery("said")
    )
    rows = await crowd.rows(source, [source.c.of, source.c.value])
    return [
        one_of(
            f"attribute:{ident}",
            [
                Value(value=row[1], label=row[1], counts=four(row, 2))
                for row in rows
                if row[0] == ident
            ],
            label,
        )
        for ident, label in named.items()
    ]


async def _choices(crowd: Crowd, named: dict[UUID, str]) -> list[Trait]:
    row = ContactAttribute
    some = func.cardinality(row.choices) > 0
    source = _values(crowd, named).where(some).subquery("said")
    known = {row[0]: four(row, 1) for row in await crowd.rows(source, [source.c.of])}
    each = func.unnest(row.choices).label("value")
    source = _values(crowd, named, each).where(some).distinct().subquery("said")
    rows = await crowd.rows(source, [source.c.of, source.c.value])
    return [
        several(f"attribute:{ident}", label, known.get(ident, NONE), rows, ident)
        for ident, label in named.items()
    ]


def several(
    key: str,
    label: str,
    known: Four,
    rows: Sequence[Any],
    ident: Any,
    names: dict[str, str] | None = None,
) -> Trait:
    """Return a trait of which each person has any number of values."""
    values = [
        Value(
            value=row[1],
            label=names.get(f"{ident}:{row[1]}", "") if names is not None else row[1],
            counts=four(row, 2),
        )
        for row in rows
        if row[0] == ident
    ]
    values.sort(key=lambda value: (-value.counts[0], value.value))
    return Trait(key=key, label=label, kind="several", known=known, values=values[:MOST_VALUES])


async def _numbers(crowd: Crowd, named: dict[UUID, str]) -> list[Trait]:
    row = ContactAttribute
    found: list[Trait] = []
    for ident, label in named.items():
        source = (
            _values(crowd, [ident], row.number.label("number"))
            .where(row.number.is_not(None))
            .subquery("said")
        )
        found.append(await number(crowd, f"attribute:{ident}", source, label))
    return found


# --- numbers ----------------------------------------------------------------------------


async def number(
    crowd: Crowd,
    key: str,
    source: FromClause,
    label: str = "",
    unit: str = "",
    others: Four = NONE,
) -> Trait:
    """Return a number's mean and its bands; `source` has `contact_id` and `number`.

    `others` are people who are not in `source`, and of whom it is known to be 0.
    """
    value = source.c.number
    fifths = func.percentile_cont(cast(list(FIFTHS), ARRAY(Double))).within_group(
        cast(value, Double)
    )
    found = await crowd.session.execute(
        select(fifths, func.coalesce(func.bool_and(value == func.trunc(value)), True)),
        execution_options=BY_HAND,
    )
    ends, is_whole = found.one()
    bounds = bands_of(ends or (), is_whole=is_whole)
    band = func.width_bucket(cast(value, Double), cast(bounds, ARRAY(Double)))
    rows = await crowd.rows(source, [band], numbers=value)
    counts = {row[0]: four(row, 1) for row in rows}
    moments = _sum([means(row, 1) for row in rows])
    if others[0]:
        zero = sum(1 for bound in bounds if bound <= 0)
        counts[zero] = plus(counts.get(zero, NONE), others)
        moments = _sum([moments, _zeros(others)])
    known = (moments[0].n, moments[1].n, moments[2].n, moments[3].n)
    values = [
        Value(value=_band(bounds, at, is_whole=is_whole), counts=counts[at])
        for at in sorted(counts)
    ]
    return Trait(
        key=key,
        label=label,
        known=known,
        values=values if len(values) > 1 else [],
        means=moments,
        unit=unit,
    )


def _zeros(others: Four) -> tuple[Moments, Moments, Moments, Moments]:
    return (Moments(n=others[0]), Moments(n=others[1]), Moments(n=others[2]), Moments(n=others[3]))


def _sum(
    some: Sequence[tuple[Moments, Moments, Moments, Moments]],
) -> tuple[Moments, Moments, Moments, Moments]:
    found = [
        Moments(
            n=sum(one[at].n for one in some),
            total=sum(one[at].total for one in some),
            squares=sum(one[at].squares for one in some),
        )
        for at in range(4)
    ]
    return (found[0], found[1], found[2], found[3])


def _band(bounds: Sequence[float], at: int, *, is_whole: bool) -> str:
    """Return a band as `low..high`, `high` left out; either may be open."""
    low = bounds[at - 1] if at else None
    high = bounds[at] if at < len(bounds) else None
    if is_whole and low is not None and high is not None and high - low == 1:
        return f"{low:.12g}"
    ends = ["" if end is None else f"{end:.12g}" for end in (low, high)]
    return "..".join(ends)


# --- surveys ----------------------------------------------------------------------------


async def answers(crowd: Crowd) -> list[Trait]:
    """The latest answer of each person to each question: choices, and numbers."""
    row = Tally
    asked = (row.workspace_id == crowd.session.workspace_id, row.kind == ANSWER)
    source = (
        select(row.contact_id, row.subject.label("of"), row.chosen.label("choices"))
        .where(*asked, func.cardinality(row.chosen) > 0)
        .subquery("latest")
    )
    known = {each[0]: four(each, 1) for each in await crowd.rows(source, [source.c.of])}
    value = func.unnest(source.c.choices).label("value")
    source = select(source.c.contact_id, source.c.of, value).subquery("said")
    rows = await crowd.rows(source, [source.c.of, source.c.value])
    questions = await labels(crowd, "question")
    names = await labels(crowd, "answer")
    found = [
        several(f"answer:{of}", questions[of], counts, rows, of, names)
        for of, counts in known.items()
        if of in questions
    ]
    with_numbers = select(row.subject).where(*asked, row.total.is_not(None)).distinct()
    numeric = list(await crowd.session.scalars(with_numbers.execution_options(**BY_HAND)))
    found += await _numbers_said(crowd, questions, [of for of in numeric if of in questions])
    return sorted(found, key=lambda trait: list(questions).index(trait.key.partition(":")[2]))


async def _numbers_said(crowd: Crowd, questions: dict[str, str], of: list[str]) -> list[Trait]:
    """The numbers that people have answered last, which the tallies do not have."""
    if not of:
        return []
    latest = (
        select(Event.contact_id, Event.subject.label("of"), Event.value.label("number"))
        .ext(distinct_on(Event.contact_id, Event.subject))
        .where(
            Event.workspace_id == crowd.session.workspace_id,
            Event.kind == ANSWER,
            Event.subject.in_(of),
        )
        .order_by(Event.contact_id, Event.subject, Event.at.desc(), Event.id.desc())
        .subquery("latest")
    )
    number = latest.c.number
    rows = await crowd.rows(latest, [latest.c.of], where=[number.is_not(None)], numbers=number)
    return [
        Trait(
            key=f"answer:{row[0]}",
            label=questions[row[0]],
            known=four(row, 1),
            means=means(row, 1),
        )
        for row in rows
    ]


# --- what rooms work out ----------------------------------------------------------------


async def fields(crowd: Crowd) -> list[Trait]:
    """What rooms work out of each person: money spent, ranks, cells."""
    everybody = await people(crowd)
    return [await _field(crowd, field, everybody) for field in road().fields.values()]


async def _field(crowd: Crowd, field: Field, everybody: Four) -> Trait:
    table = field.column.class_
    key = f"field:{field.name}"
    where = [table.workspace_id == crowd.session.workspace_id, field.column.is_not(None)]
    if field.kind in ("number", "money", "share"):
        source = (
            select(table.contact_id, field.column.label("number")).where(*where).subquery("worked")
        )
        others = NONE
        if isinstance(field.nothing, Decimal) and not field.nothing:
            [row] = await crowd.rows(source, [])
            others = minus(everybody, four(row, 0))
        return await number(
            crowd, key, source, unit="" if field.kind == "number" else field.kind, others=others
        )
    value: ColumnElement[Any] = field.column
    if field.kind in ("day", "moment"):
        day = func.date(func.timezone(crowd.zone.key, value)) if field.kind == "moment" else value
        ago = cast(literal(crowd.today) - day, Integer)
        value = func.width_bucket(ago, cast(list(AGO), ARRAY(Integer)))
    source = select(table.contact_id, value.label("value")).where(*where).subquery("worked")
    rows = await crowd.rows(source, [source.c.value])
    counted = {_written(field, row[0]): four(row, 1) for row in rows}
    if field.nothing is not None:
        known = NONE
        for counts in counted.values():
            known = plus(known, counts)
        said = _written(field, field.nothing)
        counted[said] = plus(counted.get(said, NONE), minus(everybody, known))
    return one_of(key, [Value(value=value, counts=counts) for value, counts in counted.items()])


def _written(field: Field, value: object) -> str:
    if field.kind == "flag":
        return str(value).lower()
    if isinstance(value, int) and field.kind in ("day", "moment"):
        starts = (0, *AGO)
        end = str(AGO[value] - 1) if value < len(AGO) else ""
        return f"{starts[value]}..{end}"
    return str(value)


def minus(one: Four, other: Four) -> Four:
    """Subtract counts."""
    return (one[0] - other[0], one[1] - other[1], one[2] - other[2], one[3] - other[3])
