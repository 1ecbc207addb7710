"""Values of the shop's own fields: what people type, what is stored, what is shown.

Typed text is read as people in Japan write it: full-width digits, 2026年11月21日,
thousands separators. What is not of the attribute's kind raises `Invalid`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from babel import Locale, UnknownLocaleError

from hiiki.contacts.models import Attribute, ContactAttribute
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _, current_locale

Value: TypeAlias = str | Decimal | int | float | date | list[str] | None
Parsed: TypeAlias = str | Decimal | date | list[str]

TEXT_LIMIT = 5000
"""Characters of a text value: as many as LINE lets a friend write in one message."""
NUMBER_LIMIT = Decimal(10) ** 15
NUMBER_PLACES = 6

_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d\d)(\d\d))")
_BETWEEN_CHOICES = re.compile(r"[\n,、，;]")


def plain(text: str) -> str:
    """Return `text` as one would store it: no NUL (PostgreSQL takes none), no outer blanks."""
    return text.replace("\x00", "").strip()


def parse_date(typed: str) -> date | None:
    """Return the date that a person wrote, or None when it is not one."""
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", typed).replace(" ", ""))
    if found is None:
        return None
    year, *rest = found.groups()
    month, day = (part for part in rest if part is not None)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def parse_number(typed: str) -> Decimal | None:
    """Return the number that a person wrote, or None when it is not one."""
    text = unicodedata.normalize("NFKC", typed).replace(",", "").replace(" ", "")
    text = text.replace("−", "-").replace("ー", "-").removesuffix("円").removeprefix("¥")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text, re.ASCII):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern lets nothing else through
        return None


def parse_value(attribute: Attribute, value: Value) -> Parsed | None:
    """Return `value` as the attribute's kind stores it, None for an empty one.

    Raises `Invalid` with the reason under "value".
    """
    if isinstance(value, str):
        value = plain(value)
    if value is None or value == "" or value == []:
        return None
    match attribute.kind:
        case "text":
            return _text(value)
        case "number":
            return _number(value)
        case "date":
            return _date(value)
        case "choice":
            return _choice(attribute, value)
        case _:
            return _choices(attribute, value)


def columns_of(attribute: Attribute, parsed: Parsed) -> dict[str, Any]:
    """Return the column of `ContactAttribute` that holds the attribute's kind, and its value."""
    return {column_of(attribute.kind): parsed}


def column_of(kind: str) -> str:
    """Return the column of `ContactAttribute` that holds values of a kind of attribute."""
    return {"date": "day"}.get(kind, kind)


def blank_columns() -> dict[str, Any]:
    """Return all value columns of `ContactAttribute`, empty."""
    return dict.fromkeys(("text", "number", "day", "choice", "choices"))


def stored(row: ContactAttribute) -> Parsed | None:
    """Return the value that a row holds, in whichever column it stands."""
    for value in (row.text, row.number, row.day, row.choice, row.choices):
        if value is not None:
            return value
    return None


def language_name(tag: str | None) -> str:
    """Return what a language (BCP 47, as LINE tells it) is called in the reader's own."""
    try:
        found = Locale.parse(tag or "", sep="-").get_display_name(current_locale())
    except (ValueError, UnknownLocaleError):
        found = None
    return found or tag or ""


def shown(value: Parsed | None) -> str:
    """Return a value as people read it, in lists, exports and forms."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list):
        return "、".join(value)
    return str(value)


def jsonable(value: Parsed | None) -> Any:
    """Return a value as the API gives it: numbers as numbers, dates as ISO 8601."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _refuse(why: Text) -> Invalid:
    return Invalid(fields={"value": why})


def _text(value: Value) -> str:
    text = shown(value) if isinstance(value, Decimal | list) else plain(str(value))
    if len(text) > TEXT_LIMIT:
        raise _refuse(_("Please shorten this to %(max_length)s characters.", max_length=TEXT_LIMIT))
    return text


def _number(value: Value) -> Decimal:
    number = None
    if isinstance(value, str):
        number = parse_number(value)
    elif isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        number = Decimal(str(value))
    if number is None or not number.is_finite():
        raise _refuse(_("Please enter a number."))
    if abs(number) >= NUMBER_LIMIT:
        raise _refuse(_("Please enter a number of at most 15 digits."))
    return round(number, NUMBER_PLACES)


def _date(value: Value) -> date:
    found = parse_date(value) if isinstance(value, str) else value
    if not isinstance(found, date):
        raise _refuse(_("Please enter a date, such as 2026-11-21."))
    return found


def _choice(attribute: Attribute, value: Value) -> str:
    if not isinstance(value, str) or value not in attribute.choices:
        raise _not_a_choice(attribute)
    return value


def _choices(attribute: Attribute, value: Value) -> list[str]:
    if isinstance(value, list):
        wanted = [plain(each) for each in value]
    elif isinstance(value, str):
        # A choice may itself hold a comma: the whole comes first.
        whole = value in attribute.choices
        wanted = [value] if whole else [plain(each) for each in _BETWEEN_CHOICES.split(value)]
    else:
        raise _not_a_choice(attribute)
    wanted = [each for each in wanted if each]
    if not set(wanted) <= set(attribute.choices):
        raise _not_a_choice(attribute)
    # In the attribute's own order, each once: equal answers are equal rows.
    return [choice for choice in attribute.choices if choice in wanted]


def _not_a_choice(attribute: Attribute) -> Invalid:
    return _refuse(
        _("Please choose one of: %(expected)s.", expected="、".join(map(str, attribute.choices)))
    )
