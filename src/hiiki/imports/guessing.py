"""Which heading of a file means which column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from hiiki.imports.cells import squeezed
from hiiki.kit.i18n import LOCALES, Text
from hiiki.kit.importable import Column, ExportFormat

_LOOKS = {
    "email": re.compile(r"[^@\s,;<>]+@[^@\s.,;<>]+(?:\.[^@\s.,;<>]+)+"),
    "line_user_id": re.compile(r"U[0-9a-f]{32}"),
}
"""Columns that are known by what stands in them, whatever their heading says."""
_CERTAIN = 0.8
_DROPPED = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")


def fingerprint(headings: Sequence[str]) -> str:
    """Return what stands for these headings, to know them again."""
    return hashlib.sha256("\x1f".join(map(squeezed, headings)).encode()).hexdigest()[:32]


def recognise(headings: Sequence[str], formats: Sequence[ExportFormat]) -> ExportFormat | None:
    """Return the system that wrote a file with these headings; the one that asks for most."""
    there = set(map(squeezed, headings))
    found = [one for one in formats if all(squeezed(each) in there for each in one.headings)]
    return max(found, key=lambda one: len(one.headings), default=None)


def guess(
    headings: Sequence[str],
    samples: Sequence[Sequence[str]],
    columns: Sequence[Column],
    known: ExportFormat | None = None,
) -> list[str]:
    """Return for each heading the name of its column, "" for none."""
    by_format = {squeezed(head): name for head, name in known.columns.items()} if known else {}
    by_name = _names(columns)
    there = {column.name for column in columns}
    found: list[str] = []
    taken: set[str] = set()
    for heading in headings:
        key = squeezed(heading)
        name = by_format.get(key, "") if known else by_name.get(key, "")
        if not name and not known:
            name = by_name.get(squeezed(_DROPPED.sub("", heading)), "")
        if name not in there or (name in taken and not known):
            name = ""
        taken.add(name)
        found.append(name)
    for at, name in enumerate(found):
        if not name and known is None:
            found[at] = _by_looks([row[at] for row in samples if at < len(row)], there - taken)
            taken.add(found[at])
    return found


def _names(columns: Sequence[Column]) -> dict[str, str]:
    named: dict[str, str] = {}
    for column in columns:
        label = column.label
        # A shop that works in one language sends files in another.
        labels = [label.to(each) for each in LOCALES] if isinstance(label, Text) else [label]
        for alias in (column.name, *labels, *column.aliases):
            named.setdefault(squeezed(alias), column.name)
    return named


def _by_looks(cells: Sequence[str], free: set[str]) -> str:
    filled = [cell.strip() for cell in cells if cell.strip()]
    for name, looks in _LOOKS.items():
        fitting = sum(looks.fullmatch(cell) is not None for cell in filled)
        if name in free and filled and fitting >= _CERTAIN * len(filled):
            return name
    return ""
