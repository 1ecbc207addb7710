"""Sends and their parcels: what must go out, and how far it has got."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7

SEND_STATES = ("running", "paused", "done", "cancelled")
PARCEL_STATES = ("ready", "sending", "accepted", "refused", "in_doubt", "cancelled")


class Send(Base, Identified, Owned):
    """One message (or a few together) to a frozen audience."""

    __tablename__ = "send"
    __table_args__ = (
        CheckConstraint("state in ('running', 'paused', 'done', 'cancelled')", name="state"),
        Index(None, "workspace_id", "subject"),
        {"schema": "delivery"},
    )

    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), index=True
    )
    subject: Mapped[str]
    """What is sent, such as `broadcast:<id>`; the subject of the `sent` events."""
    messages: Mapped[list[dict[str, Any]]]
    """LINE message objects; with `personal` they hold variables and tracked links."""
    personal: Mapped[bool] = mapped_column(default=False)
    """True when what each recipient gets differs, so that each needs a push of their own."""
    state: Mapped[str] = mapped_column(default="running")
    targeted: Mapped[int] = mapped_column(default=0)
    """How many people the frozen audience has."""
    blocked: Mapped[int] = mapped_column(default=0)
    """How many more were asked for, but had blocked the account when it was frozen."""
    pause_reason: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class Parcel(Base, Owned):
    """One LINE request: at most 500 recipients, and the retry key that makes it once-only.

    States: ready → sending → accepted | refused | in_doubt | cancelled. A parcel found
    in `sending` with an expired lease belonged to a worker that died: it is tried again
    with the same retry key, and LINE's 409 then means that it had been accepted.
    """

    __tablename__ = "parcel"
    __table_args__ = (
        CheckConstraint(
            "state in ('ready', 'sending', 'accepted', 'refused', 'in_doubt', 'cancelled')",
            name="state",
        ),
        CheckConstraint("method in ('multicast', 'push', 'reply')", name="method"),
        CheckConstraint("cardinality(contact_ids) between 1 and 500", name="size"),
        Index(
            "ix_parcel_open",
            "urgency",
            "next_attempt_at",
            postgresql_where=text("state in ('ready', 'sending')"),
        ),
        Index(None, "send_id", "state"),
        Index("ix_parcel_contact_ids", "contact_ids", postgresql_using="gin"),
        {"schema": "delivery"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    send_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery.send.id", ondelete="CASCADE"))
    """The bulk send it is part of; NULL for what is said to one person in passing."""
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.channel.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(default="")
    urgency: Mapped[int] = mapped_column(default=1)
    """0 for replies and what follows from something a person just did, 1 for bulk."""
    method: Mapped[str]
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    line_user_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    messages: Mapped[list[dict[str, Any]] | None]
    """NULL in a bulk send, whose messages stand on the send."""
    reply_token: Mapped[str | None]
    reply_until: Mapped[datetime | None]
    """Until when the reply token is good; afterwards the parcel goes by push."""
    retry_key: Mapped[UUID] = mapped_column(default=uuid4)
    state: Mapped[str] = mapped_column(default="ready")
    attempts: Mapped[int] = mapped_column(default=0)
    first_attempt_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime] = mapped_column(default=now)
    lease_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    error: Mapped[str | None]
    request_id: Mapped[str | None]
    """LINE's x-line-request-id, to be quoted to LINE's support."""
    created_at: Mapped[datetime] = mapped_column(default=now)
