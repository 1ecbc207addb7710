"""What the page of one broadcast shows, by the state it is in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar.response import Template

from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.reach import outlook
from hiiki.broadcasts.report import STATES, opens_by_hour, recipients, report
from hiiki.broadcasts.schemas import Report
from hiiki.content import composer
from hiiki.db import WorkspaceSession
from hiiki.delivery import guards
from hiiki.delivery import service as delivery
from hiiki.delivery.models import Send, Topic
from hiiki.delivery.words import LEFT_OUT_WORDS, explain, halt_of, time_left
from hiiki.kit.errors import HiikiError, NotFound
from hiiki.kit.i18n import Text, _, current_locale, gettext
from hiiki.kit.pages import page
from hiiki.segments.models import Segment
from hiiki.workspace.access import Access
from hiiki.workspace.models import Channel
from line_preview import render_phone

STATE_LABELS: dict[str, Text] = {
    "ready": _("Waiting"),
    "sending": _("With LINE"),
    "accepted": _("Accepted by LINE"),
    "refused": _("Refused by LINE"),
    "in_doubt": _("In doubt"),
    "cancelled": _("Not sent"),
}


async def reach_of(
    session: WorkspaceSession,
    channel_id: UUID,
    segment_id: UUID | None,
    topic_id: UUID | None = None,
    must_go: bool = False,
    up_to_quota: bool = False,
) -> dict[str, Any]:
    """Return what the reach panel shows; `trouble` says what keeps it from being counted."""
    try:
        reach = await outlook(
            session,
            channel_id,
            segment_id,
            topic_id=topic_id,
            must_go=must_go,
            up_to_quota=up_to_quota,
        )
    except HiikiError as error:
        said = next(iter(error.fields.values()), error.message)
        return {"reach": None, "trouble": said, "account": None}
    return {
        "reach": reach,
        "trouble": None,
        "account": await session.one(Channel, channel_id),
    }


async def detail(
    session: WorkspaceSession,
    access: Access,
    broadcast: Broadcast,
    *,
    error: HiikiError | None = None,
    at: str = "",
    after: str = "",
    state: str = "",
) -> Template:
    """Draw the page of a broadcast; `error` is why something was refused just now."""
    channel = await session.one(Channel, broadcast.channel_id)
    segment = await session.get(Segment, broadcast.segment_id) if broadcast.segment_id else None
    messages = await composer.shown(session, broadcast.draft)
    topic = await session.get(Topic, broadcast.topic_id) if broadcast.topic_id else None
    context: dict[str, Any] = {
        "broadcast": broadcast,
        "topic": topic,
        "channel": channel,
        "segment": segment,
        "phone": render_phone(messages, title=channel.name, lang=current_locale()),
        "error": error,
        "errors": error.fields if error else {},
        "status": error.status if error else 200,
    }
    if broadcast.send_id is None or broadcast.state != "sent":
        context |= await reach_of(
            session,
            broadcast.channel_id,
            broadcast.segment_id,
            broadcast.topic_id,
            broadcast.must_go,
            broadcast.up_to_quota,
        )
        return page("broadcasts/ready.html", at=at, **context)
    found = await report(session, broadcast)
    wanted = state if state in STATES else ""
    people, more = await recipients(session, broadcast, state=wanted or None, after=after or None)
    here = f"/broadcasts/{broadcast.id}"
    filtered = f"state={wanted}" if wanted else ""
    return page(
        "broadcasts/report.html",
        report=found,
        **await _progress(session, broadcast, broadcast.send_id),
        left_out=LEFT_OUT_WORDS,
        explain=explain,
        chart=await _chart(session, broadcast, found),
        people=people,
        labels=STATE_LABELS,
        state=wanted,
        back=f"{here}?{filtered}" if after else "",
        more=f"{here}?{filtered}&after={more}#recipients" if more else "",
        **context,
    )


async def progress_fragment(session: WorkspaceSession, broadcast: Broadcast) -> Template:
    """Draw how far a send is; it asks for itself again until the send is over."""
    if broadcast.send_id is None:
        raise NotFound()
    return page(
        "broadcasts/_progress.html",
        broadcast=broadcast,
        **await _progress(session, broadcast, broadcast.send_id),
    )


async def _progress(
    session: WorkspaceSession, broadcast: Broadcast, send_id: UUID
) -> dict[str, Any]:
    stands = await delivery.progress(session, send_id)
    held = await guards.held(session, [await session.one(Send, send_id)])
    return {
        "progress": stands,
        "halt": halt_of(send_id, broadcast.channel_id, stands),
        "left": time_left(stands.seconds_left),
        "held_until": held.get(send_id),
    }


async def _chart(
    session: WorkspaceSession, broadcast: Broadcast, found: Report
) -> dict[str, Any] | None:
    if found.sent_at is None or not found.clicked:
        return None
    curve = await opens_by_hour(session, broadcast.id, found.sent_at)
    hours = [gettext("%(n)s h", n=at) for at, _people in curve]
    people = [n for _at, n in curve]
    return {
        "option": {
            "xAxis": {"type": "category", "data": hours, "boundaryGap": len(people) == 1},
            "yAxis": {"type": "value", "minInterval": 1},
            "tooltip": {"trigger": "axis"},
            "series": [
                {
                    "type": "bar" if len(people) == 1 else "line",
                    "name": gettext("Opened a link"),
                    "data": people,
                    "smooth": False,
                    "areaStyle": {"opacity": 0.12},
                }
            ],
        },
        "rows": list(zip(hours, people, strict=True)),
    }
