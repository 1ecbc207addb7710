"""Personas as people and programs write and get them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

Subject = str


class PersonaIn(BaseModel):
    """A persona as it is written."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=60)
    description: str = Field(default="", max_length=1000)
    subject: str = Field(min_length=1, max_length=200)
    """Who it is: `segment:<id>`, or `field:<name>:<value>` for one value of a room's field."""
    against: str = Field(default="", max_length=200)
    """Whom they are compared with, in the same form; "" for everybody."""
    media_id: UUID | None = None
    """A picture of the library."""

    @field_validator("media_id", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return value or None


class PersonaOut(PersonaIn):
    """A persona as it stands."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    reading_id: UUID | None
    """The latest reading that is done."""


class ShareOut(BaseModel):
    """One value of a trait."""

    trait: str
    """The trait's key, such as `profile:prefecture`."""
    trait_label: str
    value: str
    label: str
    people: int
    """In the group."""
    known: int
    """Of how many people of the group it is known at all."""
    share: float
    low: float
    high: float
    """The share's 95% Wilson interval."""
    other: float
    """The share of those they are compared with."""
    difference: float
    lift: float | None
    effect: float
    """Cohen's h."""
    p: float | None
    q: float | None
    """`p` after Benjamini and Hochberg; None where too few are known."""
    is_certain: bool
    is_asked: bool
    """Whether the group's own rule asks for it, so that it is no discovery."""
    before: float | None
    """The share in the reading before."""


class MeanOut(BaseModel):
    """A number's mean."""

    trait: str
    trait_label: str
    mean: float
    known: int
    other: float
    effect: float
    """Cohen's d."""
    p: float | None
    q: float | None
    is_certain: bool
    is_asked: bool
    """Whether the group's own rule asks for it, so that it is no discovery."""


class ReadingOut(BaseModel):
    """What set a persona's people apart at one moment."""

    id: UUID
    persona_id: UUID
    state: Literal["waiting", "done", "failed"]
    step: int
    steps: int
    error: str
    created_at: datetime
    done_at: datetime | None
    people: int = 0
    """In the group."""
    others: int = 0
    """In whom it is compared with."""
    sentence: str = ""
    tests: int = 0
    shares: list[ShareOut] = []
    means: list[MeanOut] = []
