"""What a person says becomes a message content as LINE's webhooks have it.

Reference, "Message event". The caller gives what is interesting; the rest is added here.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any, cast

from .. import pictures
from ..impossible import ActError
from ..model import Channel, Json
from ..platform import Platform
from .store import Prepared, Preparing

TYPES = ("text", "sticker", "image", "video", "audio", "file", "location")
MAX_IMAGES = 50
"""How many photos LINE's app lets one choose at a time."""
SHOPS_PLACE = {
    "title": "東京駅",
    "address": "東京都千代田区丸の内1丁目",
    "latitude": 35.681236,
    "longitude": 139.767125,
}


def wanted(act: Json) -> list[Json]:
    """The contents an act wants to send: `message`, or `text` for short, or so many `images`.

    Raises ActError. Images sent at a time are a set (reference, "Image", `imageSet`).
    """
    images = act.get("images")
    if images is not None:
        if isinstance(images, bool) or not isinstance(images, int) or not 1 < images <= MAX_IMAGES:
            raise ActError(f"images must be a whole number from 2 to {MAX_IMAGES}")
        known_as = secrets.token_hex(32).upper()
        return [
            {"type": "image", "imageSet": {"id": known_as, "index": place + 1, "total": images}}
            for place in range(images)
        ]
    content: Any = act.get("message")
    if content is None and isinstance(act.get("text"), str):
        content = {"type": "text", "text": act["text"]}
    if not isinstance(content, dict):
        raise ActError("message needs `text`, `images` or a `message` object")
    return [dict(cast(Json, content))]


def quote(act: Json, content: Json, exists: Callable[[str], bool]) -> None:
    """Let the content quote the message `quote` of the act, which must be in the chat.

    Only texts and stickers quote (reference, "Message event", `quotedMessageId`). Raises ActError.
    """
    quoted = act.get("quote")
    if quoted is None:
        return
    if content.get("type") not in ("text", "sticker"):
        raise ActError("only a text or a sticker can quote")
    if not isinstance(quoted, str) or not exists(quoted):
        raise ActError(f"there is no message {quoted} to quote")
    content["quotedMessageId"] = quoted


def compose(platform: Platform, channel: Channel, content: Json) -> Json:
    """The whole content with its new `id`; bytes are kept for "Get content". Raises ActError."""
    kind = content.get("type")
    if kind not in TYPES:
        raise ActError(f"message.type must be one of {', '.join(TYPES)}")
    whole = {"id": platform.message_ids.take(1)[0]} | content | {"type": kind}
    whole["id"] = str(whole["id"])
    if kind == "text":
        if not isinstance(whole.get("text"), str):
            raise ActError("a text message needs `text`")
    elif kind == "sticker":
        whole.setdefault("packageId", "446")
        whole.setdefault("stickerId", "1988")
        whole.setdefault("stickerResourceType", "STATIC")
    elif kind == "location":
        for name, value in SHOPS_PLACE.items():
            whole.setdefault(name, value)
    else:
        _file(platform, channel, whole)
    return whole


def _file(platform: Platform, channel: Channel, content: Json) -> None:
    kind = content["type"]
    provider: Any = content.get("contentProvider")
    if isinstance(provider, dict) and cast(Json, provider).get("type") == "external":
        # Sent by a LIFF app: the bytes are where the URL says, and cannot be fetched from LINE.
        if kind == "file" or not isinstance(cast(Json, provider).get("originalContentUrl"), str):
            raise ActError("external content needs `contentProvider.originalContentUrl`")
    else:
        content_type, data = _bytes_of(content)
        channel.contents[content["id"]] = (content_type, data)
        preparing = channel.store.of(Preparing)
        seconds = {"video": preparing.video_seconds, "audio": preparing.audio_seconds}
        preparing.by_id[content["id"]] = Prepared(
            kind,
            platform.clock.now() + seconds.get(kind, 0.0),
            preparing.fails and kind in seconds,
        )
        if kind == "file":
            content.setdefault("fileName", "file.txt")
            content.setdefault("fileSize", len(data))
        else:
            content.setdefault("contentProvider", {"type": "line"})
    if kind in ("video", "audio"):
        content.setdefault("duration", 5000)


def _bytes_of(content: Json) -> tuple[str, bytes]:
    given = content.pop("data", None)
    content_type = content.pop("contentType", None)
    if given is None:
        return pictures.stand_in(content["type"], content["id"])
    try:
        data = base64.b64decode(given, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ActError("message.data must be base64") from None
    return _header(content_type), data


def _header(content_type: Any) -> str:
    # It will be a response header, so nothing that could break one may pass.
    if isinstance(content_type, str) and content_type.isascii() and content_type.isprintable():
        return content_type or "application/octet-stream"
    return "application/octet-stream"


def forget(channel: Channel, message_id: str) -> None:
    """The message was taken back: "Get content" answers 410 from now on."""
    if message_id in channel.contents:
        channel.contents[message_id] = None
