"""The connection to PostgreSQL: one engine a process, and raw connections for listeners."""

from __future__ import annotations

import select
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from hiiki.settings import settings

CONNECT: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8_000,
}
"""What bounds the wait for a server that says nothing any more, as after a fail-over or on a
frozen host: seconds, and milliseconds for the last. The kernel gives such a connection up after
some ten seconds instead of two hours. On a Unix socket libpq has no use for them."""

_engine: AsyncEngine | None = None
_idle: list[psycopg.AsyncConnection[Any]] = []
"""Connections that `autocommit` has opened and nobody uses."""


def sqlalchemy_url(url: str) -> str:
    """Return `url` with the driver that Hiiki uses (psycopg 3)."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def libpq_url(url: str) -> str:
    """Return `url` as psycopg itself takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def database_url() -> str:
    """Return the address of the database; `hiiki up` sets it for the embedded server.

    Raises `RuntimeError` when none is set: a process never starts a server on its own.
    """
    url = settings().database_url
    if not url:
        raise RuntimeError("HIIKI_DATABASE_URL is not set; `hiiki up` starts a database of its own")
    return url


def engine() -> AsyncEngine:
    """Return this process's engine, made on first use."""
    global _engine
    if _engine is None:
        _engine = create_async_engine(
            sqlalchemy_url(database_url()),
            pool_size=settings().database_pool,
            max_overflow=5,
            pool_timeout=5,
            # A connection that died with the server is found before it is used: Hiiki
            # recovers from a database restart without one of its own.
            pool_pre_ping=True,
            # Errors are logged; what customers said and who they are is not.
            hide_parameters=True,
            connect_args={**CONNECT, "application_name": "hiiki"},
        )
    return _engine


async def dispose() -> None:
    """Close this process's connections."""
    global _engine
    while _idle:
        await _idle.pop().close()
    if _engine is not None:
        await _engine.dispose()
        _engine = None


async def raw_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """Return the psycopg connection under `session`, inside its transaction."""
    pooled = await (await session.connection()).get_raw_connection()
    return cast("psycopg.AsyncConnection[Any]", pooled.driver_connection)


@asynccontextmanager
async def autocommit() -> AsyncGenerator[psycopg.AsyncConnection[Any]]:
    """Lend a connection on which every statement is a transaction of its own.

    It is outside the gate, and without a session's comfort: for the one statement that runs
    hundreds of times a second, where begin, commit and looking whether the connection lives
    would cost more than the statement itself. Raises `psycopg.OperationalError` when the
    database cannot be reached.
    """
    connection = None
    while _idle and connection is None:
        connection = _idle.pop()
        if _has_ended(connection):
            await connection.close()
            connection = None
    if connection is None:
        connection = await psycopg.AsyncConnection.connect(
            libpq_url(database_url()), autocommit=True, **CONNECT, application_name="hiiki"
        )
    try:
        yield connection
    except BaseException:
        await connection.close()  # in the middle of something, for all we know
        raise
    _idle.append(connection)


def _has_ended(connection: psycopg.AsyncConnection[Any]) -> bool:
    # A server that goes says so, and closes its end: on an idle connection there is nothing
    # to read otherwise. This costs a microsecond, asking the server a round trip.
    if connection.closed:
        return True
    looked = select.poll()
    looked.register(connection.fileno(), select.POLLIN)
    return bool(looked.poll(0))


@asynccontextmanager
async def listening(*channels: str) -> AsyncGenerator[psycopg.AsyncConnection[Any]]:
    """Open a connection of its own that listens to these NOTIFY channels."""
    connection = await psycopg.AsyncConnection.connect(
        libpq_url(database_url()), autocommit=True, **CONNECT
    )
    try:
        for channel in channels:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        yield connection
    finally:
        await connection.close()
