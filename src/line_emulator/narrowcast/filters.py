"""Who a checked recipient object or demographic filter means."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from ..audience.people import Demographics
from ..model import Json
from .schema import leaves, parts_of

Predicate = Callable[[Demographics, int], bool]
"""Whether somebody with these attributes, a friend for so many days, is meant."""


def recipients(tree: Json, everybody: int, crowd: Callable[[Json], int]) -> int:
    """The people a recipient object means; `crowd` tells who is in an audience or redelivery."""
    if tree["type"] != "operator":
        return crowd(tree) & everybody
    kind, parts = parts_of(tree)
    sets = [recipients(part, everybody, crowd) for part in parts]
    if kind == "not":
        return everybody & ~sets[0]
    result = sets[0]
    for one in sets[1:]:
        result = result & one if kind == "and" else result | one
    return result


def uses_period(tree: Json) -> bool:
    """Whether a filter asks how long somebody has been a friend."""
    return any(leaf["type"] == "subscriptionPeriod" for leaf in leaves(tree))


def predicate(tree: Json) -> Predicate:
    """A function that tells who matches. Whose attribute is unknown matches no value of it."""
    kind = tree["type"]
    if kind == "operator":
        return _operator(tree)
    if kind in ("age", "subscriptionPeriod"):
        low, high = _bound(tree.get("gte"), 0), _bound(tree.get("lt"), 1 << 30)
        if kind == "age":
            return lambda known, _: known.age is not None and low <= known.age < high
        return lambda _, days: low <= days < high
    wanted = frozenset(cast(list[str], tree["oneOf"]))
    if kind == "gender":
        return lambda known, _: known.gender in wanted
    if kind == "appType":
        return lambda known, _: known.app_type in wanted
    return lambda known, _: known.area in wanted


def _bound(value: str | None, default: int) -> int:
    return default if value is None else int(value.partition("_")[2])


def _operator(tree: Json) -> Predicate:
    kind, parts = parts_of(tree)
    checks = [predicate(part) for part in parts]
    if kind == "not":
        return lambda known, days: not checks[0](known, days)
    if kind == "and":
        return lambda known, days: all(check(known, days) for check in checks)
    return lambda known, days: any(check(known, days) for check in checks)
