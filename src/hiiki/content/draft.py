"""What the composer edits: one to five blocks that become LINE messages.

The limits are LINE's (Messaging API reference, "Message objects"); texts that hold
variables are measured as they come out for somebody of whom nothing is known, and are cut
to the limit when they come out longer for others (`hiiki.content.personal`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)

from hiiki.content import variables
from hiiki.kit.forms import Wrong
from hiiki.kit.road import road
from hiiki.kit.text import grapheme_length, utf16_length
from hiiki.line import limits

_NOT_SENDABLE = re.compile("[\x00\ud800-\udfff]")
_TEL = re.compile(r"\+?[0-9][0-9\- ]{1,30}")
_BAD_IN_URL = re.compile(r"[\s<>\"\\^`{|}]|[\x00-\x1f\x7f]")


def _plain(value: Any) -> Any:
    """Browsers send CR LF, which LINE would count twice; NUL and half characters cannot be sent."""
    if not isinstance(value, str):
        return value
    if _NOT_SENDABLE.search(value):
        raise Wrong("This contains a character that cannot be sent. Please type it again.")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _required(value: str) -> str:
    if not value.strip():
        raise Wrong("Please fill this in.")
    return value


def _least(value: str) -> str:
    """Return a text as it comes out for somebody of whom nothing is known; raises `Wrong`."""
    if not variables.is_template(value):
        return value
    try:
        template = variables.read(value)
        variables.check_names(template)
    except variables.BadTemplate as error:
        raise Wrong(error.said.english, **dict(error.said.values)) from error
    return variables.least(template)


def _measured(limit: int, count: Callable[[str], int]) -> AfterValidator:
    def check(value: str) -> str:
        shown = _least(value)
        length = count(shown)
        if length > limit:
            raise Wrong(
                "LINE takes at most %(limit)s characters here; this has %(length)s.",
                limit=limit,
                length=length,
            )
        if value.strip() and not shown.strip():
            raise Wrong(
                "This would be empty for people whose data is missing. Please add a word, "
                "or a default such as %(example)s.",
                example='{{ name | default: "お客様" }}',
            )
        return value

    return AfterValidator(check)


def _short(value: str, limit: int, count: Callable[[str], int] = grapheme_length) -> str:
    length = count(value)
    if length > limit:
        raise Wrong(
            "LINE takes at most %(limit)s characters here; this has %(length)s.",
            limit=limit,
            length=length,
        )
    return value


def _label(value: str) -> str:
    return _short(value, limits.LABEL)


def check_url(value: str) -> str:
    """Return an http(s) address as it may stand in a message; raises `Wrong`."""
    value = _short(value.strip(), limits.ACTION_URI, utf16_length)
    try:
        parts = urlsplit(value)
        good = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.username is None
            and not _BAD_IN_URL.search(value)
        )
        _port = parts.port  # raises for one that is none
        uri = as_uri(value)
    except ValueError:
        good, uri = False, value
    if not good:
        raise Wrong("Please enter an address such as https://example.com/menu.")
    return _short(uri, limits.ACTION_URI, utf16_length)


def as_uri(url: str) -> str:
    """Return an address in ASCII, as LINE and browsers send it; raises `ValueError`.

    LINE wants what is not ASCII percent-encoded as UTF-8 (Messaging API reference, "URI action").
    """
    if url.isascii():
        return url
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    if parts.port is not None:
        host += f":{parts.port}"
    kept = "/?#[]@!$&'()*+,;=:%~-._"
    return urlunsplit(
        (
            parts.scheme,
            host,
            quote(parts.path, kept),
            quote(parts.query, kept),
            quote(parts.fragment, kept),
        )
    )


Sendable = Annotated[str, BeforeValidator(_plain)]
Url = Annotated[Sendable, AfterValidator(check_url)]


def _none_if_blank(value: Any) -> Any:
    return None if value == "" else value


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextBlock(_Model):
    """A text, with variables."""

    kind: Literal["text"] = "text"
    text: Annotated[Sendable, AfterValidator(_required), _measured(limits.TEXT, utf16_length)]
    track_links: bool = False
    """Whether the addresses in it are replaced by tracked ones."""


class ImageBlock(_Model):
    """An image from the library; a tap may open an address."""

    kind: Literal["image"] = "image"
    media_id: Annotated[UUID, Field(json_schema_extra={"picker": "media"})]
    url: Annotated[Url | None, BeforeValidator(_none_if_blank)] = None
    tracked: bool = True
    alt: Annotated[Sendable, AfterValidator(lambda value: _short(value, 400))] = ""
    """Shown in notifications and read aloud, for an image that opens an address."""


class Button(_Model):
    """What a card's button does: open an address, say something for the person, call."""

    label: Annotated[Sendable, AfterValidator(_required), AfterValidator(_label)]
    action: Literal["link", "say", "call"] = "link"
    value: Sendable
    """The address, the words or the telephone number."""
    tracked: bool = True
    """For an address: whether Hiiki tells who opened it."""

    @field_validator("value")
    @classmethod
    def _fits_the_action(cls, value: str, info: ValidationInfo) -> str:
        value = _required(value).strip()
        match info.data.get("action"):
            case "say":
                return _short(value, limits.ACTION_TEXT)
            case "call":
                if not _TEL.fullmatch(value):
                    raise Wrong("Please enter a telephone number such as 03-1234-5678.")
                return value
            case _:
                return check_url(value)


class CardBlock(_Model):
    """A card with a text and one to four buttons (LINE's buttons template)."""

    kind: Literal["card"] = "card"
    media_id: Annotated[UUID | None, BeforeValidator(_none_if_blank)] = None
    title: Annotated[Sendable, _measured(limits.TITLE, grapheme_length)] = ""
    text: Annotated[
        Sendable, AfterValidator(_required), _measured(limits.BUTTONS_TEXT, grapheme_length)
    ]
    buttons: Annotated[list[Button], Field(min_length=1, max_length=limits.BUTTONS_ACTIONS)]

    @field_validator("text")
    @classmethod
    def _fits_beside(cls, text: str, info: ValidationInfo) -> str:
        if info.data.get("title") or info.data.get("media_id"):
            length = grapheme_length(_least(text))
            if length > limits.BUTTONS_TEXT_WITH_PICTURE:
                raise Wrong(
                    "Beside a title or an image LINE takes at most %(limit)s characters; "
                    "this has %(length)s.",
                    limit=limits.BUTTONS_TEXT_WITH_PICTURE,
                    length=length,
                )
        return text


class CouponBlock(_Model):
    """A coupon: each recipient gets one of their own when they open it."""

    kind: Literal["coupon"] = "coupon"
    coupon_id: Annotated[UUID, Field(json_schema_extra={"picker": "coupon"})]


class PieceBlock(_Model):
    """A card that a room offers as it is, such as "link your account" (`Room.pieces`)."""

    kind: Literal["piece"] = "piece"
    piece: str

    @field_validator("piece")
    @classmethod
    def _is_offered(cls, value: str) -> str:
        if value not in road().pieces:
            raise Wrong("Please choose one from the list.")
        return value


def _kind(value: Any) -> str | None:
    given: Any = (
        cast("dict[str, Any]", value).get("kind")
        if isinstance(value, dict)
        else getattr(value, "kind", None)
    )
    # The prefix tells `hiiki.kit.forms` that this part of an error's path is no field.
    return f"kind:{given}" if isinstance(given, str) else None


Block = Annotated[
    Annotated[TextBlock, Tag("kind:text")]
    | Annotated[ImageBlock, Tag("kind:image")]
    | Annotated[CardBlock, Tag("kind:card")]
    | Annotated[CouponBlock, Tag("kind:coupon")]
    | Annotated[PieceBlock, Tag("kind:piece")],
    Discriminator(_kind),
]


class Draft(_Model):
    """A message before it is anybody's: what broadcasts, actions and the API hold."""

    blocks: Annotated[list[Block], Field(min_length=1, max_length=limits.MAX_MESSAGES)]

    def templates(self) -> Iterator[tuple[str, str]]:
        """Give the path and the source of every text in which variables may stand."""
        for index, block in enumerate(self.blocks):
            if isinstance(block, TextBlock | CardBlock):
                yield f"blocks.{index}.text", block.text
            if isinstance(block, CardBlock):
                yield f"blocks.{index}.title", block.title
