"""What people and programs send about guards, and what they get."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hiiki.contacts.schemas import Line
from hiiki.delivery.left_out import LeftOutPerson
from hiiki.delivery.models import Guard, Topic
from hiiki.kit.forms import Wrong

MAX_DAY_CAP = 50
MAX_WEEK_CAP = 200
MAX_NAME = 40
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(:00)?")


def _none_if_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _clock(value: Any) -> Any:
    if value is None or isinstance(value, time) or (isinstance(value, str) and not value.strip()):
        return value or None
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Wrong("Please enter a time, such as 21:00.")
    return time(int(found[1]), int(found[2]))


Clock = Annotated[time | None, BeforeValidator(_clock)]


class GuardIn(BaseModel):
    """What an account may send unasked. What is left out, or empty, is without a limit."""

    model_config = ConfigDict(extra="forbid")

    day_cap: Annotated[
        Annotated[int, Field(ge=1, le=MAX_DAY_CAP)] | None, BeforeValidator(_none_if_blank)
    ] = None
    """Sends a person may get on one day of the workspace's calendar."""
    week_cap: Annotated[
        Annotated[int, Field(ge=1, le=MAX_WEEK_CAP)] | None, BeforeValidator(_none_if_blank)
    ] = None
    """The same for that day and the six days before it."""
    quiet_from: Clock = None
    """By the clock of the workspace's time zone, such as "21:00"."""
    quiet_to: Clock = None


class GuardOut(BaseModel):
    """What an account may send unasked; None is without a limit."""

    channel_id: UUID
    day_cap: int | None
    week_cap: int | None
    quiet_from: str | None
    quiet_to: str | None

    @classmethod
    def of(cls, guard: Guard) -> GuardOut:
        """Return an account's settings as the API gives them."""
        return cls(
            channel_id=guard.channel_id,
            day_cap=guard.day_cap,
            week_cap=guard.week_cap,
            quiet_from=clock(guard.quiet_from) or None,
            quiet_to=clock(guard.quiet_to) or None,
        )


def clock(at: time | None) -> str:
    """Return a time of day as people write it; "" for none."""
    return "" if at is None else at.strftime("%H:%M")


class TopicIn(BaseModel):
    """A kind of message to be made, or its new name."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, Field(min_length=1, max_length=MAX_NAME)]


class TopicOut(BaseModel):
    """A kind of message of the shop's own."""

    id: UUID
    name: str
    declined: int
    """How many people do not want it."""
    created_at: datetime

    @classmethod
    def of(cls, topic: Topic, declined: int) -> TopicOut:
        """Return a kind of message as the API gives it."""
        return cls(id=topic.id, name=topic.name, declined=declined, created_at=topic.created_at)


class TopicList(BaseModel):
    """All kinds of message, by name."""

    items: list[TopicOut]


class DeclinedOut(BaseModel):
    """What kinds of message a contact does not want."""

    topic_ids: list[UUID]


class LeftOutOut(BaseModel):
    """Somebody whom a send was meant for, but did not go to."""

    contact_id: UUID
    name: str
    reason: Literal["blocked", "opted_out", "capped", "quota"]

    @classmethod
    def of(cls, person: LeftOutPerson) -> LeftOutOut:
        """Return somebody who was left out as the API gives them."""
        return cls.model_validate(person, from_attributes=True)


class LeftOutList(BaseModel):
    """A page of those who were left out."""

    items: list[LeftOutOut]
    next: str | None
    """Give it as `after` to get the next page."""
