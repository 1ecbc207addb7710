"""Reading personas takes seconds where there are many people: a worker does it."""

from __future__ import annotations

from uuid import UUID

from procrastinate import Blueprint, RetryStrategy

from hiiki.personas.reading import read

tasks = Blueprint()


@tasks.task(name="read", retry=RetryStrategy(max_attempts=5, wait=30))
async def read_persona(workspace_id: str, reading_id: str) -> None:
    """Work out one reading."""
    await read(UUID(workspace_id), UUID(reading_id))
