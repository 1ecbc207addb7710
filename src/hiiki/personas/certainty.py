"""How sure it is that a group is other than those it is compared with.

* Shares: two groups without anybody in common are compared by a two-sided test: Fisher's exact
  test where an expected count is below 5, otherwise the chi-squared test with N - 1 (Campbell,
  "Chi-squared and Fisher-Irwin tests of two-by-two tables", Statistics in Medicine 26, 2007).
* Means: Welch's t-test, which asks for no equal spread.
* Hundreds of things are compared, and of these five in a hundred would seem other by chance
  alone. So all p-values are corrected together (Benjamini and Hochberg, JRSS B 57, 1995): of all
  differences that are called certain, about five in a hundred are not.
* Differences are ranked by how great they are, not by how sure: Cohen's h for shares, d for means.

A group is compared with those of the others who are not in it: with everybody, all but itself.
Only where the others are a part of it, it is compared without them. The shares that are shown are
of the whole groups all the same.
"""

from __future__ import annotations

from math import asin, isfinite, sqrt
from typing import Any, cast

import numpy as np

from hiiki.personas.findings import Figures, Four, Moments, Trait, Value

CERTAIN = 0.05
VERY_CERTAIN = 0.001
FEWEST_KNOWN = 10
"""People on each side of whom a trait must be known."""
FEWEST_HITS = 5
"""People of all for whom a value must be true."""
SMALL = 5.0
"""An expected count below which the exact test is used."""


def _stats() -> Any:
    """Return SciPy's statistics: imported where they are needed, for they take a second to come,
    and most processes never compare groups."""
    from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

    return cast("Any", stats)


def weigh(figures: Figures) -> Figures:
    """Put `p` and `q` to everything of which enough is known.

    What the groups are asked for themselves (`Figures.asked`) is sure to differ. It is left out:
    among discoveries that are none, chance would pass for more.
    """
    tested: list[Value | Trait] = []
    is_part = others_are_part(figures.people)
    asked = set(figures.asked)
    for trait in figures.traits:
        if trait.key in asked:
            continue
        for value in trait.values:
            if f"{trait.key}={value.value}" not in asked:
                value.p = share_p(value.counts, trait.known, is_part=is_part)
                tested += [value] if value.p is not None else []
        if trait.means is not None:
            trait.p = means_p(trait.means, is_part=is_part)
            tested += [trait] if trait.p is not None else []
    if tested:
        raw = [one.p for one in tested]
        corrected = _stats().false_discovery_control(raw, method="bh")
        for one, q in zip(tested, corrected, strict=True):
            one.q = float(q)
    figures.tests = len(tested)
    return figures


def others_are_part(people: Four) -> bool:
    """Tell whether all with whom a group is compared are in it."""
    return people[2] == people[3]


def apart(counts: Four, *, is_part: bool = False) -> tuple[int, int]:
    """Return counts of the two sides of a test, which have nobody in common."""
    _everyone, a, b, both = counts
    return (a - both, b) if is_part else (a, b - both)


def share_p(counts: Four, known: Four, *, is_part: bool = False) -> float | None:
    """Return the two-sided p-value of a difference in shares, or None where too few are known."""
    hits = apart(counts, is_part=is_part)
    of = apart(known, is_part=is_part)
    if min(of) < FEWEST_KNOWN or sum(hits) < FEWEST_HITS:
        return None
    n, yes = sum(of), sum(hits)
    no = n - yes
    if no == 0:
        return None  # everybody is the same: there is nothing to compare
    least = min(of) * min(yes, no) / n
    table = [[hits[0], of[0] - hits[0]], [hits[1], of[1] - hits[1]]]
    if least < SMALL:
        return float(_stats().fisher_exact(table).pvalue)
    difference = table[0][0] * table[1][1] - table[0][1] * table[1][0]
    # In floats: the product of four margins of a million does not fit into 64 bits.
    chi = float(difference) ** 2 * (n - 1) / (float(of[0]) * of[1] * yes * no)
    return float(_stats().chi2.sf(chi, 1))


def means_p(
    moments: tuple[Moments, Moments, Moments, Moments], *, is_part: bool = False
) -> float | None:
    """Return the two-sided p-value of a difference in means, or None where too few are known."""
    one, other = apart_means(moments, is_part=is_part)
    if min(one.n, other.n) < FEWEST_KNOWN:
        return None
    spread = (one.variance or 0.0, other.variance or 0.0)
    if spread == (0.0, 0.0):
        return None
    p = (
        _stats()
        .ttest_ind_from_stats(
            one.mean, sqrt(spread[0]), one.n, other.mean, sqrt(spread[1]), other.n, equal_var=False
        )
        .pvalue
    )
    return float(p) if isfinite(p) else None


def apart_means(
    moments: tuple[Moments, Moments, Moments, Moments], *, is_part: bool = False
) -> tuple[Moments, Moments]:
    """Return the numbers of the two sides of a test, which have nobody in common."""
    _everyone, a, b, both = moments
    return (a.less(both), b) if is_part else (a, b.less(both))


def share_effect(one: float, other: float) -> float:
    """Return Cohen's h: 0.2 is small, 0.5 medium, 0.8 great; above 0 when `one` is more."""
    return 2 * asin(sqrt(min(1.0, max(0.0, one)))) - 2 * asin(sqrt(min(1.0, max(0.0, other))))


def means_effect(one: Moments, other: Moments) -> float:
    """Return Cohen's d with the two spreads' mean, 0 where nothing varies."""
    if one.mean is None or other.mean is None:
        return 0.0
    spread = float(np.sqrt(((one.variance or 0.0) + (other.variance or 0.0)) / 2))
    return (one.mean - other.mean) / spread if spread else 0.0
