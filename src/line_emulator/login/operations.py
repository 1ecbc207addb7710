"""What an access token of LINE Login opens, the keys of ID tokens, and "Deauthorize"."""

from __future__ import annotations

from ..api.operation import Answer, Call, LineError, answer, operation
from ..model import Friendship, Json
from ..validation.core import obj, string
from .cors import open_to_pages
from .granting import bearer
from .idtokens import public_keys
from .store import LoginChannel, UserToken, login_channel, logins

_DEAUTHORIZE = obj({"userAccessToken": string})


@operation("GET", "/v2/profile", auth=False, limit=None)
@open_to_pages
async def profile(call: Call) -> Answer:
    """Get user profile."""
    _, user, _ = bearer(call, "profile")
    body: Json = {"userId": user.id, "displayName": user.name}
    picture = call.platform.picture_url(user)
    if picture is not None:
        body["pictureUrl"] = picture
    if user.status_message is not None:
        body["statusMessage"] = user.status_message
    return answer(body)


async def _userinfo(call: Call) -> Answer:
    _, user, token = bearer(call, "openid")
    body: Json = {"sub": user.id}
    if "profile" in token.scopes:
        body["name"] = user.name
        picture = call.platform.picture_url(user)
        if picture is not None:
            body["picture"] = picture
    return answer(body)


@operation("GET", "/oauth2/v2.1/userinfo", auth=False, limit=None)
@open_to_pages
async def get_userinfo(call: Call) -> Answer:
    """Get user information."""
    return await _userinfo(call)


@operation("POST", "/oauth2/v2.1/userinfo", auth=False, limit=None)
@open_to_pages
async def post_userinfo(call: Call) -> Answer:
    """Get user information, by POST as OpenID Connect allows."""
    return await _userinfo(call)


@operation("GET", "/friendship/v1/status", auth=False, limit=None)
@open_to_pages
async def friendship_status(call: Call) -> Answer:
    """Get friendship status with the account that is linked to the login channel."""
    channel, user, _ = bearer(call, "profile")
    account = call.platform.channels.get(channel.linked_channel or "")
    if account is None:
        raise LineError(400, "There is no login bot linked to this channel.")
    return answer({"friendFlag": account.friendship(user.id) is Friendship.FRIEND})


@operation("GET", "/oauth2/v2.1/certs", auth=False, limit=None)
@open_to_pages
async def certs(call: Call) -> Answer:
    """The public keys of ES256 ID tokens, as a JWK set."""
    return answer(public_keys(call.platform))


@operation("GET", "/.well-known/openid-configuration", auth=False, limit=None)
@open_to_pages
async def configuration(call: Call) -> Answer:
    """OpenID provider configuration: LINE's issuer, with the emulator's addresses."""
    base = call.platform.base_url
    channel = login_channel(call.platform)
    assert channel is not None
    return answer(
        {
            "issuer": channel.issuer,
            "authorization_endpoint": f"{base}/oauth2/v2.1/authorize",
            "token_endpoint": f"{base}/oauth2/v2.1/token",
            "revocation_endpoint": f"{base}/oauth2/v2.1/revoke",
            "userinfo_endpoint": f"{base}/oauth2/v2.1/userinfo",
            "jwks_uri": f"{base}/oauth2/v2.1/certs",
            "scopes_supported": ["openid", "profile", "email"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post", "query.jwt", "form_post.jwt", "jwt"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


def channel_of_bearer(call: Call, *kinds: str) -> LoginChannel:
    """The login channel whose access token of one of these kinds the request brings.

    Raises LineError: 401 for a wrong token, 403 for one of another sort of channel or kind.
    """
    text = call.bearer()
    drawer = logins(call.platform)
    channel = drawer.channels.get(drawer.owners.get(text, ""))
    issued = channel.tokens.get(text) if channel else None
    if channel is None or issued is None:
        if text in call.platform.channel_by_token:
            raise LineError(
                403, "Access to this API is not available: use a token of a LINE Login channel"
            )
        reason = "invalid token. " if text else "missing bearer token. "
        raise LineError(
            401,
            f"Authentication failed due to the following reason: {reason}"
            "Confirm that the access token in the authorization header is valid.",
        )
    if issued.expires_at is not None and issued.expires_at <= call.platform.clock.now():
        raise LineError(
            401, "Authentication failed due to the following reason: Access token expired"
        )
    if issued.kind not in kinds:
        raise LineError(403, f"A {issued.kind} channel access token cannot be used here")
    return channel


@operation("POST", "/user/v1/deauthorize", auth=False, body="json", limit=None)
async def deauthorize(call: Call) -> Answer:
    """Deauthorize the app: what the user granted the channel, LIFF apps included, is void."""
    channel = channel_of_bearer(call, "v2.1", "stateless")
    text = call.json(_DEAUTHORIZE)["userAccessToken"]
    token = logins(call.platform).tokens.get(text)
    now = call.platform.clock.now()
    if token is None or token.channel_id != channel.id or token.revoked or token.expires_at <= now:
        raise LineError(400, "invalid token")
    withdraw(logins(call.platform).tokens, channel, token.user_id)
    return Answer(b"", 204)


def withdraw(tokens: dict[str, UserToken], channel: LoginChannel, user_id: str) -> None:
    """Void all that a person granted the channel, and all tokens that came of it."""
    channel.grants.pop(user_id, None)
    channel.asked.pop(user_id, None)
    for token in tokens.values():
        if token.user_id == user_id and token.channel_id == channel.id:
            token.revoked = True
