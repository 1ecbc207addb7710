"""Orders come in once, stand as they stand, and everything worked out of them follows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
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
from hiiki.contacts.models import Contact, ContactTag, Identity, Tag
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.purchases import service, undoing
from hiiki.purchases.jobs import reckon_days
from hiiki.purchases.models import Customer, Day, Order, OrderLine, Product, Store, Subscriber
from hiiki.purchases.orders import LineIn, OrderIn, StoreIn, Taken
from hiiki.timeline import Event
from hiiki.workspace.models import Workspace

MAY = datetime(2025, 5, 1, 12, tzinfo=UTC)


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
        order("9", at=now() + timedelta(hours=25)),
        order("10", updated_at=now() + timedelta(days=400)),
        order("11", at=datetime(1, 1, 1, tzinfo=UTC)),
    ]
    taken = await take(shop, *bad, order("8"))
    assert outcomes(taken) == ["refused"] * 11 + ["new"]
    assert [each.field for each in taken[:-1]] == [
        "keys", "status", "currency", "amount", "lines.0", "number", "refunds", "lines.0",
        "at", "updated_at", "at",
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
        assert await undoing.undo(session, one) == 2
        assert await undoing.undo(session, one) == 0
        kept = {each.number: each.status for each in await session.scalars(select(Order))}
        assert kept == {"1": "paid", "3": "cancelled"}
        assert await undoing.undo(session, two) == 1
    async with scope(shop.workspace_id) as session:
        found = await session.get_one(Customer, first.contact_id)
        assert (found.orders, found.spent) == (1, 3500)  # the third came by the first import alone
        assert len(await told(session, first.contact_id or uuid4())) == 3
        assert await session.scalar(select(Product.sold).where(Product.key == "mug")) == 2


async def test_imports_are_taken_back_in_turn_or_one_after_the_other(shop: Shop) -> None:
    [first, *_rest] = await take(shop, order("1"), order("2"))
    one, two, three = uuid7(), uuid7(), uuid7()

    def at(hour: int, **given: Any) -> dict[str, Any]:
        return {"updated_at": MAY + timedelta(hours=hour), **given}

    for number in "12":
        await take(shop, order(number, **at(1, status="cancelled")), import_id=one)
        await take(shop, order(number, **at(2, status="returned")), import_id=two)
    await take(shop, order("2", **at(3, status="open")), import_id=three)
    for gone, left in ((two, {"1": "cancelled", "2": "open"}), (three, None), (one, None)):
        async with scope(shop.workspace_id) as session:
            assert await undoing.undo(session, gone)
            found = {each.number: each.status for each in await session.scalars(select(Order))}
            # The second, taken back, is passed over when the third is.
            assert found == left or left is None
    assert found == {"1": "paid", "2": "paid"}
    kept = await customer(shop, first.contact_id)
    assert kept
    assert (kept.orders, kept.spent) == (2, 7000)


async def test_an_order_that_is_taken_back_goes_to_where_its_person_is_now(shop: Shop) -> None:
    [mine, _lost] = await take(shop, order("1", who="web"), order("2", who="gone"))
    late = {"who": "file", "updated_at": MAY + timedelta(hours=1)}
    made = uuid7()
    await take(shop, order("1", **late), order("2", **late), import_id=made)
    async with scope(shop.workspace_id) as session:
        [other] = await service.take(session, [order("3", who="member")])
        assert mine.contact_id
        assert other.contact_id
        await merge(session, other.contact_id, mine.contact_id)
        gone = await session.scalar(select(Identity.contact_id).where(Identity.key == "gone"))
        await erase(session, await session.get_one(Contact, gone))
        # Nothing of who was erased stays in the orders of others.
        left = await session.scalar(select(Order).where(Order.number == "2"))
        assert left
        assert (left.previous, left.owners) == (None, None)
    async with scope(shop.workspace_id) as session:
        assert await undoing.undo(session, made) == 2
        rows = await session.execute(select(Order.number, Order.contact_id))
        assert dict(rows.tuples().all()) == {"1": other.contact_id, "3": other.contact_id}


async def test_a_file_does_not_undo_what_the_shop_has_told(shop: Shop) -> None:
    said = {"subscription": "S1", "reference": "r-1", "cart": "c-1"}
    back = {"status": "partly_returned", "refunds": {"r1": Decimal(300), "r2": Decimal(200)}}
    [first, _other] = await take(shop, order("1", **said, **back), order("2", **said))
    later = MAY + timedelta(days=3)
    old = order("1", updated_at=None, status="open")
    again = order("1", status="partly_returned", refunds={"": Decimal(500)}, updated_at=later)
    own = order("2", updated_at=MAY, store=StoreIn("aoyama"))
    assert outcomes(await take(shop, old, own, import_id=uuid7())) == ["same", "same"]
    assert outcomes(await take(shop, again, import_id=uuid7())) == ["same"]
    paid = order("2", updated_at=later, amount=Decimal(9000))
    assert outcomes(await take(shop, paid, import_id=uuid7())) == ["changed"]
    # A file that does not say when stands behind whatever is told from then on.
    assert outcomes(await take(shop, order("3", updated_at=None), import_id=uuid7())) == ["new"]
    assert outcomes(await take(shop, order("3", amount=Decimal(8), updated_at=later))) == [
        "changed"
    ]
    async with scope(shop.workspace_id) as session:
        kept = {each.number: each for each in await session.scalars(select(Order))}
        assert kept["1"].refunds == {"r1": "300", "r2": "200"}
        for number in "12":
            found = {name: getattr(kept[number], name) for name in said}
            assert found == said
        assert kept["2"].amount == 9000
        assert (await session.get_one(Subscriber, first.contact_id)).continued == 2


async def test_who_staff_call_a_purchaser_stays_one(shop: Shop) -> None:
    [first, second] = await take(shop, order("1", status="open"), order("2", "8", status="open"))
    async with scope(shop.workspace_id) as session:
        (await session.get_one(Contact, first.contact_id)).is_purchaser = True
    later = MAY + timedelta(hours=1)
    await take(shop, *(order(n, w, updated_at=later) for n, w in (("1", "7"), ("2", "8"))))
    later += timedelta(hours=1)
    away = {"status": "cancelled", "updated_at": later}
    await take(shop, order("1", **away), order("2", "8", **away))
    async with scope(shop.workspace_id) as session:
        assert (await session.get_one(Contact, first.contact_id)).is_purchaser
        assert not (await session.get_one(Contact, second.contact_id)).is_purchaser


async def test_days_follow_the_workspaces_time_zone_and_come_out_even(shop: Shop) -> None:
    evening = datetime(2025, 5, 1, 20, tzinfo=UTC)  # in Tokyo it is tomorrow

    async def days() -> dict[Any, int]:
        async with scope(shop.workspace_id) as session:
            rows = await session.execute(select(Day.day, Day.orders).where(Day.orders != 0))
            return dict(rows.tuples().all())

    await take(shop, order("1", at=evening), order("2", at=evening))
    assert await days() == {date(2025, 5, 2): 2}
    async with everywhere() as session:
        (await session.get_one(Workspace, shop.workspace_id)).timezone = "Europe/London"
    away = order("1", at=evening, status="cancelled", updated_at=now())
    await take(shop, away)
    assert await days() == {date(2025, 5, 2): 1}
    await reckon_days(0)
    assert await days() == {date(2025, 5, 1): 1}
    await take(shop, order("2", at=evening, status="cancelled", updated_at=now()))
    assert await days() == {}


async def test_a_customers_days_follow_the_workspaces_time_zone(shop: Shop) -> None:
    # In Tokyo they are of one day, in London of two.
    morning, evening = datetime(2025, 5, 1, 16, tzinfo=UTC), datetime(2025, 5, 2, 8, tzinfo=UTC)
    await take(shop, order("1", at=morning), order("2", at=evening))

    async def days() -> int:
        async with scope(shop.workspace_id) as session:
            return (await session.scalars(select(Customer.days))).one()

    assert await days() == 1
    async with everywhere() as session:
        (await session.get_one(Workspace, shop.workspace_id)).timezone = "Europe/London"
    await reckon_days(0)
    assert await days() == 2


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
        # What was sold in all, on a day, in a store, is without them.
        for sums in (Product.sold, Product.revenue, Store.orders, Store.revenue, Day.orders):
            assert set(await session.scalars(select(sums))) == {0}


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
