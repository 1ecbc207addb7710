"""Unit names: under a send's name LINE counts who opened it, and its links.

LINE tells nothing of one person, and nothing of fewer than 20; it knows at most 1,000
names a month, by its own calendar, and sends what goes beyond all the same, without a
name (Messaging API, "Get statistics of sent messages").
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from hiiki.db import WorkspaceSession
from hiiki.delivery.models import InsightAccount, Interaction, Send
from hiiki.delivery.sql import BY_HAND
from hiiki.kit.clock import now
from hiiki.line.limits import LINE_DAYS, PEOPLE_TO_TELL, UNITS_A_MONTH

FIRST_LOOK = timedelta(minutes=30)
"""After so long LINE is asked about a send for the first time."""


def name_of(send_id: UUID) -> str:
    """Return a send's unit name: 26 letters and digits, of the 30 that LINE takes."""
    return base64.b32encode(send_id.bytes).decode().rstrip("=").lower()


async def assign(session: WorkspaceSession, send: Send) -> None:
    """Give a send its unit name, once its audience is frozen.

    It has none when it is for so few that LINE would tell nothing, or when the month's names
    are used up.
    """
    if send.targeted < PEOPLE_TO_TELL or await names_left(session, send.channel_id) <= 0:
        return
    send.unit = name_of(send.id)
    await ensure_account(session, send.workspace_id, send.channel_id)
    session.add(
        Interaction(
            workspace_id=send.workspace_id,
            send_id=send.id,
            channel_id=send.channel_id,
            next_at=now() + FIRST_LOOK,
        )
    )


async def ensure_account(session: WorkspaceSession, workspace_id: UUID, channel_id: UUID) -> None:
    """Make the account's row, if it has none yet."""
    made = insert(InsightAccount).values(
        workspace_id=workspace_id, channel_id=channel_id, next_at=now(), units_used=0
    )
    await session.execute(made.on_conflict_do_nothing(), execution_options=BY_HAND)


async def names_left(session: WorkspaceSession, channel_id: UUID) -> int:
    """Return how many new names LINE still takes this month.

    LINE's own count holds the names of other tools on the account, but is up to an hour old
    (`hiiki.delivery.insight`); to it come our sends since then.
    """
    month = month_start(now())
    ours = await _named(
        session,
        channel_id,
        # One that goes on into a new month takes up a name of that month, too.
        or_(Send.created_at >= month, Send.finished_at.is_(None), Send.finished_at >= month),
    )
    account = await session.get(InsightAccount, channel_id)
    if account is None or account.units_asked_at is None or account.units_asked_at < month:
        return UNITS_A_MONTH - ours
    since = await _named(session, channel_id, Send.created_at >= account.units_asked_at)
    return UNITS_A_MONTH - max(ours, account.units_used + since)


async def _named(session: WorkspaceSession, channel_id: UUID, when: object) -> int:
    found = await session.scalar(
        select(func.count())
        .select_from(Send)
        .where(Send.channel_id == channel_id, Send.unit.is_not(None), when)  # pyright: ignore[reportArgumentType]
    )
    return int(found or 0)


def month_start(moment: datetime) -> datetime:
    """Return the first moment of LINE's month."""
    there = moment.astimezone(LINE_DAYS)
    return there.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
