"""Identifiers: time-ordered for rows, derived for contacts, short for links."""

from __future__ import annotations

import os
import secrets
import time
from uuid import UUID, uuid5

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""No 0/o, 1/l/i: a person may have to read a code aloud."""


_last_tick = 0


def uuid7() -> UUID:
    """Return a new UUID of version 7 (RFC 9562): rows made later sort later.

    Within this process they always do, however fast they are made: the 12 bits behind the
    millisecond go on within it (RFC 9562, 6.2, method 3). What follows from one event may be
    written within the same microsecond, and is read in this order.
    """
    global _last_tick
    nanos = time.time_ns()
    tick = nanos // 1_000_000 << 12 | (nanos % 1_000_000 << 12) // 1_000_000
    _last_tick = tick = max(tick, _last_tick + 1)
    value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64
    return UUID(int=value | 0x2 << 62 | int.from_bytes(os.urandom(8)) >> 2)


def contact_id(workspace_id: UUID, provider: str, line_user_id: str) -> UUID:
    """Return the id of the person whom LINE calls `line_user_id`.

    It is derived, so that ingest needs no look-up and no unique index across shards.
    LINE's user ids are unique to a provider, hence `provider`.
    """
    return uuid5(workspace_id, f"line:{provider}:{line_user_id}")


def code(length: int = 10) -> str:
    """Return an unguessable short code, 4.95 bits a character, for links and coupons."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
