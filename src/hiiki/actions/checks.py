"""Whether stored actions can run: known kinds, whole parameters, things that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic.fields import FieldInfo

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import road


async def check_actions(
    session: WorkspaceSession, actions: Sequence[Mapping[str, Any]], prefix: str = ""
) -> dict[str, Text]:
    """Return field path → what is wrong; empty when all of `actions` can run.

    `prefix` is the path of the list itself, e.g. `finish_actions`: the first action's
    tag is then at `finish_actions.0.tag_id`.
    """
    found: dict[str, Text] = {}
    offered: dict[str, set[str]] = {}
    for place, action in enumerate(actions):
        path = f"{prefix}.{place}" if prefix else str(place)
        kind = road().actions.get(str(action.get("kind", "")))
        if kind is None:
            found[f"{path}.kind"] = _("Please choose what is to be done.")
            continue
        try:
            params = parse(kind.params, _params(action))
        except Invalid as error:
            found |= {f"{path}.{name}" if name else path: t for name, t in error.fields.items()}
            continue
        for name, field in kind.params.model_fields.items():
            picker = picker_of(field)
            value = getattr(params, name)
            if not picker or value is None or value == "":
                continue
            if picker not in offered:
                offered[picker] = await _offered(session, picker)
            values = cast("list[Any]", value) if isinstance(value, list) else [value]
            if any(str(one) not in offered[picker] for one in values):
                found[f"{path}.{name}"] = _("This does not exist (any more). Please choose again.")
    return found


async def clean_actions(
    session: WorkspaceSession, actions: Sequence[Mapping[str, Any]], prefix: str = ""
) -> list[dict[str, Any]]:
    """Return `actions` as they are to be stored; raises `Invalid` with every error."""
    wrong = await check_actions(session, actions, prefix)
    if wrong:
        raise Invalid(fields=wrong)
    return [tidy(action) for action in actions]


def tidy(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checked action in its stored form, with every parameter as plain JSON."""
    kind = road().actions[str(action["kind"])]
    return {"kind": kind.name, **parse(kind.params, _params(action)).model_dump(mode="json")}


def picker_of(field: FieldInfo) -> str:
    """Return the picker by which a parameter is chosen; "" when it is typed."""
    return str(extra_of(field).get("picker", ""))


def extra_of(field: FieldInfo) -> Mapping[str, Any]:
    """Return a parameter's `json_schema_extra`, by which the console knows how to draw it."""
    extra = field.json_schema_extra
    return cast("Mapping[str, Any]", extra) if isinstance(extra, dict) else {}


def refers_to(value: Any, ident: str) -> bool:
    """True when `ident` stands anywhere in stored actions."""
    if isinstance(value, str):
        return value == ident
    if isinstance(value, list):
        return any(refers_to(item, ident) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        return any(refers_to(item, ident) for item in cast("dict[str, Any]", value).values())
    return False


def _params(action: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in action.items() if name != "kind"}


async def _offered(session: WorkspaceSession, picker: str) -> set[str]:
    found = road().pickers.get(picker)
    return set() if found is None else {o.value for o in await found.options(session)}
