"""What people type, as answers: half-width or full-width, in Western or Japanese years.

Nothing here knows a database or LINE; each function gives None for what is no answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

Choice = Mapping[str, Any]

_NUMBER = re.compile(r"(?:約|およそ|about )?([-+]?\d[\d,]*(?:\.\d+)?)\s*(万)?\s*([^\d\s]{0,8})")
_WESTERN = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ERA = re.compile(
    r"(令和|平成|昭和|大正|明治|[RHSTM])\s*(\d{1,2}|元)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?",
    re.IGNORECASE,
)
_ERA_STARTS = {
    "令和": 2019,
    "平成": 1989,
    "昭和": 1926,
    "大正": 1912,
    "明治": 1868,
    "r": 2019,
    "h": 1989,
    "s": 1926,
    "t": 1912,
    "m": 1868,
}
_SEPARATORS = re.compile(r"[、,，・/／;；\n]+")
_MAX_DIGITS = 15


def plain(typed: str) -> str:
    """Return `typed` in half-width form, without blanks around it, in lower case."""
    return unicodedata.normalize("NFKC", typed).strip().casefold()


def number(typed: str) -> Decimal | None:
    """Return the number in "２５", "1,000", "25歳" or "2万円"; None when there is none."""
    found = _NUMBER.fullmatch(plain(typed))
    if found is None:
        return None
    digits = found[1].replace(",", "")
    if len(digits) > _MAX_DIGITS:
        return None
    return Decimal(digits) * (10_000 if found[2] else 1)


def day(typed: str) -> date | None:
    """Return the date in "2026-11-21", "2026年11月21日", "20261121" or "平成5年3月2日"."""
    text = plain(typed)
    if era := _ERA.fullmatch(text):
        years = 1 if era[2] == "元" else int(era[2])
        return _date(_ERA_STARTS[era[1].lower()] + years - 1, int(era[3]), int(era[4]))
    if western := _WESTERN.fullmatch(text) or _COMPACT.fullmatch(text):
        return _date(int(western[1]), int(western[2]), int(western[3]))
    return None


def _date(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month)
    except ValueError:
        return None


def one_of(choices: Sequence[Choice], typed: str) -> Choice | None:
    """Return the choice whose label was typed, or its number in the list ("2")."""
    text = plain(typed)
    for choice in choices:
        if plain(str(choice["label"])) == text:
            return choice
    # A bare number is a place in the list, unless some label could itself be meant by it.
    if (
        text.isdecimal()
        and len(text) <= 2
        and not any(any(c.isdigit() for c in plain(str(choice["label"]))) for choice in choices)
    ):
        place = int(text) - 1
        if 0 <= place < len(choices):
            return choices[place]
    return None


def several_of(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """Return the choices named in "A、B"; empty unless every part names one."""
    whole = one_of(choices, typed)
    if whole is not None:
        return [whole]
    parts = [part for part in _SEPARATORS.split(typed) if part.strip()]
    found = [one_of(choices, part) for part in parts]
    if not found or any(choice is None for choice in found):
        return []
    by_id = {str(choice["id"]): choice for choice in found if choice is not None}
    return list(by_id.values())
