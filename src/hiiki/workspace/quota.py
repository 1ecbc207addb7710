"""Asking LINE for the messages of this month: now and then, and before something is sent.

LINE is never waited for inside a transaction: what is being sent at that moment is written
down in the same row.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update

from hiiki.db import everywhere, scope
from hiiki.jobs.keep import pause
from hiiki.kit.clock import now
from hiiki.kit.errors import HiikiError
from hiiki.line.client import LineError
from hiiki.workspace.channels import client_of
from hiiki.workspace.consumption import ask, take
from hiiki.workspace.models import Channel

log = structlog.get_logger()

LOOK_SECONDS = 60.0
OLD = timedelta(minutes=10)
"""How old LINE's figures may become while nothing is sent."""
OLD_BEFORE_A_SEND = timedelta(minutes=2)
PATIENCE = 3.0
"""Seconds for which a send waits for LINE's figures; without an answer it goes by the last."""
AT_ONCE = 8
"""Accounts asked about at a time."""


async def keep_quotas(stop: asyncio.Event) -> None:
    """Bring every account's quota up to date until `stop`: the worker's loop `quota`."""
    while not stop.is_set():
        await refresh_old_quotas()
        await pause(stop, LOOK_SECONDS)


async def refresh_old_quotas() -> None:
    """Ask LINE about each account whose figures are old, or that has sent since they came."""
    at = now()
    has_sent = Channel.quota_own != Channel.quota_own_then
    due = or_(
        Channel.quota_asked_at.is_(None),
        Channel.quota_asked_at < at - OLD,
        and_(has_sent, Channel.quota_asked_at < at - timedelta(seconds=LOOK_SECONDS / 2)),
    )
    async with everywhere() as session:  # a worker serves all workspaces
        found = await session.execute(
            select(Channel.workspace_id, Channel.id).where(Channel.is_active, due)
        )
    places = asyncio.Semaphore(AT_ONCE)

    async def refresh(workspace_id: UUID, channel_id: UUID) -> None:
        async with places:
            await _refresh(workspace_id, channel_id, due)

    await asyncio.gather(*(refresh(*row) for row in found))


async def refresh_before_send(workspace_id: UUID, channel_id: UUID) -> None:
    """Ask LINE for the account's figures unless they are a few minutes old at most.

    Raises nothing when LINE does not answer soon: the last figures then have to do.
    """
    checked = Channel.quota_checked_at
    due = or_(checked.is_(None), checked < now() - OLD_BEFORE_A_SEND)
    try:
        async with asyncio.timeout(PATIENCE):
            await _refresh(workspace_id, channel_id, due)
    except TimeoutError:
        log.warning("quota.not_known", channel_id=str(channel_id), error="no answer in time")


async def _refresh(workspace_id: UUID, channel_id: UUID, due: ColumnElement[bool]) -> None:
    async with scope(workspace_id) as session:
        # Another process may be asking at this moment: once is enough.
        channel = await session.scalar(
            update(Channel)
            .where(Channel.id == channel_id, due)
            .values(quota_asked_at=now())
            .returning(Channel)
        )
    if channel is None:
        return
    since = channel.messages_own
    try:
        figures = await ask(client_of(channel))
    except (HiikiError, LineError) as error:
        # A revoked token or LINE's absence is shown where the account is checked.
        log.warning("quota.not_known", channel_id=str(channel_id), error=str(error))
        return
    async with scope(workspace_id) as session:
        if kept := await session.get(Channel, channel_id):
            await take(session, kept, figures, since)
