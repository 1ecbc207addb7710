"""LINE Login v2.1 for web pages: where to send the browser, and who came back.

Rules from LINE's documents: "Integrating LINE Login with your web app" (state, nonce, scopes,
`bot_prompt`), "PKCE support for LINE Login", "Get profile information from ID tokens" (what is
checked of the token), "LINE Login security checklist", and the LINE Login v2.1 API reference.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
import jwt
import orjson

from hiiki.line.client import LineError
from hiiki.line.http import http
from hiiki.settings import settings

ISSUER = "https://access.line.me"
SKEW = 30
"""Seconds by which this machine's clock may differ from LINE's."""
LANGUAGES = ("ja", "en", "zh-TW", "th")
"""Languages of this server's pages for customers, as `ui_locales` takes them."""


class BadLogin(Exception):
    """What came back is no proof of who it is; the message is for the log."""


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """One attempt to log in: what must come back as it went out. Never used twice."""

    state: str
    nonce: str
    verifier: str

    @staticmethod
    def new() -> LoginRequest:
        """Return fresh random values: letters and digits for `state`, as LINE wants it."""
        return LoginRequest(secrets.token_hex(24), secrets.token_hex(24), secrets.token_urlsafe(48))


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who logged in, by an ID token that was verified."""

    user_id: str
    """`sub`: the user id, the same as for the provider's official accounts."""
    name: str


def authorize_url(
    client_id: str,
    redirect_uri: str,
    request: LoginRequest,
    *,
    language: str = "ja",
    auto_login: bool = True,
) -> str:
    """Return where the browser logs in, with the option to add the account as a friend.

    Without `auto_login` LINE asks for a password or shows a QR code: for the second try of
    somebody whose auto login failed ("How to handle auto login failure").
    """
    digest = hashlib.sha256(request.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": request.state,
        "scope": "openid profile",
        "nonce": request.nonce,
        "bot_prompt": "aggressive",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "ui_locales": language,
    }
    if not auto_login:
        query["disable_auto_login"] = "true"
    return f"{settings().line_access_url}/oauth2/v2.1/authorize?{urlencode(query)}"


def account_link_url(link_token: str, nonce: str) -> str:
    """Return LINE's dialog that ends an account link ("User account linking", step 4)."""
    query = urlencode({"linkToken": link_token, "nonce": nonce})
    return f"{settings().line_access_url}/dialog/bot/accountLink?{query}"


async def check_channel(client_id: str, secret: str) -> None:
    """Ask LINE whether this secret is this channel's; raises `LineError` (400: it is not).

    LINE has no call for that alone, so a stateless channel access token is issued and thrown
    away: it costs nothing, and there may be any number of them.
    """
    await _post(
        "/oauth2/v3/token",
        {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret},
    )


async def exchange(
    client_id: str, secret: str, code: str, redirect_uri: str, request: LoginRequest
) -> LoggedIn:
    """Return who logged in, for an authorization code ("Issue access token").

    Raises `LineError` when LINE does not take the code, `BadLogin` when the ID token is none.
    """
    got = await _post(
        "/oauth2/v2.1/token",
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": client_id,
            "client_secret": secret,
            "code_verifier": request.verifier,
        },
    )
    return verify(str(got.get("id_token") or ""), client_id, secret, request.nonce)


def verify(token: str, client_id: str, secret: str, nonce: str) -> LoggedIn:
    """Return who an ID token of a web log-in (HS256 by the channel secret) is of.

    Looked at are signature, issuer, audience, times and nonce; raises `BadLogin`.
    """
    try:
        claims: dict[str, Any] = jwt.decode(  # pyright: ignore[reportUnknownMemberType]
            token,
            secret,
            algorithms=["HS256"],
            audience=client_id,
            issuer=ISSUER,
            leeway=SKEW,
            options={"require": ["exp", "iat", "sub", "nonce"]},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise BadLogin(str(error)) from error
    if not secrets.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise BadLogin("the nonce is another log-in's")
    return LoggedIn(str(claims["sub"]), str(claims.get("name") or ""))


async def _post(path: str, fields: dict[str, str]) -> dict[str, Any]:
    url = settings().line_api.rstrip("/") + path
    try:
        async with http().post(url, data=fields) as response:
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise LineError(0, f"No answer from LINE: {error}") from error
    try:
        read: Any = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        read = {}
    found = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    if response.status >= 300:
        said = found.get("error_description") or found.get("message") or found.get("error") or ""
        raise LineError(response.status, str(said))
    return found
