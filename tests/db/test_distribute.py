"""Tables can be spread over servers by contact: what their keys must keep to, and the refusal."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo
from sqlalchemy import Table, text

import hiiki.rooms
from hiiki.db import everywhere
from hiiki.db.base import Base
from hiiki.db.distribute import PLACED, NoCitus, column_of, distribute, look, quoted, spread
from hiiki.db.engine import dispose
from hiiki.db.migrate import MIGRATIONS, alembic_config, migrate
from hiiki.db.standins import KEYS, WORK, Reference

assert hiiki.rooms.registry

SHARDED = [table for table, _column in spread()]
CITUS = os.environ.get("HIIKI_TEST_DATABASE_URL", "")
"""The coordinator of a cluster, when the tests are to run there."""


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
def test_they_refer_to_their_own_contact_or_to_what_a_stand_in_serves(table: Table[Any]) -> None:
    for key in table.foreign_keys:
        other = key.column.table
        if other in SHARDED:
            assert key.parent.name == column_of(table)
            assert key.column.name == column_of(other)
        else:
            assert (key.ondelete or "NO ACTION") in WORK
            assert key.ondelete != "SET NULL" or key.parent.name != column_of(table)


def test_other_tables_refer_to_none_that_is_spread() -> None:
    for table in Base.metadata.sorted_tables:
        if table not in SHARDED:
            for key in table.foreign_keys:
                assert key.column.table not in SHARDED, f"{table.fullname}.{key.parent.name}"


REFERENCE_ACTIONS = [("cascade", []), ("set null", [(None,)]), ("no action", None)]


@pytest.mark.parametrize(("action", "left"), REFERENCE_ACTIONS)
async def test_a_stand_in_does_what_the_foreign_key_did(
    db: str, action: str, left: list[Any] | None
) -> None:
    async with await psycopg.AsyncConnection.connect(db) as connection:
        await connection.execute(
            "create table contacts.s_parent (id int primary key);"
            "create table contacts.s_child (parent_id int,"
            " constraint fk_s foreign key (parent_id) references contacts.s_parent (id)"
            f" on delete {action});"
            "insert into contacts.s_parent values (1), (2);"
            " insert into contacts.s_child values (1)".encode()
        )
        found = await connection.execute(KEYS, {"tables": ["contacts.s_child"]})
        [
            (name, child, parent, columns, others, on_delete, _definition, _plain)
        ] = await found.fetchall()
        key = Reference(name, child, columns, parent, others, on_delete)
        await connection.execute("alter table contacts.s_child drop constraint fk_s")
        await connection.execute(key.stand_in().encode())
        await connection.execute(key.stand_in().encode())  # again, as after an update
        await connection.execute("delete from contacts.s_parent where id = 2")
        asked = "select parent_id from contacts.s_child"
        assert await (await connection.execute(asked)).fetchall() == [(1,)]
        if left is None:
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                await connection.execute("delete from contacts.s_parent")
        else:
            await connection.execute("delete from contacts.s_parent")
            assert await (await connection.execute(asked)).fetchall() == left
        await connection.rollback()


async def test_a_server_without_citus_is_left_as_it_is(db: str) -> None:
    if db == CITUS:
        pytest.skip("this one has Citus")
    with pytest.raises(NoCitus, match="citus_add_node"):
        await distribute(db, pytest.fail)


@dataclass
class Catalogue:
    """What a server says of its Citus, in tables that stand before PostgreSQL's own."""

    version: str | None = "14.0-1"
    group: int = 0
    coordinator: bool = True
    servers: tuple[str, ...] = ("first", "second")
    placed: tuple[str, ...] = ()

    def write(self, db: psycopg.Connection[Any]) -> None:
        db.execute(
            "create table said.pg_extension (extname text, extversion text);"
            "create table said.pg_dist_local_group (groupid int);"
            "create table said.pg_dist_node (groupid int, nodename text, nodeport int,"
            " shouldhaveshards bool, isactive bool);"
            "create table said.pg_dist_partition (logicalrelid oid, partmethod text)"
        )
        if self.version:
            db.execute("insert into said.pg_extension values ('citus', %s)", [self.version])
        db.execute("insert into said.pg_dist_local_group values (%s)", [self.group])
        nodes = "insert into said.pg_dist_node values (%s, %s, 5432, %s, true)"
        if self.coordinator:
            db.execute(nodes, [0, "coordinator", False])
        for number, name in enumerate(self.servers, 1):
            db.execute(nodes, [number, name, True])
        for name in self.placed:
            db.execute(
                "insert into said.pg_dist_partition values (%s::regclass, 'h')", [quoted(name)]
            )


@pytest.fixture
def said(db: str) -> Iterator[Callable[[Catalogue], str]]:
    """Have the server say something of its Citus; returns the address at which it does."""
    if db == CITUS:
        pytest.skip("this one has Citus")

    def write(catalogue: Catalogue) -> str:
        with psycopg.connect(db, autocommit=True) as connection:
            connection.execute("drop schema if exists said cascade; create schema said")
            catalogue.write(connection)
        return make_conninfo(db, options="-csearch_path=said,pg_catalog")

    yield write
    with psycopg.connect(db, autocommit=True) as connection:
        connection.execute("drop schema if exists said cascade")


@pytest.mark.parametrize(
    ("catalogue", "words"),
    [
        (Catalogue(version=None), "create extension citus"),
        (Catalogue(version="13.2-1"), r"Citus 13\.2-1; Hiiki needs 14\.0"),
        (Catalogue(group=1), "holds shards for another"),
        (Catalogue(coordinator=False), "citus_set_coordinator_host"),
        (Catalogue(servers=()), "no server that may hold shards"),
    ],
    ids=["none", "old", "worker", "unknown", "alone"],
)
async def test_what_is_missing_is_said_and_nothing_moved(
    said: Callable[[Catalogue], str], catalogue: Catalogue, words: str
) -> None:
    url = said(catalogue)
    for refused in (look(url), distribute(url, pytest.fail)):
        with pytest.raises(NoCitus, match=f"{words}(?s:.*)Nothing was changed"):
            await refused


async def test_what_is_moved_already_is_left_alone(said: Callable[[Catalogue], str]) -> None:
    some, rest = names(SHARDED)[:5], names(SHARDED)[5:]
    plan = await look(said(Catalogue(placed=tuple(some))))
    assert (plan.citus, plan.servers) == ("14.0-1", ["first:5432", "second:5432"])
    assert (plan.done, [move.name for move in plan.moves]) == (5, rest)
    assert await distribute(said(Catalogue(placed=tuple(names(SHARDED)))), pytest.fail) == 0


async def test_somebody_elses_tables_and_a_shop_at_work_are_left_alone(
    said: Callable[[Catalogue], str], db: str
) -> None:
    url = said(Catalogue())
    role = f"guest_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(db, autocommit=True) as connection:
        connection.execute(
            f"create role {role} login; grant usage on schema said to {role}".encode()
        )
        connection.execute(f"grant select on all tables in schema said to {role}".encode())
        try:
            with pytest.raises(NoCitus, match="among them, belong to the role hiiki"):
                await look(make_conninfo(url, user=role))
        finally:
            connection.execute(f"drop owned by {role}; drop role {role}".encode())
    async with everywhere() as session:  # as a worker does
        await session.execute(text("select 1"), execution_options={"scoped_by_hand": True})
        assert (await look(url)).moves
        with pytest.raises(NoCitus, match="end all web and worker processes"):
            await distribute(url, pytest.fail)


@pytest.mark.skipif(not CITUS, reason="HIIKI_TEST_DATABASE_URL names no Citus cluster")
async def test_a_cluster_has_all_of_one_person_together(db: str) -> None:
    await migrate(CITUS)
    await dispose()
    plan = await look(CITUS)
    assert len(plan.moves) + plan.done == len(SHARDED)
    said: list[str] = []
    assert await distribute(CITUS, said.append) == len(said) == len(plan.moves)
    assert await distribute(CITUS, said.append) == 0, "again, and nothing is left to do"
    async with await psycopg.AsyncConnection.connect(CITUS) as cluster:
        found = await cluster.execute(
            "select nspname || '.' || relname, colocationid from pg_dist_partition"
            " join pg_class on pg_class.oid = logicalrelid"
            " join pg_namespace on pg_namespace.oid = relnamespace where partmethod = 'h'"
        )
        rows = await found.fetchall()
        assert {name for name, _group in rows} >= set(names(SHARDED))
        assert len({group for _name, group in rows}) == 1
        keys = await cluster.execute(
            "select count(*) from pg_constraint where contype = 'f'"
            " and conrelid = 'contacts.contact_tag'::regclass"
        )
        assert await keys.fetchone() == (1,), "to people, and a stand-in for the other"


LATER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "later", {last!r}
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "later_kind",
        sa.Column("id", sa.Uuid(), primary_key=True),
        schema="contacts",
    )
    op.create_table(
        "later",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind_id", sa.Uuid(), nullable=False, index=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.contact.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["kind_id"], ["contacts.later_kind.id"]),
        sa.PrimaryKeyConstraint("contact_id", "kind_id"),
        schema="contacts",
    )
    op.add_column("contact", sa.Column("later", sa.Integer(), nullable=True), schema="contacts")


def downgrade() -> None:
    op.drop_column("contact", "later", schema="contacts")
    op.drop_table("later", schema="contacts")
    op.drop_table("later_kind", schema="contacts")
"""


async def test_a_later_version_finds_its_new_tables_a_place(db: str, tmp_path: Path) -> None:
    """On one server they are made as ever; on a cluster each goes where it belongs."""
    config = alembic_config(db)
    folder = str(MIGRATIONS / "versions")
    last = ScriptDirectory.from_config(config).get_current_head()
    (tmp_path / "later.py").write_text(LATER.format(last=last))
    config.set_main_option("version_locations", f"{folder};{tmp_path}")
    config.set_main_option("path_separator", ";")
    await asyncio.to_thread(command.upgrade, config, "later")
    try:
        async with await psycopg.AsyncConnection.connect(db) as connection:
            keys = await connection.execute(
                "select confrelid::regclass::text from pg_constraint where contype = 'f'"
                " and conrelid = 'contacts.later'::regclass order by 1"
            )
            referred = [("contacts.contact",), ("contacts.later_kind",)]
            if db == CITUS:
                referred.pop()
                found = await connection.execute(PLACED)
                assert ("contacts.later",) in await found.fetchall()
            assert await keys.fetchall() == referred
    finally:
        await asyncio.to_thread(command.downgrade, config, str(last))
