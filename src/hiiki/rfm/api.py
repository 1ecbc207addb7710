"""`/api/v1/rfm`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import get, post, put
from litestar.params import Parameter

from hiiki.db import WorkspaceSession
from hiiki.rfm import jobs, service
from hiiki.rfm.pages import read_cursor, read_group, save_scheme, write_cursor
from hiiki.rfm.ranking import scheme_of
from hiiki.rfm.schemas import (
    AskedOut,
    MatrixOut,
    MovementOut,
    MoveOut,
    PeoplePage,
    PersonOut,
    SchemeIn,
)
from hiiki.workspace.access import Access, audit

TAGS = ["rfm"]
Limit = Annotated[int, Parameter(ge=1, le=200)]


@get("/rfm", tags=TAGS, summary="The matrix of recency and frequency")
async def get_matrix(session: WorkspaceSession) -> MatrixOut:
    """Get where all customers stand, and how ranks are formed."""
    scheme = await scheme_of(session)
    return MatrixOut.make(scheme, service.matrix(scheme), jobs.is_under_way(scheme))


@put("/rfm/scheme", tags=TAGS)
async def put_scheme(session: WorkspaceSession, access: Access, data: SchemeIn) -> MatrixOut:
    """Change how ranks are formed; a worker forms them anew."""
    scheme = await save_scheme(session, data)
    audit(session, access, "rfm.update")
    return MatrixOut.make(scheme, service.matrix(scheme), jobs.is_under_way(scheme))


@post("/rfm/refresh", tags=TAGS, status_code=202)
async def ask_for_ranks(session: WorkspaceSession, access: Access) -> AskedOut:
    """Have the ranks formed now."""
    if await jobs.ask(session):
        audit(session, access, "rfm.refresh")
    return AskedOut(is_under_way=True)


@get("/rfm/people", tags=TAGS)
async def list_people(
    session: WorkspaceSession,
    area: str = "",
    recency: int | None = None,
    frequency: int | None = None,
    moved_from: str | None = None,
    moved_to: str | None = None,
    after: str = "",
    limit: Limit = 50,
) -> PeoplePage:
    """List the customers of a cell or an area, or who moved between two areas this month ("" is
    no customer); those who spent most first."""
    group = read_group(
        {
            "area": area,
            "recency": recency,
            "frequency": frequency,
            "moved_from": moved_from,
            "moved_to": moved_to,
        }
    )
    rows = await service.people(session, group, read_cursor(after), limit + 1)
    return PeoplePage(
        items=[PersonOut.of(row) for row in rows[:limit]],
        next=write_cursor(rows[limit - 1]) if len(rows) > limit else None,
    )


@get("/rfm/movement", tags=TAGS)
async def get_movement(session: WorkspaceSession, month: date | None = None) -> MovementOut:
    """Get who went from which area to which in a month (its first day); the latest by default."""
    months = list(await service.months(session))
    chosen = month or next(iter(months), None)
    moves = [MoveOut.of(move) for move in await service.moves(session, chosen)] if chosen else []
    return MovementOut(months=months, month=chosen, moves=moves)


HANDLERS = [get_matrix, put_scheme, ask_for_ranks, list_people, get_movement]
