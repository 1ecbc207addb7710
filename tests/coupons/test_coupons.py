"""Coupons: once for each cause, never more than there are, used once."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import func, select

from conftest import Shop
from console import the_app
from hiiki.actions.context import Context
from hiiki.contacts.models import Contact, Friendship
from hiiki.content import tickets
from hiiki.content.draft import Draft
from hiiki.content.service import build, check, personalise
from hiiki.coupons import service
from hiiki.coupons.actions import IssueParams, give_by_hand, issue
from hiiki.coupons.models import Coupon, Issue
from hiiki.coupons.schemas import CouponIn
from hiiki.db import scope
from hiiki.delivery.models import Parcel
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.line import limits
from hiiki.timeline import Event, record
from hiiki.workspace.models import Channel


@pytest.fixture
async def client(db: str) -> AsyncIterator[AsyncTestClient[Any]]:
    async with AsyncTestClient(the_app(), raise_server_exceptions=True) as client:
        yield client


def coupon_in(**changes: Any) -> dict[str, Any]:
    return {"title": "カレー全品", "benefit": "percent", "amount": 10, **changes}


async def make(shop: Shop, **changes: Any) -> Coupon:
    async with scope(shop.workspace_id) as session:
        return await service.create(session, parse(CouponIn, coupon_in(**changes)))


async def make_people(shop: Shop, count: int) -> tuple[uuid.UUID, list[uuid.UUID]]:
    ids = [uuid.uuid4() for _ in range(count)]
    async with scope(shop.workspace_id) as session:
        channel = Channel(
            name="店",
            line_channel_id=uuid.uuid4().hex,
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=uuid.uuid4().hex,
        )
        session.add(channel)
        session.add_all(Contact(id=ident, display_name=f"友だち{n}") for n, ident in enumerate(ids))
        await session.flush()
        session.add_all(
            Friendship(
                contact_id=ident,
                channel_id=channel.id,
                line_user_id="U" + ident.hex,
                status="following",
                followed_at=now(),
            )
            for ident in ids
        )
        return channel.id, ids


async def events(shop: Shop, kind: str) -> list[Event]:
    async with scope(shop.workspace_id) as session:
        return list(await session.scalars(select(Event).where(Event.kind == kind)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": " 　"}, "title"),
        ({"title": "あ" * 41}, "title"),
        ({"amount": None}, "amount"),
        ({"amount": ""}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": 101}, "amount"),
        ({"amount": "x"}, "amount"),
        ({"benefit": "yen", "amount": 0}, "amount"),
        ({"benefit": "yen", "amount": 10_000_001}, "amount"),
        ({"benefit": "free"}, "benefit"),
        ({"valid_days": 0}, "valid_days"),
        ({"valid_days": 3651}, "valid_days"),
        ({"stock": 0}, "stock"),
        ({"terms": "x" * 1001}, "terms"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until"),
        ({"title": "a\x00b"}, "title"),
    ],
)
async def test_wrong_input_is_refused_at_its_field(
    shop: Shop, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await make(shop, **changes)
    assert list(caught.value.fields) == [field]
    said = caught.value.fields[field]
    assert said.to("ja") != said.to("en")


async def test_what_is_on_the_edge_is_taken(shop: Shop) -> None:
    for changes in [
        {"title": "👨‍👩‍👧‍👦" * 40, "amount": 1},
        {"amount": "100", "stock": "1", "valid_days": "3650"},
        {"benefit": "yen", "amount": 10_000_000},
        {"benefit": "gift", "amount": "5", "valid_days": "", "stock": ""},
    ]:
        await make(shop, **changes)
    async with scope(shop.workspace_id) as session:
        gift = await session.scalar(select(Coupon).where(Coupon.benefit == "gift"))
    assert gift is not None
    assert (gift.amount, gift.valid_days, gift.stock) == (None, None, None)


async def test_one_cause_grants_once_and_the_stock_holds_under_fifty_at_once(shop: Shop) -> None:
    coupon = await make(shop, stock=20)
    channel_id, people = await make_people(shop, 50)

    async def ask(contact_id: uuid.UUID) -> str:
        try:
            async with scope(shop.workspace_id) as session:
                given = await service.give(session, coupon.id, contact_id, channel_id, "survey:1")
                return "new" if given.is_new else "again"
        except service.SoldOut:
            return "sold out"

    # Every one of fifty people asks twice, all at the same time.
    outcomes = await asyncio.gather(*(ask(person) for person in people * 2))
    count = Counter(outcomes)
    assert count["new"] == 20
    assert count["new"] + count["again"] + count["sold out"] == 100
    async with scope(shop.workspace_id) as session:
        await session.refresh(stored := await session.one(Coupon, coupon.id))
        assert stored.issued == 20
        rows = await session.scalar(select(func.count()).select_from(Issue))
        holders = await session.scalar(select(func.count(func.distinct(Issue.contact_id))))
    assert (rows, holders) == (20, 20)


async def test_the_action_gives_once_for_a_survey_and_says_so(shop: Shop) -> None:
    coupon = await make(shop, valid_days=7)
    channel_id, (person,) = await make_people(shop, 1)
    survey = uuid.uuid4()
    for _ in range(3):
        async with scope(shop.workspace_id) as session:
            context = Context(session, person, channel_id)
            context.cause = record(session, person, "survey_finish", subject=survey)
            await issue(context, IssueParams(coupon_id=coupon.id))
            await context.close()
    async with scope(shop.workspace_id) as session:
        issues = (await session.scalars(select(Issue))).all()
        parcels = (await session.scalars(select(Parcel))).all()
    assert [one.grant_key for one in issues] == [f"survey:{survey}"]
    assert len(parcels) == 1
    (message,) = parcels[0].messages or []
    assert limits.check_messages([{**message, **_https(message)}]) == {}
    assert issues[0].code in str(message)
    assert "10%OFF" in str(message)
    (event,) = await events(shop, "coupon_issue")
    assert (event.subject, event.value, event.contact_id) == (str(coupon.id), 10, person)
    assert event.data["grant"] == f"survey:{survey}"


def _https(message: dict[str, Any]) -> dict[str, Any]:
    return {"altText": message["altText"]}


async def test_who_comes_too_late_is_told(shop: Shop) -> None:
    coupon = await make(shop, stock=1)
    channel_id, (first, second) = await make_people(shop, 2)
    for person in (first, second):
        async with scope(shop.workspace_id) as session:
            context = Context(session, person, channel_id)
            await issue(context, IssueParams(coupon_id=coupon.id))
            await context.close()
    async with scope(shop.workspace_id) as session:
        said = await session.scalar(select(Parcel).where(Parcel.contact_ids.contains([second])))
    assert said is not None
    assert "配布を終了" in str(said.messages)
    assert len(await events(shop, "coupon_issue")) == 1


async def test_an_ended_or_foreign_coupon_is_not_given(shop: Shop, other_shop: Shop) -> None:
    off = await make(shop, is_active=False)
    ends = await make(shop, valid_until=(now() + timedelta(seconds=0.3)).isoformat())
    theirs = await make(other_shop)
    channel_id, (person,) = await make_people(shop, 1)
    await asyncio.sleep(0.4)
    for coupon, error in ((off, service.Ended), (ends, service.Ended), (theirs, NotFound)):
        with pytest.raises(error):
            async with scope(shop.workspace_id) as session:
                await service.give(session, coupon.id, person, channel_id, "x")
    async with scope(shop.workspace_id) as session:
        assert (await session.scalars(select(Issue))).all() == []


async def test_expiry_is_the_earlier_of_both(shop: Shop) -> None:
    end = now() + timedelta(days=3)
    channel_id, (person,) = await make_people(shop, 1)
    for days, expected in ((1, now() + timedelta(days=1)), (30, end)):
        coupon = await make(shop, valid_days=days, valid_until=end.isoformat())
        async with scope(shop.workspace_id) as session:
            given = await service.give(session, coupon.id, person, channel_id, "x")
        assert given.issue.expires_at is not None
        assert abs(given.issue.expires_at - expected) < timedelta(seconds=10)


async def test_stock_cannot_go_below_what_is_out_and_held_coupons_stay(shop: Shop) -> None:
    coupon = await make(shop, stock=5)
    channel_id, people = await make_people(shop, 2)
    for person in people:
        async with scope(shop.workspace_id) as session:
            await service.give(session, coupon.id, person, channel_id, "x")
    with pytest.raises(Invalid) as caught:
        async with scope(shop.workspace_id) as session:
            await service.change(session, coupon.id, parse(CouponIn, coupon_in(stock=1)))
    assert list(caught.value.fields) == ["stock"]
    with pytest.raises(Conflict):
        async with scope(shop.workspace_id) as session:
            await service.delete(session, coupon.id)


async def test_fifty_taps_use_it_once(shop: Shop, client: AsyncTestClient[Any]) -> None:
    coupon = await make(shop)
    _channel_id, (person,) = await make_people(shop, 1)
    async with scope(shop.workspace_id) as session:
        held = await give_by_hand(session, coupon.id, person, None)
    page = await client.get(f"/c/{held.code}")
    assert page.status_code == 200
    assert "10%OFF" in page.text
    assert "カレーの店" in page.text
    assert f"/c/{held.code}/use" in page.text
    assert (await client.get(f"/c/{held.code}/use")).status_code == 200
    answers = await asyncio.gather(
        *(client.post(f"/c/{held.code}/use", follow_redirects=False) for _ in range(50))
    )
    assert {answer.status_code for answer in answers} == {303}
    (event,) = await events(shop, "coupon_use")
    assert (event.subject, event.contact_id, event.value) == (str(coupon.id), person, 10)
    after = await client.get(f"/c/{held.code}")
    assert "使用済み" in after.text
    assert f'action="/c/{held.code}/use"' not in after.text
    again = await client.get(f"/c/{held.code}/use", follow_redirects=False)
    assert again.status_code == 303


async def test_an_expired_coupon_cannot_be_used(shop: Shop, client: AsyncTestClient[Any]) -> None:
    coupon = await make(shop)
    _channel_id, (person,) = await make_people(shop, 1)
    async with scope(shop.workspace_id) as session:
        held = await give_by_hand(session, coupon.id, person, None)
        held.expires_at = now() - timedelta(seconds=1)
    assert "有効期限が切れ" in (await client.get(f"/c/{held.code}")).text
    await client.post(f"/c/{held.code}/use")
    assert await events(shop, "coupon_use") == []
    with pytest.raises(service.Ended):
        async with scope(shop.workspace_id) as session:
            await service.use(session, held.code)


async def test_unknown_codes_are_not_found_and_the_qr_code_is_an_image(
    shop: Shop, client: AsyncTestClient[Any]
) -> None:
    for path in ("/c/nothing", "/c/nothing/use", "/c/nothing/qr.svg"):
        assert (await client.get(path)).status_code == 404
    assert (await client.post("/c/nothing/use")).status_code == 404
    coupon = await make(shop)
    _channel_id, (person,) = await make_people(shop, 1)
    async with scope(shop.workspace_id) as session:
        held = await give_by_hand(session, coupon.id, person, None)
    image = await client.get(f"/c/{held.code}/qr.svg")
    assert image.headers["content-type"].startswith("image/svg+xml")
    assert image.text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')


async def test_a_coupon_in_a_message_is_each_recipients_own(
    shop: Shop, client: AsyncTestClient[Any]
) -> None:
    coupon = await make(shop, stock=2)
    _channel_id, people = await make_people(shop, 3)
    draft = parse(Draft, {"blocks": [{"kind": "coupon", "coupon_id": str(coupon.id)}]})
    async with scope(shop.workspace_id) as session:
        await check(session, draft)
        built = await build(session, draft, "broadcast:1")
        filled = await personalise(session, built.messages, people)
    assert built.personal
    urls = [
        re.search(r"/l/[^'\"]+", str(filled[person])).group(0)  # pyright: ignore[reportOptionalMemberAccess]
        for person in people
    ]
    assert len(set(urls)) == 3
    preview = await client.get(
        urls[0], headers={"user-agent": "facebookexternalhit/1.1;line-poker/1.0"}
    )
    assert preview.status_code == 200
    assert await events(shop, "coupon_issue") == []
    assert await events(shop, "link_open") == []
    pages = [await client.get(url) for url in urls * 2]
    assert [page.status_code for page in pages] == [200] * 6
    assert pages[0].url == pages[3].url
    assert pages[0].url != pages[1].url
    assert "配布を終了" in pages[2].text
    issued = await events(shop, "coupon_issue")
    assert {(one.contact_id, one.data["grant"]) for one in issued} == {
        (person, "broadcast:1") for person in people[:2]
    }
    assert len(await events(shop, "link_open")) == 6
    # Another's ticket, or one for another link, gives nothing.
    code = urls[0].split("/")[2]
    forged = tickets.ticket("another", people[0])
    answer = await client.get(f"/c/claim/{coupon.id}/{code}/{forged}")
    assert answer.status_code == 404
