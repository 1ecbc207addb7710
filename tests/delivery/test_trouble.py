"""What can go wrong between us and LINE: limits, tokens, silence, a day of doubt."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from hiiki.db import everywhere, scope
from hiiki.delivery.service import cancel, pause, progress, resume
from hiiki.kit.errors import Conflict, NotFound
from hiiki.workspace.channels import replace_credentials
from hiiki.workspace.models import Channel
from hiiki.workspace.schemas import ChannelCredentials
from line_emulator.model import IssuedToken

from .conftest import Account, OpenAccount, Shop, finished, sending, until
from .killing import Watch

PERSONAL = [{"type": "text", "text": "{{ name }}"}]


async def in_state(account: Account, send_id: object, state: str) -> None:
    async def reached() -> bool:
        return (await account.get(send_id)).state == state  # type: ignore[arg-type]

    await until(reached)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "500_before"},
        {"kind": "500_after"},
        {"kind": "reset", "accept": True},
        {"kind": "reset", "accept": False},
        {"kind": "timeout", "accept": True},
    ],
    ids=lambda f: f"{f['kind']}-{f.get('accept')}",
)
@pytest.mark.parametrize("personal", [False, True])
async def test_silence_and_errors_lose_nobody(
    accounts: OpenAccount, fault: dict[str, object], personal: bool, impatient: None
) -> None:
    account = await accounts(40)
    rule = {**fault, "match": {"path": "/v2/bot/message/"}, "count": 3}
    await account.control.faults([rule])
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=personal)
        send = await finished(account, send_id, 60)
    assert send.accepted == 40
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)


async def test_quota_reached_in_the_middle(accounts: OpenAccount) -> None:
    account = await accounts(60, quota=25)
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)
        await in_state(account, send_id, "paused")
        await asyncio.sleep(0.5)
        send = await account.get(send_id)
        assert send.accepted == 25
        assert send.pause_reason == "You have reached your monthly limit."
        assert sum(account.arrivals().values()) == 25
        # The shop buys more messages, and goes on.
        await account.control.update_channel(account.line_channel_id, quota=100)
        async with scope(account.workspace_id) as session:
            await resume(session, send_id)
        send = await finished(account, send_id)
    assert (send.accepted, send.state) == (60, "done")
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_quota_reached_in_the_middle_of_multicasts(accounts: OpenAccount) -> None:
    """LINE takes a request whole or not at all; what it did not take waits, and goes later."""
    account = await accounts(1300, quota=900)
    async with sending(), sending():
        send_id = await account.send()
        await in_state(account, send_id, "paused")
        await nothing_is_with_line(account, send_id)
        send = await account.get(send_id)
        assert send.accepted in (500, 800)
        assert account.arrivals().total() == send.accepted
        await account.control.update_channel(account.line_channel_id, quota=2000)
        async with scope(account.workspace_id) as session:
            await resume(session, send_id)
        send = await finished(account, send_id)
    assert (send.accepted, send.state) == (1300, "done")
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)


async def nothing_is_with_line(account: Account, send_id: UUID) -> None:
    async def settled() -> bool:
        return not any(p.state == "sending" for p in await account.parcels(send_id))

    await until(settled)


async def test_token_revoked_in_the_middle(accounts: OpenAccount) -> None:
    account = await accounts(50)
    platform = account.line.platform
    channel = platform.channels[account.line_channel_id]
    token = platform.new_token()

    def revoke() -> None:
        platform.drop_token(channel, channel.token)
        platform.keep_token(channel, IssuedToken(token, "long-lived", None))

    async def reason() -> str | None:
        async with scope(account.workspace_id) as session:
            return (await session.one(Channel, account.channel_id)).paused_reason

    watch = Watch(account.line)
    async with sending(), sending():
        send_id = await account.send(messages=PERSONAL, personal=True)
        await watch.nth("answered", 20, revoke)
        said = await until(reason)
        assert "access token" in said.lower() or "authentication" in said.lower()
        await nothing_is_with_line(account, send_id)
        requests = len(await account.control.requests())
        async with scope(account.workspace_id) as session:
            stands = await progress(session, send_id)
        assert (stands.state, stands.accepted) == ("running", account.arrivals().total())
        assert 20 <= stands.accepted < 50
        assert stands.waiting == 50 - stands.accepted
        assert stands.channel_paused_reason == said
        assert stands.seconds_left is None
        await asyncio.sleep(1.5)
        assert len(await account.control.requests()) == requests, "it went on knocking"
        # The owner puts in a new token.
        async with scope(account.workspace_id) as session:
            shown = await session.one(Channel, account.channel_id)
            await replace_credentials(session, shown, ChannelCredentials(token=token))
        send = await finished(account, send_id)
    assert send.accepted == 50
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)


async def test_a_token_that_cannot_be_opened_pauses_the_channel(accounts: OpenAccount) -> None:
    account = await accounts(3)
    # Sealed for another purpose: as good as sealed with another key.
    await account.execute("update workspace.channel set sealed_token = sealed_secret")

    async def paused() -> bool:
        async with everywhere() as session:
            return bool(
                await session.scalar(
                    text("select paused_reason is not null from workspace.channel"),
                    execution_options={"scoped_by_hand": True},
                )
            )

    async with sending():
        send_id = await account.send()
        await until(paused)
    [parcel] = await account.parcels(send_id)
    assert (parcel.state, parcel.first_attempt_at) == ("ready", None)


async def test_a_day_of_doubt_ends_it(accounts: OpenAccount) -> None:
    account = await accounts(3)
    await account.control.fault("500_after", match={"path": "/v2/bot/message/"})
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)

        async def tried() -> bool:
            return all(p.attempts for p in await account.parcels(send_id))

        await until(tried)
        await account.execute(
            "update delivery.parcel set first_attempt_at = first_attempt_at - interval '24 hours'"
            " where contact_ids[1] <> :spared",
            spared=account.contacts[0],
        )

        async def settled() -> bool:
            return (await account.get(send_id)).in_doubt == 2

        await until(settled)
        await account.control.clear_faults()
        send = await finished(account, send_id)
    assert (send.state, send.accepted, send.in_doubt) == ("done", 1, 2)
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    doubtful = [p for p in await account.parcels(send_id) if p.state == "in_doubt"]
    assert all(p.error and "24 hours" in p.error for p in doubtful)
    assert len(await account.sent_events()) == 1


async def test_a_day_of_doubt_while_paused(accounts: OpenAccount) -> None:
    account = await accounts(2)
    send_id = await account.send(messages=PERSONAL, personal=True)
    async with scope(account.workspace_id) as session:
        await pause(session, send_id)
    await account.execute(
        "update delivery.parcel set first_attempt_at = now() - interval '25 hours', attempts = 1"
    )
    async with sending():
        send = await finished(account, send_id)
    assert (send.state, send.in_doubt) == ("done", 2)
    assert not account.arrivals()


async def test_waiting_for_days_without_doubt_is_no_doubt(accounts: OpenAccount) -> None:
    """A refused token or a full quota is an answer: however old, the parcel may still go."""
    account = await accounts(2, quota=0)
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)
        await in_state(account, send_id, "paused")
        await asyncio.sleep(0.3)
        assert {p.first_attempt_at for p in await account.parcels(send_id)} == {None}
        await account.execute("update delivery.parcel set created_at = now() - interval '3 days'")
        await account.control.update_channel(account.line_channel_id, quota=10)
        async with scope(account.workspace_id) as session:
            await resume(session, send_id)
        send = await finished(account, send_id)
    assert send.accepted == 2


async def test_pause_resume(accounts: OpenAccount) -> None:
    account = await accounts(900)
    await account.control.fault("slow", match={"path": "/v2/bot/message/"}, seconds=0.5)
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)

        async def begun() -> bool:
            return (await account.get(send_id)).accepted > 0

        await until(begun)
        async with scope(account.workspace_id) as session:
            await pause(session, send_id)

        async def nothing_is_with_line() -> bool:
            return not any(p.state == "sending" for p in await account.parcels(send_id))

        await until(nothing_is_with_line)
        held = sum(account.arrivals().values())
        assert 0 < held < 900
        await asyncio.sleep(0.8)
        assert sum(account.arrivals().values()) == held
        async with scope(account.workspace_id) as session:
            stands = await progress(session, send_id)
        assert (stands.state, stands.accepted, stands.waiting) == ("paused", held, 900 - held)
        assert (stands.pause_reason, stands.seconds_left) == (None, None)
        async with scope(account.workspace_id) as session:
            with pytest.raises(Conflict):
                await pause(session, send_id)
            await resume(session, send_id)
        send = await finished(account, send_id)
    assert send.accepted == 900
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_cancel(accounts: OpenAccount) -> None:
    account = await accounts(900)
    await account.control.fault("slow", match={"path": "/v2/bot/message/"}, seconds=0.5)
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)

        async def begun() -> bool:
            return (await account.get(send_id)).accepted > 0

        await until(begun)
        async with scope(account.workspace_id) as session:
            await cancel(session, send_id)
        send = await finished(account, send_id)
        held = sum(account.arrivals().values())
        await asyncio.sleep(0.8)
    assert sum(account.arrivals().values()) == held == send.accepted
    assert 0 < held < 900
    assert (send.state, send.cancelled) == ("cancelled", 900 - held)
    async with scope(account.workspace_id) as session:
        with pytest.raises(Conflict):
            await resume(session, send_id)


async def test_cancelled_in_doubt_is_told_as_such(accounts: OpenAccount) -> None:
    account = await accounts(2)
    await account.control.fault("500_after", match={"user": account.users[0]})
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)

        async def tried() -> bool:
            send = await account.get(send_id)
            return send.accepted == 1 and any(
                p.state == "ready" and p.first_attempt_at for p in await account.parcels(send_id)
            )

        await until(tried, every=0.01)
        async with scope(account.workspace_id) as session:
            await cancel(session, send_id)
        send = await finished(account, send_id)
    assert (send.accepted, send.in_doubt + send.accepted) in ((1, 2), (2, 2))


async def test_another_workspaces_send_is_not_there(
    accounts: OpenAccount, other_shop: Shop
) -> None:
    account = await accounts(1)
    send_id = await account.send()
    for verb in (pause, resume, cancel, progress):
        async with scope(other_shop.workspace_id) as session:
            with pytest.raises(NotFound):
                await verb(session, send_id)
    assert (await account.get(send_id)).state == "running"


async def test_progress_tells_speed_and_time_left(accounts: OpenAccount) -> None:
    account = await accounts(300)
    await account.control.fault("slow", match={"path": "/v2/bot/message/"}, seconds=0.5)
    async with sending():
        send_id = await account.send(messages=PERSONAL, personal=True)

        async def moving() -> object:
            async with scope(account.workspace_id) as session:
                found = await progress(session, send_id)
            return found if found.per_second and found.waiting else None

        found = await until(moving, every=0.01)
        assert found.seconds_left > 0
        assert found.accepted + found.waiting == found.targeted == 300
        await finished(account, send_id)
    async with scope(account.workspace_id) as session:
        found = await progress(session, send_id)
    assert (found.waiting, found.seconds_left, found.state) == (0, None, "done")
