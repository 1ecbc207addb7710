"""Webhook events are not kept for ever: people's words are in them."""

from __future__ import annotations

from datetime import timedelta

import structlog
from procrastinate import Blueprint
from sqlalchemy import delete, exists, select, tuple_

from hiiki.db import everywhere
from hiiki.ingest.models import WebhookEvent
from hiiki.ingest.relay.models import RelayBody, RelayDelivery
from hiiki.kit.clock import now

log = structlog.get_logger()

tasks = Blueprint()
KEPT_FOR = timedelta(days=30)
"""LINE delivers again within hours at most; until then an event's id must be remembered."""
AT_ONCE = 5_000


@tasks.periodic(cron="17 * * * *")
@tasks.task(name="forget_old_events", queueing_lock="ingest:forget_old_events")
async def forget_old_events(timestamp: int) -> None:
    """Delete what was handled, or dismissed, a month ago. What it told is on the timelines."""
    deleted = AT_ONCE
    while deleted == AT_ONCE:
        # All workspaces' together: how long they are kept is the same for everybody.
        async with everywhere() as session:
            old = (
                select(WebhookEvent.channel_id, WebhookEvent.event_id)
                .where(
                    WebhookEvent.state.in_(("handled", "dismissed")),
                    WebhookEvent.received_at < now() - KEPT_FOR,
                )
                .limit(AT_ONCE)
            )
            done = await session.execute(
                delete(WebhookEvent)
                .where(tuple_(WebhookEvent.channel_id, WebhookEvent.event_id).in_(old))
                .returning(WebhookEvent.event_id)
            )
            deleted = len(done.all())
        log.info("ingest.forgot", events=deleted)


RELAYED_KEPT_FOR = timedelta(days=7)
"""How long staff see what was relayed, and may run again what was given up."""


@tasks.periodic(cron="47 * * * *")
@tasks.task(name="forget_relayed", queueing_lock="ingest:forget_relayed")
async def forget_relayed(timestamp: int) -> None:
    """Delete what was relayed or given up a week ago, and the bodies nobody waits for."""
    # All workspaces' together, as above.
    async with everywhere() as session:
        await session.execute(
            delete(RelayDelivery).where(
                RelayDelivery.state != "waiting",
                RelayDelivery.settled_at < now() - RELAYED_KEPT_FOR,
            )
        )
        await session.execute(
            delete(RelayBody).where(~exists().where(RelayDelivery.body_id == RelayBody.id))
        )
