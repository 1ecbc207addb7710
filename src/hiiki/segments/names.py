"""What the ids in a rule are called, and whether there still is such a thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.models import Attribute, Tag
from hiiki.db import WorkspaceSession
from hiiki.kit.road import EventKind, Option, road
from hiiki.segments.conditions import (
    Answered,
    AttributeIs,
    Befriended,
    InSegment,
    Messaged,
    OnList,
    Tagged,
    mentions,
)
from hiiki.segments.models import PeopleList, Segment
from hiiki.segments.rules import AnyRule, walk
from hiiki.workspace.models import Channel

QUESTION_PICKER = "question"
"""Offers the questions of all surveys: `value` is the question's id."""
ANSWER_PICKER = "answer"
"""Offers their choices: `value` is `<question id>:<choice id>`."""


@dataclass(slots=True)
class Names:
    """What a rule refers to, by id. What is missing here does not exist in this workspace."""

    tags: dict[UUID, str] = field(default_factory=dict[UUID, str])
    attributes: dict[UUID, Attribute] = field(default_factory=dict[UUID, Attribute])
    segments: dict[UUID, str] = field(default_factory=dict[UUID, str])
    channels: dict[UUID, str] = field(default_factory=dict[UUID, str])
    lists: dict[UUID, str] = field(default_factory=dict[UUID, str])
    picked: dict[str, Mapping[str, Option]] = field(default_factory=dict[str, Mapping[str, Option]])
    """Picker → value → option, for the pickers that the rule needs."""

    def picked_label(self, picker: str, value: str) -> str | None:
        """Return what a picker calls a value, or None when it does not offer it."""
        option = self.picked.get(picker, {}).get(value)
        return None if option is None else option.label

    def choices(self, question_id: UUID) -> dict[str, str]:
        """Return choice id → label of a question."""
        start = f"{question_id}:"
        return {
            value.removeprefix(start): option.label
            for value, option in self.picked.get(ANSWER_PICKER, {}).items()
            if value.startswith(start)
        }


def event_kind(name: str) -> EventKind | None:
    """Return the kind of event with this name, or None when no room declares it."""
    return road().events.get(name)


def subject_picker(event: str) -> str:
    """Return the picker that names what such events are about, or ""."""
    kind = event_kind(event)
    return "" if kind is None else kind.subject


async def names_of(session: WorkspaceSession, *rules: AnyRule) -> Names:
    """Look up all that these rules refer to: one query for each sort of thing."""
    wanted: dict[type[Any], set[UUID]] = {
        Tag: set(),
        Attribute: set(),
        Segment: set(),
        Channel: set(),
        PeopleList: set(),
    }
    pickers: set[str] = set()
    for rule in rules:
        for _path, part in walk(rule):
            match part:
                case Tagged():
                    wanted[Tag].update(part.tag_ids)
                case AttributeIs():
                    wanted[Attribute].add(part.attribute_id)
                case InSegment():
                    wanted[Segment].add(part.segment_id)
                case OnList():
                    wanted[PeopleList].add(part.list_id)
                case Befriended(channel_id=UUID() as channel_id):
                    wanted[Channel].add(channel_id)
                case Answered():
                    pickers.update((QUESTION_PICKER, ANSWER_PICKER))
                case Messaged(about_id=UUID()):
                    pickers.add(part.about)
                case _:
                    pass
            for mention in mentions(part):
                if mention.channel_id is not None:
                    wanted[Channel].add(mention.channel_id)
                if mention.subject and (picker := subject_picker(mention.event)):
                    pickers.add(picker)
    names = Names()
    if found := wanted[Attribute]:
        rows = await session.scalars(select(Attribute).where(Attribute.id.in_(found)))
        names.attributes = {row.id: row for row in rows}
    named: tuple[tuple[Any, dict[UUID, str]], ...] = (
        (Tag, names.tags),
        (Segment, names.segments),
        (Channel, names.channels),
        (PeopleList, names.lists),
    )
    for kind, into in named:
        if found := wanted[kind]:
            pairs = await session.execute(select(kind.id, kind.name).where(kind.id.in_(found)))
            into.update((ident, name) for ident, name in pairs)
    for name in pickers:
        names.picked[name] = await options_of(session, name)
    return names


async def options_of(session: WorkspaceSession, picker: str) -> dict[str, Option]:
    """Return what a picker offers, by value; nothing when no room brings that picker."""
    found = road().pickers.get(picker)
    if found is None:
        return {}
    options: Iterable[Option] = await found.options(session)
    return {option.value: option for option in options}
