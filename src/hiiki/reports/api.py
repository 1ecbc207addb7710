"""The numbers of the journey for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from litestar import get
from pydantic import BaseModel

from hiiki.db import WorkspaceSession
from hiiki.reports.service import overview, period
from hiiki.workspace.access import Access


class StepOut(BaseModel):
    """How many people took one step of the journey."""

    kind: str
    people: int
    times: int


class OverviewOut(BaseModel):
    """Where a workspace stands now."""

    friends: int
    blocked: int
    block_rate: float | None
    steps: list[StepOut]
    at: list[datetime]
    series: dict[str, list[int]]


@get("/reports/overview", tags=["reports"], summary="The numbers of the journey")
async def get_overview(
    access: Access,
    session: WorkspaceSession,
    period_name: Literal["today", "week", "month", "quarter"] = "week",
    channel_id: UUID | None = None,
) -> OverviewOut:
    """Return friends, block rate, and people by step since the period's first midnight."""
    found = await overview(session, period(period_name), access.timezone, channel_id)
    return OverviewOut(
        friends=found.friends,
        blocked=found.blocked,
        block_rate=found.block_rate,
        steps=[StepOut(kind=s.kind, people=s.people, times=s.times) for s in found.steps],
        at=list(found.buckets),
        series=found.series,
    )
