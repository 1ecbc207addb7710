"""Ranks of customers: how a shop forms them, who stands where, who moved."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import WORKED_OUT, Base, Owned, OwnedInBulk


class Scheme(Base, Owned):
    """How a workspace forms its ranks, and what came of it the last time. One row a workspace."""

    __tablename__ = "scheme"
    __table_args__ = (
        CheckConstraint("method in ('fifths', 'own')", name="method"),
        CheckConstraint("counts in ('ever', 'window')", name="counts"),
        {"schema": "rfm"},
    )

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    method: Mapped[str] = mapped_column(default="fifths")
    """fifths: a fifth of the customers in each rank; own: by the bounds below."""
    days: Mapped[int | None]
    """Frequency and spending count the orders of so many last days; NULL: all there ever were."""
    counts: Mapped[str] = mapped_column(default="ever")
    """Who is a customer: whoever ever bought, or only who did so in these days."""
    recency: Mapped[list[Any]] = mapped_column(default=list)
    """Own bounds: the most days since the last order for the ranks 2, 3, 4 and 5."""
    frequency: Mapped[list[Any]] = mapped_column(default=list)
    """Own bounds: the fewest orders for the ranks 2, 3, 4 and 5."""
    monetary: Mapped[list[Any]] = mapped_column(default=list)
    """Own bounds: the least money for the ranks 2, 3, 4 and 5."""
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the shop calls an area, where that is not our name for it."""
    asked_at: Mapped[datetime | None]
    """When the ranks were last asked for; later than `ranked_at` while they are being formed."""
    ranked_at: Mapped[datetime | None]
    ranked_by: Mapped[str] = mapped_column(default="", server_default="")
    """How the ranks that stand were formed (`hiiki.rfm.ranking.definition`); the above may have
    changed since."""
    bounds: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The bounds that hold: recency, frequency, monetary, each for the ranks 2 to 5. A bound is
    null where nobody reaches that rank."""
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """How many stood where at `ranked_at` (`hiiki.rfm.ranking.count_all`): a page that counted a
    million customers each time would be slow."""
    since: Mapped[date | None]
    """The day whose ranks movement is counted from: the last of a month, as a rule."""
    is_new: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """Whether the bounds have changed since, so that movement begins again."""


class Standing(Base, OwnedInBulk):
    """A customer's ranks, 1 to 5, of which 5 is best, and what they come from."""

    __tablename__ = "standing"
    __table_args__ = (
        Index(None, "workspace_id", "recency", "frequency", "contact_id"),
        Index(None, "workspace_id", "frequency", "contact_id"),
        Index(None, "workspace_id", "monetary", "contact_id"),
        {"schema": "rfm", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    recency: Mapped[int | None] = mapped_column(SmallInteger)
    """NULL in all three for somebody who is no customer any more, until the month is over."""
    frequency: Mapped[int | None] = mapped_column(SmallInteger)
    monetary: Mapped[int | None] = mapped_column(SmallInteger)
    last_on: Mapped[date | None]
    """The day of the last order; NULL likewise."""
    orders: Mapped[int]
    """In the days that count."""
    spent: Mapped[Decimal]
    """Likewise."""
    was_recency: Mapped[int | None] = mapped_column(SmallInteger)
    """On `Scheme.since`; NULL for somebody who was no customer then."""
    was_frequency: Mapped[int | None] = mapped_column(SmallInteger)


class Flow(Base, Owned):
    """How many people went from one cell to another in a month. A cell is 10 x recency +
    frequency; 0 stands for no customer."""

    __tablename__ = "flow"
    __table_args__ = ({"schema": "rfm"},)

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    came_from: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    went_to: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    people: Mapped[int]
