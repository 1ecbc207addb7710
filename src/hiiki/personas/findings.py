"""What is counted of a group of people, beside everybody or beside another group.

Everything is counted four times over: of all people, of the group (`a`), of those whom it is
compared with (`b`: everybody, or another group), and of those who are in both. What is not known
of a person counts neither for nor against: each trait has its own number of people of whom it is
known.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Four = tuple[int, int, int, int]
"""all, a, b, both"""
NONE: Four = (0, 0, 0, 0)


class Value(BaseModel):
    """One answer to what a trait asks, and how many people it is true of."""

    value: str
    label: str = ""
    """As staff named it at that moment; "" where the value itself says it (`words`)."""
    counts: Four
    p: float | None = None
    """Two-sided; None where too few are known for a test."""
    q: float | None = None
    """`p` after Benjamini and Hochberg, over everything that was compared."""


class Moments(BaseModel):
    """Count, sum and sum of squares of a number: enough for a mean, its spread and a test."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean, or None of nobody."""
        return self.total / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """The sample variance, or None of fewer than two."""
        if self.n < 2:
            return None
        return max(0.0, (self.squares - self.total * self.total / self.n) / (self.n - 1))

    def less(self, other: Moments) -> Moments:
        """Return the same without some of the people."""
        return Moments(
            n=self.n - other.n,
            total=self.total - other.total,
            squares=self.squares - other.squares,
        )


class Trait(BaseModel):
    """One thing asked of everybody, with its values."""

    key: str
    """`tag`, `profile:prefecture`, `attribute:<id>`, `answer:<question>`, `field:<name>`, …"""
    label: str = ""
    """As staff named it at that moment; "" for what has fixed words."""
    kind: Literal["one", "several"] = "one"
    """Whether each person has one value or any number of them."""
    known: Four = NONE
    """Of how many people it is known at all."""
    values: list[Value] = []
    means: tuple[Moments, Moments, Moments, Moments] | None = None
    """Of all, a, b, both, where it is a number."""
    unit: str = ""
    """money, share, years, days or nothing."""
    p: float | None = None
    """Of the means."""
    q: float | None = None


class Figures(BaseModel):
    """One reading."""

    people: Four = NONE
    traits: list[Trait] = []
    asked: list[str] = []
    """Traits (`trait`, or `trait=value`) that the groups' own rules ask about: no discoveries."""
    tests: int = 0
    """How many comparisons were tested, over which `q` is."""
