"""The month's aggregation units (reference, "Get the number of unit name types assigned …")."""

from __future__ import annotations

import base64
import binascii

from ..api.operation import Answer, Call, LineError, answer, operation
from ..model import Json

MAX_PAGE = 100
"""Unit names in one answer (reference, "Get a list of unit names assigned during this month")."""
START_SECONDS = 24 * 3600
"""How long a continuation token lives (the same section)."""


def _names(call: Call) -> list[str]:
    return sorted(call.channel.units.get(call.platform.clock.month(), ()))


@operation("GET", "/v2/bot/message/aggregation/info")
async def usage(call: Call) -> Answer:
    """Get the number of unit name types assigned during this month."""
    return answer({"numOfCustomAggregationUnits": len(_names(call))})


@operation("GET", "/v2/bot/message/aggregation/list")
async def names(call: Call) -> Answer:
    """Get a list of unit names assigned during this month, a page at a time."""
    limit = call.query.get("limit", str(MAX_PAGE))
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MAX_PAGE:
        raise LineError(400, "Invalid limit param")
    after = _read_start(call, call.query.get("start"))
    # A page goes on after a name, not a place: names that are assigned meanwhile shift nothing.
    left = [name for name in _names(call) if name > after]
    page = left[: int(limit)]
    body: Json = {"customAggregationUnits": page}
    if len(left) > len(page):
        token = f"{int(call.platform.clock.now())}:{page[-1]}"
        body["next"] = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return answer(body)


def _read_start(call: Call, token: str | None) -> str:
    if token is None:
        return ""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
        issued, colon, name = text.partition(":")
        age = call.platform.clock.now() - int(issued)
    except (binascii.Error, ValueError):
        raise LineError(400, "Invalid start param") from None
    if not colon or not name or not -1 <= age <= START_SECONDS:
        raise LineError(400, "Invalid start param")
    return name
