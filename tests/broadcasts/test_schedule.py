"""Broadcasts in time: scheduled, late, taken back, and sent by a worker when it is time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from broadcasts.making import content, get, make, send, tagged
from delivery.conftest import (
    Account,
    WorkerProcess,
    sending,
    until,
)
from hiiki.broadcasts import service
from hiiki.broadcasts.jobs import tasks
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.schemas import BroadcastIn
from hiiki.contacts.models import Friendship
from hiiki.db import everywhere, scope
from hiiki.delivery.models import Parcel
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.forms import parse
from line_emulator.emulator import Emulator


async def test_a_schedule_is_kept_once_and_can_be_changed(account: Account) -> None:
    ident = await make(account)
    at = now() + timedelta(hours=2)
    for wrong in (now() - timedelta(seconds=1), now() + timedelta(days=400)):
        with pytest.raises(Invalid) as caught:
            async with scope(account.workspace_id) as session:
                await service.schedule(session, ident, wrong)
        assert list(caught.value.fields) == ["at"]
    async with scope(account.workspace_id) as session:
        await service.schedule(session, ident, at)
    with pytest.raises(Conflict):
        async with scope(account.workspace_id) as session:
            await service.save(
                session,
                await session.one(Broadcast, ident),
                parse(
                    BroadcastIn,
                    {"name": "x", "channel_id": str(account.channel_id), "draft": content()},
                ),
            )
    later = at + timedelta(hours=1)
    async with scope(account.workspace_id) as session:
        await service.schedule(session, ident, later)
    async with everywhere() as session:
        jobs = (
            await session.execute(
                text("select task_name, args, scheduled_at from procrastinate_jobs order by id"),
                execution_options={"scoped_by_hand": True},
            )
        ).all()
    assert [job.task_name for job in jobs] == [service.SEND_JOB] * 2
    assert [job.scheduled_at for job in jobs] == [at, later]
    run = tasks.tasks["send_scheduled"].func
    await run(**jobs[0].args)  # the first one's time comes: it is no longer the one
    assert (await get(account, ident)).state == "scheduled"
    await run(**jobs[1].args)
    await run(**jobs[1].args)
    assert (await get(account, ident)).state == "sent"
    async with scope(account.workspace_id) as session:
        targeted = [p.contact_ids for p in await session.scalars(select(Parcel))]
    assert sorted(ident for ids in targeted for ident in ids) == sorted(account.contacts)


async def test_a_scheduled_one_that_cannot_go_says_why(account: Account) -> None:
    segment = await tagged(account, 2)
    ident = await make(account, segment_id=str(segment))
    at = now() + timedelta(seconds=1)
    async with scope(account.workspace_id) as session:
        await service.schedule(session, ident, at)
        for person in await session.scalars(select(Friendship)):
            person.status = "blocked"
    async with scope(account.workspace_id) as session:
        await service.send_scheduled(session, ident, at)
    found = await get(account, ident)
    assert found.state == "cancelled"
    assert "届く相手がいません" in (found.problem or "")
    async with scope(account.workspace_id) as session:
        assert (await session.scalars(select(Parcel))).all() == []


async def test_one_that_is_hours_late_waits_for_a_person(account: Account) -> None:
    ident = await make(account)
    at = now() - service.MAX_LATE - timedelta(minutes=1)
    async with scope(account.workspace_id) as session:
        broadcast = await session.one(Broadcast, ident)
        broadcast.state, broadcast.scheduled_at = "scheduled", at
    async with scope(account.workspace_id) as session:
        await service.send_scheduled(session, ident, at)
    assert (await get(account, ident)).state == "cancelled"


async def test_cancel_takes_a_schedule_back_and_stops_a_send(account: Account) -> None:
    ident = await make(account)
    with pytest.raises(Conflict):
        async with scope(account.workspace_id) as session:
            await service.cancel(session, ident)
    at = now() + timedelta(hours=1)
    async with scope(account.workspace_id) as session:
        await service.schedule(session, ident, at)
        await service.cancel(session, ident)
    async with scope(account.workspace_id) as session:
        await service.send_scheduled(session, ident, at)
    assert (await get(account, ident)).state == "cancelled"
    await send(account, ident)
    async with scope(account.workspace_id) as session:
        await service.pause(session, ident)
    async with scope(account.workspace_id) as session:
        with pytest.raises(Conflict):
            await service.pause(session, ident)
        await service.resume(session, ident)
    async with scope(account.workspace_id) as session:
        await service.cancel(session, ident)
    async with sending():
        pass
    assert account.arrivals() == {}


@pytest.mark.parametrize(
    ("typed", "zone", "expected"),
    [
        ("2026-11-21T09:30", "Asia/Tokyo", datetime(2026, 11, 21, 0, 30, tzinfo=UTC)),
        ("2026-07-01T09:30", "America/New_York", datetime(2026, 7, 1, 13, 30, tzinfo=UTC)),
        ("2026-01-01T09:30", "America/New_York", datetime(2026, 1, 1, 14, 30, tzinfo=UTC)),
        ("2026-11-21T09:30+00:00", "Asia/Tokyo", datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_shops(typed: str, zone: str, expected: datetime) -> None:
    assert service.local_time(typed, zone).astimezone(ZoneInfo("UTC")) == expected


@pytest.mark.parametrize("typed", ["", "x", "2026-13-01T00:00", "2026-03-08T02:30"])
def test_a_time_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        service.local_time(typed, "America/New_York")
    assert list(caught.value.fields) == ["at"]
    assert caught.value.fields["at"].to("ja") != caught.value.fields["at"].to("en")


async def test_a_real_worker_sends_it_at_its_time_and_only_once(
    account: Account, line: Emulator, tmp_path: Path
) -> None:
    ident = await make(account)
    at = now() + timedelta(seconds=3)
    async with scope(account.workspace_id) as session:
        await service.schedule(session, ident, at)
    surroundings = {"HIIKI_LINE_API": line.url}
    workers = [WorkerProcess(tmp_path / f"worker{n}.log", surroundings) for n in range(2)]
    for worker in workers:
        await worker.start()

    async def arrived() -> bool:
        return len(account.arrivals()) == len(account.users)

    try:
        await until(arrived, 60)
        assert now() >= at
        await asyncio.sleep(1)
    finally:
        for worker in workers:
            await worker.stop()
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert (await get(account, ident)).state == "sent"
