"""Puts the log-in or token behind each request in its place, and the language with it.

It is a middleware and not a dependency because the language is a context variable, and
Litestar may resolve dependencies in tasks of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from hiiki.db import WorkspaceSession, scope
from hiiki.kit.errors import Unauthenticated
from hiiki.kit.i18n import LOCALES, set_locale
from hiiki.kit.pages import Outcome, outcome
from hiiki.web.current import current_request
from hiiki.workspace.access import LOCALE_COOKIE, SESSION_COOKIE, Access
from hiiki.workspace.auth import access_of_login, access_of_token, anybody

API_PREFIX = "/api/"


class AccessMiddleware(ASGIMiddleware):
    """Sets `request.state.access` (an `Access` or None) and the language."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "nobody"
    """Handlers with `opt={"nobody": True}` want neither: files, health checks."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        current_request.set(request)
        access: Access | None = None
        if scope["path"].startswith(API_PREFIX):
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            if kind.lower() == "bearer" and token:
                access = await access_of_token(token.strip())
        elif cookie := request.cookies.get(SESSION_COOKIE):
            access = await access_of_login(cookie)
        request.state.access = access
        set_locale(locale_of(request, access))
        outcome.set(Outcome())
        await next_app(scope, receive, send)


def locale_of(request: Request[Any, Any, Any], access: Access | None) -> str:
    """Return the language to answer in: asked for, chosen, the person's, the browser's."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(LOCALE_COOKIE)):
        if wanted in LOCALES:
            return wanted
    if access is not None and access.actor_kind == "staff":
        return access.locale
    for part in request.headers.get("accept-language", "").split(","):
        language = part.split(";")[0].strip()[:2].lower()
        if language in LOCALES:
            return language
    return access.locale if access is not None else "ja"


class FirstVisit(Unauthenticated):
    """Nobody can log in yet: the first person to come makes the owner's account."""


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let through who may do what is asked for; raises `Unauthenticated` or `Forbidden`.

    It stands before pages and API as a whole, so that a handler that takes neither
    `access` nor `session` is closed like all the others.
    """
    access: Access | None = connection.state.access
    if access is None:
        if not connection.url.path.startswith(API_PREFIX) and not await anybody():
            raise FirstVisit()
        raise Unauthenticated()
    method = cast("dict[str, Any]", connection.scope).get("method")
    safe = method in ("GET", "HEAD", "OPTIONS")
    access.require(str(handler.opt.get("role", "viewer" if safe else "operator")))


async def provide_access(request: Request[Any, Any, Any]) -> Access:
    """Give a handler its `access`, which the guard has looked at."""
    access: Access | None = request.state.access
    if access is None:
        raise Unauthenticated()
    return access


class _Refused(Exception):
    """Takes a transaction back whose page turned out to be an error."""


async def provide_session(access: Access) -> AsyncIterator[WorkspaceSession]:
    """Give a handler one transaction in its workspace; it commits before the answer is sent.

    When the handler answers with an error page (`kit.pages.page(status=422)`), what it
    has written is taken back.
    """
    current = outcome.get()
    try:
        async with scope(access.workspace_id) as session:
            yield session
            if current is not None and current.refused:
                raise _Refused
    except _Refused:
        pass
