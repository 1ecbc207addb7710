"""One message object to HTML, by its type."""

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from line_preview.attachments import (
    render_audio,
    render_coupon,
    render_file,
    render_image,
    render_imagemap,
    render_location,
    render_sticker,
    render_video,
)
from line_preview.fields import Fields, fields, text
from line_preview.flex import render_flex
from line_preview.html import block
from line_preview.placeholder import placeholder
from line_preview.templates import render_template
from line_preview.text import render_text, render_text_v2

_TYPES: dict[str, Callable[[Fields, str], Markup]] = {
    "text": render_text,
    "textV2": render_text_v2,
    "sticker": render_sticker,
    "image": render_image,
    "video": render_video,
    "audio": render_audio,
    "file": render_file,
    "location": render_location,
    "imagemap": render_imagemap,
    "template": render_template,
    "flex": render_flex,
    "coupon": render_coupon,
}


def render_message(message: Mapping[str, Any], *, lang: str = "ja") -> Markup:
    """Return one LINE message object as HTML, without icon, name or quick replies.

    Whatever the JSON holds, the answer is escaped HTML: what cannot be drawn becomes a visible
    placeholder.
    """
    return block("lp-root lp-msg", draw_message(fields(message), lang))


def draw_message(message: Fields, lang: str) -> Markup:
    """Draw one message by its type."""
    kind = text(message, "type")
    draw = _TYPES.get(kind)
    return draw(message, lang) if draw else placeholder(kind or "?", lang)
