"""Flex Messages (reference, "Flex Message"): containers, components, sizes in bytes and words.

LINE publishes none of its complaints about Flex; these are the ones seen in bots' bug reports and
in what its simulator says ("invalid unit", "lower limit exceeded", "At least one block must be
specified").
"""

from __future__ import annotations

import re
from typing import Any, cast

import orjson

from ..model import Json
from .actions import COLOR, FLEX_ACTION, FLEX_BUTTON_ACTION, FLEX_VIDEO_ACTION
from .core import (
    Check,
    array,
    as_list,
    as_object,
    boolean,
    by_type,
    choice,
    obj,
    pattern,
    string,
    url,
)
from .report import Content, Path, Report

MAX_BUBBLE_BYTES = 30 * 1024
MAX_CAROUSEL_BYTES = 50 * 1024
MAX_BUBBLES = 12
MAX_ANIMATED = 10
MAX_DEPTH = 60
"""How deep boxes may nest: a limit of the emulator's own, far beyond what a phone can show."""

_PX = r"\d+(\.\d+)?px"
_MEASURE = re.compile(r"(-?)(\d+(?:\.\d+)?)(px|%|deg)")
_STEPS = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
_SIZES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl")


def measure(
    *words: str, units: tuple[str, ...] = ("px",), signed: bool = False, below: float | None = None
) -> Check:
    """A length such as `12.5px`, or one of `words`.

    `signed` allows negative ones; `below` is the largest number allowed.
    """
    known = frozenset(words)

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.unreadable(path)
            return
        if value in known:
            return
        found = _MEASURE.fullmatch(value)
        if found is None or (found[3] not in units and found[3] == "deg"):
            report.invalid(path)
        elif found[3] not in units:
            report.invalid(path, "invalid unit")
        elif found[1] and not signed and float(found[2]) > 0:
            report.invalid(path, "lower limit exceeded")
        elif below is not None and float(found[2]) > below:
            report.invalid(path, "upper limit exceeded")

    return check


SPACE = measure(*_STEPS)
PADDING = measure(*_STEPS, units=("px", "%"))
OFFSET = measure(*_STEPS, units=("px", "%"), signed=True)
LENGTH = measure(units=("px", "%"))
BORDER = measure("none", "light", "normal", "medium", "semi-bold", "bold")
CORNER = SPACE
FONT_SIZE = measure(*_SIZES)
ICON_SIZE = FONT_SIZE
IMAGE_SIZE = measure(*_SIZES, "full", units=("px", "%"))
_MAX_INT = 2_147_483_647


def FLEX(value: Any, path: Path, report: Report) -> None:
    """A whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        report.unreadable(path)
    elif value > _MAX_INT:
        report.invalid(path)
    elif value < 0:
        report.invalid(path, "must be greater than or equal to 0")


IMAGE_URL = url(2000, "https")
_RATIO = re.compile(r"(\d{1,6}(?:\.\d+)?):(\d{1,6}(?:\.\d+)?)")
_ANGLE = measure(units=("deg",), below=359.999_999)
_CENTER = measure(units=("%",), below=100)


def ratio(value: Any, path: Path, report: Report) -> None:
    """`{width}:{height}`, each from 1 to 100000, the height at most three times the width."""
    found = _RATIO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        report.invalid(path)
        return
    width, height = float(found[1]), float(found[2])
    if not (1 <= width <= 100_000 and 1 <= height <= 100_000):
        report.invalid(path)
    elif height > width * 3:
        report.invalid(path, "aspect ratio must be in the range (0 < (h/w) <= 3)")


def _text_or_spans(component: Json, path: Path, report: Report) -> None:
    if component.get("contents") is not None:
        return  # then `text` is ignored
    text = component.get("text")
    if text is None:
        report.invalid((path, "text"), "`text` or `contents` must be specified")
    else:
        string(text, (path, "text"), report)


_GRADIENT = by_type(
    {
        "linearGradient": obj(
            {"angle": _ANGLE, "startColor": COLOR, "endColor": COLOR},
            {"centerColor": COLOR, "centerPosition": _CENTER},
        )
    }
)
_PLACE: dict[str, Check] = {
    "margin": SPACE,
    "position": choice("relative", "absolute"),
    "offsetTop": OFFSET,
    "offsetBottom": OFFSET,
    "offsetStart": OFFSET,
    "offsetEnd": OFFSET,
}
_ALIGN = choice("start", "end", "center")
_GRAVITY = choice("top", "bottom", "center")
_FONT: dict[str, Check] = {
    "size": FONT_SIZE,
    "color": COLOR,
    "weight": choice("regular", "bold"),
    "style": choice("normal", "italic"),
    "decoration": choice("none", "underline", "line-through"),
}

SPAN = by_type({"span": obj({"text": string}, _FONT)})
TEXT = obj(
    {},
    _PLACE
    | _FONT
    | {
        "contents": array(SPAN, 0, 1000),
        "flex": FLEX,
        "align": _ALIGN,
        "gravity": _GRAVITY,
        "wrap": boolean,
        "lineSpacing": pattern(_PX),
        "maxLines": FLEX,
        "action": FLEX_ACTION,
        "adjustMode": choice("shrink-to-fit"),
        "scaling": boolean,
    },
    _text_or_spans,
)
BUTTON = obj(
    {"action": FLEX_BUTTON_ACTION},
    _PLACE
    | {
        "flex": FLEX,
        "color": COLOR,
        "style": choice("primary", "secondary", "link"),
        "gravity": _GRAVITY,
        "height": choice("sm", "md"),
        "adjustMode": choice("shrink-to-fit"),
        "scaling": boolean,
    },
)
IMAGE = obj(
    {"url": IMAGE_URL},
    _PLACE
    | {
        "flex": FLEX,
        "align": _ALIGN,
        "gravity": _GRAVITY,
        "size": IMAGE_SIZE,
        "aspectRatio": ratio,
        "aspectMode": choice("fit", "cover"),
        "backgroundColor": COLOR,
        "action": FLEX_ACTION,
        "animated": boolean,
    },
)
ICON = obj(
    {"url": IMAGE_URL},
    _PLACE | {"size": ICON_SIZE, "aspectRatio": ratio, "scaling": boolean},
)
SEPARATOR = obj({}, {"margin": SPACE, "color": COLOR})
FILLER = obj({}, {"flex": FLEX})


def _depth(path: Path) -> int:
    depth = 0
    while isinstance(path, tuple):
        depth += 1
        path = path[0]
    return depth


def _box_contents(value: Any, path: Path, report: Report) -> None:
    """The children of a box; which kinds may be there is for the rule below."""
    if not isinstance(value, list):
        report.unreadable(path)
    elif _depth(path) > MAX_DEPTH * 2:
        report.invalid(path)
    else:
        for index, child in enumerate(cast(list[Any], value)):
            component(child, (path, index), report)


_IN_BASELINE = frozenset({"icon", "text", "filler"})
_IN_BOX = frozenset({"box", "button", "image", "text", "separator", "filler"})


def _children_fit(box: Json, path: Path, report: Report) -> None:
    """A baseline box holds icons, texts and fillers; the others anything but icons (Box)."""
    allowed = _IN_BASELINE if box.get("layout") == "baseline" else _IN_BOX
    for index, child in enumerate(as_list(box.get("contents"))):
        kind = as_object(child).get("type")
        if isinstance(kind, str) and kind not in allowed and kind in _KINDS:
            report.invalid(((path, "contents"), index))


BOX = obj(
    {"layout": choice("horizontal", "vertical", "baseline"), "contents": _box_contents},
    _PLACE
    | {
        "flex": FLEX,
        "spacing": SPACE,
        "backgroundColor": COLOR,
        "borderColor": COLOR,
        "borderWidth": BORDER,
        "cornerRadius": CORNER,
        "width": LENGTH,
        "maxWidth": LENGTH,
        "height": LENGTH,
        "maxHeight": LENGTH,
        "paddingAll": PADDING,
        "paddingTop": PADDING,
        "paddingBottom": PADDING,
        "paddingStart": PADDING,
        "paddingEnd": PADDING,
        "action": FLEX_ACTION,
        "justifyContent": choice(
            "center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly"
        ),
        "alignItems": choice("center", "flex-start", "flex-end"),
        "background": _GRADIENT,
    },
    _children_fit,
)
VIDEO = obj(
    {
        "url": url(2000, "https"),
        "previewUrl": IMAGE_URL,
        "altContent": by_type({"box": BOX, "image": IMAGE}),
    },
    {"aspectRatio": ratio, "action": FLEX_VIDEO_ACTION},
)
_KINDS: dict[str, Check] = {
    "box": BOX,
    "button": BUTTON,
    "image": IMAGE,
    "video": VIDEO,
    "icon": ICON,
    "text": TEXT,
    "span": SPAN,
    "separator": SEPARATOR,
    "filler": FILLER,
}
component = by_type(_KINDS)

_BLOCK = by_type({"box": BOX})
_HERO = by_type({"box": BOX, "image": IMAGE, "video": VIDEO})
_BLOCK_STYLE = obj({}, {"backgroundColor": COLOR, "separator": boolean, "separatorColor": COLOR})
_BLOCKS = ("header", "hero", "body", "footer")
_STYLES = obj({}, dict.fromkeys(_BLOCKS, _BLOCK_STYLE))
_BUBBLE_SIZE = choice("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")


def _video_conditions(bubble: Json, path: Path, report: Report) -> None:
    """A video needs a wide bubble that stands alone (Video, "Use conditions")."""
    if as_object(bubble.get("hero")).get("type") != "video":
        return
    if isinstance(path, tuple):
        report.invalid(path[0], "embedding videos in messages is not allowed")
    elif bubble.get("size", "mega") not in ("kilo", "mega", "giga"):
        report.invalid((path, "hero"))


def _has_a_block(bubble: Json, path: Path, report: Report) -> None:
    if all(bubble.get(name) is None for name in _BLOCKS):
        report.invalid(path, "At least one block must be specified")


def _fits(container: Json, kind: str, limit: int, path: Path, report: Report) -> bool:
    try:
        if len(orjson.dumps(container)) <= limit:
            return True
    except TypeError:
        # Nested too deeply for any encoder: as good as too large.
        pass
    report.invalid(
        path,
        f"Too large flex message. The maximum size of JSON data that defines a {kind} is "
        f"{limit // 1024} KB.",
    )
    return False


_bubble = obj(
    {},
    {
        "size": _BUBBLE_SIZE,
        "direction": choice("ltr", "rtl"),
        "header": _BLOCK,
        "hero": _HERO,
        "body": _BLOCK,
        "footer": _BLOCK,
        "styles": _STYLES,
        "action": FLEX_ACTION,
    },
    _has_a_block,
    _video_conditions,
)


def bubble(value: Any, path: Path, report: Report) -> None:
    """A bubble of at most 30 KB."""
    if not isinstance(value, dict) or _fits(
        cast(Json, value), "bubble", MAX_BUBBLE_BYTES, path, report
    ):
        _bubble(value, path, report)


def _same_size(carousel: Json, path: Path, report: Report) -> None:
    bubbles = [as_object(one) for one in as_list(carousel.get("contents"))]
    for index, one in enumerate(bubbles):
        if one.get("size", "mega") != bubbles[0].get("size", "mega"):
            report.invalid((((path, "contents"), index), "size"))
            return


_carousel = obj({"contents": array(by_type({"bubble": bubble}), 1, MAX_BUBBLES)}, {}, _same_size)


def carousel(value: Any, path: Path, report: Report) -> None:
    """A carousel of at most 50 KB and 12 bubbles of one size."""
    if not isinstance(value, dict) or _fits(
        cast(Json, value), "carousel", MAX_CAROUSEL_BYTES, path, report
    ):
        _carousel(value, path, report)


_container = by_type({"bubble": bubble, "carousel": carousel})


def contents(value: Any, path: Path, report: Report) -> None:
    """The `contents` property of a Flex Message."""
    if not isinstance(value, dict):
        report.unreadable(path)
        return
    assert isinstance(path, tuple)
    root = Content(path[0], "")
    container = cast(Json, value)
    if _animated(container) > MAX_ANIMATED:
        report.invalid(root, f"must not be more than {MAX_ANIMATED} animated images")
        return
    _container(container, root, report)


def _animated(node: Any) -> int:
    """How many images are animated, without recursion: the tree may be hostile."""
    count = 0
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            count += cast(Json, one).get("animated") is True
            waiting.extend(cast(Json, one).values())
        elif isinstance(one, list):
            waiting.extend(cast(list[Any], one))
    return count
