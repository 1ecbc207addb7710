"""Kinds of message of the shop's own, and who does not want which."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.delivery.models import OptOut, Topic
from hiiki.delivery.sql import BY_HAND
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import road
from hiiki.timeline import record

MAX_TOPICS = 100


async def all_topics(session: WorkspaceSession) -> list[tuple[Topic, int]]:
    """Return the kinds of message by name, each with how many people decline it."""
    declined = (
        select(OptOut.topic_id, func.count().label("people")).group_by(OptOut.topic_id).subquery()
    )
    rows = await session.execute(
        select(Topic, func.coalesce(declined.c.people, 0))
        .outerjoin(declined, declined.c.topic_id == Topic.id)
        .order_by(Topic.name)
    )
    return [(topic, int(count)) for topic, count in rows]


async def save_topic(session: WorkspaceSession, topic: Topic | None, name: str) -> Topic:
    """Make or rename a kind of message; raises `Invalid` at `name` when it exists already."""
    same = await session.scalar(
        select(Topic.id).where(func.lower(Topic.name) == name.lower()).limit(1)
    )
    if same is not None and (topic is None or same != topic.id):
        raise Invalid(fields={"name": _("There is a kind of message with this name already.")})
    if topic is None:
        if (await session.scalar(select(func.count()).select_from(Topic)) or 0) >= MAX_TOPICS:
            raise Invalid(
                fields={"name": _("There can be up to %(max)s kinds of message.", max=MAX_TOPICS)}
            )
        topic = Topic()
        session.add(topic)
    topic.name = name
    await session.flush()
    return topic


async def delete_topic(session: WorkspaceSession, topic_id: UUID) -> Topic:
    """Delete a kind of message, and with it what people said about it.

    Raises `NotFound`, or `Conflict` while a rule or a broadcast to come uses it.
    """
    topic = await session.one(Topic, topic_id)
    if used := await road().usages(session, "topic", topic_id):
        raise Conflict(_("This is still used by %(where)s.", where=used[0].label))
    await session.delete(topic)
    await session.flush()
    return topic


async def declined(session: WorkspaceSession, contact_id: UUID) -> Sequence[UUID]:
    """Return the kinds of message that a contact declines; raises `NotFound`."""
    await session.one(Contact, contact_id)
    return list(
        await session.scalars(select(OptOut.topic_id).where(OptOut.contact_id == contact_id))
    )


async def declines(session: WorkspaceSession, contact_id: UUID, topic_id: UUID) -> bool:
    """Return whether a contact does not want messages of a kind."""
    return await session.get(OptOut, (contact_id, topic_id)) is not None


async def opt_out(
    session: WorkspaceSession, contact_id: UUID, topic_id: UUID, channel_id: UUID | None = None
) -> bool:
    """Send a contact nothing of a kind any more; returns whether that is new.

    What has been frozen for them still goes out. Raises `NotFound`.
    """
    await session.one(Contact, contact_id)
    await session.one(Topic, topic_id)
    made = await session.scalar(
        insert(OptOut)
        .values(
            workspace_id=session.workspace_id, contact_id=contact_id, topic_id=topic_id, at=now()
        )
        .on_conflict_do_nothing()
        .returning(OptOut.topic_id),
        execution_options=BY_HAND,
    )
    if made is not None:
        record(session, contact_id, "opt_out", channel_id=channel_id, subject=topic_id)
    return made is not None


async def opt_in(
    session: WorkspaceSession, contact_id: UUID, topic_id: UUID, channel_id: UUID | None = None
) -> bool:
    """Send a contact messages of a kind again; returns whether they had declined it."""
    await session.one(Contact, contact_id)
    await session.one(Topic, topic_id)
    gone = await session.scalar(
        delete(OptOut)
        .where(
            OptOut.workspace_id == session.workspace_id,
            OptOut.contact_id == contact_id,
            OptOut.topic_id == topic_id,
        )
        .returning(OptOut.topic_id),
        execution_options=BY_HAND,
    )
    if gone is not None:
        record(session, contact_id, "opt_in", channel_id=channel_id, subject=topic_id)
    return gone is not None
