"""What was sent and what may still be sent (reference, "Message")."""

from __future__ import annotations

from datetime import datetime

from .operation import Answer, Call, LineError, answer, operation

COUNTING_BEGAN = "20180331"
"""Days before this one are `out_of_service` (reference, "Get number of sent reply messages")."""


@operation("GET", "/v2/bot/message/quota")
async def target_limit(call: Call) -> Answer:
    """Get the target limit for sending messages this month."""
    if call.channel.quota is None:
        return answer({"type": "none"})
    return answer({"type": "limited", "value": call.channel.quota})


@operation("GET", "/v2/bot/message/quota/consumption")
async def consumption(call: Call) -> Answer:
    """Get number of messages sent this month."""
    return answer({"totalUsage": call.channel.consumed.get(call.platform.clock.month(), 0)})


def _day(call: Call) -> str:
    value = call.query.get("date", "")
    try:
        if len(value) != 8 or not value.isascii() or not value.isdigit():
            raise ValueError
        datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007 - a calendar day, compared as text
    except ValueError:
        raise LineError(400, "The value for the 'date' parameter is invalid") from None
    return value


def _count_of(via: str) -> None:
    @operation("GET", f"/v2/bot/message/delivery/{via}")
    async def count(call: Call) -> Answer:  # pyright: ignore[reportUnusedFunction]
        """Get number of sent messages of one kind on one day (UTC+9)."""
        day = _day(call)
        if day < COUNTING_BEGAN:
            return answer({"status": "out_of_service"})
        if day >= call.platform.clock.day():
            # Counting is finished within the next day.
            return answer({"status": "unready"})
        return answer({"status": "ready", "success": call.channel.sent_by_day.get((via, day), 0)})


for _via in ("reply", "push", "multicast", "broadcast", "pnp", "pnp/templated"):
    _count_of(_via)
