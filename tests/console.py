"""The console without a browser: the real application, its real middleware, a real log-in.

async with console() as app:
    owner = await app.person(shop, "owner")
    response = await owner.post("/tags", {"name": "辛口"})
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import httpx
from litestar import Litestar

from conftest import Shop
from hiiki.db import everywhere, scope
from hiiki.settings import settings
from hiiki.web.app import create_app
from hiiki.workspace import auth, service

PASSWORD = "a long password"
_CSRF = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')


class Client(httpx.AsyncClient):
    """A browser of sorts: keeps cookies, and sends the token against forgery along."""

    def __init__(
        self, app: Litestar, client: tuple[str, int] = ("127.0.0.1", 9), **options: Any
    ) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False, client=client),  # type: ignore[arg-type]
            base_url="http://console.test",
            **options,
        )
        if "accept" not in (options.get("headers") or {}):
            self.headers["accept"] = "text/html"

    async def form(
        self, url: str, data: Mapping[str, Any] | None = None, **options: Any
    ) -> httpx.Response:
        """Post a form, with the token that the pages carry."""
        return await self.post(
            url, data={"_csrf_token": await self.csrf(), **(data or {})}, **options
        )

    async def csrf(self) -> str:
        """Return this browser's token against forged requests."""
        if "hiiki_csrf" not in self.cookies:
            await self.get("/login")
        return self.cookies["hiiki_csrf"]


@dataclass
class Console:
    """The application, and who looks at it."""

    app: Litestar
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, **options: Any) -> Client:
        """Return a browser in which nobody is logged in."""
        made = Client(self.app, **options)
        self.clients.append(made)
        return made

    async def person(self, shop: Shop, role: str = "owner", locale: str = "ja") -> Client:
        """Return a browser in which a new member of the shop's staff is logged in."""
        staff_id = await make_staff(shop, role, locale=locale)
        client = self.client()
        client.cookies["hiiki_session"] = await auth.start_session(
            staff_id, workspace_id=shop.workspace_id
        )
        return client

    async def program(self, shop: Shop, role: str = "operator") -> Client:
        """Return a client of the API with a token."""
        async with scope(shop.workspace_id) as session:
            token = await service.create_token(session, f"a {role} program", role)
        return self.client(
            headers={"authorization": f"Bearer {token}", "accept": "application/json"}
        )


async def make_staff(
    shop: Shop, role: str = "owner", *, email: str = "", locale: str = "ja"
) -> UUID:
    """Make a member of staff, whose password is `PASSWORD`."""
    async with everywhere() as session:
        staff = await service.create_staff(
            session,
            shop.workspace_id,
            email or f"{role}-{uuid4().hex[:12]}@example.com",
            f"{role} さん",
            PASSWORD,
            role,
            locale=locale,
        )
        return staff.id


@cache
def _app(_settings: str) -> Litestar:
    return create_app()


def the_app() -> Litestar:
    """The application. Making one takes a second, so tests with the same settings share it."""
    return _app(settings().model_dump_json())


@asynccontextmanager
async def console() -> AsyncIterator[Console]:
    """The application, as the web server runs it."""
    made = Console(the_app())
    try:
        yield made
    finally:
        for client in made.clients:
            await client.aclose()
