"""What happens by the clock: carts that were left, posts that are old."""

from __future__ import annotations

import structlog
from procrastinate import Blueprint
from sqlalchemy import distinct, select

from hiiki.db import everywhere, scope
from hiiki.purchases import carts, posts
from hiiki.purchases.models import Cart, Reckoning
from hiiki.purchases.writing import count_days_anew
from hiiki.workspace.models import Workspace

log = structlog.get_logger()
tasks = Blueprint()


@tasks.periodic(cron="*/5 * * * *")
@tasks.task(name="leave_carts", queueing_lock="purchases:leave_carts")
async def leave_carts(timestamp: int) -> None:
    """Note which carts have been left."""
    # Which workspaces have carts that are open; each is then looked at by itself.
    async with everywhere() as session:
        found = await session.scalars(
            select(distinct(Cart.workspace_id)).where(Cart.status == "open")
        )
        workspaces = list(found)
    left = 0
    for workspace_id in workspaces:
        some = carts.AT_ONCE
        while some == carts.AT_ONCE:
            async with scope(workspace_id) as session:
                some = await carts.leave_old(session)
            left += some
    log.info("purchases.carts_left", carts=left)


@tasks.periodic(cron="43 3 * * *")
@tasks.task(name="forget_posts", queueing_lock="purchases:forget_posts")
async def forget_posts(timestamp: int) -> None:
    """Delete what shop systems posted a month ago."""
    log.info("purchases.posts_forgotten", posts=await posts.forget_old())


@tasks.periodic(cron="27 * * * *")
@tasks.task(name="reckon_days", queueing_lock="purchases:reckon_days")
async def reckon_days(timestamp: int) -> None:
    """Count the days of sales anew where the workspace has another time zone now."""
    # Which workspaces those are; each is then counted by itself.
    async with everywhere() as session:
        found = await session.execute(
            select(Workspace.id, Workspace.timezone)
            .join(Reckoning, Reckoning.workspace_id == Workspace.id)
            .where(Reckoning.zone != Workspace.timezone)
        )
        moved = list(found.tuples())
    for workspace_id, zone in moved:
        async with scope(workspace_id) as session:
            await count_days_anew(session, zone)
    log.info("purchases.days_reckoned", workspaces=len(moved))
