"""Whose fault an error is: the database's, which comes back, or the statement's, which stays."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_CONFLICT = ("40", "55P03", "57014")
"""Deadlock or serialization, a lock that was not to be had, a statement that was cancelled."""
_AWAY = ("08", "53", "57", "40")
"""Connection, resources, intervention (shutting down); deadlock or serialization."""
_BUSY = ("25006", "25P03", "55P03")
"""A server that only reads (a fail-over under way), a transaction it ended for having been
idle, a lock that was not to be had."""


def is_outage(error: BaseException) -> bool:
    """True when the database is away or busy: the same may well succeed in a moment.

    Knows SQLAlchemy's errors and psycopg's own. What is neither is never the database's fault
    here, `OSError` and `TimeoutError` included: those may come from anywhere.
    """
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = _cause(error)
    if cause is None:
        return False
    if not cause.sqlstate:
        # The driver's own word, or libpq's (which has no class but the general one): that a
        # connection was lost or not to be had. A value that cannot be sent is one of the others.
        return type(cause) is psycopg.DatabaseError or isinstance(
            cause, psycopg.OperationalError | psycopg.InterfaceError
        )
    return cause.sqlstate[:2] in _AWAY or cause.sqlstate in _BUSY


def is_conflict(error: BaseException) -> bool:
    """True for an outage of one statement alone: something else was in its way.

    The database is there, and answers others at the same moment.
    """
    cause = _cause(error)
    return cause is not None and (cause.sqlstate or "").startswith(_CONFLICT)


def _cause(error: BaseException) -> psycopg.Error | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cause if isinstance(cause, psycopg.Error) else None
