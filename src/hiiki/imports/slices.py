"""A file's lines as values, some thousands at a time, those of one group together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hiiki.imports.cells import Manner, Read, Unreadable, is_blank, reader
from hiiki.imports.files import Record, records
from hiiki.kit.i18n import Text, _
from hiiki.kit.importable import Column, ImportRow

SIZE = 2000
"""Lines that are taken in one transaction: few enough that nobody waits for its locks."""
GROUP_MOST = 2000
SHOWN = 200


@dataclass(slots=True)
class Refused:
    """A line that is not taken, and why."""

    line: int
    reason: Text
    column: str = ""
    value: str = ""
    """What stood there, cut to what can be shown."""


@dataclass(slots=True)
class Slice:
    """Lines to be taken together."""

    rows: list[ImportRow] = field(default_factory=list[ImportRow])
    refused: list[Refused] = field(default_factory=list[Refused])
    until: int = 0
    """The last line that is in it; what follows is read next."""
    place: int = 0
    """The bytes of the file that have been read."""

    def __len__(self) -> int:
        return len(self.rows) + len(self.refused)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the cells of a line become values."""

    columns: Sequence[Column]
    mapping: Sequence[str]
    """For each column of the file, the name of the `Column`, or ""."""
    manner: Manner
    group: str = ""


@dataclass(slots=True)
class _Cell:
    name: str
    kind: str
    places: list[int]
    read: Read


@dataclass(slots=True)
class _Group:
    """Lines that share what stands in the column by which lines belong together."""

    key: Any = None
    lines: list[ImportRow | Refused] = field(default_factory=list[ImportRow | Refused])
    is_long: bool = False


class Reader:
    """Turns records into rows; remembers which groups it has seen."""

    def __init__(self, layout: Layout) -> None:
        places: dict[str, list[int]] = {}
        for at, name in enumerate(layout.mapping):
            if name:
                places.setdefault(name, []).append(at)
        self._cells = [
            _Cell(column.name, column.kind, places[column.name], reader(column, layout.manner))
            for column in layout.columns
            if column.name in places
        ]
        self._required = [
            column.name
            for column in layout.columns
            if column.required and (not layout.group or column.name == layout.group)
        ]
        self._width = len(layout.mapping)
        self._group = layout.group
        self._gone: set[int] = set()

    def row(self, record: Record) -> ImportRow | Refused:
        """Return a line's values, or why it cannot be taken."""
        if record.wrong is not None:
            return Refused(record.line, record.wrong)
        cells = record.cells
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            reason = _("This line has more cells than the heading. Is a comma not in quotes?")
            return Refused(record.line, reason)
        values: dict[str, Any] = {}
        for each in self._cells:
            text = self._text(each, cells)
            if text is None:
                values[each.name] = None
                continue
            try:
                values[each.name] = each.read(text)
            except Unreadable as error:
                return Refused(record.line, error.reason, each.name, text[:SHOWN])
        for name in self._required:
            if values.get(name) is None:
                return Refused(record.line, _("Please fill this in."), name)
        return ImportRow(record.line, values)

    @staticmethod
    def _text(each: _Cell, cells: Sequence[str]) -> str | None:
        for at in each.places:
            if at < len(cells) and (text := cells[at].strip()) and not is_blank(text, each.kind):
                return text
        return None

    def slices(self, found: Iterator[Record], done: int, place: list[int]) -> Iterator[Slice]:
        """Give what stands behind line `done`, slice by slice."""
        if not self._group:
            yield from self._plain(found, done, place)
            return
        current = Slice()
        for group in self._groups(found, done):
            if len(current) + len(group) > SIZE and len(current):
                current.place = place[0]
                yield current
                current = Slice()
            self._add(current, group)
        if len(current):
            current.place = place[0]
            yield current

    def _plain(self, found: Iterator[Record], done: int, place: list[int]) -> Iterator[Slice]:
        current = Slice()
        for record in found:
            if record.line <= done:
                continue
            one = self.row(record)
            (current.rows if isinstance(one, ImportRow) else current.refused).append(one)  # type: ignore[arg-type]
            current.until = record.line
            if len(current) >= SIZE:
                current.place = place[0]
                yield current
                current = Slice()
        if len(current):
            current.place = place[0]
            yield current

    def _groups(
        self, found: Iterator[Record], done: int
    ) -> Iterator[Sequence[ImportRow | Refused]]:
        """Give the lines of each group together; those of one that is too long in parts."""
        group = _Group()
        for record in found:
            one = self.row(record)
            its = one.values[self._group] if isinstance(one, ImportRow) else self._raw(record)
            if its != group.key:
                yield from self._closed(group, done)
                group = _Group(its)
            group.lines.append(one)
            if len(group.lines) > GROUP_MOST:
                # A column that says the same in every line would else be read into memory whole.
                group.is_long = its is not None
                yield from self._closed(group, done)
                group.lines = []
        yield from self._closed(group, done)

    def _raw(self, record: Record) -> str | None:
        """Return the group that a line belongs to which cannot be read otherwise."""
        cell = next((one for one in self._cells if one.name == self._group), None)
        text = None if cell is None else self._text(cell, record.cells)
        if cell is None or text is None:
            return None
        try:
            return cell.read(text)
        except Unreadable:
            return None

    def _closed(self, group: _Group, done: int) -> Iterator[Sequence[ImportRow | Refused]]:
        was_there = hash(group.key) in self._gone
        self._gone.add(hash(group.key))
        lines: Sequence[ImportRow | Refused] = group.lines
        if not lines or lines[-1].line <= done:
            return
        if group.key is None:
            pass  # each of these is refused already, for a reason of its own
        elif group.is_long:
            lines = _all_refused(
                [one for one in lines if one.line > done],
                _("More than %(max)s lines belong together here.", max=GROUP_MOST),
            )
        elif was_there:
            lines = _all_refused(
                lines, _("Lines of the same one stand apart. Please sort the file by it first.")
            )
        else:
            wrong = next((one for one in lines if isinstance(one, Refused)), None)
            if wrong is not None:
                reason = _("Line %(line)s, which belongs to it, cannot be taken.", line=wrong.line)
                lines = [
                    one if isinstance(one, Refused) else Refused(one.line, reason) for one in lines
                ]
        yield lines

    @staticmethod
    def _add(current: Slice, group: Sequence[ImportRow | Refused]) -> None:
        for one in group:
            (current.rows if isinstance(one, ImportRow) else current.refused).append(one)  # type: ignore[arg-type]
        current.until = group[-1].line


def _all_refused(lines: Sequence[ImportRow | Refused], reason: Text) -> list[ImportRow | Refused]:
    return [Refused(one.line, reason) for one in lines]


def read_slices(
    path: Path, encoding: str, separator: str, layout: Layout, done: int = 1
) -> Iterator[Slice]:
    """Read a file's lines behind line `done`; the heading is line 1."""
    place = [0]
    found = records(path, encoding, separator, place)
    next(found, None)
    return Reader(layout).slices(found, done, place)


def example(layout: Layout, found: Sequence[Record]) -> list[Mapping[str, Any] | Refused]:
    """Return some lines as they will be read."""
    its = Reader(layout)
    return [one.values if isinstance(one, ImportRow) else one for one in map(its.row, found)]
