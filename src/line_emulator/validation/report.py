"""Where and how a request body is wrong, in LINE's own words.

LINE answers on two levels (reference, "Error responses"; seen in public bug reports of bots):

* the body and the plain properties of messages: `The request body has N error(s)` with details
  such as `messages[0].text`: `May not be empty`;
* the inside of templates and Flex containers: `A message (messages[0]) in the request body is
  invalid` with details such as `template/actions/0/label`: `must not be longer than 20 characters`
  or `/footer/contents/2`: `invalid property`. The space after the bracket is a no-break space in
  LINE's answers, and so it is here.

Action objects and rich menus are worded like the second and placed like the first level:
`messages[0].quickReply.items[0].action.text`: `must be specified` (reference, "Create rich menu").

A value that cannot be read at all (a number for an array) ends the reading at once: `The property,
'to', in the request body is invalid (line: -, column: -)`.
"""

from __future__ import annotations

from typing import Any

from ..model import Json


class Content:
    """The place inside a message where the second level begins.

    `prefix` is what details' properties start with: "template" or "" (Flex, whose properties are
    JSON pointers below `contents`).
    """

    __slots__ = ("message_path", "prefix")

    def __init__(self, message_path: Path, prefix: str) -> None:
        self.message_path = message_path
        self.prefix = prefix


Path = tuple[Any, "str | int"] | Content | None
"""A place in the body, innermost first: `((None, "messages"), 0)` is `messages[0]`.

Linked pairs cost next to nothing on the way down; the text is made only when something is wrong.
"""


class Unreadable(Exception):
    """A value of a type that cannot be read; carries the whole answer's `message`."""

    def __init__(self, path: Path, quoted: bool = True) -> None:
        name = f"'{dotted(path)}'" if quoted else dotted(path)
        super().__init__(
            f"The property, {name}, in the request body is invalid (line: -, column: -)"
        )


def dotted(path: Path) -> str:
    """The place as LINE writes it for the body: `messages[0].text`."""
    parts: list[str] = []
    while isinstance(path, tuple):
        key = path[1]
        parts.append(f"[{key}]" if isinstance(key, int) else f".{key}")
        path = path[0]
    return "".join(reversed(parts)).removeprefix(".")


def _split(path: Path) -> tuple[Content | None, list[str]]:
    parts: list[str] = []
    while isinstance(path, tuple):
        parts.append(str(path[1]))
        path = path[0]
    parts.reverse()
    return path, parts


class Report:
    """Collects what is wrong while a body is read.

    `terse` above 0 words everything like the second level, wherever it is.
    """

    __slots__ = ("_body", "_content", "terse")

    def __init__(self) -> None:
        self._body: list[Json] = []
        self._content: dict[str, list[Json]] = {}
        self.terse = 0

    def __bool__(self) -> bool:
        return bool(self._body or self._content)

    def _add(self, path: Path, in_body: str, in_content: str) -> None:
        content, parts = _split(path)
        if content is None:
            wording = in_content if self.terse else in_body
            self._body.append({"message": wording, "property": dotted(path)})
            return
        details = self._content.setdefault(dotted(content.message_path), [])
        place = "/".join([content.prefix, *parts])
        details.append({"message": in_content, "property": place or "/"})

    def missing(self, path: Path) -> None:
        """A required property is absent or null."""
        self._add(path, "May not be empty", "must be specified")

    def empty(self, path: Path) -> None:
        """A text that needs at least one character has none."""
        self._add(path, "May not be empty", "must be non-empty text")

    def length(self, path: Path, low: int, high: int) -> None:
        """A text is too long or too short."""
        self._add(
            path,
            f"Length must be between {low} and {high}",
            f"must not be longer than {high} characters",
        )

    def size(self, path: Path, low: int, high: int) -> None:
        """A URL is too long."""
        self._add(
            path,
            f"Size must be between {low} and {high}",
            f"size must be between {low} and {high}",
        )

    def items(self, path: Path, low: int, high: int, count: int) -> None:
        """An array has `count` elements, too many or too few."""
        in_content = (
            f"must not be more than {high} items"
            if count > high
            else f"must not be less than {low} items"
        )
        self._add(path, f"Size must be between {low} and {high}", in_content)

    def choice(self, path: Path, values: tuple[str, ...]) -> None:
        """A value is none of those allowed."""
        in_body = f"Must be one of the following values: [{', '.join(values)}]"
        self._add(path, in_body, "invalid property")

    def between(self, path: Path, low: float, high: float) -> None:
        """A number is out of range."""
        self._add(path, f"Must be between {low} and {high}", "invalid property")

    def scheme(self, path: Path) -> None:
        """A URI's scheme is not allowed there."""
        self._add(path, "invalid uri scheme", "invalid uri scheme")

    def invalid(self, path: Path, message: str = "invalid property") -> None:
        """Anything else, in words of its own."""
        self._add(path, message, message)

    def unreadable(self, path: Path) -> None:
        """A value of the wrong type: ends the reading of a body, is one more error in content."""
        content, _ = _split(path)
        if content is None:
            raise Unreadable(path)
        self._add(path, "", "invalid property")

    def answer(self) -> Json:
        """The error JSON for everything found; the body's errors hide those of the content."""
        if self._body:
            count = len(self._body)
            return {"message": f"The request body has {count} error(s)", "details": self._body}
        name, details = next(iter(self._content.items()))
        return {
            "message": f"A message ({name})\u00a0in the request body is invalid",
            "details": details,
        }
