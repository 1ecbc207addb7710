"""Draws a chat's entries as HTML: the only module that knows `line_preview`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from markupsafe import Markup

import line_preview

from ..clock import JST
from ..model import Channel, Json, Said, Sending
from .words import word

Entry = Sending | Said


def stylesheet() -> Path:
    """The stylesheet that the drawn messages need."""
    return line_preview.css_path()


def script() -> Path:
    """The ES module that turns taps on drawn messages into `lp-action` events."""
    return line_preview.js_path()


def entry(one: Entry, channel: Channel, lang: str, *, newest: bool) -> Markup:
    """One entry of the chat. Quick replies are shown on the newest entry only, as LINE does."""
    at = _time(one.at_ms)
    if isinstance(one, Sending):
        drawn = line_preview.render_messages(
            _messages(one, newest), lang=lang, sender_name=channel.name, at=at
        )
        return Markup('<div class="entry received" data-via="{}">{}</div>').format(one.via, drawn)
    return Markup('<div class="entry {}">{}</div>').format(one.kind, _said(one, lang, at))


def _messages(sending: Sending, newest: bool) -> list[Json]:
    messages = sending.messages()
    if not newest:
        for message in messages:
            message.pop("quickReply", None)
    return messages


def _said(said: Said, lang: str, at: str) -> Markup:
    body = said.body or {}
    if said.kind == "message":
        return line_preview.render_said(_as_message(body, lang), lang, at=at)
    if said.kind == "postback":
        shown = body.get("displayText")
        note = _note(f"{word('postback', lang)}: {body.get('data', '')}")
        if isinstance(shown, str) and shown:
            return line_preview.render_said(shown, lang, at=at) + note
        return note
    words = {"unblock": "unblocked"}
    return _note(f"{word(words.get(said.kind, said.kind), lang)} {at}")


def _as_message(body: Json, lang: str) -> Json:
    """What the person sent, in the shape of a message object, which the preview can draw."""
    content_url = f"/_emulator/contents/{body.get('id')}"
    kind = body.get("type")
    if kind in ("image", "video"):
        return {"type": kind, "originalContentUrl": content_url, "previewImageUrl": content_url}
    if kind == "audio":
        return {
            "type": "audio",
            "originalContentUrl": content_url,
            "duration": body.get("duration", 0),
        }
    if kind == "file":
        return {"type": "text", "text": f"📄 {body.get('fileName')}"}
    return body


def _note(text: str) -> Markup:
    return Markup('<p class="note">{}</p>').format(text)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, JST).strftime("%H:%M")


def day(one: Entry) -> str:
    """The day of an entry, for the line between days."""
    return datetime.fromtimestamp(one.at_ms / 1000, JST).strftime("%Y/%m/%d")
