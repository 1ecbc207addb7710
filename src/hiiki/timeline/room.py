"""What this room adds to the road."""

from __future__ import annotations

from uuid import UUID

from hiiki.db import WorkspaceSession
from hiiki.kit.road import Room
from hiiki.timeline import api, views
from hiiki.timeline.tallies import count_anew


async def _merge(session: WorkspaceSession, keep: UUID, _gone: UUID) -> None:
    await count_anew(session, [keep])


room = Room(name="timeline", pages=views.HANDLERS, api=api.HANDLERS, merge=_merge)
