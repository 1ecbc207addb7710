"""The routes behind the screens: choosing who one is, consent, adding the account; their assets."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from ..api.operation import Answer
from ..platform import Platform
from . import screens
from .authorize import account_of, befriend, consented, finish, refused
from .cors import preflight
from .person import SESSION_COOKIE
from .store import Session, Underway, logins
from .words import LANGUAGES

_ASSETS = Path(__file__).parent / "assets"
_KINDS = {
    "login.css": "text/css",
    "go.js": "text/javascript",
    "done.js": "text/javascript",
    "window.js": "text/javascript",
}
_OPEN = (
    "/oauth2/v2.1/token",
    "/oauth2/v2.1/verify",
    "/oauth2/v2.1/revoke",
    "/oauth2/v2.1/userinfo",
    "/oauth2/v2.1/certs",
    "/.well-known/openid-configuration",
    "/v2/profile",
    "/friendship/v1/status",
)
_LARGEST_FORM = 64 * 1024


def respond(answer: Answer) -> web.Response:
    """An operation's answer as aiohttp sends it."""
    headers = {"Content-Type": answer.content_type, **(answer.headers or {})}
    return web.Response(body=answer.body, status=answer.status, headers=headers)


async def fields_of(request: web.Request) -> dict[str, str]:
    """A form's fields; what cannot be read counts as none."""
    if request.content_length is not None and request.content_length > _LARGEST_FORM:
        return {}
    data = await request.content.read(_LARGEST_FORM)
    try:
        return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return {}


def local_path(text: str) -> bool:
    """Whether it is a path of this server: somewhere else nobody is sent."""
    return (
        text.startswith("/")
        and not text.startswith(("//", "/\\"))
        and not any(ord(one) < 33 or ord(one) > 126 for one in text)
    )


class LoginPages:
    """The handlers behind the screens."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add_routes(self, app: web.Application) -> None:
        """Serve the answers to the screens, their assets, and what browsers ask beforehand."""
        app.router.add_post("/_emulator/login/choose", self._choose)
        app.router.add_post("/_emulator/login/consent", self._consent)
        app.router.add_post("/_emulator/login/friend", self._friend)
        app.router.add_get("/_emulator/login/assets/{file}", self._asset)
        for path in _OPEN:
            app.router.add_route("OPTIONS", path, preflight)

    async def _choose(self, request: web.Request) -> web.StreamResponse:
        fields = await fields_of(request)
        there = fields.get("next", "")
        if fields.get("user") not in self._platform.users or not local_path(there):
            return respond(screens.problem("over", "ja"))
        method = "lineqr" if fields.get("method") == "lineqr" else "pwd"
        key = secrets.token_urlsafe(24)
        session = Session(fields["user"], self._platform.clock.now(), method)
        logins(self._platform).put_session(key, session)
        joined = "&" if "?" in there else "?"
        response = web.Response(
            status=303, headers={"Location": f"{there}{joined}{urlencode({'login_ticket': key})}"}
        )
        response.set_cookie(SESSION_COOKIE, key, path="/", httponly=True, samesite="Lax")
        return response

    def _taken(self, fields: dict[str, str]) -> tuple[str, Underway] | None:
        """The login that waits for this answer; it waits for no other."""
        key = fields.get("underway", "")
        one = logins(self._platform).underway.pop(key, None)
        if one is None or one.expires_at <= self._platform.clock.now():
            return None
        return (key, one) if one.user_id in self._platform.users else None

    async def _consent(self, request: web.Request) -> web.StreamResponse:
        fields = await fields_of(request)
        lang = _lang(fields)
        taken = self._taken(fields)
        if taken is None:
            return respond(screens.problem("over", lang))
        key, one = taken
        if fields.get("answer") != "allow":
            return respond(refused(self._platform, one, lang))
        email, friend = "email" in fields, "friend" in fields
        return respond(consented(self._platform, key, one, lang, email=email, friend=friend))

    async def _friend(self, request: web.Request) -> web.StreamResponse:
        fields = await fields_of(request)
        lang = _lang(fields)
        taken = self._taken(fields)
        if taken is None:
            return respond(screens.problem("over", lang))
        one = taken[1]
        account = account_of(self._platform, logins(self._platform).channels[one.channel_id])
        if fields.get("answer") == "add" and account is not None:
            befriend(self._platform, account, one)
        return respond(finish(self._platform, one, lang))

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        kind = _KINDS.get(request.match_info["file"])
        if kind is None:
            raise web.HTTPNotFound
        return web.Response(
            body=(_ASSETS / request.match_info["file"]).read_bytes(),
            headers={
                "Content-Type": f"{kind}; charset=utf-8",
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _lang(fields: dict[str, str]) -> str:
    given = fields.get("lang", "")
    return given if given in LANGUAGES else "ja"


def add_routes(app: web.Application, platform: Platform) -> None:
    """Serve the pages of LINE Login."""
    LoginPages(platform).add_routes(app)
