"""What can be tapped in a message: its actions, in the order in which they are seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from .model import Json, Sending


@dataclass(frozen=True, slots=True)
class Tappable:
    """An action found in a message, and where: "quick_reply", "template", "flex" or "imagemap"."""

    where: str
    action: Json
    message_index: int

    @property
    def label(self) -> str:
        """What the person reads on it: the label, or the text that stands in for one."""
        action = self.action
        for name in ("label", "text", "displayText", "uri", "linkUri", "data"):
            value = action.get(name)
            if isinstance(value, str) and value:
                return value
        return str(action.get("type", ""))


def in_message(message: Json, index: int = 0) -> Iterator[Tappable]:
    """Actions of one message object, without its quick replies."""
    kind = message.get("type")
    if kind == "template":
        for action in _actions_below(message.get("template")):
            yield Tappable("template", action, index)
    elif kind == "flex":
        for action in _actions_below(message.get("contents")):
            yield Tappable("flex", action, index)
    elif kind == "imagemap":
        for action in cast(list[Json], message.get("actions") or []):
            yield Tappable("imagemap", action, index)


def quick_replies(message: Json, index: int = 0) -> Iterator[Tappable]:
    """The quick-reply buttons of one message object."""
    reply = message.get("quickReply")
    if isinstance(reply, dict):
        for item in cast(list[Json], cast(Json, reply).get("items") or []):
            yield Tappable("quick_reply", item["action"], index)


def in_sending(sending: Sending, only: int | None = None) -> list[Tappable]:
    """All that can be tapped in a sending, or in its message number `only`.

    Of several messages only the last one's quick replies are shown (reference, "Quick reply").
    """
    messages = sending.messages()
    found: list[Tappable] = []
    for index, message in enumerate(messages):
        if only is None or only == index:
            found.extend(in_message(message, index))
    if only is None or only == len(messages) - 1:
        found.extend(quick_replies(messages[-1], len(messages) - 1))
    return found


def choose(tappables: list[Tappable], label: str | None, index: int | None) -> Tappable | None:
    """The one with this label, or at this place (negative counts from the end), or the first."""
    if label is not None:
        return next((one for one in tappables if one.label == label), None)
    place = 0 if index is None else index
    return tappables[place] if -len(tappables) <= place < len(tappables) else None


def _actions_below(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        here = cast(Json, node)
        for name in ("header", "hero", "body", "footer", "columns", "contents"):
            if name in here:
                yield from _actions_below(here[name])
        if isinstance(here.get("action"), dict):
            yield here["action"]
        if isinstance(here.get("defaultAction"), dict):
            yield here["defaultAction"]
        yield from cast(list[Json], here.get("actions") or [])
    elif isinstance(node, list):
        for child in cast(list[Any], node):
            yield from _actions_below(child)
