"""Sends to many, through the emulator, counted on its phones."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from conftest import Shop
from hiiki.contacts.models import Contact
from hiiki.db import scope
from hiiki.delivery.service import start_send
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.timeline.models import Event
from hiiki.workspace.models import Channel
from line_emulator.model import Friendship as Befriended

from .conftest import OpenAccount, add_friends, finished, sending
from .killing import Watch


async def test_everybody_once_by_push(accounts: OpenAccount) -> None:
    account = await accounts(501)
    messages = [{"type": "text", "text": "{{ name }}さん"}]
    async with sending():
        send = await finished(account, await account.send(messages=messages, personal=True))
    assert (send.state, send.targeted, send.accepted) == ("done", 501, 501)
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)


@pytest.mark.parametrize("people", [0, 1, 499, 500, 501])
async def test_everybody_once(accounts: OpenAccount, people: int) -> None:
    account = await accounts(people)
    async with sending():
        send_id = await account.send()
        send = await finished(account, send_id)
    assert (send.state, send.targeted, send.accepted) == ("done", people, people)
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)
    sizes = sorted(len(parcel.contact_ids) for parcel in await account.parcels(send_id))
    assert sizes == {0: [], 1: [1], 499: [499], 500: [500], 501: [1, 500]}[people]


async def test_blocked_friends_are_left_out_and_counted(accounts: OpenAccount) -> None:
    account = await accounts(5)
    following = list(account.users)
    await add_friends(account, 3, status="blocked")
    async with sending():
        send = await finished(account, await account.send())
    assert (send.targeted, send.blocked, send.accepted) == (5, 3, 5)
    assert set(account.arrivals()) == set(following)
    assert len(await account.sent_events()) == 5


async def test_what_is_sent_counts_against_the_quota_at_once(accounts: OpenAccount) -> None:
    account, other = await accounts(501), await accounts(2)
    async with sending():
        await finished(account, await account.send())
        await finished(account, await account.send(to=account.contacts[:3], personal=True))
    async with scope(account.workspace_id) as session:
        assert (await session.one(Channel, account.channel_id)).quota_used == 504
        assert (await session.one(Channel, other.channel_id)).quota_used == 0


async def test_some_block_in_the_middle(accounts: OpenAccount) -> None:
    """LINE takes what is for them and delivers nothing: no error, and nobody else's loss."""
    account = await accounts(60)
    channel = account.line.platform.channels[account.line_channel_id]
    watch, left = Watch(account.line), set[str]()

    def some_leave() -> None:
        left.update([user for user in account.users if user not in account.arrivals()][-5:])
        for user in left:
            channel.phone(user).friendship = Befriended.BLOCKED

    async with sending():
        messages = [{"type": "text", "text": "{{ name }}"}]
        send_id = await account.send(messages=messages, personal=True)
        await watch.nth("answered", 20, some_leave)
        send = await finished(account, send_id)
    assert len(left) == 5
    assert (send.accepted, send.refused) == (60, 0)
    assert account.arrivals() == dict.fromkeys(set(account.users) - left, 1)


async def test_only_this_channels_friends(accounts: OpenAccount) -> None:
    one, other = await accounts(3), await accounts(2)
    async with sending():
        send_id = await one.send(to=[*one.contacts, *other.contacts])
        send = await finished(one, send_id)
    assert send.targeted == 3
    assert one.arrivals() == dict.fromkeys(one.users, 1)
    assert not other.arrivals()


async def test_an_audience_that_names_people_twice(accounts: OpenAccount) -> None:
    account = await accounts(3)
    async with scope(account.workspace_id) as session:
        twice = select(Contact.id).union_all(select(Contact.id)).subquery()
        send = await start_send(
            session,
            channel_id=account.channel_id,
            subject="x",
            messages=[{"type": "text", "text": "一度だけ"}],
            personal=False,
            audience=select(twice.c.id),
        )
    async with sending():
        send = await finished(account, send.id)
    assert send.targeted == 3
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_personal_content_is_made_for_each(accounts: OpenAccount) -> None:
    account = await accounts(7)
    messages = [{"type": "text", "text": "{{ name }}さん、こんにちは"}]
    async with sending():
        send = await finished(account, await account.send(messages=messages, personal=True))
    assert send.accepted == 7
    for user in account.users:
        [message] = await account.control.received(user, account.line_channel_id)
        assert message["text"] == f"友だち{user[-12:]}さん、こんにちは"


async def test_sent_event(accounts: OpenAccount) -> None:
    account = await accounts(1)
    async with sending():
        send_id = await account.send(messages=[{"type": "text", "text": "a"}] * 3)
        send = await finished(account, send_id)
    async with scope(account.workspace_id) as session:
        [event] = await session.scalars(select(Event))
    assert event.subject == send.subject
    assert event.channel_id == account.channel_id
    assert event.data == {"messages": 3, "method": "multicast", "send": str(send_id)}
    assert str(event.id)[14] == "7"


async def test_what_cannot_be_started(accounts: OpenAccount, other_shop: Shop) -> None:
    account = await accounts(1)
    with pytest.raises(Invalid):
        await account.send(messages=[{"type": "text", "text": "x"}] * 6)
    stranger = {"subject": "x", "messages": [{"type": "text", "text": "x"}], "personal": False}
    async with scope(other_shop.workspace_id) as session:
        with pytest.raises(NotFound):
            await start_send(
                session, channel_id=account.channel_id, audience=select(Contact.id), **stranger
            )
    await account.execute("update workspace.channel set is_active = false")
    with pytest.raises(Conflict):
        await account.send()
    assert await account.parcels() == []


async def test_another_workspaces_people_are_out_of_reach(
    accounts: OpenAccount, other_shop: Shop
) -> None:
    account = await accounts(2)
    async with scope(other_shop.workspace_id) as session:
        session.add(Contact(id=(stranger := uuid4()), display_name="よその人"))
    send_id = await account.send(to=[*account.contacts, stranger])
    assert (await account.get(send_id)).targeted == 2


async def test_one_bad_recipient_does_not_sink_the_others(accounts: OpenAccount) -> None:
    account = await accounts(500)
    bad = account.users[123]
    await account.control.fault("400", match={"path": "/v2/bot/message/multicast", "user": bad})
    async with sending():
        send = await finished(account, await account.send())
    assert (send.accepted, send.refused) == (499, 1)
    arrivals = account.arrivals()
    assert bad not in arrivals
    assert arrivals == dict.fromkeys(set(account.users) - {bad}, 1)
    [refused] = [p for p in await account.parcels(send.id) if p.state == "refused"]
    assert refused.line_user_ids == [bad]
    assert refused.error == "Bad Request"
    assert refused.request_id
    keys = [parcel.retry_key for parcel in await account.parcels(send.id)]
    assert len(set(keys)) == len(keys)


async def test_bad_content_is_refused_whole_with_lines_words(accounts: OpenAccount) -> None:
    account = await accounts(40)
    async with sending():
        send = await finished(account, await account.send("あ" * 5001))
    assert (send.accepted, send.refused) == (0, 40)
    [parcel] = await account.parcels(send.id)
    assert "messages[0].text" in (parcel.error or "")
    requests = await account.control.requests()
    assert len([r for r in requests if r["path"].endswith("multicast")]) == 1


async def test_rate_limits_are_kept(accounts: OpenAccount) -> None:
    account = await accounts(600, unlimited=False)
    messages = [{"type": "text", "text": "{{ name }}"}]
    async with sending():
        send = await finished(account, await account.send(messages=messages, personal=True))
    assert send.accepted == 600
    requests = await account.control.requests()
    assert {r["status"] for r in requests} == {200}


async def test_a_rate_429_waits(accounts: OpenAccount) -> None:
    account = await accounts(30)
    await account.control.fault("429", match={"path": "/v2/bot/message"}, count=2)
    async with sending():
        send = await finished(account, await account.send())
    assert send.accepted == 30
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_two_senders_share_a_send(accounts: OpenAccount) -> None:
    account = await accounts(300)
    messages = [{"type": "text", "text": "{{ name }}"}]
    async with sending(), sending():
        send = await finished(account, await account.send(messages=messages, personal=True))
    assert (send.state, send.accepted) == ("done", 300)
    assert account.arrivals() == dict.fromkeys(account.users, 1)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)
