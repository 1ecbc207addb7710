"""Webhook events are not kept for ever: people's words are in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from procrastinate import Blueprint
from sqlalchemy import Select, delete, exists, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from hiiki.db import Base, everywhere, scope
from hiiki.ingest.models import WebhookEvent
from hiiki.ingest.relay.models import RelayBody, RelayDelivery
from hiiki.kit.clock import now
from hiiki.workspace.models import Workspace

log = structlog.get_logger()

tasks = Blueprint()
KEPT_FOR = timedelta(days=30)
"""LINE delivers again within hours at most; until then an event's id must be remembered."""
AT_ONCE = 5_000


@tasks.periodic(cron="17 * * * *")
@tasks.task(name="forget_old_events", queueing_lock="ingest:forget_old_events")
async def forget_old_events(timestamp: int) -> None:
    """Delete what was handled, or dismissed, a month ago. What it told is on the timelines."""
    # How long they are kept is the same for everybody; but the index that finds what is old
    # begins with the workspace.
    async with everywhere() as session:
        workspaces = list(await session.scalars(select(Workspace.id)))
    deleted = sum([await _forget_events_of(workspace_id) for workspace_id in workspaces])
    log.info("ingest.forgot", events=deleted)


async def _forget_events_of(workspace_id: UUID) -> int:
    forgotten, deleted = 0, AT_ONCE
    while deleted == AT_ONCE:
        async with scope(workspace_id) as session:
            old = (
                select(WebhookEvent.channel_id, WebhookEvent.event_id)
                .where(
                    WebhookEvent.state.in_(("handled", "dismissed")),
                    WebhookEvent.received_at < now() - KEPT_FOR,
                )
                .order_by(WebhookEvent.received_at)
                .limit(AT_ONCE)
            )
            done = await session.execute(
                delete(WebhookEvent)
                .where(tuple_(WebhookEvent.channel_id, WebhookEvent.event_id).in_(old))
                .returning(WebhookEvent.event_id)
            )
            deleted = len(done.all())
            forgotten += deleted
    return forgotten


RELAYED_KEPT_FOR = timedelta(days=7)
"""How long staff see what was relayed, and may run again what was given up."""


@tasks.periodic(cron="47 * * * *")
@tasks.task(name="forget_relayed", queueing_lock="ingest:forget_relayed")
async def forget_relayed(timestamp: int) -> None:
    """Delete what was relayed or given up a week ago, and the bodies nobody waits for."""
    settled = (
        select(RelayDelivery.serial)
        .where(
            RelayDelivery.state != "waiting", RelayDelivery.settled_at < now() - RELAYED_KEPT_FOR
        )
        .order_by(RelayDelivery.settled_at)
    )
    await _delete_in_rounds(RelayDelivery, RelayDelivery.serial, settled)
    unwanted = select(RelayBody.id).where(~exists().where(RelayDelivery.body_id == RelayBody.id))
    await _delete_in_rounds(RelayBody, RelayBody.id, unwanted)


async def _delete_in_rounds(
    model: type[Base], key: InstrumentedAttribute[Any], found: Select[Any]
) -> None:
    """Delete these rows, so few in one transaction that nobody waits for it."""
    deleted = AT_ONCE
    while deleted == AT_ONCE:
        # All workspaces' together: how long they are kept is the same for everybody.
        async with everywhere() as session:
            done = await session.execute(
                delete(model).where(key.in_(found.limit(AT_ONCE))).returning(key)
            )
            deleted = len(done.all())
