"""Yen by plan: what is included, the tiers, what cannot be bought."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from hiiki.cli import main
from hiiki.line.prices import PriceList, label_of, plan_of, price, price_list
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


TAIWAN = """{"currency": "TWD", "plans": {
  "low": {"label": "輕用量", "monthly_fee": 0, "included": 200},
  "high": {"label": "高用量", "monthly_fee": 1200, "included": 10,
           "tiers": [{"up_to": 5, "price": "0.2"}, {"up_to": 20, "price": "0.15"}]}}}"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "prices.json"
    path.write_text(TAIWAN)
    monkeypatch.setattr(settings(), "line_prices", path)
    return path


def test_a_file_of_ones_own_takes_the_place_of_japans_plans(own_file: Path) -> None:
    assert price_list().currency == "TWD"
    assert list(price_list().plans) == ["low", "high"]
    assert str(label_of("high")) == "高用量"
    assert price("high", 10, 5) == Decimal("1.0")
    assert price("high", 10, 6) == Decimal("1.15")
    # What goes beyond the last tier cannot be bought: it costs nothing, for LINE refuses it.
    assert price("high", 10, 100) == Decimal("3.25")


def test_a_plan_that_is_not_in_the_list_is_the_smallest(own_file: Path) -> None:
    assert price_list().known("standard") == "high"
    assert plan_of("standard").included == 10


@pytest.mark.parametrize(
    "wrong",
    [
        '{"plans": {}}',
        '{"currency": "yen", "plans": {"a": {"monthly_fee": 0, "included": 1}}}',
        '{"plans": {"a": {"monthly_fee": 0, "included": 1, "tiers": '
        '[{"up_to": 9, "price": 1}, {"up_to": 9, "price": 2}]}}}',
        '{"plans": {"a": {"monthly_fee": 0, "included": 1, "tiers": '
        '[{"price": 1}, {"up_to": 9, "price": 2}]}}}',
        '{"plans": {"a": {"monthly_fee": 0, "included": 1, "tiers": [{"yen": 1}]}}}',
    ],
)
def test_a_file_that_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        PriceList.model_validate_json(wrong)


def test_nothing_starts_with_a_file_that_cannot_be_read(
    own_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "database_url", "postgresql://nobody@127.0.0.1:1/none")
    own_file.write_text('{"plans": {"light": {"included": 200}}}')
    ended = CliRunner().invoke(main, ["worker"])
    assert ended.exit_code == 1
    assert "HIIKI_LINE_PRICES" in ended.output
    assert "monthly_fee" in ended.output
