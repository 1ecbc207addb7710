"""Broadcasts: who gets them, at what cost, and what the report says of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from broadcasts.making import content, get, make, refused, send, tagged
from conftest import Shop
from delivery.conftest import (
    Account,
    add_friends,
    finished,
    sending,
    until,
)
from hiiki.broadcasts import service
from hiiki.broadcasts.listing import uses
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.report import lines, opens_by_hour, recipients, report
from hiiki.contacts.models import Contact, ContactTag, Friendship, Tag
from hiiki.coupons.models import Coupon
from hiiki.db import scope
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.segments.models import Segment
from hiiki.timeline import record
from hiiki.workspace.models import Channel


async def test_only_the_segment_gets_it_and_the_report_equals_the_phones(
    account: Account, client: AsyncTestClient[Any]
) -> None:
    await add_friends(account, 2, status="blocked")
    async with scope(account.workspace_id) as session:
        coupon = Coupon(title="10%", benefit="percent", amount=10, issued=0)
        session.add(coupon)
    blocked = account.contacts[6]
    members = [*account.contacts[:4], blocked]
    async with scope(account.workspace_id) as session:
        tag = Tag(name="甘口")
        session.add(tag)
        await session.flush()
        session.add_all(ContactTag(contact_id=ident, tag_id=tag.id) for ident in members)
        segment = Segment(name="甘口が好き", rule={"kind": "tag", "tag_ids": [str(tag.id)]})
        session.add(segment)
    ident = await make(
        account,
        segment_id=str(segment.id),
        draft=content(
            {"kind": "text", "text": "{{ name | default: 'お客様' }}さん、甘口の日です"},
            {
                "kind": "card",
                "text": "見てください",
                "buttons": [
                    {"label": "店", "action": "link", "value": "https://example.com/a"},
                    {"label": "地図", "action": "link", "value": "https://example.com/b"},
                ],
            },
            {"kind": "coupon", "coupon_id": str(coupon.id)},
        ),
    )
    async with scope(account.workspace_id) as session:
        reach = await service.outlook(session, account.channel_id, segment.id)
    assert (reach.recipients, reach.members, reach.everybody) == (4, 5, 6)
    assert reach.forecast.saved_messages == 2
    await send(account, ident)
    with pytest.raises(Conflict):
        await send(account, ident)
    async with sending():
        await finished(account, (await get(account, ident)).send_id)  # pyright: ignore[reportArgumentType]
    assert set(account.arrivals()) == set(account.users[:4])

    async def uris(user: str) -> list[str]:
        found: list[str] = []
        for message in await account.control.received(user, account.line_channel_id):
            found += _uris(message)
        return [uri.split("8000", 1)[1] for uri in found]

    # The first opens a twice, the second a and b, the third takes and uses the coupon.
    first, second, third = [await uris(user) for user in account.users[:3]]
    for path in (first[0], first[0], second[0], second[1]):
        answer = await client.get(path, follow_redirects=False)
        assert answer.headers["location"].startswith("https://example.com/")
    page = await client.get(third[2])
    assert page.status_code == 200
    await client.post(f"{page.url.path}/use")
    # The second blocks the account an hour later, the third after two days.
    async with scope(account.workspace_id) as session:
        for who, hours in ((1, 1), (2, 48), (3, 100)):
            record(
                session,
                account.contacts[who],
                "unfollow",
                at=now() + timedelta(hours=hours),
                channel_id=account.channel_id,
            )
        # Somebody who never got it has nothing to do with it.
        record(session, account.contacts[5], "unfollow", channel_id=account.channel_id)
    async with scope(account.workspace_id) as session:
        broadcast = await session.one(Broadcast, ident)
        found = await report(session, broadcast)
        (line_of_list,) = await lines(session, [broadcast])
        people, more = await recipients(session, broadcast)
        two, place = await recipients(session, broadcast, limit=2)
        rest, end = await recipients(session, broadcast, limit=2, after=place)
        curve = await opens_by_hour(session, ident, found.sent_at or now())
    assert (found.targeted, found.accepted, found.blocked) == (4, 4, 1)
    assert (found.refused, found.in_doubt, found.cancelled, found.waiting) == (0, 0, 0, 0)
    assert (found.clicked, found.opens) == (3, 5)
    assert found.click_rate == 0.75
    by_url = {one.url: (one.people, one.opens) for one in found.links}
    assert by_url == {
        "https://example.com/a": (2, 3),
        "https://example.com/b": (1, 1),
        f"/c/claim/{coupon.id}": (1, 1),
    }
    assert (found.coupons_issued, found.coupons_used) == (1, 1)
    assert (found.blocked_within_24h, found.blocked_within_72h) == (1, 2)
    assert found.saved_messages == 2
    assert (line_of_list.accepted, line_of_list.clicked) == (4, 3)
    assert {one.contact_id for one in people} == set(account.contacts[:4])
    assert more is None
    assert {one.contact_id for one in two + rest} == set(account.contacts[:4])
    assert end is None
    assert sum(one.clicked_at is not None for one in people) == 3
    assert curve == [(0, 3)]
    assert broadcast.audience_name == "甘口が好き"


def _uris(node: Any) -> list[str]:
    if isinstance(node, dict):
        here = [str(node["uri"])] if node.get("type") == "uri" else []
        return here + [uri for value in node.values() for uri in _uris(value)]
    if isinstance(node, list):
        return [uri for value in node for uri in _uris(value)]
    return []


async def test_nobody_over_quota_and_what_is_gone_are_refused(account: Account) -> None:
    empty = await tagged(account, 0)
    ident = await make(account, segment_id=str(empty))
    assert "届く相手がいません" in (await refused(account, ident)).fields["segment_id"].to("ja")

    ident = await make(account)
    async with scope(account.workspace_id) as session:
        channel = await session.one(Channel, account.channel_id)
        channel.quota_limit, channel.quota_used, channel.quota_checked_at = 100, 95, now()
    said = (await refused(account, ident)).fields["segment_id"].to("ja")
    assert "6" in said
    assert "5" in said
    with pytest.raises(Invalid):
        async with scope(account.workspace_id) as session:
            await service.schedule(session, ident, now() + timedelta(hours=1))
    async with scope(account.workspace_id) as session:
        (await session.one(Channel, account.channel_id)).quota_used = 94
    await send(account, ident)
    # What the first has reserved is not there for a second.
    other = await make(account)
    await refused(account, other)

    async with scope(account.workspace_id) as session:
        (await session.one(Channel, account.channel_id)).quota_limit = None
    segment = await tagged(account, 2)
    ident = await make(account, segment_id=str(segment))
    async with scope(account.workspace_id) as session:
        await session.delete(await session.one(Segment, segment))
    assert list((await refused(account, ident)).fields) == ["segment_id"]


async def test_what_is_wrong_is_said_at_its_field(account: Account, other_shop: Shop) -> None:
    async with scope(other_shop.workspace_id) as session:
        theirs = Segment(name="x", rule={"kind": "everyone"})
        session.add(theirs)
    for changes, field in [
        ({"name": " "}, "name"),
        ({"name": "あ" * 101}, "name"),
        ({"channel_id": str(uuid.uuid4())}, "channel_id"),
        ({"channel_id": "x"}, "channel_id"),
        ({"segment_id": str(theirs.id)}, "segment_id"),
        ({"draft": {"blocks": []}}, "draft.blocks"),
        ({"draft": content({"kind": "text", "text": "😀" * 2501})}, "draft.blocks.0.text"),
        ({"draft": content({"kind": "text", "text": "{{ nam }}"})}, "draft.blocks.0.text"),
        (
            {"draft": content({"kind": "text", "text": "あ{{ attributes.x }}"})},
            "draft.blocks.0.text",
        ),
        (
            {"draft": content({"kind": "image", "media_id": str(uuid.uuid4())})},
            "draft.blocks.0.media_id",
        ),
        (
            {"draft": content({"kind": "coupon", "coupon_id": str(uuid.uuid4())})},
            "draft.blocks.0.coupon_id",
        ),
        ({"draft": content(*[{"kind": "text", "text": "x"}] * 6)}, "draft.blocks"),
    ]:
        with pytest.raises(Invalid) as caught:
            await make(account, **changes)
        assert list(caught.value.fields) == [field], changes
    async with scope(account.workspace_id) as session:
        assert (await session.scalars(select(Broadcast))).all() == []


async def test_a_test_send_counts_for_nothing(
    account: Account, client: AsyncTestClient[Any]
) -> None:
    ident = await make(
        account,
        draft=content(
            {
                "kind": "card",
                "text": "{{ name }}さん",
                "buttons": [{"label": "店", "action": "link", "value": "https://example.com/"}],
            }
        ),
    )
    one, other = account.contacts[:2]
    async with scope(account.workspace_id) as session:
        assert await service.send_test(session, ident, [one, one]) == 1
        with pytest.raises(NotFound):
            await service.send_test(session, ident, [uuid.uuid4()])
        with pytest.raises(Invalid):
            await service.send_test(session, ident, [])
        (await session.get(Friendship, (other, account.channel_id))).status = "blocked"  # pyright: ignore
        with pytest.raises(Invalid):
            await service.send_test(session, ident, [one, other])
    async with sending():

        async def arrived() -> bool:
            return bool(account.arrivals())

        await until(arrived)
    assert list(account.arrivals()) == [account.users[0]]
    (message,) = await account.control.received(account.users[0], account.line_channel_id)
    await client.get(_uris(message)[0].split("8000", 1)[1], follow_redirects=False)
    async with scope(account.workspace_id) as session:
        found = await report(session, await session.one(Broadcast, ident))
    assert (found.state, found.clicked, found.links) == ("draft", 0, [])


async def test_copies_deletion_and_use(account: Account) -> None:
    segment = await tagged(account, 3)
    ident = await make(account, segment_id=str(segment))
    async with scope(account.workspace_id) as session:
        copy = await service.duplicate(session, ident, "写し")
        assert (copy.state, copy.segment_id, copy.send_id) == ("draft", segment, None)
        assert [one.url for one in await uses(session, "segment", segment)] == [
            f"/broadcasts/{copy.id}",
            f"/broadcasts/{ident}",
        ]
    await send(account, ident)
    async with scope(account.workspace_id) as session:
        with pytest.raises(Conflict):
            await service.delete(session, ident)
        rule = {"kind": "message", "did": "received", "about": "broadcast"}
        asks = Segment(name="受け取った人", rule={**rule, "about_id": str(copy.id)})
        session.add(asks)
        await session.flush()
        with pytest.raises(Conflict, match="受け取った人"):
            await service.delete(session, copy.id)
        await session.delete(asks)
        await service.delete(session, copy.id)
    async with scope(account.workspace_id) as session:
        assert await uses(session, "segment", segment) == []


async def test_walls(account: Account, other_shop: Shop) -> None:
    ident = await make(account)
    async with scope(other_shop.workspace_id) as session:
        for call in (service.send_now, service.cancel, service.pause, service.delete):
            with pytest.raises(NotFound):
                await call(session, ident)
        with pytest.raises(NotFound):
            await service.schedule(session, ident, now() + timedelta(hours=1))
        with pytest.raises(NotFound):
            await service.send_test(session, ident, account.contacts[:1])
        await service.send_scheduled(session, ident, now())
    assert (await get(account, ident)).state == "draft"


async def test_contacts_without_a_name_are_addressed_by_the_default(account: Account) -> None:
    async with scope(account.workspace_id) as session:
        for person in await session.scalars(select(Contact)):
            person.display_name = ""
    ident = await make(
        account, draft=content({"kind": "text", "text": "{{ name | default: 'お客様' }}へ"})
    )
    await send(account, ident)
    async with sending():
        await finished(account, (await get(account, ident)).send_id)  # pyright: ignore[reportArgumentType]
    for user in account.users:
        (message,) = await account.control.received(user, account.line_channel_id)
        assert message["text"] == "お客様へ"
