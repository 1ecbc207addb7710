"""Webhook settings (reference, "Webhook settings"): set, get and test the endpoint.

LINE wants HTTPS; `http` is allowed for local hosts only (see `hosts`).
"""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ..hosts import is_local
from ..limits import PER_HOUR_60, PER_MINUTE_1000
from ..validation.core import obj, string, utf16_length
from .operation import EMPTY, Answer, Call, LineError, answer, not_found, operation

MAX_URL = 500

_SET = obj({"endpoint": string})
_TEST = obj({}, {"endpoint": string})


def valid_webhook_url(url: str) -> bool:
    """Whether LINE (with the exception above) takes this as a webhook URL."""
    if utf16_length(url) > MAX_URL or any(ch.isspace() for ch in url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_local(host))


@operation("PUT", "/v2/bot/channel/webhook/endpoint", body="json", limit=PER_MINUTE_1000)
async def set_endpoint(call: Call) -> Answer:
    """Set webhook endpoint URL."""
    url = call.json(_SET)["endpoint"]
    if not valid_webhook_url(url):
        raise LineError(400, "Invalid webhook endpoint URL")
    call.channel.webhook_url = url
    return EMPTY


@operation("GET", "/v2/bot/channel/webhook/endpoint", limit=PER_MINUTE_1000)
async def get_endpoint(call: Call) -> Answer:
    """Get webhook endpoint information."""
    url = call.channel.webhook_url
    if url is None:
        not_found("Webhook endpoint not found")
    return answer({"endpoint": url, "active": call.channel.use_webhook})


@operation("POST", "/v2/bot/channel/webhook/test", body="json", limit=PER_HOUR_60)
async def test_endpoint(call: Call) -> Answer:
    """Test webhook endpoint: really post a signed, empty webhook and tell what came back."""
    given = call.json(_TEST).get("endpoint") if call.body.strip() else None
    url = given or call.channel.webhook_url
    if url is None:
        not_found("Webhook endpoint not found")
    if not valid_webhook_url(url) or not await _resolves(url):
        raise LineError(400, "Invalid webhook endpoint URL")
    poster = call.platform.webhooks
    status, reason, detail = await poster.post_once(
        call.channel, url, poster.body(call.channel, [])
    )
    moment = datetime.fromtimestamp(call.platform.clock.now(), UTC)
    return answer(
        {
            "success": reason == "OK",
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "statusCode": status,
            "reason": reason,
            "detail": detail,
        }
    )


async def _resolves(url: str) -> bool:
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    try:
        await loop.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return True
