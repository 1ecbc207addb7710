"""A send that goes wrong pauses by itself, says why, and goes on when it is told to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from conftest import Shop
from console import console
from hiiki.db import everywhere, scope
from hiiki.delivery import sender
from hiiki.delivery.claim import claim_bulk, running_sends
from hiiki.delivery.models import Send
from hiiki.delivery.record import Outcome, record
from hiiki.delivery.service import pause, progress, resume
from hiiki.delivery.sweep import sweep
from hiiki.delivery.verdict import Claimed, Verdict, after
from hiiki.line.client import Answer

from .conftest import Account, OpenAccount, finished, sending, until

PERSONAL = [{"type": "text", "text": "{{ name }}"}]
ACCEPTED = Verdict("accepted", request_id="r")
REFUSED = Verdict("refused", "Failed to send messages")
FAILED = Verdict("ready", "503 Service Unavailable", failed=True)


async def claim(send_id: UUID, count: int) -> list[Claimed]:
    """Take so many of its parcels, as soon as the rate budgets allow."""
    claimed: list[Claimed] = []

    async def enough() -> bool:
        async with everywhere() as session:
            running = [send for send in await running_sends(session) if send.id == send_id]
            claimed.extend(await claim_bulk(session, running, count - len(claimed)))
        return len(claimed) == count

    await until(enough, every=0.01)
    return claimed


async def write(parcels: Sequence[Claimed], *verdicts: tuple[int, Verdict]) -> None:
    """Record so many of these verdicts, one after the other."""
    told = [verdict for count, verdict in verdicts for _ in range(count)]
    async with everywhere() as session:
        await record(session, [Outcome(p, v) for p, v in zip(parcels, told, strict=True)])


async def paused(account: Account, send_id: UUID) -> Send:
    async def is_paused() -> Send | None:
        send = await account.get(send_id)
        return send if send.state == "paused" else None

    return await until(is_paused)


def why(send: Send) -> tuple[object, ...]:
    return send.state, send.pause_code, send.pause_failed, send.pause_of


async def has_run_a_minute(account: Account) -> None:
    await account.execute(
        "update delivery.send set running_since = running_since - interval '1 minute'"
    )


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([(100, ACCEPTED), (19, REFUSED)], ("running", None, None, None)),
        # A tenth is still within the budget; one person more is not.
        ([(180, ACCEPTED), (20, REFUSED)], ("running", None, None, None)),
        ([(179, ACCEPTED), (20, REFUSED)], ("paused", "refused", 20, 199)),
        ([(0, ACCEPTED), (199, FAILED)], ("running", None, None, None)),
        ([(100, ACCEPTED), (100, FAILED)], ("running", None, None, None)),
        ([(99, ACCEPTED), (101, FAILED)], ("paused", "errors", 101, 200)),
    ],
    ids=["few", "a tenth", "more than a tenth", "few errors", "half", "more than half"],
)
async def test_where_the_budgets_end(
    accounts: OpenAccount,
    verdicts: list[tuple[int, Verdict]],
    expected: tuple[object, ...],
) -> None:
    account = await accounts(201)
    send_id = await account.send(messages=PERSONAL, personal=True)
    await has_run_a_minute(account)
    await write(await claim(send_id, sum(count for count, _verdict in verdicts)), *verdicts)
    send = await account.get(send_id)
    assert why(send) == expected
    if send.state == "paused":
        assert send.pause_reason == verdicts[-1][1].error


async def test_the_budget_is_whole_again_after_a_resume(accounts: OpenAccount) -> None:
    account = await accounts(120)
    send_id = await account.send(messages=PERSONAL, personal=True)
    late = await claim(send_id, 40)
    await write(await claim(send_id, 20), (20, REFUSED))
    assert why(await account.get(send_id)) == ("paused", "refused", 20, 20)
    async with scope(account.workspace_id) as session:
        await resume(session, send_id)
    assert why(await account.get(send_id)) == ("running", None, None, None)
    # What was with LINE before says nothing of how it goes since.
    await write(late, (40, REFUSED))
    send = await account.get(send_id)
    assert (*why(send), send.refused) == ("running", None, None, None, 60)
    await write(await claim(send_id, 30), (10, ACCEPTED), (20, REFUSED))
    assert why(await account.get(send_id)) == ("paused", "refused", 20, 70)


async def test_a_bad_second_at_the_start_stops_nothing(accounts: OpenAccount) -> None:
    account = await accounts(201)
    send_id = await account.send(messages=PERSONAL, personal=True)
    await write(await claim(send_id, 200), (200, FAILED))
    assert why(await account.get(send_id)) == ("running", None, None, None)


async def test_nothing_is_left_to_pause(accounts: OpenAccount) -> None:
    account = await accounts(30)
    send_id = await account.send(messages=PERSONAL, personal=True)
    await write(await claim(send_id, 30), (30, REFUSED))
    send = await account.get(send_id)
    assert (*why(send), send.pause_reason) == ("done", None, None, None, None)
    assert send.finished_at is not None


async def test_staff_were_first(accounts: OpenAccount) -> None:
    account = await accounts(30)
    send_id = await account.send(messages=PERSONAL, personal=True)
    claimed = await claim(send_id, 25)
    async with scope(account.workspace_id) as session:
        await pause(session, send_id)
    await write(claimed, (25, REFUSED))
    assert why(await account.get(send_id)) == ("paused", None, None, None)


async def test_what_counts_as_an_error(accounts: OpenAccount) -> None:
    account = await accounts(1)
    [parcel] = await claim(await account.send(messages=PERSONAL, personal=True), 1)

    def failed(parcel: Claimed, status: int) -> bool:
        return after(parcel, Answer(status, None, None, {}), time.monotonic()).failed

    assert all(failed(parcel, status) for status in (0, 408, 500, 503))
    # LINE's word, whatever it is, is no failure of the way to LINE.
    assert not any(failed(parcel, status) for status in (200, 409, 400, 401, 403, 429))
    # Nor is one bad recipient of several.
    assert not failed(replace(parcel, line_user_ids=["U", "V"]), 400)


async def test_too_many_are_refused(accounts: OpenAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sender.AT_ONCE, "bulk", 20)
    account = await accounts(200)
    await account.control.fault("400", match={"path": "/v2/bot/message/push"})
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)
        send = await paused(account, send_id)
        assert send.pause_code == "refused"
        assert 20 <= (send.pause_failed or 0) <= (send.pause_of or 0) < 200
        assert send.pause_reason
        await account.control.clear_faults()
        async with scope(account.workspace_id) as session:
            await resume(session, send_id)
        send = await finished(account, send_id)
    assert (*why(send), send.accepted + send.refused) == ("done", None, None, None, 200)
    assert 20 <= send.refused < 200
    assert sum(account.arrivals().values()) == send.accepted


@pytest.mark.parametrize("kind", ["500_before", "reset"])
async def test_line_is_down(accounts: OpenAccount, kind: str) -> None:
    account = await accounts(230)
    await account.control.fault(kind, match={"path": "/v2/bot/message/push"})
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)
        await has_run_a_minute(account)
        send = await paused(account, send_id)
        assert send.pause_code == "errors"
        assert 200 <= (send.pause_of or 0) < 1000
        assert send.accepted == 0
        await account.control.clear_faults()
        async with scope(account.workspace_id) as session:
            await resume(session, send_id)
        send = await finished(account, send_id)
    assert (send.state, send.accepted) == ("done", 230)
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_a_new_token_lets_all_go_on(accounts: OpenAccount, shop: Shop) -> None:
    """The token is revoked in the middle; the owner is told, enters a new one, and that is all."""
    account = await accounts(60)
    secret = account.line.platform.channels[account.line_channel_id].secret
    old = account.line.platform.channels[account.line_channel_id].token
    await account.control.fault(
        "401", match={"path": "/v2/bot/message/push"}, nth=list(range(20, 2000))
    )
    async with console() as app, httpx.AsyncClient(base_url=account.line.url) as line, sending():
        owner = await app.person(shop)
        send_id = await account.send(messages=PERSONAL, personal=True)

        async def told() -> bool:
            return "からの送信が止まっています" in (await owner.get("/")).text

        await until(told)
        assert (await line.post("/v2/oauth/revoke", data={"access_token": old})).is_success
        await account.control.clear_faults()
        given = {
            "grant_type": "client_credentials",
            "client_id": account.line_channel_id,
            "client_secret": secret,
        }
        new = (await line.post("/v2/oauth/accessToken", data=given)).json()["access_token"]
        page = f"/settings/channels/{account.channel_id}"
        assert "からの送信は止まっています" in (await owner.get(page)).text
        answer = await owner.form(f"{page}/credentials", {"token": new})
        assert answer.status_code == 303, answer.text
        send = await finished(account, send_id)
        assert not await told()
    assert (send.state, send.accepted) == ("done", 60)
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_its_speed_is_that_of_the_last_seconds(accounts: OpenAccount) -> None:
    account = await accounts(60)
    send_id = await account.send(messages=PERSONAL, personal=True)
    await write(await claim(send_id, 40), (40, ACCEPTED))

    async def speed(*, after: float) -> tuple[float, float | None]:
        """What is told when so many seconds have passed, and a worker has looked."""
        columns = ("running_since", "pace_at", "next_pace_at", "settled_at")
        earlier = ", ".join(f"{one} = {one} - make_interval(secs => :secs)" for one in columns)
        await account.execute(f"update delivery.send set {earlier}", secs=after)
        async with scope(account.workspace_id) as session:
            stands = await progress(session, send_id)
        async with everywhere() as session:
            await sweep(session)
        return stands.per_second, stands.seconds_left

    # 40 in the first five seconds, then none for ten: what came before is forgotten.
    fast, left = await speed(after=5.1)
    assert 6 < fast <= 40 / 5
    assert left is not None
    assert left == pytest.approx(20 / fast, rel=0.05)
    slow, _left = await speed(after=5.1)
    assert 3 < slow <= 40 / 10
    assert await speed(after=5.1) == (0, None)
    await write(await claim(send_id, 12), (12, ACCEPTED))
    again, _left = await speed(after=5.1)
    assert 0.9 < again <= 12 / 10
    async with scope(account.workspace_id) as session:
        await pause(session, send_id)
        assert (await progress(session, send_id)).per_second == 0
        await resume(session, send_id)
        assert (await progress(session, send_id)).per_second == 0
