"""Connections to LINE that stay open, for the requests that send: two thousand a second.

A general HTTP client's requests cost a worker more than all else it does for a message.
These need little: one host, POST, a body that fits into memory, and the truth about whether
LINE can have seen the request. Everything else that is asked of LINE goes by aiohttp.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import httptools

KEPT_IDLE = 20.0
"""Seconds after which an unused connection is not trusted any more: LINE may have closed it."""
CONNECT_SECONDS = 5.0


class NotReached(Exception):
    """No connection could be made: LINE cannot have seen the request."""


@dataclass(frozen=True, slots=True)
class Response:
    """What LINE answered; the names of `headers` are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Pool:
    """Connections to one host, within one event loop. Callers bound how many there are."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._netloc = parts.netloc.rpartition("@")[2]
        self._idle: list[_Connection] = []

    async def post(
        self, path: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Response:
        """Send a request and return LINE's answer.

        Raises `NotReached`, `TimeoutError` after so many seconds, or `OSError` when the
        connection broke: in the latter two LINE may have done what was asked.
        """
        until = time.monotonic() + seconds
        connection = self._take() or await self._connect(min(seconds, CONNECT_SECONDS))
        try:
            answer = await connection.ask(
                self._head(path, headers, len(body)) + body, until - time.monotonic()
            )
        except BaseException:
            connection.drop()
            raise
        if connection.stays:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.drop()
        return answer

    def close(self) -> None:
        """Close what is open."""
        while self._idle:
            self._idle.pop().drop()

    def _take(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.stays and time.monotonic() - connection.idle_since < KEPT_IDLE:
                return connection
            connection.drop()
        return None

    async def _connect(self, seconds: float) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _transport, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            raise NotReached(str(error) or "the connection took too long") from error
        return connection

    def _head(self, path: str, headers: Mapping[str, str], length: int) -> bytes:
        lines = [f"POST {self._prefix}{path} HTTP/1.1", f"Host: {self._netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {length}\r\n\r\n")
        # `LineClient` leaves no line end in a token, and all else in a header is its own.
        return "\r\n".join(lines).encode("ascii")


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.stays = True
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Response] | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    async def ask(self, request: bytes, seconds: float) -> Response:
        if self._transport is None or self._transport.is_closing():
            raise NotReached("LINE had closed the connection")
        loop = asyncio.get_running_loop()
        self._answer = answer = loop.create_future()
        self._headers, self._body = {}, []
        self._transport.write(request)
        timer = loop.call_later(seconds, self._fail, TimeoutError())
        try:
            return await answer
        finally:
            timer.cancel()
            self._answer = None

    def drop(self) -> None:
        self.stays = False
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: Exception) -> None:
        self.stays = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"what LINE answered is not HTTP: {error}"))
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("LINE closed the connection"))

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status: int = self._parser.get_status_code()
        if status < 200:
            self._headers, self._body = {}, []  # only word that an answer will follow
            return
        self.stays = self.stays and bool(self._parser.should_keep_alive())
        if self._answer is None or self._answer.done():
            self.stays = False  # nobody had asked
            return
        self._answer.set_result(Response(status, self._headers, b"".join(self._body)))


_pools: dict[str, Pool] = {}
_loop: Any = None


def pool_of(base: str) -> Pool:
    """Return this event loop's connections to the host of an address."""
    global _loop
    loop = asyncio.get_running_loop()
    if loop is not _loop:
        _pools.clear()  # another loop's connections went with it
        _loop = loop
    found = _pools.get(base)
    if found is None:
        found = _pools[base] = Pool(base)
    return found


def close_pools() -> None:
    """Close this process's connections."""
    while _pools:
        _pools.popitem()[1].close()
