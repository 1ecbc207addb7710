"""Draws a chat's entries as HTML: with the sheets, the only module that knows `line_preview`."""

from __future__ import annotations

import functools
from datetime import datetime
from pathlib import Path

import orjson
from markupsafe import Markup

import line_preview

from ..chat.store import account_has_read
from ..clock import JST
from ..model import Channel, Json, Phone, Said, Sending
from . import coupons
from .words import word

Entry = Sending | Said
Quotes = dict[str, tuple[str, str]]

_PERSONAL = (b'"quoteToken"', b'"couponId"')
"""What makes the same messages look different from phone to phone, or from time to time."""
_SNIPPET = 60
_KINDS = frozenset({"sticker", "image", "video", "audio", "file", "location", "coupon"})


def stylesheet() -> Path:
    """The stylesheet that the drawn messages need."""
    return line_preview.css_path()


def script() -> Path:
    """The ES module that turns taps on drawn messages into `lp-action` events."""
    return line_preview.js_path()


def sticker(package: str, number: str) -> Markup:
    """Our stand-in for one of LINE's stickers."""
    return line_preview.render_sticker_picture(package, number)


def _icon(channel_id: str) -> str:
    return f"/phone-pictures/{channel_id}.svg"


def entry(
    one: Entry, channel: Channel, user_id: str, phone: Phone, lang: str, *, newest: bool
) -> Markup:
    """One entry of the chat. Quick replies are shown on the newest entry only, as LINE does."""
    at = clock_time(one.at_ms)
    if isinstance(one, Sending):
        if any(mark in one.messages_json for mark in _PERSONAL):
            drawn = received(one.messages(), channel, phone, lang, at, newest=newest)
        else:
            drawn = _shared(one.messages_json, channel.name, channel.id, lang, at, newest)
        return Markup('<div class="entry received" data-via="{}" data-ids="{}">{}</div>').format(
            one.via, " ".join(one.message_ids), drawn
        )
    mine = one.kind == "message" and one.message_id
    return Markup('<div class="entry {}"{}>{}</div>').format(
        one.kind,
        Markup(' data-ids="{}" data-mine data-at="{}"').format(one.message_id, one.at_ms)
        if mine
        else "",
        _said(one, channel, user_id, phone, lang, at),
    )


@functools.lru_cache(maxsize=256)
def _shared(
    messages_json: bytes, name: str, channel_id: str, lang: str, at: str, newest: bool
) -> Markup:
    """Messages that look the same on every phone: a broadcast to a full wall is drawn once."""
    messages: list[Json] = orjson.loads(messages_json)
    return _drawn(messages, name, _icon(channel_id), lang, at, newest=newest)


def received(
    messages: list[Json],
    channel: Channel,
    phone: Phone | None,
    lang: str,
    at: str,
    *,
    newest: bool,
) -> Markup:
    """What the account sent, with icon and name."""
    wanted = {message["quoteToken"] for message in messages if "quoteToken" in message}
    return _drawn(
        messages,
        channel.name,
        _icon(channel.id),
        lang,
        at,
        newest=newest,
        quotes=_quoted_by_token(phone, wanted, lang) if wanted and phone else None,
        known=coupons.shown(channel, messages),
    )


def _drawn(
    messages: list[Json],
    name: str,
    icon: str,
    lang: str,
    at: str,
    *,
    newest: bool,
    quotes: Quotes | None = None,
    known: dict[str, Json] | None = None,
) -> Markup:
    if not newest:
        for message in messages:
            message.pop("quickReply", None)
    return line_preview.render_messages(
        messages,
        lang=lang,
        sender_name=name,
        sender_icon=icon,
        at=at,
        quotes=quotes,
        coupons=known,
    )


def _quoted_by_token(phone: Phone, tokens: set[object], lang: str) -> Quotes:
    found: Quotes = {}
    for one in phone.entries:
        if isinstance(one, Said) and one.body and one.body.get("quoteToken") in tokens:
            found[one.body["quoteToken"]] = (word("you", lang), snippet(one.body, lang))
    return found


def quoted(message_id: object, channel: Channel, phone: Phone, lang: str) -> tuple[str, str] | None:
    """Who said the message that is quoted, and how it begins; None if it is not in the chat."""
    for one in reversed(phone.entries):
        if isinstance(one, Said):
            if one.message_id == message_id and one.body is not None:
                return word("you", lang), snippet(one.body, lang)
        elif message_id in one.message_ids:
            message = one.messages()[one.message_ids.index(str(message_id))]
            return channel.name, snippet(message, lang)
    return None


def snippet(message: Json, lang: str) -> str:
    """How a message begins, or what it is."""
    for key in ("text", "altText"):
        words = message.get(key)
        if isinstance(words, str):
            line = " ".join(words.split())
            return line if len(line) <= _SNIPPET else f"{line[:_SNIPPET]}…"
    kind = str(message.get("type"))
    return word(kind if kind in _KINDS else "message_word", lang)


def _said(said: Said, channel: Channel, user_id: str, phone: Phone, lang: str, at: str) -> Markup:
    body = said.body or {}
    read = word("read", lang) if account_has_read(channel, user_id, said.at_ms) else None
    if said.kind == "message":
        quote = None
        if "quotedMessageId" in body:
            quote = quoted(body["quotedMessageId"], channel, phone, lang) or (
                "",
                word("quoted_gone", lang),
            )
        message = as_message(body)
        return line_preview.render_said(message, lang, at=at, read=read, quote=quote)
    if said.kind == "postback":
        shown = body.get("displayText")
        note = note_line(f"{word('postback', lang)}: {body.get('data', '')}{_params(body)}")
        if isinstance(shown, str) and shown:
            return line_preview.render_said(shown, lang, at=at, read=read) + note
        return note
    return note_line(f"{_happened(said.kind, lang)} {at}")


def _happened(kind: str, lang: str) -> str:
    key = f"did_{kind}"
    return word(key if key in HAPPENINGS else "did_something", lang)


HAPPENINGS = frozenset({"did_follow", "did_unfollow", "did_unblock", "did_unsent"})


def _params(body: Json) -> str:
    params = body.get("params")
    if not isinstance(params, dict):
        return ""
    values = ", ".join(str(value) for value in params.values())  # pyright: ignore
    return f" ({values})"


def as_message(body: Json) -> Json:
    """What the person sent, in the shape of a message object, which the preview can draw."""
    content_url = f"/_emulator/contents/{body.get('id')}"
    kind = body.get("type")
    if kind == "image":
        return {"type": kind, "originalContentUrl": content_url, "previewImageUrl": content_url}
    if kind == "video":
        return {"type": kind, "originalContentUrl": content_url}
    if kind == "audio":
        duration = body.get("duration", 0)
        return {"type": "audio", "originalContentUrl": content_url, "duration": duration}
    if kind == "file":
        return body | {"originalContentUrl": content_url}
    return body


def note_line(text: str) -> Markup:
    """A line in the middle of the chat that is nobody's message."""
    return Markup('<p class="note">{}</p>').format(text)


def clock_time(at_ms: int) -> str:
    """The time of day that is printed beside a message (Japan, as LINE's days are)."""
    return datetime.fromtimestamp(at_ms / 1000, JST).strftime("%H:%M")


def day(at_ms: int) -> str:
    """The day of an entry, for the line between days."""
    return datetime.fromtimestamp(at_ms / 1000, JST).strftime("%Y/%m/%d")
