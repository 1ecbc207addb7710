"""Members from a file: who they are, what is known of them, and taking it back.

Thousands of lines are taken by a handful of statements, and what they change is kept beside each
contact (`Imported`), so that an import can be undone as far as nobody has changed it since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from hiiki.contacts import imported, states
from hiiki.contacts.attributes import all_attributes
from hiiki.contacts.identities import Keys, normal, resolve
from hiiki.contacts.member_columns import COLUMNS, EC_CUBE, NAME_MOST, SHOPIFY
from hiiki.contacts.models import Attribute
from hiiki.contacts.prefectures import find_prefecture
from hiiki.contacts.schemas import TAG_NAME_LIMIT
from hiiki.contacts.states import State
from hiiki.contacts.values import columns_of, parse_value
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.importable import (
    Column,
    Importable,
    Importing,
    ImportRow,
    Outcome,
)
from hiiki.kit.phones import country_of
from hiiki.workspace.models import Workspace

_KEYS = ("customer", "line_user_id", "email", "phone")
_PROFILE = ("email", "phone", "birthday")
"""Columns that are stored under their own names."""


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
    keys: list[Keys] = field(default_factory=list[Keys])
    """By what they are named."""


async def take(
    session: WorkspaceSession, importing: Importing, rows: Sequence[ImportRow]
) -> Sequence[Outcome]:
    """Take lines of members (`Importable.take`)."""
    attributes = {f"attribute:{each.id}": each for each in await all_attributes(session)}
    outcomes: dict[int, Outcome] = {}
    good: list[tuple[ImportRow, dict[str, Any]]] = []
    for row in rows:
        said, wrong = _said(row.values, attributes, clears=importing.clears)
        if wrong is None:
            good.append((row, said))
        else:
            outcomes[row.line] = Outcome(row.line, "refused", column=wrong[0], reason=wrong[1])
    keys = [_keys(row.values) for row, _said_ in good]
    before = await resolve(session, keys, create=False)
    empty = await states.empty_addresses(session, [one for one in before if one is not None])
    found = before if importing.dry else await resolve(session, keys, create=True, revive=False)
    members: dict[Any, _Member] = {}
    known: set[Any] = {ident for ident in before if ident is not None}
    for (row, said), ident, key in zip(good, found, keys, strict=True):
        if ident is None and not importing.dry:
            outcomes[row.line] = Outcome(row.line, "refused", reason=_ERASED)
            continue
        # Nobody is made by a check: who is new is told apart by what names them.
        member = members.setdefault(key if ident is None else ident, _Member())
        member.lines.append((row.line, said, row.values.get("tags") or ()))
        member.keys.append(key)
    await _change(session, importing, members, known, empty, outcomes)
    return [outcomes[row.line] for row in rows]


_ERASED = _("This person has been erased, and does not come back by a file.")


async def _change(
    session: WorkspaceSession,
    importing: Importing,
    members: Mapping[Any, _Member],
    known: set[Any],
    empty: Mapping[UUID, State],
    outcomes: dict[int, Outcome],
) -> None:
    lines = [each for member in members.values() for each in member.lines]
    names = {name for _line, _said, tags in lines for name in tags}
    tag_ids = await states.tags_named(session, names, make=not importing.dry)
    wanted = {name for _line, said, _tags in lines for name in said}
    people = [ident for ident in members if isinstance(ident, UUID)]
    country = country_of((await session.known(Workspace, session.workspace_id)).timezone)
    stand = await states.read(session, people, wanted, tag_ids.values())
    changes: list[states.Change] = []
    for ident, member in members.items():
        is_new = ident not in known
        # An address that was filled in just now, with the key, is the file's doing too.
        state = {} if is_new else {**stand.get(ident, {}), **empty.get(ident, {})}
        before, after = dict(state), State()
        for line, said, tags in member.lines:
            step = _difference(importing, state, said, tags, tag_ids)
            first = is_new and line == member.lines[0][0]
            outcomes[line] = Outcome(line, "new" if first else "changed" if step else "same", ident)
            state |= step
            after |= step
        if after or is_new:
            was = {name: before.get(name) for name in after}
            named = {
                f"{imported.KEY}{kind}:{key}": True
                for keys in member.keys
                for kind, key in normal(keys, country)
            }
            changes.append(states.Change(ident, is_new, was, after | named))
    if changes and not importing.dry:
        await states.write(session, changes)
        await imported.remember(session, importing.id, changes)


def _difference(
    importing: Importing,
    state: State,
    said: State,
    tags: Sequence[str],
    tag_ids: Mapping[str, UUID],
) -> State:
    after: State = {}
    for name, value in said.items():
        stands = state.get(name)
        if value == stands or (importing.keeps and stands not in (None, "", False)):
            continue
        after[name] = value
    for name in tags:
        tag = f"tag:{tag_ids[name]}" if name in tag_ids else f"tag:{name}"
        if not state.get(tag):
            after[tag] = True
    return after


def _keys(values: Mapping[str, Any]) -> Keys:
    return Keys(
        *(values.get(name) or "" for name in ("customer", "email", "phone", "line_user_id"))
    )


def _said(
    values: Mapping[str, Any], attributes: Mapping[str, Attribute], *, clears: bool
) -> tuple[dict[str, Any], tuple[str, Text] | None]:
    """Return what a line says, as the state holds it, and what is wrong with it."""
    said: dict[str, Any] = {}
    try:
        if not any(values.get(name) for name in _KEYS):
            raise _Wrong("", _("Please give a customer number, e-mail, phone or LINE user ID."))
        if any(name in values for name in ("name", "family_name", "given_name")):
            said["real_name"] = _name(values)
        for name in _PROFILE:
            if name in values:
                said[name] = values[name]
        if values.get("birthday"):
            said["birthday"] = _birthday(values["birthday"])
        if "prefecture" in values:
            said["prefecture"] = _prefecture(values["prefecture"])
        if values.get("is_purchaser") is not None:
            said["is_purchaser"] = values["is_purchaser"]
        for name, attribute in attributes.items():
            if name in values:
                said[name] = _attribute(name, attribute, values[name])
        if any(len(tag) > TAG_NAME_LIMIT for tag in values.get("tags") or ()):
            raise _Wrong(
                "tags", _("Please shorten each tag to %(n)s characters.", n=TAG_NAME_LIMIT)
            )
    except _Wrong as wrong:
        return {}, (wrong.column, wrong.reason)
    if not clears:
        said = {name: value for name, value in said.items() if value is not None}
    return said, None


class _Wrong(Exception):
    def __init__(self, column: str, reason: Text) -> None:
        self.column, self.reason = column, reason
        super().__init__(column)


def _name(values: Mapping[str, Any]) -> str | None:
    whole = values.get("name") or " ".join(
        filter(None, (values.get("family_name"), values.get("given_name")))
    )
    name = " ".join(whole.split())
    if len(name) > NAME_MOST:
        raise _Wrong(
            "name", _("Please shorten this to %(max_length)s characters.", max_length=NAME_MOST)
        )
    return name or None


def _birthday(day: date) -> str:
    if not date(1900, 1, 1) <= day <= now().date():
        raise _Wrong("birthday", _("Please enter a birthday between 1900 and today."))
    return day.isoformat()


def _prefecture(typed: str | None) -> str | None:
    if not typed:
        return None
    found = find_prefecture(typed)
    if not found:
        raise _Wrong("prefecture", _("This is none of Japan's 47 prefectures."))
    return found


def _attribute(name: str, attribute: Attribute, value: Any) -> dict[str, Any] | None:
    try:
        parsed = parse_value(attribute, value)
    except Invalid as error:
        raise _Wrong(name, error.fields["value"]) from None
    if parsed is None:
        return None
    return {column: states.plain(each) for column, each in columns_of(attribute, parsed).items()}


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
