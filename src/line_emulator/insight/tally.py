"""How often something happened, and to whom: what insight's figures are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .people import People


@dataclass(slots=True)
class Tally:
    """How often something happened, and to whom."""

    times: int = 0
    people: People = field(default_factory=People)

    def add(self, index: int) -> None:
        """It happened once more, to the person with this `User.index`."""
        self.times += 1
        self.people.add(index)


def together(tallies: Iterable[Tally]) -> Tally:
    """Several tallies as one: times added up, each person counted once."""
    several = list(tallies)
    if len(several) == 1:
        return several[0]
    whole = Tally()
    for tally in several:
        whole.times += tally.times
        whole.people.update(tally.people)
    return whole
