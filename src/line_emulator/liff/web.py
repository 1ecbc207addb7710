"""The routes of LIFF in the browser: LIFF URLs, the SDK, its calls and windows, the demo."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from ..acts import Actor
from ..api.operation import LineError
from ..ids import USER_ID
from ..login.cors import ALLOWED, preflight
from ..login.store import LoginChannel, UserToken, logins
from ..login.web import respond
from ..login.words import language
from ..model import Friendship, Json, User
from ..platform import Platform
from . import demo, opening, windows
from .context import context, token_hash
from .speaking import checked, send, share
from .store import LiffApp, LiffApps, LiffWindow, channel_of, find_app

_ASSETS = Path(__file__).parent / "assets"
_LARGEST = 1024 * 1024
_LIFF_ID = r"\d{1,20}-\w{1,40}"

Told = Callable[[web.Request], Awaitable[Json]]


class LiffPages:
    """The handlers of LIFF in the browser."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add_routes(self, app: web.Application) -> None:
        """Serve LIFF URLs and all that the SDK needs."""
        get, post = app.router.add_get, app.router.add_post
        get("/_emulator/liff/sdk.js", self._sdk)
        get("/liff/edge/{version}/sdk.js", self._sdk)
        get("/liff/edge/versions/{version}/sdk.js", self._sdk)
        get("/_emulator/liff/assets/{file}", self._asset)
        get(opening.LOGIN_PATH, self._login)
        get(f"/liff/{{liff_id:{_LIFF_ID}}}", self._open)
        get(f"/liff/{{liff_id:{_LIFF_ID}}}/{{tail:[\\s\\S]*}}", self._open)
        get("/_emulator/liff/demo", self._demo)
        calls: dict[str, Told] = {
            "app": self._app,
            "send": self._send,
            "permissions": self._permissions,
            "windows": self._window,
        }
        for name, handler in calls.items():
            post(f"/_emulator/liff/call/{name}", self._told(handler))
            app.router.add_route("OPTIONS", f"/_emulator/liff/call/{name}", preflight)
        get("/_emulator/liff/windows/{key}", self._show_window)
        post("/_emulator/liff/windows/{key}", self._answer_window)

    # Pages

    async def _open(self, request: web.Request) -> web.StreamResponse:
        answer = opening.open_app(
            self._platform,
            request.match_info["liff_id"],
            request.match_info.get("tail", ""),
            parse_qsl(request.query_string, keep_blank_values=True, max_num_fields=1000)
            if len(request.query_string) < 100_000
            else [],
            request.headers,
            language(request.query, request.headers),
        )
        return respond(answer)

    async def _login(self, request: web.Request) -> web.StreamResponse:
        lang = language(request.query, request.headers)
        query = dict(request.query)
        return respond(opening.log_in(self._platform, query, request.headers, lang))

    async def _sdk(self, request: web.Request) -> web.StreamResponse:
        return self._script("sdk.js")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        if name not in ("demo.js", "demo.css"):
            raise web.HTTPNotFound
        return self._script(name)

    @staticmethod
    def _script(name: str) -> web.Response:
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return web.Response(
            body=(_ASSETS / name).read_bytes(),
            headers={
                "Content-Type": f"{kind}; charset=utf-8",
                "Cache-Control": "no-cache",
                "Access-Control-Allow-Origin": "*",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def _demo(self, request: web.Request) -> web.StreamResponse:
        lang = language(request.query, request.headers)
        return respond(demo.page(self._platform, lang))

    # Calls of the SDK

    def _told(self, handler: Told) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body, status = await handler(request), 200
            except LineError as error:
                body, status = error.body, error.status
            return web.Response(
                body=orjson.dumps(body),
                status=status,
                content_type="application/json",
                headers=ALLOWED,
            )

        return handle

    async def _body(self, request: web.Request) -> Json:
        data = bytearray()
        async for chunk in request.content.iter_any():
            data += chunk
            if len(data) > _LARGEST:
                raise LineError(413, "The request body is too large")
        try:
            body: Any = orjson.loads(bytes(data) or b"{}")
        except orjson.JSONDecodeError:
            raise LineError(400, "The request body could not be parsed as JSON") from None
        if not isinstance(body, dict):
            raise LineError(400, "The request body must be an object")
        return cast(Json, body)

    def _found(self, body: Json) -> tuple[LiffApp, LoginChannel]:
        app = find_app(self._platform, str(body.get("liffId", "")))
        if app is None:
            raise LineError(404, "LiffId is not found.")
        return app, channel_of(self._platform, app)

    def _token(self, text: str, app: LiffApp | None = None) -> tuple[UserToken, User]:
        token = logins(self._platform).tokens.get(text)
        user = self._platform.users.get(token.user_id) if token else None
        now = self._platform.clock.now()
        if token is None or user is None or token.revoked or token.expires_at <= now:
            raise LineError(401, "Need access_token for api call, Please login first")
        if app is not None and token.channel_id != app.channel_id:
            raise LineError(401, "The access token belongs to another channel")
        return token, user

    def _bearer(self, request: web.Request, app: LiffApp) -> tuple[UserToken, User]:
        text = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        return self._token(text, app)

    async def _app(self, request: web.Request) -> Json:
        """What `liff.init()` must know; with a token, that it is valid."""
        body = await self._body(request)
        app, channel = self._found(body)
        told: Json = {"channelId": channel.id, "context": context(app, channel, None, None)}
        text = body.get("accessToken")
        if isinstance(text, str) and text:
            self._token(text, app)
            told["accessTokenHash"] = token_hash(text)
        return told

    async def _send(self, request: web.Request) -> Json:
        body = await self._body(request)
        app, _ = self._found(body)
        token, user = self._bearer(request, app)
        send(self._platform, app, user, token, body.get("messages"))
        return {}

    async def _permissions(self, request: web.Request) -> Json:
        app, channel = self._found(await self._body(request))
        _, user = self._bearer(request, app)
        granted = channel.grants.get(user.id, set())
        return {"granted": [one for one in app.scopes if one in granted], "scope": app.scopes}

    async def _window(self, request: web.Request) -> Json:
        """Open a window: `{"id", "path"}`, or `{"answer"}` if there is nothing to ask."""
        body = await self._body(request)
        app, channel = self._found(body)
        token, user = self._bearer(request, app)
        kind = body.get("kind")
        window = LiffWindow(str(kind), token.token)
        if kind == "share":
            if not channel.share_target_picker:
                raise LineError(403, "shareTargetPicker is not allowed in this channel")
            window.messages = checked(body.get("messages"), sticker=False)
            window.several = body.get("isMultiple") is not False
        elif kind == "scan":
            if not app.qr_code or (token.chat_channel and app.view_type != "full"):
                raise LineError(403, "scanCodeV2 is not allowed in this LIFF app")
        elif kind == "friendship":
            account = self._platform.channels.get(channel.linked_channel or "")
            if account is None or app.view_type != "full":
                raise LineError(403, "requestFriendship is not allowed in this LIFF app")
            if account.friendship(user.id) is Friendship.FRIEND:
                return {"answer": {}}
        else:
            raise LineError(400, "there is no such window")
        key = secrets.token_urlsafe(24)
        self._platform.store.of(LiffApps).open_window(key, window)
        return {"id": key, "path": f"/_emulator/liff/windows/{key}"}

    # Windows

    def _opened(self, request: web.Request) -> tuple[str, LiffWindow, UserToken, User]:
        key = request.match_info["key"]
        window = self._platform.store.of(LiffApps).windows.get(key)
        if window is None:
            raise web.HTTPNotFound(text="there is no such window")
        try:
            return key, window, *self._token(window.token)
        except LineError:
            raise web.HTTPNotFound(text="the window has expired") from None

    async def _show_window(self, request: web.Request) -> web.StreamResponse:
        key, window, token, user = self._opened(request)
        lang = language(request.query, request.headers)
        if window.kind == "share":
            search = request.query.get("q", "").strip()[:100]
            several = window.several
            page = windows.picker(self._platform, key, user, lang, several=several, search=search)
        elif window.kind == "scan":
            page = windows.scanner(key, lang)
        else:
            channel = logins(self._platform).channels[token.channel_id]
            account = self._platform.channels.get(channel.linked_channel or "")
            if account is None:
                raise web.HTTPNotFound(text="no account is linked any more")
            page = windows.friendship(account, user, key, lang)
        return respond(page)

    async def _answer_window(self, request: web.Request) -> web.StreamResponse:
        key, window, token, user = self._opened(request)
        lang = language(request.query, request.headers)
        data = (await request.content.read(_LARGEST)).decode("utf-8", "replace")
        try:
            fields = parse_qsl(data, keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            fields = []
        answer: Json | None = None
        if dict(fields).get("answer") == "ok":
            answer = self._take(window, token, user, fields)
        del self._platform.store.of(LiffApps).windows[key]
        return respond(windows.done(key, answer, lang))

    def _take(
        self, window: LiffWindow, token: UserToken, user: User, fields: list[tuple[str, str]]
    ) -> Json | None:
        platform = self._platform
        channel = logins(platform).channels[token.channel_id]
        if window.kind == "scan":
            return {"value": dict(fields).get("value", "")}
        if window.kind == "friendship":
            account = platform.channels.get(channel.linked_channel or "")
            if account is None:
                return {}
            state = account.friendship(user.id)
            act = "unblock" if state is Friendship.BLOCKED else "follow"
            if state is not Friendship.FRIEND:
                Actor(platform).do({"type": act, "user": user.id, "channel": account.id})
            return {}
        to = [
            value
            for name, value in fields
            if name == "to" and USER_ID.fullmatch(value) and value in platform.users
        ]
        app = find_app(platform, token.liff_id or "")
        if not to or app is None:
            return None
        share(platform, channel, app, user, to if window.several else to[:1], window.messages)
        return {"status": "success"}


def add_routes(app: web.Application, platform: Platform) -> None:
    """Serve LIFF in the browser."""
    LiffPages(platform).add_routes(app)
