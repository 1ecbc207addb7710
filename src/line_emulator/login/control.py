"""LINE Login channels by the control API: what is set on LINE's console, and who granted what."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from ..control.route import Ask, ControlError, control
from ..model import Json
from .authorize import (
    account_of,
    answer_fields,
    befriend,
    callback_allowed,
    encoded,
    remember,
    scopes_of,
    with_query,
    wrong,
)
from .operations import withdraw
from .store import LoginChannel, Underway, add_login_channel, logins

_SWITCHES = (
    "local_callbacks",
    "email_permission",
    "web_only",
    "certified",
    "share_target_picker",
    "auto_login",
)
_SETTINGS: Json = {
    "name": {"type": "string"},
    "linked_channel": {
        "type": ["string", "null"],
        "description": "Messaging API channel whose account can be added while logging in",
    },
    "callback_urls": {"type": "array", "items": {"type": "string"}},
    "local_callbacks": {"description": "let callback URLs on local hosts pass unregistered"},
    "email_permission": {"description": "the scope email may be asked for"},
    "web_only": {"description": "refreshing and revoking need the channel secret"},
    "certified": {"description": "the option to add the account is selected by default"},
    "share_target_picker": {"description": "LIFF apps may call shareTargetPicker()"},
    "auto_login": {"description": "false: auto login never works, as on some phones"},
    "issuer": {"type": "string", "description": "iss of ID tokens; LINE's by default"},
}


def describe(channel: LoginChannel) -> Json:
    """The login channel as the control API shows it."""
    return channel.public() | {
        "callback_urls": channel.callback_urls,
        **{name: getattr(channel, name) for name in _SWITCHES},
        "issuer": channel.issuer,
        "grants": {user: sorted(scopes) for user, scopes in channel.grants.items()},
    }


def _change(ask: Ask, channel: LoginChannel, changes: Json) -> None:
    for name, value in changes.items():
        _check(ask, name, value)
    for name, value in changes.items():
        setattr(channel, name, value)


def _check(ask: Ask, name: str, value: Any) -> None:
    good = False
    if name in _SWITCHES:
        good = isinstance(value, bool)
    elif name in ("name", "issuer"):
        good = isinstance(value, str) and bool(value)
    elif name == "linked_channel":
        good = value is None or (isinstance(value, str) and value in ask.platform.channels)
    elif name == "callback_urls" and isinstance(value, list):
        good = all(isinstance(one, str) and one for one in cast(list[Any], value))
    if not good:
        raise ControlError(f"cannot set {name} to {value!r}")


def _channel(ask: Ask) -> LoginChannel:
    wanted = ask.request.match_info["login"]
    channel = logins(ask.platform).channels.get(wanted)
    if channel is None:
        raise ControlError(f"no such login channel: {wanted}", 404)
    return channel


@control("GET", "/_emulator/login/channels", "List LINE Login channels", returns="The channels")
async def listing(ask: Ask) -> Json:
    """All login channels with ids, secrets, settings and grants."""
    return {"channels": [describe(one) for one in logins(ask.platform).channels.values()]}


@control(
    "POST",
    "/_emulator/login/channels",
    "Create a LINE Login channel",
    body={"type": "object", "properties": _SETTINGS},
    returns="The channel with its secret",
)
async def create(ask: Ask) -> Json:
    """A further login channel of the same provider: people have the same user ids there."""
    changes = ask.object()
    for name, value in changes.items():
        _check(ask, name, value)
    channel = add_login_channel(ask.platform, logins(ask.platform))
    _change(ask, channel, changes)
    return describe(channel)


@control(
    "PATCH",
    "/_emulator/login/channels/{login}",
    "Change a LINE Login channel",
    body={"type": "object", "properties": _SETTINGS},
    returns="The channel",
)
async def change(ask: Ask) -> Json:
    """Callback URLs, the linked account and the switches of the console."""
    channel = _channel(ask)
    _change(ask, channel, ask.object())
    return describe(channel)


@control(
    "DELETE",
    "/_emulator/login/channels/{login}/grants/{user}",
    "Let a person take back what they granted",
)
async def ungrant(ask: Ask) -> Json:
    """As in the LINE app's list of authorized apps: tokens are void, consent is asked for anew."""
    withdraw(logins(ask.platform).tokens, _channel(ask), ask.user().id)
    return {}


@control(
    "POST",
    "/_emulator/login/authorize",
    "Log a person in without a browser",
    body={
        "type": "object",
        "properties": {
            "url": {"description": "the authorization URL, as the web app would redirect to"},
            "user": {"description": "who logs in"},
            "allow": {"description": "false: cancels on the consent screen"},
            "email": {"description": "false: does not give the email address"},
            "friend": {"description": "true: takes the option to add the account"},
        },
        "required": ["url", "user"],
    },
    returns="`redirect`, where the browser goes; with `form` if it posts there",
)
async def log_in(ask: Ask) -> Json:
    """All screens of an authorization request answered at once, for tests without a browser."""
    given = ask.object()
    user = ask.platform.users.get(str(given.get("user")))
    if user is None:
        raise ControlError(f"no such user: {given.get('user')}", 404)
    channel, query = _request(ask, given.get("url"))
    error = wrong(channel, query)
    if error is not None:
        raise ControlError(f"{error[0]}: {error[1]}")
    now = ask.platform.clock.now()
    one = Underway(
        kind="login",
        channel_id=channel.id,
        query=query,
        user_id=user.id,
        scopes=scopes_of(query),
        expires_at=now,
        bot_prompt=query.get("bot_prompt", ""),
        amr=["pwd"],
        auth_time=int(now) if "max_age" in query else None,
    )
    account = account_of(ask.platform, channel)
    one.friend_shown = bool(one.bot_prompt) and account is not None
    if given.get("allow") is False:
        fields = answer_fields(ask.platform, one, refused=True)
    else:
        remember(channel, one, email=given.get("email") is not False)
        if given.get("friend") is True and one.friend_shown and account is not None:
            befriend(ask.platform, account, one)
        fields = answer_fields(ask.platform, one)
    fields = encoded(ask.platform, channel, query, fields)
    if query.get("response_mode", "").startswith("form_post"):
        return {"redirect": query["redirect_uri"], "form": fields}
    return {"redirect": with_query(query["redirect_uri"], fields)}


def _request(ask: Ask, url: Any) -> tuple[LoginChannel, dict[str, str]]:
    try:
        query = dict(parse_qsl(urlsplit(str(url)).query))
    except ValueError:
        raise ControlError("url must be an authorization URL") from None
    channel = logins(ask.platform).channels.get(query.get("client_id", ""))
    if channel is None:
        raise ControlError("invalid client_id")
    if not callback_allowed(channel, query.get("redirect_uri", "")):
        raise ControlError("invalid redirect_uri: register it with the login channel")
    return channel, query
