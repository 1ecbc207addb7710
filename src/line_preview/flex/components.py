"""The leaves of a Flex layout: text, button, image, video, icon, separator, filler."""

import re
from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from line_preview.actions import action_attributes, label_of
from line_preview.fields import Fields, fields, flag, items, keyword, number, text
from line_preview.flex.place import Place, put
from line_preview.html import attributes, element, inline, join
from line_preview.icons import PLAY
from line_preview.media import image, play_button, web_url
from line_preview.placeholder import placeholder
from line_preview.style import Look
from line_preview.words import word

_TEXT_SIZES: Final = frozenset({"xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl"})
_IMAGE_SIZES: Final = _TEXT_SIZES | {"full"}
_GRAVITIES: Final = frozenset({"top", "center", "bottom"})
_ALIGNS: Final = frozenset({"start", "center", "end"})
_DECORATIONS: Final = frozenset({"none", "underline", "line-through"})
_STYLES: Final = frozenset({"primary", "secondary", "link"})
_RATIO: Final = re.compile(r"(\d{1,6}(?:\.\d{1,4})?):(\d{1,6}(?:\.\d{1,4})?)")


def draw_text(component: Fields, place: Place) -> Markup:
    """Draw a text component, from its spans if it has any."""
    look = Look("lp-c", "lp-txt")
    put(look, component, place)
    _gravity(look, component)
    look.add(_named("lp-ta", keyword(component, "align", _ALIGNS)))
    wraps = flag(component, "wrap")
    look.add("lp-wrap" if wraps else "")
    _size(look, component)
    _adjust(look, component)
    _letters(look, component)
    paragraph = Look("lp-p")
    if wraps and look.declare("--lp-line-gap", text(component, "lineSpacing")):
        look.add("lp-gap")
    lines = number(component, "maxLines")
    if wraps and lines and lines > 0:
        paragraph.add("lp-clamp")
        paragraph.declare("-webkit-line-clamp", f"{lines:.0f}")
    spans = items(component.get("contents"))
    content = join(_span(fields(span)) for span in spans) if spans else text(component, "text")
    action = component.get("action")
    tap = action_attributes(action, label=label_of(action))
    return element("div", look.attributes(**tap), element("div", paragraph.attributes(), content))


def draw_button(component: Fields, place: Place) -> Markup:
    """Draw a button: a coloured one, a light one, or a bare label."""
    look = Look("lp-c", "lp-button")
    put(look, component, place)
    _gravity(look, component)
    style = keyword(component, "style", _STYLES, "link")
    face = Look("lp-btn", f"lp-btn-{style}", "lp-btn-sm" if component.get("height") == "sm" else "")
    _adjust(face, component)
    face.colour("color" if style == "link" else "background-color", component, "color")
    action = component.get("action")
    label = label_of(action) or word("no_label", place.lang)
    tap = face.attributes(**action_attributes(action))
    return element("div", look.attributes(), element("div", tap, inline("lp-btn-label", label)))


def draw_image(component: Fields, place: Place) -> Markup:
    """Draw an image in the area that its size and aspect ratio give."""
    look = Look("lp-c", "lp-image")
    put(look, component, place)
    _gravity(look, component)
    look.add(_named("lp-ia", keyword(component, "align", _ALIGNS)))
    area = Look("lp-image-area")
    if not area.size("width", component, "size", "lp-is", _IMAGE_SIZES):
        area.add("lp-is-md")
    if text(component, "size") == "full" or text(component, "size").endswith("%"):
        look.add("lp-image-wide")
    _ratio(area, component)
    area.colour("background-color", component, "backgroundColor")
    fit = "lp-cover" if component.get("aspectMode") == "cover" else "lp-contain"
    action = component.get("action")
    tap = action_attributes(action, label=label_of(action))
    picture = image(component.get("url"), f"lp-image-img {fit}", lang=place.lang)
    return element("div", look.attributes(**tap), element("div", area.attributes(), picture))


def draw_icon(component: Fields, place: Place) -> Markup:
    """Draw an icon, as tall as text of the same size."""
    look = Look("lp-c", "lp-icon")
    # LINE fixes an icon's flex at 0, whatever the JSON says.
    put(look, {**component, "flex": 0}, place)
    _size(look, component)
    _adjust(look, component)
    area = Look("lp-icon-area")
    _ratio(area, component)
    picture = image(component.get("url"), "lp-image-img lp-contain", lang=place.lang)
    return element("div", look.attributes(), element("div", area.attributes(), picture))


def draw_video(component: Fields, place: Place) -> Markup:
    """Draw a video by its preview image under a play sign."""
    look = Look("lp-c", "lp-image", "lp-image-wide")
    put(look, component, place)
    area = Look("lp-image-area", "lp-is-full", "lp-frame", "lp-video")
    _ratio(area, component)
    playable: dict[str, str | bool | None] = {}
    if url := web_url(component.get("url")):
        label = f"{word('video', place.lang)}: {word('play', place.lang)}"
        playable = {
            "data-lp-play": "video",
            "data-lp-src": url,
            "role": "button",
            "tabindex": "0",
            "aria-label": label,
        }
    parts = [
        image(component.get("previewUrl"), "lp-image-img lp-cover", lang=place.lang),
        play_button("", PLAY, place.lang),
    ]
    if label := label_of(component.get("action")):
        tap = action_attributes(component.get("action"))
        parts.append(element("span", attributes({"class": "lp-video-link", **tap}), label))
    return element("div", look.attributes(), element("div", area.attributes(**playable), *parts))


def draw_separator(component: Fields, place: Place) -> Markup:
    """Draw a line across the direction of the parent box."""
    look = Look("lp-c", "lp-sep")
    put(look, {**component, "flex": 0}, place)
    look.colour("border-color", component, "color")
    return element("div", look.attributes())


def draw_filler(component: Fields, place: Place) -> Markup:
    """Draw nothing, in all the space there is."""
    look = Look("lp-c", "lp-filler")
    put(look, component, place, share=1)
    return element("div", look.attributes())


def draw_stray_span(component: Fields, place: Place) -> Markup:
    """Draw a span outside a text as the text it was meant to be."""
    return draw_text({"contents": [component], "wrap": True}, place)


def draw_unknown(kind: str, place: Place) -> Markup:
    """Draw a note in place of a component LINE does not know."""
    look = Look("lp-c")
    put(look, {}, place)
    note = placeholder(kind or "?", place.lang, key="unknown_component")
    return element("div", look.attributes(), note)


def _span(span: Fields) -> Markup:
    look = Look("lp-span")
    if span.get("size") is not None:
        _size(look, span)
    _letters(look, span)
    return element("span", look.attributes(), text(span, "text"))


def _letters(look: Look, source: Fields) -> None:
    look.colour("color", source, "color")
    look.add(_named("lp-w", keyword(source, "weight", frozenset({"regular", "bold"}))))
    look.add(_named("lp-st", keyword(source, "style", frozenset({"normal", "italic"}))))
    look.add(_named("lp-d", keyword(source, "decoration", _DECORATIONS)))


def _size(look: Look, source: Fields) -> None:
    """Give letters or an icon their size; a size of its own is a variable, so that it scales."""
    if look.size("--lp-size", source, "size", "lp-fs", _TEXT_SIZES):
        if text(source, "size") not in _TEXT_SIZES:
            look.add("lp-fs")
    else:
        look.add("lp-fs-md")


def _adjust(look: Look, component: Fields) -> None:
    look.add("lp-scaling" if flag(component, "scaling") else "")
    # line-preview.js measures and shrinks: CSS knows no such thing.
    look.add("lp-shrink" if component.get("adjustMode") == "shrink-to-fit" else "")


def _gravity(look: Look, component: Fields) -> None:
    look.add(_named("lp-g", keyword(component, "gravity", _GRAVITIES)))


def _ratio(look: Look, component: Fields) -> None:
    if found := _RATIO.fullmatch(text(component, "aspectRatio")):
        look.declare("aspect-ratio", f"{found.group(1)} / {found.group(2)}")


def _named(prefix: str, value: str) -> str:
    return f"{prefix}-{value}" if value else ""


COMPONENTS: Final[dict[str, Callable[[Fields, Place], Markup]]] = {
    "text": draw_text,
    "button": draw_button,
    "image": draw_image,
    "icon": draw_icon,
    "video": draw_video,
    "separator": draw_separator,
    "filler": draw_filler,
    "span": draw_stray_span,
}
