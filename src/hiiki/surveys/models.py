"""Surveys, their questions, and how far each contact has got with them.

What was answered stands on the timeline (`survey_answer` events), in tags and in
attributes; `Response` only remembers where a conversation is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7

QUESTION_KINDS = ("choice", "choices", "text", "number", "date")
PRESENTATIONS = ("quick_reply", "buttons", "carousel")


class Survey(Base, Identified, Owned):
    """A conversation of questions, with what finishing it is worth."""

    __tablename__ = "survey"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'live', 'closed')", name="state"),
        {"schema": "surveys"},
    )

    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    intro: Mapped[str] = mapped_column(default="")
    """Said before the first question."""
    thanks: Mapped[str] = mapped_column(default="")
    """Said after the last."""
    finish_actions: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Run once for each contact, on the first time they finish."""


class Question(Base, Identified, Owned):
    """One question and what each answer does."""

    __tablename__ = "question"
    __table_args__ = (
        CheckConstraint("kind in ('choice', 'choices', 'text', 'number', 'date')", name="kind"),
        Index(None, "survey_id", "position"),
        {"schema": "surveys"},
    )

    survey_id: Mapped[UUID] = mapped_column(ForeignKey("surveys.survey.id", ondelete="CASCADE"))
    position: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    presentation: Mapped[str] = mapped_column(default="quick_reply")
    attribute_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("contacts.attribute.id", ondelete="SET NULL")
    )
    """Where the answer is kept as one of the shop's own fields, if it is."""
    choices: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """`{"id", "label", "actions": [...], "next": id of a later question | "end" | null}`."""


class Response(Base, Owned):
    """One contact's passage through a survey."""

    __tablename__ = "response"
    __table_args__ = (
        CheckConstraint("state in ('open', 'finished')", name="state"),
        Index(
            "uq_response_open",
            "contact_id",
            "survey_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "survey_id", "state", "question_id"),
        {"schema": "surveys"},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("surveys.survey.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default="open")
    question_id: Mapped[UUID | None]
    """The question that waits for an answer."""
    picked: Mapped[list[Any]] = mapped_column(default=list)
    """Choice ids picked so far in a question that takes several."""
    misses: Mapped[int] = mapped_column(default=0)
    """How many messages in a row were no answer to the question that waits."""
    asked_at: Mapped[datetime] = mapped_column(default=now)
    """When that question was last put."""
    started_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


class Finish(Base, Owned):
    """That a contact has finished a survey for the first time: its key makes that once only."""

    __tablename__ = "finish"
    __table_args__ = ({"schema": "surveys"},)

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    survey_id: Mapped[UUID] = mapped_column(
        ForeignKey("surveys.survey.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now)
