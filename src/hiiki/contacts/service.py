"""What happens to people: they add an account, block it, write to it, are tagged.

`befriend`, `block` and `meet` run for every webhook event, so each is one statement, sent
with those of the transaction's other events. They may arrive in any order: what is kept are
the latest moments, by LINE's own timestamps, and the standing follows from those, so that an
event which comes late never undoes a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    Uuid,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.orm import Session

from hiiki.contacts.models import Attribute, Contact, ContactAttribute, ContactTag, Friendship, Tag
from hiiki.contacts.values import Parsed, Value, blank_columns, columns_of, parse_value, stored
from hiiki.db import Unscoped, WorkspaceSession
from hiiki.db.gathered import Write
from hiiki.db.rows import document, recordset
from hiiki.kit.clock import now
from hiiki.kit.ids import contact_id as derive_contact_id
from hiiki.workspace.models import Channel

PROFILE_IS_OLD_AFTER = timedelta(days=1)
"""Somebody who adds the account anew is asked for their profile again, if it is older."""


async def befriend(
    session: WorkspaceSession,
    channel: Channel,
    line_user_id: str,
    *,
    at: datetime,
    is_unblocked: bool,
) -> UUID:
    """Note that a person added `channel`'s account, or unblocked it, at `at`.

    `is_unblocked` is LINE's `follow.isUnblocked`: such a friend is not a new one, so it
    does not count as the first time. Returns the contact's id, as the two below do.
    """
    return _note(
        session,
        _write_follows,
        channel,
        line_user_id,
        followed_at=at,
        first_followed_at=None if is_unblocked else at,
        seen_at=at,
    )


async def block(
    session: WorkspaceSession, channel: Channel, line_user_id: str, *, at: datetime
) -> UUID:
    """Note that a person blocked `channel`'s account at `at`."""
    return _note(session, _write_blocks, channel, line_user_id, blocked_at=at)


async def meet(
    session: WorkspaceSession, channel: Channel, line_user_id: str, *, at: datetime
) -> UUID:
    """Note that a person, known or new, did something at `at`.

    Somebody who writes without ever having been seen to add the account was a friend
    before Hiiki was there. It says nothing about a block: a tap may have been on its way.
    """
    return _note(session, _write_meetings, channel, line_user_id, seen_at=at)


def _statement(kind: str) -> Insert:
    """Build what notes a follow, a block or a meeting; it is run for every webhook event."""
    person = insert(Contact).values(
        workspace_id=bindparam("workspace_id"),
        id=bindparam("contact_id"),
        profile_due_at=bindparam("moment"),
    )
    if kind == "follow":
        person = person.on_conflict_do_update(
            index_elements=["id"],
            set_={"profile_due_at": bindparam("moment")},
            # Who had blocked the account when LINE was asked has no name yet.
            where=or_(Contact.profile_at < bindparam("profile_old"), Contact.display_name == ""),
        )
    else:
        person = person.on_conflict_do_nothing(index_elements=["id"])
    standing = insert(Friendship).values(
        workspace_id=bindparam("workspace_id"),
        contact_id=bindparam("contact_id"),
        channel_id=bindparam("channel_id"),
        line_user_id=bindparam("line_user_id"),
        status="blocked" if kind == "block" else "following",
        first_followed_at=bindparam("first_followed_at"),
        followed_at=bindparam("followed_at"),
        blocked_at=bindparam("blocked_at"),
        last_seen_at=bindparam("seen_at"),
    )
    new = standing.excluded
    # PostgreSQL's least() and greatest() pass over NULL.
    followed = func.greatest(Friendship.followed_at, new.followed_at)
    blocked = func.greatest(Friendship.blocked_at, new.blocked_at)
    changes = {"last_seen_at": func.greatest(Friendship.last_seen_at, new.last_seen_at)}
    unless_known = None
    if kind == "meet":
        unless_known = or_(
            Friendship.last_seen_at.is_(None), Friendship.last_seen_at < new.last_seen_at
        )
    else:
        changes |= {
            "first_followed_at": func.least(Friendship.first_followed_at, new.first_followed_at),
            "followed_at": followed,
            "blocked_at": blocked,
            "status": case(
                (blocked.is_(None), "following"),
                (followed >= blocked, "following"),
                else_="blocked",
            ),
        }
    # One statement: the foreign key is looked at when it ends, when both rows are there.
    return standing.on_conflict_do_update(
        index_elements=["contact_id", "channel_id"], set_=changes, where=unless_known
    ).add_cte(person.cte("person"))


def _writer(kind: str) -> Write:
    statement = _statement(kind)

    def write(session: Session, rows: list[dict[str, Any]]) -> None:
        # As Core, one row after the other: a person may be among them on two accounts. In the
        # order in which all lock people, or two transactions may wait for each other.
        session.connection().execute(statement, sorted(rows, key=lambda row: row["contact_id"]))

    return write


_write_follows, _write_blocks, _write_meetings = map(_writer, ("follow", "block", "meet"))


def _note(
    session: WorkspaceSession,
    write: Write,
    channel: Channel,
    line_user_id: str,
    *,
    followed_at: datetime | None = None,
    first_followed_at: datetime | None = None,
    blocked_at: datetime | None = None,
    seen_at: datetime | None = None,
) -> UUID:
    if channel.workspace_id != session.workspace_id:
        raise Unscoped("the channel belongs to another workspace")
    ident = derive_contact_id(session.workspace_id, channel.provider, line_user_id)
    moment = now()
    session.gather(
        write,
        {
            "workspace_id": session.workspace_id,
            "contact_id": ident,
            "channel_id": channel.id,
            "line_user_id": line_user_id,
            "moment": moment,
            "profile_old": moment - PROFILE_IS_OLD_AFTER,
            "first_followed_at": first_followed_at,
            "followed_at": followed_at,
            "blocked_at": blocked_at,
            "seen_at": seen_at,
        },
    )
    return ident


async def add_tag(session: WorkspaceSession, contact_id: UUID, tag_id: UUID) -> bool:
    """Tag a contact; True when the tag is new on them.

    A tag or contact that is not (or no longer) there changes nothing and gives False.
    """
    here = select(Contact.id).where(Contact.id == contact_id)
    return await add_tag_to(session, here, tag_id) > 0


async def tags_ahead(session: WorkspaceSession, contact_id: UUID) -> set[UUID]:
    """Return a contact's tags, asked for once with those of all whom this transaction deals with.

    Whoever changes a tag by an action changes it in this set, too, so that the next one knows.
    """

    async def ask(people: Sequence[UUID]) -> dict[UUID, set[UUID]]:
        rows = await session.execute(
            select(ContactTag.contact_id, ContactTag.tag_id).where(
                ContactTag.contact_id == any_(literal(list(people), ARRAY(Uuid())))
            )
        )
        found: dict[UUID, set[UUID]] = {ident: set() for ident in people}
        for ident, tag_id in rows:
            found[ident].add(tag_id)
        return found

    return await session.ahead("tags", contact_id, ask) or set()


async def value_ahead(
    session: WorkspaceSession, contact_id: UUID, attribute_id: UUID
) -> list[Parsed | None]:
    """Return a contact's value of an attribute, as the one element of a list.

    It is asked for as `tags_ahead` is, and whoever changes it by an action changes the list.
    """

    async def ask(people: Sequence[UUID]) -> dict[UUID, list[Parsed | None]]:
        rows = await session.scalars(
            select(ContactAttribute).where(
                ContactAttribute.contact_id == any_(literal(list(people), ARRAY(Uuid()))),
                ContactAttribute.attribute_id == attribute_id,
            )
        )
        none: dict[UUID, list[Parsed | None]] = {ident: [None] for ident in people}
        return none | {row.contact_id: [stored(row)] for row in rows}

    return await session.ahead(("value", attribute_id), contact_id, ask) or [None]


def add_tag_with(session: WorkspaceSession, contact_id: UUID, tag_id: UUID) -> None:
    """Tag a contact as `add_tag` does, together with others whom this transaction tags."""
    session.gather(_write_tags, (session.workspace_id, contact_id, tag_id))


_TAGS = text(
    """
    insert into contacts.contact_tag (workspace_id, contact_id, tag_id, at)
    select t.workspace_id, c.id, t.id, :at
    from unnest(cast(:contact_ids as uuid[]), cast(:tag_ids as uuid[])) as x (contact_id, tag_id)
    join contacts.contact c on c.id = x.contact_id and c.workspace_id = :workspace_id
    join contacts.tag t on t.id = x.tag_id and t.workspace_id = :workspace_id
    order by c.id, t.id -- as `add_tag_to` does, or two may wait for each other
    on conflict do nothing
    """
)


def _write_tags(session: Session, rows: list[tuple[UUID, UUID, UUID]]) -> None:
    session.execute(
        _TAGS,
        {
            "workspace_id": rows[0][0],
            "at": now(),
            "contact_ids": [contact_id for _, contact_id, _ in rows],
            "tag_ids": [tag_id for _, _, tag_id in rows],
        },
        execution_options={"scoped_by_hand": True},
    )


async def add_tag_to(session: WorkspaceSession, contacts: Select[UUID], tag_id: UUID) -> int:
    """Tag all of `contacts` in one statement; returns on how many the tag is new."""
    # An INSERT … SELECT is not narrowed by the gate: the walls stand in it by hand.
    chosen = contacts.where(Contact.workspace_id == session.workspace_id).subquery()
    rows = (
        select(literal(session.workspace_id), chosen.c.id, Tag.id, literal(now()))
        .select_from(chosen)
        .join(Tag, (Tag.id == tag_id) & (Tag.workspace_id == session.workspace_id))
        .order_by(chosen.c.id)  # as `_TAGS` does, or two may wait for each other
    )
    done = await session.scalars(
        insert(ContactTag)
        .from_select(["workspace_id", "contact_id", "tag_id", "at"], rows)
        .on_conflict_do_nothing()
        .returning(ContactTag.contact_id),
        execution_options={"scoped_by_hand": True},
    )
    return len(done.all())


async def remove_tag(session: WorkspaceSession, contact_id: UUID, tag_id: UUID) -> bool:
    """Take a tag off a contact; True when it had been there."""
    done = await session.scalars(
        delete(ContactTag)
        .where(ContactTag.contact_id == contact_id, ContactTag.tag_id == tag_id)
        .returning(ContactTag.tag_id)
    )
    return done.first() is not None


async def remove_tag_from(session: WorkspaceSession, contacts: Select[UUID], tag_id: UUID) -> int:
    """Take a tag off all of `contacts`; returns how many had it."""
    done = await session.scalars(
        delete(ContactTag)
        .where(ContactTag.tag_id == tag_id, ContactTag.contact_id.in_(contacts))
        .returning(ContactTag.contact_id)
    )
    return len(done.all())


async def set_attribute_with(
    session: WorkspaceSession, contact_id: UUID, attribute: Attribute, value: Value
) -> None:
    """Set an attribute as `set_attribute` does, together with others of this transaction.

    Raises `Invalid` at once when the value is not of the attribute's kind.
    """
    parsed = parse_value(attribute, value)
    if parsed is None:
        await set_attribute(session, contact_id, attribute, None)
        return
    row = ContactAttribute(
        workspace_id=session.workspace_id,
        contact_id=contact_id,
        attribute_id=attribute.id,
        at=now(),
        **columns_of(attribute, parsed),
    )
    session.gather(_write_attributes, row)


_ATTRIBUTES = text(
    f"""
    insert into contacts.contact_attribute
        (workspace_id, contact_id, attribute_id, text, number, day, choice, choices, at)
    select c.workspace_id, c.id, x.attribute_id, x.text, x.number, x.day, x.choice, x.choices, x.at
    from {recordset(ContactAttribute)} x
    join contacts.contact c on c.id = x.contact_id and c.workspace_id = :workspace_id
    on conflict (contact_id, attribute_id) do update
    set text = excluded.text, number = excluded.number, day = excluded.day,
        choice = excluded.choice, choices = excluded.choices, at = excluded.at
    """  # noqa: S608 — the name of our own table
)


def _write_attributes(session: Session, rows: list[ContactAttribute]) -> None:
    # Of two values of one attribute the later holds.
    last = {(row.contact_id, row.attribute_id): row for row in rows}.values()
    session.execute(
        _ATTRIBUTES,
        {"workspace_id": rows[0].workspace_id, "rows": document(last)},
        execution_options={"scoped_by_hand": True},
    )


async def set_attribute(
    session: WorkspaceSession, contact_id: UUID, attribute: Attribute, value: Value
) -> bool:
    """Set one of the shop's own fields on a contact; an empty value clears it.

    `value` may be what a person typed ("２０２６年１１月２１日") or of the right type already.
    Returns False when there is no such contact here; raises `Invalid` when the value is
    not of the attribute's kind.
    """
    parsed = parse_value(attribute, value)
    if parsed is None:
        await session.execute(
            delete(ContactAttribute).where(
                ContactAttribute.contact_id == contact_id,
                ContactAttribute.attribute_id == attribute.id,
            )
        )
        return await session.get(Contact, contact_id) is not None
    columns = blank_columns() | columns_of(attribute, parsed) | {"at": now()}
    row = insert(ContactAttribute).from_select(
        ["workspace_id", "contact_id", "attribute_id", *columns],
        select(
            Contact.workspace_id,
            Contact.id,
            literal(attribute.id),
            *(
                literal(value, ContactAttribute.__table__.c[name].type)
                for name, value in columns.items()
            ),
        ).where(Contact.id == contact_id, Contact.workspace_id == session.workspace_id),
    )
    done = await session.scalars(
        row.on_conflict_do_update(
            index_elements=["contact_id", "attribute_id"],
            set_={name: row.excluded[name] for name in columns},
        ).returning(ContactAttribute.contact_id),
        execution_options={"scoped_by_hand": True},
    )
    return done.first() is not None
