"""`/api/v1/nine-cells`: the map for programs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from litestar import get, post, put

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import NotFound
from hiiki.ninecells import figures, service
from hiiki.ninecells.cells import CELLS
from hiiki.ninecells.schemas import (
    CellOut,
    FlowOut,
    MapOut,
    MovementOut,
    MoverOut,
    MoversOut,
    SetupIn,
    SetupOut,
)
from hiiki.ninecells.views_movement import place
from hiiki.workspace.access import Access, audit

TAGS = ["nine-cells"]


@get("/nine-cells", tags=TAGS, operation_id="GetNineCells")
async def get_map(
    session: WorkspaceSession,
    access: Access,
    segment_id: UUID | None = None,
    on: date | None = None,
    against: date | None = None,
) -> MapOut:
    """Return the map of a day (today), of everybody or of those who are in a segment now.

    `against` adds each cell's share on another day.
    """
    setup = await service.setup_of(session)
    inner = await figures.among(session, segment_id)
    people = await figures.people_in(session, inner)
    day = _day(on, access.timezone) or figures.today(access.timezone)
    other = _day(against, access.timezone)
    market = setup.market if setup is not None and segment_id is None else None
    end = figures.day_end(day, access.timezone)
    shown = figures.shares(await figures.counts_at(session, end, inner), people, market)
    before = None
    if other is not None:
        moment = figures.day_end(other, access.timezone)
        before = figures.shares(await figures.counts_at(session, moment, inner), people, None)
    return MapOut(
        on=day,
        against=other,
        people=people,
        placed=shown.placed,
        cells=[
            CellOut(
                name=cell.name,
                number=cell.number,
                label=str(cell.label),
                people=shown.cells[cell.name].people,
                share=shown.cells[cell.name].share,
                low=shown.cells[cell.name].low,
                high=shown.cells[cell.name].high,
                market=shown.cells[cell.name].market,
                before=before.cells[cell.name].share if before is not None else None,
            )
            for cell in CELLS
        ],
    )


@get("/nine-cells/movement", tags=TAGS, operation_id="GetNineCellsMovement")
async def get_movement(
    session: WorkspaceSession, access: Access, first: date | None = None, until: date | None = None
) -> MovementOut:
    """Return how many went from which cell to which, in the last 30 days or between two days."""
    begin, end = _period(first, until, access.timezone)
    found = await figures.flows(session, *_moments(begin, end, access.timezone))
    return MovementOut(
        first=begin,
        until=end,
        flows=[FlowOut(was=was, cell=cell, people=n) for (was, cell), n in sorted(found.items())],
    )


@get("/nine-cells/movers", tags=TAGS, operation_id="ListNineCellsMovers")
async def list_movers(
    session: WorkspaceSession,
    access: Access,
    first: date | None = None,
    until: date | None = None,
    came_from: str = "",
    went_to: str = "",
    after: UUID | None = None,
) -> MoversOut:
    """List who went from `came_from` to `went_to` (a cell, "none" for outside, "" for any)."""
    begin, end = _period(first, until, access.timezone)
    people, following = await figures.movers(
        session,
        *_moments(begin, end, access.timezone),
        was=place(came_from),
        cell=place(went_to),
        after=after,
    )
    return MoversOut(
        items=[
            MoverOut(
                contact_id=one.contact.id,
                display_name=one.contact.display_name,
                at=one.at,
                was=one.was,
                cell=one.cell,
            )
            for one in people
        ],
        next=str(following) if following else None,
    )


@get("/nine-cells/setup", tags=TAGS, operation_id="GetNineCellsSetup")
async def get_setup(session: WorkspaceSession) -> SetupOut:
    """Return how the map is read."""
    return service.setup_out(await service.setup_of(session))


@put("/nine-cells/setup", tags=TAGS, operation_id="ChangeNineCellsSetup")
async def change_setup(session: WorkspaceSession, access: Access, data: SetupIn) -> SetupOut:
    """Change how the map is read; everybody is placed anew, the past included."""
    setup = await service.save(session, data)
    audit(session, access, "ninecells.setup")
    return service.setup_out(setup)


@post("/nine-cells/survey", tags=TAGS, operation_id="TakeNineCellsSurvey")
async def take_survey(session: WorkspaceSession, access: Access) -> SetupOut:
    """Make the ready survey of the three questions as a draft, and read the map from it."""
    made = await service.take_ready(session)
    audit(session, access, "ninecells.survey", made.id)
    return service.setup_out(await service.setup_of(session))


@post("/nine-cells/refresh", tags=TAGS, operation_id="RefreshNineCells", status_code=202)
async def refresh(session: WorkspaceSession, access: Access) -> SetupOut:
    """Have everybody placed anew; raises 404 before the map is set up."""
    setup = await service.setup_of(session)
    if setup is None:
        raise NotFound()
    await service.refresh_soon(session, setup)
    audit(session, access, "ninecells.refresh")
    return service.setup_out(setup)


def _day(day: date | None, timezone: str) -> date | None:
    return None if day is None else figures.read_day(day.isoformat(), "on", timezone)


def _period(first: date | None, until: date | None, timezone: str) -> tuple[date, date]:
    end = _day(until, timezone) or figures.today(timezone)
    begin = _day(first, timezone) or end - timedelta(days=29)
    return min(begin, end), end


def _moments(begin: date, end: date, timezone: str) -> tuple[datetime, datetime]:
    return (
        figures.day_end(begin - timedelta(days=1), timezone),
        figures.day_end(end, timezone),
    )


HANDLERS = [
    get_map,
    get_movement,
    list_movers,
    get_setup,
    change_setup,
    take_survey,
    refresh,
]
