"""Changes of many people at once: a tag on or off, an attribute set or cleared; and taking it back.

A change is asked for on a page or by the API and done by a job. First it is written down for whom
it is a change at all, and what held for them before (`BulkChange`), in one statement; then slices
of those people are changed, each in a transaction that also says how far it is. A worker that is
killed leaves a change that goes on where it was.

What it changes bears the change's own moment (`BulkEdit.at`). So whoever has been changed by
somebody else in between, or since, is recognised and left alone: when it is done, and when it is
taken back. Nothing of it stands on the timeline and no rule runs: it is not what people did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    literal,
    literal_column,
    not_,
    null,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from hiiki.contacts import bulk_sql, people, search
from hiiki.contacts.models import (
    Attribute,
    BulkChange,
    BulkEdit,
    Contact,
    ContactAttribute,
    ContactTag,
    Tag,
)
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.values import columns_of, parse_value
from hiiki.db import WorkspaceSession, scope
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _
from hiiki.workspace.access import Access, audit

SLICE = 20_000
"""People who change in one transaction: about a second's work."""
KEPT = timedelta(days=1)
"""How long a change can be taken back."""
JOB = "contacts:bulk_edit"
FORGET_JOB = "contacts:forget_bulk_edit"
RECENT = 30
BY_HAND = {"scoped_by_hand": True}

_TAG: Table = cast("Table", ContactTag.__table__)
_VALUE: Table = cast("Table", ContactAttribute.__table__)
_CHANGE: Table = cast("Table", BulkChange.__table__)
_VALUE_COLUMNS = ("text", "number", "day", "choice", "choices")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change: one tag, or one attribute with its value as typed."""

    verb: str
    """tag_add, tag_remove, set or clear (`convert` is done by `hiiki.contacts.kinds`)."""
    tag: Tag | None = None
    attribute: Attribute | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many are meant, and for how many of them it is a change."""

    people: int
    changes: int


async def forecast(
    session: WorkspaceSession, change: Change, who: FriendFilter | Sequence[UUID]
) -> Forecast:
    """Return for how many it would be a change; raises `Invalid` for a value of another kind."""
    meant = (await _chosen(session, who)).subquery()
    concerned, _was = _concerned(change, meant.c.id)
    row = await session.execute(
        select(func.count(), func.count().filter(concerned)).select_from(
            meant.outerjoin(_table(change), _mine(change, meant.c.id))
        ),
        execution_options=BY_HAND,
    )
    return Forecast(*row.one()._tuple())  # pyright: ignore[reportPrivateUsage]


async def start(
    session: WorkspaceSession,
    access: Access,
    change: Change,
    who: FriendFilter | Sequence[UUID],
) -> BulkEdit:
    """Have a change of many done, in the name of who asks."""
    if change.attribute is not None and change.verb == "set":
        parse_value(change.attribute, change.value)
    edit = BulkEdit(
        verb=change.verb,
        tag_id=change.tag.id if change.tag else None,
        attribute_id=change.attribute.id if change.attribute else None,
        value=change.value,
        filter=who.query() if isinstance(who, FriendFilter) else {},
        contact_ids=None if isinstance(who, FriendFilter) else list(who),
        actor_name=access.actor_name,
    )
    session.add(edit)
    await session.flush()
    audit(session, access, "contacts.bulk_edit", edit.id, verb=change.verb)
    await enqueue(session, JOB, _arguments(edit))
    return edit


async def take_back(session: WorkspaceSession, access: Access, edit: BulkEdit) -> None:
    """Have a change taken back where nobody has changed it since; raises `Conflict`."""
    if not may_take_back(edit):
        raise Conflict(_("This change cannot be taken back any more."))
    edit.state, edit.after, edit.done = "undoing", None, 0
    audit(session, access, "contacts.bulk_undo", edit.id)
    await enqueue(session, JOB, _arguments(edit))


def may_take_back(edit: BulkEdit) -> bool:
    """True within a day of a change that has been done, or has failed on the way."""
    # `at` is empty where an attribute has become of another kind since (`hiiki.contacts.kinds`).
    return edit.state in ("done", "failed") and edit.at is not None and edit.at > now() - KEPT


async def recent(session: WorkspaceSession) -> list[BulkEdit]:
    """Return the latest changes, the newest first."""
    query = select(BulkEdit).order_by(BulkEdit.created_at.desc(), BulkEdit.id.desc())
    return list(await session.scalars(query.limit(RECENT)))


async def step(workspace_id: UUID, edit_id: UUID) -> bool:
    """Do the next part of a change in a transaction of its own; False when nothing is left."""
    async with scope(workspace_id) as session:
        edit = await session.get(BulkEdit, edit_id, with_for_update=True)
        if edit is None:
            return False
        if edit.state == "waiting":
            await _write_down(session, edit)
        elif edit.state in ("running", "undoing"):
            await _slice(session, edit)
        return edit.state in ("running", "undoing")


async def fail(workspace_id: UUID, edit_id: UUID) -> None:
    """Note that a change was refused: what it needs has been deleted meanwhile."""
    async with scope(workspace_id) as session:
        if (edit := await session.get(BulkEdit, edit_id, with_for_update=True)) is not None:
            edit.state = "failed"


async def forget(session: WorkspaceSession, edit_id: UUID) -> None:
    """Delete what held before a change."""
    await session.execute(delete(BulkChange).where(BulkChange.edit_id == edit_id))


async def change_of(session: WorkspaceSession, edit: BulkEdit) -> Change:
    """Return what a change is, raising `NotFound` when its tag or attribute is gone."""
    return Change(
        edit.verb,
        await session.one(Tag, edit.tag_id) if edit.tag_id else None,
        await session.one(Attribute, edit.attribute_id) if edit.attribute_id else None,
        edit.value,
    )


def _arguments(edit: BulkEdit) -> dict[str, str]:
    return {"workspace_id": str(edit.workspace_id), "edit_id": str(edit.id)}


async def _chosen(session: WorkspaceSession, who: FriendFilter | Sequence[UUID]) -> Select[UUID]:
    chosen = (
        await search.matching(session, who) if isinstance(who, FriendFilter) else people.chosen(who)
    )
    return chosen.where(Contact.workspace_id == session.workspace_id)


def _table(change: Change) -> Table:
    return _VALUE if change.tag is None else _TAG


def _mine(change: Change, contact_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Return that a row of the tag or the attribute is the contact's."""
    table = _table(change)
    if change.tag is not None:
        return and_(table.c.contact_id == contact_id, table.c.tag_id == change.tag.id)
    assert change.attribute is not None
    return and_(table.c.contact_id == contact_id, table.c.attribute_id == change.attribute.id)


def _concerned(
    change: Change, contact_id: ColumnElement[UUID]
) -> tuple[ColumnElement[bool], ColumnElement[Any]]:
    """Return for whom it is a change, and the row as it is."""
    table = _table(change)
    has = table.c.contact_id.is_not(None)
    was = func.to_jsonb(_row_of(table))
    match change.verb:
        case "tag_add":
            return not_(has), null()
        case "tag_remove" | "clear":
            return has, was
        case _:
            assert change.attribute is not None
            parsed = parse_value(change.attribute, change.value)
            assert parsed is not None
            [(name, value)] = columns_of(change.attribute, parsed).items()
            column = table.c[name]
            return column.is_distinct_from(literal(value, column.type)), was


def _row_of(table: Table) -> ColumnElement[Any]:
    """Return a table's whole row as one value."""
    return literal_column(f'"{table.name}"')


async def _write_down(session: WorkspaceSession, edit: BulkEdit) -> None:
    """Write down for whom it is a change, and what held for them."""
    change = await change_of(session, edit)
    who: FriendFilter | Sequence[UUID] = (
        parse(FriendFilter, edit.filter) if edit.contact_ids is None else edit.contact_ids
    )
    meant = (await _chosen(session, who)).subquery()
    concerned, was = _concerned(change, meant.c.id)
    rows = (
        select(
            literal(session.workspace_id),
            meant.c.id,
            literal(edit.id),
            was.cast(JSONB),
            null() if change.verb == "tag_add" else _table(change).c.at,
        )
        .select_from(meant.outerjoin(_table(change), _mine(change, meant.c.id)))
        .where(concerned)
    )
    done = await session.execute(
        insert(_CHANGE).from_select(
            ["workspace_id", "contact_id", "edit_id", "was", "was_at"], rows
        ),
        execution_options={**BY_HAND, "preserve_rowcount": True},
    )
    begun = now()
    edit.total = cast("CursorResult[Any]", done).rowcount
    edit.at, edit.state = begun, "running"
    await enqueue(session, FORGET_JOB, _arguments(edit), at=begun + KEPT)


async def _slice(session: WorkspaceSession, edit: BulkEdit) -> None:
    """Change the next people, or take it back for them."""
    later = select(BulkChange.contact_id).where(BulkChange.edit_id == edit.id)
    if edit.after is not None:
        later = later.where(BulkChange.contact_id > edit.after)
    ids = list(await session.scalars(later.order_by(BulkChange.contact_id).limit(SLICE)))
    if ids:
        change = await change_of(session, edit)
        given = {
            "workspace_id": session.workspace_id,
            "edit_id": edit.id,
            "at": edit.at,
            "first": ids[0],
            "last": ids[-1],
            "what": edit.tag_id or edit.attribute_id,
        }
        if edit.state == "running":
            edit.changed += await _do(session, change, given)
        else:
            edit.undone += await _undo(session, change, given)
        edit.after = ids[-1]
        edit.done += len(ids)
    if len(ids) < SLICE:
        edit.state = "done" if edit.state == "running" else "undone"


async def _do(session: WorkspaceSession, change: Change, given: dict[str, Any]) -> int:
    values: dict[str, Any] = {}
    if change.verb == "set":
        assert change.attribute is not None
        parsed = parse_value(change.attribute, change.value)
        assert parsed is not None
        values = dict.fromkeys(_VALUE_COLUMNS) | columns_of(change.attribute, parsed)
    given |= values
    done = await _run(session, bulk_sql.DO[change.verb], given)
    if change.verb == "set":
        done += await _run(session, bulk_sql.DO["set_new"], given)
    return done


async def _undo(session: WorkspaceSession, change: Change, given: dict[str, Any]) -> int:
    match change.verb:
        case "tag_add":
            return await _run(session, bulk_sql.OFF["tag"], given)
        case "tag_remove":
            return await _run(session, bulk_sql.AGAIN["tag"], given)
        case "clear":
            return await _run(session, bulk_sql.AGAIN["value"], given)
        case _:
            await _run(session, bulk_sql.OFF["hold"], given)
            back = await _run(session, bulk_sql.OFF["back"], given)
            return back + await _run(session, bulk_sql.OFF["value"], given)


async def _run(session: WorkspaceSession, statement: str, given: dict[str, Any]) -> int:
    asked = text(statement.replace("{slice}", bulk_sql.SLICE))
    wanted = {name: given[name] for name in asked.compile().params}
    done = await session.execute(asked, wanted, execution_options=BY_HAND)
    return cast("CursorResult[Any]", done).rowcount
