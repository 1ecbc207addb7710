"""An official account at LINE (its emulator), and the owner who connects it in a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from conftest import Shop
from console import make_staff
from hiiki.db import scope
from hiiki.line.http import close_http
from hiiki.settings import settings
from hiiki.workspace import auth
from hiiki.workspace.models import Channel
from line_emulator.client import EmulatorClient
from stack import LineProcess, Web


class Shopkeeper(httpx.AsyncClient):
    """The owner's browser, on the running web server."""

    async def form(self, url: str, data: dict[str, Any] | None = None) -> httpx.Response:
        page = (await self.get("/profile")).text
        found = re.search(r'name="_csrf_token" value="([^"]+)"', page)
        assert found
        return await self.post(url, data={"_csrf_token": found[1], **(data or {})}, timeout=30)


@pytest.fixture
async def owner(web: Web, shop: Shop) -> AsyncIterator[Shopkeeper]:
    staff_id = await make_staff(shop)
    value = await auth.start_session(staff_id, workspace_id=shop.workspace_id)
    async with Shopkeeper(
        base_url=web.url, cookies={"hiiki_session": value}, headers={"accept": "text/html"}
    ) as browser:
        yield browser


@pytest.fixture
async def line(
    emulator_process: LineProcess, web: Web, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[EmulatorClient]:
    """LINE; this process speaks to it as the web server does."""
    for name in ("HIIKI_LINE_API", "HIIKI_PUBLIC_URL"):
        monkeypatch.setenv(name, web.env[name])
    settings.cache_clear()
    async with EmulatorClient(emulator_process.url) as client:
        yield client
        await client.clear_faults()
    await close_http()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
async def account(line: EmulatorClient) -> dict[str, Any]:
    """An official account at LINE that nobody has connected yet."""
    return await line.create_channel(use_webhook=True, quota=5000)


def given(account: dict[str, Any], **other: str) -> dict[str, str]:
    return {
        "line_channel_id": account["channel_id"],
        "secret": account["channel_secret"],
        "token": account["access_token"],
        **other,
    }


async def only_channel(shop: Shop) -> Channel:
    async with scope(shop.workspace_id) as session:
        [found] = (await session.scalars(select(Channel))).all()
        return found
