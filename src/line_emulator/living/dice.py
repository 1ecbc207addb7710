"""Chances that fall the same way for the same seed, person and occasion, in whatever order.

So a story can be told again: the same people, messages and clock bring about the same acts.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

from .store import Thinking

T = TypeVar("T")
_NORMAL = NormalDist()
_FARTHEST = 2.326
"""The longest pause is the 99th percentile of the distribution before it is cut off."""


class Dice:
    """Throws of one person on one occasion."""

    __slots__ = ("_left", "_name", "_number")

    def __init__(self, seed: int, index: int, occasion: str) -> None:
        self._name = b"%d/%d/%s" % (seed, index, occasion.encode())
        self._number = 0
        self._left = 0

    def throw(self) -> float:
        """A number from 0 up to 1."""
        turn = self._number & 3
        if not turn:
            text = self._name + b"/%d" % (self._number >> 2)
            digest = hashlib.md5(text, usedforsecurity=False).digest()
            self._left = int.from_bytes(digest, "big")
        self._number += 1
        value = self._left & 0xFFFFFFFF
        self._left >>= 32
        return value / 0x1_0000_0000

    def happens(self, chance: float) -> bool:
        """Whether something of this chance happens. Every call throws, so later ones stay put."""
        return self.throw() < chance

    def pick(self, several: Sequence[T]) -> T:
        """One of these."""
        return several[int(self.throw() * len(several))]

    def pause(self, thinking: Thinking) -> float:
        """How long the person takes, in seconds."""
        chance = self.throw()
        if thinking.median <= 0 or thinking.max <= thinking.median:
            return max(thinking.min, min(thinking.median, thinking.max))
        spread = math.log(thinking.max / thinking.median) / _FARTHEST
        far = _NORMAL.inv_cdf(min(max(chance, 1e-9), 1 - 1e-9))
        return min(thinking.max, max(thinking.min, thinking.median * math.exp(spread * far)))
