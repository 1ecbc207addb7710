"""Names and pictures: asks LINE for the profiles of people who are new.

A part of the worker. Contacts say when they are due (`profile_due_at`); a batch is
claimed by moving that moment ahead, LINE is asked outside any transaction, and the
answers are written in one statement. A worker that dies leaves a claim that runs out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, text, update

from hiiki.contacts.models import Contact, Friendship
from hiiki.contacts.values import plain
from hiiki.db import WorkspaceSession, everywhere
from hiiki.db.locking import lockable
from hiiki.kit.clock import now
from hiiki.kit.errors import HiikiError
from hiiki.line.client import LineClient, LineError, Profile
from hiiki.workspace.channels import client_of
from hiiki.workspace.models import Channel

log = structlog.get_logger()

BATCH = 200
AT_ONCE = 50
"""Requests in flight: far below LINE's 2,000 a second, and kind to the console beside it."""
CLAIM = timedelta(minutes=2)
SOON = timedelta(minutes=1)
"""When LINE is asked again after it did not answer, or was asked too often."""
LATER = timedelta(hours=1)
"""When it is asked again after it refused the channel's token."""
IDLE_SECONDS = 1.0
NAME_LIMIT = 200

_SAVE = text(
    """
    update contacts.contact as c
    set display_name = coalesce(v.display_name, c.display_name),
        picture_url = case when v.known then v.picture_url else c.picture_url end,
        language = coalesce(v.language, c.language),
        profile_at = coalesce(v.profile_at, c.profile_at),
        profile_due_at = v.due_at,
        updated_at = :moment
    from unnest(
        cast(:ids as uuid[]), cast(:names as text[]), cast(:pictures as text[]),
        cast(:languages as text[]), cast(:known as bool[]),
        cast(:profile_ats as timestamptz[]), cast(:due_ats as timestamptz[])
    ) as v(id, display_name, picture_url, language, known, profile_at, due_at)
    where c.id = v.id
    """
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of asking for one person."""

    contact_id: UUID
    profile: Profile | None = None
    again: timedelta | None = None
    """When to ask again; None when the answer is final."""


async def run(stop: asyncio.Event) -> None:
    """Fetch profiles until `stop` is set."""
    while not stop.is_set():
        try:
            found = await fetch_due()
        except Exception:
            # The database may be away for a moment: this loop must outlive that.
            log.exception("profiles.failed")
            found = 0
        if found == 0:
            try:
                await asyncio.wait_for(stop.wait(), IDLE_SECONDS)
            except TimeoutError:
                continue


async def fetch_due(limit: int = BATCH) -> int:
    """Ask LINE for up to `limit` profiles that are due; returns for how many it was asked."""
    moment = now()
    # Every workspace's people are in this queue, which belongs to the installation.
    async with everywhere() as session:
        claimed = await _claim(session, moment, limit)
        if not claimed:
            return 0
        rows = await session.execute(
            select(Friendship.contact_id, Friendship.line_user_id, Channel)
            .join(Channel, Channel.id == Friendship.channel_id)
            .where(Friendship.contact_id.in_(claimed), Channel.is_active.is_(True))
            # LINE gives no profile of who has blocked the account: of a person's rows the last
            # stays below, which is where they follow ("blocked" < "following") and were seen last.
            .order_by(Friendship.status, Friendship.last_seen_at.asc().nulls_first())
        )
        where = {ident: (user, channel) for ident, user, channel in rows}
    clients = _clients({channel.id: channel for _, channel in where.values()}.values())
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(contact_id: UUID) -> _Asked:
        if contact_id not in where:
            return _Asked(contact_id)
        user, channel = where[contact_id]
        client = clients.get(channel.id)
        if client is None:
            return _Asked(contact_id, again=LATER)
        async with gate:
            return await _ask(client, contact_id, user)

    asked = await asyncio.gather(*(ask(contact_id) for contact_id in claimed))
    await _save(asked, now())
    return len(asked)


def _clients(channels: Iterable[Channel]) -> dict[UUID, LineClient]:
    found: dict[UUID, LineClient] = {}
    for channel in channels:
        try:
            found[channel.id] = client_of(channel)
        except HiikiError:
            log.warning("profiles.no_token", channel_id=str(channel.id))
    return found


async def _ask(client: LineClient, contact_id: UUID, line_user_id: str) -> _Asked:
    try:
        return _Asked(contact_id, profile=await client.profile(line_user_id))
    except LineError as error:
        if error.status in (401, 403):
            log.warning("profiles.refused", status=error.status)
            return _Asked(contact_id, again=LATER)
        if error.is_permanent:
            return _Asked(contact_id)  # blocked, or gone from LINE
        return _Asked(contact_id, again=SOON)
    except Exception:
        # One answer that cannot be read must not cost the others theirs.
        log.exception("profiles.unreadable")
        return _Asked(contact_id, again=LATER)


async def _claim(session: WorkspaceSession, moment: datetime, limit: int) -> set[UUID]:
    """Take people whose profile is due; whom another worker takes just now is left to it."""
    is_due = Contact.profile_due_at <= moment
    due = select(Contact.id).where(is_due).order_by(Contact.profile_due_at).limit(limit)
    claimed: set[UUID] = set()
    for part in await lockable(session, await session.scalars(due)):
        claimed |= set(
            await session.scalars(
                select(Contact.id)
                .where(is_due, Contact.id.in_(part))
                .with_for_update(skip_locked=True)
            )
        )
    if claimed:
        await session.execute(
            update(Contact)
            .where(Contact.id.in_(claimed))
            .values(profile_due_at=moment + CLAIM)
            .execution_options(synchronize_session=False)
        )
    return claimed


async def _save(asked: Iterable[_Asked], moment: datetime) -> None:
    rows = [
        (
            each.contact_id,
            plain(each.profile.display_name)[:NAME_LIMIT] if each.profile else None,
            _web_address(each.profile.picture_url) if each.profile else None,
            each.profile.language if each.profile else None,
            each.profile is not None,
            moment if each.again is None else None,
            moment + each.again if each.again else None,
        )
        for each in asked
    ]
    names = ("ids", "names", "pictures", "languages", "known", "profile_ats", "due_ats")
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    async with everywhere() as session:  # one statement for people of any workspace
        # Locked in the order in which webhooks' people are, or two may wait for each other.
        for part in await lockable(session, [each.contact_id for each in asked]):
            await session.execute(
                select(Contact.id)
                .where(Contact.id.in_(part))
                .order_by(Contact.id)
                .with_for_update(key_share=True)
            )
        await session.execute(
            _SAVE, {**columns, "moment": moment}, execution_options={"scoped_by_hand": True}
        )


def _web_address(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None
