"""A segment's days as an ECharts option: plain data, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from babel.dates import format_date

from hiiki.kit.i18n import _, current_locale
from hiiki.segments.models import SegmentDay


def history_chart(days: Sequence[SegmentDay]) -> dict[str, Any]:
    """Return members and those who can be reached as lines, comings and goings as bars below."""
    words = [_day(row.day) for row in days]
    last = len(days) > 1
    line = {"type": "line", "showSymbol": not last, "xAxisIndex": 0, "yAxisIndex": 0}
    bar = {"type": "bar", "stack": "moves", "xAxisIndex": 1, "yAxisIndex": 1, "barMaxWidth": 14}
    edited = [{"xAxis": _day(row.day)} for row in days[1:] if row.anew]
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "left": 0},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": 8, "right": 36, "top": 40, "height": 130, "containLabel": True},
            {"left": 8, "right": 36, "top": 190, "height": 80, "containLabel": True},
        ],
        "xAxis": [
            {"type": "category", "data": words, "gridIndex": 0, "axisLabel": {"show": False}},
            {"type": "category", "data": words, "gridIndex": 1},
        ],
        "yAxis": [
            {"type": "value", "minInterval": 1, "gridIndex": 0},
            {"type": "value", "minInterval": 1, "gridIndex": 1, "splitNumber": 2},
        ],
        "series": [
            line
            | {
                "name": str(_("In it")),
                "data": [row.members for row in days],
                "markLine": {
                    "symbol": "none",
                    "silent": True,
                    "label": {"formatter": str(_("rule changed")), "color": "#566267"},
                    "lineStyle": {"color": "#8a8f92", "type": "dashed"},
                    "data": edited,
                },
            },
            line | {"name": str(_("Can be reached")), "data": [row.reachable for row in days]},
            bar | {"name": str(_("Entered")), "data": [row.entered for row in days]},
            bar | {"name": str(_("Left")), "data": [-row.left for row in days]},
        ],
    }


def history_rows(days: Sequence[SegmentDay]) -> list[tuple[str, int, int, int, int]]:
    """Return the same as a table's rows."""
    return [(_day(row.day), row.members, row.reachable, row.entered, row.left) for row in days]


def _day(day: date) -> str:
    locale = current_locale()
    return format_date(day, "M/d" if locale == "ja" else "d MMM", locale=locale)
