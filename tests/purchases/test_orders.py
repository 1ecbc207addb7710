"""Orders come in once, stand as they stand, and everything worked out of them follows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop
from hiiki.actions.models import Rule
from hiiki.contacts.erasure import erase
from hiiki.contacts.identities import Keys
from hiiki.contacts.merging import merge
from hiiki.contacts.models import Contact, ContactTag, Tag
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.purchases import service
from hiiki.purchases.models import Customer, Order, OrderLine, Product, Store, Subscriber
from hiiki.purchases.orders import LineIn, OrderIn, StoreIn, Taken
from hiiki.timeline import Event

MAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


def order(number: str = "1", who: str = "7", **given: Any) -> OrderIn:
    values: dict[str, Any] = {
        "source": "api",
        "number": number,
        "at": MAY,
        "keys": Keys(customer=who),
        "lines": [LineIn("mug", "マグ", Decimal(2), Decimal(3000)), LineIn("tea", "茶")],
        "amount": Decimal(3500),
        "store": StoreIn("aoyama", "青山店"),
        "updated_at": MAY,
    }
    return OrderIn(**values | given)


async def take(shop: Shop, *orders: OrderIn, import_id: UUID | None = None) -> list[Taken]:
    async with scope(shop.workspace_id) as session:
        return await service.take(session, orders, import_id=import_id)


def outcomes(taken: Sequence[Taken]) -> list[str]:
    return [each.outcome for each in taken]


async def told(session: WorkspaceSession, contact_id: UUID) -> list[tuple[str, str, Any]]:
    found = await session.scalars(
        select(Event).where(Event.contact_id == contact_id, Event.kind.like("purchase%"))
    )
    return sorted((each.kind, each.subject, each.value) for each in found)


async def customer(shop: Shop, contact_id: Any) -> Customer | None:
    async with scope(shop.workspace_id) as session:
        return await session.get(Customer, contact_id)


async def test_an_order_comes_in_once_and_tells_what_was_bought(shop: Shop) -> None:
    [first] = await take(shop, order())
    assert outcomes([first, *await take(shop, order())]) == ["new", "same"]
    async with scope(shop.workspace_id) as session:
        assert await told(session, first.contact_id or uuid4()) == [
            ("purchase", "aoyama", 3500),
            ("purchase_item", "mug", 3000),
            ("purchase_item", "tea", 0),
        ]
        kept = await session.get_one(Customer, first.contact_id)
        assert (kept.orders, kept.spent, kept.items, kept.gap_days) == (1, 3500, 3, None)
        contact = await session.get_one(Contact, first.contact_id)
        assert contact.is_purchaser
        mug = await session.scalar(select(Product).where(Product.key == "mug"))
        store = await session.scalar(select(Store))
        assert mug
        assert store
        assert (mug.name, mug.sold, mug.revenue) == ("マグ", 2, 3000)
        assert (store.name, store.orders, store.revenue) == ("青山店", 1, 3500)


async def test_a_later_version_changes_it_and_an_older_one_does_not(shop: Shop) -> None:
    [first] = await take(shop, order())
    later = MAY + timedelta(hours=2)
    taken = await take(
        shop,
        order(status="cancelled", updated_at=later),
        order(amount=Decimal(1), updated_at=MAY + timedelta(hours=1)),
    )
    assert outcomes(taken) == ["changed", "same"]
    assert outcomes(await take(shop, order(updated_at=MAY + timedelta(hours=1)))) == ["same"]
    assert await customer(shop, first.contact_id) is None
    async with scope(shop.workspace_id) as session:
        assert await told(session, first.contact_id or uuid4()) == [
            ("purchase_cancel", "aoyama", 3500)
        ]
        assert not (await session.get_one(Contact, first.contact_id)).is_purchaser
        assert await session.scalar(select(Product.sold).where(Product.key == "mug")) == 0
    # A repeat that is newer lets nothing in between pass any more.
    await take(shop, order(status="cancelled", updated_at=later + timedelta(hours=2)))
    assert outcomes(await take(shop, order(updated_at=later + timedelta(hours=1)))) == ["same"]


async def test_what_went_back_is_not_spent(shop: Shop) -> None:
    back = {"r1": Decimal(500)}
    [first] = await take(shop, order(status="partly_returned", refunds=back))
    kept = await customer(shop, first.contact_id)
    assert kept
    assert kept.spent == 3000
    async with scope(shop.workspace_id) as session:
        assert ("purchase_return", "aoyama", 500) in await told(
            session, first.contact_id or uuid4()
        )


async def test_an_order_follows_its_person(shop: Shop) -> None:
    [first] = await take(shop, order())
    [second] = await take(shop, order(who="8", updated_at=MAY + timedelta(hours=1)))
    assert second.outcome == "changed"
    assert second.contact_id != first.contact_id
    [third] = await take(
        shop, order(keys=Keys(), amount=Decimal(9), updated_at=MAY + timedelta(hours=2))
    )
    assert third.contact_id == second.contact_id
    assert await customer(shop, first.contact_id) is None
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Order)) == 1
        assert await session.scalar(select(func.count()).select_from(OrderLine)) == 2
        assert await told(session, first.contact_id or uuid4()) == []
        assert len(await told(session, second.contact_id or uuid4())) == 3


async def test_at_the_same_moment_it_still_comes_in_once(shop: Shop) -> None:
    async def post(n: int) -> None:
        await take(shop, order("1"), order(str(n + 2)), order("1", who=str(n % 2)))

    await asyncio.gather(*(post(n) for n in range(6)))
    async with scope(shop.workspace_id) as session:
        rows = (await session.execute(select(Order.number, Order.contact_id))).all()
        sums = await session.execute(select(Customer.contact_id, Customer.orders))
        assert sorted(number for number, _who in rows) == sorted(["1", *map(str, range(2, 8))])
        counted: dict[Any, int] = {}
        for _number, who in rows:
            counted[who] = counted.get(who, 0) + 1
        assert {who: n for who, n in sums.all()} == counted  # noqa: C416 — rows are no pairs


async def test_two_orders_of_one_person_at_once_are_both_counted(shop: Shop) -> None:
    await take(shop, order("0"))
    await asyncio.gather(*(take(shop, order(str(n))) for n in range(1, 9)))
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(Customer.orders)) == 9
        assert await session.scalar(select(Product.sold).where(Product.key == "mug")) == 18


async def test_what_cannot_be_taken_says_why_and_the_others_come_in(shop: Shop) -> None:
    bad = [
        order("1", keys=Keys()),
        order("2", status="lost"),
        order("3", currency="USD"),
        order("4", amount=Decimal("nan")),
        order("5", lines=[LineIn("")]),
        order("", who="9"),
        order("6", refunds={"r": Decimal(99999)}),
        order("7", lines=[LineIn("a\0")]),
    ]
    taken = await take(shop, *bad, order("8"))
    assert outcomes(taken) == ["refused"] * 8 + ["new"]
    assert [each.field for each in taken[:-1]] == [
        "keys", "status", "currency", "amount", "lines.0", "number", "refunds", "lines.0",
    ]  # fmt: skip
    assert all(each.reason for each in taken[:-1])


async def test_a_dry_run_says_the_same_and_writes_nothing(shop: Shop) -> None:
    await take(shop, order("1"))
    async with scope(shop.workspace_id) as session:
        orders = [order("1"), order("2", who="new"), order("1", status="open"), order("3")]
        dry = await service.take(session, orders, dry=True)
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1
    assert outcomes(dry) == outcomes(await take(shop, *orders)) == ["same", "new", "changed", "new"]


async def test_an_import_is_taken_back_as_it_found_things(shop: Shop) -> None:
    [first] = await take(shop, order("1"))
    one, two = uuid7(), uuid7()
    cancelled = {"status": "cancelled", "updated_at": MAY + timedelta(hours=1)}
    await take(shop, order("1", **cancelled), order("2"), order("3"), import_id=one)
    await take(shop, order("3", **cancelled), import_id=two)
    async with scope(shop.workspace_id) as session:
        assert await service.undo(session, one) == 2
        assert await service.undo(session, one) == 0
        kept = {each.number: each.status for each in await session.scalars(select(Order))}
        assert kept == {"1": "paid", "3": "cancelled"}
        assert await service.undo(session, two) == 1
    async with scope(shop.workspace_id) as session:
        found = await session.get_one(Customer, first.contact_id)
        assert (found.orders, found.spent) == (2, 7000)  # the third is the first import's again
        assert len(await told(session, first.contact_id or uuid4())) == 6
        assert await session.scalar(select(Product.sold).where(Product.key == "mug")) == 4


async def test_only_what_is_fresh_and_no_import_starts_rules(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="お買い上げ")
        session.add(tag)
        await session.flush()
        session.add(
            Rule(
                name="お礼",
                event_kind="purchase",
                event_subject="aoyama",
                actions=[{"kind": "tag_add", "tag_id": str(tag.id)}],
            )
        )
    fresh = {"at": now(), "updated_at": now()}
    taken = [
        *await take(shop, order("1", who="old")),
        *await take(shop, order("2", who="file", **fresh), import_id=uuid7()),
        *await take(shop, order("3", who="open", **fresh | {"status": "open"})),
        *await take(shop, order("4", who="fresh", **fresh), order("5", who="old")),
    ]

    async def tagged() -> set[Any]:
        async with scope(shop.workspace_id) as session:
            return set(await session.scalars(select(ContactTag.contact_id)))

    assert await tagged() == {taken[3].contact_id}
    await take(shop, order("3", who="open", at=fresh["at"], updated_at=now()))
    assert await tagged() == {taken[3].contact_id, taken[2].contact_id}


async def test_orders_that_name_a_subscription_are_its_deliveries(shop: Shop) -> None:
    monthly = [order(str(n), subscription="S1", at=MAY + timedelta(days=30 * n)) for n in range(3)]
    [first, *_rest] = await take(shop, *monthly[::-1])
    async with scope(shop.workspace_id) as session:
        kinds = select(Event.kind, Event.value).where(Event.kind.like("subscription%"))
        found = (await session.execute(kinds.order_by(Event.at))).all()
        assert [tuple(each) for each in found] == [
            ("subscription_start", None),
            ("subscription_renew", 2),
            ("subscription_renew", 3),
        ]
        assert (await session.get_one(Subscriber, first.contact_id)).continued == 3
    cancelled = order("2", subscription="S1", status="cancelled", updated_at=now())
    await take(shop, cancelled)
    async with scope(shop.workspace_id) as session:
        assert (await session.get_one(Subscriber, first.contact_id)).continued == 2


async def test_purchases_join_at_merging_and_go_at_erasure(shop: Shop) -> None:
    [mine] = await take(shop, order("1", who="member"))
    [other] = await take(shop, order("2", who="web", at=MAY + timedelta(days=10)))
    assert mine.contact_id
    assert other.contact_id
    async with scope(shop.workspace_id) as session:
        await merge(session, mine.contact_id, other.contact_id)
    kept = await customer(shop, mine.contact_id)
    assert kept
    assert (kept.orders, kept.spent, kept.gap_days) == (2, 7000, 10)
    # What the shop says of the order afterwards finds it where it has gone.
    later = order("2", who="web", status="returned", updated_at=now())
    [changed] = await take(shop, later)
    assert (changed.outcome, changed.contact_id) == ("changed", mine.contact_id)
    async with scope(shop.workspace_id) as session:
        await erase(session, await session.get_one(Contact, mine.contact_id))
    async with scope(shop.workspace_id) as session:
        for table in (Order, OrderLine, Customer):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_random_worlds_are_worked_out_as_by_hand(shop: Shop) -> None:
    chance = random.Random(5)
    world: dict[str, OrderIn] = {}
    for step in range(12):
        batch = [
            order(
                str(chance.randrange(8)),
                who=str(chance.randrange(3)),
                status=chance.choice(["open", "paid", "cancelled", "returned", "partly_returned"]),
                amount=Decimal(chance.randrange(100, 900)),
                refunds={"r": Decimal(50)} if chance.random() < 0.3 else {},
                lines=[LineIn(chance.choice("ab"), "", Decimal(n + 1), Decimal(7)) for n in
                       range(chance.randrange(3))],
                at=MAY + timedelta(days=chance.randrange(40)),
                updated_at=MAY + timedelta(hours=step, minutes=minute),
            )
            for minute in range(chance.randrange(1, 5))
        ]  # fmt: skip
        await take(shop, *batch)
        world |= {each.number: each for each in batch}
    async with scope(shop.workspace_id) as session:
        people: dict[str, list[OrderIn]] = {}
        for each in world.values():
            if each.status in ("paid", "partly_returned"):
                people.setdefault(each.keys.customer, []).append(each)
        wanted = sorted(
            (len(mine), sum(each.total - each.refunded for each in mine), max(e.at for e in mine))
            for mine in people.values()
        )
        rows = await session.scalars(select(Customer))
        assert sorted((row.orders, row.spent, row.last_at) for row in rows) == wanted
        kinds = await session.execute(
            select(Event.kind, func.count(), func.sum(Event.value))
            .where(Event.kind.in_(("purchase", "purchase_item")))
            .group_by(Event.kind)
        )
        counted = [each for mine in people.values() for each in mine]
        assert {kind: (n, value) for kind, n, value in kinds} == {
            "purchase": (len(counted), sum(e.total - e.refunded for e in counted)),
            "purchase_item": (
                sum(len(e.lines) for e in counted),
                sum(line.amount for e in counted for line in e.lines),
            ),
        }
        sold = await session.execute(select(Product.key, Product.sold))
        for key, quantity in sold:
            assert quantity == sum(
                line.quantity for e in counted for line in e.lines if line.product == key
            )
