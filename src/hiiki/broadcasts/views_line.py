"""The button of a report that asks LINE for its own count."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from litestar.response import Redirect, Template

from hiiki.broadcasts.line_figures import ask_line
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.pages import detail
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import HiikiError
from hiiki.kit.i18n import _
from hiiki.kit.pages import to
from hiiki.workspace.access import Access, audit


@post("/broadcasts/{broadcast_id:uuid}/ask-line")
async def ask_line_of_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect | Template:
    """Ask LINE now who opened it."""
    broadcast = await session.one(Broadcast, broadcast_id)
    try:
        await ask_line(session, broadcast)
    except HiikiError as error:
        return await detail(session, access, broadcast, error=error)
    audit(session, access, "broadcasts.ask_line", broadcast_id, name=broadcast.name)
    return to(f"/broadcasts/{broadcast_id}#line", _("LINE has been asked."))


HANDLERS = [ask_line_of_broadcast]
