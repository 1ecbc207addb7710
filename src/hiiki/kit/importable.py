"""What can be brought in by a file: its columns, the systems that write such files, who takes it.

A room declares its own (`Room.imports`); the room `imports` reads files for all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hiiki.kit.i18n import Text


class Unfit(Exception):
    """A cell that cannot be taken; `reason` says what to write instead."""

    def __init__(self, reason: Text) -> None:
        self.reason = reason
        super().__init__(reason.english)


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that a file may say of what is imported: a customer's e-mail, an order's amount."""

    name: str
    """Its name in `ImportRow.values`."""
    label: Text | str
    """What people read; a `str` for what the shop has named itself."""
    kind: str = "text"
    """text, number, whole, money, day, moment, email, phone, flag, choice, or words (several,
    separated). What a cell becomes: `hiiki.imports.cells`."""
    required: bool = False
    """Whether each line must say it. For `group`ed lines the first one of a group is enough."""
    aliases: Sequence[str] = ()
    """How headings name it, in any language. Compared without case, blanks and punctuation."""
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """For a choice: each value, and the words in files that mean it."""
    most: int = 0
    """Characters of a text at the most; 0 for as many as a text may have at all."""
    hint: Text | None = None
    """A word on it, where the label alone leaves one wondering."""
    then: Callable[[Any], Any] | None = None
    """What the room makes of a value that was read; raises `Unfit`. It goes by the value alone:
    of cells that say the same only one is looked at."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A file that another system writes, as its headings tell it."""

    name: str
    """As `shopify`; what is imported is remembered as coming from there."""
    label: str
    """The system's own name, as "Shopify"."""
    headings: Sequence[str]
    """Headings that, all together, no other system's file has."""
    columns: Mapping[str, str]
    """Heading → name of the `Column`. Several headings of one column: the first not empty."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A choice that is made for a whole file, beside what its columns are."""

    name: str
    """Its name in `Importing.options`."""
    label: Text
    choices: Sequence[tuple[str, str]]
    """Each value with its words; the first is what holds where nothing is chosen."""
    hint: Text | None = None


@dataclass(frozen=True, slots=True)
class Importing:
    """Which import it is, and how what stands in its file is to be taken."""

    id: UUID
    source: str = ""
    """The `ExportFormat` of its file; "" for none that is known."""
    dry: bool = False
    """Say what would happen, and write nothing."""
    clears: bool = False
    """An empty cell empties what is known; otherwise it says nothing."""
    keeps: bool = False
    """What is known already stays; otherwise the file knows better."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else was chosen for it, as the room that takes it understands."""


@dataclass(slots=True)
class ImportRow:
    """A line of a file that could be read."""

    line: int
    """Where it stands in the file; the heading is line 1."""
    values: dict[str, Any]
    """By the column's name, of the column's kind; None for an empty cell. What the file has no
    column for is not there."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a line."""

    column: str
    """The name of the column to blame; "" for the line as a whole."""
    reason: Text
    """A sentence that says what to do."""
    value: str = ""
    """What stood there, where that is known."""


@dataclass(slots=True)
class Outcome:
    """What became of a line."""

    line: int
    state: str
    """new, changed, same or refused."""
    key: Any = None
    """What it was about (the contact's or the order's id), for lines that are about the same."""
    faults: Sequence[Fault] = ()
    """Refused: all that is wrong with it."""


@dataclass(slots=True)
class Undone:
    """What one step of taking an import back did."""

    undone: int = 0
    kept: int = 0
    """What stays because somebody has changed or used it since."""
    more: bool = False
    """Whether there may be more to take back, though nothing was counted."""


@dataclass(frozen=True, slots=True)
class Importable:
    """What can be brought in by a file. The room that owns it says what it is and takes it;
    files, headings, errors, progress and so on are `hiiki.imports`' business."""

    name: str
    label: Text
    """What it is, in the plural: "Members"."""
    icon: str
    hint: Text
    """What a file of it holds, and what comes of it."""
    columns: Callable[[Any], Awaitable[Sequence[Column]]]
    """`columns(session)`: what a file may say, with what the shop has added itself."""
    ready: Callable[[Any, Importing], Awaitable[Callable[[Sequence[ImportRow]], Any]]]
    """`ready(session, importing)`: return what makes of rows all that can be made of them without
    a database. It runs in a thread, while the database is busy with the rows before."""
    take: Callable[[Any, Importing, Any], Awaitable[Sequence[Outcome]]]
    """`take(session, importing, made)`: take thousands of lines, as `ready` made them, in a few
    statements, and say of each what became of it. Taking the same again changes nothing."""
    undo: Callable[[Any, UUID, int], Awaitable[Undone]]
    """`undo(session, import_id, most)`: take back up to so many of the things that this import
    made or changed, and forget them; called until it has nothing left. What was changed since
    stays as it is."""
    formats: Sequence[ExportFormat] = ()
    asks: Callable[[Any, str], Awaitable[Sequence[Ask]]] | None = None
    """`asks(session, source)`: what else is to be chosen for a file of that `ExportFormat`; what
    is chosen stands in `Importing.options`."""
    add: Callable[[Any, str], Awaitable[str]] | None = None
    """`add(session, heading)`: make a place for what stands below a heading that is none of the
    columns, and return its name as a `Column`; raises `Invalid` at "label"."""
    group: str = ""
    """The column that lines about one thing share (an order's number); they stand together in
    the file, and `take` gets them together. "" when each line is a thing of its own."""
    may_keep: bool = True
    """Whether one may choose to keep what is known, and to empty what is empty in the file."""
