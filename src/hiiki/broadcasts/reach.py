"""Whom a broadcast would reach now, what that costs, and whether it may go out."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession
from hiiki.delivery import forecast as forecasts
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.segments import service as segments
from hiiki.workspace.models import Channel


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whom a broadcast would reach now, and what that costs."""

    recipients: int
    """Members of the segment who follow the account and whom nothing leaves out."""
    friends: int
    """Members who follow the account, with those who are left out."""
    members: int
    """Members, whether or not they can be reached."""
    everybody: int
    """All who follow the account."""
    forecast: forecasts.Forecast


async def outlook(
    session: WorkspaceSession,
    channel_id: UUID,
    segment_id: UUID | None,
    *,
    topic_id: UUID | None = None,
    must_go: bool = False,
    up_to_quota: bool = False,
) -> Outlook:
    """Return reach and cost; raises `NotFound`, or `Invalid` for a broken segment."""
    channel = await session.one(Channel, channel_id)
    friends = int(
        await session.scalar(
            select(func.count())
            .select_from(Friendship)
            .where(Friendship.channel_id == channel_id, Friendship.status == "following")
        )
        or 0
    )
    if segment_id is None:
        members = meant = friends
    else:
        found = await segments.count_segment(session, segment_id, channel_id)
        members, meant = found.members, found.reachable
    forecast = await forecasts.forecast(
        session,
        channel,
        meant,
        friends,
        audience=await segments.audience(session, segment_id),
        topic_id=topic_id,
        must_go=must_go,
        up_to_quota=up_to_quota,
    )
    return Outlook(forecast.messages, meant, members, friends, forecast)


def check_reach(reach: Outlook, *, minds_quota: bool = True) -> None:
    """Raise `Invalid` when it would reach nobody, or (`minds_quota`) goes over the quota."""
    found = reach.forecast
    if minds_quota and found.over_quota:
        needed = found.messages if found.messages else found.beyond_quota
        raise over_quota(forecasts.OverQuota(needed, found.quota.left or 0))
    if reach.recipients == 0 and not (found.beyond_quota and not minds_quota):
        raise nobody(reach.friends > 0)


def over_quota(error: forecasts.OverQuota) -> Invalid:
    """Return the same refusal, at the field where fewer people can be chosen."""
    return Invalid(fields={"segment_id": error.message})


def nobody(left_out: bool) -> Invalid:
    """Return the refusal of what nobody would get; `left_out`: for all are left out."""
    if left_out:
        return Invalid(
            fields={
                "segment_id": _(
                    "Nobody would receive this: all friends it is meant for have received enough, "
                    "or decline this kind of message."
                )
            }
        )
    return Invalid(
        fields={
            "segment_id": _(
                "Nobody would receive this: no friend of the account is in the segment."
            )
        }
    )
