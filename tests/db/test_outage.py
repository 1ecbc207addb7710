"""An error of the database's is told from one of the statement's."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from conftest import Shop, scope
from hiiki.db.outage import is_conflict, is_outage


@pytest.mark.parametrize(
    ("error", "outage", "conflict"),
    [
        (psycopg.OperationalError("connection timeout expired"), True, False),
        (psycopg.InterfaceError("the connection is closed"), True, False),
        (psycopg.DatabaseError("server closed the connection unexpectedly"), True, False),
        (psycopg.DataError("cannot contain NUL (0x00) bytes"), False, False),
        (errors.AdminShutdown(), True, False),
        (errors.TooManyConnections(), True, False),
        (errors.ConnectionFailure(), True, False),
        (errors.ReadOnlySqlTransaction(), True, False),
        (errors.LockNotAvailable(), True, True),
        (errors.QueryCanceled(), True, True),
        (errors.DeadlockDetected(), True, True),
        (errors.SerializationFailure(), True, True),
        (errors.ForeignKeyViolation(), False, False),
        (errors.InFailedSqlTransaction(), False, False),
        (errors.UntranslatableCharacter(), False, False),
        (TimeoutError(), False, False),
        (OSError(), False, False),
        (ValueError(), False, False),
    ],
)
def test_outage_or_fault(error: Exception, outage: bool, conflict: bool) -> None:
    assert (is_outage(error), is_conflict(error)) == (outage, conflict)
    wrapped = DBAPIError("select 1", {}, error)
    assert (is_outage(wrapped), is_conflict(wrapped)) == (outage, conflict)


def test_a_lost_connection_and_a_full_pool() -> None:
    assert is_outage(DBAPIError("select 1", {}, ValueError(), connection_invalidated=True))
    assert is_outage(PoolTimeout())


@pytest.mark.parametrize(
    ("statement", "outage"),
    [
        ("select pg_terminate_backend(pg_backend_pid())", True),
        ("select 1 / 0", False),
        ("select nothing", False),
    ],
)
async def test_as_the_engine_raises_it(shop: Shop, statement: str, outage: bool) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with scope(shop.workspace_id) as session:
            await session.execute(text(statement), execution_options={"scoped_by_hand": True})
    assert is_outage(raised.value) is outage
