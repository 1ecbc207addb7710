"""Rate budgets: one for all workers, spent with the claim, and urgent work first."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from hiiki.db import everywhere, scope
from hiiki.delivery import budget
from hiiki.delivery.claim import claim_bulk, claim_urgent, running_sends
from hiiki.delivery.models import Budget
from hiiki.delivery.service import say

from .conftest import OpenAccount, finished, sending

PERSONAL = [{"type": "text", "text": "{{ name }}さん"}]


async def level(channel_id: UUID, method: str) -> float:
    async with everywhere() as session:
        return (await budget.lock(session, [(channel_id, method)]))[channel_id, method]


async def take(room: int) -> Counter[str]:
    """Claim as a worker would, and never send; returns how many by method."""
    async with everywhere() as session:
        running = await running_sends(session)
        claimed = await claim_bulk(session, running, room) if running else []
    return Counter(parcel.method for parcel in claimed)


async def test_workers_together_claim_no_more_than_the_budget(accounts: OpenAccount) -> None:
    account = await accounts(900)
    await account.send(messages=PERSONAL, personal=True)
    begun = asyncio.get_running_loop().time()
    claims = await asyncio.gather(*(take(300) for _worker in range(4)))
    seconds = asyncio.get_running_loop().time() - begun
    claimed = sum(claim["push"] for claim in claims)
    capacity = budget.CAPACITY["push"]
    # The burst that bulk may take, and what flowed in while they claimed.
    assert claimed <= capacity * (1 - budget.KEPT_FOR_URGENT) + budget.PER_SECOND["push"] * seconds
    assert claimed >= capacity * (1 - budget.KEPT_FOR_URGENT) - 1


async def test_a_budget_fills_at_lines_speed_and_holds_a_burst(accounts: OpenAccount) -> None:
    account = await accounts(0)
    endpoint = (account.channel_id, "multicast")
    async with everywhere() as session:
        await budget.lock(session, [endpoint])
        assert not await budget.spend(session, {endpoint: 50})
        row = await session.get(Budget, endpoint)
        assert row is not None
        left = row.level
    assert -10 <= left < 1  # a debt: the burst is 40
    await account.execute(
        "update delivery.budget set filled_at = filled_at - interval '100 milliseconds'"
    )
    assert await level(*endpoint) >= left + 20
    await account.execute("update delivery.budget set filled_at = filled_at - interval '1 hour'")
    assert await level(*endpoint) == budget.CAPACITY["multicast"]


async def test_lines_429_stops_every_worker_for_a_while(accounts: OpenAccount) -> None:
    account = await accounts(30)
    async with everywhere() as session:
        await budget.lock(session, [(account.channel_id, "multicast")])
        await budget.punish(session, [(account.channel_id, "multicast")])
    await account.send()
    assert await take(100) == Counter()
    async with sending():
        send_id = await account.send()
        assert (await finished(account, send_id, 15)).accepted == 30


async def test_bulk_leaves_room_for_replies_and_urgent_goes_into_debt(
    accounts: OpenAccount,
) -> None:
    account = await accounts(3)
    endpoint = (account.channel_id, "push")
    await account.send(messages=PERSONAL, personal=True)
    async with everywhere() as session:
        await budget.lock(session, [endpoint])
        await budget.spend(session, {endpoint: int(budget.CAPACITY["push"] * 0.8)})
    await account.execute("update delivery.budget set filled_at = now() + interval '1 minute'")
    assert await take(100) == Counter()
    async with scope(account.workspace_id) as session:
        await say(
            session,
            contact_id=account.contacts[0],
            channel_id=account.channel_id,
            messages=[{"type": "text", "text": "お返事"}],
        )
    async with everywhere() as session:
        claimed, may_go_on = await claim_urgent(session, 10)
    assert (len(claimed), may_go_on) == (1, True)


@pytest.mark.parametrize("others", [1, 5])
async def test_one_channels_budget_is_nothing_to_another(
    accounts: OpenAccount, others: int
) -> None:
    account = await accounts(10)
    for _other in range(others):
        spent = await accounts(2)
        async with everywhere() as session:
            await budget.lock(session, [(spent.channel_id, "multicast")])
            await budget.spend(session, {(spent.channel_id, "multicast"): 10_000})
        await spent.send()
    async with sending():
        send_id = await account.send()
        assert (await finished(account, send_id, 10)).accepted == 10
