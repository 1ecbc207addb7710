"""Sends and their parcels: what must go out, and how far it has got."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned, OwnedInBulk
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7

SEND_STATES = ("running", "paused", "done", "cancelled")
LEFT_OUT_REASONS = ("blocked", "opted_out", "capped", "quota")
"""Why somebody who was meant was not sent to; the first that holds is the one that counts."""
PARCEL_STATES = ("ready", "sending", "accepted", "refused", "in_doubt", "cancelled")

_OPEN = "state in ('ready', 'sending')"


class Send(Base, Identified, Owned):
    """One message (or a few together) to a frozen audience.

    The counters are of people. They are written in the transaction that settles the
    parcels they count, so that progress need not look at a million parcels.
    """

    __tablename__ = "send"
    __table_args__ = (
        CheckConstraint("state in ('running', 'paused', 'done', 'cancelled')", name="state"),
        CheckConstraint(
            "pause_code in ('quota', 'content', 'refused', 'errors')", name="pause_code"
        ),
        Index(None, "workspace_id", "subject"),
        Index(None, "workspace_id", "id"),
        Index("ix_send_unfinished", "channel_id", postgresql_where=text("finished_at is null")),
        {"schema": "delivery"},
    )

    channel_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.channel.id", ondelete="CASCADE"))
    subject: Mapped[str]
    """What is sent, such as `broadcast:<id>`; the subject of the `sent` events."""
    messages: Mapped[list[dict[str, Any]]]
    """LINE message objects; with `personal` they hold variables and tracked links."""
    personal: Mapped[bool] = mapped_column(default=False)
    """True when recipients do not all get the same: variables, or tracked links of their own."""
    unit: Mapped[str | None]
    """The name under which LINE counts who opens it (`hiiki.delivery.units`); NULL without."""
    state: Mapped[str] = mapped_column(default="running")
    pause_code: Mapped[str | None]
    """Why it paused by itself (`hiiki.delivery.verdict.PauseCode`); NULL when staff did."""
    pause_reason: Mapped[str | None]
    """What was said about it last, in LINE's words when it was LINE."""
    pause_failed: Mapped[int | None]
    """With a budget's code: how many people were refused, or requests failed, ..."""
    pause_of: Mapped[int | None]
    """... of so many people settled, or requests made, since the start or the last resume."""
    targeted: Mapped[int] = mapped_column(default=0)
    """How many people the frozen audience has."""
    blocked: Mapped[int] = mapped_column(default=0)
    """How many more were asked for, but had blocked the account when it was frozen."""
    opted_out: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How many more were asked for, but do not want messages of this topic."""
    capped: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How many more were asked for, but have had as much as the account's cap allows."""
    quota: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How many more were asked for, but the month's messages did not suffice for them."""
    topic_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("delivery.topic.id", ondelete="SET NULL"), index=True
    )
    must_go: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """True when it goes out although the frequency cap or quiet hours would keep it."""
    accepted: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    in_doubt: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    running_since: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was started or last resumed, by the database's clock."""
    settled_before: Mapped[int] = mapped_column(default=0)
    """How many people had been settled by `running_since`."""
    refused_since: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """People refused of what was tried after `running_since` (`hiiki.delivery.pauses`)."""
    tried_since: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Requests made since then which LINE settled or left without a proper answer."""
    failed_since: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Those of them without an answer, or with a 5xx."""
    pace_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """A moment some seconds ago, from which its speed is told; the sweep moves it on."""
    pace_settled: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How many people had been settled by `pace_at`."""
    next_pace_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """What becomes `pace_at` next."""
    next_pace_settled: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    settled_at: Mapped[datetime | None]
    """When the last of its people so far were settled."""
    finished_at: Mapped[datetime | None]


class Parcel(Base, OwnedInBulk):
    """One LINE request: at most 500 recipients, and the retry key that makes it once-only.

    States: ready → sending → accepted | refused | in_doubt | cancelled, and from sending
    back to ready when it is to be tried again. A parcel that is still `sending` when its
    lease has run out belonged to a worker that died: it is tried again with the same
    retry key, and LINE's 409 then means that it had been accepted.
    """

    __tablename__ = "parcel"
    __table_args__ = (
        CheckConstraint(
            "state in ('ready', 'sending', 'accepted', 'refused', 'in_doubt', 'cancelled')",
            name="state",
        ),
        CheckConstraint("method in ('multicast', 'push', 'reply')", name="method"),
        CheckConstraint("cardinality(contact_ids) between 1 and 500", name="size"),
        CheckConstraint("cardinality(contact_ids) = cardinality(line_user_ids)", name="pairs"),
        CheckConstraint("send_id is not null or messages is not null", name="messages"),
        Index(
            "ix_parcel_urgent",
            "channel_id",
            "next_attempt_at",
            postgresql_where=text(f"send_id is null and {_OPEN}"),
        ),
        Index(
            "ix_parcel_bulk",
            "send_id",
            "method",
            "next_attempt_at",
            postgresql_where=text(f"send_id is not null and {_OPEN}"),
        ),
        Index(
            "ix_parcel_in_order",
            text("(contact_ids[1])"),
            "id",
            postgresql_where=text(_OPEN),
        ),
        Index(
            "ix_parcel_doubt",
            "first_attempt_at",
            postgresql_where=text(f"first_attempt_at is not null and {_OPEN}"),
        ),
        Index(
            "ix_parcel_problem",
            "workspace_id",
            "settled_at",
            "id",
            postgresql_where=text("state in ('refused', 'in_doubt')"),
        ),
        Index(None, "send_id", "id"),
        Index(
            "ix_parcel_untold",
            "settled_at",
            postgresql_where=text("state = 'accepted' and not is_told"),
        ),
        Index(
            "ix_parcel_triggered",
            "channel_id",
            "settled_at",
            postgresql_where=text("is_triggered"),
        ),
        {"schema": "delivery"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    send_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery.send.id", ondelete="CASCADE"))
    """The bulk send it is part of; NULL for what is said to one person in passing.

    The latter is urgent: it never waits for bulk.
    """
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.channel.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(default="")
    method: Mapped[str]
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    line_user_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """As many as `contact_ids`, in the same order."""
    messages: Mapped[list[dict[str, Any]] | None]
    """NULL in a bulk send, whose messages stand on the send."""
    values: Mapped[dict[str, Any] | None]
    """What a personal message is filled in with for all of these several recipients."""
    reply_token: Mapped[str | None]
    reply_until: Mapped[datetime | None]
    """Until when the reply token is good; afterwards the parcel goes by push."""
    retry_key: Mapped[UUID] = mapped_column(default=uuid4)
    state: Mapped[str] = mapped_column(default="ready")
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it was claimed; also tells a late worker that the parcel is no longer its own."""
    first_attempt_at: Mapped[datetime | None]
    """Since when LINE may have accepted it without our knowing.

    NULL as long as every attempt so far is known not to have been accepted.
    """
    next_attempt_at: Mapped[datetime] = mapped_column(default=now)
    """From when it may be claimed; while it is `sending`, when the lease runs out."""
    settled_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """What LINE, or the lack of LINE, said last."""
    request_id: Mapped[str | None]
    """LINE's x-line-request-id, to be quoted to LINE's support."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    is_told: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether its recipients' `sent` events are written (`hiiki.delivery.telling`)."""
    is_triggered: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """True for a push that nobody asked for just now (a rule's): the guards are for it, too."""


class InsightAccount(Base, Owned):
    """An account, as far as asking LINE for statistics is concerned."""

    __tablename__ = "insight_account"
    __table_args__ = ({"schema": "delivery"},)

    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), primary_key=True
    )
    next_at: Mapped[datetime] = mapped_column(default=now)
    """From when LINE may be asked about a send again, by its limit of questions an hour."""
    units_used: Mapped[int] = mapped_column(default=0)
    """Unit names of the month, as LINE counted them at `units_asked_at`; other tools use some."""
    units_asked_at: Mapped[datetime | None]


class Interaction(Base, Owned):
    """What people did with a send that has a unit, in LINE's figures, and when to ask again.

    The figures are totals: what LINE says later takes the place of what it said before. NULL
    is what LINE does not tell, for fewer than 20 people did it ("Get statistics per unit").
    """

    __tablename__ = "interaction"
    __table_args__ = (
        Index(
            "ix_interaction_due", "channel_id", "next_at", postgresql_where=text("next_at notnull")
        ),
        {"schema": "delivery"},
    )

    send_id: Mapped[UUID] = mapped_column(
        ForeignKey("delivery.send.id", ondelete="CASCADE"), primary_key=True
    )
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.channel.id", ondelete="CASCADE"))
    next_at: Mapped[datetime | None]
    """When LINE is to be asked; NULL once its figures do not change any more."""
    asked_at: Mapped[datetime | None]
    """When LINE answered last; NULL until it did."""
    error: Mapped[str | None]
    """Why the latest question had no answer, in LINE's words."""
    opened: Mapped[int | None]
    """People who saw at least one bubble."""
    clicked: Mapped[int | None]
    """People who opened any address in it."""
    played: Mapped[int | None]
    """People who began any video or audio in it."""
    played_through: Mapped[int | None]
    bubbles: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """LINE's `messages`, as `hiiki.line.insight.Bubble`."""
    links: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """LINE's `clicks`, as `hiiki.line.insight.LinkClicks`."""


class Budget(Base, Owned):
    """How many requests a channel may make to an endpoint just now (`hiiki.delivery.budget`)."""

    __tablename__ = "budget"
    __table_args__ = ({"schema": "delivery"},)

    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), primary_key=True
    )
    method: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[float]
    """Requests it held at `filled_at`."""
    filled_at: Mapped[datetime]
    """From when it fills again; in the future after LINE's 429."""


class Guard(Base, Owned):
    """How much, and when, an account may send unasked. An account without a row has no limits."""

    __tablename__ = "guard"
    __table_args__ = (
        CheckConstraint("(quiet_from is null) = (quiet_to is null)", name="quiet"),
        {"schema": "delivery"},
    )

    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspace.channel.id", ondelete="CASCADE"), primary_key=True
    )
    day_cap: Mapped[int | None]
    """Sends a contact may get on one day of the workspace's calendar; NULL: any number."""
    week_cap: Mapped[int | None]
    """The same for that day and the six days before it."""
    quiet_from: Mapped[time | None]
    """By the clock of the workspace's time zone; may be later than `quiet_to`, over midnight."""
    quiet_to: Mapped[time | None]
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Topic(Base, Identified, Owned):
    """A kind of message of the shop's own, such as news or reminders, which people may decline."""

    __tablename__ = "topic"
    __table_args__ = (
        Index("uq_topic_name", "workspace_id", "name", unique=True),
        {"schema": "delivery"},
    )

    name: Mapped[str]


class OptOut(Base, Owned):
    """That a contact does not want messages of a topic."""

    __tablename__ = "opt_out"
    __table_args__ = (Index(None, "topic_id", "contact_id"), {"schema": "delivery"})

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    topic_id: Mapped[UUID] = mapped_column(
        ForeignKey("delivery.topic.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now)


class LeftOut(Base, OwnedInBulk):
    """Up to 500 people whom a send was meant for, but did not go to, all for one reason.

    As arrays, as in parcels: to write a row for each would cost more than sending to them.
    """

    __tablename__ = "left_out"
    __table_args__ = (
        CheckConstraint("reason in ('blocked', 'opted_out', 'capped', 'quota')", name="reason"),
        {"schema": "delivery"},
    )

    send_id: Mapped[UUID] = mapped_column(
        ForeignKey("delivery.send.id", ondelete="CASCADE"), primary_key=True
    )
    reason: Mapped[str] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
