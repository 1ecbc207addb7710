"""How sure a share is that was found among few."""

from __future__ import annotations

from math import sqrt

Z = 1.959963984540054
"""For 95 in 100: the interval holds the true share that often."""


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95% Wilson score interval of a share; of nobody, all is possible: (0, 1).

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927). Unlike hits ± a margin it stays within 0 and 1, and is right for few
    people and for shares near the ends.
    """
    if of <= 0:
        return 0.0, 1.0
    share = hits / of
    shrink = 1 + Z * Z / of
    middle = (share + Z * Z / (2 * of)) / shrink
    margin = Z / shrink * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    low = 0.0 if hits == 0 else max(0.0, middle - margin)
    high = 1.0 if hits == of else min(1.0, middle + margin)
    return low, high
