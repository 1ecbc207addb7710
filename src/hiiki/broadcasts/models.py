"""Broadcasts: one message to a segment, now or at a set time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned


class Broadcast(Base, Identified, Owned):
    """What is to be sent, to whom and when. Once it goes out, `send_id` tells how far it is."""

    __tablename__ = "broadcast"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'scheduled', 'sent', 'cancelled')", name="state"),
        {"schema": "broadcasts"},
    )

    name: Mapped[str]
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.channel.id", ondelete="CASCADE"))
    segment_id: Mapped[UUID | None] = mapped_column(index=True)
    """NULL means every friend of the account. Not a foreign key: what has been sent outlives
    its segment, and what has not keeps it from being deleted (`service.uses`)."""
    audience_name: Mapped[str] = mapped_column(default="")
    """What the segment was called when it was sent to."""
    draft: Mapped[dict[str, Any]]
    """A `hiiki.content.draft.Draft` as JSON."""
    state: Mapped[str] = mapped_column(default="draft")
    scheduled_at: Mapped[datetime | None]
    send_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery.send.id"))
    topic_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("delivery.topic.id", ondelete="SET NULL"), index=True
    )
    """What kind of message it is (`hiiki.delivery.topics`): who declines it is left out."""
    must_go: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """True when it goes out although the frequency cap or quiet hours would keep it."""
    up_to_quota: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """True when it goes to as many as the month's messages suffice for; else to all or nobody."""
    everybody: Mapped[int | None]
    """How many friends the account had when it was sent: what sending to all would have cost."""
    problem: Mapped[str | None]
    """Why a scheduled broadcast did not go out."""
