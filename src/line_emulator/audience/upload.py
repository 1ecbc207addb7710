"""Files of ids, as sent with `multipart/form-data` (reference, "Create audience … (by file)").

A file of 1.5 million ids is 51 MB. It is read in pieces, away from the event loop, so that other
requests are still answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from ..api.operation import Call, LineError
from .crowds import mask_of
from .ids import Ids
from .schema import MAX_IDS_FILE, refuse

MAX_FILE_BODY = 64 * 1024 * 1024
"""Room for 1.5 million identifiers of 36 characters, their line ends and the form around them."""
_PIECE = 1024 * 1024
_LONGEST_LINE = 1000
_MAX_PARTS = 20
_LONGEST_HEAD = 8192
_PARAMETER = re.compile(
    r';\s*(?P<name>[\w*-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^";]*))', re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class Part:
    """One part of a form: a field or a file."""

    content_type: str
    data: memoryview

    def text(self, field: str) -> str:
        """The value of a plain field. Raises LineError if it is no text."""
        try:
            return bytes(self.data).decode()
        except UnicodeDecodeError:
            raise _unreadable(field) from None


def _unreadable(field: str) -> LineError:
    return LineError(
        400, f"The property, '{field}', in the request body is invalid (line: -, column: -)"
    )


def form(call: Call) -> dict[str, Part]:
    """The parts of the request by their names. Raises LineError."""
    given = call.headers.get("Content-Type", "")
    kind, parameters = _header(given)
    boundary = parameters.get("boundary")
    if kind != "multipart/form-data" or not boundary:
        raise LineError(415, f"The content type, {given}, is not supported")
    mark = b"--" + boundary.encode("latin-1", "replace")
    parts: dict[str, Part] = {}
    start = call.body.find(mark)
    while start >= 0 and len(parts) < _MAX_PARTS:
        start += len(mark)
        if call.body.startswith(b"--", start):
            return parts
        end = call.body.find(b"\r\n" + mark, start)
        if end < 0:
            break
        _read_part(call.body, start, end, parts)
        start = end + 2
    raise LineError(400, "The request body could not be parsed as multipart/form-data")


def _read_part(body: bytes, start: int, end: int, parts: dict[str, Part]) -> None:
    blank = body.find(b"\r\n\r\n", start, min(end, start + _LONGEST_HEAD))
    if blank < 0:
        return
    heads: dict[str, str] = {}
    for line in body[start:blank].decode("utf-8", "replace").split("\r\n"):
        title, _, value = line.partition(":")
        heads[title.strip().lower()] = value.strip()
    name = _header(heads.get("content-disposition", ""))[1].get("name")
    if name is not None:
        # A part without a type of its own is plain text (RFC 7578, 4.4).
        content_type = _header(heads.get("content-type", "text/plain"))[0]
        parts[name] = Part(content_type, memoryview(body)[blank + 4 : end])


def _header(value: str) -> tuple[str, dict[str, str]]:
    """A header's value in lower case and its parameters."""
    kind, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    for found in _PARAMETER.finditer(";" + rest):
        quoted, plain = found["quoted"], found["plain"]
        text = _ESCAPED.sub(r"\1", quoted) if quoted is not None else plain.strip()
        parameters.setdefault(found["name"].lower(), text)
    return kind.strip().lower(), parameters


def file_of(parts: dict[str, Part]) -> Part:
    """The form's file. Raises LineError."""
    part = parts.get("file")
    if part is None:
        raise LineError(
            400,
            {
                "message": "The request body has 1 error(s)",
                "details": [{"message": "May not be empty", "property": "file"}],
            },
        )
    if part.content_type != "text/plain":
        raise LineError(415, f"The content type, {part.content_type}, is not supported")
    return part


def flag(parts: dict[str, Part], field: str) -> bool:
    """A field that is true or false, false if absent. Raises LineError."""
    part = parts.get(field)
    value = "false" if part is None else part.text(field).strip().lower()
    if value not in ("true", "false"):
        raise _unreadable(field)
    return value == "true"


def whole_number(parts: dict[str, Part], field: str) -> int | None:
    """A field that is a whole number, None if absent. Raises LineError."""
    part = parts.get(field)
    if part is None:
        return None
    value = part.text(field).strip()
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise _unreadable(field)
    return int(value)


def lines(part: Part) -> Iterator[str]:
    """The lines of the file that are not blank, without the spaces around them."""
    rest = b""
    # The mark that some editors put first is no part of an id.
    begin = 3 if bytes(part.data[:3]) == b"\xef\xbb\xbf" else 0
    for start in range(begin, len(part.data), _PIECE):
        piece = rest + bytes(part.data[start : start + _PIECE])
        end = piece.rfind(b"\n") + 1
        rest = piece[end:]
        if len(rest) > _LONGEST_LINE:
            refuse_file("UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT")
        for line in piece[:end].decode("utf-8", "replace").split("\n"):
            if found := line.strip():
                yield found
    if last := rest.decode("utf-8", "replace").strip():
        yield last


def refuse_file(code: str) -> NoReturn:
    """Raise LINE's 400 about the file; there the code is the message as well."""
    refuse(code, "file", code)


def people_of_file(part: Part, ids: Ids) -> int:
    """Who is named in the file, as a set. Raises LineError. May run in a thread of its own."""
    count = 0

    def indexes() -> Iterable[int]:
        nonlocal count
        for one in lines(part):
            count += 1
            if not ids.well_formed(one):
                refuse_file("UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT")
            if count > MAX_IDS_FILE:
                refuse_file("UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS")
            index = ids.index(one)
            if index is not None:
                yield index

    mask = mask_of(indexes(), ids.size)
    if count == 0:
        refuse_file("UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS")
    return mask
