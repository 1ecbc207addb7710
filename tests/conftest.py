"""The ground all tests stand on: a real PostgreSQL, empty tables, a shop to work in.

One server serves a whole run (all xdist workers); each worker has a database of its own,
copied from one that the migrations made. Between tests the tables are emptied, so a
test's world is as empty as a new installation's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from filelock import FileLock

from hiiki.db import engine as engine_module
from hiiki.db import everywhere, scope
from hiiki.db.base import SCHEMAS
from hiiki.db.embedded import EmbeddedServer, prepare
from hiiki.db.migrate import migrate
from hiiki.ingest import public, store
from hiiki.kit.i18n import set_locale
from hiiki.settings import settings
from hiiki.web import direct
from hiiki.workspace import auth
from hiiki.workspace.models import Workspace

pytest_plugins = ["stack"]

TEMPLATE = "hiiki_template"
PATIENCE = 30.0
"""Seconds for which webhooks may be late."""
MANY = 500
"""A table with so many rows is truncated, not emptied row by row."""


# The same examples every time: a run fails for what was changed, not for luck. To look for more,
# set HIIKI_TEST_RANDOM=1.
hypothesis.settings.register_profile("steady", derandomize=True)
if not os.environ.get("HIIKI_TEST_RANDOM"):
    hypothesis.settings.load_profile("steady")


def pytest_configure() -> None:
    """Give all workers of this run one folder for their server.

    Not one of pytest's own: another run on the same machine would close those to the
    user that PostgreSQL runs as.
    """
    os.environ.setdefault("HIIKI_TEST_SHARED", tempfile.mkdtemp(prefix="hiiki-tests-"))


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A PostgreSQL with a migrated template database, shared by all workers of this run."""
    shared = Path(os.environ["HIIKI_TEST_SHARED"])
    users = shared / "users"
    with FileLock(shared / "lock"):
        postgres = prepare(shared / "pg")
        if not users.exists():
            # A test's data may be lost with the machine: it need not wait for the disk.
            postgres.start({"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})
            postgres.create_database(TEMPLATE)
            asyncio.run(migrate(postgres.url(TEMPLATE)))
            users.write_text("0")
        users.write_text(str(int(users.read_text()) + 1))
    yield postgres
    with FileLock(shared / "lock"):
        left = int(users.read_text()) - 1
        users.write_text(str(left))
        if left == 0:
            postgres.stop("immediate")
            users.unlink()


@pytest.fixture(scope="session")
def database(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of this worker's own database; the settings point to it.

    HIIKI_TEST_DATABASE_URL names another that is there already, and is emptied: a cluster's.
    """
    if not (url := os.environ.get("HIIKI_TEST_DATABASE_URL", "")):
        name = f"hiiki_{uuid.uuid4().hex[:10]}"
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} template {TEMPLATE}")
        url = server.url(name)
    os.environ["HIIKI_DATABASE_URL"] = url
    os.environ["HIIKI_DATA_DIR"] = str(tmp_path_factory.mktemp("data"))
    settings.cache_clear()
    # Most tests need somebody who is logged in, none needs their password to be safe.
    auth.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    # A crowded machine is late now and then, and would refuse webhooks; tests of lateness and
    # of overload set limits of their own.
    direct.LATE = public.ANSWER_WITHIN = store.WAIT_AT_MOST = PATIENCE
    return url


class Ground:
    """The tables under the tests of one worker, and how they are emptied.

    The connection is kept: to plan a question that looks at every table takes PostgreSQL ten times
    as long as to answer it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._tables: list[str] = []
        self._counts = b""

    async def empty(self) -> None:
        """Empty every table. Most are empty, few have many rows: truncating all takes longer."""
        try:
            await self._empty()
        except psycopg.OperationalError:  # a test has ended all connections
            await self.leave()
            await self._empty()

    async def leave(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _empty(self) -> None:
        if self._connection is None:
            self._connection = await self._open()
        rows = await self._connection.execute(_TABLES, (list(SCHEMAS),), prepare=True)
        if (tables := [row[0] for row in await rows.fetchall()]) != self._tables:
            self._tables = tables  # the first time, and when tests have made one of their own
            counts = [
                f"select '{table}', count(*) from (select 1 from {table} limit {MANY}) _"
                for table in tables
            ]
            self._counts = " union all ".join(counts).encode()
        found = await self._connection.execute(self._counts, prepare=True)
        filled = {table: count for table, count in await found.fetchall() if count}
        if any(count == MANY for count in filled.values()):
            # Where tables are spread, it is a trigger that truncates their shards.
            truncate = f"truncate {', '.join(self._tables)} restart identity cascade"
            role = "set session_replication_role ="
            query = f"{role} origin; {truncate}; {role} replica"
        else:
            query = "; ".join(f"delete from {table}" for table in filled)
        if filled:
            await self._connection.execute(query.encode())

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        # As a replica would: all tables are emptied, so no foreign key needs to be looked at.
        await connection.execute("set session_replication_role = replica")
        return connection


_TABLES = """
    select format('%%I.%%I', schemaname, tablename) from pg_tables
    where schemaname = any(%s) or tablename like 'procrastinate_%%' order by 1
"""


@pytest.fixture(scope="session")
async def ground(database: str) -> AsyncIterator[Ground]:
    """All tables of this worker's database."""
    tables = Ground(database)
    yield tables
    await tables.leave()


@pytest.fixture(scope="session")
async def _connections(database: str) -> AsyncIterator[None]:
    # One engine for all tests: another for each would compile every statement anew.
    yield
    await engine_module.dispose()


@pytest.fixture
async def db(database: str, ground: Ground, _connections: None) -> str:
    """The database with empty tables; every test that uses it asks for this, or for `shop`."""
    set_locale("ja")
    await ground.empty()
    return database


@pytest.fixture
async def own_server(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[EmbeddedServer]:
    """A PostgreSQL of this test's own, which waits for the disk; this process uses it too."""
    folder = Path(os.environ["HIIKI_TEST_SHARED"]) / f"own-{os.getpid()}"
    server = prepare(folder)
    server.start()
    server.create_database("hiiki")
    await migrate(server.url())
    await engine_module.dispose()
    with monkeypatch.context() as patch:
        patch.setenv("HIIKI_DATABASE_URL", server.url())
        settings.cache_clear()
        yield server
        await engine_module.dispose()
    settings.cache_clear()
    server.stop("immediate")
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Shop:
    """A workspace to test in."""

    workspace_id: uuid.UUID


async def make_shop(name: str = "カレーの店") -> Shop:
    """Make a workspace of its own."""
    async with everywhere() as session:
        workspace = Workspace(name=name)
        session.add(workspace)
        await session.flush()
        return Shop(workspace.id)


@pytest.fixture
async def shop(db: str) -> Shop:
    """One empty workspace."""
    return await make_shop()


@pytest.fixture
async def other_shop(db: str) -> Shop:
    """Another workspace, for the wall between the two."""
    return await make_shop("結婚式場")


__all__ = ["Shop", "make_shop", "scope"]
