"""Members from a file: who they are, what is known of them, and taking it back.

Thousands of lines are taken by a handful of statements, and what they change is kept beside each
contact (`Imported`), so that an import can be undone as far as nobody has changed it since.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hiiki.contacts import imported, states
from hiiki.contacts.attributes import all_attributes
from hiiki.contacts.identities import Meant, foreseen, meant
from hiiki.contacts.keys import Key
from hiiki.contacts.member_columns import COLUMNS, EC_CUBE, SHOPIFY
from hiiki.contacts.models import Attribute
from hiiki.contacts.noting import PROFILE
from hiiki.contacts.sayings import CHECKS, Sayings, of_attribute
from hiiki.contacts.states import State
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.importable import Column, Fault, Importable, Importing, ImportRow, Outcome


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


@dataclass(frozen=True, slots=True)
class _Said:
    """What one line says of whom."""

    line: int
    ident: UUID
    state: State
    """Its values by the state's names; None empties it."""
    tags: Sequence[str]
    keys: Sequence[Key]


async def take(
    session: WorkspaceSession, importing: Importing, rows: Sequence[ImportRow]
) -> Sequence[Outcome]:
    """Take lines of members (`Importable.take`)."""
    sayings = Sayings(rows[0].values, await all_attributes(session), clears=importing.clears)
    outcomes: dict[int, Outcome] = {}
    good: list[tuple[ImportRow, State]] = []
    for row in rows:
        said = sayings.said(row.values)
        if isinstance(said, Fault):
            outcomes[row.line] = Outcome(row.line, "refused", faults=[said])
        else:
            good.append((row, said))
    keys = [sayings.keys(row.values) for row, _said in good]
    if importing.dry:
        found = await foreseen(session, keys)
    else:
        begin = [said for _row, said in good]
        found = await meant(session, keys, revive=False, begin=begin)
    names = {tag for row, _said in good for tag in row.values.get("tags") or ()}
    tag_ids = await states.tags_named(session, names, make=not importing.dry)
    tags = {name: f"tag:{tag_ids.get(name, name)}" for name in names}
    new: list[_Said] = []
    known: list[_Said] = []
    for (row, state), ident, named in zip(good, found.people, found.keys, strict=True):
        if ident is None:
            outcomes[row.line] = Outcome(row.line, "refused", faults=[Fault("", _ERASED)])
            continue
        its = [tags[name] for name in row.values.get("tags") or ()]
        said = _Said(row.line, ident, state, its, named)
        (new if ident in found.made else known).append(said)
    await _begin(session, importing, new, outcomes)
    await _change(session, importing, known, found, tag_ids.values(), outcomes)
    return [outcomes[row.line] for row in rows]


_ERASED = _("This person has been erased, and does not come back by a file.")


async def _begin(
    session: WorkspaceSession,
    importing: Importing,
    lines: Sequence[_Said],
    outcomes: dict[int, Outcome],
) -> None:
    """Write what is said of people who were just made, with what their first line says."""
    people: dict[UUID, State] = {}
    more: dict[UUID, State] = {}
    keys: dict[UUID, State] = {}
    for said in lines:
        ident = said.ident
        state = people.get(ident)
        if state is None:
            state = {name: value for name, value in said.state.items() if value is not None}
            for tag in said.tags:
                state[tag] = True
            people[ident], keys[ident] = state, imported.named(said.keys)
            outcomes[said.line] = Outcome(said.line, "new", ident)
            continue
        step = _difference(importing, state, said.state, said.tags)
        outcomes[said.line] = Outcome(said.line, "changed" if step else "same", ident)
        state |= step
        keys[ident] |= imported.named(said.keys)
        if profile := {name: value for name, value in step.items() if name in PROFILE}:
            more.setdefault(ident, {}).update(profile)
    if importing.dry or not people:
        return
    await states.write(session, [states.Change(each, True, {}, its) for each, its in more.items()])
    await states.begin(session, people)
    await imported.begin(
        session, importing.id, {each: its | keys[each] for each, its in people.items()}
    )


async def _change(
    session: WorkspaceSession,
    importing: Importing,
    lines: Sequence[_Said],
    found: Meant,
    tag_ids: Collection[UUID],
    outcomes: dict[int, Outcome],
) -> None:
    """Write what is said of people who were known."""
    people: dict[UUID, list[_Said]] = {}
    for said in lines:
        people.setdefault(said.ident, []).append(said)
    wanted = {name for said in lines for name in said.state}
    stand = await states.read(session, people, wanted, tag_ids)
    changes: list[states.Change] = []
    for ident, its in people.items():
        state = stand.get(ident, {})
        # An address that was filled in just now, with the key, is the file's doing too.
        for name in found.filled.get(ident, ()):
            state[name] = None
        before, after = dict(state), State()
        for said in its:
            step = _difference(importing, state, said.state, said.tags)
            outcomes[said.line] = Outcome(said.line, "changed" if step else "same", ident)
            state |= step
            after |= step
        if after:
            was = {name: before.get(name) for name in after}
            changes.append(states.Change(ident, False, was, after))
    if changes and not importing.dry:
        await states.write(session, changes)
        for change in changes:
            for said in people[change.contact_id]:
                change.after |= imported.named(said.keys)
        await imported.remember(session, importing.id, changes)


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
    take=take,
    undo=undo,
    formats=(SHOPIFY, EC_CUBE),
)
