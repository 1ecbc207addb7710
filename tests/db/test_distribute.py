"""Tables can be spread over servers by contact: what their keys must keep to, and the refusal."""

from __future__ import annotations

import os
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table

import hiiki.rooms
from hiiki.db.base import Base
from hiiki.db.distribute import NoCitus, column_of, distribute, spread
from hiiki.db.migrate import migrate

assert hiiki.rooms.registry

PLAN = spread()
SHARDED = [table for table, _column in PLAN.sharded]
CITUS = os.environ.get("HIIKI_TEST_CITUS_URL", "")
"""The coordinator of a cluster with an empty database, to try it for real."""


def names(tables: list[Table[Any]]) -> list[str]:
    return [table.fullname for table in tables]


@pytest.mark.parametrize("table", SHARDED, ids=names(SHARDED))
def test_every_key_holds_what_a_table_is_spread_by(table: Table[Any]) -> None:
    """A server can watch over its own rows only."""
    column = table.c[str(column_of(table))]
    assert column in set(table.primary_key)
    assert next(iter(table.primary_key)) is column, "it comes first, as all is asked by it"
    for index in table.indexes:
        assert not index.unique or column in set(index.columns), index.name


@pytest.mark.parametrize("table", SHARDED, ids=names(SHARDED))
def test_they_refer_to_their_own_contact_or_to_what_is_everywhere(table: Table[Any]) -> None:
    for key in table.foreign_keys:
        other = key.column.table
        if other in SHARDED:
            assert key.parent.name == column_of(table)
            assert key.column.name == column_of(other)
        else:
            assert other in PLAN.everywhere
            assert key.ondelete != "SET NULL" or key.parent.name != column_of(table)


def test_whole_tables_refer_to_none_that_is_spread() -> None:
    for table in Base.metadata.sorted_tables:
        if table not in SHARDED:
            for key in table.foreign_keys:
                assert key.column.table not in SHARDED, f"{table.fullname}.{key.parent.name}"


def test_what_is_everywhere_does_not_grow_with_people() -> None:
    for table in PLAN.everywhere:
        assert "contact_id" not in table.c
    assert not set(PLAN.everywhere) & {
        table for table in Base.metadata.sorted_tables if table.schema in ("delivery", "ingest")
    } - {Base.metadata.tables["delivery.topic"]}


async def test_a_server_without_citus_is_left_as_it_is(db: str) -> None:
    with pytest.raises(NoCitus, match="citus_add_node"):
        await distribute(db, pytest.fail)


@pytest.mark.skipif(not CITUS, reason="HIIKI_TEST_CITUS_URL names no Citus cluster")
async def test_on_a_real_cluster() -> None:
    await migrate(CITUS)
    said: list[str] = []
    assert await distribute(CITUS, said.append) == len(said) == len(SHARDED) + len(PLAN.everywhere)
    assert await distribute(CITUS, said.append) == 0
    async with await psycopg.AsyncConnection.connect(CITUS) as db:
        found = await db.execute(
            "select table_name::text, colocation_id from citus_tables"
            " where citus_table_type = 'distributed'"
        )
        rows = await found.fetchall()
        assert {name.replace('"', "") for name, _group in rows} == set(names(SHARDED))
        assert len({group for _name, group in rows}) == 1, "all of one person lies together"
        keys = await db.execute(
            "select count(*) from pg_constraint where contype = 'f'"
            " and conrelid = 'contacts.contact_tag'::regclass"
        )
        assert await keys.fetchone() == (2,)
