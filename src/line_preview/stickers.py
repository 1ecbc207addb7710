"""Stand-ins for stickers, drawn by us: the same ids always give the same face."""

import hashlib
from typing import Final

from markupsafe import Markup

_COLOURS: Final = (
    ("#ffd96b", "#8a5a00"),
    ("#ffb3b8", "#8c2f3b"),
    ("#b9e3a1", "#2f5f2a"),
    ("#a9d8f5", "#1f4f7a"),
    ("#d9c3f4", "#53307f"),
    ("#ffcfa1", "#8a4312"),
    ("#f4f1ea", "#4c4a45"),
)
_EARS: Final = (
    "",
    '<path d="M32 44 26 14 54 30zM108 44 114 14 86 30z"/>',
    '<ellipse cx="48" cy="27" rx="11" ry="24"/><ellipse cx="92" cy="27" rx="11" ry="24"/>',
    '<circle cx="36" cy="36" r="17"/><circle cx="104" cy="36" r="17"/>',
)
_EYES: Final = (
    '<circle cx="52" cy="68" r="5" fill="{ink}"/><circle cx="88" cy="68" r="5" fill="{ink}"/>',
    '<path d="M44 70q8-10 16 0M80 70q8-10 16 0"/>',
    '<path d="M44 66q8 9 16 0M80 66q8 9 16 0"/>',
    '<path d="m45 60 14 8-14 8M95 60l-14 8 14 8"/>',
    '<circle cx="52" cy="68" r="9" fill="#fff"/><circle cx="88" cy="68" r="9" fill="#fff"/>'
    '<circle cx="54" cy="69" r="4" fill="{ink}"/><circle cx="90" cy="69" r="4" fill="{ink}"/>',
)
_MOUTHS: Final = (
    '<path d="M56 88q14 14 28 0"/>',
    '<path d="M54 86h32q-3 20-16 20T54 86z" fill="#fff"/>',
    '<path d="M58 96q12-12 24 0"/>',
    '<circle cx="70" cy="92" r="6" fill="{ink}"/>',
    '<path d="M56 88q7 9 14 0 7 9 14 0"/>',
)
_MORE: Final = (
    "",
    '<path d="M118 18c-6-10-20-2-12 8l12 11 12-11c8-10-6-18-12-8z" fill="#e8556a" stroke="none"/>',
    '<path d="M122 12v26M122 48v1M110 16v18" stroke-width="5"/>',
    '<path d="m118 10 4 10 10 4-10 4-4 10-4-10-10-4 10-4z" fill="#f5b301" stroke="none"/>',
    '<path d="M112 44q12-14 4-22-10 10-4 22z" fill="#5aa9e0" stroke="none"/>',
)


def render_sticker_picture(package: str, sticker: str) -> Markup:
    """Return a drawing for a sticker, without LINE's picture: faces differ by the ids."""
    digest = hashlib.sha256(f"{package}/{sticker}".encode("utf-8", "replace")).digest()
    skin, ink = _COLOURS[digest[0] % len(_COLOURS)]
    face = "".join(
        parts[digest[place] % len(parts)]
        for place, parts in enumerate((_EYES, _MOUTHS, _MORE), start=1)
    ).replace("{ink}", ink)
    ears = _EARS[digest[4] % len(_EARS)]
    return Markup(  # noqa: S704 - only literals of this file reach it
        '<svg class="lp-sticker-picture" viewBox="0 0 140 130" aria-hidden="true" '
        f'focusable="false" stroke="{ink}" stroke-width="3.5" stroke-linecap="round" '
        f'stroke-linejoin="round" fill="none"><g fill="{skin}">{ears}'
        f'<ellipse cx="70" cy="78" rx="50" ry="44"/></g>{face}</svg>'
    )
