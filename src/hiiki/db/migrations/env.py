"""Alembic's way in. It is called by `hiiki.db.migrate`, never by an ini file."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine, pool

from hiiki.db.base import SCHEMAS, Base
from hiiki.db.migrate import load_models
from hiiki.db.migrations.spreading import SpreadingImpl

load_models()
assert SpreadingImpl, "Alembic knows it by its having been imported"


def ours(name: str | None, kind: str, _parents: Any) -> bool:
    """True for what Hiiki made: Procrastinate and extensions keep their own tables."""
    return kind != "schema" or name in SCHEMAS


engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    # A migration that cannot get its lock gives up rather than stop the whole shop.
    connection.exec_driver_sql("set lock_timeout = '10s'")
    # Where tables are spread, each server is spoken to over one connection: a transaction of many
    # such changes needs it. Elsewhere it is a name that means nothing.
    connection.exec_driver_sql("set citus.multi_shard_modify_mode = 'sequential'")
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=ours,
        version_table="hiiki_version",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
