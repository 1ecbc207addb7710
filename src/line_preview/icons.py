"""Small drawings of our own, as SVG elements that need no style attribute."""

from typing import Final

from markupsafe import Markup


def _icon(body: str) -> Markup:
    return Markup(  # noqa: S704 - only literals of this file reach it
        '<svg class="lp-glyph" viewBox="0 0 24 24" aria-hidden="true" focusable="false" '
        'fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" '
        f'stroke-linejoin="round">{body}</svg>'
    )


PICTURE: Final = _icon(
    '<rect x="3" y="4.5" width="18" height="15" rx="2"/><circle cx="8.5" cy="10" r="1.6"/>'
    '<path d="m4 17 5-4.5 3.5 3 3.5-4 4.5 5"/>'
)
FILE: Final = _icon('<path d="M6 3h8l5 5v13H6z"/><path d="M14 3v5h5M9 13h7M9 17h5"/>')
PLAY: Final = _icon('<path d="M8 5.5v13l11-6.5z" fill="currentColor"/>')
PIN: Final = _icon(
    '<path d="M12 21.5s7-6.6 7-12a7 7 0 0 0-14 0c0 5.4 7 12 7 12z" fill="currentColor"/>'
    '<circle cx="12" cy="9.5" r="2.6" fill="#fff" stroke="none"/>'
)
SMILE: Final = _icon(
    '<circle cx="12" cy="12" r="9"/><path d="M8 14.2c1 1.6 2.4 2.4 4 2.4s3-.8 4-2.4"/>'
    '<path d="M9 9.2v.6M15 9.2v.6"/>'
)
TICKET: Final = _icon(
    '<path d="M3 8V6.5h18V8a4 4 0 0 0 0 8v1.5H3V16a4 4 0 0 0 0-8z"/>'
    '<path d="M14.5 6.5v2M14.5 11v2M14.5 15.5v2"/>'
)
WARNING: Final = _icon('<path d="M12 4 2.8 20h18.4z"/><path d="M12 10v4.5M12 17.2v.1"/>')
PERSON: Final = _icon(
    '<circle cx="12" cy="8.5" r="4" fill="currentColor" stroke="none"/>'
    '<path d="M4 21c.6-4.6 3.8-7 8-7s7.4 2.4 8 7z" fill="currentColor" stroke="none"/>'
)
CAMERA: Final = _icon(
    '<path d="M3 8h4l1.6-2.5h6.8L17 8h4v11H3z"/><circle cx="12" cy="13" r="3.6"/>'
)
BACK: Final = _icon('<path d="m14.5 5-7 7 7 7"/>')
SEARCH: Final = _icon('<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5 5"/>')
MENU: Final = _icon('<path d="M4 7h16M4 12h16M4 17h16"/>')
PLUS: Final = _icon('<path d="M12 5v14M5 12h14"/>')
MICROPHONE: Final = _icon(
    '<rect x="9" y="3.5" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0"/>'
    '<path d="M12 18v3"/>'
)
SIGNALS: Final = Markup(
    '<svg class="lp-signals" viewBox="0 0 62 14" aria-hidden="true" focusable="false" '
    'fill="currentColor"><rect x="0" y="9" width="3" height="4" rx="1"/>'
    '<rect x="4.6" y="6.5" width="3" height="6.5" rx="1"/>'
    '<rect x="9.2" y="4" width="3" height="9" rx="1"/>'
    '<rect x="13.8" y="1.5" width="3" height="11.5" rx="1"/>'
    '<path d="M29 3a10 10 0 0 0-7 2.8l1.3 1.4a8 8 0 0 1 11.4 0L36 5.8A10 10 0 0 0 29 3zm0 4.2'
    'a5.8 5.8 0 0 0-4.1 1.7L29 13l4.1-4.1A5.8 5.8 0 0 0 29 7.2z"/>'
    '<rect x="40.5" y="2" width="18" height="10" rx="3" fill="none" stroke="currentColor"/>'
    '<rect x="42.5" y="4" width="14" height="6" rx="1.5"/>'
    '<rect x="60" y="5" width="1.6" height="4" rx=".8"/></svg>'
)
