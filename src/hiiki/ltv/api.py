"""`/api/v1/ltv`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import Parameter

from hiiki.db import WorkspaceSession
from hiiki.ltv import jobs, measured, service
from hiiki.ltv.refresh import fit_of
from hiiki.ltv.schemas import (
    AskedOut,
    CohortOut,
    CohortsOut,
    CostsOut,
    CustomerOut,
    CustomerPage,
    SpendingIn,
    SpendingOut,
    ValueOut,
)
from hiiki.workspace.access import Access, audit

TAGS = ["ltv"]
Limit = Annotated[int, Parameter(ge=1, le=200)]


@get("/ltv", tags=TAGS, summary="What was learnt of the customers")
async def get_value(session: WorkspaceSession) -> ValueOut:
    """Get the fitted models, how far they can be trusted, and the totals."""
    fit = await fit_of(session)
    return ValueOut(
        learnt_at=fit.learnt_at,
        is_under_way=jobs.is_under_way(fit),
        customers=fit.customers,
        repeaters=fit.repeaters,
        span_days=fit.span_days,
        model=fit.model,
        holdout=fit.holdout,
        figures=fit.figures,
    )


@post("/ltv/refresh", tags=TAGS, status_code=202)
async def ask_for_values(session: WorkspaceSession, access: Access) -> AskedOut:
    """Have everything worked out now."""
    if await jobs.ask(session):
        audit(session, access, "ltv.refresh")
    return AskedOut(is_under_way=True)


@get("/ltv/customers", tags=TAGS)
async def list_customers(
    session: WorkspaceSession, which: Literal["best", "at_risk"] = "best", limit: Limit = 50
) -> CustomerPage:
    """List those of whom most is expected, or those who have spent much and are more likely lost
    than not. All customers: ask a segment, or export one with these fields."""
    if which == "best":
        found = await service.best(session, limit)
    else:
        found = await service.at_risk(session, await fit_of(session), limit)
    return CustomerPage(items=[CustomerOut.of(one.prediction) for one in found])


@get("/ltv/cohorts", tags=TAGS)
async def get_cohorts(
    session: WorkspaceSession, split: Literal["all", "source", "store", "product"] = "all"
) -> CohortsOut:
    """Get what the customers won in each month did in the months after."""
    found = await measured.cohorts(session, split)
    return CohortsOut(
        split=split, items=[CohortOut.model_validate(one, from_attributes=True) for one in found]
    )


@get("/ltv/costs", tags=TAGS)
async def get_costs(session: WorkspaceSession, access: Access) -> CostsOut:
    """Get what customers cost to win and to keep, over the last twelve whole months."""
    current = service.this_month(access.timezone)
    months = await measured.month_costs(session, await fit_of(session), current)
    sources = await measured.source_costs(session, current)
    return CostsOut(
        months=[asdict(one) for one in months], sources=[asdict(one) for one in sources]
    )


@get("/ltv/spending", tags=TAGS)
async def list_spending(session: WorkspaceSession) -> list[SpendingOut]:
    """List what advertising cost, as it was entered."""
    return [SpendingOut.of(one) for one in await measured.spendings(session)]


@put("/ltv/spending", tags=TAGS)
async def put_spending(session: WorkspaceSession, access: Access, data: SpendingIn) -> SpendingOut:
    """Enter what a month's advertising cost; it takes the place of an earlier entry."""
    kept = await service.enter_spending(session, data)
    audit(session, access, "ltv.spending", kept.id, month=kept.month.isoformat())
    return SpendingOut.of(kept)


@delete("/ltv/spending/{spending_id:uuid}", tags=TAGS)
async def delete_spending(session: WorkspaceSession, access: Access, spending_id: UUID) -> None:
    """Delete an entry."""
    gone = await service.forget_spending(session, spending_id)
    audit(session, access, "ltv.spending", spending_id, month=gone.month.isoformat())


HANDLERS = [
    get_value,
    ask_for_values,
    list_customers,
    get_cohorts,
    get_costs,
    list_spending,
    put_spending,
    delete_spending,
]
