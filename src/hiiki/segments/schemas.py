"""Segments as people and programs write and get them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hiiki.contacts.schemas import Line, Words
from hiiki.segments.lists import KEY_LIMIT, MOST
from hiiki.segments.rules import GuardedRule

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 500


class SegmentIn(BaseModel):
    """A segment as it is made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, Field(min_length=1, max_length=NAME_LIMIT)]
    description: Annotated[Words, Field(max_length=DESCRIPTION_LIMIT)] = ""
    rule: GuardedRule


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("null is no value here")
    return value


class SegmentPatch(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, Field(min_length=1, max_length=NAME_LIMIT), BeforeValidator(_given)] = ""
    description: Annotated[Words, Field(max_length=DESCRIPTION_LIMIT), BeforeValidator(_given)] = ""
    rule: Annotated[GuardedRule | None, BeforeValidator(_given)] = None


class Named(BaseModel):
    """The console's form without its rule, which the builder reads."""

    name: Annotated[Line, Field(min_length=1, max_length=NAME_LIMIT)]
    description: Annotated[Words, Field(max_length=DESCRIPTION_LIMIT)] = ""


class SentenceOut(BaseModel):
    """What a rule says, in both languages."""

    ja: str
    en: str


class SegmentOut(BaseModel):
    """A saved segment. `sentence` is made afresh from what its parts are called now."""

    id: UUID
    name: str
    description: str
    rule: dict[str, Any]
    """In the form of `SegmentIn.rule`."""
    sentence: SentenceOut
    created_at: datetime
    updated_at: datetime


class SegmentsOut(BaseModel):
    """A page of segments, by name."""

    items: list[SegmentOut]
    next: str | None = None
    """Give it as `after` for the next page."""


class RuleIn(BaseModel):
    """A rule to be counted, saved or not."""

    model_config = ConfigDict(extra="forbid")

    rule: GuardedRule
    channel_id: UUID | None = None
    """Count as reachable who follows this account; without it, who follows any."""


class CountOut(BaseModel):
    """How many people a rule is true of now."""

    members: int
    reachable: int
    """Members who follow the account now and so can get a message."""
    sentence: SentenceOut


class MemberOut(BaseModel):
    """One person of a segment."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    display_name: str
    real_name: str | None
    email: str | None
    phone: str | None
    prefecture: str | None
    birthday: date | None
    created_at: datetime


class MembersOut(BaseModel):
    """A page of members, those whom the workspace met last first."""

    items: list[MemberOut]
    next: str | None = None
    """Give it as `after` for the next page."""


# --- history ----------------------------------------------------------------------------


class DayOut(BaseModel):
    """A segment's figures on one day of the workspace's zone, as last counted on it."""

    model_config = ConfigDict(from_attributes=True)

    day: date
    members: int
    reachable: int
    entered: int
    left: int
    anew: bool
    """The rule had changed, or this was the first count: nobody is said to have entered."""


class HistoryOut(BaseModel):
    """The days of a segment, and the last seven of them together."""

    days: list[DayOut]
    entered_in_7_days: int
    left_in_7_days: int
    counted_at: datetime | None
    events_since: datetime | None
    """Since when entering and leaving are events; null: they are not."""


class EventsIn(BaseModel):
    """The switch of a segment's events."""

    model_config = ConfigDict(extra="forbid")

    is_on: bool


class CrossingOut(BaseModel):
    """That somebody entered or left a segment, and when that was seen."""

    at: datetime
    entered: bool
    member: MemberOut


class CrossingsOut(BaseModel):
    """Those who entered or left last, the last first."""

    items: list[CrossingOut]


class VersionOut(BaseModel):
    """A segment as somebody left it."""

    id: UUID
    segment_id: UUID
    at: datetime
    what: str
    """create, update, restore or delete."""
    actor: str
    """Who did so; empty where a part of the program made the segment."""
    name: str
    description: str
    rule: dict[str, Any]
    sentence: SentenceOut


class VersionsOut(BaseModel):
    """Versions, the last first."""

    items: list[VersionOut]


# --- lists of people --------------------------------------------------------------------


class ListNamed(BaseModel):
    """The console's form of a list without its lines."""

    name: Annotated[Line, Field(min_length=1, max_length=NAME_LIMIT)]
    kind: Literal["auto", "customer", "email", "phone", "line"] = "auto"


class ListIn(ListNamed):
    """A list as programs give it."""

    model_config = ConfigDict(extra="forbid")

    keys: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=KEY_LIMIT)]],
        Field(min_length=1, max_length=MOST),
    ]
    """Customer numbers, e-mail addresses, telephone numbers or LINE user ids, as `kind` says."""


class ListOut(BaseModel):
    """A list of people."""

    id: UUID
    name: str
    members: int
    missing: list[str] = []
    """Keys that meant nobody when the list was last filled."""
    updated_at: datetime


class ListsOut(BaseModel):
    """Lists, by name."""

    items: list[ListOut]
