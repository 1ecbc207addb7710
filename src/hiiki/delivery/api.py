"""`/api/v1/sends` and `/api/v1/undelivered`, for programs."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import get, post
from litestar.params import Parameter

from hiiki.db import WorkspaceSession
from hiiki.delivery import lists, service
from hiiki.delivery.models import Send
from hiiki.delivery.schemas import (
    RecipientList,
    SendList,
    SendOut,
    UndeliveredList,
    recipient_out,
    send_out,
    undelivered_out,
)
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

SENDS: dict[str, Any] = {"tags": ["sends"]}
SendState = Literal["running", "paused", "done", "cancelled"]
ParcelState = Literal["ready", "sending", "accepted", "refused", "in_doubt", "cancelled"]
Limit = Annotated[int, Parameter(ge=1, le=500)]


async def _out(session: WorkspaceSession, send: Send) -> SendOut:
    return send_out(send, await session.one(Channel, send.channel_id))


@get("/sends", operation_id="ListSends", **SENDS)
async def list_sends(
    session: WorkspaceSession,
    status: Annotated[SendState | None, Parameter(query="state")] = None,
    after: str = "",
    limit: Limit = lists.PAGE,
) -> SendList:
    """Return the latest sends."""
    found = await lists.sends(session, state=status or "", after=after, limit=limit)
    return SendList(items=[send_out(*each) for each in found.sends], next=found.next)


@get("/sends/{send_id:uuid}", operation_id="GetSend", **SENDS)
async def get_send(send_id: UUID, session: WorkspaceSession) -> SendOut:
    """Return a send and how far it is."""
    return await _out(session, await session.one(Send, send_id))


@get("/sends/{send_id:uuid}/recipients", operation_id="ListRecipients", **SENDS)
async def list_recipients(
    send_id: UUID,
    session: WorkspaceSession,
    status: Annotated[ParcelState | None, Parameter(query="state")] = None,
    after: str = "",
    limit: Limit = lists.PAGE,
) -> RecipientList:
    """Return whom a send was for, and what became of it."""
    found = await lists.recipients(session, send_id, state=status or "", after=after, limit=limit)
    return RecipientList(items=[recipient_out(each) for each in found.recipients], next=found.next)


@post("/sends/{send_id:uuid}/pause", operation_id="PauseSend", status_code=200, **SENDS)
async def pause_send(send_id: UUID, session: WorkspaceSession, access: Access) -> SendOut:
    """Hold a running send; what is with LINE at this moment finishes."""
    send = await service.pause(session, send_id)
    audit(session, access, "sends.pause", send_id)
    return await _out(session, send)


@post("/sends/{send_id:uuid}/resume", operation_id="ResumeSend", status_code=200, **SENDS)
async def resume_send(send_id: UUID, session: WorkspaceSession, access: Access) -> SendOut:
    """Go on with a paused send."""
    send = await service.resume(session, send_id)
    audit(session, access, "sends.resume", send_id)
    return await _out(session, send)


@post("/sends/{send_id:uuid}/cancel", operation_id="CancelSend", status_code=200, **SENDS)
async def cancel_send(send_id: UUID, session: WorkspaceSession, access: Access) -> SendOut:
    """Send no more of it, for good."""
    send = await service.cancel(session, send_id)
    audit(session, access, "sends.cancel", send_id)
    return await _out(session, send)


@get("/undelivered", operation_id="ListUndelivered", **SENDS)
async def list_undelivered(
    session: WorkspaceSession,
    status: Annotated[Literal["refused", "in_doubt"] | None, Parameter(query="state")] = None,
    send_id: UUID | None = None,
    after: str = "",
    limit: Limit = lists.PAGE,
) -> UndeliveredList:
    """Return what LINE refused, and what may or may not have arrived; of one send, or of all."""
    found = await lists.problems(
        session, state=status or "", send_id=send_id, after=after, limit=limit
    )
    return UndeliveredList(
        items=[undelivered_out(each) for each in found.problems], next=found.next
    )


HANDLERS = [
    list_sends,
    get_send,
    list_recipients,
    pause_send,
    resume_send,
    cancel_send,
    list_undelivered,
]
