"""Which channel a webhook address belongs to, and the secret its bodies are signed with.

LINE posts thousands of bodies to the same address: the answer is kept for a while in
this process. A secret that has been renewed meanwhile shows as a signature that does
not fit, and then the database is asked again, so nobody waits for the cache.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import exists, select

from hiiki.db import everywhere
from hiiki.ingest.relay.models import RelayTarget
from hiiki.line.signature import verify
from hiiki.workspace.channels import credentials
from hiiki.workspace.models import Channel

KEPT_SECONDS = 30.0
RELAYS_NOTHING_SECONDS = 5.0
"""How long it is believed that a channel relays nothing: what comes after its first target was
added, and before a process knows of it, is never relayed."""
ASKED_AGAIN_SECONDS = 1.0
"""Wrong signatures (which anybody may send) cost at most one query a second and channel."""
KEPT_AT_MOST = 10_000
STRANGERS = 2
"""Unknown addresses looked up at a time. Anybody may post to one: they must not use up the
database connections of those that are known."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a webhook leads, and its key."""

    channel_id: UUID
    workspace_id: UUID
    secret: str = field(repr=False)
    relays: bool
    """True when its bodies go to other tools too."""
    read_at: float
    """`time.monotonic()` when the database was asked."""


_doors: dict[str, Door] = {}
_at_the_gate: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def find_door(webhook_key: str, *, younger_than: float = KEPT_SECONDS) -> Door | None:
    """Return the active channel behind a webhook's address, or None when there is none."""
    door = _doors.get(webhook_key)
    if door is None:
        async with _strangers():
            # Many may have waited here for the same answer.
            return _doors.get(webhook_key) or await _ask(webhook_key)
    kept = younger_than if door.relays else min(younger_than, RELAYS_NOTHING_SECONDS)
    if time.monotonic() - door.read_at < kept:
        return door
    return await _ask(webhook_key)


def _strangers() -> asyncio.Semaphore:
    """Return what the look-ups of addresses that this process does not know pass through."""
    loop = asyncio.get_running_loop()
    if loop not in _at_the_gate:
        _at_the_gate[loop] = asyncio.Semaphore(STRANGERS)
    return _at_the_gate[loop]


async def _ask(webhook_key: str) -> Door | None:
    # LINE knows an address and no workspace: this is where the workspace is found out.
    async with everywhere() as session:
        relays = exists().where(RelayTarget.channel_id == Channel.id)
        found = await session.execute(
            select(Channel, relays).where(Channel.webhook_key == webhook_key, Channel.is_active)
        )
        row = found.one_or_none()
    if row is None:
        _doors.pop(webhook_key, None)
        return None
    channel, has_targets = row.tuple()
    if len(_doors) >= KEPT_AT_MOST:
        _doors.clear()
    door = _doors[webhook_key] = Door(
        channel.id,
        channel.workspace_id,
        credentials(channel).secret,
        has_targets,
        time.monotonic(),
    )
    return door


async def is_signed(door: Door, webhook_key: str, body: bytes, signature: str | None) -> bool:
    """True when LINE signed the raw `body` with the channel's present secret."""
    if verify(door.secret, body, signature):
        return True
    if not signature:
        return False
    fresh = await find_door(webhook_key, younger_than=ASKED_AGAIN_SECONDS)
    return (
        fresh is not None and fresh.secret != door.secret and verify(fresh.secret, body, signature)
    )


def forget_doors() -> None:
    """Empty the cache, for tests."""
    _doors.clear()
