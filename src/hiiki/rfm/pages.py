"""What the console's pages and the API of ranks share: saving, cursors, segments, charts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from babel.dates import format_date
from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _, current_locale, gettext
from hiiki.rfm import jobs
from hiiki.rfm.areas import AREAS, BY_KEY, RANKS, name_of
from hiiki.rfm.models import Scheme
from hiiki.rfm.ranking import scheme_of
from hiiki.rfm.schemas import SchemeIn
from hiiki.rfm.service import Group, Move, Row
from hiiki.segments.models import Segment
from hiiki.segments.rules import dump_rule, read_rule
from hiiki.segments.service import free_name, save

COLOURS = {
    "best": "#0a5140",
    "growing": "#5f8f3e",
    "new": "#3f6fb0",
    "loyal": "#2a8f8f",
    "steady": "#a39a6b",
    "cooling": "#d5a42b",
    "precious": "#b93a26",
    "leaving": "#d5752b",
    "asleep": "#8a8f92",
    "": "#c9c5b8",
}
"""Of the areas in charts, where each also has its name."""


async def save_scheme(session: WorkspaceSession, given: SchemeIn) -> Scheme:
    """Store how ranks are formed, and have them formed anew when that has changed."""
    scheme = await scheme_of(session)
    wanted = {
        "method": given.method,
        "days": given.days,
        "counts": given.counts,
        "recency": given.recency,
        "frequency": given.frequency,
        "monetary": [float(one) for one in given.monetary],
    }
    changed = any(getattr(scheme, name) != value for name, value in wanted.items())
    for name, value in {**wanted, "names": given.names}.items():
        setattr(scheme, name, value)
    if changed:
        # Under other bounds people would seem to have moved who stayed where they were.
        scheme.is_new = True
        scheme.asked_at = None
        await jobs.ask(session)
    await session.flush()
    return scheme


def read_group(given: Mapping[str, Any]) -> Group:
    """Return whom an address is about; raises `Invalid` for areas and ranks that are not there."""
    wrong: dict[str, Text] = {}
    ranks: dict[str, int | None] = {}
    for name in ("recency", "frequency"):
        typed = str(given.get(name) or "")
        if typed and typed not in map(str, RANKS):
            wrong[name] = _("Ranks go from 1 to 5.")
        ranks[name] = int(typed) if typed and name not in wrong else None
    for name in ("area", "moved_from", "moved_to"):
        key = given.get(name)
        if key and key not in BY_KEY:
            wrong[name] = _("There is no area %(name)s.", name=key)
    if wrong:
        raise Invalid(fields=wrong)
    return Group(
        area=str(given.get("area") or ""),
        moved_from=given.get("moved_from"),
        moved_to=given.get("moved_to"),
        recency=ranks["recency"],
        frequency=ranks["frequency"],
    )


def title_of(group: Group, names: Mapping[str, Any]) -> str:
    """Return what a group is called."""
    if group.moved_from is not None or group.moved_to is not None:
        return gettext(
            "From %(before)s to %(after)s",
            before=name_of(group.moved_from or "", names),
            after=name_of(group.moved_to or "", names),
        )
    if group.area:
        return str(name_of(group.area, names))
    parts = [("R", group.recency), ("F", group.frequency)]
    return " ".join(f"{letter}{rank}" for letter, rank in parts if rank) or gettext("Customers")


async def segment_of(session: WorkspaceSession, group: Group) -> tuple[Segment, bool]:
    """Return the saved segment of a group, and whether it had to be made.

    Raises `Invalid` for people who have moved.
    """
    scheme = await scheme_of(session)
    asked = group.rule(scheme)
    if asked is None:
        raise Invalid(_("A segment knows where somebody is, not from where she came."))
    rule = read_rule(asked)
    found = await session.scalar(
        select(Segment).where(Segment.rule == dump_rule(rule)).order_by(Segment.id).limit(1)
    )
    if found is not None:
        return found, False
    name = f"RFM: {title_of(group, scheme.names)}"
    if await session.scalar(select(Segment.id).where(Segment.name == name)) is not None:
        name = await free_name(session, name)
    return await save(session, None, name=name, description="", rule=rule), True


def write_cursor(row: Row) -> str:
    """Return what stands for "behind this customer" in an address."""
    raw = f"{row.standing.spent}|{row.standing.contact_id}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def read_cursor(typed: str) -> tuple[Decimal, UUID] | None:
    """Return what `write_cursor` wrote; raises `Invalid` for anything else."""
    if not typed:
        return None
    try:
        raw = base64.urlsafe_b64decode(typed + "=" * (-len(typed) % 4)).decode()
        spent, ident = raw.split("|")
        found = Decimal(spent)
        if not found.is_finite():
            raise InvalidOperation
        return found, UUID(ident)
    except (ValueError, binascii.Error, InvalidOperation) as error:
        raise Invalid(fields={"after": _("This page mark is not valid.")}) from error


def month_words(month: date) -> str:
    """Return a month as a reader calls it."""
    locale = current_locale()
    return format_date(month, "yyyy年M月" if locale == "ja" else "MMMM yyyy", locale=locale)


def flow_chart(moves: Sequence[Move], names: Mapping[str, Any]) -> dict[str, Any]:
    """Return who went where as ECharts draws flows: areas then on the left, now on the right."""
    keys = [*(area.key for area in AREAS), ""]
    label = {key: str(name_of(key, names)) for key in keys}
    sides = (
        ("before", {move.came_from for move in moves}, "right"),
        ("after", {move.went_to for move in moves}, "left"),
    )
    return {
        "tooltip": {"trigger": "item", "formatter": "{c}"},
        "series": [
            {
                "type": "sankey",
                "left": 8,
                "right": 8,
                "top": 8,
                "bottom": 8,
                "nodeGap": 18,
                "draggable": False,
                "layoutIterations": 0,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "source", "opacity": 0.35},
                "data": [
                    {
                        "name": f"{side}:{key}",
                        "itemStyle": {"color": COLOURS[key]},
                        "label": {"formatter": label[key], "position": place},
                    }
                    for side, present, place in sides
                    for key in keys
                    if key in present
                ],
                "links": [
                    {
                        "source": f"before:{move.came_from}",
                        "target": f"after:{move.went_to}",
                        "value": move.people,
                    }
                    for move in moves
                ],
            }
        ],
    }
