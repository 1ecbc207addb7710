"""A worker that comes back after its lease changes nothing that another has taken over."""

from __future__ import annotations

from typing import Any

import pytest

from hiiki.db import everywhere
from hiiki.delivery.claim import claim_bulk, running_sends
from hiiki.delivery.models import Parcel
from hiiki.delivery.record import Outcome, record
from hiiki.delivery.verdict import Claimed, Verdict

from .conftest import OpenAccount

LATE = {
    "accepted": Verdict("accepted", request_id="late"),
    "refused": Verdict("refused", "late"),
    "again": Verdict("ready", "late"),  # as after 429: it is certain that nothing was accepted
    "unsure": Verdict("ready", "late", wait=60.0, is_certain=False),
    "in doubt": Verdict("in_doubt", "late"),
    "halves": Verdict("ready", "late", splits=True),
}


async def take() -> list[Claimed]:
    async with everywhere() as session:
        return await claim_bulk(session, await running_sends(session), 10)


def columns(parcel: Parcel) -> dict[str, Any]:
    return {column.name: getattr(parcel, column.name) for column in Parcel.__table__.columns}


@pytest.mark.parametrize("verdict", LATE.values(), ids=LATE)
async def test_late_outcomes_do_not_count(accounts: OpenAccount, verdict: Verdict) -> None:
    account = await accounts(4)
    send_id = await account.send()
    [first] = await take()
    await account.execute("update delivery.parcel set next_attempt_at = now()")
    [second] = await take()
    assert (second.id, second.attempts) == (first.id, first.attempts + 1)
    assert second.retry_key == first.retry_key
    [before] = await account.parcels(send_id)
    async with everywhere() as session:
        await record(session, [Outcome(first, verdict)])
    [after] = await account.parcels(send_id)
    assert columns(after) == columns(before)
    send = await account.get(send_id)
    assert (send.accepted, send.refused, send.in_doubt, send.finished_at) == (0, 0, 0, None)
    assert not await account.sent_events()
    # What the other one says counts, once.
    async with everywhere() as session:
        accepted = Outcome(second, Verdict("accepted"))
        await record(session, [accepted])
        await record(session, [accepted])
    assert (await account.get(send_id)).accepted == 4
