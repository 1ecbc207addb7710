"""Telephone numbers as people write them, in the one form in which they can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_COUNTRY_BY_ZONE: Mapping[str, str] = {
    "Asia/Tokyo": "JP",
    "Japan": "JP",
    "Asia/Taipei": "TW",
    "Asia/Bangkok": "TH",
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a country's numbers look: its code, the digits behind it, the way to dial abroad."""

    code: str
    digits: range
    abroad: tuple[str, ...]


_PLANS: Mapping[str, _Plan] = {
    "JP": _Plan("81", range(9, 11), ("010", "00")),
    "TW": _Plan("886", range(8, 10), ("002", "00")),
    "TH": _Plan("66", range(8, 10), ("001", "00")),
}
_WRITTEN = re.compile(r"[\d\s().\-/‐‑‒–—―−ー~]*\d[\d\s().\-/‐‑‒–—―−ー~]*", re.ASCII)


def country_of(timezone: str) -> str:
    """Return the country (ISO 3166) whose numbers are written without a code there: "JP"."""
    return _COUNTRY_BY_ZONE.get(timezone, "JP")


def e164(typed: str, country: str = "JP") -> str:
    """Return a number in the form of E.164 (`+819012345678`), or "" when it is none.

    What begins with neither a plus nor a zero has lost its zero to a spreadsheet, if its length
    is right for that, or begins with the country's own code.
    """
    plan = _PLANS[country]
    if shortcut := _plainly(typed, plan):
        return shortcut
    text = unicodedata.normalize("NFKC", typed).strip().removeprefix("tel:")
    is_full = text.startswith("+")
    if not _WRITTEN.fullmatch(text.removeprefix("+")):
        return ""
    if is_full:
        # "+81 (0)90-…": the zero in brackets is for those who dial within the country.
        text = text.replace("(0)", "")
    digits = re.sub(r"\D", "", text, flags=re.ASCII)
    if not is_full:
        digits = _with_code(digits, plan)
    elif digits.startswith(f"{plan.code}0"):
        digits = plan.code + digits[len(plan.code) + 1 :]
    if digits.startswith(plan.code):
        is_number = len(digits) - len(plan.code) in plan.digits
    else:
        is_number = 8 <= len(digits) <= 15 and not digits.startswith("0")
    return f"+{digits}" if is_number else ""


def _plainly(typed: str, plan: _Plan) -> str:
    """Return what nearly all numbers of a country come to, and "" for those that need a look."""
    digits = typed.replace("-", "")
    if not digits.isascii():
        return ""
    if digits.isdigit() and digits.startswith("0") and not digits.startswith(plan.abroad):
        return f"+{plan.code}{digits[1:]}" if len(digits) - 1 in plan.digits else ""
    rest = typed.removeprefix(f"+{plan.code}")
    is_plain = len(rest) < len(typed) and rest.isdigit() and not rest.startswith("0")
    return typed if is_plain and len(rest) in plan.digits else ""


def _with_code(digits: str, plan: _Plan) -> str:
    for prefix in plan.abroad:
        if digits.startswith(prefix):
            return digits[len(prefix) :]
    if digits.startswith("0"):
        return plan.code + digits[1:]
    if len(digits) in plan.digits:
        return plan.code + digits
    return digits if digits.startswith(plan.code) else "0"
