"""The append-only record of what happened with each contact."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import WORKED_OUT, Base, OwnedInBulk
from hiiki.kit.ids import uuid7


class Event(Base, OwnedInBulk):
    """One thing that happened. Never updated; erased with its contact, or taken back by whoever
    told it (`hiiki.timeline.service.retract`).

    There is no foreign key to the contact: the table is written in batches, and
    erasing a contact deletes its events first.
    """

    __tablename__ = "event"
    __table_args__ = (
        # All that segments ask of one subject, by people in order, without looking at the rows.
        Index(
            "ix_event_kind",
            "workspace_id",
            "kind",
            "subject",
            "contact_id",
            "at",
            postgresql_include=["value"],
        ),
        Index(None, "contact_id", "at"),
        # Events are written as they happen, so that those of some days lie together.
        Index(
            "ix_event_at",
            text("at timestamptz_minmax_multi_ops"),
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32},
        ),
        {"schema": "timeline"},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[datetime]
    """When it happened, which may be well before it was recorded."""
    channel_id: Mapped[UUID | None]
    """The official account it happened on, if it was on one."""
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    """What it was about: the id of a survey, question, link, coupon, broadcast, …"""
    value: Mapped[Decimal | None]
    """Its amount, where it has one."""
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Tally(Base, OwnedInBulk):
    """What a contact's events of one kind come to, so that nobody need read them one by one.

    Everything in it follows from the events; `hiiki.timeline.tallies` keeps it, and makes it anew
    where events are taken back.
    """

    __tablename__ = "tally"
    __table_args__ = (
        Index(
            "ix_tally_kind",
            "workspace_id",
            "kind",
            "subject",
            "contact_id",
            postgresql_include=["n", "total", "least", "most", "first_at", "last_at", "chosen"],
        ),
        {"schema": "timeline", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True, default="")
    """"" where all of the kind are counted together (`EventKind.tally`)."""
    n: Mapped[int]
    """How many events there are."""
    total: Mapped[Decimal | None]
    """The sum of their values; NULL when none has one, as the two below."""
    least: Mapped[Decimal | None]
    most: Mapped[Decimal | None]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    chosen: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """The ids of what was chosen the last time (`choice_ids` of the event's data)."""
