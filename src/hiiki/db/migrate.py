"""Bringing a database up to date: Hiiki's own migrations, then the job queue's schema."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from procrastinate.schema import SchemaManager

from hiiki.db.base import SCHEMAS, Base
from hiiki.db.engine import libpq_url, sqlalchemy_url

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x4869696B69
"""Two processes that start together must not both migrate."""


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(url)
    return config


def load_models() -> None:
    """Import every room's tables, so that `Base.metadata` is whole."""
    for room in SCHEMAS:
        import_module(f"hiiki.{room}.models")
    assert Base.metadata.tables


async def migrate(url: str) -> None:
    """Bring the database at `url` to this version; safe to call from many processes at once."""

    async with await psycopg.AsyncConnection.connect(libpq_url(url), autocommit=True) as connection:
        await connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        await asyncio.to_thread(command.upgrade, alembic_config(url), "head")
        found = await connection.execute("select to_regclass('procrastinate_jobs')")
        row = await found.fetchone()
        if row is not None and row[0] is None:
            # Not by way of a second `App`: making one renames the tasks that all apps share.
            async with connection.transaction():
                await connection.execute(SchemaManager.get_schema())
        await connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))
