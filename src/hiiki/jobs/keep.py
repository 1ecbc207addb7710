"""Keeping long-running parts alive: a crash is logged, and the part starts again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger()

FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0
"""A database that comes back is used again after this many seconds at the latest."""
CALM = 30.0
"""A part that ran for so many seconds is well: its next crash is its first."""


async def keep_running(
    name: str, run: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Call `run(stop)` until `stop` is set, again and again when it fails, with growing waits."""
    wait = FIRST_WAIT
    while not stop.is_set():
        started = time.monotonic()
        try:
            await run(stop)
            if stop.is_set():
                return
            log.warning("loop.ended", loop=name)
        except (DBAPIError, OSError) as error:
            # The database is away: one line says all, a traceback would say no more.
            log.warning("loop.interrupted", loop=name, error=str(error).partition("\n")[0])
        except Exception:
            log.exception("loop.crashed", loop=name)
        if time.monotonic() - started > CALM:
            wait = FIRST_WAIT
        await pause(stop, wait * random.uniform(0.5, 1))  # noqa: S311 — spreading, not secrecy
        wait = min(LONGEST_WAIT, wait * 2)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep for `seconds`, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
