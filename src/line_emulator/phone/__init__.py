"""Phones in the browser: `/phone/{user}` and the wall `/phones`.

Pages are drawn on the server; a small module of our own adds what arrives (server-sent events) and
sends taps to the control API. The Content-Security-Policy forbids inline script and style; images
may come from anywhere, since messages name the hosts.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from markupsafe import Markup

from ..model import Channel, User
from ..platform import Platform
from . import draw, live, pages
from .words import language_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: http: https:; media-src 'self' http: https:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
DEFAULT_ON_WALL = 24
MAX_ON_WALL = 200

_ASSETS = Path(__file__).parent / "assets"


class Phones:
    """The handlers of the phone pages."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add_routes(self, app: web.Application) -> None:
        """Serve the pages, their streams and their assets."""
        app.router.add_get("/", self._root)
        app.router.add_get("/phones", self._wall)
        app.router.add_get("/phones/stream", self._wall_stream)
        app.router.add_get("/phone/{user}", self._phone)
        app.router.add_get("/phone/{user}/stream", self._phone_stream)
        app.router.add_get("/phone-assets/{file}", self._asset)

    # Which phone

    def _channel(self, request: web.Request) -> Channel:
        try:
            return self._platform.channel(request.query.get("channel"))
        except KeyError:
            raise web.HTTPNotFound(text="no such channel") from None

    def _user(self, request: web.Request) -> User:
        user = self._platform.users.get(request.match_info["user"])
        if user is None:
            raise web.HTTPNotFound(text="no such user")
        return user

    def _people(self, request: web.Request) -> tuple[list[User], str, int, int, int]:
        """A page of people with the search, the page's number and size, and how many in all."""
        search = request.query.get("q", "").strip()[:100]
        people = self._platform.user_order
        if search:
            low = search.lower()
            people = [one for one in people if low in one.name.lower() or one.id == low]
        size = max(1, min(MAX_ON_WALL, _whole(request.query.get("size"), DEFAULT_ON_WALL)))
        last_page = max(0, (len(people) - 1) // size)
        number = max(0, min(last_page, _whole(request.query.get("page"), 0)))
        return people[number * size : (number + 1) * size], search, number, size, len(people)

    # Pages

    async def _root(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/phones")

    async def _phone(self, request: web.Request) -> web.StreamResponse:
        user, channel, lang = self._user(request), self._channel(request), language_of(request)
        return _html(pages.phone_page(self._platform, user, channel, lang))

    async def _wall(self, request: web.Request) -> web.StreamResponse:
        channel, lang = self._channel(request), language_of(request)
        people, search, number, size, total = self._people(request)
        return _html(
            pages.wall_page(
                self._platform,
                people,
                channel,
                lang,
                search=search,
                number=number,
                size=size,
                total=total,
            )
        )

    # Streams

    async def _phone_stream(self, request: web.Request) -> web.StreamResponse:
        user, channel = self._user(request), self._channel(request)
        tell = live.phone_news(channel, language_of(request))
        return await live.stream(request, self._platform, channel, [user], tell)

    async def _wall_stream(self, request: web.Request) -> web.StreamResponse:
        channel = self._channel(request)
        people = self._people(request)[0]
        tell = live.wall_news(self._platform, channel, language_of(request))
        return await live.stream(request, self._platform, channel, people, tell)

    # Assets

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        path = {
            "line-preview.css": draw.stylesheet(),
            "line-preview.js": draw.script(),
            "phone.css": _ASSETS / "phone.css",
            "phone.js": _ASSETS / "phone.js",
            "wall.js": _ASSETS / "wall.js",
        }.get(name)
        if path is None:
            raise web.HTTPNotFound
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return web.Response(
            body=path.read_bytes(),
            headers={
                "Content-Type": f"{kind}; charset=utf-8",
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _whole(text: str | None, default: int) -> int:
    return int(text[:9]) if text and text.isascii() and text.isdigit() else default


def _html(page: Markup) -> web.Response:
    return web.Response(
        text=str(page),
        content_type="text/html",
        charset="utf-8",
        headers={
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


def add_routes(app: web.Application, platform: Platform) -> None:
    """Serve the phone pages."""
    Phones(platform).add_routes(app)
