"""The words of the parts of a sentence: comparisons, names, numbers and days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce

from hiiki.kit.i18n import Text, _
from hiiki.segments.comparisons import (
    Anniversary,
    AnyDayTest,
    ChoicesTest,
    ChoiceTest,
    DayBetween,
    DayMonth,
    DayOfYear,
    DaysAgo,
    DaysAhead,
    DayTest,
    FlagTest,
    KnownTest,
    NumberBetween,
    NumberTest,
    Test,
    TextTest,
    YearsAgo,
)

MAX_NAMES = 5
"""More names than these are counted instead."""

MONTHS = (
    _("the present month"),
    _("January"),
    _("February"),
    _("March"),
    _("April"),
    _("May"),
    _("June"),
    _("July"),
    _("August"),
    _("September"),
    _("October"),
    _("November"),
    _("December"),
)
_GONE = _("(deleted)")


def quoted(name: Text | str | None) -> Text:
    """Return a name in quotation marks; None is what has been deleted."""
    return _GONE if name is None else _("“%(name)s”", name=name)


def listed(found: Sequence[Text | str | None]) -> Text:
    """Return a few names, and how many more there are."""
    words = reduce(
        lambda left, right: _("%(left)s, %(right)s", left=left, right=right),
        [quoted(name) for name in found[:MAX_NAMES]],
    )
    if len(found) > MAX_NAMES:
        return _("%(names)s and %(n)s more", names=words, n=len(found) - MAX_NAMES)
    return words


def compared(
    field: Text, test: Test, *, kind: str = "", choices: Mapping[str, Text] | None = None
) -> Text:
    """Return "whose … is …"; a share is told in percent, a choice by its label."""
    match test:
        case TextTest():
            value = quoted(test.text)
            match test.op:
                case "text_is":
                    return _("whose %(field)s is %(value)s", field=field, value=value)
                case "text_contains":
                    return _("whose %(field)s contains %(value)s", field=field, value=value)
                case "text_starts":
                    return _("whose %(field)s begins with %(value)s", field=field, value=value)
                case "text_ends":
                    return _("whose %(field)s ends with %(value)s", field=field, value=value)
        case NumberTest():
            number = _number(test.number, kind)
            match test.op:
                case "number_is":
                    return _("whose %(field)s equals %(n)s", field=field, n=number)
                case "number_above":
                    return _("whose %(field)s is above %(n)s", field=field, n=number)
                case "number_at_least":
                    return _("whose %(field)s is %(n)s or more", field=field, n=number)
                case "number_below":
                    return _("whose %(field)s is below %(n)s", field=field, n=number)
                case "number_at_most":
                    return _("whose %(field)s is %(n)s or less", field=field, n=number)
        case NumberBetween():
            low, high = _number(test.low, kind), _number(test.high, kind)
            return _("whose %(field)s is from %(low)s to %(high)s", field=field, low=low, high=high)
        case ChoiceTest():
            labels = [(choices or {}).get(choice, choice) for choice in test.choices]
            if len(labels) == 1:
                return _("whose %(field)s is %(value)s", field=field, value=quoted(labels[0]))
            values = listed(labels)
            return _("whose %(field)s is one of %(values)s", field=field, values=values)
        case ChoicesTest():
            values = listed(test.choices)
            if test.op == "choices_all" or (test.op == "choices_any" and len(test.choices) == 1):
                return _("whose %(field)s includes %(values)s", field=field, values=values)
            if test.op == "choices_none":
                return _("whose %(field)s includes none of %(values)s", field=field, values=values)
            return _("whose %(field)s includes one of %(values)s", field=field, values=values)
        case FlagTest(op="flag_yes"):
            return _("whose %(field)s is yes", field=field)
        case FlagTest():
            return _("whose %(field)s is no", field=field)
        case KnownTest(op="known"):
            return _("whose %(field)s is known", field=field)
        case KnownTest():
            return _("whose %(field)s is not known", field=field)
        case _:
            return _day(field, test)


def _day(field: Text, test: AnyDayTest) -> Text:
    match test:
        case DayTest(op="day_on"):
            return _("whose %(field)s is on %(day)s", field=field, day=day_of(test.day))
        case DayTest(op="day_before"):
            return _("whose %(field)s is before %(day)s", field=field, day=day_of(test.day))
        case DayTest():
            return _("whose %(field)s is after %(day)s", field=field, day=day_of(test.day))
        case DayBetween():
            first, until = day_of(test.first), day_of(test.until)
            return _(
                "whose %(field)s is from %(low)s to %(high)s", field=field, low=first, high=until
            )
        case DayMonth():
            return _("whose %(field)s is in %(month)s", field=field, month=MONTHS[test.month])
        case DayOfYear():
            month = MONTHS[test.month]
            return _(
                "whose %(field)s is on %(day)s %(month)s of any year",
                field=field,
                day=test.day,
                month=month,
            )
        case Anniversary(low=0, high=0):
            return _("whose %(field)s comes round today", field=field)
        case Anniversary():
            return _(
                "whose %(field)s comes round %(low)s to %(high)s days from now",
                field=field,
                low=test.low,
                high=test.high,
            )
        case DaysAhead():
            return _(
                "whose %(field)s is %(low)s to %(high)s days ahead",
                field=field,
                low=test.low,
                high=test.high,
            )
        case DaysAgo():
            return _(
                "whose %(field)s was %(low)s to %(high)s days ago",
                field=field,
                low=test.low,
                high=test.high,
            )
        case YearsAgo():
            return _(
                "whose %(field)s was %(low)s to %(high)s whole years ago",
                field=field,
                low=test.low,
                high=test.high,
            )


def amount(test: NumberTest | NumberBetween) -> str:
    """Return a test of a number in signs, which both languages read."""
    if isinstance(test, NumberBetween):
        return f"{plain_number(test.low)} – {plain_number(test.high)}"
    sign = {
        "number_is": "=",
        "number_above": ">",
        "number_at_least": "≥",
        "number_below": "<",
        "number_at_most": "≤",
    }[test.op]
    return f"{sign} {plain_number(test.number)}"


def day_of(day: date) -> str:
    """Return a day as both languages read it."""
    return day.isoformat()


def _number(number: Decimal, kind: str) -> str:
    return f"{plain_number(number * 100)}%" if kind == "share" else plain_number(number)


def plain_number(number: Decimal) -> str:
    """Return a number as people write it: no exponent, no idle zeros."""
    return f"{number.normalize():,f}"
