"""New rows of a table by one statement, however many they are.

They travel as one JSON document, which Python writes and PostgreSQL reads at once; arrays and
parameters are quoted value by value, which for small rows costs more than all the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from hiiki.db.base import Base
from hiiki.db.gathered import Write

BY_HAND = {"scoped_by_hand": True}


@cache
def inserting(model: type[Base], ending: str = "") -> Write:
    """Return what inserts rows of a table, given as objects that belong to no session.

    `ending` is what the statement ends with, such as `on conflict do nothing`.
    """
    table = _table(model)
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    statement = text(
        f"insert into {table.fullname} ({names}) select {names} from {recordset(model)} {ending}"  # noqa: S608 — names of our own tables
    )

    def write(session: Session, rows: list[Base]) -> None:
        session.execute(statement, {"rows": document(rows)}, execution_options=BY_HAND)

    return write


def recordset(model: type[Base]) -> str:
    """Return the SQL that reads `:rows`, a `document`, as rows of a table."""
    return f"json_populate_recordset(cast(null as {_table(model).fullname}), cast(:rows as json))"


def document(rows: Iterable[Base]) -> str:
    """Return rows as PostgreSQL reads them."""
    return json.dumps(
        [{name: getattr(row, name) for name in _columns(type(row))} for row in rows], default=str
    )


def complete(row: Base) -> None:
    """Give a new row the values that its table has for what is not set."""
    for name, default in _defaults(type(row)):
        if name not in row.__dict__:
            # SQLAlchemy lets every function that makes a default take its context.
            setattr(row, name, default.arg(None) if default.is_callable else default.arg)


@cache
def _columns(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in _table(model).columns)


@cache
def _defaults(model: type[Base]) -> tuple[tuple[str, Any], ...]:
    columns = _table(model).columns
    return tuple((one.name, one.default) for one in columns if one.default is not None)


def _table(model: type[Base]) -> Table[Any]:
    return cast("Table[Any]", model.__table__)
