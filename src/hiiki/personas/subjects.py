"""Who a persona is: a segment, or everybody with one value of what a room works out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.i18n import _
from hiiki.kit.road import Field, Option, road
from hiiki.segments.models import Segment
from hiiki.segments.rules import AnyRule, read_rule
from hiiki.segments.service import checked_rule


def rule_of_field(name: str, value: str) -> dict[str, Any]:
    """Return the rule of those who have this value of a field."""
    return {"kind": "field", "field": name, "test": {"op": "choice_any", "choices": [value]}}


async def rule_of(session: WorkspaceSession, subject: str) -> AnyRule:
    """Return the rule of a subject; raises `Invalid` when what it names is not there."""
    kind, _colon, rest = subject.partition(":")
    if kind == "segment":
        try:
            segment = await session.one(Segment, UUID(rest))
        except (ValueError, NotFound):
            raise Invalid(_("This segment is no longer there.")) from None
        return await checked_rule(session, segment)
    field, value = _field(rest) if kind == "field" else (None, "")
    if field is None:
        raise Invalid(_("Please choose who it is."))
    return read_rule(rule_of_field(field.name, value))


async def title_of(session: WorkspaceSession, subject: str) -> str:
    """Return what a subject is called; "" for what is no longer there."""
    kind, _colon, rest = subject.partition(":")
    if kind == "segment":
        try:
            return (await session.one(Segment, UUID(rest))).name
        except (ValueError, NotFound):
            return ""
    field, value = _field(rest)
    return f"{field.label}: {dict(field.choices)[value]}" if field is not None else ""


def url_of(subject: str) -> str:
    """Return where a segment is shown; "" for what is none."""
    kind, _colon, rest = subject.partition(":")
    return f"/segments/{rest}" if kind == "segment" else ""


def _field(rest: str) -> tuple[Field | None, str]:
    name, _colon, value = rest.partition(":")
    field = road().fields.get(name)
    if field is None or field.kind != "choice" or value not in dict(field.choices):
        return None, ""
    return field, value


async def options(session: WorkspaceSession) -> Sequence[Option]:
    """Return what a form offers: the segments, then the values of rooms' choices."""
    segments = await road().pickers["segment"].options(session)
    found = [
        Option(f"segment:{one.value}", one.label, group=str(_("Segments"))) for one in segments
    ]
    for field in road().fields.values():
        if field.kind == "choice":
            found += [
                Option(f"field:{field.name}:{value}", str(label), group=str(field.label))
                for value, label in field.choices
            ]
    return found
