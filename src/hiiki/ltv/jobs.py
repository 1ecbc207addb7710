"""Lifetime values are worked out each night, and when staff ask for it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from procrastinate import Blueprint, RetryStrategy
from sqlalchemy import select

from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.jobs import enqueue
from hiiki.jobs.nightly import last_night
from hiiki.kit.clock import now
from hiiki.ltv.models import Fit
from hiiki.ltv.refresh import fit_of, refresh
from hiiki.workspace.models import Workspace

log = structlog.get_logger()

tasks = Blueprint()
JOB = "ltv:refresh_one"
PATIENCE = timedelta(hours=1)
"""After so long, what was asked for and has not come is asked for again."""


async def ask(session: WorkspaceSession) -> bool:
    """Have everything worked out by a worker, unless that is under way; tell whether it was not."""
    fit = await fit_of(session)
    if is_under_way(fit):
        return False
    fit.asked_at = now()
    ident = str(session.workspace_id)
    await enqueue(session, JOB, {"workspace_id": ident}, lock=f"ltv:{ident}")
    return True


def is_under_way(fit: Fit) -> bool:
    """Tell whether something was asked for and is not there yet."""
    asked = fit.asked_at
    if asked is None or asked < now() - PATIENCE:
        return False
    return fit.learnt_at is None or fit.learnt_at < asked


@tasks.task(name="refresh_one", retry=RetryStrategy(max_attempts=5, exponential_wait=4))
async def refresh_one(workspace_id: str) -> None:
    """Work out the lifetime values of a workspace's customers."""
    async with scope(UUID(workspace_id)) as session:
        await refresh(session)
    log.info("ltv.refreshed", workspace_id=workspace_id)


@tasks.periodic(cron="26 * * * *")
@tasks.task(name="refresh_nightly", queueing_lock="ltv:refresh_nightly")
async def refresh_nightly(timestamp: int) -> None:
    """Ask for the values of each workspace whose night has come since the last time."""
    async with everywhere() as session:  # each workspace has its own night
        found = await session.execute(
            select(Workspace.id, Workspace.timezone, Fit.learnt_at).outerjoin(
                Fit, Fit.workspace_id == Workspace.id
            )
        )
        due = [
            ident
            for ident, timezone, learnt_at in found
            if learnt_at is None or learnt_at < last_night(timezone)
        ]
    for workspace_id in due:
        async with scope(workspace_id) as session:
            await ask(session)
