"""Personal messages go together to whom they say the same, as they were when it was sent."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from hiiki.contacts.models import Attribute, Contact, ContactAttribute
from hiiki.db import scope
from hiiki.timeline.models import Event

from .conftest import Account, OpenAccount, finished, sending, until

PREFECTURE = [{"type": "text", "text": "{{ prefecture }}のみなさん"}]


async def live_in(account: Account, people: list[UUID], prefecture: str) -> None:
    async with scope(account.workspace_id) as session:
        await session.execute(
            update(Contact).where(Contact.id.in_(people)).values(prefecture=prefecture)
        )


async def received(account: Account, user: str) -> list[str]:
    return [one["text"] for one in await account.control.received(user, account.line_channel_id)]


async def sizes(account: Account, send_id: UUID) -> Counter[tuple[str, int]]:
    parcels = await account.parcels(send_id)
    return Counter((parcel.method, len(parcel.contact_ids)) for parcel in parcels)


async def test_the_same_text_goes_by_multicast(accounts: OpenAccount) -> None:
    account = await accounts(20)
    await live_in(account, account.contacts[:12], "奈良県")
    await live_in(account, account.contacts[12:19], "沖縄県")
    await live_in(account, account.contacts[19:], "青森県")
    send_id = await account.send(messages=PREFECTURE, personal=True)
    assert await sizes(account, send_id) == {
        ("multicast", 12): 1,
        ("multicast", 7): 1,
        ("push", 1): 1,
    }
    # Frozen with the send: who moves meanwhile gets what the others in the parcel get.
    await live_in(account, account.contacts[:1], "北海道")
    async with sending():
        assert (await finished(account, send_id)).accepted == 20
    for place, where in ((0, "奈良県"), (5, "奈良県"), (12, "沖縄県"), (19, "青森県")):
        assert await received(account, account.users[place]) == [f"{where}のみなさん"]
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_more_than_five_hundred_of_a_kind(accounts: OpenAccount) -> None:
    account = await accounts(501)
    send_id = await account.send(messages=PREFECTURE, personal=True)
    assert await sizes(account, send_id) == {("multicast", 500): 1, ("push", 1): 1}


async def test_a_link_of_ones_own_is_never_shared(accounts: OpenAccount) -> None:
    account = await accounts(4)
    await live_in(account, account.contacts, "奈良県")
    linked = [{"type": "text", "text": "{{ prefecture }} {{ link.abc }}"}]
    assert await sizes(account, await account.send(messages=linked, personal=True)) == {
        ("push", 1): 4
    }


@pytest.mark.parametrize(
    ("kind", "column", "value", "shown"),
    [
        ("text", "text", "常連", "常連"),
        ("number", "number", Decimal("12.50"), "12.5"),
        ("number", "number", Decimal(1000), "1000"),
        ("choices", "choices", ["ナン", "ラッシー"], "ナン、ラッシー"),
    ],
)
async def test_attributes_read_the_same_alone_and_together(
    accounts: OpenAccount, kind: str, column: str, value: Any, shown: str
) -> None:
    account = await accounts(3)
    async with scope(account.workspace_id) as session:
        attribute = Attribute(key="likes", label="likes", kind=kind, choices=[], position=1)
        session.add(attribute)
        await session.flush()
        for contact in account.contacts:
            session.add(
                ContactAttribute(contact_id=contact, attribute_id=attribute.id, **{column: value})
            )
    both = [{"type": "text", "text": "{{ attributes.likes }}"}]
    together = await account.send(messages=both, personal=True)
    alone = await account.send(messages=both, personal=True, to=account.contacts[2:])
    assert await sizes(account, together) == {("multicast", 3): 1}
    assert await sizes(account, alone) == {("push", 1): 1}
    async with sending():
        await finished(account, together)
        await finished(account, alone)
    assert await received(account, account.users[0]) == [shown]
    assert await received(account, account.users[2]) == [shown, shown]


async def test_one_bad_recipient_does_not_cost_the_others_their_text(
    accounts: OpenAccount,
) -> None:
    account = await accounts(6)
    await live_in(account, account.contacts, "奈良県")
    await account.execute(
        "update contacts.friendship set line_user_id = 'nobody' where contact_id = :id",
        id=account.contacts[2],
    )
    send_id = await account.send(messages=PREFECTURE, personal=True)
    async with sending():
        send = await finished(account, send_id)
    assert (send.accepted, send.refused) == (5, 1)
    assert await received(account, account.users[0]) == ["奈良県のみなさん"]


async def test_the_timeline_is_told_once_of_everybody(accounts: OpenAccount) -> None:
    account = await accounts(1_200)
    send_id = await account.send()
    async with sending():
        await finished(account, send_id)

        async def told() -> bool:
            return all(parcel.is_told for parcel in await account.parcels(send_id))

        await until(told, 30)
    assert await account.sent_events() == dict.fromkeys(account.contacts, 1)
    parcels = {parcel.id: parcel for parcel in await account.parcels(send_id)}
    async with scope(account.workspace_id) as session:
        one = (await session.scalars(select(Event).limit(1))).one()
    parcel = parcels[one.id]
    assert one.contact_id in parcel.contact_ids
    assert one.at == parcel.settled_at
    assert one.data == {"messages": 1, "method": "multicast", "send": str(send_id)}
