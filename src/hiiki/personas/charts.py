"""A persona beside the average as ECharts options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hiiki.kit.i18n import gettext
from hiiki.personas.compare import Finding
from hiiki.personas.findings import Trait
from hiiki.personas.words import amount, finding_label, trait_label, value_label

OWN, OTHERS = "#0f6b53", "#c3b9a3"


def bars(found: Sequence[Finding], others: str) -> dict[str, Any]:
    """Return the group's shares and the others' as pairs of bars, and as a table."""
    names = [finding_label(one) for one in found]
    return {
        "option": {
            "color": [OWN, OTHERS],
            "tooltip": {"trigger": "axis"},
            "legend": {"top": 0, "left": 0},
            "grid": {"left": 8, "right": 48, "top": 36, "bottom": 8, "containLabel": True},
            "xAxis": {"type": "value", "axisLabel": {"formatter": "{value}%"}},
            "yAxis": {
                "type": "category",
                "inverse": True,
                "data": names,
                "axisLabel": {"width": 150, "overflow": "break"},
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
