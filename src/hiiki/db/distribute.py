"""Spreading the big tables over the servers of a Citus cluster (`hiiki db distribute`).

What grows with people and what happens to them lies on the shard of its `contact_id`, all of one
person together: every key begins with it, and no statement joins two people, so a question about
a million of them is asked of each shard by itself. Small tables that those refer to stand on
every server. All else (what is to be sent, what came in, staff) stays with the coordinator.

See `docs/scaling.md`; https://docs.citusdata.com/en/stable/develop/migration_mt_schema.html says
what such tables must keep to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, Table

from hiiki.db.base import Base

BY = "contact_id"
"""The column by which people's tables are spread."""
PEOPLE = "contacts.contact"
"""People themselves, by their `id`; all others lie beside them."""
SPREAD_BY = "spread_by"
"""In a table's `info`: another column to spread it by (such a table lies beside none), or None
for one that stays whole although its rows have a contact."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Which table goes where, in an order in which each finds what it refers to."""

    everywhere: list[Table[Any]]
    """Whole, on each server."""
    sharded: list[tuple[Table[Any], str]]
    """In shards, by this column."""


class NoCitus(Exception):
    """The server cannot spread tables."""


def spread(metadata: MetaData | None = None) -> Spread:
    """Return which tables of the models go where."""
    tables = (metadata or Base.metadata).sorted_tables
    sharded = [(table, column) for table in tables if (column := column_of(table)) is not None]
    known = {table for table, _column in sharded}
    wanted: set[Table[Any]] = set()
    waiting: list[Table[Any]] = [table for table, _column in sharded]
    while waiting:
        for other in _referred(waiting.pop()):
            if other not in known and other not in wanted:
                wanted.add(other)
                waiting.append(other)
    sharded.sort(key=lambda each: each[0].fullname != PEOPLE)
    return Spread([table for table in tables if table in wanted], sharded)


def column_of(table: Table[Any]) -> str | None:
    """Return the column by which a table is spread, or None when it is not."""
    if table.fullname == PEOPLE:
        return "id"
    if SPREAD_BY in table.info:
        return table.info[SPREAD_BY]
    return BY if BY in table.c else None


def _referred(table: Table[Any]) -> Iterable[Table[Any]]:
    return {key.column.table for key in table.foreign_keys}


async def distribute(url: str, say: Callable[[str], None]) -> int:
    """Spread the tables that are not spread yet; return how many were.

    Each table is moved with its rows, in one transaction: all of it or nothing. Nobody can write
    meanwhile, so it is for before the shop opens, or for an hour in the night. Raises `NoCitus`
    when the server has no Citus, or Citus no servers to put shards on.
    """
    async with await psycopg.AsyncConnection.connect(url) as db:
        await _need_citus(db)
        # Tables that refer to each other are moved in one transaction only one after the other.
        await db.execute("set local citus.multi_shard_modify_mode = 'sequential'")
        found = await db.execute(
            "select table_name::text from citus_tables where citus_table_type <> 'local'"
        )
        done = {row[0] for row in await found.fetchall()}
        plan = spread()
        columns = {table.fullname: column for table, column in plan.sharded}
        moving = [name for name in columns if name not in done]
        references = await _take_off_references(db, list(columns)) if moving else []
        moved = 0
        for table in plan.everywhere:
            if table.fullname not in done:
                await db.execute("select create_reference_table(%s)", (table.fullname,))
                say(f"{table.fullname}: whole on each server")
                moved += 1
        for table, column in plan.sharded:
            if table.fullname not in done:
                await _shard(db, table, column)
                say(f"{table.fullname}: in shards, by {column}")
                moved += 1
        for reference in references:
            await db.execute(reference)
        return moved


async def _take_off_references(
    db: psycopg.AsyncConnection[Any], tables: list[str]
) -> list[sql.Composed]:
    """Drop the foreign keys among these tables; return what makes them again.

    While one of two tables is spread and the other is not, none may refer to the other.
    """
    found = await db.execute(
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
        " where contype = 'f' and conrelid = any(%s::regclass[])"
        " and confrelid = any(%s::regclass[])",
        (tables, tables),
    )
    again: list[sql.Composed] = []
    for table, name, definition in await found.fetchall():
        change = sql.SQL("alter table {} ").format(sql.Identifier(*table.split(".")))
        constraint = sql.Identifier(name)
        await db.execute(change + sql.SQL("drop constraint {}").format(constraint))
        again.append(
            change + sql.SQL("add constraint {} ").format(constraint) + sql.SQL(definition)
        )
    return again


async def _need_citus(db: psycopg.AsyncConnection[Any]) -> None:
    found = await db.execute("select 1 from pg_extension where extname = 'citus'")
    if await found.fetchone() is None:
        raise NoCitus(
            "This PostgreSQL server has no Citus: install it, add the other servers with"
            " citus_add_node(), and run this again. Nothing was changed."
        )
    found = await db.execute("select count(*) from pg_dist_node where shouldhaveshards")
    row = await found.fetchone()
    if row is None or not row[0]:
        raise NoCitus(
            "Citus knows of no server that may hold shards: add one with citus_add_node(),"
            " and run this again. Nothing was changed."
        )


async def _shard(db: psycopg.AsyncConnection[Any], table: Table[Any], column: str) -> None:
    beside = PEOPLE if column == BY else "none"
    await db.execute(
        sql.SQL("select create_distributed_table(%s, {}, colocate_with => %s)").format(
            sql.Literal(column)
        ),
        (table.fullname, beside),
    )
