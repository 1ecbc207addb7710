"""Learning from a shop's customers, and predicting each of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hiiki.ltv import bgnbd, gamma_gamma
from hiiki.ltv.bgnbd import BgNbd
from hiiki.ltv.gamma_gamma import GammaGamma
from hiiki.ltv.numerics import Numbers
from hiiki.ltv.purchases import Customers

YEAR = 365.0
FEWEST_CUSTOMERS, FEWEST_REPEATERS, FEWEST_DAYS = 100, 30, 60
"""With fewer, the four parameters say more of chance than of the shop."""
RISKY = 0.5
"""Whoever is less likely than this to be still a customer is at risk of being lost."""


@dataclass(frozen=True, slots=True)
class Model:
    """Both models, in days and money."""

    buying: BgNbd
    spending: GammaGamma
    correlation: float
    """Of how often with how much, among those who bought again. Gamma-Gamma supposes none;
    beyond 0.3 what is predicted is too little for those who buy often (or too much)."""

    def dump(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "buying": asdict(self.buying),
            "spending": asdict(self.spending),
            "correlation": self.correlation,
        }

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Model:
        """Return what `dump` has written."""
        return cls(
            BgNbd(**stored["buying"]), GammaGamma(**stored["spending"]), stored["correlation"]
        )


@dataclass(frozen=True, slots=True)
class Predictions:
    """An element for each customer."""

    alive: Numbers
    expected: Numbers
    predicted: Numbers


def enough(customers: int, repeaters: int, span_days: int) -> bool:
    """Tell whether there is enough to learn from."""
    return (
        customers >= FEWEST_CUSTOMERS and repeaters >= FEWEST_REPEATERS and span_days >= FEWEST_DAYS
    )


def learn(x: Numbers, t_x: Numbers, T: Numbers, again: Numbers) -> Model:
    """Return what these people's purchases say; `again` is what they spent after the first day.

    Raises `ValueError` when nobody came again, or nobody who did paid for anything.
    """
    m = np.divide(again, x, out=np.zeros_like(again), where=x > 0)
    some = (x > 0) & (m > 0)
    together = np.corrcoef(x[some], m[some])[0, 1] if some.sum() > 2 else 0.0
    return Model(
        bgnbd.fit(x, t_x, T),
        gamma_gamma.fit(x, m),
        float(together) if np.isfinite(together) else 0.0,
    )


def learn_all(people: Customers) -> Model:
    """Return what all that is known of the customers says."""
    return learn(
        people.days - 1, people.last - people.first, people.today - people.first, people.again
    )


def predict(model: Model, people: Customers, t: float = YEAR) -> Predictions:
    """Return what to expect of each customer in the coming `t` days."""
    x, t_x, T = people.days - 1, people.last - people.first, people.today - people.first
    m = np.divide(people.again, x, out=np.zeros_like(x), where=x > 0)
    expected = np.maximum(model.buying.expected(t, x, t_x, T), 0.0)
    return Predictions(
        model.buying.alive(x, t_x, T), expected, expected * model.spending.expected(x, m)
    )


def figures(people: Customers, found: Predictions) -> dict[str, Any]:
    """Return the totals and the distribution of what is predicted, as JSON takes them.

    `top` and `valuable` are what a page and its segments go by: the tenth of the customers of
    whom most is expected, and the fifth who have spent most.
    """
    total = float(found.predicted.sum())
    ordered = np.sort(found.predicted)[::-1]
    shares = {
        str(percent): float(ordered[: -(-ordered.size * percent // 100)].sum() / total)
        if total
        else 0.0
        for percent in (10, 20, 50)
    }
    edges = money_edges(float(np.quantile(found.predicted, 0.995)))
    counts, _edges = np.histogram(np.minimum(found.predicted, edges[-1]), [*edges, np.inf])
    return {
        "predicted": total,
        "spent": float(people.spent.sum()),
        "expected": float(found.expected.sum()),
        "alive": float(found.alive.sum()),
        "shares": shares,
        "edges": edges,
        "counts": [int(count) for count in counts],
        "top": floor_two(float(np.quantile(found.predicted, 0.9))),
        "valuable": floor_two(float(np.quantile(people.spent, 0.8))),
    }


def money_edges(most: float) -> list[float]:
    """Return from where to where the bars of a distribution of money go: 0, and 1-2-5 steps over
    two powers of ten up to what is more than `most`."""
    steps = [1.0, 2.0, 5.0]
    power = 10.0 ** np.floor(np.log10(max(most, 1.0)))
    top = next((step * power for step in (*steps, 10.0) if step * power >= most), 10 * power)
    edges = [step * power * scale for scale in (0.001, 0.01, 0.1, 1.0, 10.0) for step in steps]
    return [0.0, *(float(edge) for edge in edges if top / 1100 < edge <= top)]


def floor_two(value: float) -> float:
    """Return `value` with two digits, not more than it is: 12,345 becomes 12,000."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(np.floor(value / unit + 1e-9) * unit)
