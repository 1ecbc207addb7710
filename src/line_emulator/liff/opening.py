"""Opening a LIFF app: from the LIFF URL to the endpoint, with what the SDK needs on the way.

Docs, "Opening a LIFF app": the primary redirect URL is the endpoint URL with `liff.state`, and the
credentials are in its fragment. Opened on a phone the person is known; in another browser the app
starts without anybody, and `liff.login()` leads to the login screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from ..api.operation import Answer
from ..login import screens
from ..login.authorize import (
    ENDINGS,
    SCREEN_SECONDS,
    ask_consent,
    code_for,
    finish,
    identity,
    needs_consent,
    redirect,
    with_query,
)
from ..login.granting import new_token
from ..login.idtokens import id_token, signed
from ..login.person import Visitor, named, phone_owner
from ..login.store import LoginChannel, Underway
from ..login.words import word
from ..model import Json
from ..platform import Platform
from .context import context
from .store import channel_of, find_app

OWN = ("as", "login_ticket", "liff.hash")
"""Query parameters that mean something to the emulator and are not passed on."""


def _visitor(
    platform: Platform, channel: LoginChannel, query: Mapping[str, str], headers: Mapping[str, str]
) -> Visitor | None:
    person = named(platform, query)
    if person is not None:
        # Named by hand: as if the link had been tapped in the chat with the linked account.
        linked = channel.linked_channel
        return Visitor(person.user, linked if linked in platform.channels else None)
    return phone_owner(platform, headers)


def state_of(tail: str, query: list[tuple[str, str]], fragment: str) -> str:
    """The additional information of a LIFF URL, as `liff.state` has it."""
    rest = [(name, value) for name, value in query if name not in OWN]
    state = f"/{tail}" if tail else ""
    if rest:
        state += f"?{urlencode(rest)}"
    return state + (f"#{fragment}" if fragment else "")


def open_app(
    platform: Platform,
    liff_id: str,
    tail: str,
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    lang: str,
) -> Answer:
    """Answer a LIFF URL."""
    app = find_app(platform, liff_id)
    if app is None:
        return screens.problem("bad_liff", lang, 404)
    channel = channel_of(platform, app)
    given = dict(query)
    state = state_of(tail, query, given.get("liff.hash", ""))
    visitor = _visitor(platform, channel, given, headers)
    if visitor is None:
        return redirect(with_query(app.url, {"liff.state": state}) if state else app.url)
    one = Underway(
        kind="liff",
        channel_id=channel.id,
        query={"liff": app.id, "state": state, "referrer": _referrer(platform, headers)},
        user_id=visitor.user.id,
        scopes=list(app.scopes),
        expires_at=platform.clock.now() + SCREEN_SECONDS,
        bot_prompt=app.bot_prompt,
        amr=["lineautologin"],
        chat_channel=visitor.channel_id,
        chat_id=visitor.chat_id,
    )
    if needs_consent(channel, one):
        return ask_consent(platform, channel, app.description or channel.name, one, lang)
    return finish(platform, one, lang)


def _referrer(platform: Platform, headers: Mapping[str, str]) -> str:
    """The page a LIFF-to-LIFF transition came from; the emulator's own pages are none."""
    given = headers.get("Referer", "")
    own = given.startswith(platform.base_url + "/phone")
    return "" if own or not given.startswith(("http://", "https://")) else given


def _finish_opening(platform: Platform, one: Underway, lang: str) -> Answer:
    app = find_app(platform, one.query["liff"])
    user = platform.users.get(one.user_id)
    if app is None or user is None:
        return screens.problem("bad_liff", lang, 404)
    channel = channel_of(platform, app)
    granted = channel.grants.get(user.id, set())
    scopes = [scope for scope in app.scopes if scope in granted]
    visitor = Visitor(user, one.chat_channel, one.chat_id)
    token = new_token(
        platform,
        channel,
        user,
        scopes,
        liff_id=app.id,
        chat_channel=one.chat_channel,
        chat_id=one.chat_id,
    )
    told = context(app, channel, visitor, token.token)
    secrets: Json = {
        "access_token": token.token,
        "context_token": signed(channel, told),
        "feature_token": signed(channel, {"liffId": app.id}),
    }
    if "openid" in scopes:
        secrets["id_token"] = id_token(platform, channel, user, scopes, amr=one.amr, es256=True)
    secrets["client_id"] = channel.id
    added: dict[str, str] = {}
    if one.query["state"]:
        added["liff.state"] = one.query["state"]
    if one.query["referrer"]:
        added["liff.referrer"] = one.query["referrer"]
    url = with_query(app.url, added) if added else app.url
    return redirect(f"{url}#{urlencode(secrets)}")


def _refuse_opening(platform: Platform, one: Underway, lang: str) -> Answer:
    back = f"/phone/{one.user_id}?lang={lang}"
    if one.chat_channel is not None:
        back += f"&channel={one.chat_channel}"
    return screens.notice(
        word("cancelled", lang), word("not_opened", lang), lang, good=False, back=back, status=200
    )


ENDINGS["liff"] = (_finish_opening, _refuse_opening)


# liff.login(), in other browsers


def below(endpoint: str, url: str) -> bool:
    """Whether the URL is the endpoint or below it; queries and fragments do not matter."""
    try:
        base, there = urlsplit(endpoint), urlsplit(url)
        if (base.scheme, base.hostname, base.port) != (there.scheme, there.hostname, there.port):
            return False
    except ValueError:
        return False
    path = base.path.rstrip("/")
    return there.path.rstrip("/") == path or there.path.startswith(path + "/")


def log_in(
    platform: Platform, query: dict[str, str], headers: Mapping[str, str], lang: str
) -> Answer:
    """Answer the request that `liff.login()` makes: login, consent, and back to the endpoint."""
    app = find_app(platform, query.get("app_id", ""))
    if app is None:
        return screens.problem("bad_liff", lang, 404)
    channel = channel_of(platform, app)
    target = query.get("redirect_uri") or app.url
    if not below(app.url, target) or any(ord(one) <= 32 for one in target):
        return screens.problem("bad_liff_redirect", lang)
    who = identity(platform, channel, query, headers)
    if who is None:
        return screens.choose(
            platform,
            lang,
            title=word("log_in_to", lang, name=app.description or channel.name),
            path=LOGIN_PATH,
            query=query,
        )
    one = Underway(
        kind="liff_login",
        channel_id=channel.id,
        query={
            "liff": app.id,
            "redirect_uri": target,
            "state": query.get("state", ""),
            "code_challenge": query.get("code_challenge", ""),
        },
        user_id=who.visitor.user.id,
        scopes=list(app.scopes),
        expires_at=platform.clock.now() + SCREEN_SECONDS,
        bot_prompt=app.bot_prompt,
        amr=[who.amr],
    )
    if needs_consent(channel, one):
        return ask_consent(platform, channel, app.description or channel.name, one, lang)
    return finish(platform, one, lang)


LOGIN_PATH = "/liff/v1/authorize"


def _back_to_app(platform: Platform, one: Underway, lang: str, fields: dict[str, str]) -> Answer:
    app = find_app(platform, one.query["liff"])
    if app is None:
        return screens.problem("bad_liff", lang, 404)
    fields["state"] = one.query["state"]
    fields["liffClientId"] = one.channel_id
    fields["liffRedirectUri"] = one.query["redirect_uri"]
    return redirect(with_query(app.url, fields))


def _finish_login(platform: Platform, one: Underway, lang: str) -> Answer:
    fields = {"code": code_for(platform, one, one.query["redirect_uri"], one.query["liff"])}
    if one.friend_shown:
        fields["friendship_status_changed"] = "true" if one.friend_changed else "false"
    return _back_to_app(platform, one, lang, fields)


def _refuse_login(platform: Platform, one: Underway, lang: str) -> Answer:
    error = {
        "error": "ACCESS_DENIED",
        "error_description": "The resource owner denied the request.",
    }
    return _back_to_app(platform, one, lang, error)


ENDINGS["liff_login"] = (_finish_login, _refuse_login)
