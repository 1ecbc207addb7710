"""The token endpoints. LINE Login shares those of version 2.1 with channel access tokens.

Reference, "Channel access token"; LINE Login reference, "OAuth".
"""

from __future__ import annotations

from ..api.operation import Answer, Call, operation
from ..limits import PER_SECOND_370
from ..login import granting
from ..login.cors import open_to_pages
from ..login.store import LoginChannel
from . import channel_tokens
from .form import form, refuse
from .store import issuer


@operation("POST", "/v2/oauth/accessToken", auth=False, body="form", limit=PER_SECOND_370)
async def issue_short_lived(call: Call) -> Answer:
    """Issue short-lived channel access token."""
    return channel_tokens.issue_short_lived(call, form(call))


@operation("POST", "/v2/oauth/verify", auth=False, body="form")
async def verify(call: Call) -> Answer:
    """Verify the validity of short-lived and long-lived channel access tokens."""
    return channel_tokens.verify(call, form(call).get("access_token", ""))


@operation("POST", "/v2/oauth/revoke", auth=False, body="form")
async def revoke(call: Call) -> Answer:
    """Revoke short-lived or long-lived channel access token."""
    return channel_tokens.revoke(call, form(call).get("access_token", ""))


@operation("POST", "/oauth2/v3/token", auth=False, body="form")
async def issue_stateless(call: Call) -> Answer:
    """Issue stateless channel access token."""
    return channel_tokens.issue_stateless(call, form(call))


@operation("POST", "/oauth2/v2.1/token", auth=False, body="form")
@open_to_pages
async def issue_v2_1(call: Call) -> Answer:
    """Issue channel access token v2.1; issue or refresh a user's access token (LINE Login)."""
    fields = form(call)
    kind = fields.get("grant_type")
    if kind == "authorization_code":
        return granting.issue(call, fields)
    if kind == "refresh_token":
        return granting.refresh(call, fields)
    return channel_tokens.issue_v2_1(call, fields)


@operation("GET", "/oauth2/v2.1/verify", auth=False)
@open_to_pages
async def verify_v2_1(call: Call) -> Answer:
    """Verify channel access token v2.1, or a user's access token (LINE Login)."""
    token = call.query.get("access_token", "")
    return channel_tokens.verify_v2_1(call, token) or granting.verify(call, token)


@operation("POST", "/oauth2/v2.1/verify", auth=False, body="form")
@open_to_pages
async def verify_id_token(call: Call) -> Answer:
    """Verify ID token (LINE Login)."""
    return granting.verify_id_token(call, form(call))


@operation("POST", "/oauth2/v2.1/revoke", auth=False, body="form")
@open_to_pages
async def revoke_v2_1(call: Call) -> Answer:
    """Revoke channel access token v2.1, or a user's access token (LINE Login)."""
    fields = form(call)
    token = fields.get("access_token", "")
    owner = issuer(call.platform, fields.get("client_id", ""))
    if owner is None:
        refuse("invalid_client", "invalid client_id")
    channel = owner.channel
    if not isinstance(channel, LoginChannel) or channel.web_only:
        channel_tokens.client(call, fields, stateless=False)
    channel_tokens.check_jws(token)
    if not channel_tokens.revoke_v2_1(owner, token) and isinstance(channel, LoginChannel):
        granting.revoke(call, channel, token)
    return Answer(b"")


@operation("GET", "/oauth2/v2.1/tokens/kid", auth=False)
async def valid_key_ids(call: Call) -> Answer:
    """Get all valid channel access token key IDs v2.1."""
    return channel_tokens.valid_key_ids(call)
