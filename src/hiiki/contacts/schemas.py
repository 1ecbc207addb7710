"""What people and programs send about contacts, tags and attributes."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, Literal, cast, get_args
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from hiiki.contacts.prefectures import find_prefecture
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.values import parse_date, plain
from hiiki.kit.clock import now
from hiiki.kit.forms import Wrong

Colour = Literal["blue", "teal", "green", "yellow", "orange", "red", "pink", "purple", "grey"]
"""The colours of the console's badges."""
COLOURS: tuple[str, ...] = get_args(Colour)

TAG_NAME_LIMIT = 50
CHOICE_LIMIT = 100
CHOICES_LIMIT = 200
NOTE_LIMIT = 2000


def _plain(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else value


def _one_line(value: Any) -> Any:
    return " ".join(_plain(value).split()) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_plain)]
"""Text that may run over several lines."""
Line = Annotated[str, BeforeValidator(_one_line)]
"""Text of one line: blanks at its ends and line ends are taken out."""


def _email(value: str) -> str:
    if value and not re.fullmatch(r"[^@\s,;<>]+@[^@\s.,;<>]+(\.[^@\s.,;<>]+)+", value):
        raise Wrong("Please enter an e-mail address, such as name@example.com.")
    return value


def _phone(value: str) -> str:
    # Full-width digits, and the many dashes that Japanese keyboards offer.
    digits = re.sub(r"[\s()‐-―−ーｰ.-]", "", unicodedata.normalize("NFKC", value))
    if digits and not re.fullmatch(r"\+?\d{8,15}", digits, re.ASCII):
        raise Wrong("Please enter a telephone number of 8 to 15 digits.")
    return digits


def _prefecture(value: str) -> str:
    found = find_prefecture(value) if value else ""
    if found is None:
        raise Wrong("Please choose one from the list.")
    return found


def _birthday(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        return None if isinstance(value, str) else value
    found = parse_date(value)
    if found is None:
        raise Wrong("Please enter a date, such as 2026-11-21.")
    return found


def _not_ahead(value: date | None) -> date | None:
    if value is not None and not date(1900, 1, 1) <= value <= now().date():
        raise Wrong("Please enter a birthday between 1900 and today.")
    return value


class ContactPatch(BaseModel):
    """What the shop knows of a person. What is left out stays; an empty value clears."""

    real_name: Annotated[Line, Field(max_length=100)] = ""
    email: Annotated[Line, Field(max_length=254), AfterValidator(_email)] = ""
    phone: Annotated[Line, Field(max_length=30), AfterValidator(_phone)] = ""
    prefecture: Annotated[Line, Field(max_length=20), AfterValidator(_prefecture)] = ""
    birthday: Annotated[date | None, BeforeValidator(_birthday), AfterValidator(_not_ahead)] = None
    is_purchaser: bool = False

    @model_validator(mode="before")
    @classmethod
    def _null_clears(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        texts = ("real_name", "email", "phone", "prefecture")
        fields = cast("dict[str, Any]", data)
        return {
            name: "" if value is None and name in texts else value for name, value in fields.items()
        }


class TagIn(BaseModel):
    """A tag as staff write it."""

    name: Annotated[Line, Field(min_length=1, max_length=TAG_NAME_LIMIT)]
    colour: Colour = "blue"
    description: Annotated[Words, Field(max_length=200)] = ""


AttributeKind = Literal["text", "number", "date", "choice", "choices"]


def _without_blanks(value: Any) -> Any:
    if isinstance(value, list):
        return [each for each in value if each not in ("", None)]  # pyright: ignore[reportUnknownVariableType]
    return value


Choices = Annotated[
    list[Annotated[Line, Field(min_length=1, max_length=CHOICE_LIMIT)]],
    Field(max_length=CHOICES_LIMIT),
    BeforeValidator(_without_blanks),
]


def _each_once(choices: list[str]) -> list[str]:
    for at, choice in enumerate(choices):
        if choice in choices[:at]:
            raise Wrong("“%(choice)s” is there twice.", choice=choice)
    return choices


def _choices_only_where_asked(data: Any) -> Any:
    """Return what was typed without choices, where the kind has none."""
    if not isinstance(data, dict):
        return data
    fields = cast("dict[str, Any]", data)
    has_choices = fields.get("kind") in ("choice", "choices")
    return fields if has_choices else {**fields, "choices": []}


class AttributeEdit(BaseModel):
    """What may change of an attribute once it is there."""

    label: Annotated[Line, Field(min_length=1, max_length=50)]
    choices: Annotated[Choices, AfterValidator(_each_once)] = Field(default_factory=list[str])
    """For choice and choices: what can be chosen, in order."""
    unit: Annotated[Line, Field(max_length=10)] = ""
    """What a number counts, such as cm: shown behind it."""
    initial: Annotated[Words, Field(max_length=500)] = ""
    """What the form on a friend's page begins with when nothing is known, as typed."""
    clear_removed: bool = False
    """Take choices that are gone off the friends who have them; without it that is refused."""


class KindIn(BaseModel):
    """Of what kind an attribute is to be from now on."""

    kind: AttributeKind
    choices: Annotated[Choices, AfterValidator(_each_once)] = Field(default_factory=list[str])
    """For choice and choices: what can be chosen, in order."""
    lose: Annotated[int, Field(ge=0)] = 0
    """How many values may be lost because they cannot be read as the new kind."""

    @model_validator(mode="before")
    @classmethod
    def _choices_of_the_kind(cls, data: Any) -> Any:
        return _choices_only_where_asked(data)


class AttributeIn(AttributeEdit):
    """An attribute as staff make it. Its key stays as it is for good."""

    key: Annotated[Line, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
    """Its name in message variables and the API."""
    kind: AttributeKind = "text"

    @model_validator(mode="before")
    @classmethod
    def _choices_of_the_kind(cls, data: Any) -> Any:
        return _choices_only_where_asked(data)


class NoteIn(BaseModel):
    """What staff write about a person."""

    body: Annotated[Words, Field(min_length=1, max_length=NOTE_LIMIT)]


class KeywordIn(BaseModel):
    """A word that in a note suggests a tag, or a value of an attribute."""

    word: Annotated[Line, Field(min_length=1, max_length=50)]
    tag_id: Annotated[UUID | None, BeforeValidator(lambda value: value or None)] = None
    attribute_id: Annotated[UUID | None, BeforeValidator(lambda value: value or None)] = None
    value: Annotated[Words, Field(max_length=500)] = ""
    """The attribute's value, as typed."""


class ValueIn(BaseModel):
    """A value of an attribute: text, number, ISO date, a choice or a list of them; null clears."""

    value: str | int | float | list[str] | None = None


class ViewIn(BaseModel):
    """A way to look at the list of friends, under a name."""

    name: Annotated[Line, Field(min_length=1, max_length=40)]
    filter: FriendFilter = Field(default_factory=FriendFilter)
    sort: Annotated[Line, Field(max_length=80)] = ""
    """Empty for the newest first; seen, first, or the name of a field of a room."""
    columns: Annotated[list[Annotated[Line, Field(max_length=80)]], Field(max_length=8)] = Field(
        default_factory=list[str]
    )
    """Names of fields of rooms, and keys of attributes after `a.`."""


class ViewOut(BaseModel):
    """A saved view."""

    id: UUID
    name: str
    query: dict[str, str]
    """The parameters of the list's address."""


class FriendshipOut(BaseModel):
    """Standing with one account."""

    channel_id: UUID
    status: Literal["following", "blocked"]
    line_user_id: str
    first_followed_at: datetime | None
    followed_at: datetime | None
    blocked_at: datetime | None
    last_seen_at: datetime | None
    source: str | None


class TagOut(BaseModel):
    """A tag."""

    id: UUID
    name: str
    colour: str
    description: str


class TagWithCount(TagOut):
    """A tag and how many have it."""

    friends: int


class FriendOut(BaseModel):
    """A contact with standing and tags."""

    id: UUID
    display_name: str
    real_name: str | None
    picture_url: str | None
    language: str | None
    email: str | None
    phone: str | None
    prefecture: str | None
    birthday: date | None
    is_purchaser: bool
    created_at: datetime
    friendships: list[FriendshipOut]
    tags: list[TagOut]


class FriendDetail(FriendOut):
    """A contact with all that is known."""

    attributes: dict[str, Any]
    """By the attribute's key."""
    fields: dict[str, Any]
    """What rooms have worked out, such as `purchases.spent`; null for what is not known."""


class FriendsOut(BaseModel):
    """A page of friends."""

    items: list[FriendOut]
    next: str | None
    """Give it as `after` to get the page behind this one; null on the last."""


class AttributeOut(BaseModel):
    """One of the shop's own fields."""

    id: UUID
    key: str
    label: str
    kind: AttributeKind
    choices: list[str]
    unit: str
    initial: str
    position: int


class NoteOut(BaseModel):
    """A note of the staff."""

    id: UUID
    body: str
    staff_name: str
    created_at: datetime
    updated_at: datetime


class Count(BaseModel):
    """How many."""

    count: int


class BulkTagIn(BaseModel):
    """A tag for many: those named, or all whom the filter describes."""

    tag_id: UUID
    verb: Literal["add", "remove"] = "add"
    contact_ids: Annotated[list[UUID], Field(max_length=1000)] | None = None
    """None means all whom the filter in the address describes."""
