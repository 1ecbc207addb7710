"""Members from a file: who they are, what is known of them, and taking it back.

Thousands of lines are taken by a handful of statements, and what they change is kept beside each
contact (`Imported`), so that an import can be undone as far as nobody has changed it since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hiiki.contacts import imported, states
from hiiki.contacts.attributes import all_attributes
from hiiki.contacts.identities import Meant, foreseen, meant
from hiiki.contacts.member_columns import COLUMNS, EC_CUBE, SHOPIFY
from hiiki.contacts.models import Attribute
from hiiki.contacts.noting import PROFILE
from hiiki.contacts.sayings import Sayings, Unfit
from hiiki.contacts.states import State
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.importable import Column, Importable, Importing, ImportRow, Outcome


async def columns(session: WorkspaceSession) -> Sequence[Column]:
    """Return what a file of members may say, with the shop's own fields."""
    return [*COLUMNS, *(_column(each) for each in await all_attributes(session))]


def _column(attribute: Attribute) -> Column:
    kind = {"number": "number", "date": "day"}.get(attribute.kind, "text")
    return Column(f"attribute:{attribute.id}", attribute.label, kind, aliases=(attribute.key,))


@dataclass(slots=True)
class _Member:
    """What the lines of one person say, in the file's order."""

    lines: list[tuple[int, State, Sequence[str]]] = field(
        default_factory=list[tuple[int, State, Sequence[str]]]
    )
    """Each line's number, its values by the state's names (None empties it), and its tags."""
    keys: State = field(default_factory=dict[str, Any])
    """By what they are named, as it is remembered."""


async def take(
    session: WorkspaceSession, importing: Importing, rows: Sequence[ImportRow]
) -> Sequence[Outcome]:
    """Take lines of members (`Importable.take`)."""
    sayings = Sayings(rows[0].values, await all_attributes(session), clears=importing.clears)
    outcomes: dict[int, Outcome] = {}
    good: list[tuple[ImportRow, State]] = []
    for row in rows:
        try:
            good.append((row, sayings.said(row.values)))
        except Unfit as wrong:
            outcomes[row.line] = Outcome(
                row.line, "refused", column=wrong.column, reason=wrong.reason
            )
    keys = [sayings.keys(row.values) for row, _said in good]
    if importing.dry:
        found = await foreseen(session, keys)
    else:
        begin = [said for _row, said in good]
        found = await meant(session, keys, revive=False, begin=begin)
    members: dict[UUID, _Member] = {}
    for (row, said), ident, named in zip(good, found.people, found.keys, strict=True):
        if ident is None:
            outcomes[row.line] = Outcome(row.line, "refused", reason=_ERASED)
            continue
        member = members.get(ident)
        if member is None:
            member = members[ident] = _Member()
        member.lines.append((row.line, said, row.values.get("tags") or ()))
        member.keys |= imported.named(named)
    await _change(session, importing, members, found, outcomes)
    return [outcomes[row.line] for row in rows]


_ERASED = _("This person has been erased, and does not come back by a file.")


async def _change(
    session: WorkspaceSession,
    importing: Importing,
    members: Mapping[UUID, _Member],
    found: Meant,
    outcomes: dict[int, Outcome],
) -> None:
    names = {name for each in members.values() for line in each.lines for name in line[2]}
    tag_ids = await states.tags_named(session, names, make=not importing.dry)
    tags = {name: f"tag:{tag_ids.get(name, name)}" for name in names}
    known = [ident for ident in members if ident not in found.made]
    wanted = {name for ident in known for line in members[ident].lines for name in line[1]}
    stand = await states.read(session, known, wanted, tag_ids.values())
    changes: list[states.Change] = []
    written: list[states.Change] = []
    for ident, member in members.items():
        is_new = ident in found.made
        state = stand.get(ident, {})
        # An address that was filled in just now, with the key, is the file's doing too.
        for name in found.filled.get(ident, ()):
            state[name] = None
        before, after = dict(state), State()
        for line, said, its_tags in member.lines:
            step = _difference(importing, state, said, [tags[name] for name in its_tags])
            first = is_new and line == member.lines[0][0]
            outcomes[line] = Outcome(line, "new" if first else "changed" if step else "same", ident)
            state |= step
            after |= step
        if (after or is_new) and not importing.dry:
            was = {} if is_new else {name: before.get(name) for name in after}
            changes.append(states.Change(ident, is_new, was, after | member.keys))
            # A new person's own values stand there since they were made, as the first line says.
            begun = member.lines[0][1] if is_new else {}
            rest = {
                name: value
                for name, value in after.items()
                if not (is_new and name in PROFILE and begun.get(name) == value)
            }
            written.append(states.Change(ident, is_new, was, rest))
    if changes:
        await states.write(session, written)
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
