"""Webhook events as LINE sent them: stored before LINE gets its 200."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, OwnedInBulk
from hiiki.ingest.relay.models import RelayTarget as RelayTarget  # migrations find tables here
from hiiki.kit.clock import now

STATES = ("waiting", "handled", "set_aside", "dismissed")


class WebhookEvent(Base, OwnedInBulk):
    """One event under LINE's own id, so that a redelivery changes nothing.

    States: waiting → handled, or after too many failures set_aside, from where staff run
    it again (waiting) or let it be (dismissed).
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'handled', 'set_aside', 'dismissed')", name="state"),
        Index(
            "ix_webhook_event_waiting",
            "channel_id",
            "source_id",
            "at",
            "serial",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_webhook_event_queue",
            "serial",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_webhook_event_set_aside",
            "workspace_id",
            "serial",
            postgresql_where=text("state = 'set_aside'"),
        ),
        Index(None, "workspace_id", "received_at", "serial"),
        {"schema": "ingest"},
    )

    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), primary_key=True
    )
    event_id: Mapped[str] = mapped_column(primary_key=True)
    """`webhookEventId`; for an event without one, a hash of what it says."""
    serial: Mapped[int] = mapped_column(Identity())
    """The order of arrival, for events of the same millisecond."""
    source_id: Mapped[str] = mapped_column(default="")
    """The user, group or room it came from: events are handled in order within it."""
    kind: Mapped[str]
    at: Mapped[datetime]
    """LINE's `timestamp`."""
    received_at: Mapped[datetime] = mapped_column(default=now)
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    error: Mapped[str | None]
    handled_at: Mapped[datetime | None]
