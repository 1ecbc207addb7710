"""The short way in, for what programs post by the thousand a second (`hiiki.kit.road.Direct`).

A post that goes through the web framework pays for its middleware, its routes and its answer
about as much as for all else together, the database included. Here it pays for none of them.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import structlog

from hiiki.kit.errors import NotAllowed, NotFound, TooLarge, TooSlow, Unavailable
from hiiki.kit.road import Direct
from hiiki.web.errors import translate
from hiiki.web.health import note

log = structlog.get_logger()

_TAKEN = b"{}"
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


LATE = 0.5
"""Seconds. While the event loop is so late, posts are refused unread: LINE gives up after two,
and what has waited so long only keeps the next ones waiting."""
BEAT = 0.05
READ_WITHIN = 5.0
"""Seconds for a body to arrive; LINE's are here at once, or it has given up long ago."""


class Pulse:
    """Tells how late an event loop is: whatever comes has waited about as long."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = 0.0
        self._late = 0.0
        self._is_asked = False

    def late(self) -> float:
        """Return the seconds by which things happen later than they should."""
        self._is_asked = True
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._late = 0.0
            self._next()
        # The clock, and not the loop's own time, which stands still while it is busy.
        return max(self._late, time.monotonic() - self._due)

    def _next(self) -> None:
        assert self._loop is not None
        self._due = time.monotonic() + BEAT
        self._loop.call_later(BEAT, self._beat)

    def _beat(self) -> None:
        self._late = time.monotonic() - self._due
        if not self._is_asked:
            self._loop = None  # nobody comes: it begins anew with the next post
            return
        self._is_asked = False
        self._next()


class _Gone(Exception):
    """Whoever posted has not waited for the end of it."""


class ShortWay:
    """Answers the posts below one address, as an ASGI application."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct
        self._route = f"{direct.prefix}{{key}}"
        self._pulse = Pulse()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one request and answer it."""
        started = time.perf_counter()
        status, answer = 200, _TAKEN
        try:
            if self._pulse.late() > LATE:
                raise Unavailable()
            await self._take(scope, receive)
        except _Gone:
            return
        except Exception as exc:
            status, answer = self._refuse(exc)
        headers = [*_HEADERS, (b"content-length", str(len(answer)).encode())]
        if status == TooSlow.status:
            headers.append((b"connection", b"close"))  # what still trickles in is nobody's
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        note(scope["method"], self._route, status, time.perf_counter() - started)

    async def _take(self, scope: Any, receive: Any) -> None:
        key: str = scope["path"][len(self._direct.prefix) :]
        if not key or "/" in key:
            raise NotFound()
        if scope["method"] != "POST":
            raise NotAllowed()
        headers: list[tuple[bytes, bytes]] = scope["headers"]

        def header(name: str) -> str | None:
            wanted = name.encode()
            for present, value in headers:
                if present == wanted:
                    return value.decode("latin-1")
            return None

        length = header("content-length") or ""
        if length.isdecimal() and int(length) > self._direct.most:
            raise TooLarge()
        try:
            async with asyncio.timeout(READ_WITHIN):
                body = await self._body(receive)
        except TimeoutError as error:
            raise TooSlow() from error
        await self._direct.take(key, body, header)

    async def _body(self, receive: Any) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._direct.most:
                raise TooLarge()
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _refuse(self, exc: Exception) -> tuple[int, bytes]:
        error = translate(exc)
        if error.code == "internal":
            log.error(
                "request.failed", method="POST", path=self._route, error=type(exc).__name__,
                exc_info=exc,
            )  # fmt: skip
        return error.status, orjson.dumps(error.to_json("en"))
