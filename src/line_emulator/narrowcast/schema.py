"""The body of "Send narrowcast message": messages, recipients, attributes, limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..audience.people import AREAS
from ..model import Json
from ..validation.core import Check, as_object, boolean, by_type, choice, integer, obj, text
from ..validation.messages import MESSAGES
from ..validation.report import Path, Report

MAX_RECIPIENT_OBJECTS = 10
"""Audiences and redeliveries together (reference, "Recipient objects")."""
MAX_FILTERS = 10
"""Demographic filter objects, operators not counted (reference, "Logical operator objects")."""
_DEEPEST = 50
"""Operators may nest this deep. LINE names no limit, but no tree of ten needs more."""
_OPERATORS = ("and", "or", "not")
_AGES = tuple(f"age_{age}" for age in range(15, 75, 5))
_PERIODS = tuple(f"day_{days}" for days in (7, 30, 90, 180, 365))


def parts_of(operator: Json) -> tuple[str, list[Json]]:
    """An operator object's kind and the objects below it."""
    for kind in _OPERATORS:
        below = operator.get(kind)
        if below is not None:
            return kind, cast(list[Json], below if isinstance(below, list) else [below])
    raise ValueError("not an operator object")


def leaves(tree: Json) -> Iterator[Json]:
    """The objects of a checked tree that are no operators."""
    if tree["type"] != "operator":
        yield tree
        return
    for part in parts_of(tree)[1]:
        yield from leaves(part)


def _tree(leaf_types: dict[str, Check], most: int) -> Check:
    """A tree of operators over at most `most` objects of these types."""

    def node(value: Any, path: Path, report: Report, depth: int) -> int:
        if as_object(value).get("type") != "operator":
            any_leaf(value, path, report)
            return 1
        here = cast(Json, value)
        given = [kind for kind in _OPERATORS if here.get(kind) is not None]
        if len(given) != 1:
            report.invalid(path, "Exactly one of and, or, not must be specified")
            return 0
        kind = given[0]
        below, place = here[kind], (path, kind)
        if depth >= _DEEPEST:
            report.unreadable(place)
        if kind == "not":
            return node(below, place, report, depth + 1)
        if not isinstance(below, list):
            report.unreadable(place)
            return 0
        several = cast(list[Any], below)
        if not several:
            report.empty(place)
        return sum(
            node(one, (place, index), report, depth + 1) for index, one in enumerate(several)
        )

    # An operator never gets this far; it is here to be named when a type is none of those.
    any_leaf = by_type(leaf_types | {"operator": obj()})

    def check(value: Any, path: Path, report: Report) -> None:
        if node(value, path, report, 0) > most:
            report.size(path, 1, most)

    return check


def _one_of(*values: str) -> Check:
    one = choice(*values)

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, list):
            report.unreadable(path)
            return
        several = cast(list[Any], value)
        if not several:
            report.empty(path)
        for index, element in enumerate(several[: len(values) + 1]):
            one(element, (path, index), report)
        if len(several) > len(values):
            report.size(path, 1, len(values))

    return obj({"oneOf": check})


def _range(values: tuple[str, ...]) -> Check:
    """`gte`, `lt` or both, and then in this order."""

    def rule(here: Json, path: Path, report: Report) -> None:
        low, high = here.get("gte"), here.get("lt")
        if low is None and high is None:
            report.invalid(path, "Either gte or lt must be specified")
        elif low in values and high in values and values.index(low) >= values.index(high):
            report.invalid((path, "gte"), "gte must be smaller than lt")

    return obj({}, {"gte": choice(*values), "lt": choice(*values)}, rule)


RECIPIENT = _tree(
    {
        "audience": obj({"audienceGroupId": integer(0, 2**63 - 1)}),
        "redelivery": obj({"requestId": text(200)}),
    },
    MAX_RECIPIENT_OBJECTS,
)
DEMOGRAPHIC = _tree(
    {
        "gender": _one_of("male", "female"),
        "age": _range(_AGES),
        "appType": _one_of("ios", "android"),
        "area": _one_of(*AREAS),
        "subscriptionPeriod": _range(_PERIODS),
    },
    MAX_FILTERS,
)
NARROWCAST = obj(
    {"messages": MESSAGES},
    {
        "recipient": RECIPIENT,
        "filter": obj({}, {"demographic": DEMOGRAPHIC}),
        "limit": obj(
            {},
            {
                "max": integer(1, 2**31 - 1),
                "upToRemainingQuota": boolean,
                "forbidPartialDelivery": boolean,
            },
        ),
        "notificationDisabled": boolean,
    },
)
