"""Promise 2: workers killed with -9 at any moment, and everybody still gets it exactly once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from .conftest import Account, OpenAccount, WorkerProcess, finished, until

pytestmark = pytest.mark.slow
MakeWorker = Callable[[], WorkerProcess]
PERSONAL = [{"type": "text", "text": "{{ name }}さん"}]
FAULTS = [
    {"kind": "500_after", "match": {"path": "/v2/bot/message/"}, "probability": 0.10},
    {"kind": "500_before", "match": {"path": "/v2/bot/message/"}, "probability": 0.05},
    {"kind": "429", "match": {"path": "/v2/bot/message/"}, "probability": 0.03},
    {"kind": "reset", "accept": True, "match": {"path": "/v2/bot/message/"}, "probability": 0.05},
    {"kind": "reset", "accept": False, "match": {"path": "/v2/bot/message/"}, "probability": 0.03},
    {"kind": "timeout", "accept": True, "match": {"path": "/v2/bot/message/"}, "count": 4},
    {"kind": "slow", "seconds": 0.05, "match": {"path": "/v2/bot/message/"}, "probability": 0.5},
]


async def all_once(account: Account, send_id: object, people: int) -> None:
    send = await finished(account, send_id, 120)  # type: ignore[arg-type]
    assert (send.state, send.accepted) == ("done", people)
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)
    assert account.line.platform.own_errors == 0


async def under_way(account: Account) -> None:
    """Wait for the first request at LINE: the worker is up and in the middle of it."""

    async def asked() -> bool:
        return bool(account.line.platform.requests.last)

    await until(asked, 60, every=0.005)


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_at_random_with_faults_on(
    accounts: OpenAccount, worker: MakeWorker, seed: int
) -> None:
    dice = random.Random(seed)
    account = await accounts(300)
    send_id = await account.send(messages=PERSONAL, personal=True)
    await account.control.faults(FAULTS)
    one = worker()
    await one.start()
    await under_way(account)
    for _kill in range(3):
        await asyncio.sleep(dice.uniform(0, 0.4))
        await one.kill()
        asked = account.line.platform.requests.last
        await one.start()

        async def again(since: int = asked) -> bool:
            over = (await account.get(send_id)).finished_at is not None
            return over or account.line.platform.requests.last > since

        await until(again, 60, every=0.005)
    await all_once(account, send_id, 300)


async def test_multicast_killed_with_faults_on(accounts: OpenAccount, worker: MakeWorker) -> None:
    account = await accounts(4000)
    await account.control.faults(FAULTS)
    send_id = await account.send()
    one = worker()
    await one.start()
    await under_way(account)
    await one.kill()
    await one.start()
    await all_once(account, send_id, 4000)


async def test_two_workers_one_of_them_killed(accounts: OpenAccount, worker: MakeWorker) -> None:
    account = await accounts(500)
    await account.control.faults(FAULTS)
    send_id = await account.send(messages=PERSONAL, personal=True)
    one, other = worker(), worker()
    await one.start()
    await other.start()
    await under_way(account)
    await asyncio.sleep(0.1)
    await one.kill()
    await all_once(account, send_id, 500)
    await other.stop()


async def test_asked_to_end_it_finishes_what_it_has_begun(
    accounts: OpenAccount, worker: MakeWorker
) -> None:
    account = await accounts(300)
    await account.control.fault("slow", seconds=0.3, match={"path": "/v2/bot/message/"})
    send_id = await account.send(messages=PERSONAL, personal=True)
    one = worker()
    await one.start()
    await under_way(account)
    await one.stop()
    states = {parcel.state for parcel in await account.parcels(send_id)}
    assert "sending" not in states
    send = await account.get(send_id)
    assert send.accepted == sum(account.arrivals().values())
