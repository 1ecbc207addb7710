"""Lifetime value as ECharts options: plain data, drawn by the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from babel.dates import format_date

from hiiki.kit.i18n import current_locale, gettext
from hiiki.ltv.measured import Curve

MOST_CURVES = 6


def month_words(month: date) -> str:
    """Return a month as a reader calls it."""
    locale = current_locale()
    return format_date(month, "yyyy/MM" if locale == "ja" else "MMM yyyy", locale=locale)


def distribution(words: Sequence[str], counts: Sequence[int]) -> dict[str, Any]:
    """Return how many customers are expected to bring in how much, as columns."""
    return {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 8, "top": 24, "bottom": 8, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": list(words),
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "bar",
                "name": gettext("Customers"),
                "data": list(counts),
                "barMaxWidth": 64,
                "barCategoryGap": "12%",
            }
        ],
    }


def tracking(holdout: Mapping[str, Any]) -> dict[str, Any]:
    """Return repeated purchases counted up week by week, foretold and seen, with the day from
    which nothing was known any more."""
    weeks = holdout["weeks"]
    cut = holdout["cut_days"] // 7
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "left": 0},
        "grid": {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [gettext("week %(n)s", n=place + 1) for place in range(len(weeks))],
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "line",
                "name": gettext("Seen"),
                "data": [round(seen) for _should, seen in weeks],
                "showSymbol": False,
            },
            {
                "type": "line",
                "name": gettext("Foretold"),
                "data": [round(should, 1) for should, _seen in weeks],
                "showSymbol": False,
                "lineStyle": {"type": "dashed"},
                "markArea": {
                    "silent": True,
                    "itemStyle": {"color": "rgba(213, 138, 43, 0.12)"},
                    "label": {"color": "#566267", "position": "insideTop"},
                    "data": [
                        [
                            {"xAxis": min(cut, len(weeks) - 1), "name": gettext("tried here")},
                            {"xAxis": len(weeks) - 1},
                        ]
                    ],
                },
            },
        ],
    }


def cumulated(curves: Sequence[Curve], names: Mapping[str, str]) -> dict[str, Any]:
    """Return money a head, counted up by months since the first purchase, a line for each part."""
    shown = curves[:MOST_CURVES]
    longest = max((len(one.a_head) for one in shown), default=0)
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "left": 0},
        "grid": {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [gettext("month %(n)s", n=since + 1) for since in range(longest)],
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": {"type": "value"},
        "series": [
            {
                "type": "line",
                "name": names[one.part],
                "data": [round(value) for value in one.a_head],
                "showSymbol": longest <= 13,
            }
            for one in shown
        ],
    }
