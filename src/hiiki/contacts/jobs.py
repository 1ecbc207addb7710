"""What takes longer than a page may: changes of many, and the nightly look for doubles."""

from __future__ import annotations

from uuid import UUID

import structlog
from procrastinate import Blueprint, RetryStrategy
from sqlalchemy import select

from hiiki.contacts import bulk, doubles, kinds
from hiiki.db import everywhere, scope
from hiiki.kit.errors import HiikiError
from hiiki.workspace.models import Workspace

log = structlog.get_logger()
tasks = Blueprint()
RETRY = RetryStrategy(max_attempts=20, wait=30)
"""A database that is away for ten minutes must not leave a change half done."""


@tasks.task(name="bulk_edit", retry=RETRY)
async def bulk_edit(workspace_id: str, edit_id: str) -> None:
    """Do a change of many, or take it back, slice by slice, from wherever it stands."""
    try:
        while await bulk.step(UUID(workspace_id), UUID(edit_id)):
            continue
    except HiikiError as error:
        await bulk.fail(UUID(workspace_id), UUID(edit_id))
        log.warning("bulk_edit.refused", edit_id=edit_id, error=str(error))


@tasks.task(name="change_kind", retry=RETRY)
async def change_kind(workspace_id: str, edit_id: str) -> None:
    """Change an attribute's kind and all its values; from the beginning when it was cut off."""
    try:
        await kinds.run(UUID(workspace_id), UUID(edit_id))
    except HiikiError as error:
        await bulk.fail(UUID(workspace_id), UUID(edit_id))
        log.warning("change_kind.refused", edit_id=edit_id, error=str(error))


@tasks.task(name="forget_bulk_edit", retry=RETRY)
async def forget_bulk_edit(workspace_id: str, edit_id: str) -> None:
    """Forget what held before a change of many, when it can no longer be taken back."""
    async with scope(UUID(workspace_id)) as session:
        await bulk.forget(session, UUID(edit_id))


@tasks.periodic(cron="23 18 * * *")
@tasks.task(name="look_for_doubles", queueing_lock="contacts:look_for_doubles")
async def look_for_doubles(timestamp: int) -> None:
    """Look for doubles in every workspace, while it is night in Japan."""
    # A job of the installation: it begins with all workspaces, and then stays in each.
    async with everywhere() as session:
        ids = list(await session.scalars(select(Workspace.id)))
    for workspace_id in ids:
        async with scope(workspace_id) as session:
            number = await doubles.look(session)
        log.info("doubles.looked", workspace_id=str(workspace_id), open=number)
