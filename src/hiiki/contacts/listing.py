"""How the list of friends is looked at: in which order, with which columns, under which name."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select, tuple_
from sqlalchemy.orm import aliased

from hiiki.contacts.attributes import all_attributes
from hiiki.contacts.fields import SORTED, all_fields, values, worded
from hiiki.contacts.models import Attribute, Contact, ContactAttribute, Friendship, View
from hiiki.contacts.schemas import ViewIn
from hiiki.contacts.search import PAGE, FriendFilter, FriendPage, conditions, find, with_details
from hiiki.contacts.values import Parsed, stored
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import Field, road

COLUMNS_LIMIT = 8
VIEWS_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may be chosen: an attribute, or a field of a room."""

    key: str
    """In addresses: the attribute's key after `a.`, or the field's name."""
    label: Text | str
    kind: str
    attribute: Attribute | None = None
    field: Field | None = None

    @property
    def is_figure(self) -> bool:
        """True for what stands to the right, so that it can be compared."""
        return self.kind in ("number", "money", "share")


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the list. People of whom nothing is known there are not in it."""

    key: str
    label: Text | str
    column: Any = None
    """What is compared; None for the order in which people came."""


ORDERS = (
    Order("", _("Newest first")),
    Order("seen", _("Last seen"), Friendship.last_seen_at),
    Order("first", _("Friend since"), Friendship.followed_at),
)


async def columns(session: WorkspaceSession) -> list[Column]:
    """Return all columns that may be chosen."""
    attributes = [
        Column(f"a.{each.key}", each.label, each.kind, attribute=each)
        for each in await all_attributes(session)
    ]
    fields = [Column(each.name, each.label, each.kind, field=each) for each in all_fields()]
    return [*fields, *attributes]


def chosen(available: Sequence[Column], typed: Sequence[str]) -> list[Column]:
    """Return the columns with these keys, in the order of all columns; unknown ones fall away."""
    return [each for each in available if each.key in typed][:COLUMNS_LIMIT]


def orders() -> list[Order]:
    """Return all orders in which the list can be put."""
    fields = [
        Order(each.name, each.label, each.column) for each in all_fields() if each.kind in SORTED
    ]
    return [*ORDERS, *fields]


async def cells(
    session: WorkspaceSession, page: FriendPage, wanted: Sequence[Column]
) -> dict[UUID, dict[str, Any]]:
    """Return what stands in the chosen columns, by contact and column key."""
    ids = [friend.contact.id for friend in page.friends]
    found: dict[UUID, dict[str, Any]] = {ident: {} for ident in ids}
    by_id = {each.attribute.id: each for each in wanted if each.attribute is not None}
    if by_id and ids:
        rows = await session.scalars(
            select(ContactAttribute).where(
                ContactAttribute.contact_id.in_(ids),
                ContactAttribute.attribute_id.in_(list(by_id)),
            )
        )
        for row in rows:
            value: Parsed | None = stored(row)
            found[row.contact_id][by_id[row.attribute_id].key] = value
    fields = [each.field for each in wanted if each.field is not None]
    if fields and ids:
        known = await values(session, ids, fields)
        for ident, of_one in known.items():
            for field in fields:
                found[ident][field.name] = worded(field, of_one[field.name])
    return found


async def ordered(
    session: WorkspaceSession,
    wanted: FriendFilter,
    order: Order,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> FriendPage:
    """Return a page of the list in this order, the highest and latest first.

    `after` and `before` are marks of the pages beside it. Raises `Invalid` for one that is none.
    """
    if order.column is None:
        return await find(session, wanted, after, limit, before=before)
    model, column = order.column.class_, order.column
    place = tuple_(column, model.contact_id)
    query = (
        select(column, model.contact_id)
        .where(column.is_not(None), *_once(model, column))
        .limit(limit + 1)
    )
    if narrowing := await conditions(session, wanted):
        query = query.where(
            exists(select(Contact.id).where(Contact.id == model.contact_id, and_(*narrowing)))
        )
    if before:
        query = query.where(place > tuple_(*_read(before, column)))
        query = query.order_by(column, model.contact_id)
    else:
        if after:
            query = query.where(place < tuple_(*_read(after, column)))
        query = query.order_by(column.desc(), model.contact_id.desc())
    rows = [(row[0], row[1]) for row in await session.execute(query)]
    more, rows = len(rows) > limit, rows[:limit]
    if before:
        rows.reverse()
    has_next, has_previous = (True, more) if before else (more, bool(after))
    people = await session.scalars(
        select(Contact).where(Contact.id.in_([ident for _value, ident in rows]))
    )
    contacts = {contact.id: contact for contact in people}
    friends = await with_details(
        session, [contacts[ident] for _value, ident in rows if ident in contacts]
    )
    return FriendPage(
        friends,
        next=_mark(*rows[-1]) if rows and has_next else None,
        previous=_mark(*rows[0]) if rows and has_previous else None,
    )


def _once(model: Any, column: Any) -> list[ColumnElement[bool]]:
    """Let a person who follows several accounts stand in the list once."""
    if model is not Friendship:
        return []
    other = aliased(Friendship)
    theirs = getattr(other, column.key)
    later = tuple_(theirs, other.channel_id) > tuple_(column, Friendship.channel_id)
    mine = other.contact_id == Friendship.contact_id
    return [~exists(select(other.contact_id).where(mine, theirs.is_not(None), later))]


def _mark(value: Any, ident: UUID) -> str:
    written = value.isoformat() if isinstance(value, date) else str(value)
    return base64.urlsafe_b64encode(f"{written}|{ident}".encode()).decode().rstrip("=")


def _read(typed: str, column: Any) -> tuple[Any, UUID]:
    try:
        raw = base64.urlsafe_b64decode(typed + "=" * (-len(typed) % 4)).decode()
        written, ident = raw.split("|")
        kind = column.type.python_type
        if issubclass(kind, datetime):
            value: Any = datetime.fromisoformat(written)
            if value.tzinfo is None:
                raise ValueError("a moment without its zone")
        elif issubclass(kind, date):
            value = date.fromisoformat(written)
        else:
            value = kind(written)
        if isinstance(value, Decimal | float) and not Decimal(value).is_finite():
            raise ValueError("no number")
        return value, UUID(ident)
    except (ValueError, InvalidOperation, binascii.Error, UnicodeDecodeError) as error:
        raise Invalid(fields={"after": _("This page mark is not valid.")}) from error


async def views(session: WorkspaceSession) -> list[View]:
    """Return the saved views by name."""
    return list(await session.scalars(select(View).order_by(View.name, View.id)))


async def save_view(session: WorkspaceSession, typed: ViewIn) -> View:
    """Save a view; one of the same name is replaced."""
    found = await session.scalar(select(View).where(View.name == typed.name))
    if found is None:
        if (await session.scalar(select(func.count(View.id))) or 0) >= VIEWS_LIMIT:
            raise Conflict(_("There are %(n)s views already; please delete some.", n=VIEWS_LIMIT))
        found = View(name=typed.name)
        session.add(found)
    found.query = query_of(typed.filter, typed.sort, typed.columns)
    await session.flush()
    return found


def query_of(wanted: FriendFilter, sort: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return a list as parameters of its address, without what is empty."""
    more: Mapping[str, str] = {"sort": sort, "columns": ",".join(keys)}
    return wanted.query() | {name: value for name, value in more.items() if value}


async def segments(session: WorkspaceSession) -> list[tuple[str, str]]:
    """Return the workspace's segments as a picker offers them."""
    picker = road().pickers.get("segment")
    return [(each.value, each.label) for each in await picker.options(session)] if picker else []
