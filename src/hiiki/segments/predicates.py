"""What a comparison means, as an expression over one column.

None of these says anything of NULL: whoever uses them asks first whether there is a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import ceil, floor
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    extract,
    false,
    func,
    literal,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from hiiki.segments.comparisons import (
    Anniversary,
    AnyDayTest,
    ChoicesTest,
    ChoiceTest,
    Dates,
    DayBetween,
    DayMonth,
    DayOfYear,
    DaysAgo,
    DaysAhead,
    DayTest,
    Earlier,
    Ever,
    FlagTest,
    KnownTest,
    NumberBetween,
    NumberTest,
    Recent,
    Test,
    TextTest,
    YearsAgo,
)
from hiiki.segments.conditions import Answered
from hiiki.segments.rules import AnyRule

AGO = "ago_"
"""How the parameters begin that are moments so many days before now."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where and when a question is asked."""

    workspace_id: UUID
    now: datetime
    zone: ZoneInfo
    segments: Mapping[UUID, AnyRule]
    """Every segment that the rule refers to, and those that these refer to."""
    contact_ids: Sequence[UUID] | None = None
    """Ask about these people only."""
    only_channel: UUID | None = None
    """The account of a workspace that has no other: whoever follows any follows this one."""

    @property
    def today(self) -> date:
        """The day it is in the workspace."""
        return self.now.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """Return the moment at which a day of the workspace begins."""
        return datetime.combine(day, time(), self.zone)

    def ago(self, days: int) -> ColumnElement[Any]:
        """Return the moment `days` times 24 hours ago, as a parameter that tells so by its name.

        So a statement that is kept can be asked again later (`hiiki.segments.asking`).
        """
        return bindparam(
            f"{AGO}{days}", self.now - timedelta(days=days), type_=DateTime(timezone=True)
        )


@dataclass(frozen=True, slots=True)
class Days:
    """A column as days of the workspace, compared by ranges of the bare column."""

    column: Any
    frame: Frame
    is_moment: bool = False
    is_birthday: bool = False

    def between(self, first: date | None, until: date | None) -> ColumnElement[bool]:
        """Return that it lies in the days from `first` to `until`, both included."""
        found: list[ColumnElement[bool]] = []
        if first is not None:
            found.append(self.column >= (self.frame.start_of(first) if self.is_moment else first))
        if until is not None and self.is_moment:
            found.append(self.column < self.frame.start_of(until + timedelta(days=1)))
        elif until is not None:
            found.append(self.column <= until)
        return and_(*found)

    @property
    def day(self) -> ColumnElement[Any]:
        """The day itself, for what no range can say."""
        if not self.is_moment:
            return self.column
        return cast(func.timezone(self.frame.zone.key, self.column), Date)


def passes(test: Test, column: Any, frame: Frame, *, is_moment: bool = False) -> Any:
    """Return what the test asks of a column that is not NULL."""
    is_birthday = getattr(column, "name", "") == "birthday"
    match test:
        case TextTest():
            return text_passes(test, column)
        case NumberTest() | NumberBetween():
            return number_passes(test, column)
        case ChoiceTest():
            return column.in_(test.choices)
        case ChoicesTest():
            return _choices_pass(test, column)
        case FlagTest():
            return column.is_(test.op == "flag_yes")
        case KnownTest():
            raise AssertionError("what is known is no comparison")
        case _:
            return day_passes(test, Days(column, frame, is_moment, is_birthday))


def _choices_pass(test: ChoicesTest, column: Any) -> ColumnElement[bool]:
    wanted = cast(array(test.choices), ARRAY(Text))
    match test.op:
        case "choices_any":
            return column.overlap(wanted)
        case "choices_all":
            return column.contains(wanted)
        case "choices_none":
            return ~column.overlap(wanted)


def day_passes(test: AnyDayTest, days: Days) -> ColumnElement[bool]:
    """Return what a test asks of a column of days."""
    today = days.frame.today
    one = timedelta(days=1)
    match test:
        case DayTest(op="day_on"):
            return days.between(test.day, test.day)
        case DayTest(op="day_before"):
            return days.between(None, test.day - one)
        case DayTest():
            return days.between(test.day + one, None)
        case DayBetween():
            return days.between(test.first, test.until)
        case DayMonth():
            month = test.month or today.month
            if not days.is_birthday:
                return extract("month", days.day) == month
            return _day_of_year(days).between(month * 100, month * 100 + 31)
        case DayOfYear():
            return _day_of_year(days) == test.month * 100 + test.day
        case Anniversary():
            return _comes_round(test, days, today)
        case DaysAgo():
            return days.between(_days_from(today, -test.high), _days_from(today, -test.low))
        case DaysAhead():
            return days.between(_days_from(today, test.low), _days_from(today, test.high))
        case YearsAgo():
            return days.between(
                years_before(today, test.high + 1) + one, years_before(today, test.low)
            )


def _days_from(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _day_of_year(days: Days) -> ColumnElement[Any]:
    # For birthdays there is an index of just this (`hiiki.contacts.models.DAY_OF_YEAR`).
    return extract("month", days.day) * literal_column("100") + extract("day", days.day)


def _comes_round(test: Anniversary, days: Days, today: date) -> ColumnElement[bool]:
    first, last = _days_from(today, test.low), _days_from(today, test.high)
    start, end = (each.month * 100 + each.day for each in (first, last))
    if start == 301 and not _is_leap(first.year):
        start = 229  # 29 February comes round on 1 March.
    if first.year == last.year:
        return _day_of_year(days).between(start, end)
    return or_(_day_of_year(days) >= start, _day_of_year(days) <= end)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def within(
    period: Ever | Recent | Earlier | Dates, column: Any, frame: Frame
) -> list[ColumnElement[bool]]:
    """Return what a stretch of time that is the same for everybody asks of a moment."""
    match period:
        case Ever():
            return []
        case Recent():
            return [column > frame.ago(period.days)]
        case Earlier():
            return [column <= frame.ago(period.days)]
        case Dates():
            return [Days(column, frame, is_moment=True).between(period.first, period.until)]


def years_before(day: date, years: int) -> date:
    """Return the latest date since which `years` whole years have passed on `day`."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February, in a year that has none
        return day.replace(year=day.year - years, day=28)


def is_known(column: Any) -> ColumnElement[bool]:
    """Return that there is a text, and not an empty one."""
    return and_(column.is_not(None), column != "")


def text_passes(test: TextTest, column: Any) -> ColumnElement[bool]:
    """Return what a test asks of a text; capital and small letters are the same."""
    match test.op:
        case "text_is":
            return func.lower(column) == func.lower(test.text)
        case "text_contains":
            return column.icontains(test.text, autoescape=True)
        case "text_starts":
            return column.istartswith(test.text, autoescape=True)
        case "text_ends":
            return column.iendswith(test.text, autoescape=True)


def number_passes(test: NumberTest | NumberBetween, column: Any) -> ColumnElement[bool]:
    """Return what a test asks of a number."""
    if isinstance(test, NumberBetween):
        return amount_passes("between", column, test.low, test.high)
    return amount_passes(test.op.removeprefix("number_"), column, test.number)


def amount_passes(
    op: str, amount: Any, number: Decimal, high: Decimal | None = None
) -> ColumnElement[bool]:
    """Return how an amount compares with a number: is, above, at_least, below, at_most, between.

    Whole numbers are compared with whole ones: PostgreSQL would look each of them up as a
    decimal, and in no index.
    """
    if not isinstance(amount.type, Integer):
        low: Any = number
        top: Any = number if high is None else high
    elif op == "is" and number != int(number):
        return false()
    else:
        up = op in ("at_least", "below", "between")
        low = literal(ceil(number) if up else floor(number), BigInteger)
        top = literal(floor(number if high is None else high), BigInteger)
    match op:
        case "is":
            return amount == low
        case "above":
            return amount > low
        case "at_least":
            return amount >= low
        case "below":
            return amount < low
        case "at_most":
            return amount <= low
        case "between":
            return amount.between(low, top)
        case _:
            raise AssertionError(op)


def holds(test: Test, value: Decimal | bool | str) -> bool:
    """Tell whether what holds for people without a row passes a test: plain Python."""
    match test:
        case KnownTest():
            return test.op == "known"
        case FlagTest():
            return value is (test.op == "flag_yes")
        case ChoiceTest():
            return value in test.choices
        case NumberBetween():
            return test.low <= Decimal(value) <= test.high
        case NumberTest():
            number = Decimal(value)
            return {
                "number_is": number == test.number,
                "number_above": number > test.number,
                "number_at_least": number >= test.number,
                "number_below": number < test.number,
                "number_at_most": number <= test.number,
            }[test.op]
        case _:
            raise AssertionError(f"{test.op}: nothing holds of days for people without a row")


def answer_passes(rule: Answered, data: Any) -> ColumnElement[bool]:
    """Return what a condition asks of an answer's data."""
    if rule.op == "choices":
        return data["choice_ids"].has_any(cast(array(rule.choice_ids), ARRAY(Text)))
    return data["text"].astext.icontains(rule.text, autoescape=True)
