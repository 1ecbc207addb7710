"""Text messages: line breaks, LINE emojis, mentions, and addresses that can be tapped."""

import re

from markupsafe import Markup

from line_preview.actions import action_attributes
from line_preview.fields import Fields, clean, fields, integer, items, text
from line_preview.html import attributes, block, element, inline, join
from line_preview.icons import SMILE
from line_preview.words import word

# Addresses end at the first character that is not ASCII: Japanese text follows without a space.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
_SENTENCE_END = ".,:;!?'"
_SUBSTITUTION = re.compile(r"\{\{|\}\}|\{([0-9A-Za-z_]{1,20})\}")


def render_text(message: Fields, lang: str) -> Markup:
    """Draw a `text` message, with LINE emojis at their `$` signs."""
    raw = message.get("text")
    if not isinstance(raw, str) or not raw.strip():
        return _bubble(inline("lp-muted", word("empty_text", lang)))
    emojis = {
        integer(fields(emoji), "index", -1): fields(emoji) for emoji in items(message.get("emojis"))
    }
    if not emojis:
        return _bubble(linked(raw))
    return _bubble(join(_with_emojis(raw, emojis, lang)))


def render_text_v2(message: Fields, lang: str) -> Markup:
    """Draw a `textV2` message: `{key}` is replaced by a mention or a LINE emoji.

    Who is mentioned is written if the `mentionee` has a `name`, which LINE's messages do not carry.
    """
    raw = text(message, "text")
    if not raw.strip():
        return _bubble(inline("lp-muted", word("empty_text", lang)))
    substitutions = fields(message.get("substitution"))
    parts: list[Markup] = []
    plain: list[str] = []
    position = 0
    for found in _SUBSTITUTION.finditer(raw):
        plain.append(raw[position : found.start()])
        position = found.end()
        key = found.group(1)
        if key is None:
            plain.append(found.group()[0])
        elif key not in substitutions:
            plain.append(found.group())
        else:
            parts += [linked("".join(plain)), _substitute(fields(substitutions[key]), key, lang)]
            plain = []
    plain.append(raw[position:])
    return _bubble(join([*parts, linked("".join(plain))]))


def linked(raw: str) -> Markup:
    """Return text with its web addresses highlighted and tappable, everything escaped."""
    raw = clean(raw)
    parts: list[Markup | str] = []
    position = 0
    for found in _ADDRESS.finditer(raw):
        address = found.group().rstrip(_SENTENCE_END)
        if address.endswith(")") and "(" not in address:
            address = address.rstrip(")")
        parts.append(raw[position : found.start()])
        position = found.start() + len(address)
        tap = action_attributes({"type": "uri", "uri": address})
        parts.append(element("span", attributes({"class": "lp-url", **tap}), address))
    parts.append(raw[position:])
    return join(parts)


def emoji_glyph(emoji: Fields, lang: str) -> Markup:
    """Return the sign that stands for a LINE emoji, whose picture only LINE has."""
    ids = "/".join(part for part in (text(emoji, "productId"), text(emoji, "emojiId")) if part)
    title = f"{word('emoji', lang)} {ids}".strip()
    return element(
        "span",
        attributes({"class": "lp-emoji", "role": "img", "aria-label": title, "title": title}),
        SMILE,
    )


def _bubble(content: Markup) -> Markup:
    return block("lp-bubble lp-text", content)


def _with_emojis(raw: str, emojis: dict[int, Fields], lang: str) -> list[Markup]:
    parts: list[Markup] = []
    plain: list[str] = []
    index = 0
    for character in raw:
        if character == "$" and index in emojis:
            parts += [linked("".join(plain)), emoji_glyph(emojis[index], lang)]
            plain = []
        else:
            plain.append(character)
        # LINE counts in UTF-16 units.
        index += 2 if ord(character) > 0xFFFF else 1
    return [*parts, linked("".join(plain))]


def _substitute(substitution: Fields, key: str, lang: str) -> Markup:
    if substitution.get("type") == "emoji":
        return emoji_glyph(substitution, lang)
    if substitution.get("type") == "mention":
        mentionee = fields(substitution.get("mentionee"))
        name = word("everyone" if mentionee.get("type") == "all" else "mention", lang)
        if known := text(mentionee, "name"):
            name = f"@{known}"
        title = text(mentionee, "userId") or None
        return element("span", attributes({"class": "lp-mention", "title": title}), name)
    return inline("lp-mention", clean(f"{{{key}}}"))
