"""The words in which message objects are described: a schema is a tree of small functions.

Every function here returns a check, `check(value, path, report)`, which reports what is wrong and
returns nothing. Schemas are put together once, at import; checking a text message afterwards costs
a few microseconds. A property that no schema names is ignored, as LINE does; null counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import regex

from ..hosts import is_local
from ..model import Json
from .report import Path, Report

Check = Callable[[Any, Path, Report], None]
Rule = Callable[[Json, Path, Report], None]

_GRAPHEME = regex.compile(r"\X")
_UNSAFE = frozenset(' \t\r\n"<>')
"""Characters that a URI must have percent-encoded."""


def as_list(value: Any) -> list[Any]:
    """The value if it is an array, else an empty one: for rules that look at several properties."""
    return cast(list[Any], value) if isinstance(value, list) else []


def as_object(value: Any) -> Json:
    """The value if it is an object, else an empty one."""
    return cast(Json, value) if isinstance(value, dict) else {}


def utf16_length(value: str) -> int:
    """Length in UTF-16 code units, LINE's usual count (docs, "Character counting in a text")."""
    return len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2


def grapheme_length(value: str) -> int:
    """Length in grapheme clusters, the count for labels and template texts (the same page)."""
    return len(value) if value.isascii() else len(_GRAPHEME.findall(value))


def text(high: int, *, low: int = 1, count: Callable[[str], int] = utf16_length) -> Check:
    """A string of `low` to `high` characters."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.unreadable(path)
        elif not value and low:
            report.empty(path)
        # No string is longer in graphemes than in code points, nor more than twice in UTF-16.
        elif len(value) * 2 > high and count(value) > high:
            report.length(path, 0 if low <= 1 else low, high)
        elif low > 1 and count(value) < low:
            report.length(path, low, high)

    return check


def graphemes(high: int, *, low: int = 1) -> Check:
    """A string of up to `high` grapheme clusters."""
    return text(high, low=low, count=grapheme_length)


def string(value: Any, path: Path, report: Report) -> None:
    """Any string that is not empty."""
    if not isinstance(value, str):
        report.unreadable(path)
    elif not value:
        report.empty(path)


def boolean(value: Any, path: Path, report: Report) -> None:
    """true or false."""
    if not isinstance(value, bool):
        report.unreadable(path)


def anything(value: Any, path: Path, report: Report) -> None:
    """Anything at all."""


def integer(low: int, high: int) -> Check:
    """A whole number from `low` to `high`."""

    def check(value: Any, path: Path, report: Report) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            report.unreadable(path)
        elif not low <= value <= high:
            report.between(path, low, high)

    return check


def number(low: float, high: float) -> Check:
    """A number from `low` to `high`."""

    def check(value: Any, path: Path, report: Report) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            report.unreadable(path)
        elif not low <= value <= high:
            report.between(path, low, high)

    return check


def choice(*values: str) -> Check:
    """One of these strings."""
    allowed = frozenset(values)

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.unreadable(path)
        elif value not in allowed:
            report.choice(path, values)

    return check


def pattern(expression: str, message: str = "invalid property") -> Check:
    """A string that matches the expression from beginning to end."""
    matches = re.compile(expression).fullmatch

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.unreadable(path)
        elif not matches(value):
            report.invalid(path, message)

    return check


def url(high: int, *schemes: str) -> Check:
    """A URI of one of these schemes (or plain http to a local host), at most `high` long."""
    allowed = frozenset(schemes)

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.unreadable(path)
            return
        if not value:
            report.empty(path)
            return
        if len(value) * 2 > high and utf16_length(value) > high:
            report.size(path, 0, high)
            return
        scheme, colon, rest = value.partition(":")
        scheme = scheme.lower()
        host = _host(value) if scheme in ("http", "https") else None
        if not colon or not scheme.isalpha():
            # What has no scheme at all gets both complaints.
            report.invalid(path, "invalid uri")
            report.scheme(path)
        elif scheme not in allowed and not (scheme == "http" and host and is_local(host)):
            report.scheme(path)
        elif not rest or not _UNSAFE.isdisjoint(value) or host == "":
            report.invalid(path, "invalid uri")

    return check


def _host(value: str) -> str:
    try:
        return urlsplit(value).hostname or ""
    except ValueError:
        return ""


def array(item: Check, low: int, high: int) -> Check:
    """An array of `low` to `high` elements; when there are too many, none of them is looked at."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, list):
            report.unreadable(path)
            return
        elements = cast(list[Any], value)
        if not low <= len(elements) <= high:
            report.items(path, low, high, len(elements))
            return
        for index, element in enumerate(elements):
            item(element, (path, index), report)

    return check


def obj(
    required: dict[str, Check] | None = None,
    optional: dict[str, Check] | None = None,
    *rules: Rule,
) -> Check:
    """An object with these properties; `rules` look at several properties together."""
    needed = tuple((required or {}).items())
    allowed = dict(optional or {})

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, dict):
            report.unreadable(path)
            return
        here = cast(Json, value)
        for name, inner in needed:
            found = here.get(name)
            if found is None:
                report.missing((path, name))
            else:
                inner(found, (path, name), report)
        # There are few properties in an object and many that its schema allows.
        for name, found in here.items():
            if found is not None and (inner := allowed.get(name)) is not None:
                inner(found, (path, name), report)
        for rule in rules:
            rule(here, path, report)

    return check


def terse(inner: Check) -> Check:
    """What `inner` finds is worded as LINE words it for action objects ("must be specified")."""

    def check(value: Any, path: Path, report: Report) -> None:
        report.terse += 1
        try:
            inner(value, path, report)
        finally:
            report.terse -= 1

    return check


def by_type(variants: dict[str, Check], property: str = "type") -> Check:
    """An object whose kind is named by its property `type`."""
    names = tuple(variants)

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, dict):
            report.unreadable(path)
            return
        kind = cast(Json, value).get(property)
        if kind is None:
            report.missing((path, property))
            return
        if not isinstance(kind, str):
            report.unreadable((path, property))
            return
        variant = variants.get(kind)
        if variant is None:
            report.choice((path, property), names)
        else:
            variant(cast(Json, value), path, report)

    return check
