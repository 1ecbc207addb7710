"""Identifiers: time-ordered for rows, derived for contacts, short for links."""

from __future__ import annotations

import os
import secrets
import time
from uuid import UUID, uuid5

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""No 0/o, 1/l/i: a person may have to read a code aloud."""


def uuid7() -> UUID:
    """Return a new UUID of version 7 (RFC 9562): rows made later sort later."""
    millis = time.time_ns() // 1_000_000
    value = millis << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def contact_id(workspace_id: UUID, provider: str, line_user_id: str) -> UUID:
    """Return the id of the person whom LINE calls `line_user_id`.

    It is derived, so that ingest needs no look-up and no unique index across shards.
    LINE's user ids are unique to a provider, hence `provider`.
    """
    return uuid5(workspace_id, f"line:{provider}:{line_user_id}")


def code(length: int = 10) -> str:
    """Return an unguessable short code, 4.95 bits a character, for links and coupons."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
