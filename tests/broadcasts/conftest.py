"""LINE, for what goes out, and an account that sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar.testing import AsyncTestClient

from conftest import Shop
from console import the_app
from delivery.conftest import Account, open_account
from hiiki.line.http import close_http
from hiiki.settings import settings
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator


@pytest.fixture
async def line(db: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """LINE, in this process."""
    async with Emulator(unlimited=True) as emulator:
        monkeypatch.setattr(settings(), "line_api", emulator.url)
        yield emulator
        await close_http()


@pytest.fixture
async def client(db: str) -> AsyncIterator[AsyncTestClient[Any]]:
    """The application, without anybody logged in."""
    async with AsyncTestClient(the_app()) as client:
        yield client


@pytest.fixture
async def account(shop: Shop, line: Emulator) -> AsyncIterator[Account]:
    """An official account with six friends."""
    async with EmulatorClient(line.url) as control:
        yield await open_account(shop, line, control, 6)
