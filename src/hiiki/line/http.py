"""One HTTP session a process: connections to LINE are kept open and shared by all callers.

What sends messages has its own (`hiiki.line.pool`).
"""

from __future__ import annotations

import asyncio

import aiohttp

from hiiki.line.pool import close_pools
from hiiki.settings import settings

MAX_CONNECTIONS = 100
"""For all that is asked of LINE but sending, which has connections of its own."""

_session: aiohttp.ClientSession | None = None
_loop: asyncio.AbstractEventLoop | None = None


def http() -> aiohttp.ClientSession:
    """Return this process's session, made on first use inside the running event loop."""
    global _session, _loop
    loop = asyncio.get_running_loop()
    if _session is None or _session.closed or _loop is not loop:
        _session = make_session()
        _loop = loop
    return _session


def make_session() -> aiohttp.ClientSession:
    """Return a session of its own, with limits and time-outs; whoever asks closes it."""
    seconds = settings().line_timeout
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS, ttl_dns_cache=300, keepalive_timeout=30
        ),
        timeout=aiohttp.ClientTimeout(total=seconds, connect=min(5.0, seconds)),
        auto_decompress=True,
        # Tokens travel in a header; nothing of LINE's needs cookies.
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def close_http() -> None:
    """Close this process's session and its connections to LINE, if there are any."""
    global _session, _loop
    close_pools()
    if _session is not None:
        await _session.close()
    _session = _loop = None
