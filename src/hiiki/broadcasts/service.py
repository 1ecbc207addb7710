"""Broadcasts: from the draft to the moment it goes out, and what can be done on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy import select

from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.reach import (
    Outlook,
    check_reach,
    nobody,
    outlook,
    over_quota,
)
from hiiki.broadcasts.schemas import BroadcastIn
from hiiki.contacts.models import Contact, Friendship
from hiiki.content import service as content
from hiiki.content.draft import Draft
from hiiki.db import WorkspaceSession, scope
from hiiki.delivery import service as delivery
from hiiki.delivery.forecast import OverQuota
from hiiki.delivery.models import Send, Topic
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, HiikiError, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import road
from hiiki.line.limits import line_month
from hiiki.segments import service as segments
from hiiki.segments.models import Segment
from hiiki.workspace.models import Channel, Workspace
from hiiki.workspace.quota import refresh_before_send

SEND_JOB = "broadcasts:send_scheduled"
MAX_AHEAD = timedelta(days=366)
MAX_LATE = timedelta(hours=3)
"""A broadcast whose hour passed while Hiiki was not running is not sent in the middle of the
night: beyond this it waits for somebody to decide."""
MAX_TESTERS = 10


def owner_of(broadcast_id: UUID) -> str:
    """Return the name under which a broadcast's sends, links and coupons stand."""
    return f"broadcast:{broadcast_id}"


async def save(
    session: WorkspaceSession, broadcast: Broadcast | None, data: BroadcastIn
) -> Broadcast:
    """Store a new or changed broadcast as a draft.

    Raises `Invalid` at the fields, `Conflict` for one that is scheduled or has been sent.
    """
    if broadcast is not None:
        broadcast = await _locked(session, broadcast.id)
        if broadcast.state not in ("draft", "cancelled"):
            raise Conflict(_("This broadcast is scheduled or has been sent; it cannot be changed."))
    errors: dict[str, Text] = {}
    channel = await session.get(Channel, data.channel_id)
    if channel is None or not channel.is_active:
        errors["channel_id"] = _("Please choose one from the list.")
    if data.segment_id is not None and await session.get(Segment, data.segment_id) is None:
        errors["segment_id"] = _("This segment has been deleted. Please choose another one.")
    if data.topic_id is not None and await session.get(Topic, data.topic_id) is None:
        errors["topic_id"] = _("Please choose one from the list.")
    try:
        await content.check(session, data.draft, "draft.")
    except Invalid as error:
        errors.update(error.fields)
    if errors:
        raise Invalid(fields=errors)
    if broadcast is None:
        broadcast = Broadcast(state="draft")
        session.add(broadcast)
    broadcast.name = data.name
    broadcast.channel_id = data.channel_id
    broadcast.segment_id = data.segment_id
    broadcast.topic_id = data.topic_id
    broadcast.must_go = data.must_go
    broadcast.up_to_quota = data.up_to_quota
    broadcast.draft = data.draft.model_dump(mode="json")
    broadcast.state = "draft"
    broadcast.scheduled_at = None
    broadcast.problem = None
    await session.flush()
    return broadcast


async def ask_quota(workspace_id: UUID, broadcast_id: UUID) -> None:
    """Bring the quota of a broadcast's account up to date, to be done before it is sent.

    In transactions of its own, for LINE is waited for in between; raises nothing when LINE does
    not answer, or there is no such broadcast.
    """
    async with scope(workspace_id) as session:
        channel_id = await session.scalar(
            select(Broadcast.channel_id).where(
                Broadcast.id == broadcast_id, Broadcast.state != "sent"
            )
        )
    if channel_id is not None:
        await refresh_before_send(workspace_id, channel_id)


async def send_now(session: WorkspaceSession, broadcast_id: UUID) -> Send:
    """Send a draft, or a scheduled one before its time.

    Raises `Invalid` when it would reach nobody, goes over the quota, or holds what is gone;
    `Conflict` when it has been sent already.
    """
    broadcast = await _locked(session, broadcast_id)
    if broadcast.state == "sent":
        raise Conflict(_("This broadcast has been sent already."))
    return await _launch(session, broadcast)


async def schedule(session: WorkspaceSession, broadcast_id: UUID, at: datetime) -> Broadcast:
    """Let a broadcast go out at `at` (with a time zone); raises `Invalid` or `Conflict`."""
    broadcast = await _locked(session, broadcast_id)
    if broadcast.state == "sent":
        raise Conflict(_("This broadcast has been sent already."))
    if at <= now():
        raise Invalid(fields={"at": _("This time has passed. Please choose a later one.")})
    if at > now() + MAX_AHEAD:
        raise Invalid(fields={"at": _("Please choose a time within a year.")})
    await _ready(session, broadcast, at)
    broadcast.state = "scheduled"
    broadcast.scheduled_at = at
    broadcast.problem = None
    await enqueue(
        session,
        SEND_JOB,
        {
            "workspace_id": str(session.workspace_id),
            "broadcast_id": str(broadcast.id),
            "at": at.isoformat(),
        },
        at=at,
        lock=owner_of(broadcast.id),
    )
    return broadcast


async def send_scheduled(session: WorkspaceSession, broadcast_id: UUID, at: datetime) -> None:
    """Send a broadcast whose time has come. Safe to run twice, or late."""
    broadcast = await session.get(Broadcast, broadcast_id, with_for_update=True)
    if broadcast is None or broadcast.state != "scheduled" or broadcast.scheduled_at != at:
        return
    problem: Text | None = None
    if now() - at > MAX_LATE:
        problem = _("Hiiki was not running at the time it was set for. Please send it again.")
    else:
        try:
            async with session.begin_nested():
                await _launch(session, broadcast)
        except HiikiError as error:
            problem = next(iter(error.fields.values()), error.message)
    if problem is not None:
        workspace = await session.get(Workspace, session.workspace_id)
        await session.refresh(broadcast)
        broadcast.state = "cancelled"
        broadcast.problem = problem.to(workspace.locale if workspace else "ja")


async def cancel(session: WorkspaceSession, broadcast_id: UUID) -> Broadcast:
    """Take back a schedule, or stop a send; raises `Conflict` when there is nothing to stop."""
    broadcast = await _locked(session, broadcast_id)
    if broadcast.state == "scheduled":
        broadcast.state = "cancelled"
        broadcast.scheduled_at = None
    elif broadcast.send_id is not None:
        await delivery.cancel(session, broadcast.send_id)
    else:
        raise Conflict(_("This broadcast is neither scheduled nor being sent."))
    return broadcast


async def pause(session: WorkspaceSession, broadcast_id: UUID) -> Broadcast:
    """Stop sending for the time being; raises `Conflict` when it is not being sent."""
    broadcast = await session.one(Broadcast, broadcast_id)
    await delivery.pause(session, _send_of(broadcast))
    return broadcast


async def resume(session: WorkspaceSession, broadcast_id: UUID) -> Broadcast:
    """Go on with a paused send; raises `Conflict` when it is not paused."""
    broadcast = await session.one(Broadcast, broadcast_id)
    await delivery.resume(session, _send_of(broadcast))
    return broadcast


async def send_test(
    session: WorkspaceSession, broadcast_id: UUID, contact_ids: Sequence[UUID]
) -> int:
    """Send it to these contacts alone, outside all counting; returns how many.

    Raises `Invalid` at `contact_ids` for people who do not follow the account.
    """
    broadcast = await session.one(Broadcast, broadcast_id)
    chosen = list(dict.fromkeys(contact_ids))
    if not 1 <= len(chosen) <= MAX_TESTERS:
        raise Invalid(
            fields={"contact_ids": _("Please choose one to %(max)s people.", max=MAX_TESTERS)}
        )
    following = set(
        await session.scalars(
            select(Friendship.contact_id).where(
                Friendship.channel_id == broadcast.channel_id,
                Friendship.status == "following",
                Friendship.contact_id.in_(chosen),
            )
        )
    )
    if missing := [ident for ident in chosen if ident not in following]:
        names = list(
            await session.scalars(select(Contact.display_name).where(Contact.id.in_(missing)))
        )
        if len(names) < len(missing):
            raise NotFound()
        raise Invalid(
            fields={
                "contact_ids": _(
                    "%(names)s does not follow the account at present, so nothing can be sent.",
                    names=", ".join(names),
                )
            }
        )
    draft = await _checked_draft(session, broadcast)
    owner = f"test:{broadcast.id}"
    built = await content.build(session, draft, owner)
    filled = await content.personalise(session, built.messages, chosen)
    for contact_id in chosen:
        await delivery.say(
            session,
            contact_id=contact_id,
            channel_id=broadcast.channel_id,
            messages=filled[contact_id],
            subject=owner,
        )
    return len(chosen)


async def duplicate(session: WorkspaceSession, broadcast_id: UUID, name: str) -> Broadcast:
    """Make a new draft with the same content and audience; raises `NotFound`."""
    old = await session.one(Broadcast, broadcast_id)
    segment_id = old.segment_id
    if segment_id is not None and await session.get(Segment, segment_id) is None:
        segment_id = None
    made = Broadcast(
        name=name[:100],
        channel_id=old.channel_id,
        segment_id=segment_id,
        topic_id=old.topic_id,
        must_go=old.must_go,
        up_to_quota=old.up_to_quota,
        draft=old.draft,
        state="draft",
    )
    session.add(made)
    await session.flush()
    return made


async def delete(session: WorkspaceSession, broadcast_id: UUID) -> None:
    """Delete a broadcast that was never sent.

    Raises `Conflict` for the others, and for one that something uses, such as a segment.
    """
    broadcast = await _locked(session, broadcast_id)
    if broadcast.state not in ("draft", "cancelled"):
        raise Conflict(
            _("Only drafts can be deleted. Take a scheduled one back first; what was sent is kept.")
        )
    if used := await road().usages(session, "broadcast", broadcast_id):
        places = ", ".join(usage.label for usage in used[:5])
        raise Conflict(_("This broadcast is in use: %(places)s.", places=places))
    await session.delete(broadcast)


def local_time(value: str, timezone: str) -> datetime:
    """Return what was typed as a moment in the shop's time zone; raises `Invalid` at `at`."""
    try:
        typed = datetime.fromisoformat(value.strip())
    except ValueError:
        raise Invalid(fields={"at": _("Please enter a date and time.")}) from None
    if typed.tzinfo is not None:
        return typed
    zone = ZoneInfo(timezone)
    found = typed.replace(tzinfo=zone)
    there = found.astimezone(ZoneInfo("UTC")).astimezone(zone)
    if there.replace(tzinfo=None) != typed:
        # The hour that is skipped when clocks go forward.
        raise Invalid(fields={"at": _("This time does not exist on that day. Please check it.")})
    return found


async def _launch(session: WorkspaceSession, broadcast: Broadcast) -> Send:
    draft, reach = await _ready(session, broadcast)
    built = await content.build(session, draft, owner_of(broadcast.id))
    if broadcast.segment_id is not None:
        broadcast.audience_name = (await session.one(Segment, broadcast.segment_id)).name
    try:
        send = await _start(session, broadcast, built)
    except OverQuota as error:  # another send has just reserved what was left
        raise over_quota(error) from error
    if send.targeted == 0:
        raise nobody(send.opted_out + send.capped > 0)
    broadcast.state = "sent"
    broadcast.send_id = send.id
    broadcast.everybody = reach.everybody
    broadcast.problem = None
    return send


async def _start(session: WorkspaceSession, broadcast: Broadcast, built: content.Built) -> Send:
    return await delivery.start_send(
        session,
        channel_id=broadcast.channel_id,
        subject=owner_of(broadcast.id),
        messages=built.messages,
        personal=built.personal,
        audience=await segments.audience(session, broadcast.segment_id),
        topic_id=broadcast.topic_id,
        must_go=broadcast.must_go,
        up_to_quota=broadcast.up_to_quota,
    )


async def _ready(
    session: WorkspaceSession, broadcast: Broadcast, at: datetime | None = None
) -> tuple[Draft, Outlook]:
    """Return what is to be sent and whom it reaches; raises `Invalid` when it must not go out.

    `at` is when it will be sent, by default now: another month has a quota of its own.
    """
    draft = await _checked_draft(session, broadcast)
    if broadcast.segment_id is not None and (
        await session.get(Segment, broadcast.segment_id) is None
    ):
        raise Invalid(
            fields={
                "segment_id": _("This segment has been deleted. Please choose another one."),
            }
        )
    reach = await outlook(
        session,
        broadcast.channel_id,
        broadcast.segment_id,
        topic_id=broadcast.topic_id,
        must_go=broadcast.must_go,
        up_to_quota=broadcast.up_to_quota,
    )
    check_reach(reach, minds_quota=at is None or line_month(at) == line_month(now()))
    return draft, reach


async def _checked_draft(session: WorkspaceSession, broadcast: Broadcast) -> Draft:
    try:
        draft = Draft.model_validate(broadcast.draft)
    except ValidationError:
        draft = parse(Draft, broadcast.draft)  # says it in words
    await content.check(session, draft, "draft.")
    return draft


async def _locked(session: WorkspaceSession, broadcast_id: UUID) -> Broadcast:
    broadcast = await session.get(
        Broadcast, broadcast_id, with_for_update=True, populate_existing=True
    )
    if broadcast is None:
        raise NotFound()
    return broadcast


def _send_of(broadcast: Broadcast) -> UUID:
    if broadcast.send_id is None:
        raise Conflict(_("This broadcast is not being sent."))
    return broadcast.send_id
