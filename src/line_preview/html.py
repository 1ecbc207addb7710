"""The few ways in which this package writes HTML; every one of them escapes."""

from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

from line_preview.fields import clean

_VOID = frozenset({"img", "br"})


def attributes(values: Mapping[str, str | bool | None]) -> Markup:
    """Return attributes, each with a leading space; None and False leave one out."""
    parts: list[Markup] = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        if value is True:
            parts.append(Markup(" {}").format(name))
        else:
            parts.append(Markup(' {}="{}"').format(name, clean(value)))
    return join(parts)


def element(name: str, written_attributes: Markup, *children: Markup | str) -> Markup:
    """Return one element; children that are not yet `Markup` are escaped."""
    if name in _VOID:
        return Markup("<{}{}>").format(name, written_attributes)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written_attributes, join(children))


def block(classes: str, *children: Markup | str) -> Markup:
    """Return a `div` with classes only."""
    return element("div", attributes({"class": classes}), *children)


def inline(classes: str, *children: Markup | str) -> Markup:
    """Return a `span` with classes only."""
    return element("span", attributes({"class": classes}), *children)


def join(parts: Iterable[Markup | str]) -> Markup:
    """Join pieces, escaping those that are plain strings."""
    return Markup("").join(
        part if isinstance(part, Markup) else escape(clean(part)) for part in parts
    )
