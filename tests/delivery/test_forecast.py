"""What a send costs, saves and leaves (requirement C1)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from conftest import Shop
from hiiki.db import scope
from hiiki.delivery.forecast import Forecast, forecast
from hiiki.delivery.models import Send
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.workspace.models import Channel


async def ask(
    shop: Shop, recipients: int, everybody: int, *, under_way: int = 0, **channel: object
) -> Forecast:
    async with scope(shop.workspace_id) as session:
        made = Channel(
            id=uuid7(),
            name="x",
            line_channel_id="1",
            provider="P",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key="x",
            **channel,
        )
        session.add(made)
        await session.flush()
        for state, targeted, accepted in (
            ("running", under_way, 0),
            ("done", 900, 900),
            ("cancelled", 900, 100),
        ):
            session.add(
                Send(
                    channel_id=made.id,
                    subject="x",
                    messages=[],
                    state=state,
                    targeted=targeted,
                    accepted=accepted,
                )
            )
        return await forecast(session, made, recipients, everybody)


async def test_within_what_the_plan_includes(shop: Shop) -> None:
    found = await ask(shop, 300, 1000, plan="standard", quota_limit=30_000, quota_checked_at=now())
    assert (found.messages, found.saved_messages) == (300, 700)
    assert (found.cost, found.saved_cost) == (0, 0)
    assert (found.quota_left_after, found.over_quota) == (29_700, False)


async def test_beyond_it_yen_are_counted(shop: Shop) -> None:
    found = await ask(
        shop,
        1000,
        5000,
        plan="standard",
        quota_limit=60_000,
        quota_used=29_500,
        quota_checked_at=now(),
    )
    assert found.cost == Decimal(1500)
    assert found.saved_cost == Decimal(12_000)
    assert found.quota_left_after == 29_500


async def test_what_is_under_way_is_reserved(shop: Shop) -> None:
    found = await ask(
        shop, 60, 100, under_way=50, plan="light", quota_limit=100, quota_checked_at=now()
    )
    assert found.quota.reserved == 50
    assert (found.quota_left_after, found.over_quota) == (-10, True)


@pytest.mark.parametrize(
    ("plan", "checked", "limit", "left"),
    [("light", False, 5000, 4000), ("standard", False, None, None), ("light", True, None, None)],
)
async def test_without_lines_figure_the_plan_tells(
    shop: Shop, plan: str, checked: bool, limit: int | None, left: int | None
) -> None:
    found = await ask(shop, 1000, 1000, plan=plan, quota_checked_at=now() if checked else None)
    assert (found.quota.limit, found.quota_left_after) == (limit, left)
