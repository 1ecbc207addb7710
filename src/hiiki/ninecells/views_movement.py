"""Console pages: movement between the cells, and who it was."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from litestar import get
from litestar.response import Template

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import page
from hiiki.ninecells import figures, service
from hiiki.ninecells.cells import BY_NAME, CELLS
from hiiki.ninecells.charts import flow_chart
from hiiki.workspace.access import Access

OUTSIDE = _("Not on the map")
NOWHERE = "none"
"""How addresses call what is outside the map."""


@get("/nine-cells/movement")
async def show_movement(
    session: WorkspaceSession, access: Access, first: str = "", until: str = ""
) -> Template:
    """Show who went where in a time, as a flow and as a table."""
    setup = await service.setup_of(session)
    if setup is None:
        return page("ninecells/start.html")
    begin, end, errors = period(first, until, access.timezone)
    found = await figures.flows(
        session,
        figures.day_end(begin - timedelta(days=1), access.timezone),
        figures.day_end(end, access.timezone),
    )
    moved = sorted(
        ((was, cell, n) for (was, cell), n in found.items() if was != cell),
        key=lambda flow: (-flow[2], flow[0], flow[1]),
    )
    return page(
        "ninecells/movement.html",
        status=422 if errors else 200,
        first=begin,
        until=end,
        errors=errors,
        months=_months(access.timezone),
        picture=flow_chart(found) if moved else None,
        flows=moved,
        stayed=sum(n for (was, cell), n in found.items() if was == cell),
        moved=sum(n for was, cell, n in moved if was and cell),
        came=sum(n for was, _cell, n in moved if not was),
        left=sum(n for _was, cell, n in moved if not cell),
        label=label,
        people_url=_people_url,
    )


@get("/nine-cells/people")
async def show_movers(
    session: WorkspaceSession,
    access: Access,
    first: str = "",
    until: str = "",
    came_from: str = "",
    went_to: str = "",
    after: UUID | None = None,
) -> Template:
    """List who went from one cell to another in a time."""
    begin, end, errors = period(first, until, access.timezone)
    people, following = await figures.movers(
        session,
        figures.day_end(begin - timedelta(days=1), access.timezone),
        figures.day_end(end, access.timezone),
        was=place(came_from),
        cell=place(went_to),
        after=after,
    )
    here = {"first": begin, "until": end, "came_from": came_from, "went_to": went_to}
    start = f"/nine-cells/people?{urlencode(here)}"
    return page(
        "ninecells/people.html",
        status=422 if errors else 200,
        people=people,
        first=begin,
        until=end,
        came_from=came_from,
        went_to=went_to,
        places=[(NOWHERE, OUTSIDE), *((cell.name, cell.label) for cell in CELLS)],
        errors=errors,
        label=label,
        before=start if after else "",
        following=f"{start}&{urlencode({'after': following})}" if following else "",
    )


def label(cell: str) -> Text:
    """Return what a cell is called; "" is outside the map."""
    return BY_NAME[cell].label if cell in BY_NAME else OUTSIDE


def place(typed: str) -> str | None:
    """Return the cell that an address means: None for any, "" for none."""
    if typed == NOWHERE:
        return ""
    return typed if typed in BY_NAME else None


def period(first: str, until: str, timezone: str) -> tuple[date, date, dict[str, Text]]:
    """Return the first and the last day, the last 30 without any, and what is wrong."""
    errors: dict[str, Text] = {}
    now_day = figures.today(timezone)
    end, begin = now_day, None
    try:
        end = figures.read_day(until, "until", timezone) or now_day
    except Invalid as error:
        errors |= error.fields
    try:
        begin = figures.read_day(first, "first", timezone)
    except Invalid as error:
        errors |= error.fields
    if begin is None:
        begin = end - timedelta(days=29)
    if begin > end:
        errors["until"] = _("Please enter a day that is not before the first.")
        begin = end
    return begin, end, errors


def _months(timezone: str) -> list[tuple[date, date]]:
    """The first and the last day of each of the last six months, the latest first."""
    last = figures.today(timezone)
    found: list[tuple[date, date]] = []
    for _n in range(6):
        start = last.replace(day=1)
        found.append((start, last))
        last = start - timedelta(days=1)
    return found


def _people_url(first: date, until: date, was: str, cell: str) -> str:
    given = {"first": first, "until": until, "came_from": was or NOWHERE}
    return f"/nine-cells/people?{urlencode({**given, 'went_to': cell or NOWHERE})}"


HANDLERS = [show_movement, show_movers]
