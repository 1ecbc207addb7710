"""The console page that shows what LINE has told us."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template

from hiiki.db import WorkspaceSession
from hiiki.ingest import service
from hiiki.ingest.words import KINDS, STATE_WORDS
from hiiki.kit.i18n import _
from hiiki.kit.pages import page, to
from hiiki.workspace.access import Access, audit


@get("/settings/webhooks", name="webhooks")
async def webhooks(
    session: WorkspaceSession, access: Access, kind: str = "", status: str = "", after: str = ""
) -> Template:
    """Show events by day, those that failed, and the latest ones."""
    days = await service.per_day(session, access.timezone)
    found = await service.list_events(session, kind=kind, status=status, after=after)
    chosen = {name: value for name, value in (("kind", kind), ("status", status)) if value}
    aside = await service.set_aside(session)
    more = urlencode({**chosen, "after": found.next}) if found.next else ""
    return page(
        "ingest/webhooks.html",
        days=days,
        by_day=_chart([day.strftime("%-m/%-d") for day in days], list(days.values())),
        waiting=await service.waiting_count(session),
        aside=aside,
        aside_count=await service.set_aside_count(session),
        senders=await service.senders(session, [*aside, *found.events]),
        events=found.events,
        kinds=await service.kinds(session),
        kind=kind,
        state=status,
        kind_words=KINDS,
        state_words=STATE_WORDS,
        before=f"/settings/webhooks?{urlencode(chosen)}" if after else "",
        after=f"/settings/webhooks?{more}" if more else "",
    )


def _chart(labels: list[str], counts: list[int]) -> dict[str, Any]:
    return {
        "grid": {"left": 8, "right": 8, "top": 16, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "category", "data": labels},
        "yAxis": {"type": "value", "minInterval": 1},
        "tooltip": {"trigger": "axis"},
        "series": [{"type": "bar", "name": str(_("Events")), "data": counts, "barMaxWidth": 28}],
    }


@post("/settings/webhooks/{channel_id:uuid}/{event_id:str}/run")
async def run_again(
    channel_id: UUID, event_id: str, session: WorkspaceSession, access: Access
) -> Redirect:
    """Handle an event that was set aside once more."""
    await service.run_again(session, channel_id, event_id)
    audit(session, access, "webhooks.run_again", event_id)
    return to("/settings/webhooks", _("The event is being handled again."))


@post("/settings/webhooks/{channel_id:uuid}/{event_id:str}/dismiss")
async def dismiss(
    channel_id: UUID, event_id: str, session: WorkspaceSession, access: Access
) -> Redirect:
    """Leave an event that was set aside unhandled."""
    await service.dismiss(session, channel_id, event_id)
    audit(session, access, "webhooks.dismiss", event_id)
    return to("/settings/webhooks", _("The event has been dismissed."))


HANDLERS = [webhooks, run_again, dismiss]
