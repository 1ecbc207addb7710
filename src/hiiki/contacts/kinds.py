"""Changing the kind of a field of the shop's own: text that has always been a number, and the like.

Every value is read as if somebody typed it for the new kind (`values.parse_value`). What cannot be
read is lost; so staff see beforehand how many these are and which, and say that they know. The
change is done by a job in one transaction: nobody ever sees half of it, and no segment counts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import InstrumentedAttribute

from hiiki.contacts.attributes import check_choices, refuse_while_changing
from hiiki.contacts.models import Attribute, BulkEdit, Contact, ContactAttribute
from hiiki.contacts.schemas import CHOICES_LIMIT, KindIn
from hiiki.contacts.values import Parsed, blank_columns, column_of, parse_value, shown
from hiiki.db import WorkspaceSession, scope
from hiiki.db.copying import plain, uuids, words
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import Usage, road
from hiiki.workspace.access import Access, audit

SLICE = 20_000
"""Values that are read and written by one statement."""
PART = 2_000
"""Values after which others of this process have their turn."""
EXAMPLES = 10
JOB = "contacts:change_kind"
BY_HAND = {"scoped_by_hand": True}


@dataclass(slots=True)
class Outlook:
    """What a change of kind would do to the values that there are."""

    people: int = 0
    """For how many something is known."""
    lost: int = 0
    """For how many of them it cannot be read as the new kind."""
    examples: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """Of those values the most frequent, and how many people have each."""


async def in_the_way(session: WorkspaceSession, attribute: Attribute, wish: KindIn) -> list[Usage]:
    """Return what would make no sense any more if the attribute were of that kind."""
    return await road().hindrances(session, attribute.id, wish.kind, wish.choices)


async def outlook(session: WorkspaceSession, attribute: Attribute, wish: KindIn) -> Outlook:
    """Return what would become of the values; raises `Invalid` for a wish that cannot be."""
    target = _target(attribute, wish)
    found = Outlook()
    column = _column(attribute)
    number = func.count()
    query = (
        select(column, number)
        .where(ContactAttribute.attribute_id == attribute.id, column.is_not(None))
        .group_by(column)
        .order_by(number.desc(), column)
    )
    rows = await session.stream(query.execution_options(yield_per=PART))
    async for part in rows.partitions():
        for value, people in part:
            found.people += people
            if _read(target, value) is None:
                found.lost += people
                if len(found.examples) < EXAMPLES:
                    found.examples.append((shown(value), people))
        await asyncio.sleep(0)
    return found


async def lost_values(
    session: WorkspaceSession, attribute: Attribute, wish: KindIn
) -> AsyncIterator[tuple[UUID, str, str]]:
    """Yield each contact whose value would be lost: the id, the name, the value."""
    target = _target(attribute, wish)
    column = _column(attribute)
    query = (
        select(Contact.id, func.coalesce(Contact.real_name, Contact.display_name), column)
        .join(ContactAttribute, ContactAttribute.contact_id == Contact.id)
        .where(ContactAttribute.attribute_id == attribute.id, column.is_not(None))
        .order_by(Contact.id)
    )
    rows = await session.stream(query.execution_options(yield_per=PART))
    async for part in rows.partitions():
        for contact_id, name, value in part:
            if _read(target, value) is None:
                yield contact_id, name, shown(value)
        await asyncio.sleep(0)


async def common_values(session: WorkspaceSession, attribute: Attribute) -> list[str]:
    """Return the values that there are, the most frequent first: what could be chosen from."""
    column = _column(attribute)
    if attribute.kind in ("choice", "choices"):
        return [str(each) for each in attribute.choices]
    rows = await session.scalars(
        select(column)
        .where(ContactAttribute.attribute_id == attribute.id, column.is_not(None))
        .group_by(column)
        .order_by(func.count().desc(), column)
        .limit(CHOICES_LIMIT)
    )
    return [shown(value) for value in rows]


async def start(
    session: WorkspaceSession, access: Access, attribute: Attribute, wish: KindIn
) -> BulkEdit:
    """Have the kind changed.

    Raises `Invalid` when the wish cannot be, or when more would be lost than `wish.lose` says;
    `Conflict` while something needs the attribute as it is.
    """
    await session.refresh(attribute, with_for_update={"key_share": True})
    _refuse_if_used(await in_the_way(session, attribute, wish))
    await refuse_while_changing(session, attribute.id)
    lost = (await outlook(session, attribute, wish)).lost
    if lost > wish.lose:
        raise Invalid(
            fields={
                "lose": _(
                    "%(n)s values cannot be kept. Please look at them first, and confirm.", n=lost
                )
            }
        )
    edit = BulkEdit(
        verb="convert",
        attribute_id=attribute.id,
        value="\n".join([wish.kind, *wish.choices]),
        actor_name=access.actor_name,
    )
    session.add(edit)
    await session.flush()
    audit(
        session,
        access,
        "attributes.convert",
        attribute.id,
        key=attribute.key,
        was=attribute.kind,
        kind=wish.kind,
    )
    arguments = {"workspace_id": str(edit.workspace_id), "edit_id": str(edit.id)}
    await enqueue(session, JOB, arguments)
    return edit


async def run(workspace_id: UUID, edit_id: UUID) -> None:
    """Change the kind and all values, and say meanwhile how far it is."""
    async with scope(workspace_id) as session:
        edit = await session.get(BulkEdit, edit_id, with_for_update=True)
        if edit is None or edit.state not in ("waiting", "running"):
            return
        edit.state, edit.total = "running", await _count(session, edit)
    async with scope(workspace_id) as session:
        await _convert(session, edit_id)
    # What somebody wrote in the same moment was read for the old kind; nothing locks them out.
    async with scope(workspace_id) as session:
        edit = await session.one(BulkEdit, edit_id)
        attribute = await session.one(Attribute, edit.attribute_id)
        await _values(session, attribute, edit)


async def _count(session: WorkspaceSession, edit: BulkEdit) -> int:
    mine = ContactAttribute.attribute_id == edit.attribute_id
    return await session.scalar(select(func.count()).where(mine)) or 0


async def _convert(session: WorkspaceSession, edit_id: UUID) -> None:
    edit = await session.one(BulkEdit, edit_id)
    attribute = await session.one(Attribute, edit.attribute_id)
    await session.refresh(attribute, with_for_update={"key_share": True})
    wish = wish_of(edit)
    _refuse_if_used(await in_the_way(session, attribute, wish))
    attribute.kind, attribute.choices = wish.kind, list(wish.choices)
    attribute.unit = attribute.unit if wish.kind == "number" else ""
    attribute.initial = attribute.initial if _fits(attribute, attribute.initial) else ""
    changed = await _values(session, attribute, edit, telling=True)
    # What changes of many kept of before is of the old kind: it cannot come back.
    await session.execute(
        update(BulkEdit)
        .where(BulkEdit.attribute_id == attribute.id, BulkEdit.verb != "convert")
        .values(at=None)
    )
    await session.refresh(edit, with_for_update=True)
    edit.state, edit.changed = "done", changed
    edit.done = edit.total or 0


def wish_of(edit: BulkEdit) -> KindIn:
    """Return the kind, with its choices, that a change of kind leads to."""
    kind, *choices = edit.value.split("\n")
    return KindIn.model_validate({"kind": kind, "choices": choices})


async def _values(
    session: WorkspaceSession, attribute: Attribute, edit: BulkEdit, *, telling: bool = False
) -> int:
    """Bring every value that stands elsewhere into the kind's column; returns how many could be."""
    kept = seen = 0
    after = UUID(int=0)
    moment = now()
    column = getattr(ContactAttribute, column_of(attribute.kind))
    stored = [getattr(ContactAttribute, name) for name in blank_columns()]
    query = (
        select(ContactAttribute.contact_id, *stored)
        .where(ContactAttribute.attribute_id == attribute.id, column.is_(None))
        .order_by(ContactAttribute.contact_id)
        .limit(SLICE)
    )
    while rows := (await session.execute(query.where(ContactAttribute.contact_id > after))).all():
        read: dict[UUID, Parsed] = {}
        lost: list[UUID] = []
        for at, (contact_id, *values) in enumerate(rows):
            value = _read(attribute, next((each for each in values if each is not None), None))
            if value is None:
                lost.append(contact_id)
            else:
                read[contact_id] = value
            if at % PART == 0:
                await asyncio.sleep(0)
        given = {"attribute_id": attribute.id, "workspace_id": session.workspace_id}
        await session.execute(
            _SET,
            {
                **given,
                **dict.fromkeys(blank_columns(), "{}"),
                "ids": uuids(read),
                column.key: _literal(column.key, list(read.values())),
                "at": moment,
            },
            execution_options=BY_HAND,
        )
        await session.execute(_DROP, {**given, "ids": uuids(lost)}, execution_options=BY_HAND)
        kept += len(read)
        seen += len(rows)
        after = rows[-1][0]
        if telling:
            await _tell(edit, seen)
    return kept


async def _tell(edit: BulkEdit, seen: int) -> None:
    """Say how far the change is, in a transaction that others see at once."""
    async with scope(edit.workspace_id) as session:
        await session.execute(update(BulkEdit).where(BulkEdit.id == edit.id).values(done=seen))


_SET = text(
    r"""
    update contacts.contact_attribute as t
    set text = v.text, number = v.number, day = v.day, choice = v.choice,
        choices = string_to_array(v.choices, E'\n'), at = :at
    from unnest(
        cast(:ids as uuid[]), cast(:text as text[]), cast(:number as numeric[]),
        cast(:day as date[]), cast(:choice as text[]), cast(:choices as text[])
    ) as v (contact_id, text, number, day, choice, choices)
    where t.contact_id = v.contact_id and t.attribute_id = :attribute_id
        and t.workspace_id = :workspace_id
    """
)
"""One of the arrays is filled. No choice has a line's end in it."""
_DROP = text(
    """
    delete from contacts.contact_attribute t using unnest(cast(:ids as uuid[])) as v (contact_id)
    where t.contact_id = v.contact_id and t.attribute_id = :attribute_id
        and t.workspace_id = :workspace_id
    """
)


def _literal(column: str, values: list[Any]) -> str:
    if column == "choices":
        return words("\n".join(value) for value in values)
    return words(values) if column in ("text", "choice") else plain(values)


def _column(attribute: Attribute) -> InstrumentedAttribute[Any]:
    return getattr(ContactAttribute, column_of(attribute.kind))


def _target(attribute: Attribute, wish: KindIn) -> Attribute:
    """Return an attribute of the new kind, to read values for; raises `Invalid`."""
    if wish.kind == attribute.kind:
        raise Invalid(fields={"kind": _("It is of this kind already.")})
    check_choices(wish.kind, wish.choices)
    return Attribute(kind=wish.kind, choices=list(wish.choices))


def _read(target: Attribute, value: Parsed | None) -> Parsed | None:
    try:
        return parse_value(target, shown(value))
    except Invalid:
        return None


def _fits(attribute: Attribute, typed: str) -> bool:
    return _read(attribute, typed) is not None


def _refuse_if_used(found: Sequence[Usage]) -> None:
    if found:
        raise Conflict(
            _(
                "It is needed as it is here, and cannot be of another kind: %(where)s",
                where=", ".join(usage.label for usage in found),
            )
        )
