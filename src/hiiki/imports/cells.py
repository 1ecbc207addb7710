"""What stands in a cell, as a value of its column's kind.

Cells are read as people and programs in Japan, Taiwan and Thailand write them: full-width
digits, currency signs, thousands separators, △ for minus. What cannot be read, or could mean two
things, is refused with a sentence that says what to write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hiiki.imports.days import read_day, read_moment, tidy
from hiiki.kit.i18n import _
from hiiki.kit.importable import Column, Unfit
from hiiki.kit.phones import e164

TEXT_MOST = 5000
LIMIT = Decimal(10) ** 13
"""No amount and no number is as large."""
COUNTRIES = {"Asia/Tokyo": "JP", "Asia/Taipei": "TW", "Asia/Bangkok": "TH"}

_SIGNS = re.compile(
    r"(?:nt\$|hk\$|us\$|[¥$฿元円圓]|บาท|jpy|twd|thb|ntd|税込|税抜|\s)", re.IGNORECASE
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+")
_MINUS = str.maketrans(dict.fromkeys("−‐‑–—△▲ー", "-"))
_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s.,;<>]+(?:\.[^@\s.,;<>]+)+")
_BETWEEN_WORDS = re.compile(r"[\n,、，;；|]")
_ESCAPED = re.compile(r"'(?=[=+\-@\d＝＋－＠])")
"""What other programs, and our own exports, put before what a spreadsheet would reckon with."""
_BLANK = ("", "-", "−", "ー", "—", "null", "NULL", "N/A", "#N/A")
"""What programs write for nothing; in columns of text they are text."""

YES = frozenset(
    [
        "1",
        "true",
        "t",
        "yes",
        "y",
        "on",
        "はい",
        "有",
        "有り",
        "あり",
        "○",
        "〇",
        "◯",
        "✓",
        "✔",
        "済",
        "済み",
        "是",
        "對",
        "对",
        "ใช่",
        "มี",
        "購入済",
        "購入済み",
    ]
)
NO = frozenset(
    [
        "0",
        "false",
        "f",
        "no",
        "n",
        "off",
        "いいえ",
        "無",
        "無し",
        "なし",
        "×",
        "✕",
        "✗",
        "x",
        "未",
        "否",
        "沒有",
        "没有",
        "ไม่",
        "ไม่ใช่",
        "ไม่มี",
        "未購入",
    ]
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a shop writes: where it is, and what time its clocks show."""

    zone: ZoneInfo
    country: str = ""
    """JP, TW, TH or "" for anywhere else."""

    @classmethod
    def of(cls, timezone: str) -> Manner:
        """Return the manner of shops in a time zone."""
        return cls(ZoneInfo(timezone), COUNTRIES.get(timezone, ""))


Read = Callable[[str], Any]
"""A cell's text, without blanks around it and not empty, as a value. Raises `Unfit`."""


def reader(column: Column, manner: Manner) -> Read:
    """Return what reads the cells of a column, and makes of them what its room wants."""
    read, then = _reader(column, manner), column.then
    return read if then is None else lambda cell: then(read(cell))


def _reader(column: Column, manner: Manner) -> Read:
    country = manner.country
    if column.kind == "choice":
        return _choosing(column.choices)
    kinds: Mapping[str, Read] = {
        "number": read_number,
        "whole": _whole,
        "money": read_number,
        "day": lambda cell: _read_day(cell, country),
        "moment": lambda cell: _read_moment(cell, manner),
        "email": _email,
        "phone": lambda cell: _read_phone(cell, country),
        "flag": _flag,
        "words": _words,
    }
    if column.kind in kinds:
        return kinds[column.kind]
    return _texts(column.most or TEXT_MOST)


def is_blank(cell: str, kind: str) -> bool:
    """Tell whether a cell says nothing."""
    return not cell or (kind not in ("text", "words", "choice", "flag") and cell in _BLANK)


@lru_cache(maxsize=20_000)
def read_number(cell: str) -> Decimal:
    """Return an amount or a number."""
    if cell.isascii() and cell.isdigit() and len(cell) < 13:
        return Decimal(cell)
    text = tidy(cell).translate(_MINUS)
    if text.startswith("(") and text.endswith(")"):
        text = "-" + text[1:-1]  # as accountants write what is taken off
    if text.startswith("¥"):
        text = text.removesuffix("-")  # ¥1,980-
    text = _SIGNS.sub("", text.replace("\\", ""))
    if _NUMBER.fullmatch(text) is None:
        raise Unfit(_("Please write a number, such as 1,980."))
    number = Decimal(text.replace(",", ""))
    if abs(number) >= LIMIT:
        raise Unfit(_("Please write a number below ten trillion."))
    return number


def _whole(cell: str) -> int:
    number = read_number(cell)
    if number != number.to_integral_value():
        raise Unfit(_("Please write a whole number."))
    return int(number)


def _read_day(cell: str, country: str) -> date:
    found = read_day(cell, country)
    if found is None:
        raise Unfit(_("Please write a date with the year first, such as 2024/5/31."))
    return found


def _read_moment(cell: str, manner: Manner) -> datetime:
    found = read_moment(cell, manner.zone, manner.country)
    if found is None:
        raise Unfit(_("Please write a date and time with the year first, such as 2024/5/31 18:30."))
    return found


@lru_cache(maxsize=20_000)
def _email(cell: str) -> str:
    text = unicodedata.normalize("NFKC", cell).removeprefix("mailto:").strip()
    if len(text) > 254 or _MAIL.fullmatch(text) is None:
        raise Unfit(_("Please write an e-mail address, such as name@example.com."))
    return text


_EXTENSION = re.compile(r"(?:内線|內線|分機|ext\.?|#|ต่อ).*$", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def _read_phone(cell: str, country: str) -> str:
    found = e164(_EXTENSION.sub("", cell).removeprefix("'"), country or "JP")
    if not found:
        raise Unfit(_("Please write a telephone number, such as 090-1234-5678."))
    return found


def _flag(cell: str) -> bool:
    word = squeezed(cell)
    if word in YES:
        return True
    if word in NO:
        return False
    raise Unfit(_("Please write yes or no."))


def _words(cell: str) -> list[str]:
    # A dictionary keeps the order and drops what is there twice.
    return list(
        dict.fromkeys(word for each in _BETWEEN_WORDS.split(cell) if (word := each.strip()))
    )


def _texts(most: int) -> Read:
    def read(cell: str) -> str:
        text = _ESCAPED.sub("", cell, count=1) if cell[0] == "'" else cell
        if len(text) > most:
            raise Unfit(_("Please shorten this to %(max_length)s characters.", max_length=most))
        return text

    return read


def _choosing(choices: Mapping[str, Any]) -> Read:
    known = {squeezed(word): value for value, words in choices.items() for word in (value, *words)}

    def read(cell: str) -> str:
        value = known.get(cell) or known.get(squeezed(cell))
        if value is None:
            some = [words[0] if words else value for value, words in choices.items()]
            raise Unfit(_("Please choose one of: %(expected)s.", expected="、".join(some)))
        return value

    return read


def squeezed(text: str) -> str:
    """Return a heading or a word for comparing: NFKC, lower case, without blanks and marks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(
        character
        for character in folded
        if character.isalnum() or unicodedata.category(character)[0] in "MS"
    )
