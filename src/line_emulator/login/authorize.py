"""The authorization request of LINE Login v2.1: who logs in, what they grant, where it leads.

Docs, "Integrating LINE Login with your web app". Emulator's own: `as=U…` names the person instead
of the login screen.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from ..acts import Actor
from ..api.operation import Answer, Call, operation
from ..hosts import is_local
from ..model import Channel, Friendship, Json
from ..platform import Platform
from . import screens
from .granting import CODE_SECONDS, letters
from .idtokens import signed
from .person import SESSION_COOKIE, Visitor, cookies, named, phone_owner
from .store import Code, LoginChannel, Session, Underway, logins
from .words import language, word

SCREEN_SECONDS = 600
"""How long a screen waits for its answer."""
SCOPES = ("profile", "openid", "email")
MODES = ("query", "form_post", "query.jwt", "form_post.jwt", "jwt")
DENIED = ("ACCESS_DENIED", "The resource owner denied the request.")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who visits, and how they proved it: `amr` and when (docs, "User authentication")."""

    visitor: Visitor
    amr: str
    at: int


Finish = Callable[[Platform, Underway, str], Answer]
Refuse = Callable[[Platform, Underway, str], Answer]
ENDINGS: dict[str, tuple[Finish, Refuse]] = {}
"""What follows consent, and what follows its refusal, by `Underway.kind`."""


# Where the answer goes


def callback_allowed(channel: LoginChannel, uri: str) -> bool:
    """Whether the callback URL is one of the channel's; its query may be anything."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not parts.scheme or parts.fragment or parts.scheme.lower() in ("javascript", "data"):
        return False
    if any(ord(one) <= 32 for one in uri):
        return False
    bare = uri.partition("?")[0]
    if any(bare == one.partition("?")[0] for one in channel.callback_urls):
        return True
    return (
        channel.local_callbacks and parts.scheme in ("http", "https") and host != ""
        and is_local(host)
    )  # fmt: skip


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """The URL with these fields added to its query, before its fragment."""
    base, hash_, fragment = url.partition("#")
    joined = "&" if "?" in base else "?"
    return f"{base}{joined}{urlencode(fields)}{hash_}{fragment}"


def redirect(location: str) -> Answer:
    """Send the browser there."""
    return Answer(b"", 302, {"Location": location, "Cache-Control": "no-store"}, "text/html")


def encoded(
    platform: Platform, channel: LoginChannel, query: Mapping[str, str], fields: dict[str, str]
) -> dict[str, str]:
    """The fields of the answer, put into a JWT if the `response_mode` wants that."""
    if not query.get("response_mode", "").endswith("jwt"):
        return fields
    expires = int(platform.clock.now()) + CODE_SECONDS
    claims: Json = {"iss": channel.issuer, "aud": channel.id, "exp": expires}
    return {"response": signed(channel, claims | fields)}


def deliver(
    platform: Platform,
    channel: LoginChannel,
    query: Mapping[str, str],
    fields: dict[str, str],
    lang: str,
) -> Answer:
    """Give the answer to the callback URL in the `response_mode` that was asked for."""
    fields = encoded(platform, channel, query, fields)
    if query.get("response_mode", "").startswith("form_post"):
        return screens.post_on(query["redirect_uri"], fields, lang)
    return redirect(with_query(query["redirect_uri"], fields))


def _failed(
    platform: Platform,
    channel: LoginChannel,
    query: Mapping[str, str],
    error: tuple[str, str],
    lang: str,
) -> Answer:
    fields = {"error": error[0], "error_description": error[1]}
    if "state" in query:
        fields["state"] = query["state"]
    return deliver(platform, channel, query, fields, lang)


# Reading the request


def scopes_of(query: Mapping[str, str]) -> list[str]:
    """The scopes asked for, each once."""
    return list(dict.fromkeys(query.get("scope", "").split()))


def wrong(channel: LoginChannel, query: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong with the request: error code and description (docs, "Error codes")."""
    if query.get("response_type") != "code":
        if query.get("response_type"):
            return "UNSUPPORTED_RESPONSE_TYPE", "Unsupported response type"
        return "INVALID_REQUEST", "response_type is required"
    if not query.get("state"):
        return "INVALID_REQUEST", "state is required"
    scopes = scopes_of(query)
    if not {"profile", "openid"} & set(scopes) or not set(scopes) <= set(SCOPES):
        return "INVALID_SCOPE", "Invalid scope"
    if "email" in scopes and not ("openid" in scopes and channel.email_permission):
        return "INVALID_SCOPE", "Invalid scope"
    allowed = {
        "prompt": ("consent", "none", "login"),
        "bot_prompt": ("normal", "aggressive"),
        "response_mode": MODES,
        "code_challenge_method": ("S256",),
    }
    for name, values in allowed.items():
        if query.get(name) and query[name] not in values:
            return "INVALID_REQUEST", f"Invalid {name}"
    age = query.get("max_age", "0")
    if not (age.isascii() and age.isdigit() and len(age) < 12):
        return "INVALID_REQUEST", "Invalid max_age"
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method")
    if bool(challenge) != bool(method):
        return "INVALID_REQUEST", "code_challenge and code_challenge_method belong together"
    return None


def _ticket(platform: Platform, query: Mapping[str, str]) -> Session | None:
    session = logins(platform).sessions.get(query.get("login_ticket", ""))
    return session if session is not None and session.fresh else None


def session_of(platform: Platform, headers: Mapping[str, str]) -> Session | None:
    """Who logged in by hand in this browser, if that person is still there."""
    session = logins(platform).sessions.get(cookies(headers).get(SESSION_COOKIE, ""))
    return session if session is not None and session.user_id in platform.users else None


def identity(
    platform: Platform, channel: LoginChannel, query: Mapping[str, str], headers: Mapping[str, str]
) -> Identity | None:
    """Who logs in without the login screen, or has just come from it; None if it is needed."""
    now = int(platform.clock.now())
    person = named(platform, query)
    if person is not None:
        return Identity(person, "pwd", now)
    ticket = _ticket(platform, query)
    if ticket is not None and ticket.user_id in platform.users:
        how, ticket.fresh = ticket.fresh, ""
        return Identity(Visitor(platform.users[ticket.user_id]), how, int(ticket.at))
    if query.get("prompt") == "login":
        return None
    phone = phone_owner(platform, headers)
    if phone is not None and channel.auto_login and query.get("disable_auto_login") != "true":
        return Identity(phone, "lineautologin", now)
    session = session_of(platform, headers)
    if session is not None and query.get("prompt") == "none":
        if "max_age" in query and now - session.at > int(query["max_age"]):
            return None
        return Identity(Visitor(platform.users[session.user_id]), "linesso", int(session.at))
    return None


# The steps


@operation("GET", "/oauth2/v2.1/authorize", auth=False, limit=None)
async def authorize(call: Call) -> Answer:
    """The authorization URL: login, consent, and back to the callback URL."""
    platform, query = call.platform, dict(call.query)
    lang = language(query, call.headers)
    channel = logins(platform).channels.get(query.get("client_id", ""))
    if channel is None:
        return screens.problem("bad_client", lang, hint=", ".join(logins(platform).channels))
    if not callback_allowed(channel, query.get("redirect_uri", "")):
        hint = f"PATCH /_emulator/login/channels/{channel.id}"
        return screens.problem(
            "bad_redirect", lang, hint=f'{hint} {{"callback_urls": ["https://…"]}}'
        )
    error = wrong(channel, query)
    if error is not None:
        if query.get("response_mode", "query") not in MODES:
            query.pop("response_mode")
        return _failed(platform, channel, query, error, lang)
    who = identity(platform, channel, query, call.headers)
    if who is None:
        if query.get("prompt") == "none":
            return _failed(
                platform, channel, query, ("LOGIN_REQUIRED", "The user is not logged in"), lang
            )
        return login_screen(call, channel, "/oauth2/v2.1/authorize", query, lang)
    one = Underway(
        kind="login",
        channel_id=channel.id,
        query={name: value for name, value in query.items() if name != "login_ticket"},
        user_id=who.visitor.user.id,
        scopes=scopes_of(query),
        expires_at=platform.clock.now() + SCREEN_SECONDS,
        bot_prompt=query.get("bot_prompt", ""),
        amr=[who.amr],
        auth_time=who.at if "max_age" in query else None,
    )
    if needs_consent(channel, one, query.get("prompt")):
        if query.get("prompt") == "none":
            error = ("INTERACTION_REQUIRED", "The user has to consent")
            return _failed(platform, channel, query, error, lang)
        return ask_consent(platform, channel, channel.name, one, lang)
    return finish(platform, one, lang)


def login_screen(
    call: Call, channel: LoginChannel, path: str, query: Mapping[str, str], lang: str
) -> Answer:
    """Ask who it is; somebody who logged in here before is offered first (single sign-on)."""
    before = session_of(call.platform, call.headers)
    return screens.choose(
        call.platform,
        lang,
        title=word("log_in_to", lang, name=channel.name),
        path=path,
        query=query,
        before=call.platform.users[before.user_id] if before else None,
    )


def needs_consent(channel: LoginChannel, one: Underway, prompt: str | None = None) -> bool:
    """Whether the person must be asked: for scopes never asked for, or when it is forced."""
    return prompt == "consent" or not set(one.scopes) <= channel.asked.get(one.user_id, set())


def account_of(platform: Platform, channel: LoginChannel) -> Channel | None:
    """The official account that is linked to the login channel."""
    return platform.channels.get(channel.linked_channel or "")


def ask_consent(
    platform: Platform, channel: LoginChannel, name: str, one: Underway, lang: str
) -> Answer:
    """Show the consent screen, with the option to add the account if that was asked for."""
    account = account_of(platform, channel)
    one.friend_shown = account is not None and one.bot_prompt == "normal"
    key = secrets.token_urlsafe(24)
    logins(platform).put_underway(key, one)
    return screens.consent(platform, channel, name, key, one, lang)


def consented(
    platform: Platform, key: str, one: Underway, lang: str, *, email: bool, friend: bool
) -> Answer:
    """The person allowed it. Goes on to the friend screen, or to the end."""
    channel = logins(platform).channels[one.channel_id]
    remember(channel, one, email=email)
    account = account_of(platform, channel)
    if one.friend_shown and friend and account is not None:
        befriend(platform, account, one)
    if (
        one.bot_prompt == "aggressive"
        and account is not None
        and account.friendship(one.user_id) is not Friendship.FRIEND
    ):
        one.friend_shown = True
        logins(platform).put_underway(key, one)
        return screens.friend(platform, account, key, one, lang)
    if one.bot_prompt == "aggressive" and account is not None:
        one.friend_shown = True
    return finish(platform, one, lang)


def remember(channel: LoginChannel, one: Underway, *, email: bool) -> None:
    """Keep what was granted; without `email` that scope was unticked."""
    granted = set(one.scopes) if email else set(one.scopes) - {"email"}
    known = channel.grants.setdefault(one.user_id, set())
    known.difference_update(set(one.scopes) - granted)
    known.update(granted)
    channel.asked.setdefault(one.user_id, set()).update(one.scopes)


def befriend(platform: Platform, account: Channel, one: Underway) -> None:
    """Add or unblock the account, with all that follows from it."""
    state = account.friendship(one.user_id)
    if state is Friendship.FRIEND:
        return
    act = "unblock" if state is Friendship.BLOCKED else "follow"
    Actor(platform).do({"type": act, "user": one.user_id, "channel": account.id})
    one.friend_changed = True


def finish(platform: Platform, one: Underway, lang: str) -> Answer:
    """All answers are given: back to where the login was asked for."""
    return ENDINGS[one.kind][0](platform, one, lang)


def refused(platform: Platform, one: Underway, lang: str) -> Answer:
    """The person cancelled on the consent screen."""
    return ENDINGS[one.kind][1](platform, one, lang)


def code_for(platform: Platform, one: Underway, redirect_uri: str, liff_id: str | None) -> str:
    """A new authorization code for what was granted."""
    channel = logins(platform).channels[one.channel_id]
    granted = channel.grants.get(one.user_id, set())
    code = letters(20)
    logins(platform).put_code(
        code,
        Code(
            channel_id=channel.id,
            user_id=one.user_id,
            redirect_uri=redirect_uri,
            scopes=[scope for scope in one.scopes if scope in granted],
            nonce=one.query.get("nonce"),
            challenge=one.query.get("code_challenge") or None,
            auth_time=one.auth_time,
            amr=one.amr,
            expires_at=platform.clock.now() + CODE_SECONDS,
            liff_id=liff_id,
        ),
    )
    return code


def answer_fields(platform: Platform, one: Underway, *, refused: bool = False) -> dict[str, str]:
    """What the callback URL is told when the person has answered."""
    if refused:
        fields = {"error": DENIED[0], "error_description": DENIED[1]}
    else:
        fields = {"code": code_for(platform, one, one.query["redirect_uri"], None)}
    fields["state"] = one.query["state"]
    if one.friend_shown and not refused:
        fields["friendship_status_changed"] = "true" if one.friend_changed else "false"
    return fields


def _finish_login(platform: Platform, one: Underway, lang: str) -> Answer:
    channel = logins(platform).channels[one.channel_id]
    return deliver(platform, channel, one.query, answer_fields(platform, one), lang)


def _refuse_login(platform: Platform, one: Underway, lang: str) -> Answer:
    channel = logins(platform).channels[one.channel_id]
    return deliver(platform, channel, one.query, answer_fields(platform, one, refused=True), lang)


ENDINGS["login"] = (_finish_login, _refuse_login)
