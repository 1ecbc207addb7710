"""Photos people take: little scenes, drawn by us; also the icons of accounts."""

from __future__ import annotations

import functools
import html
import io
import math
from collections.abc import Callable

from PIL import Image, ImageDraw

SIZE = (960, 720)
Painter = Callable[[ImageDraw.ImageDraw], None]


def _sky(draw: ImageDraw.ImageDraw, top: tuple[int, ...], bottom: tuple[int, ...]) -> None:
    width, height = SIZE
    for y in range(height):
        mix = y / height
        colour = tuple(round(a + (b - a) * mix) for a, b in zip(top, bottom, strict=True))
        draw.line([(0, y), (width, y)], fill=(colour[0], colour[1], colour[2]))


def _sea(draw: ImageDraw.ImageDraw) -> None:
    _sky(draw, (120, 190, 235), (225, 240, 250))
    draw.ellipse((690, 90, 810, 210), fill=(255, 222, 120))
    draw.rectangle((0, 400, 960, 720), fill=(40, 120, 170))
    for row in range(5):
        wave = [(x, 440 + row * 60 + 9 * math.sin(x / 38 + row)) for x in range(0, 961, 8)]
        draw.line(wave, fill=(150, 205, 230), width=5)
    draw.polygon([(300, 430), (520, 430), (480, 480), (340, 480)], fill=(180, 70, 60))
    draw.polygon([(405, 250), (405, 420), (300, 420)], fill=(250, 250, 245))
    draw.polygon([(420, 270), (420, 420), (500, 420)], fill=(235, 235, 230))


def _mountain(draw: ImageDraw.ImageDraw) -> None:
    _sky(draw, (250, 180, 140), (255, 235, 205))
    draw.polygon([(60, 720), (480, 170), (900, 720)], fill=(92, 108, 150))
    draw.polygon(
        [(388, 290), (480, 170), (572, 290), (530, 275), (500, 310), (462, 280), (430, 312)],
        fill=(250, 250, 255),
    )
    draw.polygon([(0, 720), (0, 560), (260, 500), (560, 600), (960, 530), (960, 720)],
                 fill=(70, 120, 84))  # fmt: skip
    draw.ellipse((90, 90, 190, 190), fill=(240, 90, 70))


def _curry(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, 960, 720), fill=(196, 150, 104))
    for x in range(0, 960, 120):
        draw.line([(x, 0), (x, 720)], fill=(178, 132, 88), width=6)
    draw.ellipse((170, 50, 790, 670), fill=(250, 250, 246))
    draw.ellipse((220, 100, 740, 620), fill=(172, 96, 30))
    draw.pieslice((220, 100, 740, 620), 100, 260, fill=(252, 248, 236))
    for x, y, colour in ((560, 260, (230, 150, 50)), (620, 400, (120, 160, 70)),
                         (520, 480, (230, 150, 50)), (600, 520, (190, 60, 50)),
                         (500, 330, (120, 160, 70))):  # fmt: skip
        draw.ellipse((x - 34, y - 28, x + 34, y + 28), fill=colour)


def _cat(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, 960, 480), fill=(222, 232, 214))
    draw.rectangle((0, 480, 960, 720), fill=(190, 160, 130))
    draw.polygon([(330, 300), (350, 130), (470, 230)], fill=(90, 84, 92))
    draw.polygon([(630, 300), (610, 130), (490, 230)], fill=(90, 84, 92))
    draw.ellipse((290, 190, 670, 520), fill=(104, 98, 108))
    draw.ellipse((330, 430, 630, 740), fill=(104, 98, 108))
    for x in (400, 560):
        draw.ellipse((x - 38, 300, x + 38, 376), fill=(236, 214, 110))
        draw.ellipse((x - 10, 304, x + 10, 372), fill=(30, 28, 32))
    draw.polygon([(462, 402), (498, 402), (480, 424)], fill=(232, 150, 150))
    for side in (-1, 1):
        for lift in (-16, 6, 28):
            draw.line([(480 + side * 50, 420), (480 + side * 190, 410 + lift)],
                      fill=(240, 240, 240), width=4)  # fmt: skip


def _receipt(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, 960, 720), fill=(86, 98, 116))
    draw.rectangle((300, 30, 660, 700), fill=(252, 252, 248))
    draw.rectangle((380, 70, 580, 100), fill=(60, 60, 60))
    for row in range(8):
        y = 160 + row * 46
        draw.rectangle((340, y, 340 + 90 + row * 37 % 80, y + 14), fill=(120, 120, 120))
        draw.rectangle((560, y, 620, y + 14), fill=(120, 120, 120))
    draw.line([(340, 540), (620, 540)], fill=(60, 60, 60), width=4)
    draw.rectangle((340, 570, 440, 596), fill=(60, 60, 60))
    draw.rectangle((530, 570, 620, 596), fill=(60, 60, 60))
    for bar in range(24):
        draw.rectangle(
            (342 + bar * 12, 630, 342 + bar * 12 + 3 + bar % 3 * 3, 676), fill=(40, 40, 40)
        )


def _flowers(draw: ImageDraw.ImageDraw) -> None:
    _sky(draw, (200, 225, 245), (245, 240, 250))
    draw.rectangle((0, 520, 960, 720), fill=(120, 170, 96))
    for number, x in enumerate(range(110, 960, 150)):
        y = 300 + number % 3 * 60
        draw.line([(x, y), (x, 620)], fill=(70, 130, 70), width=10)
        colour = ((240, 130, 160), (250, 190, 80), (170, 130, 220))[number % 3]
        for petal in range(6):
            angle = petal * math.pi / 3
            px, py = x + 44 * math.cos(angle), y + 44 * math.sin(angle)
            draw.ellipse((px - 32, py - 32, px + 32, py + 32), fill=colour)
        draw.ellipse((x - 26, y - 26, x + 26, y + 26), fill=(255, 240, 150))


PHOTOS: dict[str, Painter] = {
    "sea": _sea,
    "mountain": _mountain,
    "curry": _curry,
    "cat": _cat,
    "receipt": _receipt,
    "flowers": _flowers,
}
"""The pictures by name."""


@functools.lru_cache(maxsize=len(PHOTOS))
def photo(name: str) -> bytes:
    """The picture as JPEG. Raises KeyError if there is none of this name."""
    painter = PHOTOS[name]
    picture = Image.new("RGB", SIZE)
    painter(ImageDraw.Draw(picture))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def account_icon(channel_id: str, name: str) -> bytes:
    """An account's icon as SVG: a shop's awning in colours of its own, with the first letter."""
    hue = int(channel_id[-4:]) * 47 % 360 if channel_id[-4:].isdigit() else 140
    initial = html.escape(name.strip()[:1] or "?")
    stripes = "".join(
        f'<path d="M{x} 24h28v28a14 14 0 0 1-28 0z" fill="{colour}"/>'
        for x, colour in zip(range(16, 184, 28), (f"hsl({hue} 62% 46%)", "#fff") * 3, strict=True)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200" viewBox="0 0 200 200">'
        f'<rect width="200" height="200" fill="hsl({hue} 55% 88%)"/>{stripes}'
        f'<text x="100" y="158" font-size="84" text-anchor="middle" fill="hsl({hue} 60% 26%)" '
        f'font-family="sans-serif" font-weight="700">{initial}</text></svg>'
    ).encode()
