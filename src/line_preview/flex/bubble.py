"""Bubbles and carousels: the containers of Flex Messages."""

from typing import Final

from markupsafe import Markup

from line_preview.actions import action_attributes, label_of
from line_preview.fields import Fields, fields, flag, items, keyword, text
from line_preview.flex.box import draw_component
from line_preview.flex.place import Place
from line_preview.html import element
from line_preview.placeholder import placeholder
from line_preview.style import Look
from line_preview.templates import scroller

_SIZES: Final = frozenset({"nano", "micro", "deca", "hecto", "kilo", "mega", "giga"})
_BLOCKS: Final = ("header", "hero", "body", "footer")


def render_flex(message: Fields, lang: str) -> Markup:
    """Draw a `flex` message."""
    container = fields(message.get("contents"))
    kind = text(container, "type")
    if kind == "bubble":
        return _bubble(container, lang)
    bubbles = [fields(bubble) for bubble in items(container.get("contents"))]
    if kind == "carousel" and bubbles:
        return scroller((_bubble(bubble, lang) for bubble in bubbles), "lp-bubs", lang)
    return placeholder(f"flex {kind}".strip(), lang)


def _bubble(bubble: Fields, lang: str) -> Markup:
    size = keyword(bubble, "size", _SIZES, "mega")
    look = Look("lp-bub", f"lp-bub-{size}")
    there = [name for name in _BLOCKS if bubble.get(name) is not None]
    # No separator stands above the first block (reference, "Block style").
    blocks = [_block(bubble, name, lang, first=name == there[0]) for name in there]
    if not blocks:
        blocks = [placeholder("bubble", lang, key="empty_box")]
    direction = keyword(bubble, "direction", frozenset({"ltr", "rtl"}), "ltr")
    action = bubble.get("action")
    tap = action_attributes(action, label=label_of(action))
    return element("div", look.attributes(dir=direction, **tap), *blocks)


def _block(bubble: Fields, name: str, lang: str, *, first: bool) -> Markup:
    look = Look("lp-block", f"lp-{name}")
    if name == "body" and bubble.get("footer") is not None:
        look.add("lp-body-over")
    style = fields(fields(bubble.get("styles")).get(name))
    look.colour("background-color", style, "backgroundColor")
    if flag(style, "separator") and not first:
        look.add("lp-block-line")
        look.colour("border-color", style, "separatorColor")
    place = Place(layout="vertical", spacing="", index=0, depth=0, lang=lang)
    return element("div", look.attributes(), draw_component(fields(bubble.get(name)), place))
