"""What is said to one person: reply tokens first, in order, ahead of all bulk."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from hiiki.db import scope
from hiiki.delivery.models import Parcel
from hiiki.delivery.service import say
from hiiki.kit.clock import now
from hiiki.kit.ids import contact_id
from hiiki.workspace.models import Channel

from .conftest import Account, OpenAccount, add_friends, sending, until


def texts(*words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": word} for word in words]


async def token_of(account: Account, user: str) -> str:
    """Let the person write, and return the reply token LINE gave for it."""
    channel = account.line.platform.channels[account.line_channel_id]
    before = set(channel.reply_tokens)
    await account.control.say(user, "こんにちは", account.line_channel_id)
    [token] = set(channel.reply_tokens) - before
    return token


async def tell(account: Account, index: int, *words: str, **more: Any) -> list[Parcel]:
    async with scope(account.workspace_id) as session:
        return await say(
            session,
            contact_id=account.contacts[index],
            channel_id=account.channel_id,
            messages=texts(*words),
            **more,
        )


async def settled(account: Account, seconds: float = 30) -> list[Parcel]:
    async def over() -> list[Parcel] | None:
        found = await account.parcels()
        open_ones = [p for p in found if p.state in ("ready", "sending")]
        return found if found and not open_ones else None

    return await until(over, seconds)


async def heard(account: Account, index: int) -> list[str]:
    received = await account.control.received(account.users[index], account.line_channel_id)
    return [message["text"] for message in received]


async def calls(account: Account) -> list[tuple[str, int]]:
    """Which send endpoints were called, and LINE's answers."""
    return [
        (request["path"].rpartition("/")[2], request["status"])
        for request in await account.control.requests()
        if "/message/" in request["path"]
    ]


def soon(seconds: float = 50) -> dict[str, Any]:
    return {"reply_until": now() + timedelta(seconds=seconds)}


async def test_a_reply_costs_nothing_and_a_push_one(accounts: OpenAccount) -> None:
    account = await accounts(1)
    token = await token_of(account, account.users[0])
    until_then = now() + timedelta(seconds=40)
    async with sending():
        await tell(account, 0, "返信", reply_token=token, reply_until=until_then)
        await settled(account)
        await tell(account, 0, "プッシュ")
        await settled(account)
    async with scope(account.workspace_id) as session:
        assert (await session.one(Channel, account.channel_id)).quota_used == 1


async def test_by_reply_while_the_token_is_good(accounts: OpenAccount) -> None:
    account = await accounts(1)
    token = await token_of(account, account.users[0])
    async with sending():
        await tell(account, 0, "ようこそ", reply_token=token, **soon())
        [parcel] = await settled(account)
    assert (parcel.state, parcel.method) == ("accepted", "reply")
    assert await heard(account, 0) == ["ようこそ"]
    assert await calls(account) == [("reply", 200)]


async def test_more_than_five_keep_their_order(accounts: OpenAccount) -> None:
    account = await accounts(3)
    words = [str(n) for n in range(13)]
    token = await token_of(account, account.users[0])
    async with sending():
        await tell(account, 0, *words, reply_token=token, **soon())
        await asyncio.gather(*(tell(account, 1, word) for word in ("x",)), tell(account, 2, *words))
        parcels = await settled(account)
    assert await heard(account, 0) == words
    assert await heard(account, 2) == words
    of_first = [p for p in parcels if p.contact_ids == [account.contacts[0]]]
    assert [(p.method, len(p.messages or [])) for p in of_first] == [
        ("reply", 5),
        ("push", 5),
        ("push", 3),
    ]


async def test_one_after_another_arrive_in_order(accounts: OpenAccount) -> None:
    account = await accounts(2)
    words = [str(n) for n in range(12)]
    async with sending(), sending():
        for word in words:
            await tell(account, 0, word)
            await tell(account, 1, word)
        await settled(account)
    assert await heard(account, 0) == words
    assert await heard(account, 1) == words


async def test_a_late_token_goes_by_push(accounts: OpenAccount) -> None:
    account = await accounts(1)
    token = await token_of(account, account.users[0])
    late = {"reply_until": now() + timedelta(seconds=1)}
    async with sending():
        await tell(account, 0, "遅れました", reply_token=token, **late)
        [parcel] = await settled(account)
    assert (parcel.state, parcel.method) == ("accepted", "push")
    assert await calls(account) == [("push", 200)]


async def test_a_token_that_ran_out_while_waiting_goes_by_push(accounts: OpenAccount) -> None:
    account = await accounts(1)
    token = await token_of(account, account.users[0])
    await tell(account, 0, "遅れました", reply_token=token, **soon())
    await account.execute("update delivery.parcel set reply_until = now() - interval '1 second'")
    async with sending():
        [parcel] = await settled(account)
    assert (parcel.state, parcel.method) == ("accepted", "push")
    assert await heard(account, 0) == ["遅れました"]
    assert await calls(account) == [("push", 200)]


async def test_a_token_somebody_used_goes_by_push_with_a_key(accounts: OpenAccount) -> None:
    account = await accounts(1)
    async with sending():
        await tell(account, 0, "こんにちは", reply_token="0" * 32, **soon())
        [parcel] = await settled(account)
    assert (parcel.state, parcel.method) == ("accepted", "push")
    assert await heard(account, 0) == ["こんにちは"]
    assert await calls(account) == [("reply", 400), ("push", 200)]
    assert [r["retry_key"] for r in await account.control.requests()][-1] == str(parcel.retry_key)


@pytest.mark.parametrize(
    "fault",
    [{"kind": "500_after"}, {"kind": "timeout", "accept": True}, {"kind": "reset", "accept": True}],
    ids=lambda f: f["kind"],
)
async def test_a_reply_that_arrived_unheard_is_not_repeated(
    accounts: OpenAccount, fault: dict[str, Any], impatient: None
) -> None:
    account = await accounts(1)
    token = await token_of(account, account.users[0])
    await account.control.faults([{**fault, "match": {"path": "/v2/bot/message/reply"}, "nth": 1}])
    async with sending():
        await tell(account, 0, "一度だけ", reply_token=token, **soon())
        [parcel] = await settled(account)
    assert parcel.state == "accepted"
    assert await heard(account, 0) == ["一度だけ"]
    assert [status for _path, status in await calls(account)][-1] == 400
    assert (await account.sent_events()) == {account.contacts[0]: 1}


async def test_a_reply_that_was_lost_is_repeated(accounts: OpenAccount) -> None:
    account = await accounts(1)
    token = await token_of(account, account.users[0])
    await account.control.fault("500_before", match={"path": "/v2/bot/message/reply"}, nth=[1, 2])
    async with sending():
        await tell(account, 0, "一度だけ", reply_token=token, **soon())
        [parcel] = await settled(account)
    assert (parcel.state, parcel.method) == ("accepted", "reply")
    assert await heard(account, 0) == ["一度だけ"]


async def test_a_reply_in_doubt_when_its_minute_is_over_stays_so(accounts: OpenAccount) -> None:
    """It may have arrived: neither the token nor a push can tell any more."""
    account = await accounts(1)
    token = await token_of(account, account.users[0])
    await account.control.fault("500_before", match={"path": "/v2/bot/message/reply"})
    async with sending():
        await tell(account, 0, "一度だけ", reply_token=token, **soon(5))
        [parcel] = await settled(account)
    assert (parcel.state, parcel.method) == ("in_doubt", "reply")
    assert not await account.sent_events()
    assert {path for path, _status in await calls(account)} == {"reply"}


async def test_who_is_no_friend_now_is_told_nothing(accounts: OpenAccount) -> None:
    account = await accounts(0)
    await add_friends(account, 1, status="blocked")
    assert await tell(account, 0, "もしもし") == []
    async with scope(account.workspace_id) as session:
        unknown = contact_id(account.workspace_id, "P", "U" + "f" * 32)
        said = await say(
            session, contact_id=unknown, channel_id=account.channel_id, messages=texts("x")
        )
    assert said == []
    assert await tell(account, 0) == []
    assert await account.parcels() == []


async def test_over_the_quota_replies_still_go_and_pushes_are_refused(
    accounts: OpenAccount,
) -> None:
    account = await accounts(2, quota=0)
    token = await token_of(account, account.users[0])
    async with sending():
        await tell(account, 0, "無料です", reply_token=token, **soon())
        await tell(account, 1, "送れません")
        by_reply, by_push = await settled(account)
    assert by_reply.state == "accepted"
    assert (by_push.state, by_push.error) == ("refused", "You have reached your monthly limit.")
    assert await heard(account, 0) == ["無料です"]


async def test_bulk_never_holds_up_what_is_urgent(accounts: OpenAccount) -> None:
    """A personal send at LINE's limits, while people are answered beside it."""
    account = await accounts(1500, unlimited=False)
    other = await accounts(1)
    personal = [{"type": "text", "text": "{{ name }}"}]
    async with sending():
        send_id = await account.send(messages=personal, personal=True)

        async def begun() -> bool:
            return (await account.get(send_id)).accepted > 0

        await until(begun)
        delays: list[float] = []
        for round_ in range(3):
            started = time.monotonic()
            await tell(account, round_, "返事")
            await tell(other, 0, "返事")
            await settled(account)
            delays.append(time.monotonic() - started)
        waiting = 1500 - (await account.get(send_id)).accepted
    assert waiting > 0, "the send was over before anything urgent came"
    assert min(delays) < 2
    assert (await heard(other, 0)).count("返事") == 3


async def test_a_rush_of_one_channel_leaves_others_their_turn(accounts: OpenAccount) -> None:
    busy, quiet = await accounts(300), await accounts(1)
    await busy.control.fault(
        "slow", match={"channel": busy.line_channel_id, "path": "/v2/bot/message"}, seconds=0.3
    )
    async with scope(busy.workspace_id) as session:
        for contact in busy.contacts:
            await say(
                session, contact_id=contact, channel_id=busy.channel_id, messages=texts("混雑")
            )
    await tell(quiet, 0, "返事")
    async with sending():

        async def answered() -> bool:
            return bool(await heard(quiet, 0))

        await until(answered)
        assert len(busy.arrivals()) < 300
        await settled(busy)
    assert busy.arrivals() == dict.fromkeys(busy.users, 1)


async def test_a_subject_stands_on_the_event(accounts: OpenAccount) -> None:
    account = await accounts(1)
    subject = f"survey:{uuid4()}"
    async with sending():
        await tell(account, 0, "質問です", subject=subject)
        [parcel] = await settled(account)
    assert parcel.subject == subject
    assert await account.sent_events() == {account.contacts[0]: 1}
