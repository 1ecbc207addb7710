"""Bodies of the requests that send messages (reference, "Message")."""

from __future__ import annotations

from typing import Any, cast

from ..ids import CHAT_ID, USER_ID
from .core import Check, array, boolean, obj, pattern, string
from .messages import MESSAGES, UNIT_NAME, no_mentions
from .report import Path, Report, Unreadable

MAX_RECIPIENTS = 500

_UNITS = array(pattern(UNIT_NAME.pattern, "Invalid aggregation unit"), 0, 1)


def _to(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, str) or not CHAT_ID.fullmatch(value):
        raise Unreadable(path)


def _to_many(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, list):
        report.unreadable(path)
        return
    people = cast(list[Any], value)
    if not 1 <= len(people) <= MAX_RECIPIENTS:
        report.items(path, 1, MAX_RECIPIENTS, len(people))
        return
    is_user = USER_ID.fullmatch
    try:
        if all(map(is_user, people)):  # the usual case, at the speed of C
            return
    except TypeError:
        pass  # something is no string: found below
    for index, one in enumerate(people):
        if not isinstance(one, str) or not is_user(one):
            # The reference's own example for multicast has no quotes around the name.
            raise Unreadable((path, index), quoted=False)


_QUIET: dict[str, Check] = {"notificationDisabled": boolean}

REPLY = obj({"replyToken": string, "messages": MESSAGES}, _QUIET)
PUSH = obj({"to": _to, "messages": MESSAGES}, _QUIET | {"customAggregationUnits": _UNITS})
MULTICAST = obj(
    {"to": _to_many, "messages": MESSAGES}, _QUIET | {"customAggregationUnits": _UNITS}, no_mentions
)
BROADCAST = obj({"messages": MESSAGES}, _QUIET, no_mentions)
VALIDATE = obj({"messages": MESSAGES})
VALIDATE_FOR_MANY = obj({"messages": MESSAGES}, {}, no_mentions)
