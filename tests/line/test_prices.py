"""Yen by plan: what is included, the tiers, what cannot be bought."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hiiki.line.prices import price, sendable
from hiiki.settings import settings


@pytest.mark.parametrize(
    ("plan", "used", "extra", "yen"),
    [
        ("communication", 0, 500, "0"),
        ("light", 4_000, 5_000, "0"),
        ("standard", 0, 30_000, "0"),
        ("standard", 0, 30_001, "3"),
        ("standard", 29_999, 2, "3"),
        ("standard", 30_000, 200_000, "600000"),
        ("standard", 30_000, 200_001, "600002.5"),
        ("standard", 229_999, 2, "5.5"),
        ("standard", 300_000, 10, "25"),
        ("standard", 50_000, 0, "0"),
    ],
)
def test_price(plan: str, used: int, extra: int, yen: str) -> None:
    assert price(plan, used, extra) == Decimal(yen)


def test_parts_cost_what_the_whole_costs() -> None:
    whole = price("standard", 25_000, 300_000)
    parts = sum(price("standard", 25_000 + n, 50_000) for n in range(0, 300_000, 50_000))
    assert whole == parts


def test_what_is_left() -> None:
    assert sendable("light", 4_900, None) == 100
    assert sendable("light", 6_000, None) == 0
    assert sendable("standard", 90_000, None) is None
    assert sendable("standard", 90_000, 100_000) == 10_000
    assert sendable("standard", 100_001, 100_000) == 0


def test_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "prices.json"
    path.write_text(
        '{"standard": {"monthly_yen": 20000, "included": 10, "tiers": [{"yen": "1.5"}]}}'
    )
    monkeypatch.setattr(settings(), "line_prices", path)
    assert price("standard", 10, 10) == Decimal("15.0")
    assert price("light", 0, 10) == 0
