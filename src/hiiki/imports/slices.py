"""A file's lines as values, some thousands at a time, those of one group together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from hiiki.imports.cells import Manner, Read, is_blank, reader
from hiiki.imports.files import Record, records
from hiiki.kit.i18n import Text, _
from hiiki.kit.importable import Column, Fault, ImportRow, Unfit

SIZE = 5000
"""Lines that are taken in one transaction: few enough that nobody waits long for its locks."""
GROUP_MOST = 2000
SHOWN = 200
_AT_ONCE = 1000
"""Lines whose cells are looked at together, column by column."""
_KNOWN = 5000
"""Different cells of a column that are remembered with their values."""


@dataclass(slots=True)
class Refused:
    """A line that is not taken, and all that is wrong with it."""

    line: int
    faults: Sequence[Fault]
    group: Any = None
    """What stands in the column by which lines belong together, if that can be read."""

    @classmethod
    def whole(cls, line: int, reason: Text) -> Refused:
        """Return one that no column is to blame for."""
        return cls(line, [Fault("", reason)])

    @property
    def reason(self) -> Text:
        """The first thing that is wrong."""
        return self.faults[0].reason


@dataclass(slots=True)
class Slice:
    """Lines to be taken together."""

    rows: list[ImportRow] = field(default_factory=list[ImportRow])
    refused: list[Refused] = field(default_factory=list[Refused])
    until: int = 0
    """The last line that is in it; what follows is read next."""
    place: int = 0
    """The bytes of the file that have been read."""
    made: Any = None
    """What the rows' room has made of them (`Importable.ready`)."""

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
class _Cells:
    """The cells of one column, which one heading or several of the file are."""

    name: str
    kind: str
    places: list[int]
    read: Read
    required: bool
    known: dict[str, Any] = field(default_factory=dict[str, Any])
    """What was read in cells of late: most columns say the same again and again."""
    has_faults: bool = False
    """Whether there is a `Fault` among `known`."""

    def values(self, lines: Sequence[Sequence[str]]) -> list[Any]:
        """Return what stands in each of these lines; a `Fault` for what cannot be taken."""
        texts = [cells[self.places[0]] for cells in lines]
        for at in self.places[1:]:
            texts = [
                cells[at] if is_blank(text.strip(), self.kind) else text
                for text, cells in zip(texts, lines, strict=True)
            ]
        known = self.known
        if len(known) > _KNOWN:
            known.clear()
            self.has_faults = False
        for text in set(texts) - known.keys():
            known[text] = self._value(text)
        return [known[text] for text in texts]

    def _value(self, typed: str) -> Any:
        text = typed.strip()
        if is_blank(text, self.kind):
            value = None
        else:
            try:
                value = self.read(text)
            except Unfit as error:
                self.has_faults = True
                return Fault(self.name, error.reason, text[:SHOWN])
        if value is None and self.required:
            self.has_faults = True
            return Fault(self.name, _("Please fill this in."))
        return value


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
        self._columns = [
            _Cells(
                column.name,
                column.kind,
                places[column.name],
                reader(column, layout.manner),
                column.required and (not layout.group or column.name == layout.group),
            )
            for column in layout.columns
            if column.name in places
        ]
        self._names = [column.name for column in self._columns]
        self._width = len(layout.mapping)
        self._group = layout.group
        self._gone: set[int] = set()

    def rows(self, found: Sequence[Record]) -> list[ImportRow | Refused]:
        """Return each line's values, or why it cannot be taken."""
        wrong = {
            at: Refused.whole(record.line, reason)
            for at, record in enumerate(found)
            if (reason := record.wrong or self._misshapen(record.cells)) is not None
        }
        width = self._width
        lines = [
            cells if len(cells) >= width else cells + [""] * (width - len(cells))
            for cells in (record.cells for record in found)
        ]
        values = [column.values(lines) for column in self._columns]
        for column, its in zip(self._columns, values, strict=True):
            if column.has_faults:
                _blame(wrong, found, its)
        rows: list[ImportRow | Refused] = [
            ImportRow(record.line, dict(zip(self._names, its, strict=True)))
            for record, its in zip(found, zip(*values, strict=True), strict=True)
        ]
        for at, refused in wrong.items():
            key = rows[at].values.get(self._group)  # type: ignore[union-attr]
            refused.group = None if isinstance(key, Fault) else key
            rows[at] = refused
        return rows

    def _misshapen(self, cells: Sequence[str]) -> Text | None:
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return _("This line has more cells than the heading. Is a comma not in quotes?")
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
        for one in self._read(record for record in found if record.line > done):
            (current.rows if isinstance(one, ImportRow) else current.refused).append(one)  # type: ignore[arg-type]
            current.until = one.line
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
        for one in self._read(found):
            its = one.values[self._group] if isinstance(one, ImportRow) else one.group
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

    def _read(self, found: Iterator[Record]) -> Iterator[ImportRow | Refused]:
        while some := list(islice(found, min(_AT_ONCE, SIZE))):
            yield from self.rows(some)

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
                    one if isinstance(one, Refused) else Refused.whole(one.line, reason)
                    for one in lines
                ]
        yield lines

    @staticmethod
    def _add(current: Slice, group: Sequence[ImportRow | Refused]) -> None:
        for one in group:
            (current.rows if isinstance(one, ImportRow) else current.refused).append(one)  # type: ignore[arg-type]
        current.until = group[-1].line


def _blame(wrong: dict[int, Refused], found: Sequence[Record], values: Sequence[Any]) -> None:
    """Note the lines in which a column cannot be taken, beside what else is wrong with them."""
    for at, value in enumerate(values):
        if isinstance(value, Fault):
            refused = wrong.setdefault(at, Refused(found[at].line, []))
            # What cannot be read as a line has no cells.
            if not refused.faults or refused.faults[0].column:
                refused.faults = [*refused.faults, value]


def _all_refused(lines: Sequence[ImportRow | Refused], reason: Text) -> list[ImportRow | Refused]:
    return [Refused.whole(one.line, reason) for one in lines]


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
    its = Reader(layout).rows(found)
    return [one.values if isinstance(one, ImportRow) else one for one in its]
