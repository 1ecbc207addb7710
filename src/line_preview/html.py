"""The few ways in which this package writes HTML; every one of them escapes."""

from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

from line_preview.fields import clean

_VOID = frozenset({"img"})


def attributes(values: Mapping[str, str | bool | None]) -> Markup:
    """Return attributes, each with a leading space; None and False leave one out.

    Names are literals of this package; values may be anybody's.
    """
    parts: list[str] = []
    for name, value in values.items():
        if value is True:
            parts.append(f" {name}")
        elif isinstance(value, str):
            parts.append(f' {name}="{escape(clean(value))}"')
    return Markup("".join(parts))  # noqa: S704 - escaped just above


def element(name: str, written_attributes: Markup, *children: Markup | str) -> Markup:
    """Return one element; children that are not yet `Markup` are escaped."""
    start = f"<{name}{written_attributes}>"
    # Plain f-strings: Markup.format alone took half the time of drawing a whole chat.
    html = start if name in _VOID else f"{start}{join(children)}</{name}>"
    return Markup(html)  # noqa: S704 - made of Markup and what join escapes


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
