"""People can leave: all that is kept of a contact, to be taken along or to be deleted.

Whatever table has a `contact_id` is part of it without anybody listing it here; what a
room keeps elsewhere it hands over through `Room.erase`.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.attributes import all_attributes, values_of
from hiiki.contacts.identities import keys_of
from hiiki.contacts.models import BulkEdit, Contact, ContactTag, Double, ErasedKey, Friendship, Tag
from hiiki.contacts.naming import forget_in_filters
from hiiki.contacts.noting import digests
from hiiki.contacts.turns import hold_turns, take_people
from hiiki.contacts.values import jsonable
from hiiki.db import Base, WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.road import road

BY_HAND = {"scoped_by_hand": True}


def tables_about_contacts() -> list[Table]:
    """Return every table whose rows belong to one contact, the dependent ones first."""
    return [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if "contact_id" in table.c and "workspace_id" in table.c
    ]


async def erase(session: WorkspaceSession, contact: Contact) -> None:
    """Delete a contact with everything that is kept of them, in this transaction.

    When they write to the account again, they come back as somebody new; so they do when the
    shop's systems name them again, but not by a file that is imported (`identities.resolve`).
    """
    # An event that is handled meanwhile would leave on the timeline what nobody finds any more,
    # until the same person, whose id is derived, comes back as somebody new.
    await hold_turns(session, contact.id)
    await take_people(session, [contact.id])
    await _remember_keys(session, contact.id)
    await forget_in_filters(session, contact.id)
    await road().erase(session, contact.id)
    await session.flush()
    for table in tables_about_contacts():
        await session.execute(
            delete(table).where(
                table.c.contact_id == contact.id, table.c.workspace_id == session.workspace_id
            ),
            execution_options=BY_HAND,
        )
    for statement in (
        delete(Double).where(Double.other_id == contact.id),
        update(BulkEdit)
        .where(BulkEdit.contact_ids.contains([contact.id]))
        .values(contact_ids=func.array_remove(BulkEdit.contact_ids, contact.id)),
    ):
        await session.execute(statement, execution_options={"synchronize_session": False})
    await session.delete(contact)
    await session.flush()


async def _remember_keys(session: WorkspaceSession, contact_id: UUID) -> None:
    """Keep of who is erased what recognises their keys in an old file, and tells no more."""
    keys = {(each.kind, each.key) for each in await keys_of(session, contact_id)}
    accounts = await session.scalars(
        select(Friendship.line_user_id).where(Friendship.contact_id == contact_id)
    )
    keys |= {("line", each) for each in accounts}
    if keys:
        fixed = {"kinds": sorted({kind for kind, _key in keys}), "at": now()}
        rows = [
            {"workspace_id": session.workspace_id, "digest": each, **fixed}
            for each in digests(session.workspace_id, keys)
        ]
        again = insert(ErasedKey).values(rows)
        await session.execute(
            again.on_conflict_do_update(
                index_elements=["workspace_id", "digest"],
                set_={"kinds": again.excluded.kinds, "at": again.excluded.at},
            ),
            execution_options=BY_HAND,
        )


async def export(session: WorkspaceSession, contact: Contact) -> dict[str, Any]:
    """Return all that is kept of a contact, as JSON takes it.

    `tags` and `attributes` are there to be read; `records` is every row as it is stored,
    by its table.
    """
    tags = await session.scalars(
        select(Tag.name)
        .join(ContactTag, ContactTag.tag_id == Tag.id)
        .where(ContactTag.contact_id == contact.id)
        .order_by(Tag.name)
    )
    values = await values_of(session, contact.id)
    records: dict[str, list[dict[str, Any]]] = {}
    for table in reversed(tables_about_contacts()):
        order = [column for column in (table.c.get("at"), *table.primary_key) if column is not None]
        rows = await session.execute(
            select(table)
            .where(table.c.contact_id == contact.id, table.c.workspace_id == session.workspace_id)
            .order_by(*order),
            execution_options=BY_HAND,
        )
        found = [
            {
                name: _plain(value)
                for name, value in row.items()
                if name not in ("workspace_id", "contact_id")
            }
            for row in rows.mappings()
        ]
        if found:
            records[table.fullname] = found
    columns = Contact.__table__.c.keys()
    return {
        "exported_at": now().isoformat(),
        "contact": {
            name: _plain(getattr(contact, name)) for name in columns if name != "workspace_id"
        },
        "tags": list(tags),
        "attributes": {
            attribute.key: {
                "label": attribute.label,
                "value": jsonable(values[attribute.id]),
            }
            for attribute in await all_attributes(session)
            if attribute.id in values
        },
        "records": records,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return jsonable(value)
    return value
