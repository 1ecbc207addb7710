"""Files as people send them: which encoding and separator they have, and their lines.

A file is never whole in memory. Where it begins to be read anew, it is read from its first
byte: a million lines pass in two seconds, and no encoding needs a place to begin in its middle.
"""

from __future__ import annotations

import codecs
import csv
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _

ENCODINGS: dict[str, Text | str] = {
    "utf-8-sig": "UTF-8",
    "cp932": "Shift_JIS (CP932)",
    "utf-16": "UTF-16",
    "big5hkscs": "Big5",
    "cp874": "TIS-620 (CP874)",
    "euc_jp": "EUC-JP",
}
"""Python's name of an encoding, and what people call it."""
SEPARATORS: dict[str, Text] = {
    ",": _("Comma"),
    "\t": _("Tab"),
    ";": _("Semicolon"),
    "|": _("Vertical bar"),
}
CELL_MOST = 65_536
"""Characters of a cell. A quotation mark that nobody closes would swallow the file."""
COLUMNS_MOST = 500
SPOILED = "\ufffd"
_BLOCK = 1 << 20
_SAMPLE = 1 << 19
_SAMPLE_RECORDS = 30
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
"""What opening a ZIP raises that is damaged, cut off, or locked by a password."""


@dataclass(slots=True)
class Record:
    """A line of a file. Cells may hold line ends, so a line of text may be a part of one."""

    line: int
    """As a spreadsheet counts: the heading is line 1."""
    cells: list[str]
    wrong: Text | None = None
    """Why it cannot be read."""


def unpacked(path: Path, most: int) -> None:
    """Replace a .zip that holds one CSV by what is in it; anything else stays as it is.

    Raises `Invalid` for a packed file that holds none or several, and for a workbook.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return
    inside = path.with_suffix(".unpacked")
    try:
        with zipfile.ZipFile(path) as packed:
            inner = [
                one
                for one in packed.infolist()
                if one.filename.lower().endswith((".csv", ".tsv", ".txt"))
                and not one.filename.startswith("__MACOSX/")
            ]
            if len(inner) != 1:
                raise Invalid(
                    fields={
                        "file": _("Please save the workbook as CSV, or send a ZIP with one CSV.")
                    }
                )
            _unpack(packed, inner[0], inside, most)
    except _BROKEN as error:
        raise Invalid(fields={"file": _("This ZIP file cannot be opened.")}) from error
    else:
        inside.replace(path)
    finally:
        inside.unlink(missing_ok=True)


def _unpack(packed: zipfile.ZipFile, inner: zipfile.ZipInfo, to: Path, most: int) -> None:
    left = most
    with packed.open(inner) as source, to.open("wb") as target:
        while block := source.read(_BLOCK):
            # What a ZIP says of its size is not believed.
            left -= len(block)
            if left < 0:
                raise Invalid(fields={"file": too_large(most)})
            target.write(block)


def too_large(most: int) -> Text:
    """Return what is said of a file with more bytes than may be."""
    return _("Please send a file of at most %(size)s MB.", size=most // 1_000_000)


def find_encoding(path: Path, country: str = "") -> str:
    """Return the encoding that the file is most likely in.

    UTF-8 is known for certain: the whole file is looked at. Others are told by how plausible
    what they give is; `country` (JP, TW, TH) decides where that is about the same.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
        if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\x00" in sample:
            # No text but UTF-16's holds a NUL: every ASCII character has one, before or behind.
            return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            block = sample
            while block:
                decoder.decode(block)
                block = file.read(_BLOCK)
            decoder.decode(b"", final=True)
            return "utf-8-sig"
        except UnicodeDecodeError:
            pass
        if not _foreign(sample):
            # All ASCII so far: look where the others begin.
            file.seek(0)
            while block := file.read(_BLOCK):
                if _foreign(block):
                    sample = block
                    break
    home = {"JP": "cp932", "TW": "big5hkscs", "TH": "cp874"}.get(country)
    scores = {name: _score(sample, name) + (name == home) * 0.15 for name in _PLAUSIBLE}
    return max(scores, key=lambda name: scores[name])


def _foreign(sample: bytes) -> bool:
    return any(byte >= 0x80 for byte in sample)


def _is_japanese(character: str) -> bool:
    if "\u3041" <= character <= "\u30ff" or "\uff01" <= character <= "\uff5e":
        return True
    # JIS level 1, the 2,965 kanji of everyday use.
    code = character.encode("cp932", "ignore")
    return "\u4e00" <= character <= "\u9fff" and len(code) == 2 and 0x88 <= code[0] <= 0x97


def _is_chinese(character: str) -> bool:
    # Big5's first level, the 5,401 characters of everyday use.
    code = character.encode("big5", "ignore")
    return len(code) == 2 and 0xA4 <= code[0] <= 0xC6 and "\u4e00" <= character <= "\u9fff"


def _is_thai(character: str) -> bool:
    return "\u0e01" <= character <= "\u0e5b"


_PLAUSIBLE = {
    "cp932": _is_japanese,
    "big5hkscs": _is_chinese,
    "cp874": _is_thai,
    "euc_jp": _is_japanese,
}


def _score(sample: bytes, encoding: str) -> float:
    """Return the share of what is plausible among what is not ASCII, less what is no character."""
    text = sample.decode(encoding, "replace")[:60_000].removesuffix(SPOILED)
    foreign = [character for character in text if character >= "\x80"]
    if not foreign:
        return 0
    plausible = _PLAUSIBLE[encoding]
    known = {character: plausible(character) for character in set(foreign)}
    good = sum(known[character] for character in foreign)
    bad = sum(character == SPOILED or "\ue000" <= character <= "\uf8ff" for character in foreign)
    return (good - 5 * bad) / len(foreign)


def find_separator(path: Path, encoding: str) -> str:
    """Return what stands between the cells: whatever makes most lines as wide as the first."""
    best, found = (0, 0), ","
    for separator in SEPARATORS:
        widths = [
            len(record.cells)
            for record in _taken(records(path, encoding, separator), _SAMPLE_RECORDS)
        ]
        if not widths or widths[0] < 2:
            continue
        score = (sum(width == widths[0] for width in widths), widths[0])
        if score > best:
            best, found = score, separator
    return found


def head(path: Path, encoding: str, separator: str, count: int) -> list[Record]:
    """Return the heading and the first lines; raises `Invalid` for a file without any."""
    found = _taken(records(path, encoding, separator), count + 1)
    if not found or not any(cell.strip() for cell in found[0].cells):
        raise Invalid(fields={"file": _("This file is empty. Its first line names the columns.")})
    if len(found[0].cells) > COLUMNS_MOST:
        raise Invalid(fields={"file": _("Please send at most %(max)s columns.", max=COLUMNS_MOST)})
    return found


def headings(record: Record) -> list[str]:
    """Return the heading's cells as people read them."""
    return [" ".join(cell.replace("\x00", "").split()) for cell in record.cells]


def records(
    path: Path, encoding: str, separator: str, place: list[int] | None = None
) -> Iterator[Record]:
    """Read a file's lines; empty ones are counted and left out.

    `place[0]` is kept at the bytes that have been read, for whoever shows how far it is.
    """
    csv.field_size_limit(CELL_MOST)
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding, "replace", newline="") as text:
        spoiled = [False]
        reader = csv.reader(_lines(text, spoiled), delimiter=separator)
        line = 0
        while True:
            line += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield Record(line, [], _("A quotation mark is not closed here."))
                continue
            if place is not None and line & 0xFF == 0:
                place[0] = raw.tell()
            if spoiled[0]:
                spoiled[0] = False
                yield Record(line, cells, _("This line is not in the file's encoding."))
            elif cells and (cells[0] or any(cells)):
                yield Record(line, cells)


def _lines(text: io.TextIOWrapper, spoiled: list[bool]) -> Iterator[str]:
    for line in text:
        if SPOILED in line:
            spoiled[0] = True
        yield line.replace("\x00", "") if "\x00" in line else line


def _taken(found: Iterator[Record], count: int) -> list[Record]:
    taken: list[Record] = []
    for record in found:
        taken.append(record)
        if len(taken) == count:
            break
    return taken
