"""Flex: keywords become classes, values become checked declarations, places follow the parent."""

import re
from typing import Any

import pytest
from tests.line_preview.checks import Reading
from tests.line_preview.designs import FLEX, SIZES, box, button, flex, text
from tests.line_preview.samples import ALL

from line_preview import css, js_path, render_message, render_messages
from line_preview.style import ALLOWED


def body(*contents: dict[str, Any], layout: str = "vertical", **more: Any) -> Reading:
    bubble = {"type": "bubble", "body": box(layout, *contents, **more)}
    return Reading(render_message(flex(bubble)))


def style_of(reading: Reading, name: str) -> str:
    return reading.of_class(name)[0].get("data-lp-style", "")


@pytest.mark.parametrize("name", FLEX)
def test_designs_are_drawn_whole(name: str) -> None:
    reading = Reading(render_message(FLEX[name]))
    assert not reading.classes & {"lp-unknown", "lp-noimage"}


def test_bubbles_have_their_sizes() -> None:
    drawn = [Reading(render_message(message)).of_class("lp-bub")[0] for message in SIZES]
    assert [a["class"].removeprefix("lp-bub lp-bub-") for a in drawn] == [
        *["nano", "micro", "deca", "hecto", "kilo", "mega", "giga"]
    ]


def test_shares_depend_on_the_parents_direction() -> None:
    row = body(
        text("a"), text("b", flex=0), text("c", flex=3), text("d", flex=40), layout="horizontal"
    )
    shares = [
        set(a["class"].split()) & {"lp-f0", "lp-fx", "lp-f1", "lp-f3"}
        for a in row.of_class("lp-txt")
    ]
    assert shares == [{"lp-fx", "lp-f1"}, {"lp-f0"}, {"lp-fx", "lp-f3"}, {"lp-fx"}]
    assert row.of_class("lp-txt")[3]["data-lp-style"] == "flex-grow:40"
    column = body(text("a"), text("b", flex=2))
    assert "lp-f0" in column.of_class("lp-txt")[0]["class"].split()
    assert "lp-f2" in column.of_class("lp-txt")[1]["class"].split()


def test_spacing_lies_between_components_and_margin_overrides_it() -> None:
    reading = body(
        text("a"), text("b"), text("c", margin="xl"), text("d", margin="5px"), spacing="sm"
    )
    margins = [re.findall(r"lp-mt-\w+", a["class"]) for a in reading.of_class("lp-txt")]
    assert margins == [[], ["lp-mt-sm"], ["lp-mt-xl"], []]
    assert reading.of_class("lp-txt")[3]["data-lp-style"] == "margin-top:5px"
    row = body(text("a"), text("b"), layout="horizontal", spacing="12.5px")
    assert row.of_class("lp-txt")[1]["data-lp-style"] == "margin-inline-start:12.5px"


def test_single_paddings_override_the_common_one() -> None:
    reading = body(paddingAll="20px", paddingTop="xs", paddingEnd="5%")
    assert "lp-pt-xs" in reading.of_class("lp-box")[0]["class"].split()
    assert style_of(reading, "lp-box") == (
        "padding-bottom:20px;padding-inline-start:20px;padding-inline-end:5%"
    )


def test_surfaces() -> None:
    reading = body(
        backgroundColor="#00000080",
        borderColor="#ff0000",
        borderWidth="semi-bold",
        cornerRadius="3px",
        width="80%",
        maxHeight="100px",
        justifyContent="space-between",
        alignItems="center",
    )
    assert style_of(reading, "lp-box") == (
        "background-color:#00000080;border-color:#ff0000;border-radius:3px;"
        "width:80%;max-height:100px"
    )
    classes = set(reading.of_class("lp-box")[0]["class"].split())
    assert {"lp-b-semi-bold", "lp-j-space-between", "lp-a-center"} <= classes


def test_gradients() -> None:
    two = {
        "type": "linearGradient",
        "angle": "90deg",
        "startColor": "#ffffff",
        "endColor": "#000000",
    }
    assert style_of(body(background=two), "lp-box") == (
        "background-image:linear-gradient(90deg, #ffffff, #000000)"
    )
    three = {**two, "angle": "12.5deg", "centerColor": "#ff0000", "centerPosition": "10%"}
    assert style_of(body(background=three), "lp-box") == (
        "background-image:linear-gradient(12.5deg, #ffffff, #ff0000 10%, #000000)"
    )
    assert style_of(body(background={**two, "angle": "x"}), "lp-box") == ""


def test_absolute_components_have_offsets_and_no_margin() -> None:
    placed = text("b", position="absolute", offsetTop="10px", offsetStart="lg", margin="md")
    reading = body(text("a"), placed, spacing="md")
    classes = set(reading.of_class("lp-abs")[0]["class"].split())
    assert "lp-os-lg" in classes
    assert not classes & {"lp-mt-md", "lp-f0"}
    assert style_of(reading, "lp-abs") == "top:10px"


def test_text_settings() -> None:
    reading = body(
        text("a", size="23px", weight="bold", style="italic", decoration="underline", align="end"),
        text(
            "b",
            wrap=True,
            maxLines=3,
            lineSpacing="8px",
            gravity="bottom",
            adjustMode="shrink-to-fit",
        ),
    )
    first, second = reading.of_class("lp-txt")
    assert {"lp-w-bold", "lp-st-italic", "lp-d-underline", "lp-ta-end"} <= set(
        first["class"].split()
    )
    assert first["data-lp-style"] == "--lp-size:23px"
    assert "lp-shrink" not in first["class"]
    assert {"lp-wrap", "lp-gap", "lp-g-bottom", "lp-fs-md", "lp-shrink"} <= set(
        second["class"].split()
    )
    assert second["data-lp-style"] == "--lp-line-gap:8px"
    assert reading.of_class("lp-clamp")[0]["data-lp-style"] == "-webkit-line-clamp:3"


def test_spans_replace_the_text() -> None:
    spans = [{"type": "span", "text": "x", "color": "#ff0000"}, {"type": "span", "text": "y"}]
    assert body(text("no", contents=spans)).text == "xy"


def test_buttons_are_coloured_where_their_style_says() -> None:
    reading = body(
        button("a", color="#111111"), button("b", style="primary", color="#222222", height="sm")
    )
    first, second = reading.of_class("lp-btn")
    assert first["data-lp-style"] == "color:#111111"
    assert second["data-lp-style"] == "background-color:#222222"
    assert "lp-btn-sm" in second["class"].split()
    assert [action["label"] for action in reading.actions] == ["a", "b"]


def test_images_have_size_ratio_and_mode() -> None:
    image = {
        "type": "image",
        "url": "/a.png",
        "size": "50%",
        "aspectRatio": "20:13",
        "aspectMode": "cover",
    }
    reading = body(image)
    assert style_of(reading, "lp-image-area") == "width:50%;aspect-ratio:20 / 13"
    assert "lp-cover" in reading.of_class("lp-image-img")[0]["class"].split()
    plain = body({"type": "image", "url": "/a.png"})
    assert "lp-is-md" in plain.of_class("lp-image-area")[0]["class"].split()


def test_colours_that_line_refuses_are_left_out() -> None:
    for colour in ("red", "#fff", "rgb(0,0,0)", "#gggggg", 5, None):
        assert style_of(body(text("x", color=colour)), "lp-txt") == ""


def test_unknown_components_are_named() -> None:
    reading = body({"type": "slider"}, text("x"))
    assert "slider" in reading.text
    assert "x" in reading.text


def test_right_to_left() -> None:
    bubble = {"type": "bubble", "direction": "rtl", "body": box("horizontal", text("a"))}
    assert Reading(render_message(flex(bubble))).of_class("lp-bub")[0]["dir"] == "rtl"


def test_every_class_in_use_is_in_the_stylesheet() -> None:
    # Names that say what an element is, but need no rule of their own.
    plain = {f"lp-{name}" for name in ("f1", "g-top", "ta-start", "ia-center", "buttons", "video")}
    plain |= {f"lp-{name}" for name in ("header", "hero", "body", "footer", "location", "tiles")}
    plain |= {f"lp-{name}" for name in ("txt", "button", "icon", "span", "filler")}
    known = set(re.findall(r"\.(lp-[a-z0-9-]+)", css())) | plain
    for message in [*FLEX.values(), *SIZES, *ALL.values()]:
        assert Reading(render_messages([message])).classes <= known
    for words in ("none", "xs", "sm", "md", "lg", "xl", "xxl"):
        for prefix in ("mt", "ms", "pt", "pb", "ps", "pe", "ot", "ob", "os", "oe", "r"):
            assert f"lp-{prefix}-{words}" in known


def test_script_and_python_allow_the_same_properties() -> None:
    script = js_path().read_text(encoding="utf-8")
    listed = script.split("new Set([")[1].split("])")[0]
    assert set(re.findall(r'"([^"]+)"', listed)) == set(ALLOWED)
