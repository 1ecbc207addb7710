"""Template messages: buttons, confirm, carousel, image carousel."""

from collections.abc import Callable, Iterable

from markupsafe import Markup

from line_preview.actions import action_attributes, label_of
from line_preview.fields import Fields, fields, items, text
from line_preview.html import attributes, block, element, inline
from line_preview.media import image
from line_preview.placeholder import placeholder
from line_preview.style import Look
from line_preview.words import word


def render_template(message: Fields, lang: str) -> Markup:
    """Draw a `template` message."""
    template = fields(message.get("template"))
    kind = text(template, "type")
    draw = _TEMPLATES.get(kind)
    return draw(template, lang) if draw else placeholder(f"template {kind}".strip(), lang)


def scroller(cards: Iterable[Markup], classes: str, lang: str) -> Markup:
    """Return cards side by side in a strip that scrolls sideways, also by keyboard."""
    return element(
        "div",
        attributes(
            {
                "class": f"lp-strip {classes}",
                "role": "group",
                "tabindex": "0",
                "aria-label": word("carousel", lang),
            }
        ),
        *cards,
    )


def _buttons(template: Fields, lang: str) -> Markup:
    return _card(template, template, lang)


def _confirm(template: Fields, lang: str) -> Markup:
    return block(
        "lp-card lp-confirm",
        block("lp-card-body", block("lp-card-text", text(template, "text"))),
        _actions(template, "lp-acts lp-acts-row", lang),
    )


def _carousel(template: Fields, lang: str) -> Markup:
    columns = [fields(column) for column in items(template.get("columns"))]
    if not columns:
        return placeholder("carousel", lang)
    return scroller((_card(column, template, lang) for column in columns), "lp-cards", lang)


def _image_carousel(template: Fields, lang: str) -> Markup:
    columns = [fields(column) for column in items(template.get("columns"))]
    if not columns:
        return placeholder("image_carousel", lang)
    return scroller((_image_column(column, lang) for column in columns), "lp-tiles", lang)


def _card(card: Fields, template: Fields, lang: str) -> Markup:
    parts: list[Markup] = []
    if card.get("thumbnailImageUrl") is not None:
        parts.append(_thumbnail(card, template, lang))
    title = text(card, "title")
    body = [block("lp-card-title", title)] if title else []
    body.append(block("lp-card-text", text(card, "text")))
    tap = action_attributes(card.get("defaultAction"), label=label_of(card.get("defaultAction")))
    parts.append(element("div", attributes({"class": "lp-card-body", **tap}), *body))
    parts.append(_actions(card, "lp-acts", lang))
    return block("lp-card lp-buttons", *parts)


def _thumbnail(card: Fields, template: Fields, lang: str) -> Markup:
    look = Look("lp-thumb")
    if text(template, "imageAspectRatio") == "square":
        look.add("lp-thumb-square")
    if text(template, "imageSize") == "contain":
        look.add("lp-thumb-contain")
    look.colour("background-color", card, "imageBackgroundColor")
    tap = action_attributes(card.get("defaultAction"), label=label_of(card.get("defaultAction")))
    return element(
        "div",
        look.attributes(**tap),
        image(card.get("thumbnailImageUrl"), "lp-thumb-img", lang=lang),
    )


def _image_column(column: Fields, lang: str) -> Markup:
    action = column.get("action")
    label = label_of(action)
    return element(
        "div",
        attributes({"class": "lp-tile", **action_attributes(action, label=label)}),
        image(column.get("imageUrl"), "lp-tile-img", lang=lang),
        inline("lp-tile-label", label) if label else Markup(""),
    )


def _actions(source: Fields, classes: str, lang: str) -> Markup:
    buttons = [
        element(
            "div",
            attributes({"class": "lp-act", **action_attributes(action)}),
            label_of(action, word("no_label", lang)),
        )
        for action in items(source.get("actions"))
    ]
    return block(classes, *buttons) if buttons else Markup("")


_TEMPLATES: dict[str, Callable[[Fields, str], Markup]] = {
    "buttons": _buttons,
    "confirm": _confirm,
    "carousel": _carousel,
    "image_carousel": _image_carousel,
}
