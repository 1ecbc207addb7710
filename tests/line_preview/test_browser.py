"""Previews in a real browser, under a policy that forbids inline styles and scripts."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from markupsafe import Markup
from playwright.async_api import Browser, Page
from tests.line_preview import samples
from tests.line_preview.designs import FLEX, box, button, flex, text
from tests.line_preview.gallery import Site, page_of, pages, site

from line_preview import render_message, render_messages, render_phone

pytestmark = pytest.mark.browser

Show = Callable[[Markup], Any]


@pytest.fixture(scope="module")
async def shared_page(browser: Browser) -> AsyncIterator[tuple[Page, Site, list[str]]]:
    with site() as served:
        async with page_of(browser) as page:
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            yield page, served, complaints


@pytest.fixture
def page(shared_page: tuple[Page, Site, list[str]]) -> Page:
    return shared_page[0]


@pytest.fixture
def complaints(shared_page: tuple[Page, Site, list[str]]) -> list[str]:
    shared_page[2].clear()
    return shared_page[2]


@pytest.fixture
def show(shared_page: tuple[Page, Site, list[str]]) -> Show:
    page, served, _ = shared_page

    async def put(content: Markup) -> None:
        await page.goto(served.put("page", content))
        await page.wait_for_load_state("networkidle")

    return put


async def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    found = await page.eval_on_selector_all(
        selector,
        "all => all.map(e => { const r = e.getBoundingClientRect();"
        " return {x: r.x, y: r.y, width: r.width, height: r.height} })",
    )
    assert found, selector
    return found


def bubble(*contents: dict[str, Any], layout: str = "vertical", **more: Any) -> Markup:
    content = {"type": "bubble", "body": box(layout, *contents, **more)}
    return render_message(flex(content))


async def test_the_gallery_offends_no_policy(page: Page, show: Show, complaints: list[str]) -> None:
    for name, content in pages().items():
        complaints.clear()
        await show(content)
        assert [said for said in complaints if "404" not in said] == [], name
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


async def test_columns_stand_side_by_side(page: Page, show: Show) -> None:
    await show(bubble(text("left"), text("right"), layout="horizontal", paddingAll="20px"))
    left, right = await boxes(page, ".lp-txt")
    assert left["y"] == right["y"]
    assert left["width"] == right["width"] == pytest.approx(130, abs=0.5)
    assert right["x"] == pytest.approx(left["x"] + left["width"], abs=0.5)


async def test_widths_follow_flex(page: Page, show: Show) -> None:
    long = "とても長い文です。" * 5
    await show(
        bubble(text(long, flex=1), text("b", flex=2), text("fit", flex=0), layout="horizontal")
    )
    one, two, fit = await boxes(page, ".lp-txt")
    assert two["width"] == pytest.approx(2 * one["width"], abs=0.5)
    assert fit["width"] < 40
    assert one["width"] + two["width"] + fit["width"] == pytest.approx(260, abs=0.5)


async def test_large_flex_values_are_applied_by_the_script(page: Page, show: Show) -> None:
    await show(bubble(text("a", flex=10), text("b", flex=30), layout="horizontal"))
    first, second = await boxes(page, ".lp-txt")
    assert second["width"] == pytest.approx(3 * first["width"], abs=0.5)


async def test_absolute_offsets_count_from_the_parent(page: Page, show: Show) -> None:
    mark = box(
        "vertical",
        position="absolute",
        offsetTop="10px",
        offsetStart="40px",
        offsetEnd="80px",
        height="20px",
        backgroundColor="#ff0000",
    )
    await show(bubble(box("vertical", text("x"), mark, height="100px"), paddingAll="none"))
    parent, child = (await boxes(page, ".lp-box"))[1:]
    assert child["x"] - parent["x"] == pytest.approx(40, abs=0.5)
    assert child["y"] - parent["y"] == pytest.approx(10, abs=0.5)
    assert child["width"] == pytest.approx(300 - 120, abs=0.5)
    assert parent["height"] == 100


async def test_right_to_left_mirrors_offsets_and_order(page: Page, show: Show) -> None:
    content = {
        "type": "bubble",
        "direction": "rtl",
        "body": box("horizontal", text("a"), text("b"), paddingStart="0px"),
    }
    await show(render_message(flex(content)))
    first, second = await boxes(page, ".lp-txt")
    (whole,) = await boxes(page, ".lp-bub")
    assert first["x"] > second["x"]
    assert first["x"] + first["width"] == pytest.approx(whole["x"] + whole["width"], abs=0.5)


async def test_spacing_and_margins_are_lines_pixels(page: Page, show: Show) -> None:
    await show(bubble(text("a"), text("b"), text("c", margin="xxl"), spacing="md"))
    a, b, c = await boxes(page, ".lp-txt")
    assert b["y"] - a["y"] - a["height"] == pytest.approx(8, abs=0.1)
    assert c["y"] - b["y"] - b["height"] == pytest.approx(20, abs=0.1)


async def test_line_spacing_lies_between_lines_only(page: Page, show: Show) -> None:
    await show(bubble(text("1\n2\n3", wrap=True), text("1\n2\n3", wrap=True, lineSpacing="10px")))
    plain, spaced = await boxes(page, ".lp-txt")
    assert spaced["height"] - plain["height"] == pytest.approx(20, abs=0.5)


async def test_text_is_cut_after_its_lines(page: Page, show: Show) -> None:
    long = "とても長い文です。" * 20
    await show(bubble(text(long), text(long, wrap=True, maxLines=2), text(long, wrap=True)))
    one, two, all_lines = await boxes(page, ".lp-p")
    assert two["height"] == pytest.approx(2 * one["height"], abs=0.5)
    assert all_lines["height"] > 5 * one["height"]


async def test_images_keep_their_ratio_within_the_width(page: Page, show: Show) -> None:
    image = {"type": "image", "url": "/img/sea.svg", "aspectRatio": "20:13"}
    await show(
        bubble({**image, "size": "full"}, {**image, "size": "200px"}, image, paddingAll="none")
    )
    full, pixels, medium = await boxes(page, ".lp-image-area")
    assert (full["width"], full["height"]) == (300, 195)
    assert (pixels["width"], pixels["height"]) == (200, 130)
    assert (medium["width"], medium["height"]) == (100, 65)
    assert medium["x"] - full["x"] == 100


async def test_baseline_boxes_align_letters_and_icons(page: Page, show: Show) -> None:
    icon = {"type": "icon", "url": "/img/star.svg", "size": "sm"}
    await show(bubble(box("baseline", icon, text("big", size="3xl"), text("small", size="xs"))))
    bottom = "e => e.getBoundingClientRect().bottom"
    star = await page.eval_on_selector(".lp-icon", bottom)
    lines = [
        await paragraph.evaluate(
            """e => { const mark = document.createElement('span');
               mark.style.setProperty('display', 'inline-block');
               e.append(mark); return mark.getBoundingClientRect().bottom }"""
        )
        for paragraph in await page.query_selector_all(".lp-p")
    ]
    assert lines[0] == pytest.approx(lines[1], abs=0.5)
    assert star == pytest.approx(lines[0], abs=0.5)


async def test_carousel_bubbles_are_equally_tall_with_footers_at_the_foot(
    page: Page, show: Show
) -> None:
    await show(render_messages([FLEX["products"]]))
    heights = {round(found["height"]) for found in await boxes(page, ".lp-bub")}
    assert len(heights) == 1
    footers = await boxes(page, ".lp-footer")
    assert footers[0]["y"] == pytest.approx(footers[1]["y"], abs=0.5)
    (button_alone,) = await boxes(page, ".lp-body .lp-btn")
    (whole,) = (await boxes(page, ".lp-bub"))[2:]
    middle = whole["y"] + whole["height"] / 2
    assert button_alone["y"] + button_alone["height"] / 2 == pytest.approx(middle, abs=2)


async def test_gradients_and_colours_reach_the_screen(page: Page, show: Show) -> None:
    await show(render_message(FLEX["coupon"]))
    image = await page.eval_on_selector(
        ".lp-body > .lp-box", "e => getComputedStyle(e).backgroundImage"
    )
    assert image.startswith("linear-gradient(135deg, rgb(255, 107, 107)")


async def test_separator_colours_do_not_leak_into_the_block(page: Page, show: Show) -> None:
    await show(render_message(FLEX["typography"]))
    colours = await page.eval_on_selector_all(
        ".lp-sep", "all => all.map(e => getComputedStyle(e).borderTopColor)"
    )
    assert set(colours) == {"rgb(212, 214, 218)"}


async def test_previews_put_in_later_are_styled_too(page: Page, show: Show) -> None:
    await show(Markup('<div class="lp-root"></div>'))
    later = bubble(text("x", color="#ff0000", size="40px"))
    await page.eval_on_selector(".lp-root", "(e, html) => { e.innerHTML = html }", str(later))
    read = "e => [getComputedStyle(e).color, getComputedStyle(e).fontSize]"
    assert await page.eval_on_selector(".lp-txt", read) == ["rgb(255, 0, 0)", "40px"]
    change = "e => e.setAttribute('data-lp-style', 'color:#0000ff;position:fixed')"
    await page.eval_on_selector(".lp-txt", change)
    await page.wait_for_function(
        "getComputedStyle(document.querySelector('.lp-txt')).color === 'rgb(0, 0, 255)'"
    )
    assert await page.eval_on_selector(".lp-txt", read) == ["rgb(0, 0, 255)", "16px"]
    assert await page.eval_on_selector(".lp-txt", "e => e.style.position") == ""


LISTEN = """() => { window.taps = [];
  document.addEventListener('lp-action', e => window.taps.push(e.detail.action)) }"""


async def test_taps_and_keys_announce_actions(page: Page, show: Show) -> None:
    await show(render_messages([samples.QUICK]))
    await page.evaluate(LISTEN)
    await page.click("text=中辛")
    await page.focus("text=大辛")
    await page.keyboard.press("Enter")
    await page.keyboard.press(" ")
    taps = await page.evaluate("window.taps.map(a => a.text)")
    assert taps == ["中辛", "大辛", "大辛"]


async def test_the_innermost_action_wins_and_nothing_navigates(page: Page, show: Show) -> None:
    outer = {"type": "message", "label": "outer", "text": "outer"}
    await show(bubble(box("vertical", text("around"), button("inner"), action=outer)))
    before = page.url
    await page.evaluate(LISTEN)
    await page.click("text=inner")
    await page.click("text=around")
    assert await page.evaluate("window.taps.map(a => a.label)") == ["inner", "outer"]
    assert page.url == before


async def test_videos_get_a_player_when_tapped(page: Page, show: Show) -> None:
    await show(render_message(samples.VIDEO))
    await page.click(".lp-play")
    assert await page.eval_on_selector("video", "e => e.controls && e.src.endsWith('.mp4')")


async def test_images_that_fail_get_the_stand_in(page: Page, show: Show) -> None:
    await show(render_message({"type": "image", "previewImageUrl": "/img/no-such.png"}))
    await page.wait_for_selector("span.lp-photo-img.lp-noimage[aria-label=画像]")


async def test_the_phone_holds_its_shape(page: Page, show: Show) -> None:
    run = [*samples.ALL.values(), *FLEX.values(), samples.QUICK]
    await show(render_phone(run, title="とても長い名前のカレー食堂" * 4))
    (phone,) = await boxes(page, ".lp-phone")
    (chat,) = await boxes(page, ".lp-chat")
    (chips,) = await boxes(page, ".lp-chips")
    assert phone["width"] == 391
    assert await page.eval_on_selector(".lp-chat", "e => e.scrollWidth <= e.clientWidth")
    # Quick replies stay in sight however long the chat is.
    assert chips["y"] + chips["height"] <= chat["y"] + chat["height"] + 1
    await page.set_viewport_size({"width": 320, "height": 700})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.set_viewport_size({"width": 420, "height": 800})
