"""LINE's statistics of what was sent under a unit name ("Get statistics per unit").

Whatever fewer than 20 people did is None, and so is what LINE does not know (yet).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

MAX_LINKS = 100
"""Addresses that are kept; a message has a few."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message object of a sending."""

    seq: int
    """From 1 on."""
    shown: int | None
    """How often it was displayed."""
    people: int | None
    """Who displayed it."""
    played: int | None
    """People who began its video or audio."""
    played_through: int | None


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """One address in one bubble."""

    seq: int
    """The bubble, from 1 on."""
    url: str
    clicks: int | None
    people: int | None


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """What people did with all that was sent under a name. Everything counts people."""

    opened: int | None
    """Saw at least one bubble."""
    clicked: int | None
    """Opened any address."""
    played: int | None
    """Began any video or audio."""
    played_through: int | None
    bubbles: list[Bubble]
    links: list[LinkClicks]
    """Only those of which LINE tells anything: addresses that differ for each person are many."""


def unit_statistics(body: Mapping[str, Any]) -> UnitStatistics:
    """Read LINE's answer, leniently: what is not there is not told."""
    overview = _table(body.get("overview"))
    links = [
        LinkClicks(
            _count(row, "seq") or 0,
            str(row.get("url") or ""),
            _count(row, "click"),
            _count(row, "uniqueClick"),
        )
        for row in _rows(body, "clicks")
        if _count(row, "click") is not None or _count(row, "uniqueClick") is not None
    ]
    bubbles = [
        Bubble(
            _count(row, "seq") or 0,
            _count(row, "impression"),
            _count(row, "uniqueImpression"),
            _count(row, "uniqueMediaPlayed"),
            _count(row, "uniqueMediaPlayed100Percent"),
        )
        for row in _rows(body, "messages")
    ]
    return UnitStatistics(
        _count(overview, "uniqueImpression"),
        _count(overview, "uniqueClick"),
        _count(overview, "uniqueMediaPlayed"),
        _count(overview, "uniqueMediaPlayed100Percent"),
        bubbles,
        links[:MAX_LINKS],
    )


def _table(found: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _rows(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = body.get(name)
    return [_table(row) for row in cast("list[Any]", found)] if isinstance(found, list) else []


def _count(row: Mapping[str, Any], name: str) -> int | None:
    found = row.get(name)
    return int(found) if isinstance(found, int | float) else None
