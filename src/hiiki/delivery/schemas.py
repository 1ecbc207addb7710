"""What programs get about sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from hiiki.delivery.lists import Problem, Recipient
from hiiki.delivery.models import Send
from hiiki.delivery.service import progress_of
from hiiki.workspace.models import Channel


class SendOut(BaseModel):
    """A send and how far it is. Everything counts people."""

    id: UUID
    channel_id: UUID
    subject: str
    """What it is part of, such as `broadcast:<id>`."""
    messages: list[dict[str, Any]]
    personal: bool
    """Whether each recipient's message differs."""
    state: str
    """running, paused, done or cancelled."""
    pause_code: str | None
    """Why it paused by itself: quota, content, refused (too many people) or errors (too many
    requests without an answer); None when staff paused it."""
    pause_reason: str | None
    """What LINE said last about it."""
    pause_failed: int | None
    """With refused and errors: how many people were refused, or requests failed, ..."""
    pause_of: int | None
    """... of so many since the start or the last resume."""
    channel_paused_reason: str | None
    """Why nothing at all is sent from the account, such as a token that LINE does not take."""
    created_at: datetime
    finished_at: datetime | None
    targeted: int
    blocked: int
    """How many more were meant, but had blocked the account."""
    opted_out: int
    """How many more were meant, but decline this kind of message."""
    capped: int
    """How many more were meant, but had received as much as the account's cap allows."""
    quota: int
    """How many more were meant, but the month's messages did not suffice for them."""
    topic_id: UUID | None
    """What kind of message it is."""
    must_go: bool
    """Whether it goes out although the frequency cap or quiet hours would keep it."""
    accepted: int
    refused: int
    in_doubt: int
    cancelled: int
    waiting: int
    per_second: float
    """People a second, over the last five to ten seconds while it runs."""
    seconds_left: float | None


class SendList(BaseModel):
    """A page of sends, latest first."""

    items: list[SendOut]
    next: str | None
    """Give it as `after` to get the next page."""


class RecipientOut(BaseModel):
    """One of a send's people."""

    contact_id: UUID
    state: str
    """ready, sending, accepted, refused, in_doubt or cancelled."""
    method: str
    """push or multicast."""
    settled_at: datetime | None
    error: str | None
    """What LINE said, or that it said nothing."""
    request_id: str | None
    """LINE's x-line-request-id, for its support."""


class RecipientList(BaseModel):
    """A page of a frozen audience."""

    items: list[RecipientOut]
    next: str | None
    """Give it as `after` to get the next page."""


class UndeliveredOut(BaseModel):
    """A request that LINE refused, or of which nobody knows whether it was done."""

    id: UUID
    send_id: UUID | None
    """None for what was said to one person in passing."""
    channel_id: UUID
    contact_ids: list[UUID]
    subject: str
    method: str
    state: str
    """refused or in_doubt."""
    error: str | None
    request_id: str | None
    settled_at: datetime | None
    messages: list[dict[str, Any]]


class UndeliveredList(BaseModel):
    """A page of what did not arrive, latest first."""

    items: list[UndeliveredOut]
    next: str | None
    """Give it as `after` to get the next page."""


def send_out(send: Send, channel: Channel) -> SendOut:
    """Return a send as the API gives it."""
    progress = progress_of(send, channel)
    return SendOut(
        id=send.id,
        channel_id=send.channel_id,
        subject=send.subject,
        messages=send.messages,
        personal=send.personal,
        state=progress.state,
        pause_code=progress.pause_code,
        pause_reason=progress.pause_reason,
        pause_failed=progress.pause_failed,
        pause_of=progress.pause_of,
        channel_paused_reason=progress.channel_paused_reason,
        created_at=send.created_at,
        finished_at=send.finished_at,
        targeted=progress.targeted,
        blocked=progress.blocked,
        opted_out=progress.opted_out,
        capped=progress.capped,
        quota=progress.quota,
        topic_id=send.topic_id,
        must_go=send.must_go,
        accepted=progress.accepted,
        refused=progress.refused,
        in_doubt=progress.in_doubt,
        cancelled=progress.cancelled,
        waiting=progress.waiting,
        per_second=progress.per_second,
        seconds_left=progress.seconds_left,
    )


def recipient_out(recipient: Recipient) -> RecipientOut:
    """Return one of a send's people as the API gives them."""
    return RecipientOut.model_validate(recipient, from_attributes=True)


def undelivered_out(problem: Problem) -> UndeliveredOut:
    """Return what did not arrive as the API gives it."""
    names = UndeliveredOut.model_fields.keys() - {"messages"}
    return UndeliveredOut(
        **{name: getattr(problem.parcel, name) for name in names}, messages=problem.messages
    )
