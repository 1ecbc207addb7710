"""The map as people and programs set it up and get it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hiiki.kit.forms import Wrong
from hiiki.ninecells.history import CODES

MOST_PEOPLE = 2_000_000_000
BOUGHT_FROM = ("asked", "measured")


class Part(BaseModel):
    """Which question tells one of the three things, and what each of its choices means."""

    model_config = ConfigDict(extra="forbid")

    question_id: UUID | None = None
    meanings: dict[str, str] = Field(default_factory=dict[str, str], max_length=100)
    """Choice id → meaning; a choice with "" or without one says nothing."""

    @field_validator("question_id", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return value or None

    @field_validator("meanings", mode="before")
    @classmethod
    def _said(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if v} if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType]


class SetupIn(BaseModel):
    """How the map is read."""

    model_config = ConfigDict(extra="forbid")

    bought_from: Literal["asked", "measured"] = "asked"
    """`asked`: what was bought is what people say. `measured`: what their orders show."""
    aware: Part = Field(default_factory=Part)
    """yes, no"""
    bought: Part = Field(default_factory=Part)
    """never, lapsed, general, loyal"""
    again: Part = Field(default_factory=Part)
    """yes, no"""
    current_days: int = Field(default=365, ge=1, le=3650)
    loyal_orders: int = Field(default=3, ge=1, le=1000)
    market: int | None = Field(default=None, ge=1, le=MOST_PEOPLE)

    @field_validator("market", mode="before")
    @classmethod
    def _no_market(cls, value: Any) -> Any:
        return None if value == "" else value

    @model_validator(mode="after")
    def _known(self) -> SetupIn:
        for name, codes in CODES.items():
            part: Part = getattr(self, name)
            if not set(part.meanings.values()) <= set(codes):
                raise Wrong("Please choose one of: %(expected)s.", expected=", ".join(codes))
        return self


class SetupOut(SetupIn):
    """How the map is read, and since when."""

    refreshed_at: datetime | None
    """When everybody was last placed; None while that is under way."""


class CellOut(BaseModel):
    """One cell of the map."""

    name: str
    number: int
    """Its number in the book, 1 the best."""
    label: str
    people: int
    share: float | None
    """Of those who stand on the map, 0 to 1; None while nobody does."""
    low: float | None
    """The share's 95% Wilson interval."""
    high: float | None
    market: int | None
    """About how many of the market that would be, if the market's size is known."""
    before: float | None = None
    """The share on the day that is compared with."""


class MapOut(BaseModel):
    """The map on a day."""

    on: date
    against: date | None
    people: int
    """Everybody asked about: the workspace, or the segment."""
    placed: int
    """Those whose answers say where they stand."""
    cells: list[CellOut]


class FlowOut(BaseModel):
    """How many went from one cell to another; "" is outside the map."""

    was: str
    cell: str
    people: int


class MovementOut(BaseModel):
    """Movement from the beginning of one day to the end of another."""

    first: date
    until: date
    flows: list[FlowOut]
    """Those who stand elsewhere than before, and those who stayed (`was` equals `cell`)."""


class MoverOut(BaseModel):
    """A person who moved."""

    contact_id: UUID
    display_name: str
    at: datetime
    was: str
    cell: str


class MoversOut(BaseModel):
    """A page of people who moved."""

    items: list[MoverOut]
    next: str | None
    """Give it as `after` to get the next page."""
