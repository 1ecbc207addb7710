"""Console pages: what accounts may send unasked, kinds of message, and who was left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Response, Stream, Template
from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.delivery import guards, topics
from hiiki.delivery.guard_schemas import MAX_DAY_CAP, MAX_WEEK_CAP, GuardIn, TopicIn, clock
from hiiki.delivery.left_out import as_csv, left_out
from hiiki.delivery.models import LEFT_OUT_REASONS, Guard, Send, Topic
from hiiki.delivery.words import LEFT_OUT_WORDS, gist
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

HOME = "/sending-limits"


@get(HOME)
async def show_guards(session: WorkspaceSession) -> Template:
    """All accounts with their limits, and the kinds of message."""
    channels = list(
        await session.scalars(
            select(Channel).order_by(Channel.is_active.desc(), Channel.created_at, Channel.id)
        )
    )
    stored = {guard.channel_id: guard for guard in await session.scalars(select(Guard))}
    return page(
        "delivery/guards.html",
        channels=[(channel, stored.get(channel.id)) for channel in channels],
        topics=await topics.all_topics(session),
        clock=clock,
    )


@get(HOME + "/{channel_id:uuid}")
async def show_guard(session: WorkspaceSession, access: Access, channel_id: UUID) -> Template:
    """What one account may send unasked."""
    channel = await session.one(Channel, channel_id)
    guard = await guards.guard_of(session, channel_id)
    values = {
        "day_cap": guard.day_cap,
        "week_cap": guard.week_cap,
        "quiet_from": clock(guard.quiet_from),
        "quiet_to": clock(guard.quiet_to),
    }
    return _guard_page(access, channel, values)


@post(HOME + "/{channel_id:uuid}")
async def set_guard(
    request: WebRequest, session: WorkspaceSession, access: Access, channel_id: UUID
) -> Template | Redirect:
    """Change what one account may send unasked."""
    channel = await session.one(Channel, channel_id)
    data = await form_data(request)
    try:
        given = parse(GuardIn, data)
        await guards.set_guard(session, channel_id, **given.model_dump())
    except Invalid as error:
        return _guard_page(access, channel, data, error.fields)
    audit(session, access, "guards.update", channel_id, **given.model_dump(mode="json"))
    return to(HOME, _("The limits have been saved."))


def _guard_page(
    access: Access,
    channel: Channel,
    values: Mapping[str, Any],
    errors: Mapping[str, Text] | None = None,
) -> Template:
    names = ("day_cap", "week_cap", "quiet_from", "quiet_to")
    return page(
        "delivery/guard.html",
        status=422 if errors else 200,
        channel=channel,
        values={name: values.get(name, "") for name in names},
        errors=errors or {},
        timezone=access.timezone,
        max_day=MAX_DAY_CAP,
        max_week=MAX_WEEK_CAP,
    )


@get(HOME + "/topics/new", opt={"role": "operator"})
async def new_topic(session: WorkspaceSession) -> Template:
    """An empty form for a kind of message."""
    return await _topic_page(session, None, {"name": ""})


@post(HOME + "/topics/new")
async def create_topic(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Template | Redirect:
    """Make a kind of message."""
    data = await form_data(request)
    try:
        topic = await topics.save_topic(session, None, parse(TopicIn, data).name)
    except Invalid as error:
        return await _topic_page(session, None, data, error.fields)
    audit(session, access, "guards.topic_create", topic.id, name=topic.name)
    return to(HOME, _("The kind of message has been made."))


@get(HOME + "/topics/{topic_id:uuid}")
async def show_topic(session: WorkspaceSession, topic_id: UUID) -> Template:
    """A kind of message, and where it is used."""
    topic = await session.one(Topic, topic_id)
    return await _topic_page(session, topic, {"name": topic.name})


@post(HOME + "/topics/{topic_id:uuid}")
async def rename_topic(
    request: WebRequest, session: WorkspaceSession, access: Access, topic_id: UUID
) -> Template | Redirect:
    """Give a kind of message another name."""
    topic = await session.one(Topic, topic_id)
    data = await form_data(request)
    try:
        await topics.save_topic(session, topic, parse(TopicIn, data).name)
    except Invalid as error:
        return await _topic_page(session, topic, data, error.fields)
    audit(session, access, "guards.topic_update", topic_id, name=topic.name)
    return to(HOME, _("Saved."))


@post(HOME + "/topics/{topic_id:uuid}/delete")
async def delete_topic(session: WorkspaceSession, access: Access, topic_id: UUID) -> Redirect:
    """Delete a kind of message, and with it who declined it."""
    topic = await topics.delete_topic(session, topic_id)
    audit(session, access, "guards.topic_delete", topic_id, name=topic.name)
    return to(HOME, _("The kind of message has been deleted."))


async def _topic_page(
    session: WorkspaceSession,
    topic: Topic | None,
    values: Mapping[str, Any],
    errors: Mapping[str, Text] | None = None,
) -> Template:
    counts = {found.id: count for found, count in await topics.all_topics(session)}
    return page(
        "delivery/topic.html",
        status=422 if errors else 200,
        topic=topic,
        name=values.get("name", ""),
        errors=errors or {},
        declined=counts.get(topic.id, 0) if topic else 0,
        usages=await road().usages(session, "topic", topic.id) if topic else [],
    )


@get("/friends/{contact_id:uuid}/topics")
async def show_declined(session: WorkspaceSession, contact_id: UUID) -> Template:
    """The part of a friend's page that says what they want to be sent."""
    return await _declined_page(session, contact_id)


@post("/friends/{contact_id:uuid}/topics", status_code=200)
async def set_declined(
    request: WebRequest, session: WorkspaceSession, access: Access, contact_id: UUID
) -> Response[Any]:
    """Take down what kinds of message a friend wants and does not want."""
    data = await form_data(request)
    wanted, shown = _texts(data.get("wanted")), _texts(data.get("shown"))
    before = set(await topics.declined(session, contact_id))
    for topic, _count in await topics.all_topics(session):
        if str(topic.id) not in shown:
            continue  # made while the form was open: nobody has said anything about it
        if str(topic.id) in wanted and topic.id in before:
            await topics.opt_in(session, contact_id, topic.id)
            audit(session, access, "guards.opt_in", contact_id, topic_id=str(topic.id))
        elif str(topic.id) not in wanted and topic.id not in before:
            await topics.opt_out(session, contact_id, topic.id)
            audit(session, access, "guards.opt_out", contact_id, topic_id=str(topic.id))
    return await _declined_page(session, contact_id, is_saved=True)


def _texts(given: Any) -> set[str]:
    return {str(one) for one in cast("list[Any]", given)} if isinstance(given, list) else set()


async def _declined_page(
    session: WorkspaceSession, contact_id: UUID, *, is_saved: bool = False
) -> Template:
    declined = set(await topics.declined(session, contact_id))
    return page(
        "delivery/_declined.html",
        contact_id=contact_id,
        topics=[
            (topic, topic.id in declined) for topic, _count in await topics.all_topics(session)
        ],
        is_saved=is_saved,
    )


@get("/deliveries/{send_id:uuid}/left-out")
async def show_left_out(
    session: WorkspaceSession, send_id: UUID, reason: str = "", after: str = ""
) -> Template:
    """Whom a send was meant for but did not go to."""
    send = await session.one(Send, send_id)
    chosen = reason if reason in LEFT_OUT_REASONS else ""
    found = await left_out(session, send_id, reason=chosen, after=after)
    here = f"/deliveries/{send_id}/left-out"
    kept = {"reason": chosen} if chosen else {}
    counts = {name: int(getattr(send, name)) for name in LEFT_OUT_REASONS}
    return page(
        "delivery/left_out.html",
        send=send,
        words=gist(send.messages),
        people=found.people,
        counts=counts,
        everybody=sum(counts.values()),
        reasons=LEFT_OUT_WORDS,
        chosen=chosen,
        here=here,
        csv_url=f"{here}.csv" + (f"?{urlencode(kept)}" if kept else ""),
        before=f"{here}?{urlencode(kept)}" if after else "",
        after=f"{here}?{urlencode({**kept, 'after': found.next})}" if found.next else "",
    )


@get("/deliveries/{send_id:uuid}/left-out.csv")
async def export_left_out(
    session: WorkspaceSession, access: Access, send_id: UUID, reason: str = ""
) -> Stream:
    """Send the whole list of those who were left out as a file."""
    await session.one(Send, send_id)
    return Stream(
        as_csv(access.workspace_id, send_id, reason),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="left-out-{send_id}.csv"'},
    )


HANDLERS = [
    show_guards,
    show_guard,
    set_guard,
    new_topic,
    create_topic,
    show_topic,
    rename_topic,
    delete_topic,
    show_declined,
    set_declined,
    show_left_out,
    export_left_out,
]
