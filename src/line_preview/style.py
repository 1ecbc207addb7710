"""Styles that a page with a strict Content-Security-Policy may carry.

LINE's keyword sizes become classes of our stylesheet. What is left (a colour, `23px`, `40%`) goes
into `data-lp-style`, which `line-preview.js` applies through the CSSOM. Every property in it must
be listed here together with the only pattern its value may have, so nothing a message says can
become any other CSS.
"""

import re

from markupsafe import Markup

from line_preview.fields import Fields, text
from line_preview.html import attributes

_NUMBER = r"\d{1,5}(?:\.\d{1,4})?"
_LENGTH = rf"{_NUMBER}(?:px|%)"
_PIXELS = rf"{_NUMBER}px"
_COLOUR = r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?"
_GRADIENT = rf"linear-gradient\({_NUMBER}deg(?:, {_COLOUR}(?: {_NUMBER}%)?){{2,3}}\)"

# line-preview.js keeps the same list of names; a test compares the two.
ALLOWED: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for pattern, names in {
        _COLOUR: ("color", "background-color", "border-color"),
        _GRADIENT: ("background-image",),
        _LENGTH: (
            "width",
            "height",
            "max-width",
            "max-height",
            "padding-top",
            "padding-bottom",
            "padding-inline-start",
            "padding-inline-end",
        ),
        rf"-?{_LENGTH}": ("top", "bottom", "left", "inset-inline-start", "inset-inline-end"),
        rf"-?{_PIXELS}": ("margin-top", "margin-inline-start"),
        _PIXELS: ("--lp-size", "border-width", "border-radius", "--lp-line-gap"),
        r"\d{1,6}(?:\.\d{1,4})? / \d{1,6}(?:\.\d{1,4})?": ("aspect-ratio",),
        r"\d{1,4}": ("flex-grow", "-webkit-line-clamp"),
    }.items()
    for name in names
}

SPACES = frozenset({"none", "xs", "sm", "md", "lg", "xl", "xxl"})


class Look:
    """The classes and the checked CSS declarations of one element."""

    def __init__(self, *classes: str) -> None:
        self._classes = list(classes)
        self._declarations: dict[str, str] = {}

    def add(self, *classes: str) -> "Look":
        """Add classes of our stylesheet; empty names are skipped."""
        self._classes.extend(name for name in classes if name)
        return self

    def declare(self, name: str, value: str) -> bool:
        """Add a CSS declaration if its value is allowed; say whether it was."""
        if not ALLOWED[name].fullmatch(value):
            return False
        self._declarations[name] = value
        return True

    def colour(self, name: str, source: Fields, key: str) -> bool:
        """Take a CSS colour from a field that holds LINE's hexadecimal notation."""
        return self.declare(name, text(source, key))

    def size(
        self, name: str, source: Fields, key: str, prefix: str, words: frozenset[str] = SPACES
    ) -> bool:
        """Take a size from a field: a keyword becomes the class `prefix-word`, others CSS."""
        value = text(source, key)
        if value in words:
            self._classes.append(f"{prefix}-{value}")
            return True
        return self.declare(name, value)

    def attributes(self, **others: str | bool | None) -> Markup:
        """Return the element's `class`, `data-lp-style` and other attributes, escaped."""
        style = ";".join(f"{name}:{value}" for name, value in self._declarations.items())
        return attributes(
            {"class": " ".join(self._classes), "data-lp-style": style or None, **others}
        )
