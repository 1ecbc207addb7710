"""Posting one body to one target, as LINE would have."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import aiohttp
from aiohttp.abc import AbstractResolver

from hiiki.ingest.relay.guard import GuardedResolver, Refused, check_url
from hiiki.ingest.relay.models import RelayTarget
from hiiki.kit.forms import Wrong
from hiiki.line.signature import HEADER
from hiiki.workspace.seal import unseal

SECONDS = 5.0
"""For the whole of an attempt: name, connection, body and answer."""
READ_AT_MOST = 1024
"""Bytes of an answer that are read, so that the connection can be used again."""
HEADER_PURPOSE = "relay-header"


@dataclass(frozen=True, slots=True)
class Destination:
    """A target as the poster needs it."""

    id: UUID
    url: str
    header: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: `problem` is None when the other side took the body."""

    answer: int | None
    problem: str | None

    @property
    def is_bodys_fault(self) -> bool:
        """True when the target is there, and refused just this body (or so it says)."""
        return (
            self.problem == "status"
            and self.answer is not None
            and 400 <= self.answer < 500
            and self.answer not in (401, 403, 404, 408, 425, 429)
        )


def destination(target: RelayTarget) -> Destination:
    """Return where a target's posts go; raises `Unavailable` when its header cannot be opened."""
    header = None
    if target.header_name and target.sealed_header is not None:
        header = (target.header_name, unseal(target.sealed_header, target.id, HEADER_PURPOSE))
    return Destination(target.id, target.url, header)


@asynccontextmanager
async def session(
    resolver: AbstractResolver | None = None,
) -> AsyncGenerator[aiohttp.ClientSession]:
    """Open connections of the relay's own: none is shared with those to LINE."""
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(resolver),
        use_dns_cache=False,  # each connection's name is looked up, and checked, anew
        limit=0,  # the crew bounds each target; a slow one must not hold others' places
        keepalive_timeout=15,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as opened:
        yield opened


async def post(
    http: aiohttp.ClientSession, where: Destination, body: bytes, signature: str
) -> Outcome:
    """Post `body` with LINE's signature; redirects are not followed, 2xx means taken."""
    try:
        check_url(where.url)  # the settings, or the rules, may have changed since it was saved
    except Wrong:
        return Outcome(None, "refused_url")
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Hiiki-Relay/1",
        "Accept-Encoding": "identity",
    }
    if where.header is not None:
        headers[where.header[0]] = where.header[1]
    headers[HEADER] = signature
    try:
        async with http.post(
            where.url, data=body, headers=headers, allow_redirects=False
        ) as response:
            status = response.status
            if 200 <= status < 300:
                # What it says does not matter, nor whether it gets to the end of it.
                with suppress(aiohttp.ClientError, TimeoutError, OSError):
                    await response.content.read(READ_AT_MOST)
                return Outcome(status, None)
            return Outcome(status, "redirect" if 300 <= status < 400 else "status")
    except TimeoutError:
        return Outcome(None, "timeout")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Outcome(None, _problem(error))


def _problem(error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Refused):
            return "not_public"
        if isinstance(seen, aiohttp.ClientSSLError | ssl.SSLError):
            return "certificate"
        seen = getattr(seen, "os_error", None) or seen.__cause__
    return "unreachable"
