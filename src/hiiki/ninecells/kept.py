"""The maps of earlier days as they were counted in the night: moves by day, and where they led.

They are as old as `Kept.at`. What becomes known later of days before (an order that comes in late)
is in them from the next night on; today's map is always counted afresh.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.ninecells.models import Flow, Setup
from hiiki.workspace.models import Workspace

BY_HAND = {"scoped_by_hand": True}
Moved = Iterable[tuple[str, str, int]]
"""From which cell, to which, how many people."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where all stood at a moment, from which the days before are counted back."""

    at: datetime
    zone: str
    cells: dict[str, int]


_FORGET = text("delete from ninecells.flow where workspace_id = :workspace")
_COUNT = text(
    """
insert into ninecells.flow (workspace_id, day, was, cell, people)
select :workspace, (at at time zone :zone)::date, was, cell, count(*) from ninecells.move
where workspace_id = :workspace and at <= :now
group by 2, 3, 4"""
)


async def keep(session: WorkspaceSession, setup: Setup, cells: dict[str, int]) -> None:
    """Count the moves of every day; `cells` are how many stand where, in the same transaction."""
    workspace = await session.known(Workspace, session.workspace_id)
    moment = now()
    given = {"workspace": session.workspace_id, "zone": workspace.timezone, "now": moment}
    await session.execute(_FORGET, {"workspace": session.workspace_id}, execution_options=BY_HAND)
    await session.execute(_COUNT, given, execution_options=BY_HAND)
    setup.kept = {"at": moment.isoformat(), "zone": workspace.timezone, "cells": cells}


async def kept(session: WorkspaceSession) -> Kept | None:
    """Return what was counted last; None before the first night, and after a change of what the
    answers or the days mean."""
    stored = await session.scalar(select(Setup.kept))
    if not stored:
        return None
    workspace = await session.known(Workspace, session.workspace_id)
    if workspace.timezone != stored["zone"]:
        return None
    return Kept(datetime.fromisoformat(stored["at"]), stored["zone"], stored["cells"])


async def moved_since(session: WorkspaceSession, found: Kept, moment: datetime) -> Moved | None:
    """Return who moved from a moment on until `found.at`; None where that was not kept."""
    here = moment.astimezone(ZoneInfo(found.zone))
    if moment > found.at or any((here.hour, here.minute, here.second, here.microsecond)):
        return None
    rows = await session.execute(
        select(Flow.was, Flow.cell, func.sum(Flow.people))
        .where(Flow.day >= here.date())
        .group_by(Flow.was, Flow.cell)
    )
    return [(was, cell, int(people)) for was, cell, people in rows]


async def moved_by_month(session: WorkspaceSession, first: date) -> dict[date, Moved]:
    """Return who moved in each month from `first` on; the months by their first day."""
    month = func.date_trunc("month", Flow.day)
    rows = await session.execute(
        select(month, Flow.was, Flow.cell, func.sum(Flow.people))
        .where(Flow.day >= first)
        .group_by(month, Flow.was, Flow.cell)
    )
    found: dict[date, list[tuple[str, str, int]]] = {}
    for at, was, cell, people in rows:
        found.setdefault(at.date(), []).append((was, cell, int(people)))
    return dict(found)
