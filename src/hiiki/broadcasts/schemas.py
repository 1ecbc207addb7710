"""What people and programs send to, and get from, this room."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from hiiki.broadcasts.line_figures import LineFigures
from hiiki.broadcasts.models import Broadcast
from hiiki.content.draft import Draft, Sendable
from hiiki.kit.forms import Wrong

MAX_NAME = 100


def _none_if_blank(value: Any) -> Any:
    return None if value in ("", "all") else value


def _named(value: str) -> str:
    value = value.strip()
    if not value:
        raise Wrong("Please fill this in.")
    if len(value) > MAX_NAME:
        raise Wrong("Please shorten this to %(max_length)s characters.", max_length=MAX_NAME)
    return value


class BroadcastIn(BaseModel):
    """What staff decide of a broadcast."""

    name: Annotated[Sendable, AfterValidator(_named)]
    channel_id: UUID
    segment_id: Annotated[UUID | None, BeforeValidator(_none_if_blank)] = None
    """None (or "all") sends to every friend of the account."""
    topic_id: Annotated[UUID | None, BeforeValidator(_none_if_blank)] = None
    """What kind of message it is: who declines that kind is left out."""
    must_go: bool = False
    """Send it although the account's frequency cap or quiet hours would keep it."""
    up_to_quota: bool = False
    """When the month's messages do not suffice, send to as many as they do. Who was left out
    for this reason most often comes first, then who has been a friend longest."""
    draft: Draft


class BroadcastOut(BaseModel):
    """A broadcast as the API shows it."""

    id: UUID
    name: str
    channel_id: UUID
    segment_id: UUID | None
    topic_id: UUID | None
    must_go: bool
    up_to_quota: bool
    draft: dict[str, Any]
    state: str
    """draft, scheduled, sent or cancelled."""
    scheduled_at: datetime | None
    send_id: UUID | None
    problem: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, broadcast: Broadcast) -> BroadcastOut:
        """Return `broadcast` as the API shows it."""
        return cls.model_validate(broadcast, from_attributes=True)


class BroadcastPage(BaseModel):
    """Broadcasts, newest first; `next` is the `before` of the next page."""

    items: list[BroadcastOut]
    next: UUID | None


class ScheduleIn(BaseModel):
    """When it is to go out; without a time zone it is the workspace's."""

    at: datetime


class TestIn(BaseModel):
    """Who gets it as a test."""

    contact_ids: Annotated[list[UUID], Field(min_length=1, max_length=10)]


class TestOut(BaseModel):
    """How many got the test."""

    sent: int


class ForecastOut(BaseModel):
    """Whom it would reach now, and what that costs (requirement C1)."""

    recipients: int
    """Friends who would get it."""
    opted_out: int
    """Friends who are left out, for they decline this kind of message."""
    capped: int
    """Friends who are left out, for they have received as much as the account's cap allows."""
    waits_until: datetime | None
    """The end of the quiet hours that would hold it now."""
    members: int
    everybody: int
    cost: Decimal
    """By how much the month's bill grows, in `currency`."""
    saved_messages: int
    saved_cost: Decimal
    currency: str
    """By ISO 4217: JPY, unless the server's price list says otherwise."""
    quota_limit: int | None
    """What LINE allows this month, in messages; None: no limit."""
    quota_used: int
    """LINE's figure of this month's messages, and what Hiiki has sent since LINE told it."""
    quota_reserved: int
    """What sends that are under way will still use."""
    quota_left_after: int | None
    over_quota: bool
    """It must not go out, for the month's messages do not suffice."""
    beyond_quota: int
    """Friends for whom they do not suffice: left out with `up_to_quota`, else nobody gets it."""


class LinkReport(BaseModel):
    """One tracked link of a broadcast."""

    link_id: UUID
    url: str
    label: str
    people: int
    opens: int


class Report(BaseModel):
    """What became of a broadcast. Everything counts people unless it says otherwise."""

    state: str
    sent_at: datetime | None
    targeted: int
    blocked: int
    """Left out: they had blocked the account."""
    opted_out: int
    """Left out: they decline this kind of message."""
    capped: int
    """Left out: they had received as much as the account's cap allows."""
    quota: int
    """Left out: the month's messages did not suffice for them."""
    accepted: int
    refused: int
    in_doubt: int
    cancelled: int
    waiting: int
    per_second: float
    """People a second, over the last five to ten seconds while it runs."""
    seconds_left: float | None
    pause_code: str | None
    """Why it paused by itself: quota, content, refused or errors; None when staff paused it."""
    pause_reason: str | None
    """What LINE said last about it, or why the whole account is paused."""
    clicked: int
    click_rate: float | None
    """Of those for whom LINE accepted it; None before the first."""
    opens: int
    """All openings of all links."""
    line: LineFigures | None
    """LINE's own count of who opened it; None before it has gone out."""
    links: list[LinkReport]
    coupons_issued: int
    coupons_used: int
    blocked_within_24h: int
    blocked_within_72h: int
    saved_messages: int
    """What sending to every friend would have cost more."""


class Recipient(BaseModel):
    """One person of a broadcast's frozen audience."""

    contact_id: UUID
    display_name: str
    state: str
    """ready, sending, accepted, refused, in_doubt or cancelled."""
    error: str | None
    clicked_at: datetime | None


class RecipientPage(BaseModel):
    """Recipients; `next` is the `after` of the next page."""

    items: list[Recipient]
    next: str | None
