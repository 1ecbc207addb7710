"""Rules as people and programs write and get them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_ACTIONS = 20


class RuleIn(BaseModel):
    """A rule as it is written: when this happens to somebody in the segment, do that."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=100)
    event_kind: str = Field(min_length=1)
    """One of `/event-kinds` that starts rules."""
    event_subject: str = ""
    """The id of the survey, link, … it must be about; empty for any."""
    segment_id: UUID | None = None
    """Only for people who are in this segment at that moment; nothing for everybody."""
    topic_id: UUID | None = None
    """What kind of message it sends. Who declines that kind gets nothing of what it sends unasked
    (by push); what answers them comes all the same."""
    actions: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_ACTIONS)
    """`{"kind": …, …parameters}`, in the order in which they run; see `/action-kinds`."""
    is_on: bool = True

    @field_validator("segment_id", "topic_id", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return value or None


class RuleOut(RuleIn):
    """A rule as it stands."""

    id: UUID
    position: int
    created_at: datetime
    updated_at: datetime


class ActionKindOut(BaseModel):
    """A kind of action."""

    name: str
    label: str
    params: dict[str, Any]
    """JSON Schema of its parameters."""


class EventKindOut(BaseModel):
    """A kind of event."""

    name: str
    label: str
    subject: str
    """What its subject is the id of (survey, question, link, …); "" for nothing."""
    starts_rules: bool
