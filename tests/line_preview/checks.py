"""What must hold for every piece of HTML that line_preview returns."""

import json
import re
from html.parser import HTMLParser
from typing import Any

from line_preview.style import ALLOWED

_TAGS = {"div", "span", "img", "svg", "path", "rect", "circle", "ellipse", "g"}
_ATTRIBUTES = {
    "alt",
    "aria-hidden",
    "aria-label",
    "class",
    "cx",
    "cy",
    "d",
    "data-lp-action",
    "data-lp-file",
    "data-lp-image",
    "data-lp-play",
    "data-lp-src",
    "data-lp-style",
    "data-lp-tracking",
    "decoding",
    "dir",
    "draggable",
    "fill",
    "focusable",
    "height",
    "loading",
    "r",
    "referrerpolicy",
    "role",
    "rx",
    "ry",
    "src",
    "stroke",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-width",
    "tabindex",
    "title",
    "viewbox",
    "width",
    "x",
    "y",
}
_OPEN_ENDED = {"img"}
_URL = re.compile(r"https?:|[^:]*(?:[/?#]|$)", re.IGNORECASE)
_CLASS = re.compile(r"lp-[a-z0-9-]+")


class Reading(HTMLParser):
    """Reads HTML as a browser would and complains about whatever should not be there."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        values = {name: value or "" for name, value in attrs}
        assert len(values) == len(attrs), attrs
        assert set(values) <= _ATTRIBUTES, set(values) - _ATTRIBUTES
        assert all(_CLASS.fullmatch(name) for name in values.get("class", "").split())
        for name in ("src", "data-lp-src", "data-lp-file"):
            if name in values:
                assert _URL.match(values[name]), values[name]
        for declaration in filter(None, values.get("data-lp-style", "").split(";")):
            name, _, value = declaration.partition(":")
            assert ALLOWED[name].fullmatch(value), declaration
        if "data-lp-action" in values:
            assert values["role"] == "button"
            assert values["tabindex"] == "0"
            self.check_action(json.loads(values["data-lp-action"]))
        self.elements.append((tag, values))
        if tag not in _OPEN_ENDED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    @staticmethod
    def check_action(action: dict[str, Any]) -> None:
        for key in ("uri", "linkUri"):
            if key in action:
                assert re.match(r"(https?|line|tel|mailto):", action[key], re.IGNORECASE)

    @property
    def text(self) -> str:
        """All the words on the page."""
        return "".join(self.words)

    @property
    def actions(self) -> list[dict[str, Any]]:
        """Every LINE action, in order."""
        return [json.loads(a["data-lp-action"]) for _, a in self.elements if "data-lp-action" in a]

    @property
    def classes(self) -> set[str]:
        """Every class in use."""
        return {name for _, a in self.elements for name in a.get("class", "").split()}

    def of_class(self, name: str) -> list[dict[str, str]]:
        """The attributes of every element of a class."""
        return [a for _, a in self.elements if name in a.get("class", "").split()]
