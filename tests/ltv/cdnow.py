"""The CDNOW purchases, on which the papers publish their figures; and customers of our own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hiiki.ltv.numerics import Numbers

DATA = Path(__file__).parents[3] / "shared" / "data"
CALIBRATION_END = date(1997, 9, 30)

Days = dict[str, dict[date, float]]
"""Person → day → what she spent on it."""


@dataclass(frozen=True)
class Seen:
    """What the models need of each person."""

    x: Numbers
    t_x: Numbers
    T: Numbers
    m: Numbers


def read(name: str, person: int, day: int, value: int, header: int) -> Days:
    """Read a log; skips the test when the folder is absent."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the CDNOW data is not at {path}")
    found: Days = defaultdict(lambda: defaultdict(float))
    for line in path.read_text().splitlines()[header:]:
        cells = line.split()
        if cells:
            found[cells[person]][_day(cells[day])] += float(cells[value])
    return found


@cache
def _day(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def sample() -> Days:
    """Return the papers' 1/10 sample."""
    return read("cdnow_sample.txt", 1, 2, 4, header=0)


def master() -> Days:
    """Return the whole log."""
    return read("cdnow_master.txt", 0, 1, 3, header=1)


def seen(log: Days, end: date) -> Seen:
    """Return what was seen of each person up to `end`, in weeks."""
    rows: list[tuple[float, float, float, float]] = []
    for spent in log.values():
        days = sorted(day for day in spent if day <= end)
        if days:
            x = len(days) - 1
            m = sum(spent[day] for day in days[1:]) / x if x else 0.0
            rows.append((x, (days[-1] - days[0]).days / 7, (end - days[0]).days / 7, m))
    return Seen(*(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


@dataclass(frozen=True)
class Simulated:
    """People who behave as BG/NBD says, and what nobody can see of them."""

    x: Numbers
    t_x: Numbers
    T: Numbers
    is_alive: Numbers
    later: Numbers
    """Purchases in the time after `T`."""


def simulate(
    r: float, alpha: float, a: float, b: float, T: Numbers, after: float, seed: int
) -> Simulated:
    """Let people buy and leave, purchase by purchase, until `T` and for `after` more."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(r, 1 / alpha, T.size)
    leaves = rng.beta(a, b, T.size)
    x, t_x, later, now = (np.zeros(T.size) for _ in range(4))
    alive_at_T = np.ones(T.size, dtype=bool)
    going = np.ones(T.size, dtype=bool)
    while going.any():
        now = now + rng.exponential(1, T.size) / np.maximum(rate, 1e-300)
        going &= now < T + after
        before = going & (now < T)
        x += before
        t_x = np.where(before, now, t_x)
        later += going & ~before
        goes = rng.random(T.size) < leaves
        alive_at_T &= ~(before & goes)
        going &= ~goes
    return Simulated(x, t_x, T, alive_at_T.astype(float), later)
