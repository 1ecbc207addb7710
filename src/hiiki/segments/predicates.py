"""What a comparison means, as an expression over one column.

None of these says anything of NULL: whoever uses them asks first whether there is a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    cast,
    extract,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import InstrumentedAttribute

from hiiki.contacts.models import ContactAttribute
from hiiki.segments.comparisons import (
    ChoicesTest,
    ChoiceTest,
    Dates,
    DayBetween,
    DayMonth,
    DaysAgo,
    DayTest,
    Earlier,
    Ever,
    FlagTest,
    KnownTest,
    NumberBetween,
    NumberTest,
    Period,
    Recent,
    Test,
    TextTest,
    YearsAgo,
)
from hiiki.segments.rules import (
    Answered,
    AnyRule,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where and when a question is asked."""

    workspace_id: UUID
    now: datetime
    zone: ZoneInfo
    segments: Mapping[UUID, AnyRule]
    """Every segment that the rule refers to, and those that these refer to."""
    contact_id: UUID | None = None
    """Ask about this one person only."""

    @property
    def today(self) -> date:
        """The day it is in the workspace."""
        return self.now.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """Return the moment at which a day of the workspace begins."""
        return datetime.combine(day, time(), self.zone)


def attribute_passes(
    test: Test, row: type[ContactAttribute], today: date
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return "there is a value of the test's kind" and "it passes"."""
    match test:
        case TextTest():
            return is_known(row.text), text_passes(test, row.text)
        case NumberTest() | NumberBetween():
            return row.number.is_not(None), _number_passes(test, row.number)
        case DayTest() | DayBetween() | DayMonth() | DaysAgo() | YearsAgo():
            return row.day.is_not(None), day_passes(test, row.day, today)
        case ChoiceTest():
            return is_known(row.choice), row.choice.in_(test.choices)
        case ChoicesTest():
            wanted = cast(array(test.choices), ARRAY(Text))
            some = func.cardinality(row.choices) > 0
            if test.op == "choices_any":
                return some, row.choices.overlap(wanted)
            return some, row.choices.contains(wanted)
        case FlagTest() | KnownTest():
            raise AssertionError(f"{test.op} is not for attributes")


def day_passes(
    test: DayTest | DayBetween | DayMonth | DaysAgo | YearsAgo,
    column: InstrumentedAttribute[Any],
    today: date,
) -> ColumnElement[bool]:
    match test:
        case DayTest(op="day_on"):
            return column == test.day
        case DayTest(op="day_before"):
            return column < test.day
        case DayTest():
            return column > test.day
        case DayBetween():
            return column.between(test.first, test.until)
        case DayMonth():
            return extract("month", column) == (test.month or today.month)
        case DaysAgo():
            return column.between(
                today - timedelta(days=test.high), today - timedelta(days=test.low)
            )
        case YearsAgo():
            return and_(
                column <= years_before(today, test.low),
                column > years_before(today, test.high + 1),
            )


def within(
    period: Period, column: InstrumentedAttribute[Any], frame: Frame
) -> list[ColumnElement[bool]]:
    match period:
        case Ever():
            return []
        case Recent():
            return [column > frame.now - timedelta(days=period.days)]
        case Earlier():
            return [column <= frame.now - timedelta(days=period.days)]
        case Dates():
            found: list[ColumnElement[bool]] = []
            if period.first is not None:
                found.append(column >= frame.start_of(period.first))
            if period.until is not None:
                found.append(column < frame.start_of(period.until + timedelta(days=1)))
            return found


def years_before(day: date, years: int) -> date:
    """Return the latest date since which `years` whole years have passed on `day`."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February, in a year that has none
        return day.replace(year=day.year - years, day=28)


def is_known(column: Any) -> ColumnElement[bool]:
    return and_(column.is_not(None), column != "")


def text_passes(test: TextTest, column: Any) -> ColumnElement[bool]:
    match test.op:
        case "text_is":
            return func.lower(column) == func.lower(test.text)
        case "text_contains":
            return column.icontains(test.text, autoescape=True)
        case "text_starts":
            return column.istartswith(test.text, autoescape=True)


def _number_passes(test: NumberTest | NumberBetween, column: Any) -> ColumnElement[bool]:
    if isinstance(test, NumberBetween):
        return column.between(test.low, test.high)
    match test.op:
        case "number_is":
            return column == test.number
        case "number_above":
            return column > test.number
        case "number_at_least":
            return column >= test.number
        case "number_below":
            return column < test.number
        case "number_at_most":
            return column <= test.number


def compares(op: str, amount: Any, number: Decimal) -> ColumnElement[bool]:
    return (
        amount >= number
        if op == "at_least"
        else amount <= number
        if op == "at_most"
        else amount == number
    )


def number_compares(op: str, amount: Decimal, number: Decimal) -> bool:
    return {
        "at_least": amount >= number,
        "at_most": amount <= number,
        "exactly": amount == number,
    }[op]


def answer_passes(rule: Answered, data: Any) -> ColumnElement[bool]:
    if rule.op == "choices":
        return data["choice_ids"].has_any(cast(array(rule.choice_ids), ARRAY(Text)))
    return data["text"].astext.icontains(rule.text, autoescape=True)
