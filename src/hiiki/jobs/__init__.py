"""The job queue: Procrastinate, in the same PostgreSQL and the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import procrastinate
from sqlalchemy.ext.asyncio import AsyncSession

from hiiki.db.engine import CONNECT, database_url, libpq_url, raw_connection


@lru_cache(maxsize=1)
def job_app() -> procrastinate.App:
    """Return this process's queue; rooms' blueprints are added to it by `hiiki.rooms`."""
    return procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=libpq_url(database_url()), min_size=1, max_size=4, kwargs=CONNECT
        )
    )


async def enqueue(
    session: AsyncSession,
    task: str,
    arguments: Mapping[str, Any],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queueing_lock: str | None = None,
) -> None:
    """Queue `task` (its full name, `room:function`) in the session's own transaction.

    The job exists exactly when the data it is about does.
    """
    await session.flush()
    deferrer = job_app().configure_task(
        task,
        allow_unknown=True,
        schedule_at=at,
        lock=lock,
        queueing_lock=queueing_lock,
        connection=await raw_connection(session),
    )
    await deferrer.defer_async(**dict(arguments))
