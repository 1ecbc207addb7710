"""What people do that only statistics notice: opening a link by its address, playing media."""

from __future__ import annotations

from typing import Any

from .. import events
from ..acts import ActError, Actor, act
from ..model import Channel, Json, Sending, User
from ..sending import find_message
from . import links, record


@act("open")
def open_link(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Open a link that arrived, by its address (`url`); `message` tells apart where it arrived."""
    url = act.get("url")
    if not isinstance(url, str):
        raise ActError("open needs a `url`")
    wanted = act.get("message")
    record.read_chat(actor.platform, channel, user)
    message = None if wanted in (None, "last") else str(wanted)
    if not links.open_link(actor.platform, channel, user, url, message):
        raise ActError(f"no link {url} arrived at this phone")
    return {"uri": url, "webhookEventIds": []}


@act("play")
def play(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Play a video or audio up to `percent` (100 by default); `message` is an id or "last".

    A video that has a `trackingId` and is seen to its end tells the bot (reference, "Video viewing
    complete event").
    """
    percent: Any = act.get("percent", 100)
    if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
        raise ActError("percent must be a whole number from 0 to 100")
    record.read_chat(actor.platform, channel, user)
    sending, bubble = _media(channel, user, str(act.get("message", "last")))
    record.played(actor.platform, channel, user, sending, bubble, percent)
    tracking = sending.messages()[bubble].get("trackingId")
    if percent < 100 or not isinstance(tracking, str):
        return {"webhookEventIds": []}
    event = events.video_play_complete(actor.platform, channel, user.id, tracking)
    return actor.send_event(channel, user, event)


def _media(channel: Channel, user: User, message: str) -> tuple[Sending, int]:
    phone = channel.phone(user.id)
    if message != "last":
        held = find_message(phone, message)
        if held is None:
            raise ActError(f"message {message} did not arrive at this phone")
        if not _playable(held[0].messages()[held[1]]):
            raise ActError(f"message {message} has nothing to play")
        return held
    for entry in reversed(phone.entries):
        if isinstance(entry, Sending):
            for bubble, one in reversed(list(enumerate(entry.messages()))):
                if _playable(one):
                    return entry, bubble
    raise ActError("nothing to play has arrived at this phone")


def _playable(message: Json) -> bool:
    kind = message.get("type")
    return kind in ("video", "audio") or (kind == "imagemap" and "video" in message)
