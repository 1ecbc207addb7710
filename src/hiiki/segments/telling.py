"""Entering and leaving a segment as events, where the segment's switch asks for them.

A count leaves a crossing for each person (`hiiki.segments.history`). Here they become events, some
at a time: that they were told is written in the transaction of the events and of all that follows
from these, so each is told exactly once, whenever a worker is killed. Who enters and leaves again
between two counts has crossed nothing, and nothing is told of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Row, delete, literal, select, tuple_, update

from hiiki.contacts.models import Contact, Friendship
from hiiki.contacts.turns import hold_turns
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.clock import now
from hiiki.kit.road import road
from hiiki.segments.history import prune
from hiiki.segments.models import Crossing, Watch

log = structlog.get_logger()

ENTER = "segment_enter"
LEAVE = "segment_leave"
AT_ONCE = 100
GIVEN_UP_AFTER = timedelta(days=1)
"""What could not be told for so long (a fault each time) is told no more."""

Key = tuple[UUID, datetime]


async def tell(workspace_id: UUID, segment_id: UUID) -> int:
    """Make events of all crossings of a segment that wait for it; return how many."""
    async with scope(workspace_id) as session:
        await _give_up(session, segment_id)
    told, last = 0, None
    while keys := await _waiting(workspace_id, segment_id, last):
        last = keys[-1]
        try:
            told += await _tell(workspace_id, segment_id, keys)
        except Exception:
            # One person's fault is theirs alone: the others are told one by one.
            for key in keys:
                try:
                    told += await _tell(workspace_id, segment_id, [key])
                except Exception:
                    log.exception("segments.not_told", contact_id=str(key[0]))
    async with scope(workspace_id) as session:
        await prune(session, segment_id)
    return told


async def forget_waiting(session: WorkspaceSession, segment_id: UUID) -> None:
    """Let nothing be told of the crossings that wait: somebody has switched the events off."""
    await session.execute(
        update(Crossing)
        .where(Crossing.segment_id == segment_id, Crossing.is_due)
        .values(is_due=False),
        execution_options={"synchronize_session": False},
    )


async def _waiting(workspace_id: UUID, segment_id: UUID, after: Key | None) -> Sequence[Key]:
    async with scope(workspace_id) as session:
        query = select(Crossing.contact_id, Crossing.at).where(
            Crossing.segment_id == segment_id, Crossing.is_due
        )
        if after is not None:
            place = tuple_(Crossing.at, Crossing.contact_id)
            query = query.where(place > tuple_(literal(after[1]), literal(after[0])))
        query = query.order_by(Crossing.at, Crossing.contact_id).limit(AT_ONCE)
        return [(ident, at) for ident, at in (await session.execute(query)).tuples()]


async def _tell(workspace_id: UUID, segment_id: UUID, keys: Sequence[Key]) -> int:
    async with scope(workspace_id) as session:
        watch = await session.get(Watch, segment_id)
        rows = await _claim(session, segment_id, keys)
        if watch is not None and watch.tells_since is not None:
            accounts = await _accounts(session, [row.contact_id for row in rows])
            for row in rows:
                # What was seen before the switch was set anew is no news.
                if row.at < watch.tells_since:
                    continue
                # Whoever is erased meanwhile is not written about.
                await hold_turns(session, row.contact_id)
                if await session.get(Contact, row.contact_id) is not None:
                    await road().emit(
                        session,
                        row.contact_id,
                        accounts.get(row.contact_id),
                        ENTER if row.entered else LEAVE,
                        subject=segment_id,
                    )
        return len(rows)


async def _claim(
    session: WorkspaceSession, segment_id: UUID, keys: Sequence[Key]
) -> Sequence[Row[UUID, datetime, bool]]:
    """Mark them as told, and return them: those that nobody else has told meanwhile."""
    done = await session.execute(
        update(Crossing)
        .where(
            Crossing.workspace_id == session.workspace_id,
            Crossing.segment_id == segment_id,
            Crossing.is_due,
            tuple_(Crossing.contact_id, Crossing.at).in_(keys),
        )
        .values(is_due=False)
        .returning(Crossing.contact_id, Crossing.at, Crossing.entered),
        execution_options={"synchronize_session": False},
    )
    return done.all()


async def _accounts(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the account on which each was seen last, of those that they follow."""
    found = await session.execute(
        select(Friendship.contact_id, Friendship.channel_id)
        .where(Friendship.contact_id.in_(contact_ids), Friendship.status == "following")
        .order_by(Friendship.last_seen_at.asc().nulls_first(), Friendship.channel_id)
    )
    return dict(found.tuples().all())


async def _give_up(session: WorkspaceSession, segment_id: UUID) -> None:
    await session.execute(
        delete(Crossing).where(
            Crossing.segment_id == segment_id,
            Crossing.is_due,
            Crossing.at < now() - GIVEN_UP_AFTER,
        )
    )
