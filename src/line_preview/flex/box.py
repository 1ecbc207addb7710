"""The box: what every Flex layout is made of."""

from dataclasses import replace
from typing import Final

from markupsafe import Markup

from line_preview.actions import action_attributes, label_of
from line_preview.fields import Fields, fields, items, keyword, text
from line_preview.flex.components import COMPONENTS, draw_unknown
from line_preview.flex.place import Place, put
from line_preview.html import element
from line_preview.placeholder import placeholder
from line_preview.style import Look

# LINE's own documents show a handful of levels; this only keeps hostile JSON off the stack.
MAX_DEPTH: Final = 40

_LAYOUTS: Final = frozenset({"horizontal", "vertical", "baseline"})
_LAYOUT_CLASSES: Final = {
    "horizontal": "lp-h",
    "vertical": "lp-v",
    "baseline": "lp-h lp-baseline",
}
_BORDERS: Final = frozenset({"none", "light", "normal", "medium", "semi-bold", "bold"})
_JUSTIFY: Final = frozenset(
    {"center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly"}
)
_ALIGN: Final = frozenset({"center", "flex-start", "flex-end"})
_PADDINGS: Final = (
    ("paddingTop", "padding-top", "lp-pt"),
    ("paddingBottom", "padding-bottom", "lp-pb"),
    ("paddingStart", "padding-inline-start", "lp-ps"),
    ("paddingEnd", "padding-inline-end", "lp-pe"),
)


def draw_component(component: Fields, place: Place) -> Markup:
    """Draw any component, boxes included."""
    if place.depth > MAX_DEPTH:
        return placeholder("", place.lang, key="too_deep")
    kind = text(component, "type")
    if kind == "box":
        return draw_box(component, place)
    draw = COMPONENTS.get(kind)
    return draw(component, place) if draw else draw_unknown(kind, place)


def draw_box(box: Fields, place: Place) -> Markup:
    """Draw a box and all that is in it."""
    layout = keyword(box, "layout", _LAYOUTS, "vertical")
    look = Look("lp-box", _LAYOUT_CLASSES[layout])
    sized = "width" in box or (place.horizontal and "height" in box)
    put(look, box, place, share=0 if sized else None)
    _surface(look, box)
    _padding(look, box)
    for key, name in (
        ("width", "width"),
        ("height", "height"),
        ("maxWidth", "max-width"),
        ("maxHeight", "max-height"),
    ):
        look.size(name, box, key, "", frozenset())
    if justify := keyword(box, "justifyContent", _JUSTIFY):
        look.add(f"lp-j-{justify}")
    if align := keyword(box, "alignItems", _ALIGN):
        look.add(f"lp-a-{align}")
    inside = replace(
        place, layout=layout, spacing=text(box, "spacing"), index=0, depth=place.depth + 1
    )
    children = [
        draw_component(fields(child), replace(inside, index=index))
        for index, child in enumerate(items(box.get("contents")))
    ]
    action = box.get("action")
    return element(
        "div", look.attributes(**action_attributes(action, label=label_of(action))), *children
    )


def _surface(look: Look, box: Fields) -> None:
    look.colour("background-color", box, "backgroundColor")
    background = fields(box.get("background"))
    if background.get("type") == "linearGradient":
        look.declare("background-image", _gradient(background))
    look.size("border-width", box, "borderWidth", "lp-b", _BORDERS)
    look.colour("border-color", box, "borderColor")
    look.size("border-radius", box, "cornerRadius", "lp-r")


def _gradient(background: Fields) -> str:
    stops = [text(background, "startColor")]
    if center := text(background, "centerColor"):
        stops.append(f"{center} {text(background, 'centerPosition') or '50%'}")
    stops.append(text(background, "endColor"))
    return f"linear-gradient({text(background, 'angle')}, {', '.join(stops)})"


def _padding(look: Look, box: Fields) -> None:
    for key, name, prefix in _PADDINGS:
        if not look.size(name, box, key, prefix):
            look.size(name, box, "paddingAll", prefix)
