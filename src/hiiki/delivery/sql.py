"""What the room's set-based statements share."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from hiiki.db import WorkspaceSession

WAKE_CHANNEL = "hiiki_delivery"
"""The NOTIFY channel on which workers hear of new parcels."""
URGENT = "urgent"
BULK = "bulk"

_WOKEN = "woken lanes"

ERASED = UUID(int=0)
"""Stands in a settled parcel where somebody was who has been erased since."""

BY_HAND = {"scoped_by_hand": True}
"""These statements carry their own workspace_id, or belong to the workers' queue."""

_UUID7_OF_18 = "uuidv7()"
# A version 4 UUID whose first 48 bits are replaced by the milliseconds, and whose version
# nibble 0100 is made 0111.
_UUID7 = (
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing"
    " substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)"
    " from 1 for 6), 52, 1), 53, 1), 'hex')::uuid"
)


async def uuid7(session: WorkspaceSession) -> str:
    """Return the SQL that makes a time-ordered id on this session's server."""
    version = (await session.connection()).dialect.server_version_info or (0,)
    return _UUID7_OF_18 if int(version[0]) >= 18 else _UUID7


async def wake(session: WorkspaceSession, lane: str) -> None:
    """Tell the workers, once this transaction commits, that there is something in `lane`."""
    woken: set[str] = session.info.setdefault(_WOKEN, set())
    if lane in woken:
        return  # PostgreSQL tells it once anyway
    if not session.in_nested_transaction():
        woken.add(lane)  # what is told in a savepoint may yet be taken back
    await session.execute(_NOTIFY, {"name": WAKE_CHANNEL, "lane": lane}, execution_options=BY_HAND)


def wake_with(session: WorkspaceSession, lane: str) -> None:
    """Do as `wake`, once for all who ask for it in this transaction, with what they write."""
    session.gather(_wake, lane)


def _wake(session: Session, lanes: list[str]) -> None:
    woken: set[str] = session.info.setdefault(_WOKEN, set())
    for lane in set(lanes) - woken:
        if not session.in_nested_transaction():
            woken.add(lane)
        session.execute(_NOTIFY, {"name": WAKE_CHANNEL, "lane": lane}, execution_options=BY_HAND)


_NOTIFY: TextClause = text("select pg_notify(:name, :lane)")


async def people_stay(session: WorkspaceSession) -> None:
    """Let nobody of this workspace be erased until this transaction has ended.

    What copies people from one table into another by one long statement would otherwise
    bring back who was erased meanwhile.
    """
    await _about_people(session, "pg_advisory_xact_lock_shared")


async def people_may_go(session: WorkspaceSession) -> None:
    """Wait until nobody says any more that `people_stay`, and keep them from saying so."""
    await _about_people(session, "pg_advisory_xact_lock")


async def _about_people(session: WorkspaceSession, lock: str) -> None:
    await session.execute(
        text(f"select {lock}(hashtextextended(:name, 0))"),
        {"name": f"hiiki.delivery.people:{session.workspace_id}"},
        execution_options=BY_HAND,
    )
