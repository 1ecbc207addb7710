"""A whole phone: status bar, chat header, chat, input bar."""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from line_preview.chat import render_messages
from line_preview.fields import clean
from line_preview.html import attributes, block, element, inline
from line_preview.icons import BACK, MENU, MICROPHONE, PICTURE, PLUS, SEARCH, SIGNALS
from line_preview.words import word

_CLOCK = "9:41"


def render_phone(
    messages: Iterable[Mapping[str, Any]],
    *,
    title: str,
    lang: str = "ja",
    sender_icon: str | None = None,
) -> Markup:
    """Return a phone that shows a chat with the account `title` and these messages in it."""
    run = list(messages)
    if run:
        chat = render_messages(
            run, lang=lang, sender_name=title, sender_icon=sender_icon, at=_CLOCK
        )
    else:
        chat = block("lp-nothing", word("none_yet", lang))
    return element(
        "div",
        attributes(
            {
                "class": "lp-root lp-phone",
                "role": "group",
                "aria-label": f"{word('phone', lang)}: {clean(title)}",
            }
        ),
        block(
            "lp-screen",
            _decoration("lp-status", inline("lp-clock", _CLOCK), SIGNALS),
            block("lp-bar", BACK, block("lp-title", title), SEARCH, MENU),
            element("div", attributes({"class": "lp-chat", "tabindex": "0"}), chat),
            _decoration(
                "lp-input",
                PLUS,
                PICTURE,
                inline("lp-input-field", word("input", lang)),
                MICROPHONE,
            ),
        ),
    )


def _decoration(classes: str, *children: Markup) -> Markup:
    """Return what only makes the frame look like a phone, hidden from screen readers."""
    return element("div", attributes({"class": classes, "aria-hidden": "true"}), *children)
