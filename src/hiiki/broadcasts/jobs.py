"""What happens at a set time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from procrastinate import Blueprint, RetryStrategy

from hiiki.broadcasts import service
from hiiki.db import scope

tasks = Blueprint()
RETRY = RetryStrategy(max_attempts=20, wait=30)
"""A database that is away for ten minutes must not lose a broadcast."""


@tasks.task(name="send_scheduled", retry=RETRY)
async def send_scheduled(workspace_id: str, broadcast_id: str, at: str) -> None:
    """Send a broadcast whose time has come."""
    await service.ask_quota(UUID(workspace_id), UUID(broadcast_id))
    async with scope(UUID(workspace_id)) as session:
        await service.send_scheduled(session, UUID(broadcast_id), datetime.fromisoformat(at))
