"""Migrations of a database whose tables are spread over servers (`hiiki db distribute`).

A new table goes to its place as it is made, before it refers to others: a table on one server may
not refer to people in shards. What migrations say is the same everywhere.
"""

from __future__ import annotations

from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import Constraint, ForeignKeyConstraint, Table

from hiiki.db.distribute import PEOPLE, PLACED, column_of, placing, quoted
from hiiki.db.standins import Reference


class SpreadingImpl(PostgresqlImpl):
    """What Alembic does with PostgreSQL, and tables put where they belong."""

    __dialect__ = "postgresql"
    _known: set[str] | None = None

    def create_table(self, table: Table[Any], **kw: Any) -> None:
        """Make a table; where people are spread, put it beside them if it is theirs."""
        column = column_of(table)
        if column is None or PEOPLE not in self._placed():
            super().create_table(table, **kw)
            return
        super().create_table(table, include_foreign_key_constraints=[], **kw)
        self._place(table.fullname, column)
        for key in table.foreign_key_constraints:
            self.add_constraint(key)

    def add_constraint(self, const: Constraint, **kw: Any) -> None:
        """Add a constraint, or what stands in for a foreign key out of shards."""
        if isinstance(const, ForeignKeyConstraint):
            placed = self._placed()
            if const.table.fullname in placed and const.referred_table.fullname not in placed:
                self._ask(_stand_in(const), [])
                return
        super().add_constraint(const, **kw)

    def _place(self, name: str, column: str) -> None:
        query, values = placing(name, column)
        self._ask(query, values)
        self._placed().add(name)

    def _placed(self) -> set[str]:
        if self._known is None:
            has_citus = self._ask("select to_regclass('pg_dist_partition') is not null", [])[0][0]
            self._known = {row[0] for row in self._ask(PLACED, [])} if has_citus else set()
        return self._known

    def _ask(self, query: str, values: list[str]) -> list[Any]:
        if self.connection is None:
            raise RuntimeError("migrations are run, not written down as SQL")
        found = self.connection.exec_driver_sql(query, tuple(values))
        return list(found.all()) if found.returns_rows else []


def _stand_in(const: ForeignKeyConstraint) -> str:
    child, parent = quoted(const.table.fullname), quoted(const.referred_table.fullname)
    columns = list(const.column_keys)
    others = [key.column.name for key in const.elements]
    name = str(const.name or f"fk_{const.table.name}_{columns[0]}_{const.referred_table.name}")
    return Reference(name, child, columns, parent, others, const.ondelete or "NO ACTION").stand_in()
