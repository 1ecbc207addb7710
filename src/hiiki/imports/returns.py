"""What a file's sender gets back: its refused lines, each with the reason, to be mended."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from hiiki.contacts.people import BOM, safe_cell
from hiiki.db import scope
from hiiki.imports import service
from hiiki.imports.files import Record, records
from hiiki.imports.models import Import, Refusal
from hiiki.kit.i18n import Text, gettext, set_locale

_AT_ONCE = 1000


async def refused_lines(
    workspace_id: UUID, made: Import, path: Path, labels: Mapping[str, Text | str], locale: str
) -> AsyncIterator[bytes]:
    """Give the refused lines as they stand in the file, with their number and all reasons behind.

    `labels` is what people call the columns. When mended they can be sent again as they are: the
    two columns more are left out.
    """
    set_locale(locale)
    yield (BOM + _csv([[*made.headings, gettext("Line"), gettext("Reason")]])).encode()
    found = records(path, made.encoding, made.separator)
    width = len(made.headings)
    after = 0
    while True:
        async with scope(workspace_id) as session:
            wanted = await service.refusals(session, made.id, after, _AT_ONCE)
        if not wanted:
            return
        after = wanted[-1][0].line
        cells = await asyncio.to_thread(_cells, found, {its[0].line for its in wanted}, after)
        yield _csv(
            [
                [
                    *map(safe_cell, _wide(cells.get(its[0].line, []), width)),
                    str(its[0].line),
                    _reasons(its, labels, locale),
                ]
                for its in wanted
            ]
        ).encode()


def _reasons(its: Sequence[Refusal], labels: Mapping[str, Text | str], locale: str) -> str:
    said: list[str] = []
    for one in its:
        label = labels.get(one.column, "")
        column = label.to(locale) if isinstance(label, Text) else label
        reason = service.said(one).to(locale)
        said.append(f"{column}: {reason}" if column else reason)
    return "\n".join(said)


def _cells(found: Iterator[Record], wanted: set[int], until: int) -> dict[int, list[str]]:
    cells: dict[int, list[str]] = {}
    for record in found:
        if record.line in wanted:
            cells[record.line] = record.cells
        if record.line >= until:
            break
    return cells


def _wide(cells: Sequence[str], width: int) -> list[str]:
    return [*cells[:width], *[""] * (width - len(cells))]


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
