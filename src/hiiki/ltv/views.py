"""Console pages: what is predicted, what was measured, what customers cost (requirement B9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.ltv import charts, jobs, learning, measured, service
from hiiki.ltv.refresh import fit_of
from hiiki.ltv.schemas import SpendingIn
from hiiki.segments.prefill import new_segment_url
from hiiki.workspace.access import Access, audit

SPLIT_LABELS: dict[str, Text] = {
    "all": _("All customers"),
    "source": _("By where they came from"),
    "store": _("By store"),
    "product": _("By first product"),
}
GOOD, FAIR = 0.1, 0.25
"""Up to which error a prediction can be relied on, or used with care."""


@get("/ltv")
async def show_value(session: WorkspaceSession) -> Template:
    """Show what customers are expected to bring in, and how far that can be trusted."""
    fit = await fit_of(session)
    context: dict[str, Any] = {"fit": fit, "under_way": jobs.is_under_way(fit)}
    if not fit.model:
        return page(
            "ltv/missing.html",
            **context,
            fewest=(
                learning.FEWEST_CUSTOMERS,
                learning.FEWEST_REPEATERS,
                learning.FEWEST_DAYS,
            ),
        )
    error = fit.holdout.get("error")
    return page(
        "ltv/value.html",
        **context,
        best=await service.best(session),
        at_risk=await service.at_risk(session, fit),
        best_url=new_segment_url(service.best_rule(fit), str(_("Highest predicted value"))),
        at_risk_url=new_segment_url(service.at_risk_rule(fit), str(_("Valuable and at risk"))),
        distribution=charts.distribution,
        rows_of=_rows,
        week_rows=[
            (place + 1, round(seen), round(should))
            for place, (should, seen) in enumerate(fit.holdout.get("weeks", ()))
        ],
        tracking=charts.tracking(fit.holdout) if fit.holdout else None,
        verdict=None if error is None else _verdict(abs(error)),
        risky=learning.RISKY,
    )


def _rows(words: Sequence[str], counts: Sequence[int]) -> list[tuple[str, int]]:
    return list(zip(words, counts, strict=True))


def _verdict(error: float) -> str:
    return "good" if error <= GOOD else "fair" if error <= FAIR else "poor"


@post("/ltv/refresh")
async def refresh(session: WorkspaceSession, access: Access) -> Redirect:
    """Have everything worked out now."""
    if await jobs.ask(session):
        audit(session, access, "ltv.refresh")
    return to("/ltv", _("The values are being worked out. This takes a minute or two."))


@get("/ltv/cohorts")
async def show_cohorts(
    session: WorkspaceSession, access: Access, split: str = "all", show: str = "kept"
) -> Template:
    """Show what the customers won in each month brought in later."""
    split = split if split in measured.SPLITS else "all"
    current = service.this_month(access.timezone)
    found = await measured.cohorts(session, split)
    curves = measured.curves(found, current)
    names = await measured.names_of(session, split, [one.part for one in curves])
    everybody = found if split == "all" else await measured.cohorts(session, "all")
    return page(
        "ltv/cohorts.html",
        split=split,
        splits=SPLIT_LABELS,
        show="a_head" if show == "a_head" else "kept",
        rows=measured.heat(everybody, current),
        curves=curves,
        names=names,
        option=charts.cumulated(curves, names),
        month_words=charts.month_words,
        fit=await fit_of(session),
    )


@get("/ltv/costs")
async def show_costs(session: WorkspaceSession, access: Access) -> Template:
    """Show what it costs to win a customer beside what it costs to keep one."""
    return await _costs(session, access, {}, {})


@post("/ltv/spending")
async def enter_spending(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Enter what a month's advertising cost."""
    data = await form_data(request)
    try:
        given = parse(SpendingIn, data)
    except Invalid as error:
        return await _costs(session, access, data, error.fields)
    kept = await service.enter_spending(session, given)
    audit(session, access, "ltv.spending", kept.id, month=kept.month.isoformat())
    return to("/ltv/costs", _("Saved."))


@post("/ltv/spending/{spending_id:uuid}/delete")
async def delete_spending(session: WorkspaceSession, access: Access, spending_id: UUID) -> Redirect:
    """Delete what was entered."""
    gone = await service.forget_spending(session, spending_id)
    audit(session, access, "ltv.spending", spending_id, month=gone.month.isoformat())
    return to("/ltv/costs", _("The entry has been deleted."))


async def _costs(
    session: WorkspaceSession, access: Access, data: dict[str, Any], errors: dict[str, Text]
) -> Template:
    fit = await fit_of(session)
    current = service.this_month(access.timezone)
    months = await measured.month_costs(session, fit, current)
    sources = await measured.source_costs(session, current)
    entries = await measured.spendings(session)
    curves = measured.curves(await measured.cohorts(session, "all"), current)
    known = sorted({one.source for one in sources} | {one.source for one in entries} - {"*"})
    parts = ["", *known, *(one.source for one in sources)]
    return page(
        "ltv/costs.html",
        status=422 if errors else 200,
        fit=fit,
        months=months,
        sources=sources,
        entries=entries,
        year=curves[0].year if curves else None,
        names=await measured.names_of(session, "source", parts),
        known=[one for one in known if one and one != "*"],
        data={"month": months[0].month.isoformat()[:7], "source": "", "amount": "", **data},
        errors=errors,
        month_words=charts.month_words,
    )


HANDLERS = [show_value, refresh, show_cohorts, show_costs, enter_spending, delete_spending]
