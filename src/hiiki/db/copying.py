"""Thousands of rows as text that PostgreSQL reads fastest: COPY for new rows of a table, and array
literals for the values of a statement.

Both are put together column by column, so that a value costs a fraction of a microsecond; JSON
costs PostgreSQL three times as much (`hiiki.db.rows`, for a few rows), and psycopg's own arrays
cost Python more than everything else.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from itertools import repeat
from typing import Any, cast
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import ARRAY, Boolean, DateTime, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from hiiki.db.base import Base
from hiiki.db.engine import raw_connection
from hiiki.db.gate import WorkspaceSession

_NULL = r"\N"
_FLAGS = {None: _NULL, True: "t", False: "f"}
_SPECIAL = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
"""https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"."""
_PLAIN = str.maketrans("", "", "\\\t\n\r")

_BLOCK = 1000
"""Rows that are sent at a time: PostgreSQL takes them in while the next ones are put together."""

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
    names = _how(model)[0]
    columns = {name: [row[name] for row in rows] for name in names}
    await copy_columns(session, model, len(rows), columns)


async def copy_columns(
    session: WorkspaceSession, model: type[Base], count: int, columns: Mapping[str, Any]
) -> None:
    """Insert `count` new rows of a table, given column by column.

    A list holds a value for each row; anything else stands in all of them, and so does NULL in a
    column that is not given. A column whose values are JSON's objects or arrays of PostgreSQL must
    be given as a list. Whoever calls knows that no such row is there already.
    """
    if not count:
        return
    names, statement, makers = _how(model)
    if unknown := columns.keys() - set(names):
        raise KeyError(f"{model.__name__} has no {', '.join(sorted(unknown))}")
    await session.flush()
    connection = await raw_connection(session)
    given = [columns.get(name) for name in names]
    try:
        async with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for at in range(0, count, _BLOCK):
                texts = [
                    make(cast("list[Any]", its)[at : at + _BLOCK])
                    if isinstance(its, list)
                    else repeat(next(iter(make([its]))), min(_BLOCK, count - at))
                    for its, make in zip(given, makers, strict=True)
                ]
                lines = "\n".join(map("\t".join, zip(*texts, strict=True)))
                await copy.write(f"{lines}\n".encode())
    except psycopg.Error as error:
        # As every other statement's: whoever calls knows only those.
        raise DBAPIError.instance(statement.decode(), None, error, psycopg.Error) from error


_MAY = text("select has_parameter_privilege('session_replication_role', 'set')")
_ROLE = text("select set_config('session_replication_role', :role, true)")
_BY_HAND = {"scoped_by_hand": True}


@asynccontextmanager
async def unchecked(session: WorkspaceSession) -> AsyncGenerator[None]:
    """Write rows without looking up, one by one, what they refer to.

    For thousands of new rows whose caller knows that all of it is there and stays: it was made in
    this transaction, or is locked by it. A look-up for each row costs more than the row itself.
    Where the database's user may not do so, everything is looked up as ever. See
    https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SESSION-REPLICATION-ROLE.
    """
    may = await session.once(
        "copying.unchecked", lambda: session.scalar(_MAY, execution_options=_BY_HAND)
    )
    if not may:
        yield
        return
    await session.execute(_ROLE, {"role": "replica"}, execution_options=_BY_HAND)
    yield
    # Not in `finally`: after an error the transaction is over, and the setting with it.
    await session.execute(_ROLE, {"role": "origin"}, execution_options=_BY_HAND)


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
        return _hexes
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, String):  # pyright: ignore[reportUnknownMemberType]
        return lambda values: [
            _NULL if value is None else words(value).translate(_SPECIAL) for value in values
        ]
    if isinstance(kind, Boolean):
        return lambda values: [
            _NULL if value is None else "t" if value else "f" for value in values
        ]
    if isinstance(kind, DateTime):
        return _moments
    if isinstance(kind, ARRAY):
        raise NotImplementedError(f"no text for {kind!r} yet")
    return lambda values: [_NULL if value is None else str(value) for value in values]


def _hexes(values: Sequence[UUID | None]) -> Iterable[str]:
    first = values[0]
    if first is not None and all(value is first for value in values):
        return repeat(first.hex, len(values))  # the workspace's, mostly
    return [_NULL if value is None else value.hex for value in values]


def _moments(values: Sequence[datetime | None]) -> list[str]:
    # What happened with one order has its moment in many rows.
    known = {None: _NULL, **{value: value.isoformat() for value in set(values) if value}}
    return [known[value] for value in values]


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
