"""Sets of people that cost next to nothing: a broadcast may be opened by a hundred thousand.

People are held by their `User.index`. A handful is a set of numbers; a crowd is a bit for each
person there is, so that a set of 100,000 takes 12.5 KB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_CROWD = 200
"""From so many people on, bits are cheaper than numbers."""


@dataclass(slots=True)
class People:
    """A set of people by index. Plain data: a state file can hold it."""

    count: int = 0
    few: set[int] = field(default_factory=set[int])
    bits: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        return self.count

    def __contains__(self, index: int) -> bool:
        if not self.bits:
            return index in self.few
        place = index >> 3
        return place < len(self.bits) and bool(self.bits[place] & 1 << (index & 7))

    def __iter__(self) -> Iterator[int]:
        if not self.bits:
            yield from sorted(self.few)
            return
        for place, byte in enumerate(self.bits):
            if byte:
                for bit in range(8):
                    if byte & 1 << bit:
                        yield place << 3 | bit

    def add(self, index: int) -> bool:
        """Put the person in; False if they were in already."""
        if index in self:
            return False
        self.count += 1
        if self.bits:
            self._set(index)
        else:
            self.few.add(index)
            if self.count >= _CROWD:
                for one in self.few:
                    self._set(one)
                self.few.clear()
        return True

    def update(self, others: People) -> None:
        """Put all of `others` in."""
        if not (self.bits and others.bits):
            for index in others:
                self.add(index)
            return
        size = max(len(self.bits), len(others.bits))
        both = int.from_bytes(self.bits, "little") | int.from_bytes(others.bits, "little")
        self.bits = bytearray(both.to_bytes(size, "little"))
        self.count = both.bit_count()

    def _set(self, index: int) -> None:
        place = index >> 3
        if place >= len(self.bits):
            # In steps, so that a growing crowd does not copy its bits for every eighth person.
            self.bits.extend(bytes(place + 1 - len(self.bits) + (place >> 3)))
        self.bits[place] |= 1 << (index & 7)
