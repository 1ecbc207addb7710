"""Sets of people as whole numbers: bit n stands for the person with `User.index` n.

Uniting, intersecting and counting a hundred thousand people takes microseconds this way, so that
recipients may be put together from audiences however they like.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..insight.people import People
from ..model import Channel, Friendship
from ..platform import Platform

_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def mask_of(indexes: Iterable[int], size: int) -> int:
    """The set of these people, all of them below `size`."""
    bits = bytearray(size // 8 + 1)
    for index in indexes:
        bits[index >> 3] |= 1 << (index & 7)
    return int.from_bytes(bits, "little")


def indexes_of(mask: int) -> Iterator[int]:
    """The people of a set, lowest first."""
    for place, byte in enumerate(mask.to_bytes((mask.bit_length() + 7) // 8, "little")):
        if byte:
            for bit in _BITS[byte]:
                yield place << 3 | bit


def mask_of_people(people: People) -> int:
    """The set that is kept as `people`."""
    if people.bits:
        return int.from_bytes(people.bits, "little")
    return mask_of(people.few, max(people.few, default=0) + 1)


def people_of(mask: int) -> People:
    """A set in the form in which it is kept."""
    return People(mask.bit_count(), set(), bytearray(packed(mask))) if mask else People()


def packed(mask: int) -> bytes:
    """The set as bytes, for a state file."""
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def mask_of_packed(kept: bytes) -> int:
    """The set that `packed` made."""
    return int.from_bytes(kept, "little")


def friends(platform: Platform, channel: Channel) -> int:
    """All friends of the channel who have not blocked it: LINE's target reach."""
    users = platform.users
    return mask_of(
        (
            users[user_id].index
            for user_id, phone in channel.phones.items()
            if phone.friendship is Friendship.FRIEND
        ),
        len(platform.user_order),
    )
