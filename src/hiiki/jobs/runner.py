"""Running the queue's jobs: the part of a worker that belongs to Procrastinate."""

from __future__ import annotations

import asyncio
from functools import lru_cache

import procrastinate
import structlog

from hiiki.jobs import job_app
from hiiki.jobs.keep import pause
from hiiki.kit.road import road

log = structlog.get_logger()

AT_ONCE = 4
"""Jobs that one worker runs side by side."""
STALLED_SECONDS = 30.0
"""A worker without a heartbeat for so long is dead; its jobs are given to others."""


@lru_cache(maxsize=1)
def app_with_tasks() -> procrastinate.App:
    """Return this process's queue, knowing the tasks of all rooms as `room:function`."""
    app = job_app()
    for room in road().rooms:
        if room.tasks is not None:
            app.add_tasks_from(room.tasks, namespace=room.name)
    return app


async def run_jobs(stop: asyncio.Event) -> None:
    """Run jobs until `stop` is set; jobs that run then are given ten seconds to finish."""
    app = app_with_tasks()
    async with app.open_async():
        work = asyncio.create_task(
            app.run_worker_async(
                concurrency=AT_ONCE,
                install_signal_handlers=False,
                shutdown_graceful_timeout=10,
                stalled_worker_timeout=STALLED_SECONDS,
                delete_jobs="successful",
            )
        )
        rescue = asyncio.create_task(_rescue(app, stop))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, rescue, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, rescue, stopped):
                task.cancel()
            results = await asyncio.gather(work, rescue, stopped, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _rescue(app: procrastinate.App, stop: asyncio.Event) -> None:
    """Give the jobs of workers that died to those that live."""
    while not stop.is_set():
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            log.warning("job.rescued", job=job.task_name, id=job.id)
            await app.job_manager.retry_job(job)
        await pause(stop, STALLED_SECONDS / 2)
