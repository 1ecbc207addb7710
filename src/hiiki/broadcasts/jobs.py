"""What happens at a set time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from procrastinate import Blueprint

from hiiki.broadcasts import service
from hiiki.db import scope

tasks = Blueprint()


@tasks.task(name="send_scheduled")
async def send_scheduled(workspace_id: str, broadcast_id: str, at: str) -> None:
    """Send a broadcast whose time has come."""
    async with scope(UUID(workspace_id)) as session:
        await service.send_scheduled(session, UUID(broadcast_id), datetime.fromisoformat(at))
