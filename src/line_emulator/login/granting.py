"""From authorization code to access token, and what becomes of the token (LINE Login reference)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import string

from ..api.operation import Answer, Call, LineError, answer
from ..model import Json, User
from ..platform import Platform
from ..tokens.form import refuse
from .idtokens import NotVerified, audience, id_token, verified
from .store import Code, LoginChannel, UserToken, logins

CODE_SECONDS = 600
ACCESS_SECONDS = 30 * 24 * 3600
REFRESH_SECONDS = 90 * 24 * 3600
LIFF_ACCESS_SECONDS = 12 * 3600
"""An access token of LIFF lives 12 hours (LIFF reference, "liff.getAccessToken()")."""

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_LETTERS = string.ascii_letters + string.digits
_HEADER = "eyJhbGciOiJIUzI1NiJ9"
_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def letters(count: int) -> str:
    """Random letters and digits: codes and refresh tokens."""
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def scope_text(scopes: list[str]) -> str:
    """The scopes as answers show them: never `email` (reference, "Issue access token")."""
    return " ".join(one for one in scopes if one != "email")


def new_token(
    platform: Platform,
    channel: LoginChannel,
    user: User,
    scopes: list[str],
    *,
    liff_id: str | None = None,
    chat_channel: str | None = None,
    chat_id: str | None = None,
) -> UserToken:
    """Issue a user's access token; one of a LIFF app cannot be refreshed and lives shorter."""
    now = platform.clock.now()
    liff = liff_id is not None
    token = UserToken(
        token=f"{_HEADER}.{secrets.token_urlsafe(96)}.{secrets.token_urlsafe(32)}",
        channel_id=channel.id,
        user_id=user.id,
        scopes=list(scopes),
        expires_at=now + (LIFF_ACCESS_SECONDS if liff else ACCESS_SECONDS),
        refresh_token=None if liff else letters(20),
        refresh_until=0.0 if liff else now + REFRESH_SECONDS,
        liff_id=liff_id,
        chat_channel=chat_channel,
        chat_id=chat_id,
    )
    logins(platform).put_user_token(token, now)
    return token


# Issuing


def issue(call: Call, fields: dict[str, str]) -> Answer:
    """Issue access token, for an authorization code."""
    platform = call.platform
    channel = _channel(call, fields)
    code = _code(call, channel, fields)
    _prove(code, fields)
    code.used = True
    user = platform.users.get(code.user_id)
    if user is None:
        refuse("invalid_grant", "invalid authorization code")
    token = new_token(platform, channel, user, code.scopes, liff_id=code.liff_id)
    body: Json = {"access_token": token.token, "token_type": "Bearer"}
    if token.refresh_token is not None:
        body["refresh_token"] = token.refresh_token
    body["expires_in"] = round(token.expires_at - platform.clock.now())
    body["scope"] = scope_text(token.scopes)
    if "openid" in token.scopes:
        body["id_token"] = id_token(
            platform,
            channel,
            user,
            token.scopes,
            amr=code.amr,
            nonce=code.nonce,
            auth_time=code.auth_time,
            # What LINE's own SDKs for apps and LIFF send to get ES256.
            es256=code.liff_id is not None or fields.get("id_token_key_type") == "JWK",
        )
    return answer(body)


def _channel(call: Call, fields: dict[str, str]) -> LoginChannel:
    for name in ("code", "redirect_uri", "client_id"):
        if not fields.get(name):
            refuse("invalid_request", "some parameters missed or invalid")
    channel = logins(call.platform).channels.get(fields["client_id"])
    if channel is None:
        refuse("invalid_client", "invalid client_id")
    return channel


def _code(call: Call, channel: LoginChannel, fields: dict[str, str]) -> Code:
    code = logins(call.platform).codes.get(fields["code"])
    # LIFF apps have no secret to give: they prove themselves by PKCE alone.
    if code is None or code.liff_id is None or code.challenge is None:
        check_secret(channel, fields)
    if code is None or code.used or code.channel_id != channel.id:
        refuse("invalid_grant", "invalid authorization code")
    if code.expires_at <= call.platform.clock.now():
        refuse("invalid_grant", "authorization code expired")
    if code.redirect_uri != fields["redirect_uri"]:
        refuse("invalid_grant", "redirect_uri does not match")
    return code


def check_secret(channel: LoginChannel, fields: dict[str, str]) -> None:
    """Raise LINE's error unless the fields have the channel's secret."""
    given = fields.get("client_secret", "").encode()
    if not secrets.compare_digest(given, channel.secret.encode()):
        refuse("invalid_client", "invalid client_secret")


def _prove(code: Code, fields: dict[str, str]) -> None:
    """PKCE: the verifier must hash to the challenge (docs, "PKCE support for LINE Login")."""
    verifier = fields.get("code_verifier")
    if code.challenge is None:
        return
    if not verifier or not _VERIFIER.fullmatch(verifier):
        refuse("invalid_request", "invalid code_verifier")
    digest = hashlib.sha256(verifier.encode()).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
        refuse("invalid_grant", "code_verifier does not match")


def refresh(call: Call, fields: dict[str, str]) -> Answer:
    """Refresh access token: a new access token, with the same refresh token."""
    platform = call.platform
    drawer = logins(platform)
    channel = drawer.channels.get(fields.get("client_id", ""))
    if channel is None:
        refuse("invalid_client", "invalid client_id")
    if channel.web_only:
        check_secret(channel, fields)
    given = fields.get("refresh_token", "")
    old = drawer.tokens.get(drawer.refresh_tokens.get(given, ""))
    now = platform.clock.now()
    if (
        old is None
        or old.revoked
        or old.channel_id != channel.id
        or old.refresh_until <= now
        or old.user_id not in platform.users
    ):
        refuse("invalid_grant", "invalid refresh token")
    fresh = new_token(platform, channel, platform.users[old.user_id], old.scopes)
    # The refresh token stays, and so does its end (reference, "Refresh access token").
    drawer.refresh_tokens.pop(fresh.refresh_token or "", None)
    fresh.refresh_token, fresh.refresh_until = given, old.refresh_until
    drawer.refresh_tokens[given] = fresh.token
    old.refresh_token = None
    return answer(
        {
            "token_type": "Bearer",
            "scope": scope_text(fresh.scopes),
            "access_token": fresh.token,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": given,
        }
    )


# Verifying and revoking


def verify(call: Call, token: str) -> Answer:
    """Verify access token validity."""
    if not _JWS.fullmatch(token):
        refuse("invalid_request", "The access token not JWS")
    known = logins(call.platform).tokens.get(token)
    if known is None:
        refuse("invalid_request", "The access token malformed")
    if known.revoked:
        refuse("invalid_request", "The access token revoked")
    left = known.expires_at - call.platform.clock.now()
    if left <= 0:
        refuse("invalid_request", "The access token expired")
    return answer(
        {"scope": scope_text(known.scopes), "client_id": known.channel_id, "expires_in": int(left)}
    )


def revoke(call: Call, channel: LoginChannel, token: str) -> None:
    """Revoke access token. Another channel's token is left alone."""
    known = logins(call.platform).tokens.get(token)
    if known is not None and known.channel_id == channel.id:
        known.revoked = True


def verify_id_token(call: Call, fields: dict[str, str]) -> Answer:
    """Verify ID token: its payload, or why it is not to be trusted."""
    text, client_id = fields.get("id_token", ""), fields.get("client_id", "")
    if not text or not client_id:
        refuse("invalid_request", "some parameters missed or invalid")
    channels = logins(call.platform).channels
    if client_id not in channels:
        refuse("invalid_request", "Invalid IdToken Audience.")
    owner = channels.get(audience(text) or "")
    try:
        claims = verified(call.platform, owner, text)
    except NotVerified:
        refuse("invalid_request", "Invalid IdToken.")
    if claims.get("iss") != channels[client_id].issuer:
        refuse("invalid_request", "Invalid IdToken Issuer.")
    expires = claims.get("exp")
    if not isinstance(expires, (int, float)) or expires <= call.platform.clock.now():
        refuse("invalid_request", "IdToken expired.")
    if claims.get("aud") != client_id:
        refuse("invalid_request", "Invalid IdToken Audience.")
    if "nonce" in fields and claims.get("nonce") != fields["nonce"]:
        refuse("invalid_request", "Invalid IdToken Nonce.")
    if "user_id" in fields and claims.get("sub") != fields["user_id"]:
        refuse("invalid_request", "Invalid IdToken Subject Identifier.")
    return answer(claims)


# Using


def bearer(call: Call, *needed: str) -> tuple[LoginChannel, User, UserToken]:
    """Whose access token the request brings, with one of the scopes `needed`. Raises LineError."""
    text = call.bearer()
    drawer = logins(call.platform)
    token = drawer.tokens.get(text)
    user = call.platform.users.get(token.user_id) if token else None
    if not text:
        raise LineError(401, "The request does not have an Authorization header")
    if token is None or user is None or token.revoked:
        raise LineError(401, "The access token revoked" if token else "invalid token")
    if token.expires_at <= call.platform.clock.now():
        raise LineError(401, "The access token expired")
    if not set(needed) & set(token.scopes):
        raise LineError(403, "The user doesn't grant required permissions yet")
    return drawer.channels[token.channel_id], user, token
