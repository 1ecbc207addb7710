"""What programs send and get about imports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from hiiki.imports import service
from hiiki.imports.models import Import, Refusal
from hiiki.kit.importable import Column

ROWS_MOST = 5000


class ColumnOut(BaseModel):
    """A column that a file may have."""

    name: str
    label: str
    kind: str
    required: bool

    @classmethod
    def of(cls, column: Column) -> ColumnOut:
        """Return what programs see of a column."""
        return cls(
            name=column.name, label=str(column.label), kind=column.kind, required=column.required
        )


class KindOut(BaseModel):
    """Something that can be imported."""

    name: str
    label: str
    columns: list[ColumnOut]
    formats: list[str]
    """Systems whose exports are recognised."""


class ColumnsIn(BaseModel):
    """What the columns of a file are. That begins the check of the whole file."""

    mapping: list[str] = Field(max_length=500)
    """For each heading the name of its column, "" to leave it out, or, of members, "+" to make a
    field of text by the heading's name for it."""
    clears: bool = False
    """An empty cell empties what is known."""
    keeps: bool = False
    """What is known already stays."""
    options: dict[str, str] = Field(default_factory=dict[str, str], max_length=20)
    """What else is chosen for the file: of orders, `shop`, the `source` of the shop they are of."""
    run: bool = False
    """Take the lines as soon as they were checked, without waiting for somebody to look."""


class RowsIn(BaseModel):
    """Rows without a file, by the columns' names. They are checked and taken at once."""

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=ROWS_MOST)
    clears: bool = False
    keeps: bool = False


class ImportOut(BaseModel):
    """An import and how far it is."""

    id: UUID
    kind: str
    name: str
    state: str
    """uploaded, checking, checked, running, paused, finished, cancelled, failed, undoing or
    undone."""
    source: str
    encoding: str
    separator: str
    headings: list[str]
    mapping: list[str]
    lines: int | None
    """How many there are, without the heading; null before the check has counted them."""
    done: int
    """How many were checked or taken."""
    foreseen: dict[str, int]
    """Lines by what the check says would become of them."""
    outcome: dict[str, int]
    """Lines by what became of them; undone and kept count the people or orders of an undoing."""
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, made: Import) -> ImportOut:
        """Return what programs see of an import."""
        return cls(
            id=made.id,
            kind=made.kind,
            name=made.name,
            state=made.state,
            source=made.source,
            encoding=made.encoding,
            separator=made.separator,
            headings=made.headings,
            mapping=made.mapping,
            lines=None if made.lines is None else max(0, made.lines - 1),
            done=max(0, made.done - 1),
            foreseen=_figures(made.foreseen),
            outcome=_figures(made.outcome),
            created_at=made.created_at,
            finished_at=made.finished_at,
        )


def _figures(counts: dict[str, Any]) -> dict[str, int]:
    return {name: n for name, n in counts.items() if not isinstance(n, bool)}


class ImportPage(BaseModel):
    """Some imports, newest first."""

    items: list[ImportOut]
    next: UUID | None = None


class FaultOut(BaseModel):
    """One thing that is wrong with a line."""

    column: str
    """"" for the line as a whole."""
    value: str
    reason: str


class RefusalOut(BaseModel):
    """A line that was not taken."""

    line: int
    """As a spreadsheet counts: the heading is line 1."""
    faults: list[FaultOut]

    @classmethod
    def of(cls, faults: Sequence[Refusal]) -> RefusalOut:
        """Return what programs see of a refused line."""
        return cls(
            line=faults[0].line,
            faults=[
                FaultOut(column=one.column, value=one.value, reason=str(service.said(one)))
                for one in faults
            ],
        )


class RefusalPage(BaseModel):
    """Some refused lines, in the file's order."""

    items: list[RefusalOut]
    next: int | None = None
