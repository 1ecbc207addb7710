"""What people and programs send to, and get from, this room."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from hiiki.content.draft import Sendable, check_url
from hiiki.idlink.models import Link, LoginChannel, Place, Setting
from hiiki.idlink.phrases import LANGUAGES, OWN
from hiiki.kit.forms import Wrong
from hiiki.settings import settings

MAX_NUMBER = 100
MAX_REWARDS = 10
MAX_WORDS = {
    "title": 60,
    "lead": 300,
    "number": 40,
    "number_hint": 120,
    "done": 200,
    "card_title": 40,
    "card_text": 120,
    "card_button": 20,
}
"""Characters of the shop's own words. A button's label has at most 20 at LINE."""
_NONCE = re.compile(r"[A-Za-z0-9+/=_-]{22,255}")
"""22 characters of Base64 hold 128 bits; LINE takes up to 255 ("User account linking")."""


def _number(value: str) -> str:
    value = " ".join(value.split())
    if not value:
        raise Wrong("Please fill this in.")
    if len(value) > MAX_NUMBER:
        raise Wrong("Please shorten this to %(max_length)s characters.", max_length=MAX_NUMBER)
    if not value.isprintable():
        raise Wrong("This contains a character that cannot be sent. Please type it again.")
    return value


Number = Annotated[str, AfterValidator(_number)]
"""The shop's own number of a customer."""


def _digits(value: str) -> str:
    value = value.strip()
    if not re.fullmatch(r"[0-9]{5,20}", value):
        raise Wrong("A channel ID consists of digits, such as 1234567890.")
    return value


def _secret(value: str) -> str:
    value = value.strip()
    if not re.fullmatch(r"[0-9a-f]{32}", value):
        raise Wrong("A channel secret has 32 characters, 0 to 9 and a to f.")
    return value


def _site(value: str) -> str:
    if not value.strip():
        return ""
    value = check_url(value)
    # The link token in the address is a key to the customer's account for ten minutes.
    local = settings().line_access_url.startswith("http://")
    if urlsplit(value).scheme != "https" and not local:
        raise Wrong("Please enter an address that begins with https://.")
    return value


class SettingIn(BaseModel):
    """How customers link, as staff decide."""

    method: Literal["page", "site"] = "page"
    site_url: Annotated[str, AfterValidator(_site)] = ""
    """The log-in page of the shop's own site: we add `linkToken` to its query."""
    proof: Literal["email", "birthday", "phone"] = "email"
    """What our page asks for beside the number. It must be known of the imported members."""
    moves: bool = False
    """Whether a number may be moved to another LINE account; else that is refused."""
    rewards: Annotated[list[dict[str, Any]], Field(max_length=MAX_REWARDS)] = []
    """Actions for a person's first linking, each `{"kind": …, …}` as in rules."""
    texts: dict[str, dict[str, Sendable]] = {}
    """Language (ja, en, zh-TW, th) → words for customers, such as `title`; "" for ours."""

    model_config = {"validate_default": True}

    @field_validator("site_url")
    @classmethod
    def _is_given_for_a_site(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("method") == "site" and not value:
            raise Wrong("Please fill this in.")
        return value

    @field_validator("texts")
    @classmethod
    def _are_ours_and_short(cls, given: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        kept: dict[str, dict[str, str]] = {}
        for language, words in given.items():
            if language not in LANGUAGES:
                raise Wrong("Please choose one of: %(expected)s.", expected=", ".join(LANGUAGES))
            for name, said in words.items():
                if name not in OWN:
                    raise Wrong("Please choose one of: %(expected)s.", expected=", ".join(OWN))
                if said.strip():
                    kept.setdefault(language, {})[name] = said.strip()
        return kept


class SettingOut(SettingIn):
    """How customers link at present."""

    @classmethod
    def of(cls, setting: Setting) -> SettingOut:
        """Return `setting` as the API shows it."""
        return cls.model_construct(
            **{name: getattr(setting, name) for name in SettingIn.model_fields}
        )


class LoginChannelIn(BaseModel):
    """A LINE Login channel, as its page on the LINE Developers console shows it."""

    channel_id: UUID
    """Our official account whose friends log in by it."""
    line_channel_id: Annotated[str, AfterValidator(_digits)]
    secret: Annotated[str, AfterValidator(_secret)]


class LoginChannelOut(BaseModel):
    """A LINE Login channel; its secret is never shown."""

    id: UUID
    channel_id: UUID
    line_channel_id: str
    created_at: datetime

    @classmethod
    def of(cls, one: LoginChannel) -> LoginChannelOut:
        """Return `one` as the API shows it."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class PlaceIn(BaseModel):
    """A place where customers are asked to link."""

    name: Annotated[Sendable, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    channel_id: UUID
    """The official account whose friends link there."""


class PlaceOut(BaseModel):
    """A place, with the address that its QR code holds."""

    id: UUID
    name: str
    code: str
    channel_id: UUID
    url: str

    @classmethod
    def of(cls, place: Place, url: str) -> PlaceOut:
        """Return `place` as the API shows it."""
        return cls(
            id=place.id, name=place.name, code=place.code, channel_id=place.channel_id, url=url
        )


class LinkIn(BaseModel):
    """A friend and the shop's number of them, by a program that knows both."""

    contact_id: UUID
    customer: Number


class LinkOut(BaseModel):
    """A friend who is linked."""

    contact_id: UUID
    customer: str
    way: str
    """account (LINE's account link), login (LINE Login), staff or api."""
    place: str
    linked_at: datetime

    @classmethod
    def of(cls, link: Link) -> LinkOut:
        """Return `link` as the API shows it."""
        return cls(**{name: getattr(link, name) for name in cls.model_fields})


class LinkPage(BaseModel):
    """Links, the latest first; `next` is the `before` of the next page."""

    items: list[LinkOut]
    next: UUID | None


def _nonce(value: Any) -> Any:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _NONCE.fullmatch(value):
        raise Wrong("A nonce has 22 to 255 characters of Base64 (128 bits or more).")
    return value


class NonceIn(BaseModel):
    """Who has logged in on the shop's own site, and by which link token they came."""

    customer: Number
    nonce: Annotated[str | None, BeforeValidator(_nonce)] = None
    """Made by the shop's server: random, at least 128 bits, in Base64. Without it we make one."""
    link_token: Annotated[str, StringConstraints(max_length=255)] = ""
    """The `linkToken` of the address by which the customer came."""


class NonceOut(BaseModel):
    """What the shop's server sends the customer's browser on with."""

    nonce: str
    url: str
    """Redirect the browser here; "" when no `link_token` was given."""
    expires_at: datetime


class DayOut(BaseModel):
    """A day of the report."""

    day: date
    linked: int
    """People who linked on it and are linked still."""
    rate: float | None
    """Linked by its end, of today's friends who were friends by then."""


class GroupOut(BaseModel):
    """Friends of one source, or who came by one place."""

    name: str
    friends: int
    linked: int
    rate: float | None


class StepOut(BaseModel):
    """How many people got so far."""

    step: str
    """asked, opened, logged_in or linked."""
    people: int


class ReportOut(BaseModel):
    """The link rate and what stands behind it."""

    friends: int
    """Who follows an account now."""
    linked: int
    rate: float | None
    """Linked of all friends."""
    matched: int
    """Who has not linked, but has a customer number, an e-mail address or a telephone number from
    the shop's own systems: by an import, an order or the API."""
    known: int
    """Whom the shop knows: linked and matched."""
    known_rate: float | None
    """Known of all friends."""
    days: list[DayOut]
    sources: list[GroupOut]
    places: list[GroupOut]
    """`friends` is who opened the page by that place in the period, `linked` who linked."""
    funnel: list[StepOut]
    failures: dict[str, int]
    """Why it broke → how many people."""
