"""Can the prediction be trusted? The first two thirds of the shop's own time, fitted, foretell
the last third, of which what happened is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from hiiki.ltv.bgnbd import BgNbd
from hiiki.ltv.learning import enough, learn
from hiiki.ltv.numerics import Numbers
from hiiki.ltv.purchases import Customers

WEEK = 7
BINS = 7
"""Those who bought again so many times or more stand together."""


def check(people: Customers, by_day: Numbers) -> dict[str, Any]:
    """Return the comparison as JSON takes it; empty when the first part is too little.

    `by_day` is how often the customers of the first part bought again on each day.
    """
    inside = people.cut_days > 0
    x = people.cut_days[inside] - 1
    first, last = people.first[inside], people.cut_last[inside]
    if not enough(int(inside.sum()), int((x > 0).sum()), people.cut):
        return {}
    t_x, T, again = last - first, people.cut - first, people.cut_again[inside]
    try:
        model = learn(x, t_x, T, again)
    except ValueError:
        return {}
    length = people.today - people.cut
    expected = model.buying.expected(float(length), x, t_x, T)
    m = np.divide(again, x, out=np.zeros_like(x), where=x > 0)
    money = expected * model.spending.expected(x, m)
    seen, spent = people.later_days[inside], people.later[inside]
    bins = np.minimum(x, BINS).astype(int)
    return {
        "cut_days": people.cut,
        "days": length,
        "customers": int(inside.sum()),
        "expected": float(expected.sum()),
        "seen": float(seen.sum()),
        "error": _error(expected, seen),
        "expected_money": float(money.sum()),
        "seen_money": float(spent.sum()),
        "error_money": _error(money, spent),
        "bins": [
            {
                "again": place,
                "people": int((bins == place).sum()),
                "expected": float(expected[bins == place].mean()),
                "seen": float(seen[bins == place].mean()),
            }
            for place in range(BINS + 1)
            if (bins == place).any()
        ],
        "weeks": tracking(model.buying, first, by_day, people.today),
    }


def _error(expected: Numbers, seen: Numbers) -> float | None:
    """Return by which share of what was seen the prediction is too high (or too low)."""
    return float(expected.sum() / seen.sum() - 1) if seen.sum() else None


def tracking(model: BgNbd, first: Numbers, by_day: Numbers, end: int) -> list[list[float]]:
    """Return for the end of each week how many repeated purchases there should be in all by then,
    and how many there were."""
    came = np.bincount(first.astype(int), minlength=end + 1)[: end + 1]
    of_age = model.expected_of_new(np.arange(end + 1, dtype=float))
    should = np.convolve(came, of_age)[: end + 1]
    were = np.zeros(end + 1)
    were[: by_day.size] = by_day[: end + 1]
    total = np.cumsum(were)
    return [[float(should[day]), float(total[day])] for day in range(WEEK, end + 1, WEEK)]
