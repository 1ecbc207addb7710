"""LINE's own figure of the messages of this month, asked for now and then.

Between two askings the delivery room adds what it sends; the account's other tools, and
what LINE does not count, come in only with LINE's figure.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import or_, select

from hiiki.db import everywhere, scope
from hiiki.jobs.keep import pause
from hiiki.kit.clock import now
from hiiki.kit.errors import HiikiError
from hiiki.line.client import LineError
from hiiki.workspace.channels import refresh_quota
from hiiki.workspace.models import Channel

log = structlog.get_logger()

EVERY_SECONDS = 600.0
LOOK_SECONDS = 60.0


async def keep_quotas(stop: asyncio.Event) -> None:
    """Bring every account's quota up to date until `stop`: the worker's loop `quota`."""
    while not stop.is_set():
        await refresh_old_quotas()
        await pause(stop, LOOK_SECONDS)


async def refresh_old_quotas() -> None:
    """Ask LINE about each account whose figures are older than ten minutes."""
    old = now() - timedelta(seconds=EVERY_SECONDS)
    stale = or_(Channel.quota_checked_at.is_(None), Channel.quota_checked_at < old)
    async with everywhere() as session:  # a worker serves all workspaces
        due = await session.execute(
            select(Channel.workspace_id, Channel.id).where(Channel.is_active, stale)
        )
    for workspace_id, channel_id in due:
        async with scope(workspace_id) as session:
            # Another worker may be asking at this moment: once is enough.
            channel = await session.scalar(
                select(Channel)
                .where(Channel.id == channel_id, stale)
                .with_for_update(skip_locked=True)
            )
            if channel is None:
                continue
            try:
                await refresh_quota(session, channel)
            except (HiikiError, LineError) as error:
                # A revoked token or LINE's absence is shown where the account is checked;
                # the next look is in ten minutes.
                channel.quota_checked_at = now()
                log.warning("quota.not_known", channel_id=str(channel_id), error=str(error))
