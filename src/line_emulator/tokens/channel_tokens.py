"""Issuing, verifying and revoking channel access tokens: short-lived, stateless and v2.1.

Long-lived tokens are given out with the channel, as on LINE's console. LINE Login channels have
tokens too; the LIFF server API and "Deauthorize" ask for them.
"""

from __future__ import annotations

import re
import secrets

from ..api.operation import Answer, Call, LineError, answer
from ..model import IssuedToken, Json
from ..platform import Platform
from .assertion import TOKEN_SECONDS, whole, whose
from .form import refuse
from .store import Issuer, issuer, issuer_of

SHORT_LIVED_SECONDS = 30 * 24 * 3600
STATELESS_SECONDS = 15 * 60
MAX_SHORT_LIVED = 30
"""When one more is issued, the oldest is revoked (reference, "Issue short-lived …")."""
MAX_V2_1 = 30
"""When one more is asked for, it is refused (reference, "Issue channel access token v2.1")."""
LONG_LIVED_REMAINS = 3_138_007_490
"""What LINE's own example says a long-lived token has left, in seconds."""

_OPAQUE = re.compile(r"[A-Za-z0-9+/=_.\-]{20,}")
_JWS_HEADER = "eyJhbGciOiJIUzI1NiJ9"  # {"alg":"HS256"}
_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def new_jws() -> str:
    """A fresh token in the form of a JWS; like LINE's, it is to be taken as opaque."""
    return f"{_JWS_HEADER}.{secrets.token_urlsafe(120)}.{secrets.token_urlsafe(32)}"


def check_jws(token: str) -> None:
    """Raise LINE's error for what does not even look like a JWS."""
    if not _JWS.fullmatch(token):
        refuse("invalid_request", "The access token not JWS")


def client(call: Call, fields: Json, *, stateless: bool) -> Issuer:
    """The channel that gives its id and secret. Raises LineError for wrong ones."""
    found = issuer(call.platform, fields.get("client_id", ""))
    if found is None or not secrets.compare_digest(
        fields.get("client_secret", "").encode(), found.secret.encode()
    ):
        if stateless:
            refuse("invalid_request", "Invalid 'client_credentials'.")
        refuse("invalid_client", f"invalid {'client_id' if found is None else 'client_secret'}")
    return found


def wants_client_credentials(fields: Json) -> None:
    """Raise LINE's error for another grant type."""
    given = fields.get("grant_type")
    if given != "client_credentials":
        refuse("unsupported_grant_type" if given else "invalid_request", "unsupported grant type")


def issue_short_lived(call: Call, fields: Json) -> Answer:
    """Issue short-lived channel access token."""
    wants_client_credentials(fields)
    owner = client(call, fields, stateless=False)
    _forget_expired(call.platform, owner)
    short = [one.token for one in owner.tokens.values() if one.kind == "short-lived"]
    for oldest in short[: max(0, len(short) - MAX_SHORT_LIVED + 1)]:
        owner.drop(oldest)
    return _issued(call, owner, "short-lived", SHORT_LIVED_SECONDS, call.platform.new_token())


def issue_stateless(call: Call, fields: Json) -> Answer:
    """Issue stateless channel access token, by the secret or by an assertion."""
    wants_client_credentials(fields)
    if "client_assertion" in fields or "client_assertion_type" in fields:
        owner, _ = whose(call.platform, fields)
    else:
        owner = client(call, fields, stateless=True)
    _forget_expired(call.platform, owner)
    return _issued(call, owner, "stateless", STATELESS_SECONDS, new_jws())


def issue_v2_1(call: Call, fields: Json) -> Answer:
    """Issue channel access token v2.1."""
    wants_client_credentials(fields)
    owner, claims = whose(call.platform, fields)
    lifetime = whole(claims.get("token_exp"))
    if not 1 <= lifetime <= TOKEN_SECONDS:
        refuse("invalid_client", "Invalid token_exp")
    _forget_expired(call.platform, owner)
    if len(_living_v2_1(call.platform, owner)) >= MAX_V2_1:
        raise LineError(400, "The maximum number of access tokens has already been issued")
    return _issued(call, owner, "v2.1", lifetime, new_jws(), secrets.token_urlsafe(16))


def _issued(
    call: Call, owner: Issuer, kind: str, lifetime: int, token: str, key_id: str | None = None
) -> Answer:
    expires_at = call.platform.clock.now() + lifetime
    owner.keep(IssuedToken(token, kind, expires_at, key_id))  # pyright: ignore[reportArgumentType]
    body: Json = {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}
    return answer(body if key_id is None else body | {"key_id": key_id})


def _forget_expired(platform: Platform, owner: Issuer) -> None:
    now = platform.clock.now()
    for one in list(owner.tokens.values()):
        # Expired v2.1 tokens are remembered for a month, to be called expired and not unknown.
        kept = TOKEN_SECONDS if one.kind == "v2.1" else 0
        if one.expires_at is not None and one.expires_at + kept <= now:
            owner.drop(one.token)


def _living_v2_1(platform: Platform, owner: Issuer) -> list[IssuedToken]:
    now = platform.clock.now()
    return [
        one
        for one in owner.tokens.values()
        if one.kind == "v2.1" and one.expires_at is not None and one.expires_at > now
    ]


def valid_key_ids(call: Call) -> Answer:
    """Get all valid channel access token key IDs v2.1."""
    owner, _ = whose(call.platform, call.query)
    kids = [one.key_id for one in _living_v2_1(call.platform, owner)]
    return answer({"kids": kids})


def verify_v2_1(call: Call, token: str) -> Answer | None:
    """What is known of a v2.1 token, or None if it is none. Raises LineError if it expired."""
    owner = issuer_of(call.platform, token)
    issued = owner.tokens.get(token) if owner else None
    if owner is None or issued is None or issued.kind != "v2.1" or issued.expires_at is None:
        return None
    left = issued.expires_at - call.platform.clock.now()
    if left <= 0:
        refuse("invalid_request", "The access token expired")
    return answer(
        {"client_id": owner.id, "expires_in": int(left), "scope": "profile chat_message.write"}
    )


def revoke_v2_1(owner: Issuer, token: str) -> bool:
    """Revoke a v2.1 token of this channel; False if it is none."""
    issued = owner.tokens.get(token)
    if issued is None or issued.kind != "v2.1":
        return False
    owner.drop(token)
    return True


def verify(call: Call, token: str) -> Answer:
    """Verify the validity of short-lived and long-lived channel access tokens."""
    if not _OPAQUE.fullmatch(token):
        refuse("invalid_request", "access_token in invalid format")
    owner = issuer_of(call.platform, token)
    issued = owner.tokens.get(token) if owner else None
    now = call.platform.clock.now()
    if owner is None or issued is None or issued.kind not in ("short-lived", "long-lived"):
        refuse("invalid_request", "access_token invalid")
    if issued.expires_at is not None and issued.expires_at <= now:
        refuse("invalid_request", "access_token invalid")
    left = LONG_LIVED_REMAINS if issued.expires_at is None else int(issued.expires_at - now)
    return answer({"client_id": owner.id, "expires_in": left, "scope": "P CM"})


def revoke(call: Call, token: str) -> Answer:
    """Revoke a short-lived or long-lived token; an unknown one is no error."""
    if not _OPAQUE.fullmatch(token):
        refuse("invalid_request")
    owner = issuer_of(call.platform, token)
    if owner is not None and owner.tokens[token].kind in ("short-lived", "long-lived"):
        owner.drop(token)
    return Answer(b"")
