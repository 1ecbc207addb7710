"""Reading predictions, and what a shop enters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.ltv.jobs import ask
from hiiki.ltv.learning import RISKY
from hiiki.ltv.models import Cohort, Fit, Prediction, Spending
from hiiki.ltv.purchases import PURCHASE
from hiiki.ltv.schemas import SpendingIn

FEW = 10


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with what is expected of her."""

    contact: Contact
    prediction: Prediction


async def best(session: WorkspaceSession, limit: int = FEW) -> Sequence[Person]:
    """Return the customers of whom most is expected."""
    rows = await session.execute(
        select(Contact, Prediction)
        .join(Contact, Contact.id == Prediction.contact_id)
        .order_by(Prediction.predicted.desc(), Prediction.contact_id)
        .limit(limit)
    )
    return [Person(*row) for row in rows]


async def at_risk(session: WorkspaceSession, fit: Fit, limit: int = FEW) -> Sequence[Person]:
    """Return those who have spent much and are more likely lost than not."""
    rows = await session.execute(
        select(Contact, Prediction)
        .join(Contact, Contact.id == Prediction.contact_id)
        .where(
            Prediction.alive < Decimal(str(RISKY)),
            Prediction.spent >= Decimal(str(fit.figures.get("valuable", 0))),
        )
        .order_by(Prediction.spent.desc(), Prediction.contact_id)
        .limit(limit)
    )
    return [Person(*row) for row in rows]


def best_rule(fit: Fit) -> dict[str, Any]:
    """Return the segment of the tenth of whom most is expected."""
    test = {"op": "number_at_least", "number": fit.figures["top"]}
    return {"kind": "field", "field": "ltv.predicted", "test": test}


def at_risk_rule(fit: Fit) -> dict[str, Any]:
    """Return the segment of those who have spent much and are more likely lost than not."""
    return {
        "kind": "all",
        "rules": [
            {
                "kind": "field",
                "field": "ltv.alive",
                "test": {"op": "number_below", "number": RISKY},
            },
            {
                "kind": "event",
                "event": PURCHASE,
                "measure": "sum",
                "op": "at_least",
                "number": fit.figures["valuable"],
            },
        ],
    }


def this_month(timezone: str) -> date:
    """Return the first day of the month that is not over."""
    return now().astimezone(ZoneInfo(timezone)).date().replace(day=1)


async def enter_spending(session: WorkspaceSession, given: SpendingIn) -> Spending:
    """Keep what a month's advertising cost, in place of what was entered for it before."""
    found = await session.scalar(
        select(Spending).where(Spending.month == given.month, Spending.source == given.source)
    )
    if found is None:
        found = Spending(month=given.month, source=given.source, amount=given.amount)
        session.add(found)
    found.amount = given.amount
    await session.flush()
    if await _stands_with_others(session, given.source):
        await ask(session)
    return found


async def _stands_with_others(session: WorkspaceSession, source: str) -> bool:
    """True when whom a source won may be counted among all small ones, and not beside its cost."""
    parts = set(
        await session.scalars(select(Cohort.part).where(Cohort.split == "source").distinct())
    )
    return "*" in parts and source not in parts


async def forget_spending(session: WorkspaceSession, spending_id: UUID) -> Spending:
    """Delete an entry; raises `NotFound`."""
    found = await session.one(Spending, spending_id)
    await session.delete(found)
    await session.flush()
    return found
