"""What every answer carries against misuse, and the token against forged requests."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.types import Message, Scope

from hiiki.kit.pages import FLASH_COOKIE
from hiiki.settings import settings


def content_security_policy() -> str:
    """Return the policy: everything from here, pictures from any https address.

    An emulator on this machine serves profile pictures by http; then its address is
    allowed as well.
    """
    images = "img-src 'self' data: blob: https:"
    line = urlsplit(settings().line_api)
    if line.scheme == "http":
        images += f" http://{line.netloc}"
    return "; ".join(
        [
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            images,
            "media-src 'self' https:",
            "font-src 'self'",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def csrf_config() -> CSRFConfig:
    """Return how forged requests are told apart; all web processes share the key file's secret."""
    secret = hmac.new(settings().sealing_key(), b"csrf", hashlib.sha256).hexdigest()
    return CSRFConfig(
        secret=secret,
        cookie_name="hiiki_csrf",
        cookie_secure=settings().cookies_are_secure,
        cookie_httponly=True,
        cookie_samesite="lax",
    )


class AnswerHeaders:
    """Hook before each answer is sent: security headers, caching, and the flash's end."""

    def __init__(self) -> None:
        self._headers = {
            "content-security-policy": content_security_policy(),
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "strict-origin-when-cross-origin",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }
        if settings().public_url.startswith("https://"):
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers: Any = MutableScopeHeaders.from_message(message)
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        headers.setdefault(
            "cache-control",
            "no-store" if scope["path"].startswith("/api/") else "private, no-cache",
        )
        if scope["state"].get("flash_shown"):
            gone = Cookie(key=FLASH_COOKIE, value="", max_age=0, httponly=True, samesite="lax")
            headers.add("set-cookie", gone.to_header(header=""))
