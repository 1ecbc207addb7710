"""Segments: saved questions about people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned


class Segment(Base, Identified, Owned):
    """A rule tree with a name. It holds no members: it is asked afresh each time."""

    __tablename__ = "segment"
    __table_args__ = (
        Index("uq_segment_name", "workspace_id", "name", unique=True),
        {"schema": "segments"},
    )

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    rule: Mapped[dict[str, Any]]
    """A `hiiki.segments.rules.Rule` as JSON."""
