"""What imports changed of people, remembered beside each of them and taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import Table, delete, select, text

from hiiki.contacts.erasure import BY_HAND, tables_about_contacts
from hiiki.contacts.identities import among
from hiiki.contacts.keys import Key
from hiiki.contacts.models import (
    Contact,
    ContactAttribute,
    ContactTag,
    Double,
    Identity,
    Imported,
)
from hiiki.contacts.states import Change, State, ident_of, read, write
from hiiki.contacts.turns import take_people
from hiiki.db import WorkspaceSession
from hiiki.db.copying import copy_columns
from hiiki.kit.importable import Undone

KEY = "identity:"
"""In what an import remembers: `identity:<kind>:<key>`, by which it named somebody."""

_REMEMBER = text(
    """
    insert into contacts.imported as i
        (workspace_id, contact_id, import_id, is_new, before, after)
    select :workspace_id, v.contact_id, :import_id, v.is_new, v.before, v.after
    from json_to_recordset(cast(:rows as json)) as v(
        contact_id uuid, is_new bool, before jsonb, after jsonb
    )
    on conflict (contact_id, import_id) do update
    set before = excluded.before || i.before, after = i.after || excluded.after
    """
)


def named(keys: Iterable[Key]) -> State:
    """Return keys by which an import named somebody, as it remembers them."""
    return {f"{KEY}{kind}:{key}": True for kind, key in keys}


async def begin(session: WorkspaceSession, import_id: UUID, people: Mapping[UUID, State]) -> None:
    """Keep of whom an import has just made what it said of them."""
    columns: dict[str, Any] = {
        "workspace_id": session.workspace_id,
        "contact_id": list(people),
        "import_id": import_id,
        "is_new": True,
        "before": {},
        "after": list(people.values()),
    }
    await copy_columns(session, Imported, len(people), columns)


async def remember(session: WorkspaceSession, import_id: UUID, changes: Sequence[Change]) -> None:
    """Keep what an import has changed. What it changed first is what it is taken back to."""
    rows = [
        {
            "contact_id": change.contact_id,
            "is_new": change.is_new,
            "before": change.before,
            "after": change.after,
        }
        for change in changes
    ]
    await session.execute(
        _REMEMBER,
        {
            "workspace_id": session.workspace_id,
            "import_id": import_id,
            "rows": orjson.dumps(rows).decode(),
        },
        execution_options=BY_HAND,
    )


async def undo(session: WorkspaceSession, import_id: UUID, most: int) -> Undone:
    """Take back what an import changed of up to `most` contacts, and forget that it did.

    What somebody has changed since stays, and so does who was made by it and is used since.
    """
    rows = list(
        await session.scalars(
            select(Imported)
            .where(Imported.import_id == import_id)
            .order_by(Imported.contact_id)
            .limit(most)
        )
    )
    if not rows:
        return Undone()
    ids = [row.contact_id for row in rows]
    # Nobody is to find a person who is just being taken away.
    await take_people(session, ids)
    new = [row.contact_id for row in rows if row.is_new]
    names = {name for row in rows for name in row.after} | await _all_names(session, new)
    tag_ids = [ident_of(name) for name in names if name.startswith("tag:")]
    states = await read(session, ids, names, tag_ids)
    used = await _used(session, new)
    keys = await _keys_of(session, new)
    changes: list[Change] = []
    gone: list[UUID] = []
    kept = 0
    for row in rows:
        state = states.get(row.contact_id)
        if state is None:
            continue  # erased since
        after = {name: value for name, value in row.after.items() if not name.startswith(KEY)}
        stands = {name for name, value in after.items() if state.get(name) != value}
        if row.is_new and row.contact_id not in used:
            more = any(value and name not in after for name, value in state.items())
            if not stands and not more and keys.get(row.contact_id, set()) <= row.after.keys():
                gone.append(row.contact_id)
                continue
        kept += bool(stands) or row.is_new
        back = {name: row.before.get(name) for name in after if name not in stands}
        if back and not row.is_new:
            changes.append(Change(row.contact_id, False, {}, back))
    await write(session, changes)
    await _drop(session, gone)
    await session.execute(
        delete(Imported).where(Imported.import_id == import_id, among(Imported.contact_id, ids)),
        execution_options={"synchronize_session": False},
    )
    return Undone(undone=len(rows) - kept, kept=kept)


_OWN = tuple(
    cast("Table[Any]", each.__table__)
    for each in (Identity, Imported, ContactTag, ContactAttribute)
)
"""What comes with a contact who was imported, and is no use of them."""


def _kept_anew() -> list[Table]:
    """Return the tables that hold of people only what follows from others (`WORKED_OUT`)."""
    return [each for each in tables_about_contacts() if each.info.get("worked_out")]


async def _all_names(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> set[str]:
    """Return the names of all attributes and tags that these contacts have."""
    found: set[str] = set()
    for prefix, column, whose in (
        ("attribute:", ContactAttribute.attribute_id, ContactAttribute.contact_id),
        ("tag:", ContactTag.tag_id, ContactTag.contact_id),
    ):
        if contact_ids:
            rows = await session.scalars(select(column).where(among(whose, contact_ids)).distinct())
            found.update(f"{prefix}{ident}" for ident in rows)
    return found


async def _keys_of(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = {}
    if contact_ids:
        rows = await session.execute(
            select(Identity.contact_id, Identity.kind, Identity.key).where(
                among(Identity.contact_id, contact_ids)
            )
        )
        for ident, kind, key in rows.all():
            found.setdefault(ident, set()).add(f"{KEY}{kind}:{key}")
    return found


async def _used(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these contacts something else is known of."""
    found: set[UUID] = set()
    anew = _kept_anew()
    others = [each for each in tables_about_contacts() if each not in _OWN and each not in anew]
    for table in others if contact_ids else ():
        rows = await session.execute(
            select(table.c.contact_id).where(
                table.c.workspace_id == session.workspace_id, table.c.contact_id.in_(contact_ids)
            ),
            execution_options=BY_HAND,
        )
        found.update(row[0] for row in rows)
    again = await session.scalars(
        select(Imported.contact_id)
        .where(among(Imported.contact_id, contact_ids))
        .group_by(Imported.contact_id)
        .having(text("count(*) > 1"))
    )
    return found | set(again)


async def _drop(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> None:
    if not contact_ids:
        return
    for table in (*_OWN, *_kept_anew()):
        await session.execute(
            delete(table).where(
                table.c.workspace_id == session.workspace_id, table.c.contact_id.in_(contact_ids)
            ),
            execution_options=BY_HAND,
        )
    for statement in (
        delete(Double).where(among(Double.other_id, contact_ids)),
        delete(Contact).where(among(Contact.id, contact_ids)),
    ):
        await session.execute(
            statement,
            execution_options={"synchronize_session": False},
        )
