"""Promise 2: workers killed with -9 at any moment, and everybody still gets it exactly once.

Two hundred kills in all, at instants thrown with dice, while LINE has faults of every kind.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import UUID

import pytest

from conftest import Shop
from console import console

from .conftest import HASTY, PATIENT, Account, Forked, OpenAccount, WorkerProcess, finished, until
from .killing import FAULTS, PEOPLE, PERSONAL, Toll, Watch, Work, all_once, kill

pytestmark = pytest.mark.slow
MakeWorker = Callable[..., Forked]
KILLS = 50
DAY = 25 * 3600.0


@pytest.mark.parametrize(("workers", "seed"), [(1, 1), (1, 2), (2, 3), (2, 4)])
async def test_killed_at_random_with_faults_on(
    accounts: OpenAccount, worker: MakeWorker, workers: int, seed: int
) -> None:
    dice = random.Random(seed)
    account = await accounts(KILLS * PEOPLE)
    await account.control.faults(FAULTS)
    work, watch, toll = Work(account), Watch(account.line), Toll()
    crew = [worker(HASTY) for _ in range(workers)]
    victims = list(crew)
    for _kill in range(KILLS):
        for victim in victims:
            victim.start()
        await work.more()
        # Of two mostly one is killed, now this, now that, and at times both at once.
        victims = crew if dice.random() < 0.2 else [dice.choice(crew)]
        await kill(dice, watch, victims)
        await toll.count(account)
    for victim in victims:
        victim.start()
    await all_once(account)
    for one in crew:
        await one.stop()
    # Killing workers that have nothing in their hands would prove nothing.
    assert toll.idle < KILLS / 4, vars(toll)
    assert toll.unheard > KILLS / 4, vars(toll)
    assert toll.undone > KILLS / 4, vars(toll)


async def test_the_command_itself_is_killed(
    accounts: OpenAccount, command: WorkerProcess, worker: MakeWorker
) -> None:
    account = await accounts(1001)
    await account.control.faults([{"kind": "slow", "seconds": 0.2}])
    watch = Watch(account.line)
    await account.send()
    await command.start()
    await watch.nth("answered", 3, lambda: None, seconds=60)
    await command.kill()
    assert set(account.arrivals()) == set(account.users)
    assert not await account.sent_events(), "it was killed too late"
    worker().start()
    await all_once(account)


async def test_the_machine_is_off_for_a_day(
    accounts: OpenAccount, worker: MakeWorker, shop: Shop
) -> None:
    """LINE has forgotten the retry keys: who may have got it is shown, and not sent to again."""
    account = await accounts(260)
    watch, one = Watch(account.line), worker()
    send_id = await account.send(messages=PERSONAL, personal=True)
    one.start()
    await watch.nth("answered", 30, one.strike)
    await one.kill()
    held = {
        person
        for parcel in await account.parcels(send_id)
        if parcel.state == "sending"
        for person in parcel.contact_ids
    }
    assert held
    await account.control.clock(advance=DAY)
    await account.execute(
        "update delivery.parcel set next_attempt_at = next_attempt_at - make_interval(secs => :s),"
        " first_attempt_at = first_attempt_at - make_interval(secs => :s)",
        s=DAY,
    )
    one.start()
    send = await finished(account, send_id, 60)
    assert (send.state, send.accepted, send.in_doubt) == ("done", 260 - len(held), len(held))
    arrived = account.arrivals()
    assert set(arrived.values()) == {1}
    assert len(arrived) >= max(30, 260 - len(held))
    await until(lambda: _told(account, 260 - len(held)))
    assert await account.sent_events() == dict.fromkeys(set(account.contacts) - held, 1)
    async with console() as app:
        staff, program = await app.person(shop), await app.program(shop)
        shown = await staff.get(f"/deliveries/undelivered?send={send_id}")
        url = f"/api/v1/undelivered?send_id={send_id}&state=in_doubt&limit=100"
        found = (await program.get(url)).json()["items"]
    assert "24時間" in shown.text
    assert {UUID(person) for item in found for person in item["contact_ids"]} <= held
    assert len(found) == min(100, len(held))


async def _told(account: Account, people: int) -> bool:
    return (await account.sent_events()).total() >= people


async def test_asked_to_end_it_finishes_what_it_has_begun(
    accounts: OpenAccount, worker: MakeWorker
) -> None:
    account = await accounts(700)
    await account.control.fault("slow", seconds=0.3, match={"path": "/v2/bot/message/"})
    send_id = await account.send(messages=PERSONAL, personal=True)
    watch, one = Watch(account.line), worker(PATIENT)
    one.start()
    await watch.nth("coming", 5, lambda: None)
    await one.stop()
    states = {parcel.state for parcel in await account.parcels(send_id)}
    assert "sending" not in states
    arrived = sum(account.arrivals().values())
    assert 5 <= arrived < 700
    assert (await account.get(send_id)).accepted == arrived
