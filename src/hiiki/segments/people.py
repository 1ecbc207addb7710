"""A set of people: a plain SELECT of contact ids that carries its own `workspace_id`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    literal_column,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from hiiki.db import Base
from hiiki.segments.predicates import Frame

ONE: ColumnElement[int] = literal_column("1", Integer)
PEOPLE = "people"
"""The parameter with the ids of the people who are asked about, if not everybody is."""


def columns_of(model: type[Base]) -> Any:
    """Return the columns of a model's table under a name of its own in the statement.

    Of the bare table: a rule of ten conditions is put together in a millisecond, and in ten
    where each of them is an entity of the ORM.
    """
    return cast("Table", model.__table__).alias().c


def every(asked: Sequence[Any]) -> Any:
    """Return that all of these are true; of none, that something is."""
    return and_(*asked) if len(asked) > 1 else asked[0] if asked else true()


@dataclass(frozen=True, slots=True)
class Rows:
    """Of which rows a set is made, where a person has one of their kind at most.

    What several conditions ask of such a row can be asked of it at once.
    """

    kind: Hashable
    model: type[Base]
    pick: Callable[[Any], Sequence[Any]]
    """Gives, for the table's columns, what picks the rows of this kind."""
    proof: Callable[[Any], Any]
    """Gives what is asked of such a row; it is in the set where that is true."""


@dataclass(frozen=True, slots=True)
class Set:
    """Contact ids: rows of one table that pass."""

    query: Select[UUID]
    """Its one column is `contact_id`."""
    column: Any
    """That column, for who joins the query to others."""
    is_unique: bool
    """Nobody is in it twice."""
    is_closed: bool = False
    """Grouped or otherwise complete: what further is asked has to stand around it."""
    rows: Rows | None = None
    pieces: Sequence[Select[UUID]] = ()
    """The same people as several sets in each of which nobody is twice, if there are such."""

    def ids(self) -> Select[UUID]:
        """Return the ids, everybody's once."""
        if self.is_unique:
            return self.query
        if self.pieces:
            # Each comes out of its index in order, so that they need only be merged.
            merged = union(*self.pieces).subquery()
            return select(merged.c.contact_id)
        if self.is_closed:
            return self.query.distinct()
        return self.query.group_by(self.column)

    def has(self, contact_id: Any) -> Any:
        """Return that this id is in the set, as a semi-join."""
        if self.is_closed:
            inner = self.query.subquery()
            return exists(select(ONE).where(inner.c.contact_id == contact_id))
        return exists(
            self.query.with_only_columns(ONE, maintain_column_froms=True).where(
                self.column == contact_id
            )
        )


Found: TypeAlias = "tuple[Set, bool]"
"""A set, and whether who is meant stands inside it."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes sets for one frame."""

    frame: Frame

    def mine(self, row: Any, *where: Any, unique: bool = False) -> Set:
        """Return the contact ids of this workspace's rows of a table."""
        query = select(row.contact_id.label("contact_id")).where(
            row.workspace_id == self.frame.workspace_id, *self.people(row.contact_id)
        )
        return Set(query.where(*where), row.contact_id, unique)

    def of_rows(self, rows: Rows) -> Set:
        """Return who has such a row that passes."""
        row = columns_of(rows.model)
        query = self.mine(row, and_(*rows.pick(row), rows.proof(row))).query
        return Set(query, row.contact_id, is_unique=True, rows=rows)

    def together(self, found: Sequence[Found], *, is_every: bool) -> Found:
        """Return what is true of who stands so in every one of these, or in one at least.

        All are made of rows of one kind.
        """
        first = found[0][0].rows
        assert first is not None, "only of rows of one kind"
        inside = [one.rows.proof for one, is_in in found if is_in and one.rows]
        outside = [one.rows.proof for one, is_in in found if not is_in and one.rows]
        # Who stands inside has such a row. Where that is asked of everybody, or nobody need
        # have one, those meant are within the set; else they are those without it.
        within = bool(inside) if is_every else not outside
        these, those = (inside, outside) if within else (outside, inside)
        join = and_ if is_every == within else or_

        def proof(row: Any) -> Any:
            wanted = [each(row) for each in these]
            passes = wanted[0] if len(wanted) == 1 else join(*wanted)
            return every([passes, *(each(row).is_not(true()) for each in those)])

        return self.of_rows(Rows(first.kind, first.model, first.pick, proof)), within

    def people(self, column: Any) -> list[Any]:
        """Return what narrows a set to the people who are asked about."""
        if self.frame.contact_ids is None:
            return []
        ids = bindparam(PEOPLE, list(self.frame.contact_ids), type_=ARRAY(Uuid(as_uuid=True)))
        return [column == any_(ids)]
