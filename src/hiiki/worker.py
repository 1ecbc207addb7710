"""A worker: the queue's jobs and every room's loops, side by side in one process.

Run as many as needed, on as many machines: what they do they take from the database
under leases and locks, so two never do the same, and one that dies is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from hiiki.jobs.keep import keep_running
from hiiki.jobs.runner import run_jobs
from hiiki.line.http import close_http
from hiiki.rooms import registry

log = structlog.get_logger()


async def run_worker(stop: asyncio.Event) -> None:
    """Work until `stop` is set, then finish what is under way and return.

    A part that crashes, or loses the database, starts again by itself.
    """
    parts: dict[str, Callable[[asyncio.Event], Awaitable[None]]] = {"jobs": run_jobs}
    for room in registry.rooms:
        parts.update(room.loops)
    log.info("worker.started", parts=sorted(parts))
    try:
        async with asyncio.TaskGroup() as group:
            for name, run in parts.items():
                group.create_task(keep_running(name, run, stop), name=name)
    finally:
        await close_http()
    log.info("worker.stopped")
