"""The map over time and the movement between cells as ECharts options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from babel.dates import format_date

from hiiki.kit.i18n import current_locale, gettext
from hiiki.ninecells.cells import CELLS
from hiiki.ninecells.figures import Counts

COLOURS = {
    "loyal_active": "#0a5140",
    "loyal_passive": "#5d9c88",
    "general_active": "#2f6aa8",
    "general_passive": "#8db4dd",
    "lapsed_active": "#b5651d",
    "lapsed_passive": "#e6b980",
    "aware_active": "#6b4a99",
    "aware_passive": "#b9a3d6",
    "unaware": "#8a8f92",
    "": "#c9c5b8",
}


def months_chart(months: Sequence[tuple[date, Counts]]) -> dict[str, Any]:
    """Return the cells' shares at the end of each month as stacked columns, and as a table."""
    locale = current_locale()
    pattern = "yyyy/MM" if locale == "ja" else "MMM yyyy"
    words = [format_date(month, pattern, locale=locale) for month, _counts in months]
    totals = [sum(counts.values()) for _month, counts in months]
    series: list[dict[str, Any]] = []
    rows: list[list[Any]] = [[word] for word in words]
    # The book's best stands at the top of the column.
    for cell in reversed(CELLS):
        numbers = [counts.get(cell.name, 0) for _month, counts in months]
        series.append(
            {
                "type": "bar",
                "name": str(cell.label),
                "stack": "cells",
                "data": [
                    round(100 * n / total, 1) if total else 0
                    for n, total in zip(numbers, totals, strict=True)
                ],
                "itemStyle": {"color": COLOURS[cell.name]},
            }
        )
        for row, n in zip(rows, numbers, strict=True):
            row.insert(1, n)
    return {
        "option": {
            "tooltip": {"trigger": "axis", "order": "seriesDesc"},
            "legend": {"bottom": 0, "data": [str(cell.label) for cell in CELLS]},
            "grid": {"left": 8, "right": 8, "top": 12, "bottom": 40, "containLabel": True},
            "xAxis": {"type": "category", "data": words},
            "yAxis": {"type": "value", "max": 100, "axisLabel": {"formatter": "{value}%"}},
            "series": series,
        },
        "columns": [gettext("Month"), *(str(cell.label) for cell in CELLS)],
        "rows": rows,
    }


def flow_chart(flows: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Return movement as a Sankey diagram: where they stood on the left, where now on the right."""
    order = [*(cell.name for cell in CELLS), ""]
    names = {cell.name: str(cell.label) for cell in CELLS} | {"": gettext("Not on the map")}
    nodes: list[dict[str, Any]] = []
    for side, depth in (("was", 0), ("is", 1)):
        ends = {pair[depth] for pair, n in flows.items() if n}
        nodes += [
            {
                "name": f"{side} {name}",
                "value": names[name],
                "depth": depth,
                "itemStyle": {"color": COLOURS[name]},
                "label": {
                    "position": "right" if depth == 0 else "left",
                    "formatter": names[name],
                },
            }
            for name in order
            if name in ends
        ]
    links = [
        {"source": f"was {was}", "target": f"is {cell}", "value": n}
        for (was, cell), n in sorted(
            flows.items(), key=lambda flow: (order.index(flow[0][0]), order.index(flow[0][1]))
        )
        if n
    ]
    return {
        "tooltip": {"show": False},
        "series": [
            {
                "type": "sankey",
                "left": 4,
                "right": 4,
                "top": 8,
                "bottom": 8,
                "nodeGap": 14,
                "nodeWidth": 12,
                "layoutIterations": 0,
                "draggable": False,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "source", "opacity": 0.35},
                "label": {"fontSize": 12, "color": "#1f2a2e"},
                "data": nodes,
                "links": links,
            }
        ],
    }
