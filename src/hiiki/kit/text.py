"""How LINE counts characters.

LINE counts UTF-16 code units in general and grapheme clusters in labels
(Messaging API, "Character counting in a text").
"""

from __future__ import annotations

import regex

_GRAPHEME = regex.compile(r"\X")


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 code units: an emoji outside the BMP counts two."""
    return len(text) + sum(character > "\uffff" for character in text)


def grapheme_length(text: str) -> int:
    """Return the number of characters as a person sees them."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def shorten(text: str, graphemes: int) -> str:
    """Return `text` cut to at most `graphemes` visible characters, with an ellipsis."""
    found = _GRAPHEME.findall(text)
    return text if len(found) <= graphemes else "".join(found[: graphemes - 1]) + "…"
