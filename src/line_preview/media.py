"""Images by URL, and the grey stand-in where an image cannot be had."""

import re

from markupsafe import Markup

from line_preview.fields import clean
from line_preview.html import attributes, block, element, inline
from line_preview.icons import PICTURE
from line_preview.words import word

# A colon before the path can only belong to a scheme.
_OTHER_SCHEME = re.compile(r"(?!https?:)[^/?#]*:", re.IGNORECASE)
# Browsers drop tabs and line breaks inside URLs, so "java\nscript:" would pass a look at its start.
_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f\ufffd]")
_MAX_URL = 4000


def web_url(value: object) -> str | None:
    """Return an http(s) or relative URL, or None for anything a preview must not load."""
    if not isinstance(value, str):
        return None
    url = clean(value).strip()
    if not url or len(url) > _MAX_URL or _SPACE_OR_CONTROL.search(url):
        return None
    return None if _OTHER_SCHEME.match(url) else url


def image(url: object, classes: str, *, lang: str, alt: str = "") -> Markup:
    """Return an image, or a stand-in of the same classes where the URL cannot be used.

    `line-preview.js` puts the same stand-in in place of an image that fails to load.
    """
    address = web_url(url)
    if address is None:
        return no_image(classes, lang)
    return element(
        "img",
        attributes(
            {
                "class": classes,
                "src": address,
                "alt": alt,
                "loading": "lazy",
                "decoding": "async",
                "referrerpolicy": "no-referrer",
                "draggable": "false",
                "data-lp-image": True,
            }
        ),
    )


def no_image(classes: str, lang: str) -> Markup:
    """Return the grey stand-in for an image."""
    return element(
        "span",
        attributes(
            {
                "class": f"{classes} lp-noimage",
                "role": "img",
                "aria-label": word("broken_image", lang),
            }
        ),
        PICTURE,
    )


def play_button(classes: str, glyph: Markup, lang: str) -> Markup:
    """Return the round play sign that lies over a video."""
    return inline(f"lp-play {classes}".strip(), glyph, inline("lp-sr", word("play", lang)))


def frame(classes: str, *children: Markup) -> Markup:
    """Return a positioned frame for a picture and what lies over it."""
    return block(f"lp-frame {classes}".strip(), *children)
