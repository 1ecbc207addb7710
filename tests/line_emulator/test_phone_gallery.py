"""The gallery: every design is one that LINE would accept, and its page holds together."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect
from tests.line_emulator.browsing import tab

from line_emulator.phone.gallery.designs import DESIGNS
from line_emulator.phone.gallery.parts import sendable

__all__ = ["tab"]


@pytest.mark.parametrize("design", DESIGNS, ids=lambda one: one.name)
async def test_every_design_can_be_sent(line, api, design):
    friend = await line.new_friend()
    message = sendable(design.message, line.url)
    answer = await api.push(friend, message)
    assert answer.status == 200, answer.json
    assert (await line.received(friend))[-1] == message


async def test_pictures_of_the_gallery_are_there(line, api):
    page = await api.call("GET", "/phone-gallery?lang=en")
    assert page.status == 200
    html = page.json.decode()
    wanted = {part.split('"')[0] for part in html.split('src="/phone-pictures/')[1:]}
    assert len(wanted) > 8
    for name in wanted - {"video.mp4"}:
        answer = await api.call("GET", f"/phone-pictures/{name}")
        assert answer.status == 200, name
    for name in ("x.svg", "..%2Fphone.js", "cat.svg", "sea.png", ".jpg"):
        assert (await api.call("GET", f"/phone-pictures/{name}")).status == 404
    one = await api.call("GET", "/phone-gallery?lang=en&design=ticket")
    assert one.json.decode().count("<figure") == 1


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_sticks_out_of_the_gallery(line, tab, width):
    await tab.set_viewport_size({"width": width, "height": 844})
    await tab.goto(f"{line.url}/phone-gallery?lang=ja")
    await expect(tab.locator("figure")).to_have_count(len(DESIGNS))
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    widths = {}
    for size in ("nano", "micro", "deca", "hecto", "kilo", "mega"):
        box = await tab.locator(f"#size-{size} .lp-bub").bounding_box()
        assert box
        widths[size] = round(box["width"])
    wanted = {"nano": 120, "micro": 160, "deca": 220, "hecto": 241, "kilo": 260, "mega": 300}
    assert widths == wanted
    for place in (".lp-shrink > .lp-p", ".lp-shrink > .lp-btn-label"):
        line_of_text = tab.locator(f"#adjust {place}")
        holder = line_of_text.locator("..")
        await expect(holder).to_have_attribute("style", re.compile("--lp-fit: 0"))
        assert await line_of_text.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert await tab.locator("#adjust .lp-block-line").count() == 1
