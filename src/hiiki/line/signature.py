"""The signature that tells LINE's webhooks from anybody else's.

Messaging API, "Verify webhook signature": base64 of the HMAC-SHA256 of the raw body
with the channel secret as key, in the header `x-line-signature`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

HEADER = "x-line-signature"


def sign(secret: str, body: bytes) -> str:
    """Return the signature of `body` under the channel secret."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def verify(secret: str, body: bytes, header: str | None) -> bool:
    """True when `header` is the signature of the raw `body`; takes the same time either way."""
    given = (header or "").encode("utf-8", "replace")
    return hmac.compare_digest(sign(secret, body).encode(), given)
