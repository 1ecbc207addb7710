"""Which channel an address belongs to: asked of the database, but not by everybody at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from conftest import Shop
from hiiki.ingest import credentials
from hiiki.ingest.credentials import find_door, forget_doors
from hiiki.kit.ids import uuid7
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal
from ingest.line_side import make_channel


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    forget_doors()
    ident = uuid7()
    return await make_channel(
        shop.workspace_id, id=ident, sealed_secret=seal("secret", ident, "secret"),
        sealed_token=seal("token", ident, "token"),
    )  # fmt: skip


async def test_unknown_addresses_do_not_use_up_the_connections(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many come at once; and a known channel is not kept waiting by them."""
    assert await find_door(channel.webhook_key)
    real = credentials.everywhere
    full, let_go = asyncio.Event(), asyncio.Event()
    asking: list[int] = []

    @asynccontextmanager
    async def everywhere() -> AsyncIterator[Any]:
        asking.append(1)
        if len(asking) == credentials.STRANGERS:
            full.set()
        if len(asking) <= credentials.STRANGERS:
            await let_go.wait()
        async with real() as session:
            yield session

    monkeypatch.setattr(credentials, "everywhere", everywhere)
    strangers = [asyncio.create_task(find_door(f"stranger-{place}")) for place in range(20)]
    await asyncio.wait_for(full.wait(), 10)
    known = await find_door(channel.webhook_key, younger_than=0.0)
    assert known is not None
    assert known.channel_id == channel.id
    assert len(asking) == credentials.STRANGERS + 1
    let_go.set()
    assert await asyncio.gather(*strangers) == [None] * 20


async def test_many_posts_to_an_address_not_yet_known_ask_once_or_twice(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = credentials.everywhere
    asked: list[int] = []

    def everywhere() -> Any:
        asked.append(1)
        return real()

    monkeypatch.setattr(credentials, "everywhere", everywhere)
    doors = await asyncio.gather(*(find_door(channel.webhook_key) for _ in range(20)))
    assert {door and door.channel_id for door in doors} == {channel.id}
    assert len(asked) <= credentials.STRANGERS
