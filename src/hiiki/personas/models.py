"""Personas: of whom, by what name, and what was read of them when."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned


class Persona(Base, Identified, Owned):
    """A group of people that the shop has given a face."""

    __tablename__ = "persona"
    __table_args__ = ({"schema": "personas"},)

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    subject: Mapped[str]
    """Who it is: `segment:<id>`, or `field:<name>:<value>` for a field's choice."""
    against: Mapped[str] = mapped_column(default="")
    """Whom they are compared with, in the same form; "" for everybody."""
    media_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("content.media.id", ondelete="SET NULL")
    )


class Reading(Base, Identified, Owned):
    """What set a persona's people apart at one moment. Figures only, nobody by name."""

    __tablename__ = "reading"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'done', 'failed')", name="state"),
        Index(None, "persona_id", "id"),
        {"schema": "personas"},
    )

    persona_id: Mapped[UUID] = mapped_column(ForeignKey("personas.persona.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default="waiting")
    step: Mapped[int] = mapped_column(default=0)
    """How many of the passes are done."""
    error: Mapped[str] = mapped_column(default="")
    """Why it failed, in English (the key of its translation)."""
    done_at: Mapped[datetime | None]
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """A `hiiki.personas.findings.Figures` as JSON."""
