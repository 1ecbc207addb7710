"""Flex Messages (reference, "Flex Message"): containers, components, sizes in bytes and words."""

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
    integer,
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
_PERCENT = r"\d+(\.\d+)?%"
_STEPS = "none|xs|sm|md|lg|xl|xxl"
_SIZES = "xxs|xs|sm|md|lg|xl|xxl|3xl|4xl|5xl"

SPACE = pattern(f"{_STEPS}|{_PX}")
PADDING = pattern(f"{_STEPS}|{_PX}|{_PERCENT}")
OFFSET = pattern(f"{_STEPS}|-?{_PX}|-?{_PERCENT}")
LENGTH = pattern(f"{_PX}|{_PERCENT}")
BORDER = pattern(f"none|light|normal|medium|semi-bold|bold|{_PX}")
CORNER = pattern(f"{_STEPS}|{_PX}")
FONT_SIZE = pattern(f"{_SIZES}|{_PX}")
ICON_SIZE = pattern(f"{_SIZES}|{_PX}")
IMAGE_SIZE = pattern(f"{_SIZES}|full|{_PX}|{_PERCENT}")
FLEX = integer(0, 2_147_483_647)
IMAGE_URL = url(2000, "https")
_RATIO = re.compile(r"(\d{1,6}(?:\.\d+)?):(\d{1,6}(?:\.\d+)?)")
_ANGLE = re.compile(r"(\d+(?:\.\d+)?)deg")
_POSITION = re.compile(r"(\d+(?:\.\d+)?)%")


def ratio(value: Any, path: Path, report: Report) -> None:
    """`{width}:{height}`, each from 1 to 100000, the height at most three times the width."""
    found = _RATIO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        report.invalid(path)
        return
    width, height = float(found[1]), float(found[2])
    if not (1 <= width <= 100_000 and 1 <= height <= 100_000 and height <= width * 3):
        report.invalid(path)


def _angle(value: Any, path: Path, report: Report) -> None:
    found = _ANGLE.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 <= float(found[1]) < 360:
        report.invalid(path)


def _center(value: Any, path: Path, report: Report) -> None:
    found = _POSITION.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 <= float(found[1]) <= 100:
        report.invalid(path)


def _text_or_spans(component: Json, path: Path, report: Report) -> None:
    if component.get("contents") is None and component.get("text") is None:
        report.missing((path, "text"))


_GRADIENT = by_type(
    {
        "linearGradient": obj(
            {"angle": _angle, "startColor": COLOR, "endColor": COLOR},
            {"centerColor": COLOR, "centerPosition": _center},
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
        "text": string,
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
_STYLES = obj({}, dict.fromkeys(("header", "hero", "body", "footer"), _BLOCK_STYLE))
_BUBBLE_SIZE = choice("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")


def _video_conditions(bubble: Json, path: Path, report: Report) -> None:
    """A video needs a wide bubble that stands alone (Video, "Use conditions")."""
    if as_object(bubble.get("hero")).get("type") != "video":
        return
    in_carousel = isinstance(path, tuple)
    if in_carousel or bubble.get("size", "mega") not in ("kilo", "mega", "giga"):
        report.invalid((path, "hero"))


def _fits(container: Json, limit: int, path: Path, report: Report) -> bool:
    try:
        if len(orjson.dumps(container)) <= limit:
            return True
    except TypeError:
        # Nested too deeply for any encoder: as good as too large.
        pass
    report.size(path, 0, limit)
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
    _video_conditions,
)


def bubble(value: Any, path: Path, report: Report) -> None:
    """A bubble of at most 30 KB."""
    if not isinstance(value, dict) or _fits(cast(Json, value), MAX_BUBBLE_BYTES, path, report):
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
    if not isinstance(value, dict) or _fits(cast(Json, value), MAX_CAROUSEL_BYTES, path, report):
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
        report.size(root, 0, MAX_ANIMATED)
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
