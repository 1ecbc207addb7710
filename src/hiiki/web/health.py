"""Is it up, is it ready, how is it doing: for supervisors, load balancers and Prometheus."""

from __future__ import annotations

import time
from functools import cache
from ipaddress import ip_address
from typing import Any, cast

import structlog
from litestar import Request, Response, get
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy import text

from hiiki.db import everywhere
from hiiki.kit.errors import NotFound

log = structlog.get_logger()

REQUESTS = Counter("hiiki_http_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "hiiki_http_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Counted by themselves; whoever asks may invent others, and each would be a series for good."""
OPEN = {"nobody": True, "exclude_from_csrf": True, "quiet": True}


class Measured(ASGIMiddleware):
    """Counts and times requests by their route; paths themselves may hold secrets."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        started = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await next_app(scope, receive, noted)
        finally:
            known = cast("dict[str, Any]", scope)
            method, route = str(known.get("method", "")), str(known.get("path_template") or "/")
            note(method, route, status, time.perf_counter() - started)


def note(method: str, route: str, status: int, seconds: float) -> None:
    """Count and time a request that has been answered."""
    counter, clock = _series(method if method in METHODS else "OTHER", route, status)
    counter.inc()
    clock.observe(seconds)
    log.debug("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


@cache  # methods are few and routes are templates, so there are not many
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)


@get("/healthz", opt=OPEN, include_in_schema=False, media_type="text/plain")
async def healthz() -> str:
    """Say that the process is up."""
    return "ok"


@get("/readyz", opt=OPEN, include_in_schema=False, media_type="text/plain")
async def readyz() -> str:
    """Say that the database answers; 503 when it does not."""
    async with everywhere() as session:  # it reads no data at all
        await session.execute(text("select 1"))
    return "ok"


@get("/metrics", opt=OPEN, include_in_schema=False)
async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give Prometheus its figures; only on this machine, and not through a proxy on it."""
    if not is_local(request):
        raise NotFound()
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


def is_local(request: Request[Any, Any, Any]) -> bool:
    """True when whoever asks is on this machine."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    if request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
