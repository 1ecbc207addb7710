"""ID tokens: HS256 with the channel secret for web login, ES256 for LIFF and whoever asks for it.

Docs, "Get profile information from ID tokens". The key pair comes from the emulator's seed: it
protects nothing, and stays the same after a reset.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from ..ids import seeded_hex
from ..model import Json, User
from ..platform import Platform
from .store import LoginChannel

ID_TOKEN_SECONDS = 3600
"""An ID token is valid for an hour (LIFF reference, "liff.getIDToken()")."""
ENCODING = "HS256"
_UNCHECKED = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}
"""PyJWT looks at the signature only; times are judged by the emulated clock."""


class NotVerified(Exception):
    """A token whose form or signature is wrong."""


@functools.cache
def _key(seed: int) -> tuple[ec.EllipticCurvePrivateKey, str]:
    number = int(seeded_hex(seed, "es256", 0) + seeded_hex(seed, "es256", 1), 16)
    # The curve's order begins with 32 one-bits; halving keeps every number below it.
    private = ec.derive_private_key((number >> 1) + 1, ec.SECP256R1())
    return private, seeded_hex(seed, "kid", 0) + seeded_hex(seed, "kid", 1)


def public_keys(platform: Platform) -> Json:
    """The JWK set by which ES256 tokens are checked."""
    private, kid = _key(platform.setup.seed)
    key: Json = json.loads(ECAlgorithm.to_jwk(private.public_key()))
    return {"keys": [key | {"kid": kid, "alg": "ES256", "use": "sig"}]}


def email_of(user: User) -> str | None:
    """The person's email address: their attribute `email`, or one made up; None if it is null."""
    attributes = user.attributes or {}
    if "email" in attributes:
        given = attributes["email"]
        return given if isinstance(given, str) and given else None
    return f"user{user.index + 1}@example.com"


def id_token(
    platform: Platform,
    channel: LoginChannel,
    user: User,
    scopes: list[str],
    *,
    amr: list[str],
    nonce: str | None = None,
    auth_time: int | None = None,
    es256: bool = False,
) -> str:
    """A signed ID token with what the scopes allow."""
    now = int(platform.clock.now())
    claims: Json = {
        "iss": channel.issuer,
        "sub": user.id,
        "aud": channel.id,
        "exp": now + ID_TOKEN_SECONDS,
        "iat": now,
    }
    if auth_time is not None:
        claims["auth_time"] = auth_time
    if nonce is not None:
        claims["nonce"] = nonce
    claims["amr"] = amr
    if "profile" in scopes:
        claims["name"] = user.name
        picture = platform.picture_url(user)
        if picture is not None:
            claims["picture"] = picture
    email = email_of(user) if "email" in scopes else None
    if email is not None:
        claims["email"] = email
    if es256:
        private, kid = _key(platform.setup.seed)
        return jwt.encode(claims, private, algorithm="ES256", headers={"kid": kid})
    return jwt.encode(claims, channel.secret, algorithm=ENCODING)


def signed(channel: LoginChannel, claims: Json) -> str:
    """Claims signed with the channel secret, as in JWT response modes."""
    return jwt.encode(claims, channel.secret, algorithm=ENCODING)


def verified(platform: Platform, channel: LoginChannel | None, token: str) -> Json:
    """The claims of a token that is rightly signed. Raises NotVerified.

    `channel` is whose secret to try for HS256; without one no such token can be verified.
    """
    try:
        algorithm = jwt.get_unverified_header(token).get("alg")
        key: Any
        if algorithm == "ES256":
            key = _key(platform.setup.seed)[0].public_key()
        elif algorithm == ENCODING and channel is not None:
            key = channel.secret
        else:
            raise NotVerified
        return jwt.decode(token, key, algorithms=[algorithm], options=_UNCHECKED)  # pyright: ignore
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise NotVerified from None


def audience(token: str) -> str | None:
    """Whom an unverified token says it is for, to know whose secret to try."""
    try:
        claims: Json = jwt.decode(token, options={"verify_signature": False} | _UNCHECKED)  # pyright: ignore
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    found = claims.get("aud")
    return found if isinstance(found, str) else None
