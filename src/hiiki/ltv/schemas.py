"""What people and programs send about lifetime value, and what they get."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from hiiki.kit.forms import Wrong
from hiiki.ltv.models import Prediction, Spending


class SpendingIn(BaseModel):
    """What a month's advertising cost, in all or for one source."""

    month: date
    """Any day of it; a form sends 2026-11."""
    source: Annotated[str, Field(max_length=100)] = ""
    """An acquisition route's code; "" for what belongs to no one source."""
    amount: Annotated[
        Decimal, Field(gt=0, le=Decimal("1e12"), decimal_places=2, allow_inf_nan=False)
    ]

    @field_validator("month", mode="before")
    @classmethod
    def _first_day(cls, value: Any) -> Any:
        return f"{value}-01" if isinstance(value, str) and len(value) == 7 else value

    @field_validator("month")
    @classmethod
    def _sensible(cls, value: date) -> date:
        if not 2000 <= value.year <= 2100:
            raise Wrong("Please enter a month between 2000 and 2100.")
        return value.replace(day=1)

    @field_validator("source")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip()


class SpendingOut(BaseModel):
    """What was entered."""

    id: UUID
    month: date
    source: str
    amount: Decimal

    @classmethod
    def of(cls, one: Spending) -> SpendingOut:
        """Return one entry."""
        return cls(id=one.id, month=one.month, source=one.source, amount=one.amount)


class ValueOut(BaseModel):
    """What was learnt of the customers."""

    learnt_at: datetime | None
    is_under_way: bool
    customers: int
    repeaters: int
    span_days: int
    model: dict[str, Any]
    """Parameters of BG/NBD (in days) and Gamma-Gamma; empty when there are too few customers."""
    holdout: dict[str, Any]
    figures: dict[str, Any]


class CustomerOut(BaseModel):
    """What is expected of one customer in the coming twelve months."""

    contact_id: UUID
    predicted: Decimal
    alive: Decimal
    expected: Decimal
    orders: int
    spent: Decimal
    last_on: date

    @classmethod
    def of(cls, one: Prediction) -> CustomerOut:
        """Return one row."""
        return cls.model_validate(one, from_attributes=True)


class CustomerPage(BaseModel):
    """Customers in the order that was asked for."""

    items: list[CustomerOut]


class CohortOut(BaseModel):
    """What the customers won in one month did so many months later."""

    part: str
    month: date
    since: int
    people: int
    orders: int
    revenue: Decimal


class CohortsOut(BaseModel):
    """All cohorts by one split."""

    split: str
    items: list[CohortOut]


class CostsOut(BaseModel):
    """What customers cost to win and to keep, month by month and by source."""

    months: list[dict[str, Any]]
    sources: list[dict[str, Any]]


class AskedOut(BaseModel):
    """Whether the values are being worked out now."""

    is_under_way: bool
