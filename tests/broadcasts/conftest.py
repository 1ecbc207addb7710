"""LINE, for what goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hiiki.line.http import close_http
from hiiki.settings import settings
from line_emulator.emulator import Emulator


@pytest.fixture
async def line(db: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """LINE, in this process."""
    async with Emulator(unlimited=True) as emulator:
        monkeypatch.setattr(settings(), "line_api", emulator.url)
        yield emulator
        await close_http()
