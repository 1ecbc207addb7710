"""Asking LINE what people did with our sends, within the questions that it takes.

LINE goes on counting for 14 days after a message was sent, and takes 60 questions an hour
for an account ("Get statistics per unit"). So a send is asked about when it is half an hour
old, then whenever its age has doubled, then daily, and last when its figures are final.

The figures are totals and take the place of what was known before: to ask twice counts
nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, select, text

from hiiki.db import everywhere, scope
from hiiki.delivery.models import InsightAccount, Interaction, Send
from hiiki.delivery.sql import BY_HAND
from hiiki.delivery.units import FIRST_LOOK, ensure_account
from hiiki.jobs.keep import pause
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, HiikiError, Unavailable
from hiiki.kit.i18n import _
from hiiki.line.client import LineError
from hiiki.line.insight import UnitStatistics
from hiiki.line.limits import (
    INSIGHT_PER_HOUR,
    LINE_DAYS,
    STATISTICS_DAYS,
    STATISTICS_SPAN_DAYS,
)
from hiiki.workspace.channels import client_of
from hiiki.workspace.models import Channel

log = structlog.get_logger()

LOOK_SECONDS = 20.0
SPACING = timedelta(hours=1) / (INSIGHT_PER_HOUR - 10)
"""Between two questions of an account. Ten an hour are left to people who ask themselves."""
AHEAD = timedelta(minutes=10)
"""How far people who ask themselves may run ahead of that: eight questions."""
LATELY = timedelta(minutes=5)
"""LINE's figures do not change as fast as somebody can click."""
DAILY = timedelta(days=1)
SETTLES = timedelta(days=1)
"""LINE gives no figure for how long its own counting takes after the 14 days."""
AGAIN = timedelta(minutes=30)
"""After a question without an answer."""
LEASE = timedelta(minutes=5)
"""For so long a question that a worker has taken up is its own; then another may ask."""
NAMES_EVERY = timedelta(hours=1)
NAMES_LOOK_SECONDS = 600.0
MAX_WORDS = 500


async def keep_statistics(stop: asyncio.Event) -> None:
    """Ask LINE about sends, and about the month's names, until `stop`: a loop of the worker."""
    names_at = 0.0
    while not stop.is_set():
        if time.monotonic() >= names_at:
            await count_names()
            names_at = time.monotonic() + NAMES_LOOK_SECONDS
        while not stop.is_set() and await ask_next():
            pass
        await pause(stop, LOOK_SECONDS)


async def count_names() -> None:
    """Ask LINE how many names the month has had, for accounts where that is an hour old."""
    old = now() - NAMES_EVERY
    asked_at = InsightAccount.units_asked_at
    async with everywhere() as session:  # a worker serves all workspaces
        due = list(
            await session.scalars(
                select(Channel)
                .outerjoin(InsightAccount, InsightAccount.channel_id == Channel.id)
                .where(
                    Channel.is_active,
                    Channel.paused_reason.is_(None),
                    or_(asked_at.is_(None), asked_at < old),
                )
            )
        )
    for channel in due:
        at = now()
        try:
            used = await client_of(channel).units_used()
        except (HiikiError, LineError) as error:
            log.warning("insight.names", channel_id=str(channel.id), error=str(error))
            continue
        async with scope(channel.workspace_id) as session:
            if await session.get(Channel, channel.id) is None:
                continue  # it was deleted meanwhile
            await ensure_account(session, channel.workspace_id, channel.id)
            account = await session.one(InsightAccount, channel.id)
            account.units_used, account.units_asked_at = used, at


_TAKE = text(
    """
with account as materialized (
    select a.channel_id
    from delivery.insight_account a join workspace.channel c on c.id = a.channel_id
    where a.next_at <= :now and c.is_active and c.paused_reason is null
      and exists (select from delivery.interaction i
                  where i.channel_id = a.channel_id and i.next_at <= :now)
    limit 1
    for update of a skip locked
), due as materialized (
    select i.send_id from account join delivery.interaction i using (channel_id)
    where i.next_at <= :now
    order by i.next_at limit 1
    for update of i skip locked
), spent as (
    update delivery.insight_account a set next_at = :free_at
    from account where a.channel_id = account.channel_id
)
update delivery.interaction i set next_at = :lease_until
from due where i.send_id = due.send_id
returning i.workspace_id, i.send_id"""
)


async def ask_next() -> bool:
    """Ask LINE about one send whose turn it is; False when there is none."""
    at = now()
    given = {"now": at, "free_at": at + SPACING, "lease_until": at + LEASE}
    async with everywhere() as session:  # a worker serves all workspaces
        taken = (await session.execute(_TAKE, given, execution_options=BY_HAND)).one_or_none()
    if taken is None:
        return False
    try:
        await _ask(*taken)
    except HiikiError as error:
        log.warning("insight.ask", send_id=str(taken.send_id), error=str(error))
    return True


async def ask_now(workspace_id: UUID, send_id: UUID) -> None:
    """Ask LINE about a send because somebody wants to know now.

    In transactions of its own, for LINE may take its time. Raises `NotFound`; `Conflict` when
    there is nothing to ask, or too much has been asked; `Unavailable` when LINE does not tell.
    """
    async with scope(workspace_id) as session:
        send = await session.one(Send, send_id)
        row = await session.get(Interaction, send_id)
        account = await session.get(InsightAccount, send.channel_id, with_for_update=True)
        at = now()
        if row is None or account is None:
            raise Conflict(_("LINE keeps no figures of this message."))
        if row.next_at is None:
            raise Conflict(_("LINE's figures of this message are final: it counts for 14 days."))
        if row.asked_at is not None and at - row.asked_at < LATELY:
            raise Conflict(_("LINE was asked less than five minutes ago. Please wait a little."))
        if account.next_at > at + AHEAD:
            raise Conflict(
                _(
                    "LINE takes only %(n)s such questions an hour for an account. "
                    "Please try again in some minutes.",
                    n=INSIGHT_PER_HOUR,
                )
            )
        account.next_at = max(account.next_at, at) + SPACING
    await _ask(workspace_id, send_id)


async def _ask(workspace_id: UUID, send_id: UUID) -> None:
    """Ask LINE, and write down what it says; raises `Unavailable` when it says nothing."""
    async with scope(workspace_id) as session:
        send = await session.one(Send, send_id)
        channel = await session.one(Channel, send.channel_id)
    at = now()
    try:
        found = await client_of(channel).unit_statistics(send.unit or "", *days(send, at))
    except (HiikiError, LineError) as error:
        await _note_silence(workspace_id, send_id, at, error)
        why = error.message if isinstance(error, HiikiError) else str(error)
        raise Unavailable(
            _("LINE does not tell its figures at present (%(why)s). Please try again.", why=why)
        ) from error
    async with scope(workspace_id) as session:
        row = await session.get(Interaction, send_id, with_for_update=True)
        # The latest answer counts, also when two were on their way together.
        if row is not None and (row.asked_at is None or row.asked_at < at):
            _write(row, found, at)
            row.next_at = next_look(await session.one(Send, send_id), at)


def _write(row: Interaction, found: UnitStatistics, at: datetime) -> None:
    row.asked_at, row.error = at, None
    row.opened, row.clicked = found.opened, found.clicked
    row.played, row.played_through = found.played, found.played_through
    row.bubbles = [asdict(bubble) for bubble in found.bubbles]
    row.links = [asdict(link) for link in found.links]


async def _note_silence(
    workspace_id: UUID, send_id: UUID, at: datetime, error: HiikiError | LineError
) -> None:
    too_many = isinstance(error, LineError) and error.status == 429
    async with scope(workspace_id) as session:
        row = await session.get(Interaction, send_id, with_for_update=True)
        send = await session.get(Send, send_id)
        if row is None or send is None:
            return
        row.error = str(error).replace("\0", "")[:MAX_WORDS]
        row.next_at = at + AGAIN if next_look(send, at) else None
        if too_many:  # other tools ask, too
            account = await session.one(InsightAccount, row.channel_id)
            account.next_at = max(account.next_at, at + AGAIN)


def days(send: Send, at: datetime) -> tuple[date, date]:
    """Return LINE's days from when the send began until `at`, as far as LINE allows."""
    first = send.created_at.astimezone(LINE_DAYS).date()
    last = first + timedelta(days=STATISTICS_SPAN_DAYS)
    return first, min(last, at.astimezone(LINE_DAYS).date())


def next_look(send: Send, at: datetime) -> datetime | None:
    """Return when to ask about a send that was asked about at `at`; None: never again."""
    longest = send.created_at + timedelta(days=STATISTICS_SPAN_DAYS)
    last_sent = min(send.finished_at or at, longest)
    final = last_sent + timedelta(days=STATISTICS_DAYS) + SETTLES
    if at >= final:
        return None
    return min(at + min(max(at - send.created_at, FIRST_LOOK), DAILY), final)
