"""The pages and the API of lifetime value."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import select

from conftest import Shop, scope
from console import Client, Console, console
from hiiki.contacts.models import Contact
from hiiki.ltv import jobs, measured
from hiiki.ltv.measured import months_after
from hiiki.ltv.models import Cohort, Prediction, Spending
from hiiki.ltv.refresh import fit_of

from .cdnow import Days
from .test_refresh import TODAY, clock, fill, refreshed

__all__ = ["clock"]
Clock = Callable[[date], None]


@pytest.fixture
async def app(shop: Shop) -> AsyncIterator[Console]:
    async with console() as running:
        yield running


@pytest.fixture
async def staff(app: Console, shop: Shop) -> Client:
    return await app.person(shop, "operator")


def a_log(people: int, seed: int = 2) -> Days:
    """Customers of a year, of whom some come again."""
    rng = np.random.default_rng(seed)
    log: Days = {}
    for who in range(people):
        day = TODAY - timedelta(int(rng.integers(200, 420)))
        days = {day: float(rng.integers(10, 60) * 100)}
        for gap in rng.exponential(45, int(rng.geometric(0.4)) - 1):
            day += timedelta(1 + int(gap))
            if day < TODAY:
                days[day] = float(rng.integers(10, 60) * 100)
        log[str(who)] = days
    return log


async def a_shop_with_values(shop: Shop, people: int = 300) -> None:
    ids = await fill(shop, a_log(people))
    async with scope(shop.workspace_id) as session:
        session.add_all([Contact(id=who, display_name=name) for name, who in ids.items()])
    await refreshed(shop)


async def test_the_page_says_what_is_missing(staff: Client, shop: Shop, clock: Clock) -> None:
    assert "まだ計算していません" in (await staff.get("/ltv")).text
    await fill(shop, a_log(30))
    await refreshed(shop)
    shown = (await staff.get("/ltv")).text
    assert "予測に必要なデータがまだ足りません" in shown
    assert "30／100" in shown
    for path in ("/ltv/cohorts", "/ltv/costs"):
        assert (await staff.get(path)).status_code == 200


async def test_b9_the_pages_show_prediction_trust_and_cohorts(
    staff: Client, app: Console, shop: Shop, clock: Clock
) -> None:
    await a_shop_with_values(shop)
    shown = await staff.get("/ltv")
    async with scope(shop.workspace_id) as session:
        fit = await fit_of(session)
        best = await session.scalar(
            select(Prediction).order_by(Prediction.predicted.desc()).limit(1)
        )
    assert best is not None
    assert f"/friends/{best.contact_id}" in shown.text
    assert fit.holdout["seen"] > 0
    assert "実際" in shown.text
    assert "ltv.predicted" in shown.text  # the link into the builder
    for split in measured.SPLITS:
        page = await staff.get(f"/ltv/cohorts?split={split}&show=a_head")
        assert page.status_code == 200, split
    english = await app.person(shop, "viewer", locale="en")
    assert "Can it be trusted?" in (await english.get("/ltv")).text
    assert (await english.form("/ltv/refresh")).status_code == 403


async def test_b9_what_a_customer_costs_to_win(staff: Client, shop: Shop) -> None:
    month = months_after(date.today().replace(day=1), -1)  # noqa: DTZ011 — whole months ago
    async with scope(shop.workspace_id) as session:
        for split, part in (("all", ""), ("source", "ig")):
            session.add(
                Cohort(
                    workspace_id=shop.workspace_id,
                    split=split,
                    part=part,
                    month=month,
                    since=0,
                    people=40,
                    orders=40,
                    revenue=Decimal(80_000),
                )
            )
    for amount in ("50000", "60000"):  # the second takes the place of the first
        sent = await staff.form(
            "/ltv/spending", {"month": month.isoformat()[:7], "source": "ig", "amount": amount}
        )
        assert sent.status_code == 303, sent.text
    shown = (await staff.get("/ltv/costs")).text
    assert "1,500円" in shown
    async with scope(shop.workspace_id) as session:
        [entry] = await session.scalars(select(Spending))
        [one] = [
            cost
            for cost in await measured.source_costs(session, months_after(month, 1))
            if cost.source == "ig"
        ]
    assert (one.won, one.winning) == (40, Decimal("1500.00"))
    wrong = await staff.form("/ltv/spending", {"month": "x", "amount": "-1", "source": "あ" * 101})
    assert wrong.status_code == 422
    for field in ("month", "amount", "source"):
        assert f'id="f-{field}-error"' in wrong.text
    gone = await staff.form(f"/ltv/spending/{entry.id}/delete")
    assert gone.status_code == 303
    assert "まだ入力がありません" in (await staff.get("/ltv/costs")).text


def test_curves_count_whole_months_of_cohorts_that_are_old_enough() -> None:
    current = date(2026, 11, 1)

    def cohort(month: int, since: int, people: int, revenue: int) -> Cohort:
        return Cohort(
            split="all",
            part="",
            month=date(2026, month, 1),
            since=since,
            people=people,
            orders=people,
            revenue=Decimal(revenue),
        )

    found = [
        cohort(9, 0, 10, 1000),
        cohort(9, 1, 5, 400),
        cohort(9, 2, 9, 9999),
        cohort(10, 0, 30, 6000),
        cohort(10, 1, 9, 9999),
        cohort(11, 0, 7, 9999),
    ]
    [curve] = measured.curves(found, current)
    # The first month of both cohorts, the second of September's alone; November is not over.
    assert curve.a_head == [7000 / 40, 7000 / 40 + 400 / 10]
    rows = measured.heat(found, current)
    assert [row.month.month for row in rows] == [10, 9]
    assert list(rows[1].kept[:3]) == [1.0, 0.5, None]
    assert months_after(date(2026, 1, 1), -1) == date(2025, 12, 1)


async def test_the_api_does_all_of_it(app: Console, shop: Shop, clock: Clock) -> None:
    await a_shop_with_values(shop, 200)
    program = await app.program(shop)
    found = (await program.get("/api/v1/ltv")).json()
    assert found["customers"] == 200
    assert found["model"]["buying"]["r"] > 0
    best = (await program.get("/api/v1/ltv/customers?limit=5")).json()["items"]
    assert [one["predicted"] for one in best] == sorted(
        (one["predicted"] for one in best), key=float, reverse=True
    )
    risky = (await program.get("/api/v1/ltv/customers?which=at_risk")).json()["items"]
    assert all(float(one["alive"]) < 0.5 for one in risky)
    cohorts = (await program.get("/api/v1/ltv/cohorts")).json()["items"]
    assert sum(one["people"] for one in cohorts if one["since"] == 0) == 200
    entry = {"month": "2026-10-15", "source": "ig", "amount": "1000"}
    kept = (await program.put("/api/v1/ltv/spending", json=entry)).json()
    assert kept["month"] == "2026-10-01"
    assert len((await program.get("/api/v1/ltv/costs")).json()["months"]) == 12
    assert (await program.delete(f"/api/v1/ltv/spending/{kept['id']}")).status_code == 204
    assert (await program.get("/api/v1/ltv/spending")).json() == []
    assert (await program.post("/api/v1/ltv/refresh")).status_code == 202
    async with scope(shop.workspace_id) as session:
        assert jobs.is_under_way(await fit_of(session))
