"""Messages as a chat shows them: who speaks, when, and the quick replies below."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup

from line_preview.actions import action_attributes, label_of
from line_preview.fields import Fields, fields, items, text
from line_preview.html import attributes, block, element, inline, join
from line_preview.icons import CAMERA, PERSON, PICTURE, PIN
from line_preview.media import image, web_url
from line_preview.messages import draw_message
from line_preview.text import render_text
from line_preview.words import word

# LINE draws its own icon on these chips when the bot gives none.
_CHIP_ICONS: Final = {"camera": CAMERA, "cameraRoll": PICTURE, "location": PIN}
_NARROW: Final = frozenset(
    {"text", "textV2", "sticker", "image", "video", "audio", "location", "file"}
)


Quote = tuple[str, str]
"""What a message quotes: who said it, and how it begins."""


def render_messages(
    messages: Iterable[Mapping[str, Any]],
    *,
    lang: str = "ja",
    sender_name: str | None = None,
    sender_icon: str | None = None,
    at: str | None = None,
    quotes: Mapping[str, Quote] | None = None,
    coupons: Mapping[str, Mapping[str, Any]] | None = None,
) -> Markup:
    """Return a run of messages from one side, as LINE draws them.

    Icon and name stand once at the top, and again where a message brings its own `sender`. `at` is
    the time to print, already formatted. The last message's quick replies follow as chips.
    `quotes` says by quote token what a message quotes; a quote of anything else says so.
    `coupons` holds coupon objects by id, for coupon messages to show.
    """
    run = [_with_coupon(fields(message), coupons) for message in messages]
    parts: list[Markup] = []
    speaker: tuple[str, str | None] | None = None
    for message in run:
        sender = fields(message.get("sender"))
        now = (text(sender, "name") or sender_name or "", _icon_of(sender, sender_icon))
        quote = _quote(message, quotes, lang)
        parts.append(_line(message, now if now != speaker else None, lang, at, quote))
        speaker = now
    if run:
        parts.append(_quick_replies(run[-1], lang))
    return block("lp-root lp-run", *parts)


def render_said(
    said: str | Mapping[str, Any],
    lang: str = "ja",
    *,
    at: str | None = None,
    read: str | None = None,
    quote: Quote | None = None,
) -> Markup:
    """Return what the user said, on the right: a text, or a message object.

    `read` is the read mark to print over the time, `quote` what is quoted.
    """
    if isinstance(said, str):
        bubble = render_text({"text": said}, lang)
    else:
        bubble = draw_message(fields(said), lang)
    if quote is not None:
        bubble = _quoting(quote, bubble)
    stamp = _stamp(at)
    if read:
        stamp = block("lp-stamps", inline("lp-time lp-read", read), stamp)
    return block("lp-root lp-line lp-said", stamp, block("lp-msg", bubble))


def render_heard(
    said: Mapping[str, Any],
    name: str,
    lang: str = "ja",
    *,
    icon: str | None = None,
    at: str | None = None,
    quote: Quote | None = None,
) -> Markup:
    """Return what somebody else said in a group, on the left under their name."""
    bubble = draw_message(fields(said), lang)
    if quote is not None:
        bubble = _quoting(quote, bubble)
    line = _line(fields(said), (name, web_url(icon)), lang, at, None, drawn=bubble)
    return block("lp-root lp-run", line)


def _with_coupon(message: Fields, coupons: Mapping[str, Mapping[str, Any]] | None) -> Fields:
    if coupons and text(message, "type") == "coupon":
        return {**message, "coupon": coupons.get(text(message, "couponId"))}
    return message


def _quote(message: Fields, quotes: Mapping[str, Quote] | None, lang: str) -> Quote | None:
    token = text(message, "quoteToken")
    if not token:
        return None
    return (quotes or {}).get(token) or ("", word("quoted", lang))


def _quoting(quote: Quote, bubble: Markup) -> Markup:
    name, words = quote
    head = block("lp-quote-name", name) if name else Markup("")
    return block("lp-quoting", block("lp-quote", head, block("lp-quote-text", words)), bubble)


def _icon_of(sender: Fields, fallback: str | None) -> str | None:
    return web_url(sender.get("iconUrl")) or web_url(fallback)


def _line(
    message: Fields,
    speaker: tuple[str, str | None] | None,
    lang: str,
    at: str | None,
    quote: Quote | None,
    *,
    drawn: Markup | None = None,
) -> Markup:
    wide = "" if text(message, "type") in _NARROW else " lp-wide"
    if fields(message.get("contents")).get("size") == "giga":
        wide += " lp-full"
    bubble = draw_message(message, lang) if drawn is None else drawn
    if quote is not None:
        bubble = _quoting(quote, bubble)
    content = block("lp-row", block("lp-msg", bubble), _stamp(at))
    head: list[Markup] = []
    if speaker is not None:
        name, icon = speaker
        face = image(icon, "lp-face-img", lang=lang) if icon else PERSON
        head.append(element("span", attributes({"class": "lp-face", "aria-hidden": "true"}), face))
        if name:
            head.append(block("lp-name", name))
    return block(f"lp-line lp-heard{wide}", *head, content)


def _stamp(at: str | None) -> Markup:
    return inline("lp-time", at) if at else Markup("")


def _quick_replies(message: Fields, lang: str) -> Markup:
    chips = [
        _chip(fields(item), lang) for item in items(fields(message.get("quickReply")).get("items"))
    ]
    if not chips:
        return Markup("")
    return element(
        "div",
        attributes(
            {"class": "lp-chips", "role": "group", "aria-label": word("quick_replies", lang)}
        ),
        *chips,
    )


def _chip(item: Fields, lang: str) -> Markup:
    action = fields(item.get("action"))
    parts: list[Markup | str] = []
    if item.get("imageUrl") is not None:
        parts.append(image(item.get("imageUrl"), "lp-chip-icon", lang=lang))
    elif default := _CHIP_ICONS.get(text(action, "type")):
        parts.append(default)
    parts.append(label_of(action, word("no_label", lang)))
    return element(
        "span", attributes({"class": "lp-chip", **action_attributes(action)}), join(parts)
    )
