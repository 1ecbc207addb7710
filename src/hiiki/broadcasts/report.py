"""What became of a broadcast, read from the timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, cast, distinct, func, select, text
from sqlalchemy.orm import aliased

from hiiki.broadcasts.line_figures import line_figures, opened_of
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.schemas import LinkReport, Recipient, Report
from hiiki.broadcasts.service import owner_of
from hiiki.content.models import Link
from hiiki.db import WorkspaceSession
from hiiki.delivery import service as delivery
from hiiki.delivery.models import Send
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.timeline import Event

CHART_HOURS = 72
"""How long after sending the chart of openings goes on; nearly all come within a day."""
RECIPIENTS_PAGE = 50
STATES = ("ready", "sending", "accepted", "refused", "in_doubt", "cancelled")


@dataclass(frozen=True, slots=True)
class Line:
    """What the list says of one broadcast."""

    broadcast: Broadcast
    sent_at: datetime | None
    accepted: int
    targeted: int
    opened: int | None
    """LINE's count; None where it tells nothing (`hiiki.broadcasts.line_figures`)."""
    clicked: int
    send_state: str


async def lines(session: WorkspaceSession, broadcasts: Sequence[Broadcast]) -> list[Line]:
    """Return the list's figures for these broadcasts."""
    send_ids = [b.send_id for b in broadcasts if b.send_id is not None]
    sends = {
        send.id: send for send in await session.scalars(select(Send).where(Send.id.in_(send_ids)))
    }
    opened = await opened_of(session, send_ids)
    clicked = await _clicked(session, [owner_of(b.id) for b in broadcasts if b.send_id])
    found: list[Line] = []
    for broadcast in broadcasts:
        send = sends.get(broadcast.send_id) if broadcast.send_id else None
        found.append(
            Line(
                broadcast,
                send.created_at if send else None,
                send.accepted if send else 0,
                send.targeted if send else 0,
                opened.get(send.id) if send else None,
                clicked.get(owner_of(broadcast.id), 0),
                send.state if send else "",
            )
        )
    return found


async def _clicked(session: WorkspaceSession, owners: Sequence[str]) -> dict[str, int]:
    if not owners:
        return {}
    rows = await session.execute(
        select(Link.owner, func.count(distinct(Event.contact_id)))
        .join(Event, and_(Event.kind == "link_open", Event.subject == cast(Link.id, String)))
        .where(Link.owner.in_(owners))
        .group_by(Link.owner)
    )
    return dict(rows.all())


async def report(session: WorkspaceSession, broadcast: Broadcast) -> Report:
    """Return a sent broadcast's figures; all zero for one that has not gone out."""
    owner = owner_of(broadcast.id)
    if broadcast.send_id is None:
        progress = None
        sent_at = None
        line = None
    else:
        progress = await delivery.progress(session, broadcast.send_id)
        send = await session.one(Send, broadcast.send_id)
        sent_at = send.created_at
        line = await line_figures(session, send)
    links = await _links(session, owner)
    clicked = (await _clicked(session, [owner])).get(owner, 0)
    issued, used = await _coupons(session, broadcast, owner, sent_at)
    day, three_days = await _blocks(session, broadcast, owner, sent_at)
    accepted = progress.accepted if progress else 0
    targeted = progress.targeted if progress else 0
    return Report(
        state=progress.state if progress else broadcast.state,
        sent_at=sent_at,
        targeted=targeted,
        blocked=progress.blocked if progress else 0,
        opted_out=progress.opted_out if progress else 0,
        capped=progress.capped if progress else 0,
        quota=progress.quota if progress else 0,
        accepted=accepted,
        refused=progress.refused if progress else 0,
        in_doubt=progress.in_doubt if progress else 0,
        cancelled=progress.cancelled if progress else 0,
        waiting=progress.waiting if progress else 0,
        per_second=progress.per_second if progress else 0.0,
        seconds_left=progress.seconds_left if progress else None,
        pause_code=progress.pause_code if progress else None,
        pause_reason=(progress.pause_reason or progress.channel_paused_reason)
        if progress
        else None,
        clicked=clicked,
        click_rate=clicked / accepted if accepted else None,
        opens=sum(link.opens for link in links),
        line=line,
        links=links,
        coupons_issued=issued,
        coupons_used=used,
        blocked_within_24h=day,
        blocked_within_72h=three_days,
        saved_messages=max(0, (broadcast.everybody or 0) - targeted) if progress else 0,
    )


async def _links(session: WorkspaceSession, owner: str) -> list[LinkReport]:
    rows = await session.execute(
        select(
            Link.id,
            Link.url,
            Link.label,
            func.count(distinct(Event.contact_id)),
            func.count(Event.id),
        )
        .outerjoin(Event, and_(Event.kind == "link_open", Event.subject == cast(Link.id, String)))
        .where(Link.owner == owner)
        .group_by(Link.id, Link.url, Link.label)
        .order_by(func.count(distinct(Event.contact_id)).desc(), Link.id)
    )
    return [
        LinkReport(link_id=ident, url=url, label=label, people=people, opens=opens)
        for ident, url, label, people, opens in rows
    ]


def coupons_in(draft: dict[str, Any]) -> list[str]:
    """Return the ids of the coupons that a stored draft holds."""
    return [
        str(block["coupon_id"])
        for block in draft.get("blocks", [])
        if block.get("kind") == "coupon"
    ]


async def _coupons(
    session: WorkspaceSession, broadcast: Broadcast, owner: str, sent_at: datetime | None
) -> tuple[int, int]:
    coupons = coupons_in(broadcast.draft)
    if not coupons or sent_at is None:
        return 0, 0
    rows = await session.execute(
        select(Event.kind, func.count(Event.id))
        .where(
            Event.kind.in_(("coupon_issue", "coupon_use")),
            Event.subject.in_(coupons),
            Event.at >= sent_at,
            Event.data["grant"].astext == owner,
        )
        .group_by(Event.kind)
    )
    found = dict(rows.all())
    return found.get("coupon_issue", 0), found.get("coupon_use", 0)


async def _blocks(
    session: WorkspaceSession, broadcast: Broadcast, owner: str, sent_at: datetime | None
) -> tuple[int, int]:
    """Count who got it and blocked the account within a day, and within three."""
    if sent_at is None:
        return 0, 0
    got = aliased(Event)
    left = aliased(Event)
    after = left.at - got.at
    rows = await session.execute(
        select(
            func.count(distinct(left.contact_id)).filter(after <= timedelta(hours=24)),
            func.count(distinct(left.contact_id)),
        )
        .join(
            got,
            and_(got.contact_id == left.contact_id, got.kind == "sent", got.subject == owner),
        )
        .where(
            left.kind == "unfollow",
            left.channel_id == broadcast.channel_id,
            left.at >= sent_at,
            after >= timedelta(0),
            after <= timedelta(hours=72),
        )
    )
    day, three_days = rows.one()
    return int(day), int(three_days)


async def opens_by_hour(
    session: WorkspaceSession, broadcast_id: UUID, sent_at: datetime
) -> list[tuple[int, int]]:
    """Return (hours since sending, people who had opened a link by then)."""
    first = (
        select(Event.contact_id, func.min(Event.at).label("at"))
        .join(Link, and_(Event.kind == "link_open", Event.subject == cast(Link.id, String)))
        .where(Link.owner == owner_of(broadcast_id))
        .group_by(Event.contact_id)
        .subquery()
    )
    hour = func.floor(func.extract("epoch", first.c.at - sent_at) / 3600)
    rows = await session.execute(select(hour, func.count()).select_from(first).group_by(hour))
    per_hour: defaultdict[int, int] = defaultdict(int)
    for at, n in rows:
        per_hour[min(max(0, int(at)), CHART_HOURS)] += n
    if not per_hour:
        return []
    total = 0
    found: list[tuple[int, int]] = []
    for at in range(max(per_hour) + 1):
        total += per_hour[at]
        found.append((at, total))
    return found


_RECIPIENTS = """
select p.id::text || ':' || r.n as place, r.contact_id, p.state, p.error
from delivery.parcel p cross join unnest(p.contact_ids) with ordinality as r(contact_id, n)
where p.workspace_id = :workspace and p.send_id = :send
  and (cast(:state as text) is null or p.state = :state)
  and (cast(:parcel as uuid) is null or (p.id, r.n) > (cast(:parcel as uuid), :n))
order by p.id, r.n
limit :limit
"""
_DETAILS = """
select c.id, coalesce(c.real_name, c.display_name),
  (select min(e.at) from timeline.event e join content.link l
     on l.workspace_id = :workspace and l.owner = :owner and e.subject = l.id::text
   where e.workspace_id = :workspace and e.contact_id = c.id and e.kind = 'link_open')
from contacts.contact c where c.workspace_id = :workspace and c.id = any(:ids)
"""


async def recipients(
    session: WorkspaceSession,
    broadcast: Broadcast,
    *,
    state: str | None = None,
    after: str | None = None,
    limit: int = RECIPIENTS_PAGE,
) -> tuple[list[Recipient], str | None]:
    """Return people of the frozen audience from a place on, and the place to go on from."""
    if broadcast.send_id is None:
        return [], None
    parcel, n = _place(after)
    by_hand = {"scoped_by_hand": True}
    rows = (
        await session.execute(
            text(_RECIPIENTS),
            {
                "workspace": session.workspace_id,
                "send": broadcast.send_id,
                "state": state,
                "parcel": parcel,
                "n": n,
                "limit": limit + 1,
            },
            execution_options=by_hand,
        )
    ).all()
    more = rows[limit - 1].place if len(rows) > limit else None
    rows = rows[:limit]
    details = {
        row[0]: (row[1], row[2])
        for row in await session.execute(
            text(_DETAILS),
            {
                "workspace": session.workspace_id,
                "owner": owner_of(broadcast.id),
                "ids": [row.contact_id for row in rows],
            },
            execution_options=by_hand,
        )
    }
    return [
        Recipient(
            contact_id=row.contact_id,
            display_name=details.get(row.contact_id, ("", None))[0],
            state=row.state,
            error=row.error,
            clicked_at=details.get(row.contact_id, ("", None))[1],
        )
        for row in rows
    ], more


def _place(after: str | None) -> tuple[UUID | None, int]:
    if not after:
        return None, 0
    try:
        parcel, n = after.split(":")
        return UUID(parcel), int(n)
    except ValueError:
        raise Invalid(fields={"after": _("This value cannot be taken.")}) from None


CSV_HEAD = ("contact_id", "name", "state", "error", "clicked_at")


def csv_rows(people: Iterable[Recipient]) -> Iterable[tuple[str, ...]]:
    """Return the lines of an export. A name cannot become a spreadsheet's formula."""
    for one in people:
        name = one.display_name
        if name[:1] in ("=", "+", "-", "@", "\t", "\r"):
            name = "'" + name
        yield (
            str(one.contact_id),
            name,
            one.state,
            one.error or "",
            one.clicked_at.isoformat() if one.clicked_at else "",
        )
