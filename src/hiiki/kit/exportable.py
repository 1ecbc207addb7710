"""What can be taken along as a file: its columns, and who reads the rows.

A room declares its own (`Room.exports`); the room `imports` writes files for all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hiiki.kit.i18n import Text


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column that a file may have."""

    name: str
    label: Text | str
    group: Text
    """Under which heading it is offered."""
    usual: bool = True
    """Whether it is chosen at first."""


Rows = tuple[int, AsyncIterator[Sequence[Sequence[Any]]]]
"""About how many lines there will be, and these, some thousands at a time."""


@dataclass(frozen=True, slots=True)
class Exportable:
    """Something that can be taken along: friends, orders."""

    name: str
    label: Text
    icon: str
    hint: Text
    columns: Callable[[Any], Awaitable[Sequence[ExportColumn]]]
    """`columns(session)`."""
    rows: Callable[[Any, Mapping[str, Any], Sequence[str]], Awaitable[Rows]]
    """`rows(workspace_id, wanted, columns)`: each slice is read in a transaction of its own, and
    nothing of it is kept. Cells are texts, numbers, days, moments, flags, lists or None."""
