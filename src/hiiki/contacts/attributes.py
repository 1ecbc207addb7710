"""The shop's own fields on its contacts (友だち情報): making, changing and deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Text as SqlText
from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from hiiki.contacts.models import Attribute, BulkEdit, ContactAttribute
from hiiki.contacts.schemas import AttributeEdit, AttributeIn
from hiiki.contacts.values import Parsed, parse_value, stored
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import Usage, road

ATTRIBUTES_LIMIT = 200

KIND_LABELS: Mapping[str, Text] = {
    "text": _("Text"),
    "number": _("Number"),
    "date": _("Date"),
    "choice": _("One choice"),
    "choices": _("Several choices"),
}


async def all_attributes(session: WorkspaceSession) -> list[Attribute]:
    """Return the workspace's attributes in the shop's order."""
    return list(
        await session.scalars(
            select(Attribute).order_by(Attribute.position, Attribute.label, Attribute.id)
        )
    )


async def values_of(session: WorkspaceSession, contact_id: UUID) -> dict[UUID, Parsed]:
    """Return a contact's values by the attribute's id."""
    rows = await session.scalars(
        select(ContactAttribute).where(ContactAttribute.contact_id == contact_id)
    )
    found = {row.attribute_id: stored(row) for row in rows}
    return {ident: value for ident, value in found.items() if value is not None}


async def counts(session: WorkspaceSession) -> dict[UUID, int]:
    """Return how many contacts have a value of each attribute."""
    rows = await session.execute(
        select(ContactAttribute.attribute_id, func.count()).group_by(ContactAttribute.attribute_id)
    )
    return {row[0]: row[1] for row in rows}


async def create_attribute(session: WorkspaceSession, typed: AttributeIn) -> Attribute:
    """Make an attribute behind the others; raises `Invalid` when its key is taken."""
    if await session.scalar(select(Attribute.id).where(Attribute.key == typed.key)):
        raise Invalid(fields={"key": _("There is an attribute of this key already.")})
    check_choices(typed.kind, typed.choices)
    others = await all_attributes(session)
    if len(others) >= ATTRIBUTES_LIMIT:
        raise Conflict(
            _("There are %(n)s attributes already; please delete some.", n=ATTRIBUTES_LIMIT)
        )
    attribute = Attribute(
        key=typed.key,
        label=typed.label,
        kind=typed.kind,
        choices=list(typed.choices),
        position=max((each.position + 1 for each in others), default=0),
    )
    _set_form(attribute, typed)
    session.add(attribute)
    await session.flush()
    return attribute


async def update_attribute(
    session: WorkspaceSession, attribute: Attribute, typed: AttributeEdit
) -> None:
    """Change label and choices.

    A choice that friends have is taken away only with `clear_removed`, which takes it off
    them as well; otherwise raises `Invalid` that says how many they are.
    """
    await refuse_while_changing(session, attribute.id)
    has_choices = attribute.kind in ("choice", "choices")
    check_choices(attribute.kind, typed.choices)
    removed = [each for each in attribute.choices if each not in typed.choices]
    if has_choices and removed:
        in_use = await choice_counts(session, attribute, removed)
        if in_use and not typed.clear_removed:
            raise Invalid(fields={"choices": _in_use(in_use)})
        if in_use:
            await _take_off(session, attribute, list(in_use))
    attribute.label = typed.label
    if has_choices:
        attribute.choices = list(typed.choices)
    _set_form(attribute, typed)
    await session.flush()


async def changing(session: WorkspaceSession, attribute_id: UUID) -> BulkEdit | None:
    """Return the change of an attribute's kind that has not ended yet (`hiiki.contacts.kinds`)."""
    return await session.scalar(
        select(BulkEdit)
        .where(
            BulkEdit.attribute_id == attribute_id,
            BulkEdit.verb == "convert",
            BulkEdit.state.in_(("waiting", "running")),
        )
        .limit(1)
    )


async def refuse_while_changing(session: WorkspaceSession, attribute_id: UUID) -> None:
    """Raise `Conflict` while an attribute's kind is being changed."""
    if await changing(session, attribute_id):
        raise Conflict(_("The kind of this attribute is being changed. Please wait a moment."))


async def choice_counts(
    session: WorkspaceSession, attribute: Attribute, choices: list[str]
) -> dict[str, int]:
    """Return how many contacts have each of these choices, without those nobody has."""
    if attribute.kind == "choice":
        chosen: Any = ContactAttribute.choice
        of = select(chosen).where(ContactAttribute.choice.in_(choices))
    else:
        chosen = func.unnest(ContactAttribute.choices)
        of = select(chosen.label("choice")).where(
            ContactAttribute.choices.overlap(literal(choices, ARRAY(SqlText)))
        )
    each = of.where(ContactAttribute.attribute_id == attribute.id).subquery()
    column = each.c[0]
    rows = await session.execute(
        select(column, func.count()).where(column.in_(choices)).group_by(column)
    )
    return {row[0]: row[1] for row in rows}


async def reorder(session: WorkspaceSession, ids: list[UUID]) -> None:
    """Put the attributes into this order; those that are not named follow."""
    rank = {ident: at for at, ident in enumerate(ids)}
    for at, attribute in enumerate(
        sorted(await all_attributes(session), key=lambda each: rank.get(each.id, len(rank)))
    ):
        attribute.position = at
    await session.flush()


async def usages_of_attribute(session: WorkspaceSession, attribute: Attribute) -> list[Usage]:
    """Return what uses the attribute: surveys, segments, actions, …; not who has a value."""
    return await road().usages(session, "attribute", attribute.id)


async def delete_attribute(session: WorkspaceSession, attribute: Attribute) -> None:
    """Delete an attribute with everybody's values; raises `Conflict` while something uses it."""
    if used := await usages_of_attribute(session, attribute):
        raise Conflict(
            _(
                "The attribute “%(name)s” is in use: %(where)s",
                name=attribute.label,
                where=", ".join(usage.label for usage in used),
            )
        )
    await session.delete(attribute)
    await session.flush()


def _set_form(attribute: Attribute, typed: AttributeEdit) -> None:
    try:
        parse_value(attribute, typed.initial)
    except Invalid as error:
        raise Invalid(fields={"initial": error.fields["value"]}) from error
    attribute.initial = typed.initial
    attribute.unit = typed.unit if attribute.kind == "number" else ""


def check_choices(kind: str, choices: list[str]) -> None:
    """Raise `Invalid` for a kind that needs choices and has none."""
    if kind in ("choice", "choices") and not choices:
        raise Invalid(fields={"choices": _("Please give at least one choice.")})


def _in_use(counts: dict[str, int]) -> Text:
    return _(
        "Friends have this choice: %(choices)s. Tick the box below to take it off them.",
        choices=", ".join(f"{choice} ({number})" for choice, number in counts.items()),
    )


async def _take_off(session: WorkspaceSession, attribute: Attribute, choices: list[str]) -> None:
    mine = ContactAttribute.attribute_id == attribute.id
    if attribute.kind == "choice":
        await session.execute(
            delete(ContactAttribute).where(mine, ContactAttribute.choice.in_(choices))
        )
        return
    for choice in choices:
        await session.execute(
            update(ContactAttribute)
            .where(mine, ContactAttribute.choices.contains(literal([choice], ARRAY(SqlText))))
            .values(choices=func.array_remove(ContactAttribute.choices, choice)),
            execution_options={"synchronize_session": False},
        )
    await session.execute(
        delete(ContactAttribute).where(mine, func.cardinality(ContactAttribute.choices) == 0)
    )
