"""The areas of the matrix: which cells of recency and frequency belong together, and their names.

The division is the usual one of twenty-five cells into nine areas; shops rename them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hiiki.kit.i18n import Text, _

RANKS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Area:
    """Cells that call for the same thing."""

    key: str
    name: Text
    about: Text
    """Who they are, and what to do for them."""
    recency: tuple[int, int]
    """From and to which rank of recency."""
    frequency: tuple[int, int]
    """Likewise of frequency."""


AREAS: Sequence[Area] = (
    Area(
        "best",
        _("Best customers"),
        _("Bought lately, and often. Thank them first, and show them what is new first."),
        (4, 5),
        (4, 5),
    ),
    Area(
        "growing",
        _("Growing customers"),
        _("Bought lately, and a few times. Recommend what goes with what they have."),
        (4, 5),
        (2, 3),
    ),
    Area(
        "new",
        _("New customers"),
        _("Bought lately, and once. A word of thanks and a reason for the second order."),
        (4, 5),
        (1, 1),
    ),
    Area(
        "loyal",
        _("Regulars"),
        _("Buy often, but have not for a while. Remind them before they get used to it."),
        (3, 3),
        (4, 5),
    ),
    Area(
        "steady",
        _("In the middle"),
        _("Neither often nor rarely, neither lately nor long ago. A limited offer moves them."),
        (3, 3),
        (3, 3),
    ),
    Area(
        "cooling",
        _("Cooling down"),
        _("Bought once or twice, some time ago. A coupon with an end date."),
        (3, 3),
        (1, 2),
    ),
    Area(
        "precious",
        _("Not to be lost"),
        _("Were among the best, and stay away. Ask them why, in person."),
        (1, 2),
        (5, 5),
    ),
    Area(
        "leaving",
        _("About to leave"),
        _("Bought several times, and not for long. Say that you miss them."),
        (1, 2),
        (3, 4),
    ),
    Area(
        "asleep",
        _("Asleep"),
        _("Bought once or twice, long ago. Write seldom, with the strongest offer."),
        (1, 2),
        (1, 2),
    ),
)
BY_KEY: Mapping[str, Area] = {area.key: area for area in AREAS}
NOBODY = _("Not a customer")


def area_of(recency: int, frequency: int) -> str:
    """Return the key of the area in which this cell lies."""
    return next(
        area.key
        for area in AREAS
        if area.recency[0] <= recency <= area.recency[1]
        and area.frequency[0] <= frequency <= area.frequency[1]
    )


def area_of_number(cell: int) -> str:
    """Return the area of a stored cell (10 x recency + frequency); "" for no customer."""
    return area_of(*divmod(cell, 10)) if cell else ""


def name_of(key: str, names: Mapping[str, Any]) -> Text | str:
    """Return what this shop calls the area; "" is who is no customer."""
    if not key:
        return NOBODY
    return str(names.get(key) or "") or BY_KEY[key].name
