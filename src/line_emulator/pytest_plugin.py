"""Pytest fixtures for testing a bot against the emulator.

Put `pytest_plugins = ["line_emulator.pytest_plugin"]` into `conftest.py`. Then::

    async def test_greeting(line):
        await line.set_webhook("http://127.0.0.1:8080/callback")
        friend = await line.new_friend()
        await line.say(friend, "hello")
        await line.wait_webhooks_done()
        assert (await line.received(friend))[-1]["text"] == "Hello!"

The emulator starts once for all tests, in a thread of its own, and is reset before each of them.
Needs pytest-asyncio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from .client import EmulatorClient
from .running import EmulatorThread

Json = dict[str, Any]


class Line(EmulatorClient):
    """The emulator as a test sees it: its client, with the first channel at hand."""

    def __init__(self, base_url: str, channel: Json) -> None:
        super().__init__(base_url)
        self.channel = channel
        """The first channel: channel_id, channel_secret, access_token, bot_user_id, …"""

    @property
    def token(self) -> str:
        """The first channel's access token."""
        return self.channel["access_token"]

    @property
    def secret(self) -> str:
        """The first channel's secret, the key of webhook signatures."""
        return self.channel["channel_secret"]

    async def set_webhook(self, url: str | None, **settings: Any) -> None:
        """Send the first channel's events to `url`; settings as in `update_channel`."""
        await self.update_channel(self.channel["channel_id"], webhook_url=url, **settings)

    async def new_friend(self, **attributes: Any) -> str:
        """The user id of a new person who is a friend already; no follow event is sent."""
        return (await self.create_users(1, state="friend", **attributes))[0]["id"]

    async def new_stranger(self, **attributes: Any) -> str:
        """The user id of a new person who has not met the account."""
        return (await self.create_users(1, **attributes))[0]["id"]


@pytest.fixture(scope="session")
def line_emulator_url() -> Iterator[str]:
    """Where the emulator of this test session listens."""
    running = EmulatorThread().start()
    yield running.url
    running.stop()


@pytest_asyncio.fixture
async def line(line_emulator_url: str) -> AsyncIterator[Line]:
    """A freshly reset emulator."""
    async with EmulatorClient(line_emulator_url) as client:
        await client.reset()
        channel = (await client.channels())[0]
    async with Line(line_emulator_url, channel) as fresh:
        yield fresh
