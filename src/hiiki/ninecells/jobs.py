"""Placing everybody: after a change of what answers mean, and every night."""

from __future__ import annotations

from uuid import UUID

from procrastinate import Blueprint, RetryStrategy
from sqlalchemy import select

from hiiki.db import everywhere, scope
from hiiki.jobs import enqueue
from hiiki.jobs.nightly import last_night
from hiiki.kit.clock import now
from hiiki.ninecells.figures import counts_now
from hiiki.ninecells.history import place, slices
from hiiki.ninecells.kept import keep
from hiiki.ninecells.models import Setup
from hiiki.ninecells.service import definition
from hiiki.ninecells.telling import tell_some
from hiiki.workspace.models import Workspace

tasks = Blueprint()
RETRY = RetryStrategy(max_attempts=10, wait=60)


@tasks.task(name="refresh", retry=RETRY)
async def refresh(workspace_id: str, is_told: bool) -> None:
    """Place everybody of a workspace, then tell rules of fresh moves, a hundred at a time."""
    ident = UUID(workspace_id)
    async with scope(ident) as session:
        if await session.get(Setup, ident) is None:
            return
        parts = await slices(session)
    for number, part in enumerate(parts, 1):
        async with scope(ident) as session:
            setup = await session.one(Setup, ident)
            await place(session, setup, between=part, is_told=is_told)
            wanted, is_last = definition(setup), number == len(parts)
            if is_last:
                setup.refreshed_at, setup.placed_by = now(), wanted
                await keep(session, setup, await counts_now(session))
            elif setup.placed_by != wanted:
                # Those of some slices are read anew, those of others not yet: no count of a
                # segment is to compare this with any other moment.
                setup.placed_by = f"{number}: {wanted}"
    while True:
        async with scope(ident) as session:
            if not await tell_some(session):
                return


@tasks.periodic(cron="37 * * * *")
@tasks.task(name="each_night")
async def each_night(timestamp: int) -> None:
    """Have the maps refreshed of workspaces whose night has come: people lapse in silence."""
    # A clock is nobody's own: it looks at every workspace's zone.
    async with everywhere() as session:
        rows = await session.execute(
            select(Setup.workspace_id, Workspace.timezone, Setup.refreshed_at).join(
                Workspace, Workspace.id == Setup.workspace_id
            )
        )
        for ident, zone, refreshed_at in rows.all():
            if refreshed_at is None or refreshed_at < last_night(zone):
                # What a change of the answers' meaning has not finished is no news to rules.
                await enqueue(
                    session,
                    "ninecells:refresh",
                    {"workspace_id": str(ident), "is_told": refreshed_at is None},
                    lock=f"ninecells:{ident}",
                )
