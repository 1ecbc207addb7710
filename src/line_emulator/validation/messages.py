"""The eleven types of message objects (reference, "Message objects")."""

from __future__ import annotations

import re
from typing import Any, cast

from ..model import Json
from . import flex, templates
from .actions import MAX_URI, QUICK_REPLY_ACTION, SCHEMES
from .core import (
    Check,
    array,
    as_list,
    as_object,
    by_type,
    choice,
    integer,
    number,
    obj,
    pattern,
    string,
    text,
    url,
)
from .report import Content, Path, Report

HTTPS = url(2000, "https")
UNIT_NAME = re.compile(r"[A-Za-z0-9_]{1,30}")
"""An aggregation unit, or a coupon's display path (reference, "Send push message")."""
_KEY = re.compile(r"[0-9A-Za-z_]{1,20}")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_MAX_EMOJIS = 20
_MAX_MENTIONS = 20
_MAX_SUBSTITUTIONS = 100

QUICK_REPLY = obj(
    {
        "items": array(
            # The reference asks for the type; the specification has it as a default, and not
            # every SDK sends it.
            obj({"action": QUICK_REPLY_ACTION}, {"type": choice("action"), "imageUrl": HTTPS}),
            1,
            13,
        )
    }
)


def _no_impostor(sender: Json, path: Path, report: Report) -> None:
    name = sender.get("name")
    if isinstance(name, str) and name.strip().upper() == "LINE":
        report.invalid((path, "name"), "Must not contain a prohibited word")


SENDER = obj({}, {"name": text(20), "iconUrl": HTTPS}, _no_impostor)
COMMON: dict[str, Check] = {"quickReply": QUICK_REPLY, "sender": SENDER}


def _emojis_point_at_dollars(message: Json, path: Path, report: Report) -> None:
    emojis, body = message.get("emojis"), message.get("text")
    if not isinstance(emojis, list) or not isinstance(body, str):
        return
    units = body.encode("utf-16-le", "surrogatepass")
    for place, emoji in enumerate(cast(list[Any], emojis)):
        index = cast(Json, emoji).get("index") if isinstance(emoji, dict) else None
        if not isinstance(index, int):
            continue
        if units[index * 2 : index * 2 + 2] != b"$\x00":
            report.invalid((((path, "emojis"), place), "index"), "Invalid index")


_EMOJI = obj({"index": integer(0, 5000), "productId": string, "emojiId": string})
TEXT = obj(
    {"text": text(5000)},
    COMMON | {"emojis": array(_EMOJI, 0, _MAX_EMOJIS), "quoteToken": string},
    _emojis_point_at_dollars,
)

_SUBSTITUTION = by_type(
    {
        "mention": obj({"mentionee": by_type({"user": obj({"userId": string}), "all": obj()})}),
        "emoji": obj({"productId": string, "emojiId": string}),
    }
)


def _substitutions(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, dict):
        report.unreadable(path)
        return
    given = cast(Json, value)
    if len(given) > _MAX_SUBSTITUTIONS:
        report.items(path, 0, _MAX_SUBSTITUTIONS, len(given))
        return
    kinds: list[Any] = []
    for key, one in given.items():
        if not _KEY.fullmatch(key):
            report.invalid((path, key), "Invalid key")
        _SUBSTITUTION(one, (path, key), report)
        if isinstance(one, dict):
            kinds.append(cast(Json, one).get("type"))
    if kinds.count("mention") > _MAX_MENTIONS:
        report.items(path, 0, _MAX_MENTIONS, kinds.count("mention"))
    if kinds.count("emoji") > _MAX_EMOJIS:
        report.items(path, 0, _MAX_EMOJIS, kinds.count("emoji"))


def _braces_are_filled(message: Json, path: Path, report: Report) -> None:
    body = message.get("text")
    if not isinstance(body, str):
        return
    given = message.get("substitution")
    known = cast(Json, given) if isinstance(given, dict) else {}
    # These complaints count as the inside of the message.
    place = Content(path, "text")
    for found in _PLACEHOLDER.finditer(body):
        if found[0] in ("{{", "}}"):
            continue
        key = found[1]
        if key is None:
            report.invalid(place, "'{' and '}' must be used in pairs.")
        elif not _KEY.fullmatch(key):
            report.invalid(
                place,
                f"The key '{key}' enclosed in '{{}}' does not match the pattern "
                "'^[a-zA-Z0-9_]{1,20}$'.",
            )
        elif key not in known:
            report.invalid(place, f"The key '{key}' enclosed in '{{}}' is not in 'substitution'.")
        else:
            continue
        return


TEXT_V2 = obj(
    {"text": text(5000)},
    COMMON | {"substitution": _substitutions, "quoteToken": string},
    _braces_are_filled,
)
STICKER = obj({"packageId": string, "stickerId": string}, COMMON | {"quoteToken": string})
IMAGE = obj({"originalContentUrl": HTTPS, "previewImageUrl": HTTPS}, COMMON)
VIDEO = obj(
    {"originalContentUrl": HTTPS, "previewImageUrl": HTTPS},
    COMMON | {"trackingId": pattern(r"[A-Za-z0-9\-.=,+*()%$&;:@{}!?<>\[\]]{1,100}")},
)
AUDIO = obj({"originalContentUrl": HTTPS, "duration": integer(1, 2**53)}, COMMON)
LOCATION = obj(
    {
        "title": text(100),
        "address": text(100),
        "latitude": number(-90, 90),
        "longitude": number(-180, 180),
    },
    COMMON,
)
COUPON = obj({"couponId": string}, COMMON | {"deliveryTag": pattern(UNIT_NAME.pattern)})

_PIXELS = integer(0, 2**31 - 1)
_AREA = obj({"x": _PIXELS, "y": _PIXELS, "width": integer(1, 2**31 - 1),
             "height": integer(1, 2**31 - 1)})  # fmt: skip
_LINK = url(MAX_URI, *SCHEMES)
_SPOKEN: dict[str, Check] = {"label": text(100)}
_IMAGEMAP_ACTION = by_type(
    {
        "uri": obj({"linkUri": _LINK, "area": _AREA}, _SPOKEN),
        "message": obj({"text": text(400), "area": _AREA}, _SPOKEN),
        "clipboard": obj({"clipboardText": text(1000), "area": _AREA}, _SPOKEN),
    }
)


def _width_is_1040(size: Json, path: Path, report: Report) -> None:
    if isinstance(size.get("width"), int) and size["width"] != 1040:
        report.invalid((path, "width"), "Must be 1040")


IMAGEMAP = obj(
    {
        "baseUrl": HTTPS,
        "altText": text(1500),
        "baseSize": obj(
            {"width": integer(1, 2**31 - 1), "height": integer(1, 2**31 - 1)}, {}, _width_is_1040
        ),
        "actions": array(_IMAGEMAP_ACTION, 1, 50),
    },
    COMMON
    | {
        "video": obj(
            {"originalContentUrl": HTTPS, "previewImageUrl": HTTPS, "area": _AREA},
            {"externalLink": obj({"linkUri": _LINK, "label": text(30)})},
        )
    },
)
TEMPLATE = obj({"altText": text(1500), "template": templates.template}, COMMON)
FLEX = obj({"altText": text(1500), "contents": flex.contents}, COMMON)

MESSAGE = by_type(
    {
        "text": TEXT,
        "textV2": TEXT_V2,
        "sticker": STICKER,
        "image": IMAGE,
        "video": VIDEO,
        "audio": AUDIO,
        "location": LOCATION,
        "coupon": COUPON,
        "imagemap": IMAGEMAP,
        "template": TEMPLATE,
        "flex": FLEX,
    }
)
MESSAGES = array(MESSAGE, 1, 5)


def no_mentions(body: Json, path: Path, report: Report) -> None:
    """Mentions are for replies and pushes only (reference, "Mention object")."""
    for index, message in enumerate(as_list(body.get("messages"))):
        given = as_object(message)
        if given.get("type") != "textV2":
            continue
        for key, one in as_object(given.get("substitution")).items():
            if as_object(one).get("type") == "mention":
                place = (((path, "messages"), index), "substitution")
                report.invalid((place, key), "Mention is not available for this API")
