"""What this room can do: say something to one person, send to many, and say how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select, update

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession
from hiiki.delivery import guards, units
from hiiki.delivery.forecast import OverQuota, quota_of
from hiiki.delivery.freeze import freeze
from hiiki.delivery.models import Parcel, Send, Topic
from hiiki.delivery.sql import BULK, URGENT, wake, wake_with
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.ids import uuid7
from hiiki.line.limits import MAX_MESSAGES
from hiiki.timeline import record
from hiiki.workspace.models import Channel

SKEW = timedelta(minutes=1)
"""What is to go at once is due since then: it is compared with the database's clock, and this
machine's may be ahead."""
TOKEN_LEFT = timedelta(seconds=3)
"""A reply token that is good for less than this is not worth a try: the push is certain."""


async def say(
    session: WorkspaceSession,
    *,
    contact_id: UUID,
    channel_id: UUID,
    messages: Sequence[dict[str, Any]],
    subject: str = "",
    reply_token: str | None = None,
    reply_until: datetime | None = None,
    is_triggered: bool = False,
) -> list[Parcel]:
    """Hand over LINE messages to one person, ahead of all bulk; returns the parcels.

    While the reply token is good the first five go by it, free of charge ("Send reply
    message"); the rest, and all without a token, by push. Nothing is made for somebody
    who is not a friend of the account now.

    `is_triggered` says that the person has asked for nothing just now: the messages then wait
    for the end of quiet hours, and are not made for somebody who has had as much as the
    account's cap allows (`hiiki.delivery.guards`).
    """
    line_user_id = await _friend(session, contact_id, channel_id)
    if line_user_id is None or not messages:
        return []
    held_until: datetime | None = None
    if is_triggered:
        allowed = await session.once(
            ("limits", channel_id), lambda: guards.limits(session, channel_id)
        )
        if await guards.has_had_enough(session, allowed, contact_id, channel_id):
            note_left_out(session, contact_id, channel_id, subject, "capped")
            return []
        held_until = allowed.waits_until(now())
    chunks = [list(messages[i : i + MAX_MESSAGES]) for i in range(0, len(messages), MAX_MESSAGES)]
    # A person's parcels go out in the order of their ids.
    idents = sorted(uuid7() for _chunk in chunks)
    parcels = [
        Parcel(
            id=ident,
            workspace_id=session.workspace_id,
            channel_id=channel_id,
            subject=subject,
            method="push",
            contact_ids=[contact_id],
            line_user_ids=[line_user_id],
            messages=chunk,
            is_triggered=is_triggered,
        )
        for ident, chunk in zip(idents, chunks, strict=True)
    ]
    if reply_token and reply_until and reply_until - now() > TOKEN_LEFT:
        first = parcels[0]
        first.method, first.reply_token, first.reply_until = "reply", reply_token, reply_until
    for parcel in parcels:
        parcel.next_attempt_at = held_until or now() - SKEW
        session.write(parcel)
    wake_with(session, URGENT)
    return parcels


async def _friend(session: WorkspaceSession, contact_id: UUID, channel_id: UUID) -> str | None:
    """Return the LINE user id of somebody who is a friend of the account now."""

    async def ask(contact_ids: Sequence[UUID]) -> dict[UUID, str]:
        rows = await session.execute(
            _FRIENDS, {"channel_id": channel_id, "contact_ids": list(contact_ids)}
        )
        return dict(rows.all())

    return await session.ahead(("friends", channel_id), contact_id, ask)


# Made once: it is asked for nearly every event that comes in.
_FRIENDS = select(Friendship.contact_id, Friendship.line_user_id).where(
    Friendship.contact_id == any_(bindparam("contact_ids", type_=ARRAY(Uuid()))),
    Friendship.channel_id == bindparam("channel_id"),
    Friendship.status == "following",
)


def note_left_out(
    session: WorkspaceSession, contact_id: UUID, channel_id: UUID, subject: str, reason: str
) -> None:
    """Put on a contact's timeline that something was not said, and why (`LEFT_OUT_REASONS`)."""
    record(
        session,
        contact_id,
        "left_out",
        channel_id=channel_id,
        subject=subject,
        data={"reason": reason},
    )


async def start_send(
    session: WorkspaceSession,
    *,
    channel_id: UUID,
    subject: str,
    messages: Sequence[dict[str, Any]],
    personal: bool,
    audience: guards.Audience,
    topic_id: UUID | None = None,
    must_go: bool = False,
    up_to_quota: bool = False,
) -> Send:
    """Freeze the audience and let the send begin; it goes out once the session commits.

    `audience` may name anybody: only those who follow the channel
    are sent to, and those who have blocked it are counted, as are those who decline messages
    of the topic or have had as much as the account's cap allows. `must_go` sends although the
    cap or quiet hours would keep it. `up_to_quota` sends to as many as the month's messages
    suffice for (`hiiki.delivery.turns` says to whom). What the send needs is reserved: nothing
    that starts at the same moment is promised the same messages.

    Raises `NotFound` for another workspace's channel or topic, `Conflict` for a channel that
    was taken out of use, `OverQuota` when the messages do not suffice, `Invalid` when there
    are not one to five messages.
    """
    channel = await session.one(Channel, channel_id)
    if not channel.is_active:
        raise Conflict(_("This account is out of use: nothing can be sent from it."))
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise Invalid(_("A send has one to %(max)s messages.", max=MAX_MESSAGES))
    send = Send(
        workspace_id=session.workspace_id,
        channel_id=channel_id,
        subject=subject,
        messages=list(messages),
        personal=personal,
        topic_id=None if topic_id is None else (await session.one(Topic, topic_id)).id,
        must_go=must_go,
    )
    session.add(send)
    await session.flush()
    is_limited = (await quota_of(session, channel_id)).left is not None
    if is_limited or (not must_go and (await guards.limits(session, channel_id)).caps):
        await guards.hold_freezes(session, channel_id)
    left = (await quota_of(session, channel_id)).left if is_limited else None
    most = None if left is None or not up_to_quota else max(0, left)
    frozen = await freeze(session, send, audience, most=most)
    if left is not None and (frozen.targeted > max(0, left) or 0 == frozen.targeted < frozen.quota):
        raise OverQuota(frozen.targeted or frozen.quota, left)
    send.targeted, send.blocked = frozen.targeted, frozen.blocked
    send.opted_out, send.capped, send.quota = frozen.opted_out, frozen.capped, frozen.quota
    if send.targeted == 0:
        send.state, send.finished_at = "done", now()
    await units.assign(session, send)
    await session.flush()
    await wake(session, BULK)
    return send


_NO_REASON: Mapping[str, None] = dict.fromkeys(
    ("pause_code", "pause_reason", "pause_failed", "pause_of")
)


async def pause(session: WorkspaceSession, send_id: UUID) -> Send:
    """Stop claiming the send's parcels; what is with LINE at this moment finishes.

    Raises `NotFound`, or `Conflict` when the send is not running.
    """
    return await _change(session, send_id, ("running",), state="paused", **_NO_REASON)


async def resume(session: WorkspaceSession, send_id: UUID) -> Send:
    """Go on with a paused send; its error budget is whole again.

    Raises `NotFound`, or `Conflict` when it is not paused.
    """
    settled = Send.accepted + Send.refused + Send.in_doubt + Send.cancelled
    send = await _change(
        session,
        send_id,
        ("paused",),
        state="running",
        **_NO_REASON,
        running_since=func.now(),
        settled_before=settled,
        refused_since=0,
        tried_since=0,
        failed_since=0,
        pace_at=func.now(),
        pace_settled=settled,
        next_pace_at=func.now(),
        next_pace_settled=settled,
    )
    await wake(session, BULK)
    return send


async def cancel(session: WorkspaceSession, send_id: UUID) -> Send:
    """Send no more of it, for good. Whoever it has been accepted for keeps it.

    The workers then settle what is left: as cancelled, or as in doubt where an attempt
    had no answer. Raises `NotFound`, or `Conflict` when the send is over.
    """
    send = await _change(session, send_id, ("running", "paused"), state="cancelled", **_NO_REASON)
    await wake(session, BULK)
    return send


async def _change(
    session: WorkspaceSession, send_id: UUID, states: Sequence[str], **values: Any
) -> Send:
    send = await session.one(Send, send_id)
    changed = await session.execute(
        update(Send)
        .where(Send.id == send_id, Send.state.in_(states))
        .values(**values)
        .returning(Send.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        raise Conflict(_("The send has meanwhile been paused, resumed or finished."))
    await session.refresh(send)
    return send


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a send is. Everything counts people."""

    state: str
    targeted: int
    blocked: int
    opted_out: int
    capped: int
    quota: int
    accepted: int
    refused: int
    in_doubt: int
    cancelled: int
    waiting: int
    per_second: float
    """Settled a second: while it runs, over the last five to ten seconds; after its end, since
    the start or the last resume; 0 while it is paused."""
    seconds_left: float | None
    """At that speed; None when nothing is moving, or nothing is left."""
    pause_code: str | None
    """Why it paused by itself: quota, content, refused or errors (`hiiki.delivery.pauses`)."""
    pause_reason: str | None
    """What was said about it last, in LINE's words when it was LINE."""
    pause_failed: int | None
    """With refused and errors: how many people were refused, or requests failed, ..."""
    pause_of: int | None
    """... of so many."""
    channel_paused_reason: str | None
    """Why the whole account is paused (a revoked token), if it is."""


async def progress(session: WorkspaceSession, send_id: UUID) -> Progress:
    """Return how far a send is, from its counters; raises `NotFound`."""
    send = await session.one(Send, send_id)
    channel = await session.one(Channel, send.channel_id)
    return progress_of(send, channel)


def progress_of(send: Send, channel: Channel) -> Progress:
    """Return how far a send is, whose row and account one already has."""
    settled = send.accepted + send.refused + send.in_doubt + send.cancelled
    waiting = send.targeted - settled
    moves = send.state == "running" and channel.paused_reason is None
    per_second = _pace(send, settled) if send.finished_at or moves else 0.0
    return Progress(
        state=send.state,
        targeted=send.targeted,
        blocked=send.blocked,
        opted_out=send.opted_out,
        capped=send.capped,
        quota=send.quota,
        accepted=send.accepted,
        refused=send.refused,
        in_doubt=send.in_doubt,
        cancelled=send.cancelled,
        waiting=waiting,
        per_second=round(per_second, 1),
        seconds_left=round(waiting / per_second, 1) if moves and waiting and per_second else None,
        pause_code=send.pause_code,
        pause_reason=send.pause_reason,
        pause_failed=send.pause_failed,
        pause_of=send.pause_of,
        channel_paused_reason=channel.paused_reason,
    )


def _pace(send: Send, settled: int) -> float:
    if send.settled_at is None:
        return 0.0
    if send.finished_at is not None:
        # Whoever it was cancelled for was settled by one sweep, which says nothing of its speed.
        people = settled - send.cancelled - send.settled_before
        since, until = send.running_since, send.settled_at
    else:
        people, since = settled - send.pace_settled, send.pace_at
        # Not before what the database's clock has said, should ours be behind.
        until = max(now(), send.settled_at)
    return max(0, people) / max((until - since).total_seconds(), 0.1)
