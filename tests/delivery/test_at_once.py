"""Pause, resume and cancel take effect within a second, however slowly LINE answers."""

from __future__ import annotations

import asyncio
import time

import pytest

from hiiki.db import scope
from hiiki.delivery import freeze, sender
from hiiki.delivery.service import cancel, pause, resume

from .conftest import Account, OpenAccount, finished, sending, until

AT_ONCE = 1.0
"""Seconds, as people are promised."""
BUSY = 2.0
"""What a machine may need on top that runs other tests meanwhile."""
SLOW = 1.2
"""LINE's answers take longer than that."""


async def begun(account: Account, method: str) -> list[float]:
    """When each request to send that LINE has answered had begun, by this machine's clock."""
    return sorted(
        (row["at"] - row["milliseconds"]) / 1000
        for row in await account.control.requests()
        if row["path"] == f"/v2/bot/message/{method}"
    )


async def obeys(account: Account, *, personal: bool) -> None:
    method = "push" if personal else "multicast"
    send_id = await account.send(
        messages=[{"type": "text", "text": "{{ name }}"}], personal=personal
    )

    async def accepted() -> int:
        return (await account.get(send_id)).accepted

    await until(accepted, every=0.01)
    async with scope(account.workspace_id) as session:
        await pause(session, send_id)
    paused_at = time.time()
    # So long that a request begun a second later would have been answered by now.
    await asyncio.sleep(AT_ONCE + SLOW + 0.3)
    assert (await begun(account, method))[-1] < paused_at + AT_ONCE, "it went on after the pause"
    held = await accepted()
    assert 0 < held < len(account.users)

    async with scope(account.workspace_id) as session:
        await resume(session, send_id)
    resumed_at = time.time()

    async def more() -> bool:
        return await accepted() > held

    await until(more, every=0.01)
    first = next(at for at in await begun(account, method) if at > resumed_at - 0.01)
    assert first < resumed_at + AT_ONCE + BUSY, "it was slow to go on"

    async with scope(account.workspace_id) as session:
        await cancel(session, send_id)
    cancelled_at = time.time()

    async def nothing_waits() -> bool:
        return not any(p.state == "ready" for p in await account.parcels(send_id))

    await until(nothing_waits)
    # The sweep looks once a second, and writes thousands down at a time.
    assert time.time() < cancelled_at + 5 * AT_ONCE
    send = await finished(account, send_id)
    await asyncio.sleep(max(0, cancelled_at + AT_ONCE + SLOW - time.time()))
    last = (await begun(account, method))[-1]
    assert last < cancelled_at + AT_ONCE, "it went on after it was cancelled"
    assert send.state == "cancelled"
    assert send.cancelled > 0
    assert (send.refused, send.in_doubt) == (0, 0)
    assert send.accepted + send.cancelled == len(account.users)
    assert sum(account.arrivals().values()) == send.accepted


async def test_two_workers_obey_within_a_second(
    accounts: OpenAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sender.AT_ONCE, "bulk", 8)
    monkeypatch.setattr(freeze, "MAX_RECIPIENTS", 2)
    equal, personal = await accounts(300), await accounts(150)
    await equal.control.fault("slow", match={"path": "/v2/bot/message/"}, seconds=SLOW)
    async with sending(), sending():
        await asyncio.gather(obeys(equal, personal=False), obeys(personal, personal=True))
