"""The emulator as one thing to start and stop, in this process or by the command line."""

from __future__ import annotations

import dataclasses
import os
import socket

from aiohttp import web

from . import api, control, phone
from .acts import Actor
from .api.gate import unknown_path
from .liff import web as liff_pages
from .living.believable import live
from .login import web as login_pages
from .login.store import logins
from .model import Channel, Json
from .platform import Platform, Setup
from .state import Keeper, StateFile, restore

MAX_CONTROL_BODY = 64 * 1024 * 1024
"""Thousands of acts with pictures fit into one control request."""


class Emulator:
    """LINE's bot platform on this machine.

    In a test or script::

        async with Emulator(friends=10) as line:
            print(line.url, line.channel.token)

    Args as in `line-emulator serve`: `port` 0 picks a free one, `quota` None means no monthly
    limit, `unlimited` lifts the rate limits, `living` lets people live by themselves.

    State is in memory, unless `state` names a file that keeps it: what is there is loaded at once
    (then `channels`, `friends`, `seed` and `living` are as they were, and a webhook URL, quota or
    `unlimited` given here is set for all channels), and written every `save_every` seconds if
    something changed, and at the end. Raises StateError for a file that cannot be used.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        channels: int = 1,
        friends: int = 0,
        seed: int = 1,
        webhook_url: str | None = None,
        quota: int | None = None,
        unlimited: bool = False,
        public_url: str | None = None,
        living: bool = False,
        state: str | os.PathLike[str] | None = None,
        save_every: float = 2.0,
    ) -> None:
        setup = Setup(
            channels=channels,
            friends=friends,
            seed=seed,
            webhook_url=webhook_url,
            quota=quota,
            unlimited=unlimited,
            prepare=(live,) if living else (),
        )
        self._file = StateFile(state) if state is not None else None
        self._keeper: Keeper | None = None
        self._save_every = save_every
        self.platform = self._kept(self._file, setup) if self._file else Platform(setup)
        self.host = host
        self.port = port
        self._public_url = public_url
        self._runner: web.AppRunner | None = None

    @staticmethod
    def _kept(file: StateFile, setup: Setup) -> Platform:
        file.open()
        try:
            data = file.read()
            if data is None:
                return Platform(setup)
            platform = Platform(Setup(channels=0))
            restore(platform, data)
        except BaseException:
            file.close()
            raise
        given = {
            name: value
            for name in ("webhook_url", "quota", "unlimited")
            if (value := getattr(setup, name)) is not None and value is not False
        }
        platform.setup = dataclasses.replace(platform.setup, **given)
        for channel in platform.channels.values():
            for name, value in given.items():
                setattr(channel, name, value)
        return platform

    @property
    def url(self) -> str:
        """Where it listens: the base of LINE's API, the control API and the phones."""
        return self.platform.base_url

    @property
    def channel(self) -> Channel:
        """The first channel."""
        return self.platform.channel(None)

    def ready(self) -> Json:
        """What a caller needs to know once it listens."""
        return {
            "ready": True,
            "url": self.url,
            "channels": [channel.public() for channel in self.platform.channels.values()],
            "login_channels": [one.public() for one in logins(self.platform).channels.values()],
        }

    def app(self) -> web.Application:
        """The web application with all routes."""
        app = web.Application(client_max_size=MAX_CONTROL_BODY)
        api.add_routes(app, self.platform)
        control.add_routes(app, self.platform, Actor(self.platform))
        login_pages.add_routes(app, self.platform)
        liff_pages.add_routes(app, self.platform)
        phone.add_routes(app, self.platform)
        app.router.add_route("*", "/{path:.*}", unknown_path)
        return app

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        listening = socket.create_server((self.host, self.port), backlog=1024)
        self.port = listening.getsockname()[1]
        await web.SockSite(runner, listening).start()
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104
        self.platform.base_url = self._public_url or f"http://{shown}:{self.port}"
        self._runner = runner
        self.platform.agenda.wake()
        self.platform.webhooks.resume()
        if self._file is not None:
            server = runner.server
            assert server is not None
            self._keeper = Keeper(
                self.platform, self._file, lambda: server.requests_count, self._save_every
            )
            self._keeper.start()

    async def stop(self) -> None:
        """Stop listening and posting; save the state if it is kept."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._keeper is not None:
            await self._keeper.stop()
            self._keeper = None
        if self._file is not None:
            self._file.close()
        self.platform.agenda.close()
        await self.platform.webhooks.close()
        await self.platform.errands.close()

    async def __aenter__(self) -> Emulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
