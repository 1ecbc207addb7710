"""The worker's parts: what crashes starts again, what a dead worker left is taken up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import sql

import hiiki.rooms  # noqa: F401 — opens the road
from hiiki.db import everywhere
from hiiki.db.engine import database_url, libpq_url
from hiiki.jobs import enqueue
from hiiki.jobs.keep import keep_running
from hiiki.jobs.runner import run_jobs

from .conftest import Forked, OpenAccount, finished, until

HARMLESS = "procrastinate.builtin_tasks.remove_old_jobs"


async def ask(statement: str, **values: object) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(
        libpq_url(database_url()), autocommit=True
    ) as connection:
        found = await connection.execute(statement, values)  # type: ignore[arg-type]
        return await found.fetchall() if found.description else []


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(keep_running("jobs", run_jobs, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


async def no_jobs_left() -> bool:
    return not await ask("select 1 from procrastinate_jobs")


async def test_a_job_runs(db: str) -> None:
    async with everywhere() as session:
        await enqueue(session, HARMLESS, {"max_hours": 1})
    assert not await no_jobs_left()
    async with working():
        await until(no_jobs_left)


async def test_a_job_exists_only_with_its_data(db: str) -> None:
    async def refused() -> None:
        async with everywhere() as session:
            await enqueue(session, HARMLESS, {"max_hours": 1})
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await refused()
    assert await no_jobs_left()


async def test_what_a_dead_worker_left_is_done_by_another(db: str) -> None:
    async with everywhere() as session:
        await enqueue(session, HARMLESS, {"max_hours": 1})
    # A worker took it, and has not been heard of for a minute.
    await ask(
        "with dead as (insert into procrastinate_workers (last_heartbeat)"
        " values (now() - interval '1 minute') returning id)"
        " update procrastinate_jobs set status = 'doing', worker_id = (select id from dead)"
    )
    async with working():
        await until(no_jobs_left)


async def test_what_crashes_starts_again() -> None:
    stop = asyncio.Event()
    calls: list[int] = []

    async def flaky(stop: asyncio.Event) -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise ValueError("a bug")
        if len(calls) == 2:
            raise ConnectionResetError("the network")
        if len(calls) == 3:
            return
        stop.set()

    await asyncio.wait_for(keep_running("flaky", flaky, stop), 10)
    assert len(calls) == 4


async def database_away(name: str, seconds: float) -> None:
    """Cut every connection to the database, and let nobody in for a while."""
    async with await psycopg.AsyncConnection.connect(
        libpq_url(database_url()), dbname="postgres", autocommit=True
    ) as connection:
        change = "alter database {} allow_connections {}"
        refuse = sql.SQL(change).format(sql.Identifier(name), sql.SQL("false"))
        await connection.execute(refuse)
        try:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )
            await asyncio.sleep(seconds)
        finally:
            admit = sql.SQL(change).format(sql.Identifier(name), sql.SQL("true"))
            await connection.execute(admit)


@pytest.mark.slow
async def test_the_database_goes_away_in_the_middle(
    accounts: OpenAccount, worker: Callable[[], Forked], db: str
) -> None:
    account = await accounts(400)
    await account.control.fault(
        "slow", seconds=0.3, match={"path": "/v2/bot/message/"}, probability=0.5
    )
    send_id = await account.send(messages=[{"type": "text", "text": "{{ name }}"}], personal=True)
    one = worker(3.0)
    one.start()

    async def begun() -> bool:
        return len(account.arrivals()) > 50

    await until(begun, 60, every=0.005)
    [(name,)] = await ask("select current_database()")
    for _time in range(2):
        await database_away(str(name), 1.5)
        await asyncio.sleep(0.5)
    send = await finished(account, send_id, 40)
    assert (send.state, send.accepted) == ("done", 400)
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)
    # And it is still listening: what comes now goes out at once.
    later = await account.send("もう一度", to=account.contacts[:3])
    assert (await finished(account, later, 30)).accepted == 3
