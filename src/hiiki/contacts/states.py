"""What is known of many contacts at once: read, changed and taken back by a few statements.

A contact's `State` holds, by name, what can be changed of many: the columns of `contact` in
`PROFILE`, `attribute:<id>` (the columns that are filled, or None) and `tag:<id>` (whether they
have it). All values are as JSON writes them, so that a state can be kept and compared.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias, cast
from uuid import UUID

from sqlalchemy import select, text

from hiiki.contacts.erasure import BY_HAND
from hiiki.contacts.models import (
    Contact,
    ContactAttribute,
    ContactTag,
    Tag,
)
from hiiki.contacts.noting import PROFILE, among
from hiiki.contacts.values import column_of
from hiiki.db import WorkspaceSession
from hiiki.db.copying import copy_columns, unchecked, uuids
from hiiki.db.locking import lockable
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import _

State: TypeAlias = dict[str, Any]

_VALUES = ("text", "number", "day", "choice", "choices")


@dataclass(slots=True)
class Change:
    """What changes of one contact."""

    contact_id: UUID
    is_new: bool
    before: State
    after: State


def plain(value: Any) -> Any:
    """Return a stored value as JSON writes it, equal values alike."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value


async def read(
    session: WorkspaceSession,
    contact_ids: Collection[UUID],
    names: Iterable[str],
    tag_ids: Collection[UUID] = (),
) -> dict[UUID, State]:
    """Return of these contacts the named values and tags; locks the contacts until the end."""
    if not contact_ids:
        return {}
    # In the order of their ids, as all who change many do, or two would wait for each other.
    states: dict[UUID, State] = {}
    for part in await lockable(session, contact_ids):
        rows = await session.execute(
            select(Contact.id, *(getattr(Contact, name) for name in PROFILE))
            .where(among(Contact.id, part))
            .order_by(Contact.id)
            .with_for_update(key_share=True)
        )
        for row in rows:
            profile = zip(PROFILE, row[1:], strict=True)
            states[row[0]] = {name: plain(value) for name, value in profile}
    attribute_ids = [ident_of(name) for name in names if name.startswith("attribute:")]
    if attribute_ids:
        values = await session.execute(
            select(
                ContactAttribute.contact_id,
                ContactAttribute.attribute_id,
                *(getattr(ContactAttribute, name) for name in _VALUES),
            ).where(
                among(ContactAttribute.contact_id, contact_ids),
                among(ContactAttribute.attribute_id, attribute_ids),
            )
        )
        for contact_id, attribute_id, *stored in values:
            filled = {
                name: plain(value)
                for name, value in zip(_VALUES, stored, strict=True)
                if value is not None
            }
            states[contact_id][f"attribute:{attribute_id}"] = filled or None
    if tag_ids:
        tagged = await session.execute(
            select(ContactTag.contact_id, ContactTag.tag_id).where(
                among(ContactTag.contact_id, contact_ids), among(ContactTag.tag_id, tag_ids)
            )
        )
        for contact_id, tag_id in tagged:
            states[contact_id][f"tag:{tag_id}"] = True
    return states


def ident_of(name: str) -> UUID:
    return UUID(name.partition(":")[2])


async def tags_named(
    session: WorkspaceSession, names: Collection[str], *, make: bool
) -> dict[str, UUID]:
    """Return the tags of these names; with `make`, those that are missing are made."""
    if not names:
        return {}
    query = select(Tag.name, Tag.id).where(among(Tag.name, names))
    found = {row[0]: row[1] for row in await session.execute(query)}
    missing = sorted(set(names) - found.keys())
    if missing and make:
        session.add_all([Tag(name=name, workspace_id=session.workspace_id) for name in missing])
        await session.flush()
        found = {row[0]: row[1] for row in await session.execute(query)}
    return found


_PROFILES = text(
    """
    update contacts.contact as c
    set real_name = v.real_name, email = v.email, phone = v.phone, prefecture = v.prefecture,
        birthday = v.birthday, is_purchaser = v.is_purchaser, updated_at = :moment
    from json_to_recordset(cast(:rows as json)) as v(
        id uuid, real_name text, email text, phone text, prefecture text, birthday date,
        is_purchaser bool
    )
    where c.id = v.id and c.workspace_id = :workspace_id
    """
)
_ATTRIBUTES = text(
    """
    insert into contacts.contact_attribute as a
        (workspace_id, contact_id, attribute_id, text, number, day, choice, choices, at)
    select :workspace_id, v.contact_id, v.attribute_id, v.text, v.number, v.day, v.choice,
        v.choices, :moment
    from json_to_recordset(cast(:rows as json)) as v(
        contact_id uuid, attribute_id uuid, text text, number numeric, day date, choice text,
        choices text[]
    )
    where exists (
        select from contacts.attribute t
        where t.id = v.attribute_id and t.workspace_id = :workspace_id
    )
    on conflict (contact_id, attribute_id) do update
    set text = excluded.text, number = excluded.number, day = excluded.day,
        choice = excluded.choice, choices = excluded.choices, at = excluded.at
    """
)
_NO_ATTRIBUTES = text(
    """
    delete from contacts.contact_attribute a
    using json_to_recordset(cast(:rows as json)) as v(contact_id uuid, attribute_id uuid)
    where a.contact_id = v.contact_id and a.attribute_id = v.attribute_id
        and a.workspace_id = :workspace_id
    """
)
_TAGS = text(
    """
    insert into contacts.contact_tag (workspace_id, contact_id, tag_id, at)
    select :workspace_id, v.contact_id, v.tag_id, :moment
    from json_to_recordset(cast(:rows as json)) as v(contact_id uuid, tag_id uuid)
    where exists (
        select from contacts.tag t where t.id = v.tag_id and t.workspace_id = :workspace_id
    )
    on conflict do nothing
    """
)
_NO_TAGS = text(
    """
    delete from contacts.contact_tag a
    using json_to_recordset(cast(:rows as json)) as v(contact_id uuid, tag_id uuid)
    where a.contact_id = v.contact_id and a.tag_id = v.tag_id and a.workspace_id = :workspace_id
    """
)


async def write(session: WorkspaceSession, changes: Sequence[Change]) -> None:
    """Write what changes of contacts that `read` has locked."""
    await _write_profiles(session, changes)
    for prefix, put, take in (
        ("attribute:", _ATTRIBUTES, _NO_ATTRIBUTES),
        ("tag:", _TAGS, _NO_TAGS),
    ):
        key = f"{prefix[:-1]}_id"
        given: list[dict[str, Any]] = []
        taken: list[dict[str, Any]] = []
        for change in changes:
            for name, value in change.after.items():
                if name.startswith(prefix):
                    row = {"contact_id": str(change.contact_id), key: name[len(prefix) :]}
                    if isinstance(value, dict):
                        row |= cast("dict[str, Any]", value)
                    (given if value else taken).append(row)
        for statement, rows in ((put, given), (take, taken)):
            if rows:
                await _run(session, statement, rows)


# What is locked so is neither deleted nor, an attribute, made another kind of (`contacts.kinds`).
_THERE = {
    "attribute:": text(
        "select id, kind from contacts.attribute where workspace_id = :workspace_id"
        " and id = any(cast(:ids as uuid[])) order by id for share"
    ),
    "tag:": text(
        "select id, 'tag' as kind from contacts.tag where workspace_id = :workspace_id"
        " and id = any(cast(:ids as uuid[])) order by id for key share"
    ),
}


async def begin(session: WorkspaceSession, people: Mapping[UUID, State]) -> None:
    """Write the attributes and tags of people whom this transaction has made.

    Raises `Conflict` when an attribute has become one of another kind than its values are of.
    """
    at = now()
    given: dict[str, list[tuple[UUID, UUID, Any]]] = {"attribute:": [], "tag:": []}
    for prefix, rows in given.items():
        some = {
            name: value
            for state in people.values()
            for name, value in state.items()
            if value and name.startswith(prefix)
        }
        there = await _there(session, prefix, some)
        rows += [
            (contact_id, there[name], value)
            for contact_id, state in people.items()
            for name, value in state.items()
            if value and name in there
        ]
    fixed = {"workspace_id": session.workspace_id, "at": at}
    async with unchecked(session):
        for prefix, model in (("attribute:", ContactAttribute), ("tag:", ContactTag)):
            rows = given[prefix]
            columns: dict[str, Any] = {
                "contact_id": [row[0] for row in rows],
                f"{prefix[:-1]}_id": [row[1] for row in rows],
            }
            if prefix == "attribute:":
                columns |= {name: [row[2].get(name) for row in rows] for name in _VALUES}
            await copy_columns(session, model, len(rows), fixed | columns)


async def _there(session: WorkspaceSession, prefix: str, some: State) -> dict[str, UUID]:
    """Return which of these attributes or tags are there, and keep them so until the end."""
    if not some:
        return {}
    found = await session.execute(
        _THERE[prefix],
        {"workspace_id": session.workspace_id, "ids": uuids(map(ident_of, some))},
        execution_options=BY_HAND,
    )
    there: dict[str, UUID] = {}
    for ident, kind in found.all():
        name = f"{prefix}{ident}"
        if kind != "tag" and column_of(kind) not in some[name]:
            raise Conflict(_("A field that the file fills was changed meanwhile. Please go on."))
        there[name] = ident
    return there


async def _write_profiles(session: WorkspaceSession, changes: Sequence[Change]) -> None:
    wanted = {
        change.contact_id: {name: change.after[name] for name in PROFILE if name in change.after}
        for change in changes
    }
    wanted = {ident: values for ident, values in wanted.items() if values}
    if not wanted:
        return
    states = await read(session, list(wanted), ())
    rows = [
        {"id": str(ident), **{name: states[ident][name] for name in PROFILE}, **values}
        for ident, values in wanted.items()
        if ident in states
    ]
    for row in rows:
        row["is_purchaser"] = bool(row["is_purchaser"])
    await _run(session, _PROFILES, rows)


async def _run(session: WorkspaceSession, statement: Any, rows: Sequence[Any]) -> None:
    values: dict[str, Any] = {"rows": json.dumps(rows), "workspace_id": session.workspace_id}
    if ":moment" in statement.text:
        values["moment"] = now()
    await session.execute(statement, values, execution_options=BY_HAND)
