"""Pictures the emulator draws itself: avatars, and stand-ins for what a camera would take."""

from __future__ import annotations

import colorsys
import functools
import hashlib
import html
import io
import math
import struct
import wave

from .model import User
from .photos import PHOTOS, photo


def _hue(text: str) -> float:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()[0] / 255


def avatar(user: User) -> bytes:
    """An SVG profile image: a person's shape in colours of their own, with their initial."""
    hue = _hue(user.id)
    back = _css(colorsys.hls_to_rgb(hue, 0.78, 0.55))
    fore = _css(colorsys.hls_to_rgb(hue, 0.38, 0.5))
    initial = html.escape(user.name.strip()[:1] or "?")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200" viewBox="0 0 200 200">'
        f'<rect width="200" height="200" fill="{back}"/>'
        f'<circle cx="100" cy="88" r="46" fill="{fore}" opacity=".25"/>'
        f'<ellipse cx="100" cy="196" rx="78" ry="58" fill="{fore}" opacity=".25"/>'
        f'<text x="100" y="126" font-size="84" text-anchor="middle" fill="{fore}" '
        f'font-family="sans-serif">{initial}</text></svg>'
    ).encode()


def group_icon(id: str, name: str) -> bytes:
    """An SVG icon of a group: several heads in colours of their own, with its initial."""
    hue = _hue(id)
    back = _css(colorsys.hls_to_rgb(hue, 0.85, 0.45))
    fore = _css(colorsys.hls_to_rgb(hue, 0.4, 0.45))
    heads = "".join(
        f'<circle cx="{x}" cy="{y}" r="30" fill="{fore}" opacity=".25"/>'
        for x, y in ((58, 72), (142, 72), (100, 56))
    )
    initial = html.escape(name.strip()[:1] or "?")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200" viewBox="0 0 200 200">'
        f'<rect width="200" height="200" fill="{back}"/>{heads}'
        f'<text x="100" y="156" font-size="72" text-anchor="middle" fill="{fore}" '
        f'font-family="sans-serif">{initial}</text></svg>'
    ).encode()


def _css(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


def stand_in(kind: str, message_id: str) -> tuple[str, bytes]:
    """Content type and bytes of what a person "sent" when the caller gave no data."""
    if kind == "image":
        names = list(PHOTOS)
        return "image/jpeg", photo(names[round(_hue(message_id) * (len(names) - 1))])
    if kind == "audio":
        return "audio/wav", _tone()
    if kind == "video":
        return "video/mp4", _empty_mp4()
    return "text/plain; charset=utf-8", "エミュレーターから送られたファイルです。\n".encode()


@functools.cache
def _tone() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(
            b"".join(
                struct.pack("<h", int(9000 * math.sin(2 * math.pi * 440 * i / 8000)))
                for i in range(4000)
            )
        )
    return out.getvalue()


@functools.cache
def _empty_mp4() -> bytes:
    brand = b"isom" + struct.pack(">I", 512) + b"isomiso2mp41"
    return struct.pack(">I", 8 + len(brand)) + b"ftyp" + brand + struct.pack(">I", 8) + b"mdat"
