"""The conditions of a rule: what can be asked about one person, as data.

What each means for somebody of whom something is not known is in `rules`; how they become SQL,
in `sets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from hiiki.kit.forms import Wrong
from hiiki.segments.comparisons import (
    MAX_CHOICES,
    MAX_TEXT,
    AfterEvent,
    AmountTest,
    BeforeEvent,
    Ever,
    Number,
    Part,
    Period,
    PlainPeriod,
    Some,
    Test,
    at_least_one,
    not_below,
)

EVENT_NAME = 60


def nothing_chosen(value: Any) -> Any:
    """Read an empty choice of a form as none."""
    return None if value == "" else value


class Tagged(Part):
    """Has one of these tags at least, all of them, or none of them."""

    kind: Literal["tag"]
    op: Literal["has", "has_all", "has_not"] = "has"
    tag_ids: Annotated[
        list[UUID],
        Field(max_length=MAX_CHOICES, json_schema_extra={"minItems": 1}),
        AfterValidator(at_least_one),
    ]


class AttributeIs(Part):
    """The value of one of the shop's own fields (友だち情報) passes a test."""

    kind: Literal["attribute"]
    attribute_id: UUID
    test: Test
    or_unknown: bool = False


PROFILE_FIELDS = {
    "display_name": "text",
    "real_name": "text",
    "prefecture": "choice",
    "birthday": "date",
    "email": "text",
    "phone": "text",
    "language": "text",
    "is_purchaser": "flag",
}
"""What every contact has a place for, and the kind of its value."""


class ProfileIs(Part):
    """The value of a field that every contact has passes a test."""

    kind: Literal["profile"]
    field: Literal[
        "display_name",
        "real_name",
        "prefecture",
        "birthday",
        "email",
        "phone",
        "language",
        "is_purchaser",
    ]
    test: Test
    or_unknown: bool = False


class FieldIs(Part):
    """What a room works out about each contact (`hiiki.kit.road.Field`) passes a test.

    A moment is compared by the day it falls on in the workspace's time zone.
    """

    kind: Literal["field"]
    field: Annotated[str, Field(min_length=1, max_length=100)]
    """Its name, such as `purchases.spent`."""
    test: Test
    or_unknown: bool = False


class Befriended(Part):
    """Follows, or has blocked, an official account, and when and by what way she added it."""

    kind: Literal["friendship"]
    status: Literal["following", "blocked", "either", "never"] = "following"
    """`never`: was never a friend of the account, or of any; known from an import alone."""
    channel_id: UUID | None = None
    """None means any account of the workspace."""
    on_every: bool = False
    """Every account of the workspace, and not any; there is no `channel_id` then."""
    sources: Annotated[list[Some], Field(default_factory=list, max_length=MAX_CHOICES)]
    """Codes of acquisition routes, of which she came by one; none asks nothing."""
    followed: PlainPeriod = Ever()
    """When they last added (or unblocked) the account; `ever` also takes those who never did."""

    _any_channel = field_validator("channel_id", mode="before")(nothing_chosen)

    @field_validator("on_every")
    @classmethod
    def _no_one_account(cls, on_every: bool, info: ValidationInfo) -> bool:
        if on_every and info.data.get("channel_id") is not None:
            raise Wrong("Please choose either one account or every account.")
        if on_every and info.data.get("status") == "never":
            raise Wrong("This cannot be asked of people who were never friends.")
        return on_every

    @field_validator("sources", "followed")
    @classmethod
    def _was_added(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("status") == "never" and value not in ([], Ever()):
            raise Wrong("This cannot be asked of people who were never friends.")
        return value


class Answered(Part):
    """What somebody answered to a question of a survey; the latest answer counts."""

    kind: Literal["answer"]
    question_id: UUID
    op: Literal["answered", "choices", "contains"] = "choices"
    choice_ids: Annotated[list[Some], Field(default_factory=list, max_length=MAX_CHOICES)]
    """For `choices`: any of these."""
    text: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """For `contains`: this is part of the words that were written."""
    any_time: bool = False
    """Counts earlier answers as well, and not only the latest."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @field_validator("choice_ids")
    @classmethod
    def _some_choice(cls, choice_ids: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("op") == "choices" and not choice_ids:
            raise Wrong("Please choose at least one answer.")
        return choice_ids

    @field_validator("text")
    @classmethod
    def _some_text(cls, text: str, info: ValidationInfo) -> str:
        if info.data.get("op") == "contains" and not text:
            raise Wrong("Please fill this in.")
        return text


class Deed(Part):
    """Which events are meant: of a kind, and if one likes about one thing, with one value."""

    event: Annotated[str, Field(min_length=1, max_length=EVENT_NAME)]
    """The kind of event, such as `link_open`."""
    subject: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """What it was about; empty means anything."""
    channel_id: UUID | None = None
    value: AmountTest | None = None
    """A test of the single event's value; an event without a value does not pass it."""

    _any_channel = field_validator("channel_id", "value", mode="before")(nothing_chosen)


class Happened(Deed):
    """How often something happened, or what its values came to.

    Somebody to whom it never happened has a count of 0 and a sum of 0, and no greatest,
    smallest or average value: a comparison of these is then not true.
    """

    kind: Literal["event"]
    period: Period = Ever()
    measure: Literal["count", "sum", "max", "min", "average"] = "count"
    op: Literal["at_least", "at_most", "exactly", "between"] = "at_least"
    number: Number = Decimal(1)
    high: Number | None = None
    """For `between`: up to this, which is included as `number` is."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    _no_high = field_validator("high", mode="before")(nothing_chosen)

    @field_validator("number", "high")
    @classmethod
    def _whole(cls, number: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if number is None or info.data.get("measure") != "count":
            return number
        if number < 0 or number != int(number):
            raise Wrong("Please enter a whole number.")
        return number

    @field_validator("high")
    @classmethod
    def _in_order(cls, high: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if info.data.get("op") != "between":
            return None
        if high is None:
            raise Wrong("Please fill this in.")
        return not_below(high, info.data.get("number"))


class FirstOrLast(Deed):
    """The first, or the last, of such events lies in a stretch of time.

    Somebody to whom it never happened has neither, and is not in.
    """

    kind: Literal["first_or_last"]
    which: Literal["first", "last"] = "last"
    period: Period


class Sequence(Part):
    """Did one thing, and then did, or did not do, another.

    `happened`: some such event was followed by the other, later, and within `days` times 24
    hours if these are given. Not `happened`: after the last such event the other did not
    follow, or not within `days`; and these days are over, as before that one cannot know.
    """

    kind: Literal["sequence"]
    first: Deed
    period: PlainPeriod = Ever()
    """When the first of the two took place."""
    happened: bool = True
    then: Deed
    days: Annotated[int, Field(ge=1, le=36500)] | None = None

    _no_days = field_validator("days", mode="before")(nothing_chosen)


MESSAGE_DEEDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "received": ("sent", ("broadcast",)),
    "clicked": ("link_open", ("broadcast", "link")),
    "coupon_got": ("coupon_issue", ("broadcast", "coupon")),
    "coupon_used": ("coupon_use", ("broadcast", "coupon")),
}
"""What became of a message → the event that tells, and what it can be about."""


class Messaged(Part):
    """Received a message, opened a link in it, got or used a coupon of it.

    LINE tells how many people opened a message, and never who: that cannot be asked of a person
    (Messaging API reference, "Get user interaction statistics").
    """

    kind: Literal["message"]
    did: Literal["received", "clicked", "coupon_got", "coupon_used"] = "received"
    about: Literal["any", "broadcast", "link", "coupon"] = "any"
    about_id: UUID | None = None
    """The broadcast, link or coupon; none for `any`."""
    period: Period = Ever()

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    _nothing = field_validator("about_id", mode="before")(nothing_chosen)

    @field_validator("about")
    @classmethod
    def _suits(cls, about: str, info: ValidationInfo) -> str:
        did = info.data.get("did")
        if about != "any" and did is not None and about not in MESSAGE_DEEDS[did][1]:
            raise Wrong("This does not go together with what they did. Please choose another.")
        return about

    @field_validator("about_id")
    @classmethod
    def _named(cls, about_id: UUID | None, info: ValidationInfo) -> UUID | None:
        if info.data.get("about", "any") == "any":
            return None
        if about_id is None:
            raise Wrong("Please choose one.")
        return about_id


class InSegment(Part):
    """Is in another segment."""

    kind: Literal["segment"]
    segment_id: UUID


class OnList(Part):
    """Is on a list of people that was pasted or uploaded."""

    kind: Literal["list"]
    list_id: UUID


Percent = Annotated[
    Decimal, Field(ge=Decimal(0), le=Decimal(100), allow_inf_nan=False, decimal_places=2)
]


class Randomly(Part):
    """Belongs to a share of all people that chance picked once and for all.

    Everybody has a place from 0 up to 100, worked out from her id and the seed: the same today,
    next year and on any server. From 0 to 10 and from 10 to 100 are each other's complement;
    another seed deals the places anew.
    """

    kind: Literal["random"]
    seed: Annotated[str, Field(max_length=60)] = ""
    low: Percent = Decimal(0)
    high: Percent

    @field_validator("high")
    @classmethod
    def _some_share(cls, high: Decimal, info: ValidationInfo) -> Decimal:
        low = info.data.get("low")
        if low is not None and high <= low:
            raise Wrong("Please enter more than %(low)s.", low=str(low))
        return high


class Everyone(Part):
    """Every contact of the workspace, those who blocked it included."""

    kind: Literal["everyone"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A kind of event that a condition names, and where in the condition it stands."""

    at: str
    """The path of what holds `event` and `subject`: "", `first`, `then`, `period`."""
    event: str
    subject: str
    channel_id: UUID | None = None

    def path(self, field: str) -> str:
        """Return the path of one of its fields."""
        return f"{self.at}.{field}" if self.at else field


def mentions(part: BaseModel) -> Iterator[Mention]:
    """Yield every kind of event that a condition names."""
    if isinstance(part, Deed):
        yield Mention("", part.event, part.subject, part.channel_id)
    if isinstance(part, Sequence):
        for at, deed in (("first", part.first), ("then", part.then)):
            yield Mention(at, deed.event, deed.subject, deed.channel_id)
    period = getattr(part, "period", None)
    if isinstance(period, AfterEvent | BeforeEvent):
        yield Mention("period", period.event, period.subject)


AnyCondition = (
    Tagged
    | AttributeIs
    | ProfileIs
    | FieldIs
    | Befriended
    | Answered
    | Happened
    | FirstOrLast
    | Sequence
    | Messaged
    | InSegment
    | OnList
    | Randomly
    | Everyone
)

CONDITIONS = (
    "tag",
    "attribute",
    "profile",
    "field",
    "friendship",
    "answer",
    "event",
    "first_or_last",
    "sequence",
    "message",
    "segment",
    "list",
    "random",
    "everyone",
)
"""The kinds of condition, in the order in which the builder offers them."""
