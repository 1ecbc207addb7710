"""What every request to LINE's API goes through, in LINE's order.

Faults on demand, authentication, the rate limit, the size of the body, the retry key's form; then
the operation itself; then the log. Messages: reference, "Error messages".
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
import time
from functools import cache
from typing import Any

from aiohttp import web

from ..faults import Fault
from ..ids import UUID, request_id
from ..model import Channel
from ..platform import Platform
from .operation import OPERATIONS, Answer, Call, LineError, Operation

log = logging.getLogger("line_emulator.api")

MAX_BODY = 2 * 1024 * 1024
"""Larger requests get 413 (reference, "Status codes")."""
MAX_CONTENT_BODY = 10 * 1024 * 1024
"""Uploads of images and files have a limit of their own."""
LONGEST_SILENCE = 600.0
"""How long the fault "timeout" keeps a connection open, in seconds."""

_LIMITED = LineError(429, "The API rate limit has been exceeded. Try again later.")
_BROKEN = LineError(500, "An internal server error occurred.")
_TOO_LARGE = LineError(413, "The request body is too large")
_REASONS = {
    "401": (401, "Authentication failed due to the following reason: invalid token. "
                 "Confirm that the access token in the authorization header is valid."),
    "400": (400, "Bad Request"),
}  # fmt: skip


class _Reset(Exception):
    """The connection is to be torn down without an answer."""


class Gate:
    """Lets requests through to one operation."""

    __slots__ = ("_operation", "_platform")

    def __init__(self, platform: Platform, operation: Operation) -> None:
        self._platform = platform
        self._operation = operation

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one HTTP request."""
        started = time.perf_counter()
        identity = request_id()
        # SDKs send the header empty when there is no key (Go: `PushMessage(request, "")`).
        retry_key = request.headers.get("X-Line-Retry-Key") or None
        if retry_key is not None and not retry_key.isascii():
            retry_key = retry_key.encode("utf-8", "replace").decode()
        channel = self._platform.channel_by_token.get(_bearer(request))
        try:
            result = await self._with_faults(request, identity, channel, retry_key)
        except LineError as error:
            result = error.answer()
        except _Reset:
            _tear_down(request)
            result = Answer(b"", 599)
        except (web.RequestPayloadError, ConnectionError):
            # The client broke off or sent a broken body: there is nobody to answer properly.
            result = LineError(400, "Bad Request").answer()
        except Exception:
            # Whatever comes in, an emulator must not fail by itself: count it, so tests can see.
            log.exception("%s %s", request.method, request.path)
            self._platform.own_errors += 1
            result = _BROKEN.answer()
        self._platform.requests.add(
            {
                "at": self._platform.clock.now_ms(),
                "method": request.method,
                "path": request.path,
                "query": request.query_string,
                "status": result.status,
                "channel": channel.id if channel else None,
                "retry_key": retry_key,
                "request_id": identity,
                "milliseconds": round((time.perf_counter() - started) * 1000, 3),
            }
        )
        headers = {"x-line-request-id": identity, "Content-Type": result.content_type}
        if result.headers:
            headers |= result.headers
        return web.Response(body=result.body, status=result.status, headers=headers)

    async def _with_faults(
        self, request: web.Request, identity: str, channel: Channel | None, retry_key: str | None
    ) -> Answer:
        operation = self._operation
        body = b"" if operation.body == "none" else await _read(request, operation)
        fault: Fault | None = None
        faults = self._platform.faults
        if faults.rules:
            channel_id = channel.id if channel else None
            fault = faults.strike(request.method, request.path, channel_id, body)
        if fault is None:
            return await self._answer(request, identity, channel, retry_key, body)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return await self._answer(request, identity, channel, retry_key, body)
        if fault.kind == "500_before":
            raise _BROKEN
        if fault.kind == "429":
            raise _LIMITED
        if fault.kind in _REASONS:
            raise LineError(*_REASONS[fault.kind])
        # What is left loses the answer; the work may have been done before.
        if fault.kind == "500_after" or fault.accept:
            await self._answer(request, identity, channel, retry_key, body)
        if fault.kind == "500_after":
            raise _BROKEN
        if fault.kind == "timeout":
            await _stay_silent(request)
        raise _Reset

    async def _answer(
        self,
        request: web.Request,
        identity: str,
        channel: Channel | None,
        retry_key: str | None,
        body: bytes,
    ) -> Answer:
        operation = self._operation
        platform = self._platform
        if operation.auth:
            channel = self._authenticate(request, channel)
        else:
            channel = channel or platform.channel(None)
        if operation.limit is not None and not channel.unlimited:
            now = platform.clock.elapsed()
            if not channel.buckets.take(operation.key, operation.limit, now):
                raise _LIMITED
        if operation.body == "json" and request.content_type != "application/json":
            given = request.headers.get("Content-Type", "")
            raise LineError(415, f"The content type, {given}, is not supported")
        if retry_key is not None:
            if not operation.retry:
                raise LineError(400, "The X-Line-Retry-Key header is not supported by this API")
            if not UUID.fullmatch(retry_key):
                raise LineError(400, "Invalid retry key")
        call = Call(
            platform,
            channel,
            identity,
            body,
            request.match_info,
            retry_key,
            request.headers,
            request.rel_url,
        )
        return await operation.handler(call)

    def _authenticate(self, request: web.Request, channel: Channel | None) -> Channel:
        if channel is None:
            if not request.headers.get("Authorization", "").startswith("Bearer "):
                raise LineError(
                    401, "Authentication failed due to the following reason: missing bearer token"
                )
            raise LineError(*_REASONS["401"])
        token = channel.tokens[_bearer(request)]
        if token.expires_at is not None and token.expires_at <= self._platform.clock.now():
            raise LineError(
                401, "Authentication failed due to the following reason: Access token expired"
            )
        return channel


def _bearer(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ").strip()


async def _read(request: web.Request, operation: Operation) -> bytes:
    usual = MAX_CONTENT_BODY if operation.body == "binary" else MAX_BODY
    limit = operation.max_body or usual
    if request.content_length is not None and request.content_length > limit:
        raise _TOO_LARGE
    content = request.content
    if content.is_eof():
        # All of it has come with the head of the request, as most do.
        whole = content.read_nowait(-1)
        if len(whole) > limit:  # it was compressed, or came in chunks without a length
            raise _TOO_LARGE
        return whole
    chunks: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        size += len(chunk)
        if size > limit:
            raise _TOO_LARGE
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _stay_silent(request: web.Request) -> None:
    """Return when the client has given up."""
    deadline = time.monotonic() + LONGEST_SILENCE
    while time.monotonic() < deadline:
        transport = request.transport
        if transport is None or transport.is_closing():
            return
        await asyncio.sleep(0.05)


def _tear_down(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    sock: Any = transport.get_extra_info("socket")
    if sock is not None:
        # Linger 0 makes the kernel send RST instead of FIN: the client sees "connection reset".
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def unknown_path(request: web.Request) -> web.Response:
    """The answer for a path that does not exist, or not with this method."""
    allowed = sorted({one.method for one in OPERATIONS if _shape(one.path).fullmatch(request.path)})
    headers = {"x-line-request-id": request_id()}
    if not allowed:
        return web.json_response({"message": "Not found"}, status=404, headers=headers)
    # LINE follows HTTP where it says nothing else (reference, "Status codes").
    headers["Allow"] = ", ".join(allowed)
    return web.json_response({"message": "Method Not Allowed"}, status=405, headers=headers)


@cache
def _shape(path: str) -> re.Pattern[str]:
    parts = (part if "{" not in part else None for part in path.split("/"))
    return re.compile("/".join("[^/]+" if part is None else re.escape(part) for part in parts))
