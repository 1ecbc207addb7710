"""What personal messages are filled in with, asked of the database for any number of people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, Text, and_, case, func, literal, null, select
from sqlalchemy import cast as sql_cast

from hiiki.contacts.models import Attribute, Contact, ContactAttribute

Values = Mapping[str, Any]

_FIELDS = {
    "name": func.coalesce(func.nullif(Contact.real_name, ""), Contact.display_name),
    "display_name": Contact.display_name,
    "prefecture": func.coalesce(Contact.prefecture, ""),
}


def stored_values(names: Collection[str], keys: Collection[str]) -> Select[UUID, Any]:
    """Return contact id and values, as JSON, of these fields and attributes.

    It selects everybody of every workspace: whoever runs it narrows it down.
    """
    parts: list[Any] = []
    for name in sorted(set(names) & set(_FIELDS)):
        parts += [literal(name, Text), _FIELDS[name]]
    found: Any = Contact.__table__
    attributes: list[Any] = []
    for key in sorted(keys):
        # The table and not the class: the gate would ask after it in WHERE, and so lose
        # whoever has no value.
        value = cast("Table", ContactAttribute.__table__).alias().c
        which = (
            select(Attribute.id)
            .where(Attribute.key == key, Attribute.workspace_id == Contact.workspace_id)
            .scalar_subquery()
        )
        found = found.outerjoin(
            value.contact_id.table,
            and_(
                value.contact_id == Contact.id,
                value.workspace_id == Contact.workspace_id,
                value.attribute_id == which,
            ),
        )
        columns = {
            "text": value.text,
            "number": sql_cast(value.number, Text),
            "day": sql_cast(value.day, Text),
            "choice": value.choice,
            "choices": value.choices,
        }
        pairs = [part for name, column in columns.items() for part in (literal(name, Text), column)]
        stored = func.jsonb_strip_nulls(func.jsonb_build_object(*pairs))
        attributes += [
            literal(key, Text),
            case((value.contact_id.is_not(None), stored), else_=null()),
        ]
    if attributes:
        parts += [literal("attributes", Text), func.jsonb_build_object(*attributes)]
    return select(Contact.id, func.jsonb_build_object(*parts)).select_from(found)


def readable(stored: Values) -> dict[str, Any]:
    """Return values as a template takes them: attributes as text or numbers."""
    attributes: Mapping[str, Any] = stored.get("attributes") or {}
    shown = {key: _shown(value) for key, value in attributes.items() if value is not None}
    return {**stored, "attributes": shown}


def _shown(value: Mapping[str, Any]) -> Any:
    if "number" in value:
        number = Decimal(value["number"])
        whole = number.to_integral_value()
        return int(whole) if whole == number else number.normalize()
    if "choices" in value:
        return "、".join(value["choices"])
    return value.get("text") or value.get("choice") or value.get("day") or ""
