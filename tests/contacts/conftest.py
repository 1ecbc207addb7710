"""Fixtures of the tests of people."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from conftest import Shop
from console import Console, console
from hiiki.workspace.models import Channel

from .people import make_channel


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    """An official account of the shop."""
    return await make_channel(shop)


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    """The application on an empty database."""
    async with console() as made:
        yield made
