"""Opening links from a phone: `/phone/{user}/open?url=`.

The browser becomes this person's phone (the cookie of `login.person`), so that pages of LINE Login
and LIFF know who looks at them, and the link counts as opened for insight. Addresses of LINE's own
pages lead to those that the emulator serves.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from aiohttp import web

from ..insight import links
from ..login.person import set_person
from ..model import Channel, User
from ..platform import Platform

LINE_HOSTS = frozenset({"liff.line.me", "miniapp.line.me", "access.line.me"})
"""Hosts of LINE whose paths the emulator serves itself."""

_KEPT = "%/:?#[]@!$&'()*+,;=~"
"""What stays as it is in an address; other letters are percent-encoded for the header."""


def here(url: str) -> str | None:
    """Where the address leads: LINE's pages to the same path here; None if it is no web page."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host:
        return None
    if host not in LINE_HOSTS:
        return url
    path = parts.path or "/"
    if host != "access.line.me" and not path.startswith("/liff/"):
        path = f"/liff{path}"
    query = parts.query
    if parts.fragment and host != "access.line.me":
        # Redirects of LIFF have fragments of their own: this one travels as a parameter.
        query += ("&" if query else "") + urlencode({"liff.hash": parts.fragment})
    return f"{path}?{query}" if query else path


def opened(
    platform: Platform,
    channel: Channel,
    user: User,
    url: str,
    chat_id: str | None,
    message: str | None,
) -> web.Response:
    """Count the link and go there. Raises HTTPBadRequest for what is no web address."""
    target = here(url)
    if target is None or any(ord(letter) < 0x21 for letter in target):
        raise web.HTTPBadRequest(text="url must be a web address")
    if chat_id is None:
        links.open_link(platform, channel, user, url, message)
    return web.Response(
        status=302,
        headers={
            "Location": quote(target, safe=_KEPT, errors="replace"),
            "Set-Cookie": set_person(user.id, channel.id, chat_id),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        },
    )
