"""What is shown where a message cannot be drawn."""

from markupsafe import Markup

from line_preview.html import block, inline
from line_preview.icons import WARNING
from line_preview.words import word

_MAX_DETAIL = 80


def placeholder(detail: str, lang: str, *, key: str = "unknown") -> Markup:
    """Return a visible note that something cannot be drawn, and what it was."""
    short = detail if len(detail) <= _MAX_DETAIL else f"{detail[:_MAX_DETAIL]}…"
    return block(
        "lp-unknown",
        WARNING,
        inline("lp-unknown-text", word(key, lang), inline("lp-unknown-detail", short)),
    )
