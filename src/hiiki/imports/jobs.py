"""What the worker does for files: it takes them in, writes them, and deletes the old ones."""

from __future__ import annotations

from uuid import UUID

from procrastinate import Blueprint, JobContext, RetryStrategy

from hiiki.imports import exports, running

tasks = Blueprint()
TRIES = 8
RETRY = RetryStrategy(max_attempts=TRIES, wait=10)
"""A database that is away for a minute must end neither an import nor an export."""


@tasks.task(name="work", retry=RETRY, pass_context=True)
async def work(context: JobContext, workspace_id: str, import_id: str) -> None:
    """Check, run or undo an import."""
    try:
        await running.work(UUID(workspace_id), UUID(import_id))
    except Exception as error:
        if context.job.attempts + 1 >= TRIES:
            await running.give_up(UUID(workspace_id), UUID(import_id), type(error).__name__)
        raise


@tasks.task(name="write", retry=RETRY, pass_context=True)
async def write(context: JobContext, workspace_id: str, export_id: str) -> None:
    """Write a file that was asked for."""
    try:
        await exports.write(UUID(workspace_id), UUID(export_id))
    except Exception as error:
        if context.job.attempts + 1 >= TRIES:
            await exports.give_up(UUID(workspace_id), UUID(export_id), type(error).__name__)
        raise


@tasks.periodic(cron="27 3 * * *")
@tasks.task(name="clean", queueing_lock="imports:clean")
async def clean(timestamp: int) -> None:
    """Delete files whose time is over."""
    await exports.clean()
