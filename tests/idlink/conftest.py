"""Fixtures of the account link's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from console import Shop, console
from hiiki.line.http import close_http
from hiiki.settings import settings
from idlink.shop import World, open_account
from line_emulator.pytest_plugin import Line, line, line_emulator_url

__all__ = ["line", "line_emulator_url"]


@pytest.fixture
async def world(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A shop whose account is at the emulator, which this process speaks to over HTTP."""
    monkeypatch.setenv("HIIKI_LINE_API", line.url)
    settings.cache_clear()
    async with console() as app:
        yield World(shop, app, line, await open_account(shop, line))
    await close_http()
    monkeypatch.undo()
    settings.cache_clear()
