"""Where webhooks are relayed to, and what has not arrived there yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned, OwnedInBulk
from hiiki.kit.clock import now


class RelayTarget(Base, Identified, Owned):
    """Another tool's address, which gets a channel's webhooks too."""

    __tablename__ = "relay_target"
    __table_args__ = ({"schema": "ingest"},)

    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    url: Mapped[str]
    header_name: Mapped[str] = mapped_column(default="")
    """A header of the other tool's own, such as `Authorization`; "" for none."""
    sealed_header: Mapped[bytes | None]
    """Its value."""
    is_paused: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    """Failures in a row that are the address's fault, not one body's."""
    rests_until: Mapped[datetime | None]
    """After failures: nothing is sent there before."""
    leased_until: Mapped[datetime | None]
    """One worker at a time serves a target, so that order and parallelism are kept."""


class RelayBody(Base, OwnedInBulk):
    """What LINE posted, byte for byte; gone as soon as every target has it."""

    __tablename__ = "relay_body"
    __table_args__ = ({"schema": "ingest"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), index=True
    )
    body: Mapped[bytes]
    signature: Mapped[str]
    """The header `x-line-signature`."""
    people: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """LINE's ids of the users, groups and rooms in it, the first event's source first: whoever is
    erased is found by them."""


class RelayDelivery(Base, OwnedInBulk):
    """One body on its way to one target.

    States: waiting → delivered, or after a day given_up, from where staff run it again.
    """

    __tablename__ = "relay_delivery"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'delivered', 'given_up')", name="state"),
        Index(
            "ix_relay_delivery_waiting",
            "target_id",
            "serial",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_relay_delivery_target", "target_id", "serial"),
        Index("ix_relay_delivery_body", "body_id", postgresql_where=text("body_id is not null")),
        Index(
            "ix_relay_delivery_expires",
            "expires_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_relay_delivery_settled", "settled_at"),
        {"schema": "ingest"},
    )

    serial: Mapped[int] = mapped_column(Identity(), primary_key=True)
    """The order of arrival."""
    target_id: Mapped[UUID] = mapped_column(
        ForeignKey("ingest.relay_target.id", ondelete="CASCADE")
    )
    body_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ingest.relay_body.id", ondelete="SET NULL")
    )
    """NULL when the body is no longer kept: delivered, or erased with a person."""
    events: Mapped[int]
    received_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    """Not delivered by then, it is given up."""
    due_at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    answer: Mapped[int | None]
    """The HTTP status of the last attempt; NULL when there was no answer."""
    problem: Mapped[str | None]
    """Why the last attempt failed, a key of `hiiki.ingest.relay.words`; NULL when it did not."""
    settled_at: Mapped[datetime | None]
