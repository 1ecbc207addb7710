"""`/api/v1`: what an account may send unasked, kinds of message, and who was left out."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import Parameter

from hiiki.db import WorkspaceSession
from hiiki.delivery import guards, topics
from hiiki.delivery.guard_schemas import (
    DeclinedOut,
    GuardIn,
    GuardOut,
    LeftOutList,
    LeftOutOut,
    TopicIn,
    TopicList,
    TopicOut,
)
from hiiki.delivery.left_out import PAGE, left_out
from hiiki.delivery.models import Topic
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

GUARDS: dict[str, Any] = {"tags": ["guards"]}


@get("/channels/{channel_id:uuid}/guard", operation_id="GetGuard", **GUARDS)
async def get_guard(channel_id: UUID, session: WorkspaceSession) -> GuardOut:
    """Return what an account may send unasked."""
    await session.one(Channel, channel_id)
    return GuardOut.of(await guards.guard_of(session, channel_id))


@put("/channels/{channel_id:uuid}/guard", operation_id="SetGuard", **GUARDS)
async def set_guard(
    channel_id: UUID, data: GuardIn, session: WorkspaceSession, access: Access
) -> GuardOut:
    """Say what an account may send unasked; what is left out is without a limit."""
    guard = await guards.set_guard(session, channel_id, **data.model_dump())
    audit(session, access, "guards.update", channel_id, **data.model_dump(mode="json"))
    return GuardOut.of(guard)


@get("/topics", operation_id="ListTopics", **GUARDS)
async def list_topics(session: WorkspaceSession) -> TopicList:
    """Return the kinds of message, and how many people decline each."""
    return TopicList(
        items=[TopicOut.of(topic, count) for topic, count in await topics.all_topics(session)]
    )


@post("/topics", operation_id="CreateTopic", **GUARDS)
async def create_topic(data: TopicIn, session: WorkspaceSession, access: Access) -> TopicOut:
    """Make a kind of message."""
    topic = await topics.save_topic(session, None, data.name)
    audit(session, access, "guards.topic_create", topic.id, name=topic.name)
    return TopicOut.of(topic, 0)


@put("/topics/{topic_id:uuid}", operation_id="RenameTopic", **GUARDS)
async def rename_topic(
    topic_id: UUID, data: TopicIn, session: WorkspaceSession, access: Access
) -> TopicOut:
    """Give a kind of message another name."""
    topic = await topics.save_topic(session, await session.one(Topic, topic_id), data.name)
    audit(session, access, "guards.topic_update", topic.id, name=topic.name)
    counts = {found.id: count for found, count in await topics.all_topics(session)}
    return TopicOut.of(topic, counts.get(topic.id, 0))


@delete("/topics/{topic_id:uuid}", operation_id="DeleteTopic", **GUARDS)
async def delete_topic(topic_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a kind of message, and with it who declined it."""
    topic = await topics.delete_topic(session, topic_id)
    audit(session, access, "guards.topic_delete", topic_id, name=topic.name)


@get("/contacts/{contact_id:uuid}/declined", operation_id="ListDeclined", **GUARDS)
async def list_declined(contact_id: UUID, session: WorkspaceSession) -> DeclinedOut:
    """Return what kinds of message a contact does not want."""
    return DeclinedOut(topic_ids=list(await topics.declined(session, contact_id)))


@put(
    "/contacts/{contact_id:uuid}/declined/{topic_id:uuid}",
    operation_id="Decline",
    status_code=204,
    **GUARDS,
)
async def decline(
    contact_id: UUID, topic_id: UUID, session: WorkspaceSession, access: Access
) -> None:
    """Send a contact nothing of a kind any more."""
    if await topics.opt_out(session, contact_id, topic_id):
        audit(session, access, "guards.opt_out", contact_id, topic_id=str(topic_id))


@delete("/contacts/{contact_id:uuid}/declined/{topic_id:uuid}", operation_id="TakeAgain", **GUARDS)
async def take_again(
    contact_id: UUID, topic_id: UUID, session: WorkspaceSession, access: Access
) -> None:
    """Send a contact messages of a kind again."""
    if await topics.opt_in(session, contact_id, topic_id):
        audit(session, access, "guards.opt_in", contact_id, topic_id=str(topic_id))


@get("/sends/{send_id:uuid}/left-out", operation_id="ListLeftOut", **GUARDS)
async def list_left_out(
    send_id: UUID,
    session: WorkspaceSession,
    reason: Literal["blocked", "opted_out", "capped", "quota"] | None = None,
    after: str = "",
    limit: Annotated[int, Parameter(ge=1, le=500)] = PAGE,
) -> LeftOutList:
    """Return whom a send was meant for but did not go to, and why."""
    found = await left_out(session, send_id, reason=reason or "", after=after, limit=limit)
    return LeftOutList(items=[LeftOutOut.of(one) for one in found.people], next=found.next)


HANDLERS = [
    get_guard,
    set_guard,
    list_topics,
    create_topic,
    rename_topic,
    delete_topic,
    list_declined,
    decline,
    take_again,
    list_left_out,
]
