"""Identifiers in the shapes LINE uses."""

from __future__ import annotations

import hashlib
import random
import re
from base64 import urlsafe_b64encode

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(a + b for a in _CROCKFORD for b in _CROCKFORD)
# Seeded by the system once: these ids have to be different, not secret, and asking the system for
# every one of them is a good part of what a push costs.
_bits = random.Random().getrandbits  # noqa: S311

USER_ID = re.compile(r"U[0-9a-f]{32}")
"""Shape of a user id (reference, "Source user")."""
CHAT_ID = re.compile(r"[UCR][0-9a-f]{32}")
"""Shape of a user, group or room id: what `to` of a push may hold."""
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
"""Shape of a retry key (reference, "Retrying an API request")."""


def request_id() -> str:
    """A fresh value for `x-line-request-id`."""
    h = f"{_bits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{h[16:20]}-{h[20:]}"


def ulid(at_ms: int) -> str:
    """A ULID for `webhookEventId` (reference, "Common properties" of webhook events)."""
    value = (at_ms & 0xFFFFFFFFFFFF) << 80 | _bits(80)
    pairs = [_PAIRS[(value >> shift) & 0x3FF] for shift in range(120, -1, -10)]
    return "".join(pairs)


def seeded_hex(seed: int, kind: str, index: int) -> str:
    """32 hex digits that are always the same for the same arguments."""
    return hashlib.md5(f"{seed}/{kind}/{index}".encode(), usedforsecurity=False).hexdigest()


def reply_token() -> str:
    """A reply token: 32 hex digits."""
    return f"{_bits(128):032x}"


def quote_token() -> str:
    """A quote token: opaque and URL-safe."""
    return urlsafe_b64encode(_bits(384).to_bytes(48, "big")).decode()


class MessageIds:
    """Hands out message ids: decimal strings of 18 digits that only grow, as LINE's do."""

    __slots__ = ("next",)

    def __init__(self) -> None:
        self.next = 600_000_000_000_000_001

    def take(self, count: int) -> list[str]:
        """`count` fresh ids in rising order."""
        first = self.next
        self.next += count * 17
        return [str(first + 17 * i) for i in range(count)]
