"""Segments to begin with: what shops ask for most, in one click (`ready_list` has them).

Each names the tags and attributes it needs. Those that the workspace does not have yet can be made
along with it, when somebody asks for it; the rule then refers to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select

from hiiki.contacts.attributes import create_attribute
from hiiki.contacts.models import Attribute, Tag
from hiiki.contacts.schemas import AttributeIn, TagIn
from hiiki.contacts.tags import create_tag
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import LOCALES, Text
from hiiki.kit.road import road
from hiiki.segments.explain import sentence
from hiiki.segments.names import names_of
from hiiki.segments.rules import AnyRule, read_rule

Rule = dict[str, Any]
Ids = Mapping[str, UUID | None]
"""What a ready-made segment needs, by its English name → its id, or None while there is none."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An attribute of one choice that a ready-made segment asks about."""

    key: str
    label: Text
    choices: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """One segment to begin with."""

    key: str
    group: Text
    name: Text
    about: Text
    tags: tuple[Text, ...]
    build: Callable[[Ids], Rule]
    events: tuple[str, ...] = ()
    """Kinds of event that it counts; without them it is not offered."""
    fields: tuple[str, ...] = ()
    """Figures of other rooms that it asks about; likewise."""
    attributes: tuple[Choice, ...] = ()

    @property
    def needs(self) -> tuple[Text, ...]:
        """What the tags and attributes that it needs are called."""
        return (*self.tags, *(each.label for each in self.attributes))


def offered() -> Sequence[ReadyMade]:
    """Return those whose events and figures this installation knows."""
    # The list is made of what all rooms bring, and so not before they are there.
    from hiiki.segments.ready_list import cells, ready_made

    known = road()
    return [
        each
        for each in (*ready_made(), *cells())
        if all(name in known.events for name in each.events)
        and all(name in known.fields for name in each.fields)
    ]


def find(key: str) -> ReadyMade | None:
    """Return the one with this key, if it is offered."""
    return next((each for each in offered() if each.key == key), None)


async def ids_for(session: WorkspaceSession, wanted: Sequence[ReadyMade]) -> dict[str, UUID | None]:
    """Return what there is of the tags and attributes that these need, in either language."""
    tags = [text for each in wanted for text in each.tags]
    names = {text.to(locale): text.english for text in tags for locale in LOCALES}
    found: dict[str, UUID | None] = {text.english: None for each in wanted for text in each.needs}
    rows = await session.execute(select(Tag.id, Tag.name).where(Tag.name.in_(names)))
    found.update((names[name], ident) for ident, name in rows.tuples())
    keys = {choice.key: choice.label.english for each in wanted for choice in each.attributes}
    if keys:
        there = await session.execute(
            select(Attribute.id, Attribute.key).where(
                Attribute.key.in_(keys), Attribute.kind == "choice"
            )
        )
        found.update((keys[key], ident) for ident, key in there.tuples())
    return found


async def make_missing(
    session: WorkspaceSession, chosen: ReadyMade
) -> tuple[list[Tag], list[Attribute]]:
    """Make those of the tags and attributes that are missing, named in the present language."""
    found = await ids_for(session, [chosen])
    tags = [
        await create_tag(session, TagIn(name=str(text)))
        for text in chosen.tags
        if found[text.english] is None
    ]
    attributes = [
        await create_attribute(
            session,
            AttributeIn(
                key=each.key,
                label=str(each.label),
                kind="choice",
                choices=[str(choice) for choice in each.choices],
            ),
        )
        for each in chosen.attributes
        if found[each.label.english] is None
    ]
    return tags, attributes


async def preview(session: WorkspaceSession, chosen: ReadyMade, ids: Ids) -> tuple[AnyRule, Text]:
    """Return the rule as it would be, and what it says, also while its tags are not made yet.

    What is missing stands in it under an id that nothing has: nobody has such a tag.
    """
    stand_ins = {name: ident or uuid5(session.workspace_id, name) for name, ident in ids.items()}
    rule = read_rule(chosen.build(stand_ins))
    names = await names_of(session, rule)
    for text in chosen.tags:
        names.tags.setdefault(stand_ins[text.english] or UUID(int=0), str(text))
    for each in chosen.attributes:
        made = Attribute(key=each.key, label=str(each.label), kind="choice")
        names.attributes.setdefault(stand_ins[each.label.english] or UUID(int=0), made)
    return rule, sentence(rule, names)
