"""Console pages: what is being sent, and what did not arrive."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import get, post
from litestar.params import Parameter
from litestar.response import Redirect, Template

from hiiki.db import WorkspaceSession
from hiiki.delivery import guards, lists, service
from hiiki.delivery.models import Send
from hiiki.delivery.words import PARCEL_WORDS, SEND_WORDS, explain, gist, halt_of, time_left
from hiiki.kit.i18n import _
from hiiki.kit.pages import WebRequest, is_fragment, page, to
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

HOME = "/deliveries"


@get("/deliveries")
async def deliveries(
    request: WebRequest,
    session: WorkspaceSession,
    status: Annotated[str, Parameter(query="state")] = "",
    after: str = "",
) -> Template:
    """The sends, latest first; while one is running the list asks for itself anew."""
    found = await lists.sends(session, state=status, after=after)
    kept = {"state": status} if status in SEND_WORDS else {}
    return page(
        "delivery/_sends.html" if is_fragment(request) else "delivery/sends.html",
        rows=[_row(send, channel) for send, channel in found.sends],
        held=await guards.held(session, [send for send, _channel in found.sends]),
        is_moving=any(send.finished_at is None for send, _channel in found.sends),
        here=f"{HOME}?{urlencode({**kept, 'after': after})}",
        chosen=status,
        send_words=SEND_WORDS,
        before=f"{HOME}?{urlencode(kept)}" if after else "",
        after=f"{HOME}?{urlencode({**kept, 'after': found.next})}" if found.next else "",
    )


def _row(send: Send, channel: Channel) -> tuple[Any, ...]:
    stands = service.progress_of(send, channel)
    halt = halt_of(send.id, channel.id, stands)
    return send, channel, stands, gist(send.messages), halt, time_left(stands.seconds_left)


@get("/deliveries/undelivered")
async def undelivered(
    session: WorkspaceSession,
    status: Annotated[str, Parameter(query="state")] = "",
    send: UUID | None = None,
    after: str = "",
) -> Template:
    """What LINE refused, and what may or may not have arrived, with the reasons."""
    found = await lists.problems(session, state=status, send_id=send, after=after)
    base = f"{HOME}/undelivered"
    kept = {"state": status} if status in lists.PROBLEMS else {}
    if send is not None:
        kept["send"] = str(send)
    of = await session.one(Send, send) if send is not None else None
    return page(
        "delivery/undelivered.html",
        rows=[(problem, gist(problem.messages)) for problem in found.problems],
        chosen=status,
        of=of,
        of_words=gist(of.messages) if of else "",
        parcel_words=PARCEL_WORDS,
        problem_states=lists.PROBLEMS,
        explain=explain,
        before=f"{base}?{urlencode(kept)}" if after else "",
        after=f"{base}?{urlencode({**kept, 'after': found.next})}" if found.next else "",
    )


@post("/deliveries/{send_id:uuid}/pause")
async def pause(send_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Hold a running send."""
    await service.pause(session, send_id)
    audit(session, access, "sends.pause", send_id)
    return to(HOME, _("The send has been paused."))


@post("/deliveries/{send_id:uuid}/resume")
async def resume(send_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Go on with a paused send."""
    await service.resume(session, send_id)
    audit(session, access, "sends.resume", send_id)
    return to(HOME, _("The send goes on."))


@post("/deliveries/{send_id:uuid}/cancel")
async def cancel(send_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Send no more of it."""
    await service.cancel(session, send_id)
    audit(session, access, "sends.cancel", send_id)
    return to(HOME, _("The send has been cancelled. Nobody else will receive it."))


HANDLERS = [deliveries, undelivered, pause, resume, cancel]
