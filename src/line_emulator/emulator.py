"""The emulator as one thing to start and stop, in this process or by the command line."""

from __future__ import annotations

import socket

from aiohttp import web

from . import api, control, phone
from .acts import Actor
from .api.gate import unknown_path
from .living.believable import live
from .login import web as login_pages
from .login.store import logins
from .model import Channel, Json
from .platform import Platform, Setup

MAX_CONTROL_BODY = 64 * 1024 * 1024
"""Thousands of acts with pictures fit into one control request."""


class Emulator:
    """LINE's bot platform on this machine.

    In a test or script::

        async with Emulator(friends=10) as line:
            print(line.url, line.channel.token)

    Args as in `line-emulator serve`: `port` 0 picks a free one, `quota` None means no monthly
    limit, `unlimited` lifts the rate limits, `living` lets people live by themselves. All state is
    in memory.
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
    ) -> None:
        self.platform = Platform(
            Setup(
                channels=channels,
                friends=friends,
                seed=seed,
                webhook_url=webhook_url,
                quota=quota,
                unlimited=unlimited,
                prepare=(live,) if living else (),
            )
        )
        self.host = host
        self.port = port
        self._public_url = public_url
        self._runner: web.AppRunner | None = None

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

    async def stop(self) -> None:
        """Stop listening and posting."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self.platform.agenda.close()
        await self.platform.webhooks.close()
        await self.platform.errands.close()

    async def __aenter__(self) -> Emulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
