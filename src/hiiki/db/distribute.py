"""Spreading the big tables over the servers of a Citus cluster (`hiiki db distribute`).

What grows with people and what happens to them lies on the shard of its `contact_id`, all of one
person together: every key begins with it, and no statement joins two people, so a question about
a million of them is asked of each shard by itself. All else (what the shop has made, what is to be
sent, what came in, staff) stays with the coordinator, in tables that Citus has no hand in; what
becomes of the foreign keys between the two is told by `hiiki.db.standins`.

See `docs/scaling.md`; https://docs.citusdata.com/en/stable/develop/migration_mt_schema.html says
what such tables must keep to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, Table

from hiiki.db.base import Base
from hiiki.db.migrate import load_models
from hiiki.db.standins import KEYS, Reference

BY = "contact_id"
"""The column by which people's tables are spread."""
PEOPLE = "contacts.contact"
"""People themselves, by their `id`; all others lie beside them."""
OLDEST = 14
"""The first version of Citus that Hiiki was tried with."""
PLACED = (
    "select nspname || '.' || relname from pg_dist_partition"
    " join pg_class on pg_class.oid = logicalrelid"
    " join pg_namespace on pg_namespace.oid = relnamespace where partmethod = 'h'"
)
"""Tables that are in shards
(https://docs.citusdata.com/en/stable/develop/api_metadata.html)."""


@dataclass(frozen=True, slots=True)
class Move:
    """A table that is to be moved."""

    name: str
    column: str
    """What it is spread by."""
    rows: int
    """About so many, as PostgreSQL last counted them."""

    def __str__(self) -> str:
        rows = f" (some {self.rows:,} rows)" if self.rows > 0 else ""
        return f"{self.name}: in shards, by {self.column}{rows}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a cluster has, and what is to be done."""

    citus: str
    servers: list[str]
    """Those that hold shards."""
    moves: list[Move]
    done: int
    """So many tables have been moved before."""


class NoCitus(Exception):
    """The server cannot spread tables."""


def spread(metadata: MetaData | None = None) -> list[tuple[Table[Any], str]]:
    """Return which tables are spread and by which column; each finds what it refers to."""
    tables = (metadata or Base.metadata).sorted_tables
    sharded = [(table, column) for table in tables if (column := column_of(table)) is not None]
    return sorted(sharded, key=lambda each: each[0].fullname != PEOPLE)


def column_of(table: Table[Any]) -> str | None:
    """Return the column by which a table is spread, or None when it is not."""
    if table.fullname == PEOPLE:
        return "id"
    return BY if BY in table.c else None


OWNERS = (
    "select nspname || '.' || relname, pg_get_userbyid(relowner) from pg_class"
    " join pg_namespace on pg_namespace.oid = relnamespace"
    " where relkind in ('r', 'p') and not pg_has_role(relowner, 'usage') order by 1"
)
"""Tables that the role we are may not change, and whose they are."""
AT_WORK = (
    "select count(*) from pg_stat_activity where datname = current_database()"
    " and application_name = 'hiiki' and pid <> pg_backend_pid()"
)


async def look(url: str) -> Plan:
    """Return what would be done.

    Raises `NoCitus` when the server has no Citus, one that is too old, or no servers to put shards
    on, and when a table is somebody else's.
    """
    async with await psycopg.AsyncConnection.connect(url) as db:
        return await _look(db)


async def distribute(url: str, say: Callable[[str], None]) -> int:
    """Spread the tables that are not spread yet; return how many were.

    All tables are moved with their rows in one transaction: all of them or none. Nobody can write
    meanwhile, so it is for before the shop opens, or for an hour in the night. Raises `NoCitus`
    as `look` does, and while web or worker processes are connected: those that have begun on one
    server would go on as if people's rows still lay together.
    """
    async with await psycopg.AsyncConnection.connect(url) as db:
        plan = await _look(db)
        if plan.moves:
            await _need_quiet(db)
        # Tables that refer to each other are moved in one transaction only one after the other.
        await db.execute("set local citus.multi_shard_modify_mode = 'sequential'")
        references = await _take_off_references(db, [move.name for move in plan.moves])
        for number, move in enumerate(plan.moves, 1):
            say(f"{number}/{len(plan.moves)}  {move}")
            await db.execute(*placing(move.name, move.column))
        for reference in references:
            await db.execute(reference)
        return len(plan.moves)


def placing(name: str, column: str) -> tuple[LiteralString, list[str]]:
    """Return the statement that moves a table, and its values."""
    beside = "none" if name == PEOPLE else PEOPLE
    call = "select create_distributed_table(%s, %s, colocate_with => %s)"
    return call, [quoted(name), column, beside]


def quoted(name: str) -> str:
    """Return a table's name as SQL takes it: `purchases.order` has a word of SQL in it."""
    return ".".join(f'"{part}"' for part in name.split("."))


async def _look(db: psycopg.AsyncConnection[Any]) -> Plan:
    load_models()
    version, servers = await _need_citus(db)
    found = await db.execute(PLACED)
    done = {name for (name,) in await found.fetchall()}
    wanted = [(table.fullname, column) for table, column in spread()]
    rows = await _rows(db)
    await _need_rights(db, {name for name, _column in wanted if name not in done})
    moves = [Move(name, column, rows.get(name, 0)) for name, column in wanted if name not in done]
    return Plan(version, servers, moves, len(wanted) - len(moves))


async def _need_rights(db: psycopg.AsyncConnection[Any], names: set[str]) -> None:
    found = await db.execute(OWNERS)
    others = [(name, owner) for name, owner in await found.fetchall() if name in names]
    if others:
        name, owner = others[0]
        raise NoCitus(
            f"{len(others)} tables, {name} among them, belong to the role {owner}, and only their"
            " owner can move them: give HIIKI_DATABASE_URL that role. Nothing was changed."
        )


async def _need_quiet(db: psycopg.AsyncConnection[Any]) -> None:
    found = await (await db.execute(AT_WORK)).fetchone()
    if found is not None and found[0]:
        raise NoCitus(
            f"Hiiki is at work on this database ({found[0]} connections): end all web and worker"
            " processes, and run this again. Nothing was changed."
        )


async def _rows(db: psycopg.AsyncConnection[Any]) -> dict[str, int]:
    found = await db.execute(
        "select nspname || '.' || relname, reltuples::bigint from pg_class"
        " join pg_namespace on pg_namespace.oid = relnamespace where relkind = 'r'"
    )
    return dict(await found.fetchall())


async def _take_off_references(
    db: psycopg.AsyncConnection[Any], names: list[str]
) -> list[sql.Composed]:
    """Drop the foreign keys of these tables; return what makes those among people's tables again.

    While one of two tables is spread and the other is not, none may refer to the other. Those
    to other tables get their stand-in.
    """
    sharded = {table.fullname for table, _column in spread()}
    found = await db.execute(KEYS, {"tables": [quoted(name) for name in names]})
    again: list[sql.Composed] = []
    for name, child, parent, columns, others, action, definition, plain in await found.fetchall():
        change = sql.SQL("alter table {} ").format(sql.SQL(child))
        constraint = sql.Identifier(name)
        await db.execute(change + sql.SQL("drop constraint {}").format(constraint))
        if plain in sharded:
            added = sql.SQL("add constraint {} ").format(constraint) + sql.SQL(definition)
            again.append(change + added)
        else:
            key = Reference(name, child, columns, parent, others, action)
            await db.execute(key.stand_in().encode())
    return again


async def _need_citus(db: psycopg.AsyncConnection[Any]) -> tuple[str, list[str]]:
    """Return Citus's version and the servers for shards; raise what the operator has to do."""

    async def ask(query: LiteralString) -> list[Any]:
        return [row[0] for row in await (await db.execute(query)).fetchall()]

    versions = await ask("select extversion from pg_extension where extname = 'citus'")
    if not versions:
        raise NoCitus(
            'This database has no Citus: install it on all servers, "create extension citus",'
            " add the other servers with citus_add_node(), and run this again."
            " Nothing was changed."
        )
    version = str(versions[0])
    if int(version.split(".")[0].split("-")[0]) < OLDEST:
        raise NoCitus(
            f"This database has Citus {version}; Hiiki needs {OLDEST}.0 or later. Update it on all"
            ' servers, "alter extension citus update", and run this again. Nothing was changed.'
        )
    if (await ask("select groupid from pg_dist_local_group"))[0]:
        raise NoCitus(
            "This server holds shards for another: give HIIKI_DATABASE_URL the coordinator's"
            " address. Nothing was changed."
        )
    if not await ask("select 1 from pg_dist_node where groupid = 0"):
        raise NoCitus(
            "Citus does not know the address of this server, the coordinator: tell it with"
            " citus_set_coordinator_host(), and run this again. Nothing was changed."
        )
    servers = await ask(
        "select nodename || ':' || nodeport from pg_dist_node"
        " where shouldhaveshards and isactive order by 1"
    )
    if not servers:
        raise NoCitus(
            "Citus knows of no server that may hold shards: add one with citus_add_node(),"
            " and run this again. Nothing was changed."
        )
    return version, servers
