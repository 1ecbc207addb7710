"""Shops, the people who work there, and the official accounts they run."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.line.limits import line_month

FEW, APART = 20, 0.03
"""LINE calls its figure approximate: so many messages, or this share of them, say nothing."""

ROLES = ("owner", "operator", "viewer")
"""From most to least: an owner also runs staff and channels, a viewer changes nothing."""


class Workspace(Base, Identified):
    """A shop: the wall around everything else."""

    __tablename__ = "workspace"
    __table_args__ = ({"schema": "workspace"},)

    name: Mapped[str]
    locale: Mapped[str] = mapped_column(default="ja")
    timezone: Mapped[str] = mapped_column(default="Asia/Tokyo")


class Staff(Base, Identified):
    """A person who logs in. One person may work for several workspaces."""

    __tablename__ = "staff"
    __table_args__ = ({"schema": "workspace"},)

    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    name: Mapped[str]
    password_hash: Mapped[str]
    """argon2id."""
    locale: Mapped[str] = mapped_column(default="ja")


class Membership(Base, Owned):
    """What a person may do in a workspace."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'operator', 'viewer')", name="role"),
        {"schema": "workspace"},
    )

    staff_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.staff.id", ondelete="CASCADE"), primary_key=True
    )
    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class LoginSession(Base):
    """A browser that is logged in. The cookie's value is not kept, only its SHA-256."""

    __tablename__ = "login_session"
    __table_args__ = ({"schema": "workspace"},)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.staff.id", ondelete="CASCADE"))
    workspace_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("workspace.workspace.id", ondelete="SET NULL")
    )
    """The workspace this browser is looking at."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    user_agent: Mapped[str] = mapped_column(default="")


class LoginAttempt(Base):
    """A failed log-in, kept for throttling: by e-mail and by address."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index(None, "key", "at"), {"schema": "workspace"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class ApiToken(Base, Identified, Owned):
    """A program's key to the API. Shown once; only its SHA-256 is kept."""

    __tablename__ = "api_token"
    __table_args__ = ({"schema": "workspace"},)

    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    role: Mapped[str]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditEntry(Base, Owned):
    """What a member of staff, or a program with a token, did."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "workspace_id", "at"), {"schema": "workspace"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[datetime] = mapped_column(default=now)
    actor_kind: Mapped[str]
    """staff, token or system."""
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    action: Mapped[str]
    """A verb with its room, such as `segments.delete`."""
    subject: Mapped[str] = mapped_column(default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Channel(Base, Identified, Owned):
    """A LINE Official Account's Messaging API channel, with its credentials sealed."""

    __tablename__ = "channel"
    __table_args__ = (
        # One account is run by one workspace: two would answer its friends twice.
        Index("uq_channel_line_channel_id", "line_channel_id", unique=True),
        {"schema": "workspace"},
    )

    name: Mapped[str]
    """The account's display name, as LINE gives it."""
    line_channel_id: Mapped[str]
    provider: Mapped[str]
    """LINE's user ids are unique to a provider; channels of one provider share contacts."""
    bot_user_id: Mapped[str] = mapped_column(default="")
    basic_id: Mapped[str] = mapped_column(default="")
    """@-name that friends search for."""
    picture_url: Mapped[str] = mapped_column(default="")
    sealed_secret: Mapped[bytes]
    sealed_token: Mapped[bytes]
    webhook_key: Mapped[str] = mapped_column(unique=True)
    """The unguessable last part of the webhook's path."""
    webhook_checked_at: Mapped[datetime | None]
    webhook_problem: Mapped[str | None]
    """What the last check found, as a key of `hiiki.workspace.channels`; NULL when all was well."""
    plan: Mapped[str] = mapped_column(default="light")
    """Which price list applies: communication, light, standard (`hiiki.line.prices`)."""
    quota_limit: Mapped[int | None]
    """LINE's own figure for the month; NULL means without a limit."""
    quota_used: Mapped[int] = mapped_column(default=0)
    """LINE's figure of the month's messages, and what Hiiki has sent since LINE told it."""
    quota_checked_at: Mapped[datetime | None]
    """When LINE told its figures last."""
    quota_asked_at: Mapped[datetime | None]
    """When LINE was asked last, whether or not it answered."""
    quota_reported: Mapped[int | None]
    """LINE's own figure of the month's messages at `quota_checked_at`."""
    quota_own: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Messages of `quota_own_month` that LINE accepted from Hiiki and counts (replies are free)."""
    quota_own_month: Mapped[date | None]
    """The first day of that month, by LINE's calendar."""
    quota_own_then: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """What our count was when LINE was asked: what `quota_reported` can be compared with."""
    paused_reason: Mapped[str | None]
    """Why nothing is sent at present, e.g. a revoked token; NULL when all is well."""
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))

    @property
    def messages_own(self) -> int:
        """How many messages of this month LINE has accepted from Hiiki and counts."""
        return self.quota_own if self.quota_own_month == line_month(now()) else 0

    @property
    def messages_used(self) -> int:
        """How many of this month's messages are used up, as far as we know."""
        checked = self.quota_checked_at
        if checked is None or line_month(checked) != line_month(now()):
            return self.messages_own  # LINE's figure is another month's, or there is none
        return self.quota_used

    @property
    def messages_reported(self) -> int | None:
        """LINE's own figure of this month's messages; None when it told none this month."""
        checked = self.quota_checked_at
        if checked is None or line_month(checked) != line_month(now()):
            return None
        return self.quota_reported

    @property
    def messages_apart(self) -> int | None:
        """By how much LINE's figure is above (or below) ours; None when it is hardly at all."""
        reported = self.messages_reported
        if reported is None:
            return None
        apart = reported - self.quota_own_then
        return apart if abs(apart) > max(FEW, APART * reported) else None
