"""Puts the log-in or token behind each request in its place, and the language with it.

It is a middleware and not a dependency because the language is a context variable, and
Litestar may resolve dependencies in tasks of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from hiiki.db import WorkspaceSession, scope
from hiiki.kit.errors import Unauthenticated
from hiiki.kit.i18n import LOCALES, set_locale
from hiiki.workspace.access import Access
from hiiki.workspace.auth import access_of_login, access_of_token

SESSION_COOKIE = "hiiki_session"
LOCALE_COOKIE = "hiiki_lang"
API_PREFIX = "/api/"


class AccessMiddleware(ASGIMiddleware):
    """Sets `request.state.access` (an `Access` or None) and the language."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        access: Access | None = None
        if scope["path"].startswith(API_PREFIX):
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            if kind.lower() == "bearer" and token:
                access = await access_of_token(token.strip())
        elif cookie := request.cookies.get(SESSION_COOKIE):
            access = await access_of_login(cookie)
        request.state.access = access
        set_locale(_locale(request, access))
        await next_app(scope, receive, send)


def _locale(request: Request[Any, Any, Any], access: Access | None) -> str:
    for wanted in (request.query_params.get("lang"), request.cookies.get(LOCALE_COOKIE)):
        if wanted in LOCALES:
            return wanted
    if access is not None and access.actor_kind == "staff":
        return access.locale
    for part in request.headers.get("accept-language", "").split(","):
        language = part.split(";")[0].strip()[:2].lower()
        if language in LOCALES:
            return language
    return "ja"


async def provide_access(request: Request[Any, Any, Any]) -> Access:
    """Give a handler its `access`, if the role allows what the request is about to do."""
    access: Access | None = request.state.access
    if access is None:
        raise Unauthenticated()
    safe = request.method in ("GET", "HEAD", "OPTIONS")
    access.require(str(request.route_handler.opt.get("role", "viewer" if safe else "operator")))
    return access


async def provide_session(access: Access) -> AsyncIterator[WorkspaceSession]:
    """Give a handler one transaction in its workspace; it commits before the answer is sent."""
    async with scope(access.workspace_id) as session:
        yield session
