"""The overview as ECharts options: plain data, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from babel.dates import format_date, format_time

from hiiki.kit.i18n import current_locale
from hiiki.reports.service import CHARTED_LABELS, Overview, Period


def buckets_as_words(buckets: Sequence[datetime], chosen: Period) -> list[str]:
    """Return each bucket as a reader calls it: an hour, or a day."""
    locale = current_locale()
    if chosen.bucket == "hour":
        return [format_time(at.timetz(), "H:mm", locale=locale) for at in buckets]
    pattern = "M/d" if locale == "ja" else "d MMM"
    return [format_date(at.date(), pattern, locale=locale) for at in buckets]


def journey_chart(found: Overview) -> dict[str, Any]:
    """Return people by step as bars, the first step on top."""
    return {
        "grid": {"left": 8, "right": 56, "top": 4, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "show": False},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "axisLine": {"show": False},
            "data": [str(step.label) for step in found.steps],
        },
        "series": [
            {
                "type": "bar",
                "data": [step.people for step in found.steps],
                "label": {"show": True, "position": "right"},
                "showBackground": True,
                "backgroundStyle": {"color": "#f1eee5", "borderRadius": 4},
                "itemStyle": {"borderRadius": 4},
                "barMaxWidth": 22,
            }
        ],
    }


def trend_chart(found: Overview, words: list[str]) -> dict[str, Any]:
    """Return what happened over time, a line for each kind."""
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "left": 0},
        "grid": {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": words},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "line",
                "name": str(label),
                "data": found.series[kind],
                "showSymbol": len(words) <= 31,
            }
            for kind, label in CHARTED_LABELS.items()
        ],
    }
