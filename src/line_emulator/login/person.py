"""Whose phone a browser is: the cookies that stand for being logged in to the LINE app.

On a real phone the LINE app knows who its owner is, and pages that it opens profit from that: auto
login, LIFF, account link. Here the phone in the browser says so with the cookie
`line_emulator_person` on every link that it opens: the person's id and, when the link was in a
chat, that chat: `U…`, or `U….<channel id>`, or `U….<channel id>.<group or room id>`.

Somebody who logged in on a page of LINE Login is remembered by a session cookie, as by LINE's
single sign-on; that is no phone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from ..model import User
from ..platform import Platform

PERSON_COOKIE = "line_emulator_person"
SESSION_COOKIE = "line_emulator_session"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page, and from which chat the page was opened, if from any."""

    user: User
    channel_id: str | None = None
    chat_id: str | None = None


def person_cookie(user_id: str, channel_id: str | None = None, chat_id: str | None = None) -> str:
    """The value of the cookie for a page opened on this person's phone, from this chat."""
    return ".".join(part for part in (user_id, channel_id, chat_id) if part)


def set_person(user_id: str, channel_id: str | None = None, chat_id: str | None = None) -> str:
    """A `Set-Cookie` header that makes the browser this person's phone."""
    value = person_cookie(user_id, channel_id, chat_id)
    return f"{PERSON_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax"


def cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """The request's cookies; nonsense counts as none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("Cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def phone_owner(platform: Platform, headers: Mapping[str, str]) -> Visitor | None:
    """Whose phone the request comes from, or None if it comes from another browser."""
    value = cookies(headers).get(PERSON_COOKIE, "")
    user_id, _, chat = value.partition(".")
    user = platform.users.get(user_id)
    if user is None:
        return None
    channel_id, _, chat_id = chat.partition(".")
    known = channel_id in platform.channels
    return Visitor(user, channel_id if known else None, chat_id if known and chat_id else None)


def named(platform: Platform, query: Mapping[str, str]) -> Visitor | None:
    """The person that `?as=U…` names: the emulator's own short cut past the login screen."""
    user = platform.users.get(query.get("as", ""))
    return None if user is None else Visitor(user)
