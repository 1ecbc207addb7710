"""The append-only record of what happened with each contact."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, OwnedInBulk
from hiiki.kit.ids import uuid7


class Event(Base, OwnedInBulk):
    """One thing that happened. Never updated; erased with its contact, or taken back by whoever
    told it (`hiiki.timeline.service.retract`).

    There is no foreign key to the contact: the table is written in batches, and
    erasing a contact deletes its events first.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "workspace_id", "kind", "subject", "at"),
        Index(None, "contact_id", "at"),
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
