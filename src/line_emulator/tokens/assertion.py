"""JWT assertions: how a channel proves itself with a key instead of its secret.

Docs, "Issue channel access token v2.1": RS256, a header with `kid`, and the claims iss, sub, aud,
exp (30 minutes at most) and token_exp (30 days at most).
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

import jwt

from ..api.operation import LineError
from ..model import Json
from ..platform import Platform
from .form import refuse
from .store import AssertionKeys, Issuer, issuer

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUDIENCE = "https://api.line.me/"
ASSERTION_SECONDS = 30 * 60
TOKEN_SECONDS = 30 * 24 * 3600
_KEY_BITS = 2048
_LONGEST = 20_000
"""No assertion is longer; what is, need not be looked at."""
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


class KeyRefused(ValueError):
    """A public key that LINE's console would not register; the text says why."""


def register(platform: Platform, channel_id: str, key: Json) -> str:
    """Register a public key with a channel, as on LINE's console, and return its `kid`.

    Raises KeyRefused (docs, "Create an assertion signing key").
    """
    if key.get("kty") != "RSA" or key.get("alg") != "RS256":
        raise KeyRefused("kty must be RSA and alg must be RS256")
    if "kid" in key:
        raise KeyRefused("the key must not have a kid: registering it gives one")
    if any(name in key for name in _PRIVATE):
        raise KeyRefused("this is a private key: register the public one")
    if key.get("use", "sig") != "sig" or key.get("key_ops", ["verify"]) != ["verify"]:
        raise KeyRefused('use must be "sig" or key_ops must be ["verify"]')
    if "use" not in key and "key_ops" not in key:
        raise KeyRefused("use or key_ops must be given")
    if _bits(key.get("n")) != _KEY_BITS or not 1 < _bits(key.get("e")) <= 64:
        raise KeyRefused("n must be a modulus of 2048 bits, and e its exponent")
    try:
        jwt.PyJWK(key)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise KeyRefused(f"the key cannot be used: {error}") from None
    kid = str(uuid.uuid4())
    keys = platform.store.of(AssertionKeys)
    keys.by_kid[kid] = {name: key[name] for name in ("kty", "alg", "n", "e")}
    keys.owner[kid] = channel_id
    return kid


def _bits(text: Any) -> int:
    if not isinstance(text, str) or len(text) > 1000:
        return 0
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return 0
    return int.from_bytes(data, "big").bit_length()


def _invalid(description: str) -> NoReturn:
    refuse("invalid_client", description)


def _no_key() -> NoReturn:
    raise LineError(404, "Cannot find channel key that satisfies the conditions")


def whose(platform: Platform, fields: Mapping[str, str]) -> tuple[Issuer, Json]:
    """The channel that an assertion proves, and its claims. Raises LineError."""
    if fields.get("client_assertion_type") != ASSERTION_TYPE:
        refuse("invalid_request", "invalid client_assertion_type")
    text = fields.get("client_assertion", "")
    if not text:
        refuse("invalid_request", "client_assertion is required")
    if len(text) > _LONGEST:
        _invalid("Invalid client_assertion")
    try:
        header = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        _invalid("Invalid client_assertion")
    if header.get("alg") != "RS256":
        _invalid("Invalid alg")
    keys = platform.store.of(AssertionKeys)
    kid = header.get("kid")
    key = keys.by_kid.get(kid) if isinstance(kid, str) else None
    owner = issuer(platform, keys.owner[kid]) if isinstance(kid, str) and key else None
    if key is None or owner is None:
        _no_key()
    try:
        # Times are judged below, by the emulated clock.
        claims: Json = jwt.decode(
            text,
            jwt.PyJWK(key),
            algorithms=["RS256"],
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        _invalid("Invalid signature")
    if claims.get("iss") != owner.id:
        _invalid("iss and clientId of key do not match")
    if claims.get("sub") != owner.id:
        _invalid("Invalid sub")
    if claims.get("aud") not in (AUDIENCE, [AUDIENCE]):
        _invalid("Invalid aud")
    now = platform.clock.now()
    if not now < whole(claims.get("exp")) <= now + ASSERTION_SECONDS + 1:
        _invalid("Invalid exp")
    return owner, claims


def whole(value: Any) -> int:
    """A whole number, also as digits in a string (LINE's own example has those); else -1."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return -1
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else -1
    return int(value) if -1e15 < value < 1e15 else -1
