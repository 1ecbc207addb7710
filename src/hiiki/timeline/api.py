"""`/api/v1/friends/…/timeline`, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import get
from litestar.params import Parameter
from pydantic import BaseModel

from hiiki.contacts.models import Contact
from hiiki.contacts.values import jsonable, plain
from hiiki.db import WorkspaceSession
from hiiki.timeline.service import of_contact


class EventOut(BaseModel):
    """One thing that happened."""

    id: UUID
    at: datetime
    kind: str
    channel_id: UUID | None
    subject: str
    """What it was about: the id of a survey, question, link, coupon, …"""
    value: int | float | None
    data: dict[str, Any]


@get(
    "/friends/{contact_id:uuid}/timeline",
    operation_id="ListFriendEvents",
    tags=["friends"],
)
async def list_events(
    contact_id: UUID,
    session: WorkspaceSession,
    kind: list[str] | None = None,
    before: datetime | None = None,
    before_id: UUID | None = None,
    limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
) -> list[EventOut]:
    """Return a friend's events, the newest first.

    To page on, give `at` and `id` of the last event as `before` and `before_id`.
    """
    await session.one(Contact, contact_id)
    events = await of_contact(
        session,
        contact_id,
        before=before,
        before_id=before_id,
        kinds=tuple(plain(each) for each in kind or ()),
        limit=limit,
    )
    return [
        EventOut(
            id=event.id,
            at=event.at,
            kind=event.kind,
            channel_id=event.channel_id,
            subject=event.subject,
            value=jsonable(event.value),
            data=event.data,
        )
        for event in events
    ]


HANDLERS = [list_events]
