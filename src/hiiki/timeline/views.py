"""The timeline as a part of the friend's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import get
from litestar.response import Template

from hiiki.contacts.models import Contact
from hiiki.contacts.values import plain
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import Text
from hiiki.kit.pages import page
from hiiki.kit.road import road
from hiiki.timeline.service import kinds_of, of_contact
from hiiki.timeline.telling import tell

PAGE = 30


@get("/friends/{contact_id:uuid}/timeline")
async def timeline(
    contact_id: UUID,
    session: WorkspaceSession,
    kind: str = "",
    before: datetime | None = None,
    before_id: UUID | None = None,
) -> Template:
    """Show a friend's events, the newest first; the older ones come page by page."""
    await session.one(Contact, contact_id)
    kind = plain(kind)
    events = await of_contact(
        session,
        contact_id,
        before=before,
        before_id=before_id,
        kinds=(kind,) if kind else (),
        limit=PAGE + 1,
    )
    shown = events[:PAGE]
    context: dict[str, Any] = {"contact_id": contact_id, "kind": kind}
    if len(events) > PAGE:
        last = shown[-1]
        query = {"kind": kind, "before": last.at.isoformat(), "before_id": str(last.id)}
        context["older"] = f"/friends/{contact_id}/timeline?" + urlencode(query)
    else:
        context["older"] = ""
    told = await tell(session, shown)
    if before is not None:
        return page("timeline/_events.html", told=told, **context)
    kinds = [(name, _label(name)) for name in await kinds_of(session, contact_id)]
    kinds.sort(key=lambda pair: str(pair[1]))
    return page("timeline/timeline.html", told=told, kinds=kinds, **context)


def _label(kind: str) -> Text:
    known = road().events.get(kind)
    return known.label if known is not None else Text(kind)


HANDLERS = [timeline]
