"""From purchases on the timeline to what each customer is worth, set-based and on real tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import delete, func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.contacts.models import Contact, Friendship
from hiiki.ltv import purchases, refresh
from hiiki.ltv.learning import Model, floor_two, money_edges
from hiiki.ltv.models import Cohort, Fit, Prediction, Spending
from hiiki.timeline import Event, record
from hiiki.workspace.models import Channel

from .cdnow import CALIBRATION_END, Days, sample, simulate

TOKYO = ZoneInfo("Asia/Tokyo")
TODAY = date(2026, 11, 22)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Set the day on which values are worked out."""

    def put(day: date) -> None:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=TOKYO).astimezone(UTC)
        for module in (purchases, refresh):
            monkeypatch.setattr(module, "now", lambda: at)

    put(TODAY)
    return put


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 30, tzinfo=TOKYO)


async def fill(shop: Shop, log: Days) -> dict[str, UUID]:
    """Put a log on the timeline; the people of it are no contacts, which nothing minds."""
    people = {name: uuid5(shop.workspace_id, name) for name in log}
    async with scope(shop.workspace_id) as session:
        for name, days in log.items():
            for day, value in days.items():
                amount = Decimal(str(round(value, 2)))
                record(session, people[name], "purchase", at=noon(day), value=amount)
    return people


async def refreshed(shop: Shop) -> Fit:
    async with scope(shop.workspace_id) as session:
        return await refresh.refresh(session)


async def test_b9_cdnow_through_the_database(
    shop: Shop, other_shop: Shop, clock: Callable[[date], None]
) -> None:
    log = sample()
    people = await fill(shop, log)
    clock(CALIBRATION_END)
    fit = await refreshed(shop)
    model = Model.load(fit.model)
    # Days instead of weeks: alpha is seven times as much, all else the same.
    assert round(model.buying.r, 3) == 0.243
    assert round(model.buying.alpha / 7, 3) == 4.414
    assert (round(model.buying.a, 3), round(model.buying.b, 3)) == (0.793, 2.426)
    assert (round(model.spending.p, 2), round(model.spending.v, 2)) == (6.25, 15.44)
    assert (fit.customers, fit.repeaters) == (2357, 946)
    async with scope(shop.workspace_id) as session:
        stored = list(await session.scalars(select(Prediction)))
        assert len(stored) == 2357
        total = sum(one.predicted for one in stored)
        assert float(total) == pytest.approx(fit.figures["predicted"], rel=1e-4)
        name = "0001"
        one = await session.get(Prediction, people[name])
        assert one is not None
        days = sorted(day for day in log[name] if day <= CALIBRATION_END)
        seen = [
            np.array([float(number)])
            for number in (
                len(days) - 1,
                (days[-1] - days[0]).days,
                (CALIBRATION_END - days[0]).days,
            )
        ]
        assert float(one.alive) == pytest.approx(model.buying.alive(*seen)[0], abs=1e-4)
        expected = model.buying.expected(365.0, *seen)[0]
        assert float(one.expected) == pytest.approx(expected, abs=1e-4)
        later = [log[name][day] for day in days[1:]]
        money = model.spending.expected(np.array([len(later)]), np.array([sum(later) / len(later)]))
        assert float(one.predicted) == pytest.approx(expected * money[0], abs=0.01)
        assert (one.orders, one.last_on) == (len(days), days[-1])
    # The whole time, tried on itself: the first two thirds foretell the last within a tenth.
    clock(date(1998, 6, 30))
    fit = await refreshed(shop)
    assert abs(fit.holdout["error"]) < 0.1
    assert fit.holdout["customers"] == 2357
    weeks = fit.holdout["weeks"]
    end = date(1997, 1, 1) + timedelta(7 * len(weeks))
    repeats = sum(sum(min(days) < day <= end for day in days) for days in log.values())
    assert weeks[-1][1] == repeats
    assert all(later[0] >= earlier[0] for earlier, later in pairwise(weeks))
    async with scope(other_shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Prediction)) == 0


async def test_too_few_customers_are_said_to_be_too_few(
    shop: Shop, clock: Callable[[date], None]
) -> None:
    log = {
        str(who): {TODAY - timedelta(80): 1000.0, TODAY - timedelta(who): 500.0}
        for who in range(1, 40)
    }
    await fill(shop, log)
    fit = await refreshed(shop)
    assert (fit.customers, fit.repeaters, fit.span_days) == (39, 39, 80)
    assert (fit.model, fit.holdout) == ({}, {})
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Prediction)) == 0
        assert (await session.scalar(select(func.count()).select_from(Cohort)) or 0) > 0


async def test_an_empty_shop(shop: Shop, clock: Callable[[date], None]) -> None:
    fit = await refreshed(shop)
    assert (fit.customers, fit.model) == (0, {})
    assert fit.learnt_at is not None


async def test_everything_for_nothing_teaches_nothing(
    shop: Shop, clock: Callable[[date], None]
) -> None:
    """Two hundred who come again and again, and never pay: no error, no prediction."""
    log = {
        str(who): {TODAY - timedelta(100): 0.0, TODAY - timedelta(who % 90): 0.0}
        for who in range(200)
    }
    await fill(shop, log)
    assert (await refreshed(shop)).model == {}


async def test_purchases_that_were_taken_back_count_no_more(
    shop: Shop, clock: Callable[[date], None]
) -> None:
    length = np.full(400, 300.0)
    people = simulate(0.8, 30.0, 0.8, 3.0, length, after=0.0, seed=1)
    log: Days = {}
    for who in range(400):
        days = {TODAY - timedelta(300): 1000.0}
        for step in range(int(people.x[who])):
            share = (step + 1) / people.x[who]
            days[TODAY - timedelta(300 - int(people.t_x[who] * share))] = 900.0 + who
        log[str(who)] = days
    ids = await fill(shop, log)
    before = await refreshed(shop)
    assert before.customers == 400
    async with scope(shop.workspace_id) as session:
        await session.execute(delete(Event).where(Event.contact_id == ids["7"]))
    after = await refreshed(shop)
    assert after.customers == 399
    async with scope(shop.workspace_id) as session:
        assert await session.get(Prediction, ids["7"]) is None


async def test_cohorts_are_those_of_plain_python(
    shop: Shop, clock: Callable[[date], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    log: Days = defaultdict(dict)
    routes: dict[str, str] = {}
    for who in range(60):
        routes[str(who)] = ["", "tw", "ig", "tw", "small", "tiny"][who % 6]
        for ago in rng.integers(0, 300, 1 + who % 4):
            log[str(who)][TODAY - timedelta(int(ago))] = float(rng.integers(1, 50) * 100)
    ids = await fill(shop, log)
    async with scope(shop.workspace_id) as session:
        # What is small stands together, but not what somebody has paid for.
        monkeypatch.setattr(refresh, "PARTS", 1)
        session.add(Spending(month=TODAY.replace(day=1), source="ig", amount=Decimal(1000)))
        channel = Channel(
            name="店",
            line_channel_id=uuid4().hex,
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=uuid4().hex,
        )
        session.add(channel)
        session.add_all([Contact(id=who) for who in ids.values()])
        await session.flush()
        for name, source in routes.items():
            session.add(
                Friendship(
                    contact_id=ids[name],
                    channel_id=channel.id,
                    line_user_id="U" + ids[name].hex,
                    status="following",
                    source=source or None,
                )
            )
            first = min(log[name])
            record(session, ids[name], "purchase_item", at=noon(first), subject="mug", value=10)
            record(session, ids[name], "purchase_item", at=noon(first), subject="cup", value=9)
            record(
                session,
                ids[name],
                "sent",
                subject="broadcast:1",
                channel_id=channel.id,
                at=noon(TODAY - timedelta(1)),
            )
    fit = await refreshed(shop)
    wanted: dict[tuple[str, str, date, int], list[float]] = {}
    for name, days in log.items():
        first = min(days)
        months: dict[int, list[float]] = defaultdict(list)
        for day, value in days.items():
            months[(day.year - first.year) * 12 + day.month - first.month].append(value)
        for since, values in months.items():
            route = {"small": "*", "tiny": "*"}.get(routes[name], routes[name])
            for split, part in (("all", ""), ("source", route), ("product", "mug")):
                key = (split, part, first.replace(day=1), since)
                found = wanted.setdefault(key, [0, 0, 0])
                for place, number in enumerate((1, len(values), sum(values))):
                    found[place] += number
    async with scope(shop.workspace_id) as session:
        rows = list(await session.scalars(select(Cohort)))
    stored = {
        (one.split, one.part, one.month, one.since): [one.people, one.orders, float(one.revenue)]
        for one in rows
    }
    assert stored == wanted
    newer = sum(min(days) >= TODAY - timedelta(1) for days in log.values())
    [sent] = fit.messages
    assert (sent["all"], sent["customers"]) == (60, 60 - newer)


def test_bars_of_a_distribution_cover_it() -> None:
    for most in (0.4, 7, 20, 999, 12_345, 3_000_000):
        edges = money_edges(most)
        assert edges[0] == 0
        assert edges == sorted(set(edges))
        assert edges[-1] >= min(most, edges[-1])
        assert 4 <= len(edges) <= 12
    assert (floor_two(12_345), floor_two(99), floor_two(0), floor_two(7.77)) == (12_000, 99, 0, 7.7)
