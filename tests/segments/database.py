"""Small worlds in the database."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable

from hiiki.contacts.models import Attribute, Contact, ContactAttribute, ContactTag, Friendship, Tag
from hiiki.content.models import Link
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.db.base import Base
from hiiki.kit.i18n import Text
from hiiki.kit.road import Field
from hiiki.rooms import registry
from hiiki.segments.models import ListMember
from hiiki.timeline.models import Event, Tally
from hiiki.timeline.tallies import count_anew
from hiiki.workspace.models import Channel

from .oracle import Person
from .worlds import (
    ATTRIBUTES,
    CELLS,
    CHANNELS,
    CHOICES,
    COLUMN,
    FIELD_KINDS,
    KINDS,
    LINKS,
    NOTHING,
    TAGS,
    World,
)


class Apart(DeclarativeBase):
    """Tables that the product does not know."""

    type_annotation_map = Base.type_annotation_map


class WorkedOut(Apart):
    """What a room works out about each contact: a table for fields of the tests' own."""

    __tablename__ = "worked_out"
    __table_args__ = ({"schema": "segments"},)

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    spent: Mapped[Decimal | None]
    score: Mapped[Decimal | None]
    on: Mapped[date | None]
    at: Mapped[datetime | None]
    cell: Mapped[str | None]
    alive: Mapped[bool | None]


def bring_fields() -> None:
    """Let the road have the fields of the tests."""
    for name, kind in FIELD_KINDS.items():
        registry.fields[name] = Field(
            name,
            Text(name),
            kind,
            getattr(WorkedOut, name.removeprefix("test.")),
            choices=[(cell, Text(cell)) for cell in CELLS] if kind == "choice" else (),
            nothing=NOTHING.get(name),
        )


async def lay_ground(workspace_id: UUID) -> None:
    """Make the tags, attributes and channels of all worlds, once."""
    async with everywhere() as session:
        made = CreateTable(cast("Table", WorkedOut.__table__), if_not_exists=True)
        await session.execute(made)
        session.add_all(
            [
                *(
                    Tag(id=tag, name=f"tag {n}", workspace_id=workspace_id)
                    for n, tag in enumerate(TAGS)
                ),
                *(
                    Attribute(
                        id=ATTRIBUTES[kind],
                        key=kind,
                        label=kind,
                        kind=kind,
                        choices=CHOICES if kind.startswith("choice") else [],
                        workspace_id=workspace_id,
                    )
                    for kind in KINDS
                ),
                *(
                    Channel(
                        id=channel,
                        name=f"channel {n}",
                        line_channel_id=f"{n}",
                        provider="1",
                        sealed_secret=b"",
                        sealed_token=b"",
                        webhook_key=f"{n}",
                        workspace_id=workspace_id,
                    )
                    for n, channel in enumerate(CHANNELS)
                ),
                *(
                    Link(id=link, code=str(n), url="x", owner=owner, workspace_id=workspace_id)
                    for n, (link, owner) in enumerate(LINKS.items())
                ),
            ]
        )


async def settle(world: World, mine: UUID, other: UUID) -> None:
    """Make the database hold this world and no other."""
    async with everywhere() as session:
        for table in (Event, Tally, ListMember, WorkedOut, Contact):
            await session.execute(delete(table).where(table.workspace_id.in_([mine, other])))
        contacts = [
            *({"id": each.id, "workspace_id": mine, **each.profile} for each in world.people),
            *({"id": each.id, "workspace_id": other, **each.profile} for each in world.strangers),
        ]
        await session.execute(insert(Contact), contacts)
        await _know(session, world.people, mine)
        await _know(session, world.strangers, other)
        known = {each.id: each for each in world.people}
        for each in world.foreign:
            # Where the database allows one row only, the workspace's own row is it.
            own = known[each.id]
            each.tags -= own.tags
            each.values = {k: v for k, v in each.values.items() if k not in own.values}
            taken = {friend.channel for friend in own.friendships}
            each.friendships = [f for f in each.friendships if f.channel not in taken]
            each.lists -= own.lists
            each.fields = None if own.fields is not None else each.fields
            ids = {event.id for event in own.events}
            each.events = [event for event in each.events if event.id not in ids]
        await _know(session, world.foreign, other)
    everybody = [each["id"] for each in contacts]
    for workspace_id in (mine, other):
        async with scope(workspace_id) as session:
            await count_anew(session, everybody, sorted(kinds_of(world)))


def kinds_of(world: World) -> set[str]:
    """Return the kinds of all events in a world."""
    people = (*world.people, *world.strangers, *world.foreign)
    return {event.kind for person in people for event in person.events}


async def _know(session: WorkspaceSession, people: list[Person], workspace_id: UUID) -> None:
    kinds = {ident: kind for kind, ident in ATTRIBUTES.items()}
    columns = ("text", "number", "day", "choice", "choices")
    rows: dict[type[Any], list[dict[str, Any]]] = {
        ContactTag: [{"contact_id": p.id, "tag_id": tag} for p in people for tag in p.tags],
        ContactAttribute: [
            {
                "contact_id": p.id,
                "attribute_id": attribute,
                **dict.fromkeys(columns),
                COLUMN.get(kinds[attribute], kinds[attribute]): value,
            }
            for p in people
            for attribute, value in p.values.items()
        ],
        Friendship: [
            {
                "contact_id": p.id,
                "channel_id": friend.channel,
                "line_user_id": str(p.id),
                "status": friend.status,
                "followed_at": friend.followed_at,
                "source": friend.source,
            }
            for p in people
            for friend in p.friendships
        ],
        Event: [
            {
                "contact_id": p.id,
                "id": event.id,
                "at": event.at,
                "channel_id": event.channel,
                "kind": event.kind,
                "subject": event.subject,
                "value": event.value,
                "data": event.data,
            }
            for p in people
            for event in p.events
        ],
        ListMember: [{"contact_id": p.id, "list_id": each} for p in people for each in p.lists],
        WorkedOut: [
            {
                "contact_id": p.id,
                **{name.removeprefix("test."): value for name, value in p.fields.items()},
            }
            for p in people
            if p.fields is not None
        ],
    }
    for table, found in rows.items():
        if found:
            await session.execute(
                insert(table), [{"workspace_id": workspace_id, **row} for row in found]
            )
