"""Ranks are formed each night, and when staff ask for it."""

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
from hiiki.rfm.models import Scheme
from hiiki.rfm.ranking import rank, scheme_of
from hiiki.workspace.models import Workspace

log = structlog.get_logger()

tasks = Blueprint()
JOB = "rfm:form_ranks"
PATIENCE = timedelta(hours=1)
"""After so long, ranks that were asked for and have not come are asked for again."""


async def ask(session: WorkspaceSession) -> bool:
    """Have the ranks formed by a worker, unless that is under way; tell whether it was not."""
    scheme = await scheme_of(session)
    if is_under_way(scheme):
        return False
    scheme.asked_at = now()
    ident = str(session.workspace_id)
    await enqueue(session, JOB, {"workspace_id": ident}, lock=f"rfm:{ident}")
    return True


def is_under_way(scheme: Scheme) -> bool:
    """Tell whether ranks have been asked for and are not there yet."""
    asked = scheme.asked_at
    if asked is None or asked < now() - PATIENCE:
        return False
    return scheme.ranked_at is None or scheme.ranked_at < asked


@tasks.task(name="form_ranks", retry=RetryStrategy(max_attempts=5, exponential_wait=4))
async def form_ranks(workspace_id: str) -> None:
    """Form the ranks of a workspace's customers."""
    async with scope(UUID(workspace_id)) as session:
        await rank(session)
    log.info("rfm.ranked", workspace_id=workspace_id)


@tasks.periodic(cron="11 * * * *")
@tasks.task(name="form_ranks_nightly", queueing_lock="rfm:form_ranks_nightly")
async def form_ranks_nightly(timestamp: int) -> None:
    """Ask for the ranks of each workspace whose night has come since they were formed."""
    async with everywhere() as session:  # each workspace has its own night
        found = await session.execute(
            select(Workspace.id, Workspace.timezone, Scheme.ranked_at).outerjoin(
                Scheme, Scheme.workspace_id == Workspace.id
            )
        )
        due = [
            ident
            for ident, timezone, ranked_at in found
            if ranked_at is None or ranked_at < last_night(timezone)
        ]
    for workspace_id in due:
        async with scope(workspace_id) as session:
            await ask(session)
