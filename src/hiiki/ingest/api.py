"""`/api/v1/webhook-events`, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import get, post
from pydantic import BaseModel

from hiiki.db import WorkspaceSession
from hiiki.ingest import service
from hiiki.ingest.models import WebhookEvent
from hiiki.workspace.access import Access, audit

WEBHOOKS: dict[str, Any] = {"tags": ["webhooks"]}


class WebhookEventOut(BaseModel):
    """An event as LINE sent it, and what became of it."""

    channel_id: UUID
    event_id: str
    kind: str
    """LINE's `type`."""
    source_id: str
    at: datetime
    received_at: datetime
    state: str
    """waiting, handled, set_aside or dismissed."""
    attempts: int
    error: str | None
    handled_at: datetime | None
    payload: dict[str, Any]


class WebhookEventList(BaseModel):
    """A page of events, latest first."""

    items: list[WebhookEventOut]
    next: str | None
    """Give it as `after` to get the next page."""


def _out(event: WebhookEvent) -> WebhookEventOut:
    return WebhookEventOut.model_validate(event, from_attributes=True)


@get("/webhook-events", operation_id="ListWebhookEvents", **WEBHOOKS)
async def list_webhook_events(
    session: WorkspaceSession, kind: str = "", status: str = "", after: str = ""
) -> WebhookEventList:
    """Return the latest webhook events, 50 a page."""
    found = await service.list_events(session, kind=kind, status=status, after=after)
    return WebhookEventList(items=[_out(event) for event in found.events], next=found.next)


@get("/webhook-events/{channel_id:uuid}/{event_id:str}", operation_id="GetWebhookEvent", **WEBHOOKS)
async def get_webhook_event(
    channel_id: UUID, event_id: str, session: WorkspaceSession
) -> WebhookEventOut:
    """Return one webhook event."""
    return _out(await session.one(WebhookEvent, (channel_id, event_id)))


@post(
    "/webhook-events/{channel_id:uuid}/{event_id:str}/run",
    operation_id="RunWebhookEvent",
    status_code=200,
    **WEBHOOKS,
)
async def run_webhook_event(
    channel_id: UUID, event_id: str, session: WorkspaceSession, access: Access
) -> WebhookEventOut:
    """Let an event that was set aside be handled again."""
    event = await service.run_again(session, channel_id, event_id)
    audit(session, access, "webhooks.run_again", event_id)
    return _out(event)


@post(
    "/webhook-events/{channel_id:uuid}/{event_id:str}/dismiss",
    operation_id="DismissWebhookEvent",
    status_code=200,
    **WEBHOOKS,
)
async def dismiss_webhook_event(
    channel_id: UUID, event_id: str, session: WorkspaceSession, access: Access
) -> WebhookEventOut:
    """Leave an event that was set aside unhandled for good."""
    event = await service.dismiss(session, channel_id, event_id)
    audit(session, access, "webhooks.dismiss", event_id)
    return _out(event)


HANDLERS = [list_webhook_events, get_webhook_event, run_webhook_event, dismiss_webhook_event]
