"""Tests of one value, and stretches of time: what the conditions of a rule are made of.

Their meaning is in `predicates`; that of a value that is not known, in `rules`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from hiiki.kit.forms import Wrong

N = TypeVar("N", int, Decimal)

MAX_CHOICES = 200
MAX_TEXT = 200

Number = Annotated[
    Decimal, Field(ge=Decimal("-1e15"), le=Decimal("1e15"), allow_inf_nan=False, decimal_places=6)
]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
Days = Annotated[int, Field(ge=0, le=36500)]
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def at_least_one(chosen: list[Any]) -> list[Any]:
    """Refuse an empty choice, in words that say what to do."""
    if not chosen:
        raise Wrong("Please choose at least one.")
    return chosen


Some = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


Chosen = Annotated[
    list[Some],
    Field(max_length=MAX_CHOICES, json_schema_extra={"minItems": 1}),
    AfterValidator(at_least_one),
]


class Part(BaseModel):
    """Base of every part of a rule: what is not foreseen is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- tests of a value -------------------------------------------------------------------


class TextTest(Part):
    """Compare a text; capital and small letters are the same."""

    op: Literal["text_is", "text_contains", "text_starts", "text_ends"]
    text: Some


class NumberTest(Part):
    """Compare a number with one other."""

    op: Literal["number_is", "number_above", "number_at_least", "number_below", "number_at_most"]
    number: Number


class NumberBetween(Part):
    """A number from `low` to `high`, both included."""

    op: Literal["number_between"]
    low: Number
    high: Number

    @field_validator("high")
    @classmethod
    def _in_order(cls, high: Decimal, info: ValidationInfo) -> Decimal:
        return not_below(high, info.data.get("low"))


class DayTest(Part):
    """Compare a date with one other; `before` and `after` leave the day itself out."""

    op: Literal["day_on", "day_before", "day_after"]
    day: Day


class DayBetween(Part):
    """A date from `first` to `until`, both included."""

    op: Literal["day_between"]
    first: Day
    until: Day

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: date, info: ValidationInfo) -> date:
        return _not_before(until, info.data.get("first"))


class DayMonth(Part):
    """A date in a month of any year (a birthday in February)."""

    op: Literal["day_month"]
    month: Annotated[int, Field(ge=0, le=12)]
    """1 to 12; 0 is the present month in the workspace's time zone."""


class DayOfYear(Part):
    """A date on one day of any year (a birthday on 14 February)."""

    op: Literal["day_of_year"]
    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]

    @field_validator("day")
    @classmethod
    def _exists(cls, day: int, info: ValidationInfo) -> int:
        month = info.data.get("month")
        if month is not None and day > _LONGEST[month - 1]:
            raise Wrong("This month has no such day.")
        return day


class Anniversary(Part):
    """A date of any year that comes round `low` to `high` days from today; 0 is today.

    Over New Year it goes on in January. 29 February comes round on 1 March in years without one.
    """

    op: Literal["anniversary"]
    low: Annotated[int, Field(ge=0, le=365)]
    high: Annotated[int, Field(ge=0, le=365)]

    @field_validator("high")
    @classmethod
    def _in_order(cls, high: int, info: ValidationInfo) -> int:
        return not_below(high, info.data.get("low"))


class DaysAgo(Part):
    """A date that lies between `low` and `high` days back; 0 is today."""

    op: Literal["days_ago"]
    low: Days
    high: Days

    @field_validator("high")
    @classmethod
    def _in_order(cls, high: int, info: ValidationInfo) -> int:
        return not_below(high, info.data.get("low"))


class DaysAhead(Part):
    """A date that lies between `low` and `high` days ahead; 0 is today."""

    op: Literal["days_ahead"]
    low: Days
    high: Days

    @field_validator("high")
    @classmethod
    def _in_order(cls, high: int, info: ValidationInfo) -> int:
        return not_below(high, info.data.get("low"))


class YearsAgo(Part):
    """A date since which `low` to `high` whole years have passed: an age, an anniversary."""

    op: Literal["years_ago"]
    low: Annotated[int, Field(ge=0, le=150)]
    high: Annotated[int, Field(ge=0, le=150)]

    @field_validator("high")
    @classmethod
    def _in_order(cls, high: int, info: ValidationInfo) -> int:
        return not_below(high, info.data.get("low"))


class ChoiceTest(Part):
    """One of these values."""

    op: Literal["choice_any"]
    choices: Chosen


class ChoicesTest(Part):
    """Of several values that a person may have: any, all or none of these.

    Whose values are not known has not none of them: that is not known either.
    """

    op: Literal["choices_any", "choices_all", "choices_none"]
    choices: Chosen


class FlagTest(Part):
    """Yes or no; for the profile's purchaser flag, and fields that are flags."""

    op: Literal["flag_yes", "flag_no"]


class KnownTest(Part):
    """Whether there is a value at all. An empty text or list is none."""

    op: Literal["known", "unknown"]


Test = Annotated[
    TextTest
    | NumberTest
    | NumberBetween
    | DayTest
    | DayBetween
    | DayMonth
    | DayOfYear
    | Anniversary
    | DaysAgo
    | DaysAhead
    | YearsAgo
    | ChoiceTest
    | ChoicesTest
    | FlagTest
    | KnownTest,
    Field(discriminator="op"),
]

AnyDayTest = (
    DayTest | DayBetween | DayMonth | DayOfYear | Anniversary | DaysAgo | DaysAhead | YearsAgo
)
AmountTest = Annotated[NumberTest | NumberBetween, Field(discriminator="op")]

TESTS = (
    TextTest,
    NumberTest,
    NumberBetween,
    DayTest,
    DayBetween,
    DayMonth,
    DayOfYear,
    Anniversary,
    DaysAgo,
    DaysAhead,
    YearsAgo,
    ChoiceTest,
    ChoicesTest,
    FlagTest,
    KnownTest,
)
"""All of them."""


# --- when -------------------------------------------------------------------------------


class Ever(Part):
    """At any time."""

    kind: Literal["ever"] = "ever"


class Recent(Part):
    """In the last `days` times 24 hours."""

    kind: Literal["recent"]
    days: Annotated[int, Field(ge=1, le=36500)]


class Earlier(Part):
    """More than `days` times 24 hours ago."""

    kind: Literal["earlier"]
    days: Annotated[int, Field(ge=1, le=36500)]


class Dates(Part):
    """On the days from `first` to `until`, in the workspace's time zone; either may be open."""

    kind: Literal["dates"]
    first: Day | None = None
    until: Day | None = None

    @field_validator("first", "until", mode="before")
    @classmethod
    def _open(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first")
        if until is None and first is None and "first" in info.data:
            raise Wrong("Please give the first day, the last day, or both.")
        return until if until is None else _not_before(until, first)

    # A missing field is not validated unless it is asked for, and both may not be missing.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class AfterEvent(Part):
    """Later than the person's own latest event of this kind; for those who have one."""

    kind: Literal["after_event"]
    event: Annotated[str, Field(min_length=1, max_length=60)]
    subject: Annotated[str, Field(max_length=MAX_TEXT)] = ""


class BeforeEvent(Part):
    """Earlier than the person's own latest event of this kind; for those who have one."""

    kind: Literal["before_event"]
    event: Annotated[str, Field(min_length=1, max_length=60)]
    subject: Annotated[str, Field(max_length=MAX_TEXT)] = ""


PlainPeriod = Annotated[Ever | Recent | Earlier | Dates, Field(discriminator="kind")]
"""A stretch of time that is the same for everybody."""
Period = Annotated[
    Ever | Recent | Earlier | Dates | AfterEvent | BeforeEvent, Field(discriminator="kind")
]


def not_below(high: N, low: N | None) -> N:
    """Refuse an upper end below the lower one; where that is wrong itself, it is said there."""
    if low is not None and high < low:
        raise Wrong("Please enter %(low)s or more.", low=str(low))
    return high


def _not_before(until: date, first: date | None) -> date:
    if first is not None and until < first:
        raise Wrong("Please enter a day that is not before the first.")
    return until
