"""Ranks by SQL are those of plain Python, whatever the purchases; and who moved is counted."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.contacts.models import Contact
from hiiki.jobs import nightly
from hiiki.rfm import ranking, service
from hiiki.rfm.areas import AREAS, RANKS, area_of
from hiiki.rfm.models import Flow, Scheme, Standing
from hiiki.timeline import Event, record

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = datetime(2026, 11, 22, 12, tzinfo=TOKYO)
Clock = Callable[[datetime], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the time that ranks are formed at."""

    def put(at: datetime) -> None:
        for module in (ranking, nightly):
            monkeypatch.setattr(module, "now", lambda: at.astimezone(UTC))

    put(NOON)
    return put


@dataclass
class Bought:
    """One order."""

    who: UUID
    at: datetime
    value: int


@dataclass
class Oracle:
    """The same ranks, one person at a time."""

    orders: list[Bought]
    days: int | None = None
    counts: str = "ever"
    figures: dict[UUID, tuple[int, int, int]] = field(default_factory=dict)
    """Person → days since the last order, negative; orders; money."""

    def __post_init__(self) -> None:
        today = NOON.date()
        first = None if self.days is None else today - timedelta(self.days - 1)
        for who in {one.who for one in self.orders}:
            hers = [
                (one.at.astimezone(TOKYO).date(), one.value)
                for one in self.orders
                if one.who == who
            ]
            inside = [value for day, value in hers if first is None or day >= first]
            if inside or self.counts == "ever":
                last = max(day for day, _value in hers)
                self.figures[who] = ((last - today).days, len(inside), sum(inside))

    def fifths(self) -> dict[UUID, tuple[int, ...]]:
        """Rank by how many are worse: 0 % to 20 % is 1, from 80 % on 5."""
        people = self.figures
        return {
            who: tuple(
                1 + 5 * sum(other[one] < hers[one] for other in people.values()) // len(people)
                for one in range(3)
            )
            for who, hers in people.items()
        }

    def own(self, recency: list[int], frequency: list[int], money: list[int]):
        """Rank by bounds."""
        return {
            who: (
                1 + sum(-days <= bound for bound in recency),
                1 + sum(orders >= bound for bound in frequency),
                1 + sum(spent >= bound for bound in money),
            )
            for who, (days, orders, spent) in self.figures.items()
        }


async def fill(shop: Shop, orders: list[Bought], bystanders: int = 0) -> None:
    people = {one.who for one in orders} | {uuid4() for _ in range(bystanders)}
    async with scope(shop.workspace_id) as session:
        session.add_all([Contact(id=who) for who in people])
        for one in orders:
            record(session, one.who, "purchase", at=one.at, value=one.value)


def a_world(seed: int, people: int = 40) -> list[Bought]:
    chance = random.Random(seed)
    found: list[Bought] = []
    for _ in range(people):
        who = uuid4()
        for _ in range(min(12, int(chance.expovariate(0.5)) + 1)):
            ago = timedelta(minutes=chance.randrange(400 * 24 * 60))
            found.append(Bought(who, NOON - ago, chance.choice([0, 500, 500, 980, 3000, 12000])))
    return found


async def ranks_of(shop: Shop) -> dict[UUID, tuple[int, ...]]:
    async with scope(shop.workspace_id) as session:
        rows = await session.scalars(select(Standing).where(Standing.recency.is_not(None)))
        return {
            one.contact_id: (one.recency or 0, one.frequency or 0, one.monetary or 0)
            for one in rows
        }


async def rank(shop: Shop, **settings: object) -> Scheme:
    async with scope(shop.workspace_id) as session:
        scheme = await ranking.scheme_of(session)
        for name, value in settings.items():
            setattr(scheme, name, value)
        return await ranking.rank(session)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("days", "counts"), [(None, "ever"), (90, "ever"), (90, "window")])
async def test_b5_fifths_are_those_of_the_oracle(
    shop: Shop, clock: Clock, seed: int, days: int | None, counts: str
) -> None:
    orders = a_world(seed)
    await fill(shop, orders)
    await rank(shop, days=days, counts=counts)
    assert await ranks_of(shop) == Oracle(orders, days, counts).fifths()


async def test_b5_own_bounds_are_those_of_the_oracle(shop: Shop, clock: Clock) -> None:
    orders = a_world(5)
    await fill(shop, orders)
    bounds = ([200, 90, 30, 7], [2, 3, 4, 6], [500, 2000, 5000, 20000])
    named = dict(zip(("recency", "frequency", "monetary"), bounds, strict=True))
    await rank(shop, method="own", **named)
    assert await ranks_of(shop) == Oracle(orders).own(*bounds)


async def test_ties_fall_into_the_same_rank(shop: Shop, clock: Clock) -> None:
    yesterday = NOON - timedelta(1)
    once = [Bought(uuid4(), yesterday, 1000) for _ in range(9)]
    often = [Bought(once[0].who, yesterday, 1000)]
    await fill(shop, once + often)
    scheme = await rank(shop)
    found = await ranks_of(shop)
    assert found.pop(once[0].who) == (1, 5, 5)
    assert set(found.values()) == {(1, 1, 1)}
    assert scheme.bounds["recency"] == [None] * 4
    assert scheme.bounds["frequency"] == [2, 2, 2, 2]


async def test_ranks_follow_orders_that_come_and_are_taken_back(shop: Shop, clock: Clock) -> None:
    orders = a_world(7)
    await fill(shop, orders)
    await rank(shop)
    gone, back = orders[0].who, orders[-1].who
    more = Bought(back, NOON - timedelta(hours=1), 90_000)
    async with scope(shop.workspace_id) as session:
        await session.execute(delete(Event).where(Event.contact_id == gone))
        record(session, more.who, "purchase", at=more.at, value=more.value)
    await rank(shop)
    left = [one for one in orders if one.who != gone] + [more]
    assert await ranks_of(shop) == Oracle(left).fifths()


async def test_the_matrix_adds_up(shop: Shop, other_shop: Shop, clock: Clock) -> None:
    orders = a_world(9)
    await fill(shop, orders, bystanders=6)
    await fill(other_shop, a_world(10))
    await rank(shop)
    await rank(other_shop)
    async with scope(shop.workspace_id) as session:
        found = service.matrix(await ranking.scheme_of(session))
        everybody = {one.who for one in orders}
        assert (found.customers, found.never) == (len(everybody), 6)
        assert found.spent == sum(one.value for one in orders)
        assert sum(cell.people for cell in found.cells.values()) == found.customers
        assert sum(cell.share_of_spent for cell in found.areas.values()) == pytest.approx(1)
        for (r, f), cell in found.cells.items():
            group = service.Group(recency=r, frequency=f)
            assert await service.count(session, group) == cell.people
            rows = await service.people(session, group)
            assert len(rows) == cell.people
            assert [row.standing.spent for row in rows] == sorted(
                (row.standing.spent for row in rows), reverse=True
            )
        for key, cell in found.areas.items():
            assert await service.count(session, service.Group(area=key)) == cell.people
        best = max(found.areas, key=lambda key: found.areas[key].people)
        first = await service.people(session, service.Group(area=best), limit=2)
        last = first[-1].standing
        rest = await service.people(
            session, service.Group(area=best), (last.spent, last.contact_id)
        )
        assert len(rest) == found.areas[best].people - 2
        assert not {row.contact.id for row in first} & {row.contact.id for row in rest}
        one, few, many = service.by_orders(await ranking.scheme_of(session))
        assert one + few + many == found.customers


async def test_who_moved_since_last_month(shop: Shop, clock: Clock) -> None:
    orders = a_world(11)
    await fill(shop, orders)
    clock(datetime(2026, 10, 30, 12, tzinfo=TOKYO))
    late = datetime(2026, 10, 31, tzinfo=TOKYO)
    async with scope(shop.workspace_id) as session:  # what has not happened yet
        await session.execute(delete(Event).where(Event.at >= late))
    bounds = {"recency": [200, 90, 30, 7], "frequency": [2, 3, 4, 6], "monetary": [1, 2, 3, 4]}
    await rank(shop, method="own", **bounds)
    before = await ranks_of(shop)
    new, gone = uuid4(), next(iter(before))
    clock(NOON)
    await fill(shop, [Bought(new, NOON - timedelta(2), 800)])
    async with scope(shop.workspace_id) as session:
        await session.execute(delete(Event).where(Event.contact_id == gone))
    await rank(shop)
    scheme = await rank(shop)  # a second time, nothing is counted twice
    after = await ranks_of(shop)
    wanted: dict[tuple[str, str], int] = {}
    for who in {*before, *after}:
        way = tuple(area_of(*ranks[who][:2]) if who in ranks else "" for ranks in (before, after))
        wanted[way] = wanted.get(way, 0) + 1  # type: ignore[index]
    async with scope(shop.workspace_id) as session:
        months = await service.months(session)
        assert [str(month) for month in months] == ["2026-11-01", "2026-10-01"]
        found = await service.moves(session, months[0])
        assert {(one.came_from, one.went_to): one.people for one in found} == wanted
        assert wanted[("", "new")] == 1
        lost = service.Group(moved_from=area_of(*before[gone][:2]), moved_to="")
        assert [row.contact.id for row in await service.people(session, lost)] == [gone]
    assert str(scheme.since) == "2026-10-31"
    # In the next month it is forgotten, and its history stays.
    clock(datetime(2026, 12, 1, 12, tzinfo=TOKYO))
    await rank(shop)
    async with scope(shop.workspace_id) as session:
        assert await session.get(Standing, gone) is None
        flows = await session.scalars(select(Flow).where(Flow.month == months[0]))
        assert sum(one.people for one in flows) == sum(wanted.values())


async def test_a_preview_is_what_the_ranks_become(shop: Shop, clock: Clock) -> None:
    await fill(shop, a_world(13))
    await rank(shop)
    own = ranking.Bounds(
        (200, 90, 30, 7), (2, 3, 4, 6), tuple(map(Decimal, (500, 2000, 5000, 9000)))
    )
    for method, window in (
        ("fifths", ranking.Window(None, "ever")),
        ("own", ranking.Window(None, "ever")),
        ("own", ranking.Window(60, "window")),
        ("fifths", ranking.Window(60, "ever")),
    ):
        async with scope(shop.workspace_id) as session:
            scheme = await ranking.scheme_of(session)
            shown = await service.preview(session, scheme, method, window, own)
        await rank(
            shop,
            method=method,
            days=window.days,
            counts=window.counts,
            **{name: list(values) for name, values in own.dump().items()},
        )
        found = await ranks_of(shop)
        for place, counts in enumerate((shown.recency, shown.frequency, shown.monetary)):
            assert counts == [sum(one[place] == rank for one in found.values()) for rank in RANKS]
        assert shown.customers == len(found)


def test_each_cell_lies_in_one_area() -> None:
    for r in RANKS:
        for f in RANKS:
            inside = [
                area.key
                for area in AREAS
                if area.recency[0] <= r <= area.recency[1]
                and area.frequency[0] <= f <= area.frequency[1]
            ]
            assert inside == [area_of(r, f)]


def test_a_night_that_was_missed_is_made_up_for(clock: Clock) -> None:
    clock(datetime(2026, 11, 22, 2, 59, tzinfo=TOKYO))
    assert nightly.last_night("Asia/Tokyo") == datetime(2026, 11, 21, 3, tzinfo=TOKYO)
    clock(datetime(2026, 11, 22, 3, tzinfo=TOKYO))
    assert nightly.last_night("Asia/Tokyo") == datetime(2026, 11, 22, 3, tzinfo=TOKYO)


async def test_an_empty_shop_has_no_ranks(shop: Shop, clock: Clock) -> None:
    scheme = await rank(shop)
    assert scheme.ranked_at is not None
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Standing)) == 0
        assert service.matrix(await ranking.scheme_of(session)).customers == 0
