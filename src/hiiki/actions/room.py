"""What this room adds to the road."""

from __future__ import annotations

from uuid import UUID

from hiiki.db import WorkspaceSession
from hiiki.kit.road import ActionContext, Room


def open_context(
    session: WorkspaceSession, contact_id: UUID, channel_id: UUID | None
) -> ActionContext:
    """Begin what follows from something a contact did on a page (`Registry.emit`)."""
    from hiiki.actions.context import Context

    return Context(session, contact_id, channel_id)


room = Room(name="actions", context=open_context)
