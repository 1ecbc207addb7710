"""What rooms work out about each contact (`hiiki.kit.road.Field`), read for a page of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.road import Field, road

SORTED = ("number", "money", "share", "day", "moment")
"""The kinds of fields by which a list can be put in order."""


def all_fields() -> list[Field]:
    """Return the fields of all rooms, in the order of the rooms."""
    return list(road().fields.values())


async def values(
    session: WorkspaceSession, contact_ids: Sequence[UUID], fields: Sequence[Field]
) -> dict[UUID, dict[str, Any]]:
    """Return the values of these fields, by contact and field name; one query for each table.

    Who has no row has what holds for people without one; what is not known is None.
    """
    nothing = {field.name: field.nothing for field in fields}
    found = {ident: dict(nothing) for ident in contact_ids}
    by_table: dict[Any, list[Field]] = {}
    for field in fields:
        by_table.setdefault(field.column.class_, []).append(field)
    for model, of_table in by_table.items():
        rows = await session.execute(
            select(model.contact_id, *(field.column for field in of_table)).where(
                model.contact_id.in_(contact_ids)
            )
        )
        for ident, *read in rows.all():
            for field, value in zip(of_table, read, strict=True):
                if value is not None:
                    found[ident][field.name] = value
    return found


def worded(field: Field, value: Any) -> Any:
    """Return a choice's value as staff read it; any other as it is."""
    if field.kind == "choice":
        return next((label for name, label in field.choices if name == value), value)
    return value
