"""What people and programs send about relay targets, and what they get."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from hiiki.ingest.relay.guard import MAX_URL, check_url
from hiiki.kit.forms import Wrong

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = {
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie",
    "date", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    "user-agent", "x-line-signature",
}  # fmt: skip
"""Headers that make the request what it is; a target's own must not be one of them."""


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _header_name(value: str) -> str:
    if value and not _TOKEN.fullmatch(value):
        raise Wrong("A header's name has letters, digits and hyphens, such as Authorization.")
    if value.lower() in _OURS or value.lower().startswith("proxy-"):
        raise Wrong("This header is set by Hiiki itself. Please choose another name.")
    return value


def _header_value(value: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]*", value):
        raise Wrong("A header's value has letters, digits and signs of ASCII only, on one line.")
    return value


class RelayIn(BaseModel):
    """A relay target as it is to be."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, BeforeValidator(_trimmed), Field(min_length=1, max_length=80)]
    url: Annotated[
        str,
        BeforeValidator(_trimmed),
        Field(min_length=1, max_length=MAX_URL),
        AfterValidator(check_url),
    ]
    header_value: Annotated[
        str, BeforeValidator(_trimmed), Field(max_length=1000), AfterValidator(_header_value)
    ] = Field(default="", json_schema_extra={"writeOnly": True})
    """Sealed, and never shown again. Empty: the present one stays."""
    header_name: Annotated[
        str, BeforeValidator(_trimmed), Field(max_length=80), AfterValidator(_header_name)
    ] = Field(default="", validate_default=True)

    @field_validator("header_name")
    @classmethod
    def _named(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("header_value"):
            raise Wrong("Please name the header whose value this is.")
        return value


class RelayOut(BaseModel):
    """A relay target."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    channel_id: UUID
    name: str
    url: str
    header_name: str
    """Its value is never shown."""
    is_paused: bool
    failures: int
    """Failures in a row; 0 when all is well."""
    rests_until: datetime | None
    """Nothing is sent there before."""
    created_at: datetime


class RelayList(BaseModel):
    """A channel's relay targets."""

    items: list[RelayOut]


class RelayTest(BaseModel):
    """What became of a test."""

    ok: bool
    answer: int | None
    """The HTTP status."""
    problem: str | None
    """timeout, unreachable, certificate, not_public, redirect, status, …"""


class RelayDeliveryOut(BaseModel):
    """One body on its way to a target."""

    model_config = ConfigDict(from_attributes=True)

    serial: int
    events: int
    """How many events it holds."""
    received_at: datetime
    state: str
    """waiting, delivered or given_up."""
    attempts: int
    answer: int | None
    problem: str | None
    due_at: datetime
    settled_at: datetime | None


class RelayDeliveryList(BaseModel):
    """A page of deliveries, latest first."""

    items: list[RelayDeliveryOut]
    next: int | None
    """Give it as `after` to get the next page."""


class RelayRerun(BaseModel):
    """How many bodies are relayed again."""

    count: int
