"""Telephone numbers of simulated people, and who has which.

Everybody has one: that in the attribute `phone` (E.164, such as `+818012345678`), or one that
follows from the person's number.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from ..model import User
from ..platform import Platform


@dataclass(slots=True)
class PhoneNumbers:
    """User ids by the SHA-256 digest of their number, for the first `known` people."""

    by_digest: dict[str, str] = field(default_factory=dict[str, str])
    known: int = 0


def number_of(user: User) -> str:
    """The person's telephone number in E.164."""
    given = (user.attributes or {}).get("phone")
    return given if isinstance(given, str) and given else f"+8180{user.index:08d}"


def digest(number: str) -> str:
    """What a bot sends in place of the number (docs, "Phone number hashing")."""
    return hashlib.sha256(number.encode("utf-8", "surrogatepass")).hexdigest()


def person_with(platform: Platform, wanted: str) -> User | None:
    """The person whose number has this digest (lower case)."""
    numbers = platform.store.of(PhoneNumbers)
    for user in platform.user_order[numbers.known :]:
        numbers.by_digest[digest(number_of(user))] = user.id
    numbers.known = len(platform.user_order)
    user_id = numbers.by_digest.get(wanted)
    return None if user_id is None else platform.users.get(user_id)
