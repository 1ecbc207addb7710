"""Channel access tokens (reference, "Channel access token"): short-lived and stateless ones.

Long-lived tokens are given out with the channel, as on LINE's console.
"""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import parse_qsl

from ..limits import PER_SECOND_370, PER_SECOND_2000
from ..model import Channel, IssuedToken
from .operation import Answer, Call, LineError, answer, operation

SHORT_LIVED_SECONDS = 30 * 24 * 3600
STATELESS_SECONDS = 15 * 60
MAX_SHORT_LIVED = 30
"""When one more is issued, the oldest is revoked (reference, "Issue short-lived …")."""
LONG_LIVED_REMAINS = 3_138_007_490
"""What LINE's own example says a long-lived token has left, in seconds."""

_TOKEN = re.compile(r"[A-Za-z0-9+/=_.\-]{20,}")


def _form(call: Call) -> dict[str, str]:
    try:
        return dict(parse_qsl(call.body.decode("utf-8"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        _refuse("invalid_request", "The request body could not be read")


def _refuse(error: str, description: str | None = None) -> NoReturn:
    body = {"error": error}
    if description is not None:
        body["error_description"] = description
    raise LineError(400, body)


def _issue(call: Call, kind: str) -> Answer:
    form = _form(call)
    stateless = kind == "stateless"
    if form.get("grant_type") != "client_credentials":
        _refuse("unsupported_grant_type" if form.get("grant_type") else "invalid_request",
                "unsupported grant type")  # fmt: skip
    if "client_assertion" in form:
        # No assertion signing key is registered with any channel here.
        raise LineError(404, "Cannot find channel key that satisfies the conditions")
    channel = call.platform.channels.get(form.get("client_id", ""))
    if channel is None:
        _refuse("invalid_request", "Invalid 'client_credentials'.") if stateless else _refuse(
            "invalid_client", "invalid client_id"
        )
    if form.get("client_secret") != channel.secret:
        _refuse("invalid_request", "Invalid 'client_credentials'.") if stateless else _refuse(
            "invalid_client", "invalid client_secret"
        )
    lifetime = STATELESS_SECONDS if stateless else SHORT_LIVED_SECONDS
    now = call.platform.clock.now()
    _forget_expired(call, channel, now)
    issued = IssuedToken(
        call.platform.new_token(), "stateless" if stateless else "short-lived", now + lifetime
    )
    call.platform.keep_token(channel, issued)
    return answer({"access_token": issued.token, "expires_in": lifetime, "token_type": "Bearer"})


def _forget_expired(call: Call, channel: Channel, now: float) -> None:
    held = list(channel.tokens.values())
    expired = [one for one in held if one.expires_at is not None and one.expires_at <= now]
    short = [one for one in held if one.kind == "short-lived" and one not in expired]
    for one in expired + short[: max(0, len(short) - MAX_SHORT_LIVED + 1)]:
        call.platform.drop_token(channel, one.token)


@operation("POST", "/v2/oauth/accessToken", auth=False, body="form", limit=PER_SECOND_370)
async def issue_short_lived(call: Call) -> Answer:
    """Issue short-lived channel access token."""
    return _issue(call, "short-lived")


@operation("POST", "/oauth2/v3/token", auth=False, body="form", limit=PER_SECOND_2000)
async def issue_stateless(call: Call) -> Answer:
    """Issue stateless channel access token."""
    return _issue(call, "stateless")


@operation("POST", "/v2/oauth/verify", auth=False, body="form")
async def verify(call: Call) -> Answer:
    """Verify the validity of short-lived and long-lived channel access tokens."""
    token = _form(call).get("access_token", "")
    if not _TOKEN.fullmatch(token):
        _refuse("invalid_request", "access_token in invalid format")
    channel = call.platform.channel_by_token.get(token)
    issued = channel.tokens[token] if channel else None
    now = call.platform.clock.now()
    if channel is None or issued is None or issued.kind == "stateless":
        _refuse("invalid_request", "access_token invalid")
    if issued.expires_at is not None and issued.expires_at <= now:
        _refuse("invalid_request", "access_token invalid")
    left = LONG_LIVED_REMAINS if issued.expires_at is None else int(issued.expires_at - now)
    return answer({"client_id": channel.id, "expires_in": left, "scope": "P CM"})


@operation("POST", "/v2/oauth/revoke", auth=False, body="form")
async def revoke(call: Call) -> Answer:
    """Revoke a short-lived or long-lived token; an unknown one is no error."""
    token = _form(call).get("access_token", "")
    if not _TOKEN.fullmatch(token):
        _refuse("invalid_request")
    channel = call.platform.channel_by_token.get(token)
    if channel is not None and channel.tokens[token].kind != "stateless":
        call.platform.drop_token(channel, token)
    return Answer(b"")
