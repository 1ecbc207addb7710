"""This month's messages: LINE's own figure, our count, and how the two are brought together.

LINE's figure takes in what others send on the account, but it comes only when asked for, and
LINE calls it approximate ("Get number of messages sent this month"). Our count is exact and
knows nothing of others. What is used up is LINE's figure, and what we have sent since.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, update

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.line.client import LineClient
from hiiki.line.limits import line_month
from hiiki.workspace.models import Channel


@dataclass(frozen=True, slots=True)
class Figures:
    """What LINE says of an account's month, in messages."""

    limit: int | None
    """None: there is none."""
    used: int


async def ask(client: LineClient) -> Figures:
    """Ask LINE what the month allows and has had; raises `LineError`."""
    return Figures(await client.quota(), await client.consumption())


async def take(session: WorkspaceSession, channel: Channel, figures: Figures, since: int) -> None:
    """Keep LINE's figures; `since` is our own count (`messages_own`) before LINE was asked.

    What was sent while LINE was being asked is added: it may be counted twice until the next
    time, but never not at all.
    """
    at = now()
    sent_meanwhile = case(
        (Channel.quota_own_month == line_month(at), Channel.quota_own - since), else_=0
    )
    await session.execute(
        update(Channel)
        .where(Channel.id == channel.id)
        .values(
            quota_limit=figures.limit,
            quota_reported=figures.used,
            quota_used=figures.used + sent_meanwhile,
            quota_own_then=since,
            quota_checked_at=at,
            quota_asked_at=at,
        )
        .execution_options(synchronize_session=False)
    )
    await session.refresh(channel)
