"""Numbers in bands: bounds that are easy to read, where the fifths of everybody end."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10


def bands_of(fifths: Sequence[float | None], *, is_whole: bool) -> list[float]:
    """Return where bands begin: the fifths' ends, rounded to two digits, each once.

    Whole numbers get whole bounds. Fewer than four come back where many people have the same.
    """
    found: list[float] = []
    for end in fifths:
        if end is None or not isfinite(end):
            continue
        bound = _readable(end)
        if is_whole:
            bound = float(round(bound))
        if bound not in found:
            found.append(bound)
    return sorted(found)


def _readable(number: float) -> float:
    if number == 0:
        return 0.0
    digits = 1 - floor(log10(abs(number)))
    return round(number, digits)
