"""Somebody is erased while they are being sent to: they get nothing more, and nobody else less."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlalchemy import select, update

from hiiki.contacts.models import Contact
from hiiki.db import everywhere, scope
from hiiki.delivery.claim import claim_bulk, running_sends
from hiiki.delivery.erasure import forget_person
from hiiki.delivery.models import Parcel
from hiiki.delivery.record import Outcome, record
from hiiki.delivery.service import start_send
from hiiki.delivery.sql import ERASED
from hiiki.delivery.verdict import Verdict

from .conftest import Account, OpenAccount, finished, sending

PREFECTURE = [{"type": "text", "text": "{{ prefecture }}のみなさん"}]


async def forget(account: Account, contact_id: UUID) -> None:
    async with scope(account.workspace_id) as session:
        await forget_person(session, contact_id)


async def people(account: Account) -> list[UUID]:
    async with scope(account.workspace_id) as session:
        found = await session.scalars(select(Parcel.contact_ids))
        return [person for one in found for person in one]


async def test_several_at_once_cost_nobody_else_their_place(accounts: OpenAccount) -> None:
    account = await accounts(60)
    send_id = await account.send()
    gone = account.contacts[3:40:7]
    await asyncio.gather(*(forget(account, contact) for contact in gone))
    left = [contact for contact in account.contacts if contact not in gone]
    assert sorted(await people(account)) == sorted(left)
    async with sending():
        send = await finished(account, send_id)
    assert (send.targeted, send.accepted) == (len(left), len(left))
    arrived = {account.contacts[account.users.index(user)] for user in account.arrivals()}
    assert arrived == set(left)


async def test_a_parcel_is_split_meanwhile(accounts: OpenAccount) -> None:
    account = await accounts(40)
    await account.send()
    async with everywhere() as session:
        claimed = await claim_bulk(session, await running_sends(session), 10)
    [parcel] = claimed
    last = parcel.line_user_ids[-1]
    person = account.contacts[account.users.index(last)]
    async with everywhere() as session:
        await record(session, [Outcome(parcel, Verdict("ready", splits=True))])
        task = asyncio.create_task(forget(account, person))
        await asyncio.sleep(0.3)  # it waits for what is split
        assert not task.done()
    await task
    assert sorted(await people(account)) == sorted(set(account.contacts) - {person})


async def test_erased_after_a_freeze_that_has_begun(accounts: OpenAccount) -> None:
    account = await accounts(20)
    person = account.contacts[7]
    async with scope(account.workspace_id) as session:
        audience = select(Contact.id).where(Contact.id.in_(account.contacts))
        send = await start_send(
            session,
            channel_id=account.channel_id,
            subject="broadcast:1",
            messages=[{"type": "text", "text": "こんにちは"}],
            personal=False,
            audience=audience,
        )
        # The parcels are made, and nobody else sees them yet.
        task = asyncio.create_task(forget(account, person))
        await asyncio.sleep(0.3)
        assert not task.done()
    await task
    assert person not in await people(account)
    async with sending():
        assert (await finished(account, send.id)).accepted == 19


async def test_what_it_said_to_them_is_not_kept(accounts: OpenAccount) -> None:
    account = await accounts(4)
    async with scope(account.workspace_id) as session:
        await session.execute(
            update(Contact).where(Contact.id.in_(account.contacts)).values(prefecture="奈良県")
        )
    send_id = await account.send(messages=PREFECTURE, personal=True)
    [parcel] = await account.parcels(send_id)
    assert parcel.values == {"prefecture": "奈良県"}
    async with sending():
        await finished(account, send_id)
    await forget(account, account.contacts[0])
    [parcel] = await account.parcels(send_id)
    assert parcel.values is None
    assert ERASED in parcel.contact_ids
    assert "" in parcel.line_user_ids
