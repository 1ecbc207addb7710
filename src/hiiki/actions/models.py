"""Rules: when this happens, do that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned


class Rule(Base, Identified, Owned):
    """When an event of a kind (about a subject) happens to someone in a segment: actions."""

    __tablename__ = "rule"
    __table_args__ = (Index(None, "workspace_id", "event_kind"), {"schema": "actions"})

    name: Mapped[str]
    is_on: Mapped[bool] = mapped_column(default=True)
    event_kind: Mapped[str]
    event_subject: Mapped[str] = mapped_column(default="")
    """Empty means: whatever it is about."""
    segment_id: Mapped[UUID | None] = mapped_column(ForeignKey("segments.segment.id"))
    topic_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery.topic.id"))
    """What kind of message it sends unasked: nothing is said to those who decline that."""
    actions: Mapped[list[dict[str, Any]]]
    """`{"kind": …, …parameters}` in the order in which they run."""
    position: Mapped[int] = mapped_column(default=0)
