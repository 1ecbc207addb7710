"""What a send costs, saves and leaves of the month's messages, before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from hiiki.db import WorkspaceSession
from hiiki.delivery import guards
from hiiki.delivery.models import Parcel, Send
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, NotFound
from hiiki.kit.i18n import _
from hiiki.line.prices import plan_of, price
from hiiki.workspace.models import Channel


class OverQuota(Conflict):
    """A send needs more messages than the month has left."""

    code = "over_quota"

    def __init__(self, needed: int, left: int) -> None:
        super().__init__(
            _(
                "This needs %(needed)s messages, but only %(left)s are left of this month's "
                "quota. Choose fewer people, or a larger plan at LINE.",
                needed=f"{needed:,}",
                left=f"{max(0, left):,}",
            )
        )


@dataclass(frozen=True, slots=True)
class Quota:
    """What an account may send this month, in messages."""

    limit: int | None
    """LINE's own figure, or the plan's messages when LINE was never asked; None: no limit."""
    used: int
    """LINE's figure, and what was sent since."""
    reserved: int
    """What is under way and will still use some."""

    @property
    def left(self) -> int | None:
        """What nothing has a claim to; below zero when others have sent; None without a limit."""
        return None if self.limit is None else self.limit - self.used - self.reserved


async def quota_of(session: WorkspaceSession, channel_id: UUID) -> Quota:
    """Return what an account may send this month; raises `NotFound`.

    One statement: what a worker writes down while we look moves from `reserved` to `used` at
    once, and must not be missed by both.
    """
    settled = Send.accepted + Send.refused + Send.in_doubt + Send.cancelled
    bulk = (
        select(func.coalesce(func.sum(Send.targeted - settled), 0))
        .where(Send.channel_id == channel_id, Send.state.in_(("running", "paused")))
        .scalar_subquery()
    )
    said = (
        select(func.count())
        .select_from(Parcel)
        .where(
            Parcel.channel_id == channel_id,
            Parcel.send_id.is_(None),
            Parcel.state.in_(("ready", "sending")),
            Parcel.method == "push",
        )
        .scalar_subquery()
    )
    found = await session.execute(
        select(Channel, bulk + said)
        .where(Channel.id == channel_id)
        .execution_options(populate_existing=True)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound()
    channel, reserved = row
    return Quota(_limit(channel), channel.messages_used, int(reserved))


def _limit(channel: Channel) -> int | None:
    if channel.quota_limit is not None or channel.quota_checked_at is not None:
        return channel.quota_limit  # LINE's word; NULL says that there is no limit
    plan = plan_of(channel.plan)
    return None if plan.sells_extra else plan.included


@dataclass(frozen=True, slots=True)
class Forecast:
    """What sending to `messages` people would cost, and save against sending to everybody.

    LINE counts recipients, not message objects ("Messaging API pricing").
    """

    messages: int
    cost: Decimal
    """By how much the month's bill grows; what the plan includes costs nothing more."""
    saved_messages: int
    saved_cost: Decimal
    quota: Quota
    quota_left_after: int | None
    """Below zero when it does not suffice; None without a limit."""
    over_quota: bool
    """True when it must not go out, for it does not suffice."""
    beyond_quota: int
    """Friends who were meant, but for whom the month's messages do not suffice.

    Not among `messages` when the send takes as many as it may; else nothing is sent at all.
    """
    opted_out: int
    """Friends who were meant, but decline this kind of message; not among `messages`."""
    capped: int
    """Friends who were meant, but have had as much as the account's cap allows; likewise."""
    waits_until: datetime | None
    """The end of the quiet hours that would hold it now; None when it would go out at once."""


async def forecast(
    session: WorkspaceSession,
    channel: Channel,
    recipients: int,
    everybody: int,
    *,
    audience: guards.Audience | None = None,
    topic_id: UUID | None = None,
    must_go: bool = False,
    up_to_quota: bool = False,
) -> Forecast:
    """Return what sending to `recipients` of `everybody` costs and leaves (requirement C1).

    With an `audience`, those whom the guards would leave out of it now are taken off; with
    `up_to_quota`, those for whom the month's messages do not suffice.
    """
    left_out: Mapping[str, int] = {}
    if audience is not None:
        left_out = await guards.count_left_out(
            session, channel.id, audience, topic_id=topic_id, must_go=must_go
        )
        recipients = max(0, recipients - sum(left_out.values()))
    waits_until = None
    if not must_go:
        waits_until = (await guards.limits(session, channel.id)).waits_until(now())
    quota = await quota_of(session, channel.id)
    room = recipients if quota.left is None else max(0, min(recipients, quota.left))
    beyond = recipients - room
    messages = room if up_to_quota else recipients
    used = quota.used + quota.reserved
    cost = price(channel.plan, used, messages)
    return Forecast(
        messages=messages,
        cost=cost,
        saved_messages=max(0, everybody - messages),
        saved_cost=max(Decimal(0), price(channel.plan, used, everybody) - cost),
        quota=quota,
        quota_left_after=None if quota.left is None else quota.left - messages,
        over_quota=beyond > 0 and (room == 0 or not up_to_quota),
        beyond_quota=beyond,
        opted_out=left_out.get("opted_out", 0),
        capped=left_out.get("capped", 0),
        waits_until=waits_until,
    )
