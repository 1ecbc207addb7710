"""Migrations of a database whose tables are spread over servers (`hiiki db distribute`).

A new table goes to its place as it is made, before it refers to others: a table on one server may
not refer to people in shards. What migrations say is the same everywhere.
"""

from __future__ import annotations

from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import Constraint, ForeignKeyConstraint, Table

from hiiki.db.distribute import PEOPLE, PLACED, column_of, placing


class SpreadingImpl(PostgresqlImpl):
    """What Alembic does with PostgreSQL, and tables put where they belong."""

    __dialect__ = "postgresql"
    _known: set[str] | None = None

    def create_table(self, table: Table[Any], **kw: Any) -> None:
        """Make a table; where people are spread, put it beside them if it is theirs."""
        if PEOPLE not in self._placed():
            super().create_table(table, **kw)
            return
        super().create_table(table, include_foreign_key_constraints=[], **kw)
        if column := column_of(table):
            self._place(table.fullname, column)
        for key in table.foreign_key_constraints:
            self.add_constraint(key)

    def add_constraint(self, const: Constraint, **kw: Any) -> None:
        """Add a constraint; what people's tables refer to goes to every server first."""
        if isinstance(const, ForeignKeyConstraint):
            placed = self._placed()
            other = const.referred_table.fullname
            if const.table.fullname in placed and other not in placed:
                self._place(other, None)
        super().add_constraint(const, **kw)

    def _place(self, name: str, column: str | None) -> None:
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
        return list(self.connection.exec_driver_sql(query, tuple(values)).all())
