"""The migrations make exactly the tables that the models describe."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from hiiki.db.base import SCHEMAS, Base, Owned
from hiiki.db.embedded import EmbeddedServer
from hiiki.db.engine import sqlalchemy_url
from hiiki.db.migrate import load_models, migrate


def ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "schema" or name in SCHEMAS


def test_migrated_tables_are_the_models_tables(database: str) -> None:
    load_models()
    engine = create_engine(sqlalchemy_url(database))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_name": ours}
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    # PostgreSQL writes an index's expression in its own words, which never equal ours: such
    # an index is told apart by its name alone.
    named = {
        index.name
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if not index.columns
    }
    found = [one for one in differences if getattr(one[1], "name", None) not in named]
    assert found == []
    removed = {one[1].name for one in differences if one[0] == "remove_index"}
    added = {one[1].name for one in differences if one[0] == "add_index"}
    assert removed == added


def test_every_table_of_a_shop_says_whose_it_is() -> None:
    load_models()
    above_all_shops = {
        "workspace.workspace",
        "workspace.staff",
        "workspace.login_session",
        "workspace.login_attempt",
    }
    for mapper in Base.registry.mappers:
        name = mapper.local_table.fullname  # type: ignore[attr-defined]
        assert issubclass(mapper.class_, Owned) != (name in above_all_shops), name


def test_two_processes_may_migrate_at_once(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists twice")
        connection.execute("create database twice")

    async def both() -> None:
        await asyncio.gather(migrate(server.url("twice")), migrate(server.url("twice")))

    asyncio.run(both())
    with psycopg.connect(server.url("twice")) as connection:
        assert connection.execute("select version_num from hiiki_version").fetchall()
        assert connection.execute("select count(*) from procrastinate_jobs").fetchone() == (0,)
