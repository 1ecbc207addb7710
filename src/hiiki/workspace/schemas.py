"""What people and programs send to this room, and what they get."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hiiki.kit.forms import Wrong
from hiiki.workspace.models import Channel

Role = Literal["owner", "operator", "viewer"]
Locale = Literal["ja", "en"]
PASSWORD_MIN = 10
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+|[^@\s]+@localhost")


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise Wrong("Please enter an e-mail address, such as hanako@example.com.")
    return value.lower()


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise Wrong("This time zone is not known.")
    return value


def _secret(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", value):
        raise Wrong("A channel secret has 32 characters, 0 to 9 and a to f.")
    return value.lower()


def _token(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9+/=._~-]+", value):
        raise Wrong("A channel access token has letters, digits and + / = only, without spaces.")
    return value


def _channel_id(value: str) -> str:
    if not re.fullmatch(r"[0-9]{6,20}", value):
        raise Wrong("A channel id is a number, such as 1656789012.")
    return value


Name = Annotated[str, BeforeValidator(_trimmed), Field(min_length=1, max_length=80)]
Email = Annotated[
    str, BeforeValidator(_trimmed), Field(min_length=1, max_length=200), AfterValidator(_email)
]
Password = Annotated[str, Field(min_length=PASSWORD_MIN, max_length=200)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Secret = Annotated[str, BeforeValidator(_trimmed), Field(min_length=1), AfterValidator(_secret)]
Token = Annotated[
    str,
    BeforeValidator(_trimmed),
    Field(min_length=1, max_length=2000),
    AfterValidator(_token),
]


class Asked(BaseModel):
    """Base of what is sent to us: a field that is not known is an error, not a typo ignored."""

    model_config = ConfigDict(extra="forbid")


class FirstOwner(Asked):
    """The first visit: the workspace and its owner."""

    workspace: Name
    name: Name
    email: Email
    password: Password


class NewWorkspace(Asked):
    """Another workspace for somebody who has one."""

    workspace: Name


class WorkspaceSettings(Asked):
    """A workspace's name, time zone and language."""

    name: Name
    timezone: Timezone
    locale: Locale


class NewStaff(Asked):
    """Somebody to be added. Who has an account already keeps their own password."""

    email: Email
    name: Name
    password: Password
    role: Role
    locale: Locale = "ja"


class StaffRole(Asked):
    """What a member of staff may do from now on."""

    role: Role


class Profile(Asked):
    """One's own name and language."""

    name: Name
    locale: Locale


class PasswordChange(Asked):
    """One's own password."""

    current: Annotated[str, Field(min_length=1, max_length=200)]
    password: Password


class NewPassword(Asked):
    """A password that an owner sets for somebody of their workspace."""

    password: Password


class NewToken(Asked):
    """A token to be made."""

    name: Name
    role: Role = "operator"


class NewChannel(Asked):
    """An official account to be connected."""

    line_channel_id: Annotated[
        str, BeforeValidator(_trimmed), Field(min_length=1), AfterValidator(_channel_id)
    ]
    secret: Secret
    token: Token
    provider_of: Annotated[UUID | None, BeforeValidator(_none_if_empty)] = None
    """A channel of the same LINE provider."""


class ChannelCredentials(Asked):
    """New credentials; what is left empty stays as it is."""

    secret: Annotated[Secret | None, BeforeValidator(_none_if_empty)] = None
    token: Annotated[Token | None, BeforeValidator(_none_if_empty)] = None


class ChannelChange(Asked):
    """What may be changed about a channel."""

    plan: str | None = None
    is_active: bool | None = None


class WorkspaceOut(BaseModel):
    """A workspace."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    timezone: str
    locale: str
    created_at: datetime


class StaffOut(BaseModel):
    """A member of staff."""

    id: UUID
    email: str
    name: str
    role: Role
    locale: str
    since: datetime
    seen_at: datetime | None = None


class TokenOut(BaseModel):
    """An API token, without its value."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenOut):
    """A new API token, with the value that is shown this once."""

    token: str


class ChannelOut(BaseModel):
    """An official account, without its credentials."""

    id: UUID
    name: str
    line_channel_id: str
    provider: str
    basic_id: str
    picture_url: str
    webhook_url: str
    webhook_checked_at: datetime | None
    webhook_problem: str | None
    """What the last check found: token, secret, unreachable, off, …; None when all was well."""
    plan: str
    quota_limit: int | None
    """What LINE allows this month; None: no limit."""
    quota_used: int
    """LINE's figure of this month's messages, and what Hiiki has sent since LINE told it."""
    quota_checked_at: datetime | None
    """When LINE told its figures last."""
    quota_reported: int | None
    """LINE's own figure then, which LINE calls approximate; None when it told none this month."""
    quota_own: int
    """Messages of this month that LINE accepted from Hiiki and counts."""
    quota_apart: int | None
    """By how much LINE's figure is above (or below) Hiiki's; None when it is hardly at all."""
    paused_reason: str | None
    is_active: bool
    created_at: datetime

    @classmethod
    def of(cls, channel: Channel, webhook_url: str) -> ChannelOut:
        """Return what may be shown of `channel`."""
        figures = {
            "quota_used": channel.messages_used,
            "quota_reported": channel.messages_reported,
            "quota_own": channel.messages_own,
            "quota_apart": channel.messages_apart,
        }
        names = set(cls.model_fields) - {"webhook_url", *figures}
        shown = {name: getattr(channel, name) for name in names}
        return cls(webhook_url=webhook_url, **figures, **shown)


class AuditOut(BaseModel):
    """One line of the audit record."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    action: str
    subject: str
    data: dict[str, Any]


class Me(BaseModel):
    """Who a token is, and what it may do."""

    kind: str
    id: UUID
    name: str
    role: Role
    workspace: WorkspaceOut


class ListOf(BaseModel):
    """One page of a list; `next` is the cursor of the page after it."""

    next: str | None = None


class StaffList(ListOf):
    """Staff."""

    items: list[StaffOut]


class TokenList(ListOf):
    """Tokens."""

    items: list[TokenOut]


class ChannelList(ListOf):
    """Channels."""

    items: list[ChannelOut]


class AuditList(ListOf):
    """The audit record, newest first."""

    items: list[AuditOut]
