"""A real browser for tests of the emulator's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page


@pytest_asyncio.fixture
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """A tab in which no error may be reported."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    yield page
    await context.close()
    # Pictures of made-up addresses do not load; everything else is a fault of the page.
    assert [one for one in errors if "Failed to load resource" not in one] == []
