"""Thousands of rows as text that PostgreSQL reads fastest: COPY for new rows of a table, and array
literals for the values of a statement.

Both are put together column by column, so that a value costs a fraction of a microsecond; JSON
costs PostgreSQL three times as much (`hiiki.db.rows`, for a few rows), and psycopg's own arrays
cost Python more than everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Boolean, DateTime, String, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from hiiki.db.base import Base
from hiiki.db.engine import raw_connection
from hiiki.db.gate import WorkspaceSession

_NULL = r"\N"
_SPECIAL = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
"""https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"."""
_PLAIN = str.maketrans("", "", "\\\t\n\r")

Texts = Callable[[Sequence[Any]], Iterable[str]]
"""What makes a column's values text."""


async def copy_in(
    session: WorkspaceSession, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert new rows of a table, each given in all its columns.

    Whoever calls has put the workspace into them, and knows that none is there already.
    """
    if not rows:
        return
    names, statement, columns = _how(model)
    texts = [make([row[name] for row in rows]) for name, make in zip(names, columns, strict=True)]
    data = "\n".join(map("\t".join, zip(*texts, strict=True)))
    await session.flush()
    connection = await raw_connection(session)
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(f"{data}\n".encode())


def uuids(values: Iterable[UUID]) -> str:
    """Return ids as an array literal, for `cast(:x as uuid[])`."""
    return f"{{{','.join([value.hex for value in values])}}}"


def words(values: Iterable[str | None]) -> str:
    """Return texts as an array literal; None becomes NULL."""
    return f"{{{','.join(['null' if value is None else _quoted(value) for value in values])}}}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def plain(values: Iterable[Any]) -> str:
    """Return numbers or moments as an array literal; None becomes NULL."""
    return f"{{{','.join(['null' if value is None else str(value) for value in values])}}}"


@cache
def _how(model: type[Base]) -> tuple[list[str], bytes, list[Texts]]:
    table = cast("Table[Any]", model.__table__)
    columns = [column for column in table.columns if column.computed is None]
    names = [column.name for column in columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f'copy "{table.schema}"."{table.name}" ({quoted}) from stdin'
    return names, statement.encode(), [_texts(column.type) for column in columns]


def _texts(kind: TypeEngine[Any]) -> Texts:
    if isinstance(kind, String):
        return _strings
    if isinstance(kind, JSONB):
        return _documents
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, Uuid):  # pyright: ignore[reportUnknownMemberType]
        return lambda values: [_NULL if value is None else uuids(value) for value in values]
    if isinstance(kind, Uuid):
        return lambda values: [_NULL if value is None else value.hex for value in values]
    if isinstance(kind, DateTime):
        return lambda values: [_NULL if value is None else value.isoformat() for value in values]
    if isinstance(kind, ARRAY | Boolean):
        raise NotImplementedError(f"no text for {kind!r} yet")
    return lambda values: [_NULL if value is None else str(value) for value in values]


def _strings(values: Sequence[str | None]) -> Sequence[str]:
    if None not in values:
        whole = cast("Sequence[str]", values)
        joined = "".join(whole)
        if len(joined.translate(_PLAIN)) == len(joined):
            return whole
    return [_NULL if value is None else value.translate(_SPECIAL) for value in values]


def _documents(values: Sequence[Any]) -> list[str]:
    return [
        "{}"
        if value == {}
        else _NULL
        if value is None
        # JSON writes all other special characters itself, with a backslash.
        else orjson.dumps(value, default=str).decode().replace("\\", "\\\\")
        for value in values
    ]
