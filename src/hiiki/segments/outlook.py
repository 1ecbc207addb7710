"""What a rule comes to: how many, what share of all friends, and what a message to them costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession
from hiiki.kit.road import road
from hiiki.segments import service
from hiiki.segments.rules import AnyRule
from hiiki.workspace.models import Channel


@dataclass(frozen=True, slots=True)
class Outlook:
    """The figures beside the builder."""

    members: int
    reachable: int
    """Members who follow the account; without one, who follow any."""
    everybody: int
    """All who follow the account; without one, who follow any."""
    forecast: Any
    """`hiiki.delivery.forecast.Forecast`, or None where there is no account to send from."""


async def outlook(
    session: WorkspaceSession, rule: AnyRule, channel_id: UUID | None = None
) -> Outlook:
    """Count a rule's members, and say what one message to them costs on this account.

    Where the workspace has one account only, it is that one. Raises `NotFound` for an account
    that is not here.
    """
    if channel_id is None:
        found = list(await session.scalars(select(Channel).limit(2)))
        channel = found[0] if len(found) == 1 else None
    else:
        channel = await session.one(Channel, channel_id)
    counted = await service.count(session, rule, channel.id if channel else None)
    friends = select(func.count(Friendship.contact_id.distinct())).where(
        Friendship.status == "following"
    )
    if channel is not None:
        # A person follows an account once: nothing has to be made distinct.
        friends = (
            select(func.count())
            .select_from(Friendship)
            .where(Friendship.channel_id == channel.id, Friendship.status == "following")
        )
    everybody = int(await session.scalar(friends) or 0)
    forecast = None
    if channel is not None:
        forecast = await road().forecast(session, channel, counted.reachable, everybody)
    return Outlook(counted.members, counted.reachable, everybody, forecast)
