"""What all pages share: the document around them, links, and little drawings."""

from __future__ import annotations

from urllib.parse import urlencode

from markupsafe import Markup

from ..model import Channel
from .words import word


def page(title: str, lang: str, body: Markup, name: str, styles: str = "") -> Markup:
    """A whole page: `name` is its class and its module, `styles` a stylesheet of its own."""
    sheets = ["line-preview.css", "phone.css", *([styles] if styles else [])]
    return Markup(
        '<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>{title}</title><link rel="icon" href="data:,">{links}'
        '<script type="module" src="/phone-assets/line-preview.js"></script>'
        '<script type="module" src="/phone-assets/{name}.js"></script>'
        '</head><body class="on-{name}">{body}</body></html>'
    ).format(
        lang=lang,
        title=title,
        name=name,
        body=body,
        links=join(
            Markup('<link rel="stylesheet" href="/phone-assets/{}">').format(sheet)
            for sheet in sheets
        ),
    )


def link(path: str, text: str, css: str = "", **query: str | int) -> Markup:
    """A link with a query."""
    return Markup('<a class="{}" href="{}?{}">{}</a>').format(css, path, urlencode(query), text)


def join(parts: object) -> Markup:
    """Pieces of HTML as one; plain strings are escaped."""
    return Markup("").join(parts)  # pyright: ignore[reportArgumentType]


def texts(lang: str, *keys: str) -> Markup:
    """Words that a script shows, as data attributes."""
    return Markup(" ").join(
        Markup('data-{}="{}"').format(key.replace("_", "-"), word(key, lang)) for key in keys
    )


def other(lang: str) -> str:
    """The language to switch to."""
    return "en" if lang == "ja" else "ja"


def icon(name: str) -> Markup:
    """A line drawing of our own, in the colour of the text around it."""
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" fill="none" '
        'stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">'
        "{}</svg>"
    ).format(Markup(_ICONS[name]))  # noqa: S704 - literals of this file


_ICONS = {
    "back": '<path d="m14.5 5-7 7 7 7"/>',
    "more": '<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3"/>',
    "lines": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "close": '<path d="m6 6 12 12M18 6 6 18"/>',
    "send": '<path d="M4 12 20 4l-5 16-3.5-6.5z" fill="currentColor"/>',
    "keyboard": '<rect x="3" y="6" width="18" height="12" rx="2"/>'
    '<path d="M6.5 10h.01M10 10h.01M13.5 10h.01M17.5 10h.01M7 14h10"/>',
    "camera": '<path d="M4 8h4l1.5-2.5h5L16 8h4v11H4z"/><circle cx="12" cy="13.2" r="3.4"/>',
    "photo": '<rect x="3" y="4.5" width="18" height="15" rx="2"/><circle cx="8.5" cy="10" r="1.6"/>'
    '<path d="m4 17 5-4.5 3.5 3 3.5-4 4.5 5"/>',
    "sticker": '<circle cx="12" cy="12" r="8.5"/><path d="M8.5 14q3.5 4 7 0M9 9.5v.1M15 9.5v.1"/>',
    "location": '<path d="M12 21s6.5-6.4 6.5-11a6.5 6.5 0 0 0-13 0c0 4.6 6.5 11 6.5 11z"/>'
    '<circle cx="12" cy="10" r="2.3"/>',
    "video": '<rect x="3" y="6" width="13" height="12" rx="2"/><path d="m16 10.5 5-3v9l-5-3z"/>',
    "audio": '<rect x="9" y="3.5" width="6" height="11" rx="3"/>'
    '<path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>',
    "file": '<path d="M6 3h8l5 5v13H6z"/><path d="M14 3v5h5"/>',
    "up": '<path d="m6 15 6-6 6 6"/>',
    "bell": '<path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4"/>',
    "person": '<circle cx="12" cy="8.5" r="4"/><path d="M4.5 20.5a7.5 7.5 0 0 1 15 0"/>',
    "reply": '<path d="M10 6 4 12l6 6M4 12h9a7 7 0 0 1 7 6"/>',
    "copy": '<rect x="8" y="8" width="12" height="12" rx="2"/><path d="M16 8V4H4v12h4"/>',
    "undo": '<path d="M5 12h10a5 5 0 0 1 0 10h-3M5 12l4-4M5 12l4 4"/>',
    "pencil": '<path d="M4 20l1-5L16 4l4 4L9 19z"/>',
    "outside": '<path d="M14 4h6v6M20 4 10 14M18 14v6H4V6h6"/>',
}


def switches(channels: list[Channel], here: Channel | None, path: str, lang: str) -> Markup:
    """Links to the same page for each account."""
    return join(
        link(
            path, one.name, "account here" if one is here else "account", channel=one.id, lang=lang
        )
        for one in channels
    )
