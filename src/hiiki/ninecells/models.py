"""Where each contact stands on the map, how they came there, and what the answers mean."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import WORKED_OUT, Base, Owned, OwnedInBulk
from hiiki.kit.clock import now


class Setup(Base, Owned):
    """How a workspace reads its map. Without this row it has none."""

    __tablename__ = "setup"
    __table_args__ = (
        PrimaryKeyConstraint("workspace_id"),
        CheckConstraint("bought_from in ('asked', 'measured')", name="bought_from"),
        {"schema": "ninecells"},
    )

    bought_from: Mapped[str] = mapped_column(default="asked")
    """Whether what was bought is what people say, or what their purchases show."""
    questions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`{"aware" | "bought" | "again": {"question_id", "meanings": {choice id: meaning}}}`."""
    current_days: Mapped[int] = mapped_column(default=365)
    """For measured purchases: who has bought nothing for so many days has lapsed."""
    loyal_orders: Mapped[int] = mapped_column(default=3)
    """For measured purchases: from so many orders on a current customer is loyal."""
    market: Mapped[int | None]
    """How many people the market has, as the shop estimates it."""
    refreshed_at: Mapped[datetime | None]
    """When everybody was last placed; NULL while that is under way after a change."""
    placed_by: Mapped[str] = mapped_column(default="", server_default="")
    """How everybody was read then (`hiiki.ninecells.service.definition`)."""
    kept: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    """What stands beside `Flow` (`hiiki.ninecells.kept.Kept`); empty while there is none."""
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Flow(Base, Owned):
    """How many moved from one cell to another on a day, as the night after counted them: what
    earlier days' maps are shown by, where a million people's moves would take too long."""

    __tablename__ = "flow"
    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "day", "was", "cell"),
        {"schema": "ninecells"},
    )

    day: Mapped[date]
    """In the shop's time zone as it was then."""
    was: Mapped[str]
    cell: Mapped[str]
    people: Mapped[int]


class Standing(Base, OwnedInBulk):
    """The cell in which a contact is now; no row while the answers do not say."""

    __tablename__ = "standing"
    __table_args__ = (
        Index(None, "workspace_id", "cell", "contact_id"),
        {"schema": "ninecells", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    cell: Mapped[str]
    since: Mapped[datetime]


class Move(Base, OwnedInBulk):
    """That a contact came from one cell to another; the first comes from none ("")."""

    __tablename__ = "move"
    __table_args__ = (
        Index(None, "workspace_id", "at"),
        Index(
            "ix_move_untold",
            "workspace_id",
            "contact_id",
            postgresql_where=text("not is_told"),
        ),
        {"schema": "ninecells", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(primary_key=True)
    was: Mapped[str]
    cell: Mapped[str]
    """"" when the answers no longer say."""
    is_told: Mapped[bool] = mapped_column(default=True)
    """Whether rules have heard of it, or need not."""
