"""Lifetime value: predicted for each customer, measured by cohort, beside what it costs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import WORKED_OUT, Base, Identified, Owned, OwnedInBulk


class Prediction(Base, OwnedInBulk):
    """What is expected of a customer in the coming twelve months, as of `Fit.learnt_at`."""

    __tablename__ = "prediction"
    __table_args__ = (
        Index(None, "workspace_id", "predicted", "contact_id"),
        Index(None, "workspace_id", "alive", "contact_id"),
        Index(None, "workspace_id", "expected", "contact_id"),
        {"schema": "ltv", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    predicted: Mapped[Decimal]
    """Money."""
    alive: Mapped[Decimal]
    """Chance of still being a customer, 0 to 1."""
    expected: Mapped[Decimal]
    """Days on which they buy."""
    orders: Mapped[int]
    """Up to now."""
    spent: Mapped[Decimal]
    """Up to now."""
    last_on: Mapped[date]


class Fit(Base, Owned):
    """What was learnt of a workspace's customers the last time. One row a workspace."""

    __tablename__ = "fit"
    __table_args__ = ({"schema": "ltv"},)

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    asked_at: Mapped[datetime | None]
    """When it was last asked for; later than `learnt_at` while it is being worked out."""
    learnt_at: Mapped[datetime | None]
    customers: Mapped[int] = mapped_column(default=0)
    repeaters: Mapped[int] = mapped_column(default=0)
    """Customers who bought on two days at least."""
    span_days: Mapped[int] = mapped_column(default=0)
    """From the first purchase of all to today."""
    model: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The parameters of both models (`hiiki.ltv.learning.Model`); empty when there are too few
    customers to learn from."""
    holdout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How well the first part of the data foretold the second (`hiiki.ltv.holdout.Holdout`)."""
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Totals and distribution of what is predicted (`hiiki.ltv.learning.Figures`)."""
    messages: Mapped[list[Any]] = mapped_column(default=list)
    """Messages by month and account: `{month, channel_id, all, customers}`."""


class Cohort(Base, Owned):
    """What the customers won in one month did so many months later.

    `split` says by what they are divided: all, source, store or product; `part` is which one.
    """

    __tablename__ = "cohort"
    __table_args__ = ({"schema": "ltv"},)

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    split: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    """A source's, store's or product's code; "" where it is not known, "*" for the small ones
    together."""
    month: Mapped[date] = mapped_column(primary_key=True)
    """The first day of the month of their first purchase."""
    since: Mapped[int] = mapped_column(primary_key=True)
    """Months later; 0 is the month itself."""
    people: Mapped[int]
    """Who bought in that month."""
    orders: Mapped[int]
    revenue: Mapped[Decimal]


class Spending(Base, Identified, Owned):
    """What a shop spent in a month on winning customers, in all or by one source."""

    __tablename__ = "spending"
    __table_args__ = (
        Index("uq_spending_month_source", "workspace_id", "month", "source", unique=True),
        {"schema": "ltv"},
    )

    month: Mapped[date]
    """Its first day."""
    source: Mapped[str] = mapped_column(default="")
    """An acquisition route's code; "" for what belongs to no one source."""
    amount: Mapped[Decimal]
