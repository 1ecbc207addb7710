"""Drawers for what a feature remembers, so that the model need not know every feature.

A feature defines a dataclass whose fields all have defaults and asks for it where it needs it::

    @dataclass(slots=True)
    class Coupons:
        by_id: dict[str, Coupon] = field(default_factory=dict)

    coupons = channel.store.of(Coupons)

A drawer belongs to one channel, or to the platform for what is shared by all. It is made at first
need, and gone after a reset. To be kept in a state file, it holds plain data only: text, numbers,
bytes, lists, dictionaries, sets, enums and dataclasses of these, all of them annotated.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

T = TypeVar("T")


class Stores:
    """The drawers of one owner, one for each kind."""

    __slots__ = ("_drawers",)

    def __init__(self) -> None:
        self._drawers: dict[type[Any], Any] = {}

    def of(self, kind: type[T]) -> T:
        """The drawer of this kind, empty at first."""
        drawer = self._drawers.get(kind)
        if drawer is None:
            drawer = self._drawers[kind] = kind()
        return cast(T, drawer)

    def put(self, drawer: object) -> None:
        """Replace the drawer of its kind, as when a state file is read."""
        self._drawers[type(drawer)] = drawer

    def all(self) -> list[object]:
        """Every drawer that was ever needed."""
        return list(self._drawers.values())
