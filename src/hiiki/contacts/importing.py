"""Members from a file: who they are, what is known of them, and taking it back.

Thousands of lines are taken by a handful of statements, and what they change is kept beside each
contact (`Imported`), so that an import can be undone as far as nobody has changed it since.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, TypeAlias
from uuid import UUID

from hiiki.contacts import imported, states
from hiiki.contacts.attributes import all_attributes, create_attribute
from hiiki.contacts.identities import Meant, foreseen, placed
from hiiki.contacts.keys import Key, normal
from hiiki.contacts.member_columns import COLUMNS, EC_CUBE, SHOPIFY
from hiiki.contacts.models import Attribute
from hiiki.contacts.noting import PROFILE
from hiiki.contacts.sayings import CHECKS, Sayings, of_attribute
from hiiki.contacts.schemas import AttributeIn
from hiiki.contacts.states import State
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _
from hiiki.kit.importable import Column, Fault, Importable, Importing, ImportRow, Outcome
from hiiki.kit.phones import country_of
from hiiki.workspace.models import Workspace


async def columns(session: WorkspaceSession) -> Sequence[Column]:
    """Return what a file of members may say, with the shop's own fields."""
    return [*_COLUMNS, *(_column(each) for each in await all_attributes(session))]


_COLUMNS = [replace(each, then=CHECKS.get(each.name)) for each in COLUMNS]


def _column(attribute: Attribute) -> Column:
    kind = {"number": "number", "date": "day"}.get(attribute.kind, "text")
    return Column(
        f"attribute:{attribute.id}",
        attribute.label,
        kind,
        aliases=(attribute.key,),
        then=of_attribute(attribute),
    )


async def add(session: WorkspaceSession, heading: str) -> str:
    """Make a field of text of a heading (`Importable.add`)."""
    known = {each.key for each in await all_attributes(session)}
    word = _NO_KEY.sub("_", heading.casefold()).strip("_")[:30].rstrip("_")
    if not word or not word[0].isalpha():
        word = f"field_{word}".rstrip("_")
    numbered = (f"{word}_{n}" if n > 1 else word for n in count(1))
    key = next(each for each in numbered if each not in known)
    typed = parse(AttributeIn, {"key": key, "label": heading, "kind": "text"})
    try:
        made = await create_attribute(session, typed)
    except Conflict as error:
        raise Invalid(fields={"label": error.message}) from error
    return f"attribute:{made.id}"


_NO_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class _Line:
    """What one line says."""

    number: int
    state: State
    """Its values by the state's names; None empties it."""
    tags: Sequence[str]
    keys: Sequence[Key]
    """By what it names a person, the strongest first."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What lines say, as far as that can be told without a database."""

    lines: Sequence[_Line]
    refused: Sequence[Outcome]


async def ready(
    session: WorkspaceSession, importing: Importing
) -> Callable[[Sequence[ImportRow]], _Made]:
    """Return what reads lines of members (`Importable.ready`)."""
    attributes = await all_attributes(session)
    country = country_of((await session.known(Workspace, session.workspace_id)).timezone)

    def made(rows: Sequence[ImportRow]) -> _Made:
        sayings = Sayings(rows[0].values, attributes, clears=importing.clears)
        lines: list[_Line] = []
        refused: list[Outcome] = []
        for row in rows:
            values = row.values
            said = sayings.said(values)
            if isinstance(said, Fault):
                refused.append(Outcome(row.line, "refused", faults=[said]))
            else:
                keys = normal(sayings.keys(values), country)
                lines.append(_Line(row.line, said, values.get("tags") or (), keys))
        return _Made(lines, refused)

    return made


_Whose: TypeAlias = Sequence[tuple[UUID, _Line]]


async def take(session: WorkspaceSession, importing: Importing, made: _Made) -> Sequence[Outcome]:
    """Take lines of members (`Importable.take`)."""
    lines, outcomes = made.lines, list(made.refused)
    keys = [each.keys for each in lines]
    if importing.dry:
        found = await foreseen(session, keys)
    else:
        begin = [each.state for each in lines]
        found = await placed(session, keys, revive=False, begin=begin)
    names = {tag for each in lines for tag in each.tags}
    tag_ids = await states.tags_named(session, names, make=not importing.dry)
    tags = {name: f"tag:{tag_ids.get(name, name)}" for name in names}
    new: list[tuple[UUID, _Line]] = []
    known: list[tuple[UUID, _Line]] = []
    for line, ident in zip(lines, found.people, strict=True):
        if ident is None:
            outcomes.append(Outcome(line.number, "refused", faults=[Fault("", _ERASED)]))
            continue
        (new if ident in found.made else known).append((ident, line))
    outcomes += await _begin(session, importing, new, tags)
    outcomes += await _change(session, importing, known, found, tags, tag_ids.values())
    return outcomes


_ERASED = _("This person has been erased, and does not come back by a file.")


async def _begin(
    session: WorkspaceSession, importing: Importing, lines: _Whose, tags: Mapping[str, str]
) -> list[Outcome]:
    """Write what is said of people who were just made, with what their first line says."""
    outcomes: list[Outcome] = []
    people: dict[UUID, State] = {}
    more: dict[UUID, State] = {}
    keys: dict[UUID, State] = {}
    for ident, line in lines:
        its = [tags[name] for name in line.tags]
        state = people.get(ident)
        if state is None:
            state = {name: value for name, value in line.state.items() if value is not None}
            for tag in its:
                state[tag] = True
            people[ident], keys[ident] = state, imported.named(line.keys)
            outcomes.append(Outcome(line.number, "new", ident))
            continue
        step = _difference(importing, state, line.state, its)
        outcomes.append(Outcome(line.number, "changed" if step else "same", ident))
        state |= step
        keys[ident] |= imported.named(line.keys)
        if profile := {name: value for name, value in step.items() if name in PROFILE}:
            more.setdefault(ident, {}).update(profile)
    if people and not importing.dry:
        await states.write(
            session, [states.Change(ident, True, {}, its) for ident, its in more.items()]
        )
        await states.begin(session, people)
        for ident, state in people.items():
            state |= keys[ident]
        await imported.begin(session, importing.id, people)
    return outcomes


async def _change(
    session: WorkspaceSession,
    importing: Importing,
    lines: _Whose,
    found: Meant,
    tags: Mapping[str, str],
    tag_ids: Collection[UUID],
) -> list[Outcome]:
    """Write what is said of people who were known."""
    outcomes: list[Outcome] = []
    people: dict[UUID, list[_Line]] = {}
    for ident, line in lines:
        people.setdefault(ident, []).append(line)
    wanted = {name for _ident, line in lines for name in line.state}
    stand = await states.read(session, people, wanted, tag_ids)
    changes: list[states.Change] = []
    for ident, its in people.items():
        state = stand.get(ident, {})
        # An address that was filled in just now, with the key, is the file's doing too.
        for name in found.filled.get(ident, ()):
            state[name] = None
        before, after = dict(state), State()
        for line in its:
            step = _difference(importing, state, line.state, [tags[name] for name in line.tags])
            outcomes.append(Outcome(line.number, "changed" if step else "same", ident))
            state |= step
            after |= step
        if after:
            was = {name: before.get(name) for name in after}
            changes.append(states.Change(ident, False, was, after))
    if changes and not importing.dry:
        await states.write(session, changes)
        for change in changes:
            for line in people[change.contact_id]:
                change.after |= imported.named(line.keys)
        await imported.remember(session, importing.id, changes)
    return outcomes


def _difference(importing: Importing, state: State, said: State, tags: Sequence[str]) -> State:
    after: State = {}
    for name, value in said.items():
        stands = state.get(name)
        if value == stands or (importing.keeps and stands not in (None, "", False)):
            continue
        after[name] = value
    for tag in tags:
        if not state.get(tag):
            after[tag] = True
    return after


async def undo(session: WorkspaceSession, import_id: UUID, most: int) -> Any:
    """Take back a part of an import of members (`Importable.undo`)."""
    return await imported.undo(session, import_id, most)


members = Importable(
    name="members",
    label=_("Members"),
    icon="address-book",
    hint=_(
        "Customer numbers, names, e-mails, birthdays, tags and your own fields. Who is a friend"
        " already is found; the others wait until they link their LINE account."
    ),
    columns=columns,
    ready=ready,
    take=take,
    add=add,
    undo=undo,
    formats=(SHOPIFY, EC_CUBE),
)
