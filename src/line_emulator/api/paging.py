"""Continuation tokens: where a list goes on (reference, `next` and `start` of several lists)."""

from __future__ import annotations

import base64
import binascii

from .operation import Call, LineError

START_SECONDS = 86_400
"""A continuation token lives 24 hours."""


def token(call: Call, place: int, scope: str = "") -> str:
    """A token for going on at `place` of the list; `scope` tells lists of one kind apart."""
    text = f"{scope}:{place}:{int(call.platform.clock.now())}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def start(call: Call, scope: str = "") -> int | None:
    """The place that the query's `start` means, or None without one.

    Raises LineError for a token that is too old, or not of this list.
    """
    given = call.query.get("start")
    if given is None:
        return None
    try:
        text = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode("ascii")
        told, *numbers = text.rsplit(":", 2)
        place, issued = (int(number) for number in numbers)
    except (binascii.Error, ValueError):
        raise LineError(400, "Invalid start param") from None
    if told != scope or place < 0 or call.platform.clock.now() - issued > START_SECONDS:
        raise LineError(400, "Invalid start param")
    return place


def limit(call: Call, default: int, most: int) -> int:
    """The query's `limit`. Raises LineError when it is no whole number from 1 to `most`."""
    text = call.query.get("limit")
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise LineError(400, "The value for the 'limit' parameter is invalid")
    return int(text)
