"""Links in messages: found, and opened by people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from .. import tapping
from ..model import Channel, Json, Sending, User
from ..platform import Platform
from ..sending import find_message
from . import record

_URL = re.compile(r"https?://[\w.~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII | re.IGNORECASE)
_NOT_AT_THE_END = ".,:;!?'\")]"


def in_text(text: str) -> Iterator[str]:
    """Addresses that the app makes tappable in a text."""
    for found in _URL.findall(text):
        url = cast(str, found).rstrip(_NOT_AT_THE_END)
        if len(url) > len("https://"):
            yield url


def in_message(message: Json) -> Iterator[str]:
    """Every address that can be opened from a message object, in order, perhaps more than once."""
    text = message.get("text")
    if message.get("type") in ("text", "textV2") and isinstance(text, str):
        yield from in_text(text)
    for tappable in tapping.in_message(message):
        url = url_of(tappable.action)
        if url is not None:
            yield url
    external = cast(Json, message.get("video") or {}).get("externalLink")
    if message.get("type") == "imagemap" and isinstance(external, dict):
        url = cast(Json, external).get("linkUri")
        if isinstance(url, str):
            yield url


def tappable(sending: Sending) -> Iterator[tapping.Tappable]:
    """Links in the texts of a sending, as actions that open them."""
    for index, message in enumerate(sending.messages()):
        text = message.get("text")
        if message.get("type") in ("text", "textV2") and isinstance(text, str):
            for url in in_text(text):
                yield tapping.Tappable("text", {"type": "uri", "uri": url}, index)


def url_of(action: Json) -> str | None:
    """The address that an action opens, if it opens one."""
    if action.get("type") != "uri":
        return None
    url = action.get("uri") or action.get("linkUri")
    return url if isinstance(url, str) else None


def open_link(
    platform: Platform, channel: Channel, user: User, url: str, message: str | None = None
) -> bool:
    """The person opens a link of the chat: of this message (by id), or of the latest that has it.

    False, and nothing is counted, if no such link arrived at this phone. The phone's page calls
    this when it opens a link.
    """
    found = _find(channel, user, url, message)
    if found is None:
        return False
    sending, bubble = found
    record.clicked(platform, channel, user, sending, bubble, url)
    return True


def _find(
    channel: Channel, user: User, url: str, message: str | None
) -> tuple[Sending, int] | None:
    phone = channel.phones.get(user.id)
    if phone is None:
        return None
    if message is not None:
        held = find_message(phone, message)
        if held is not None and url in in_message(held[0].messages()[held[1]]):
            return held
    for entry in reversed(phone.entries):
        if isinstance(entry, Sending):
            for bubble, one in enumerate(entry.messages()):
                if url in in_message(one):
                    return entry, bubble
    return None
