"""A persona beside the average as ECharts options."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width

from hiiki.kit.i18n import _, gettext
from hiiki.personas.compare import Finding
from hiiki.personas.findings import Trait
from hiiki.personas.words import amount, finding_label, trait_label, value_label

OWN, OTHERS = "#0f6b53", "#c3b9a3"
ROOM = 42
"""Narrow letters in two lines beside a bar."""


def bars(found: Sequence[Finding], others: str) -> dict[str, Any]:
    """Return the group's shares and the others' as pairs of bars, and as a table."""
    names = [finding_label(one) for one in found]
    return {
        "option": {
            "color": [OWN, OTHERS],
            "tooltip": {"trigger": "axis"},
            "legend": {"top": 0, "left": 0},
            "grid": {"left": 8, "right": 48, "top": 36, "bottom": 8, "containLabel": True},
            "xAxis": {
                "type": "value",
                "axisLabel": {"formatter": "{value}%", "hideOverlap": True},
            },
            "yAxis": {
                "type": "category",
                "inverse": True,
                "data": [_beside(one) for one in found],
                "axisLabel": {"width": 150, "overflow": "break", "lineHeight": 13},
            },
            "series": [
                _bar(gettext("These people"), [one.share for one in found], is_shown=True),
                _bar(others, [one.other for one in found], is_shown=False),
            ],
        },
        "columns": [gettext("Trait"), gettext("These people"), others],
        "rows": [
            [name, amount(one.share, "share"), amount(one.other, "share")]
            for name, one in zip(names, found, strict=True)
        ],
    }


def _beside(one: Finding) -> str:
    """Return a finding's name in two lines beside its bars: of a long one the value is kept."""
    value = _cut(value_label(one.trait, one.value), ROOM - 12)
    trait = _cut(trait_label(one.trait), ROOM - 3 - sum(map(_width, value)))
    return str(_("%(trait)s: %(value)s", trait=trait, value=value))


def _cut(words: str, room: int) -> str:
    """Return words cut off where they take more than `room` narrow letters' width."""
    for at, left in enumerate(accumulate(map(_width, words))):
        if left > room:
            return f"{words[: max(at - 1, 1)]}…"
    return words


def _width(letter: str) -> int:
    return 2 if east_asian_width(letter) in "FWA" else 1


def _bar(name: str, shares: Sequence[float], *, is_shown: bool) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "data": [round(100 * share, 1) for share in shares],
        "barMaxWidth": 14,
        "label": {"show": is_shown, "position": "right", "formatter": "{c}%"},
    }


def radar(trait: Trait, others: str) -> dict[str, Any]:
    """Return one trait's values around a circle, all on the scale of shares, and as a table."""
    values = sorted(trait.values, key=lambda value: value.value)
    own = [value.counts[1] / trait.known[1] for value in values]
    other = [value.counts[2] / trait.known[2] for value in values]
    top = max(*own, *other, 0.01)
    names = [value_label(trait, value) for value in values]
    return {
        "option": {
            "color": [OWN, OTHERS],
            "legend": {"top": 0, "left": 0},
            "tooltip": {"trigger": "item"},
            "radar": {
                "radius": "62%",
                "center": ["50%", "56%"],
                "indicator": [
                    {"name": name, "max": round(100 * top * 1.05, 1), "min": 0} for name in names
                ],
                "axisName": {"color": "#1f2a2e"},
            },
            "series": [
                {
                    "type": "radar",
                    "data": [
                        {
                            "name": gettext("These people"),
                            "value": [round(100 * share, 1) for share in own],
                            "areaStyle": {"opacity": 0.2},
                        },
                        {"name": others, "value": [round(100 * share, 1) for share in other]},
                    ],
                }
            ],
        },
        "label": trait_label(trait),
        "columns": [trait_label(trait), gettext("These people"), others],
        "rows": [
            [name, amount(one, "share"), amount(two, "share")]
            for name, one, two in zip(names, own, other, strict=True)
        ],
    }
