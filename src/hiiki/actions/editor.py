"""The editor for a list of actions, for any page with a form.

A page takes `editor=await open_editor(session)` into its context and draws

    {% from "actions/editor.html" import actions_editor %}
    {{ actions_editor("finish_actions", data.finish_actions, errors, editor) }}

Adding, removing and moving are done by the server: the buttons post the editor's own
fields to `/actions/editor`, which answers with the editor drawn anew. The form then
holds `finish_actions.0.kind`, `finish_actions.0.tag_id`, …
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hiiki.actions.checks import extra_of, picker_of
from hiiki.actions.service import options_of
from hiiki.content.composer import Choices, choices
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import ActionKind, Option, road


@dataclass(frozen=True, slots=True)
class Drawn:
    """A parameter of an action, as it is to be drawn."""

    name: str
    widget: str
    """picker, composer, textarea, number, date, checkbox, select or text."""
    label: Text
    hint: Text | None
    required: bool
    default: Any
    picker: str = ""
    choices: Sequence[tuple[str, Text]] = ()


@dataclass(frozen=True, slots=True)
class Editor:
    """What the template needs to draw any action."""

    kinds: Sequence[ActionKind]
    fields: Mapping[str, Sequence[Drawn]]
    """By the kind of action."""
    options: Mapping[str, Sequence[Option]]
    """By the picker's name."""
    composer: Choices
    """What the composer of messages needs."""

    def told(self, actions: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return what each action does, in a word or two: "Add a tag (mug)"."""
        return [self._told(action) for action in actions]

    def _told(self, action: Mapping[str, Any]) -> str:
        kind = next((one for one in self.kinds if one.name == action.get("kind")), None)
        if kind is None:
            return str(action.get("kind", ""))
        for field in self.fields[kind.name]:
            for option in self.options.get(field.picker, ()):
                if option.value == action.get(field.name):
                    return f"{kind.label} ({option.label})"
        return str(kind.label)


async def open_editor(session: WorkspaceSession) -> Editor:
    """Read what can be chosen in this workspace."""
    kinds = list(road().actions.values())
    fields = {
        kind.name: [_drawn(n, f) for n, f in kind.params.model_fields.items()] for kind in kinds
    }
    pickers = {field.picker for drawn in fields.values() for field in drawn if field.picker}
    options = {name: await options_of(session, name) for name in sorted(pickers)}
    return Editor(kinds, fields, options, await choices(session))


def drawable(given: Any) -> list[dict[str, Any]]:
    """Return what a form (or a row) holds as a list of actions that can be drawn."""
    if not isinstance(given, list):
        return []
    found = cast("list[Any]", given)
    return [
        {"kind": "", **cast("dict[str, Any]", action)}
        for action in found
        if isinstance(action, dict)
    ]


def change(
    actions: Sequence[Mapping[str, Any]], do: str, at: int, kind: str = ""
) -> list[dict[str, Any]]:
    """Return `actions` after a button was pressed: add, remove, up or down."""
    changed = [dict(action) for action in actions]
    if do == "add" and kind in road().actions:
        changed.append({"kind": kind})
    elif do == "remove" and 0 <= at < len(changed):
        del changed[at]
    elif do == "up" and 0 < at < len(changed):
        changed[at - 1], changed[at] = changed[at], changed[at - 1]
    elif do == "down" and 0 <= at < len(changed) - 1:
        changed[at + 1], changed[at] = changed[at], changed[at + 1]
    return changed


def _drawn(name: str, field: FieldInfo) -> Drawn:
    extra = extra_of(field)
    picker = picker_of(field)
    kind, offered = _plain_kind(field.annotation)
    widget = "picker" if picker else str(extra.get("widget", kind))
    labels = cast("Mapping[str, str]", extra.get("labels", {}))
    default = None if field.default is PydanticUndefined else field.default
    return Drawn(
        name=name,
        widget=widget,
        label=_(field.title or name.replace("_", " ").capitalize()),
        hint=_(field.description) if field.description else None,
        required=field.is_required(),
        default=default,
        picker=picker,
        choices=[(value, _(labels.get(value, value))) for value in offered],
    )


def _plain_kind(annotation: Any) -> tuple[str, list[str]]:
    """Return by what kind of field a type is typed, and what may be chosen."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = [one for one in get_args(annotation) if one is not type(None)]
        return _plain_kind(inner[0]) if len(inner) == 1 else ("text", [])
    if origin is Literal:
        return "select", [str(value) for value in get_args(annotation)]
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            return "select", [str(one.value) for one in annotation]
        if issubclass(annotation, bool):
            return "checkbox", []
        if issubclass(annotation, int | float):
            return "number", []
        if issubclass(annotation, date):
            return "date", []
    return "text", []
