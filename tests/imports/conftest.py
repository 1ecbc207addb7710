"""A shop that imports files, and a worker that does what was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import pytest

import hiiki.rooms
from conftest import Shop, scope
from console import Console, console
from hiiki.imports import running, service
from hiiki.imports.models import Import

assert hiiki.rooms.registry


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    """The application on an empty database."""
    async with console() as made:
        yield made


async def blocks(body: bytes) -> AsyncIterator[bytes]:
    """A body as it comes over the wire."""
    for at in range(0, len(body), 1000):
        yield body[at : at + 1000]


async def send(
    shop: Shop, kind: str, body: str | bytes, mapping: list[str] | None = None, **ways: bool
) -> UUID:
    """Send a file in and have it checked, by the columns that were guessed or by `mapping`."""
    data = body.encode() if isinstance(body, str) else body
    async with scope(shop.workspace_id) as session:
        made = await service.receive(session, kind, "members.csv", blocks(data), "Hanako")
        await service.assign(session, made, mapping or made.mapping, **ways)
    await running.work(shop.workspace_id, made.id)
    return made.id


async def run(shop: Shop, import_id: UUID) -> Mapping[str, int]:
    """Take the lines of a checked file, and return what became of them."""
    async with scope(shop.workspace_id) as session:
        await service.start(session, await session.one(Import, import_id))
    await running.work(shop.workspace_id, import_id)
    made = await look(shop, import_id)
    assert made.state == "finished", (made.state, made.error)
    return made.outcome


async def undo(shop: Shop, import_id: UUID) -> Mapping[str, int]:
    """Take an import back, and return how much of it."""
    async with scope(shop.workspace_id) as session:
        await service.undo(session, await session.one(Import, import_id))
    await running.work(shop.workspace_id, import_id)
    made = await look(shop, import_id)
    assert made.state == "undone"
    return made.outcome


async def look(shop: Shop, import_id: UUID) -> Import:
    """Return an import as it stands."""
    async with scope(shop.workspace_id) as session:
        return await session.one(Import, import_id)


async def reasons(shop: Shop, import_id: UUID) -> dict[int, tuple[str, str]]:
    """Return by its line why it was refused: the first column and its sentence."""
    async with scope(shop.workspace_id) as session:
        found = await service.refusals(session, import_id)
        return {one.line: (one.column, service.said(one).to("en")) for one, *_more in found}
