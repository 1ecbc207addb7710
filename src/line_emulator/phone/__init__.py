"""Phones in the browser: `/phone/{user}`, the wall `/phones` and the gallery of Flex Messages.

Pages are drawn on the server; small modules of our own add what arrives (server-sent events) and
send taps to the control API. The Content-Security-Policy forbids inline script and style; images
may come from anywhere, since messages name the hosts, and so may pages in the in-app browser.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from markupsafe import Markup

from ..groups.store import Group, Groups
from ..liff.store import find_app
from ..model import Channel, User
from ..photos import PHOTOS, account_icon, photo
from ..platform import Platform
from . import coupons, draw, gallery, live, opening, pages, wall
from .words import language_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob: http: https:; media-src 'self' http: https:; "
    "frame-src 'self' http: https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_ASSETS = Path(__file__).parent / "assets"
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_FILES = {path.name: path for path in _ASSETS.iterdir() if path.suffix in _TYPES} | {
    "line-preview.css": draw.stylesheet(),
    "line-preview.js": draw.script(),
}

_DRAWINGS = {path.name: path for path in (_ASSETS / "pictures").iterdir() if path.suffix == ".svg"}


class Phones:
    """The handlers of the phone pages."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add_routes(self, app: web.Application) -> None:
        """Serve the pages, their streams and their assets."""
        for path, handler in (
            ("/", self._root),
            ("/phones", self._wall),
            ("/phones/stream", self._wall_stream),
            ("/phone/{user}", self._phone),
            ("/phone/{user}/stream", self._phone_stream),
            ("/phone/{user}/open", self._open),
            ("/phone/{user}/coupon", self._coupon),
            ("/phone/{user}/liff", self._liff),
            ("/phone-gallery", self._gallery),
            ("/phone-assets/{file}", self._asset),
            ("/phone-pictures/{file}", self._picture),
        ):
            app.router.add_get(path, handler)

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

    def _group(self, request: web.Request, user: User) -> Group | None:
        wanted = request.query.get("chat")
        if not wanted:
            return None
        group = self._platform.store.of(Groups).by_id.get(wanted)
        if group is None or user.id not in group.members:
            raise web.HTTPNotFound(text="no such chat of this person")
        return group

    def _chat(self, request: web.Request) -> pages.Chat:
        user = self._user(request)
        return pages.Chat(
            self._platform,
            user,
            self._channel(request),
            self._group(request, user),
            language_of(request),
        )

    # Pages

    async def _root(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/phones")

    async def _phone(self, request: web.Request) -> web.StreamResponse:
        return _html(pages.phone_page(self._chat(request)))

    async def _wall(self, request: web.Request) -> web.StreamResponse:
        channel, lang = self._channel(request), language_of(request)
        choice = wall.Choice.of(request.query)
        return _html(wall.wall_page(self._platform, channel, lang, choice))

    async def _gallery(self, request: web.Request) -> web.StreamResponse:
        lang, design = language_of(request), request.query.get("design")
        return _html(gallery.gallery_page(self._platform.base_url, lang, design))

    async def _open(self, request: web.Request) -> web.StreamResponse:
        user, channel = self._user(request), self._channel(request)
        group = self._group(request, user)
        url = request.query.get("url", "")
        message = request.query.get("message") or None
        chat_id = group.id if group else None
        return opening.opened(self._platform, channel, user, url, chat_id, message)

    async def _coupon(self, request: web.Request) -> web.StreamResponse:
        user, channel, lang = self._user(request), self._channel(request), language_of(request)
        wanted = request.query.get("id", "")
        return _html(coupons.detail(self._platform, channel, user, wanted, lang))

    async def _liff(self, request: web.Request) -> web.StreamResponse:
        self._user(request)
        app = find_app(self._platform, request.query.get("id", ""))
        if app is None:
            raise web.HTTPNotFound(text="no such LIFF app")
        return web.json_response({"size": app.view_type})

    # Streams

    async def _phone_stream(self, request: web.Request) -> web.StreamResponse:
        chat = self._chat(request)
        if chat.group is not None:
            watched = {("", chat.group.id): ""}
        else:
            watched = {(chat.channel.id, chat.user.id): chat.user.id}
        news = live.PhoneNews(chat)
        drawn = _number(request)

        def missed() -> dict[live.Key, list[live.News]]:
            return {key: live.missed_on_phone(chat, drawn) for key in watched if drawn is not None}

        return await live.stream(request, self._platform, watched, news.tell, missed)

    async def _wall_stream(self, request: web.Request) -> web.StreamResponse:
        channel = self._channel(request)
        people = wall.Choice.of(request.query).people(self._platform, channel).shown
        tell = live.wall_news(self._platform, channel, language_of(request))
        watched = {(channel.id, user.id): user.id for user in people}
        drawn = _number(request)

        def missed() -> dict[live.Key, list[live.News]]:
            if drawn is None:
                return {}
            return live.missed_on_wall(self._platform, channel, set(watched.values()), drawn)

        return await live.stream(request, self._platform, watched, tell, missed)

    # Assets

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        path = _FILES.get(request.match_info["file"])
        if path is None:
            raise web.HTTPNotFound
        return _bytes(path.read_bytes(), f"{_TYPES[path.suffix]}; charset=utf-8", "no-cache")

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        stem, _, kind = name.rpartition(".")
        keep = "max-age=3600"
        if kind == "jpg" and stem in PHOTOS:
            return _bytes(photo(stem), "image/jpeg", keep)
        channel = self._platform.channels.get(stem)
        if kind == "svg" and channel is not None:
            return _bytes(account_icon(channel.id, channel.name), "image/svg+xml", keep)
        path = _DRAWINGS.get(name)
        if path is None:
            raise web.HTTPNotFound
        return _bytes(path.read_bytes(), "image/svg+xml", keep)


def _bytes(body: bytes, content_type: str, cache: str) -> web.Response:
    return web.Response(
        body=body,
        headers={
            "Content-Type": content_type,
            "Cache-Control": cache,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def _number(request: web.Request) -> int | None:
    """How far the page had got when it was drawn, as it says itself; None if it does not."""
    drawn = request.query.get("drawn", "")
    return int(drawn) if drawn.isascii() and drawn.isdigit() and len(drawn) < 16 else None


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
