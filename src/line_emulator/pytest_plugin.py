"""Pytest fixtures for testing a bot against the emulator.

Put `pytest_plugins = ["line_emulator.pytest_plugin"]` into `conftest.py`. Then::

    async def test_greeting(line):
        await line.set_webhook("http://127.0.0.1:8080/callback")
        friend = await line.new_friend()
        await line.say(friend, "hello")
        await line.wait_webhooks_done()
        assert (await line.received(friend))[-1]["text"] == "Hello!"

The emulator starts once for all tests, in a thread of its own, and is reset before each of them.
`line` needs pytest-asyncio. `line_sync` is the same for tests that are no coroutines::

    def test_greeting(line_sync):
        friend = line_sync.new_friend()
        line_sync.say(friend, "hello")
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, cast

import pytest

try:
    from pytest_asyncio import fixture as asyncio_fixture
except ImportError:  # then only `line_sync` works
    asyncio_fixture = pytest.fixture

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


class SyncLine:
    """`Line` without `await`: every method of it waits for its result.

    `deliveries` gives a list; say with `quiet` (seconds) when it ends. The requests are made in a
    thread of their own, so it works whether or not the test has an event loop.
    """

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="line-emulator-client", daemon=True
        )
        self._thread.start()
        self._line: Line = self._wait(_fresh(url))

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._line, name)
        if not inspect.ismethod(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            result: Any = found(*args, **kwargs)
            if inspect.isasyncgen(result):
                result = _listed(cast(AsyncIterator[Any], result))
            return self._wait(result)

        return call

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._wait(self._line.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _listed(items: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in items]


@pytest.fixture(scope="session")
def line_emulator_url() -> Iterator[str]:
    """Where the emulator of this test session listens."""
    running = EmulatorThread().start()
    yield running.url
    running.stop()


async def _fresh(url: str) -> Line:
    async with EmulatorClient(url) as client:
        await client.reset()
        return Line(url, (await client.channels())[0])


@asyncio_fixture
async def line(line_emulator_url: str) -> AsyncIterator[Line]:
    """A freshly reset emulator."""
    async with await _fresh(line_emulator_url) as fresh:
        yield fresh


@pytest.fixture
def line_sync(line_emulator_url: str) -> Iterator[SyncLine]:
    """A freshly reset emulator, for tests that are no coroutines."""
    fresh = SyncLine(line_emulator_url)
    yield fresh
    fresh.close()
