"""Rows that are written together, and what is asked for many people at once.

A statement costs its way to PostgreSQL and back, whether it is for one row or for a thousand.
So what many events of one transaction write in the same way is gathered (`gather`) and written
by one statement, before anything else is asked of the database and at the latest at the commit:
whoever asks sees it (all but `WorkspaceSession.apart`). And what is to be known of one person
is asked for all people whom the transaction deals with (`WorkspaceSession.ahead`), once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

Write = Callable[[Session, list[Any]], None]
"""Writes rows that were gathered. It runs inside a flush, so it is not `async`."""

_GATHERED = "gathered"
_WRITING = "writing gathered"
_HELD = "gathered is held"
_WRITES = "writes"
KNOWN = "known"


def gather(session: Session, write: Write, row: Any) -> None:
    """Have `write` called with this row and all others that are gathered for it."""
    gathered: dict[Write, list[Any]] = session.info.setdefault(_GATHERED, {})
    gathered.setdefault(write, []).append(row)
    wrote(session)


def write_gathered(session: Session) -> None:
    """Write all that is gathered now, in the order in which each kind was first gathered."""
    info = session.info
    if info.get(_HELD):
        return
    while gathered := info.pop(_GATHERED, None):
        outer, info[_WRITING] = info.get(_WRITING, False), True
        try:
            for write, rows in gathered.items():
                write(session, rows)
        finally:
            info[_WRITING] = outer


@contextmanager
def held(session: Session) -> Generator[None]:
    """Hold back what is gathered, as what is asked meanwhile has nothing to do with it."""
    outer, session.info[_HELD] = session.info.get(_HELD, False), True
    try:
        yield
    finally:
        session.info[_HELD] = outer


def wrote(session: Session) -> None:
    """Note that something was written, or will be."""
    if not session.info.get(_WRITING):
        session.info[_WRITES] = writes(session) + 1


def writes(session: Session) -> int:
    """Return how often something was written; the same number twice: nothing in between."""
    return session.info.get(_WRITES, 0)


def forget(session: Session) -> None:
    """Forget what is gathered and what is known: it may have been undone."""
    session.info.pop(_GATHERED, None)
    session.info.pop(KNOWN, None)


def listen(kind: type[Session]) -> None:
    """Make sessions of this class write what they gathered, and forget it with a rollback."""

    @event.listens_for(kind, "before_commit")
    def _commit(session: Session) -> None:  # pyright: ignore[reportUnusedFunction]
        write_gathered(session)

    @event.listens_for(kind, "after_soft_rollback")
    def _rollback(session: Session, _previous: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # Before a savepoint all was written, so whatever is gathered came after it.
        forget(session)

    @event.listens_for(kind, "transient_to_pending")
    def _added(session: Session, _row: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        wrote(session)
