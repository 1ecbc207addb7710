"""Who entered a segment and who left it: counts by day, and crossings between two counts.

A segment holds no members, so what it was yesterday has to be written down. A **count** asks the
segment once more, compares the answer with what the last count found (`Standing`, one row a
person with the numbers of the segments she was in), and writes down the difference: that many
entered, that many left, and who. All of it is set-based and stands in one transaction, so a
worker may be killed at any moment.

What is stored grows with people and days, not with people times segments: at a million friends
and fifty segments `Standing` has at most a million rows of some two hundred bytes, a day adds
fifty rows to `SegmentDay`, and of the crossings of a segment only the last `LISTED` in each
direction are kept once they have been told. A count reads all of `Standing` (0.1 s a million rows);
an index on its arrays would make that cheaper and each of the many changes dearer.

The first count of a segment, and the first after its rule (or that of a segment it refers to, or
how a field that it asks about is worked out) has changed, **begins anew**: it is compared with
nothing, for people who are in it or out of it because somebody edited a rule have done nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import (
    ColumnElement,
    Select,
    any_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.dialects.postgresql import insert as upsert

from hiiki.contacts.models import Contact, Friendship
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.road import road
from hiiki.segments import service
from hiiki.segments.compiler import compile_rule
from hiiki.segments.conditions import FieldIs
from hiiki.segments.models import Crossing, Segment, SegmentDay, Standing, Watch
from hiiki.segments.predicates import Frame
from hiiki.segments.rules import AnyRule, dump_rule, walk

log = structlog.get_logger()

LISTED = 500
"""So many people who entered a segment last, and so many who left it, are kept to be looked at."""
BY_HAND = {"scoped_by_hand": True}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a count found."""

    members: int
    reachable: int
    """Members who follow one account at least."""
    entered: int
    left: int
    anew: bool


async def watch_of(session: WorkspaceSession, segment_id: UUID) -> Watch:
    """Return how far a segment's history has got; begins it where there is none."""
    found = await session.get(Watch, segment_id)
    if found is None:
        # Two may begin it at once.
        await session.execute(
            upsert(Watch)
            .values(workspace_id=session.workspace_id, segment_id=segment_id, mark="")
            .on_conflict_do_nothing(),
            execution_options=BY_HAND,
        )
        found = await session.one(Watch, segment_id)
    return found


async def take(session: WorkspaceSession, segment_id: UUID) -> Taken | None:
    """Count a segment, and write down who has entered and left since the last count.

    Returns None for one that is gone or cannot be asked (it refers to what was deleted); it then
    keeps what the last count found.
    """
    # Two counts of a workspace would change the same people's rows in different orders.
    lock = func.hashtextextended(f"segments:history:{session.workspace_id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(lock)), execution_options=BY_HAND)
    segment = await session.get(Segment, segment_id)
    if segment is None:
        return None
    watch = await watch_of(session, segment_id)
    watch.tried_at = at = now()
    try:
        rule = await service.checked_rule(session, segment)
        frame = await service.frame_for(session, rule)
        members = compile_rule(rule, frame)
    except Invalid as error:
        log.warning("segments.not_counted", segment_id=str(segment_id), error=str(error))
        return None
    mark = await _mark(session, rule, frame)
    anew, watch.mark = watch.mark != mark, mark
    # What happened before somebody asked to be told is no news.
    tells = bool(watch.tells_since and watch.counted_at and watch.counted_at >= watch.tells_since)
    watch.counted_at = at
    await session.flush()
    if anew:
        entered = left = 0
        await _begin_anew(session, watch.number, members)
    else:
        entered, left = await _cross(session, watch, members, tells=tells)
    counted = await _figures(session, watch.number)
    taken = Taken(*counted, entered, left, anew)
    await _write_day(session, segment_id, at.astimezone(frame.zone).date(), taken)
    return taken


async def _mark(session: WorkspaceSession, rule: AnyRule, frame: Frame) -> str:
    referred = {str(ident): dump_rule(each) for ident, each in frame.segments.items()}
    said = json.dumps(
        [dump_rule(rule), referred, await _defined(session, rule, frame)], sort_keys=True
    )
    return hashlib.sha256(said.encode()).hexdigest()


async def _defined(session: WorkspaceSession, rule: AnyRule, frame: Frame) -> dict[str, str]:
    """Return how the fields that are asked about are worked out, of those that say so."""
    names = {
        part.field
        for each in (rule, *frame.segments.values())
        for _path, part in walk(each)
        if isinstance(part, FieldIs)
    }
    found: dict[str, str] = {}
    for name in sorted(names & road().fields.keys()):
        if (mark := road().fields[name].mark) is not None:
            found[name] = await mark(session)
    return found


def _was_in(number: int) -> ColumnElement[bool]:
    return literal(number) == any_(Standing.numbers)


async def _begin_anew(session: WorkspaceSession, number: int, members: Select[UUID]) -> None:
    inner = members.subquery("members")
    still = exists(
        select(inner.c.contact_id)
        .where(inner.c.contact_id == Standing.contact_id)
        .correlate(Standing)
    )
    await session.execute(
        update(Standing)
        .where(Standing.workspace_id == session.workspace_id, _was_in(number), not_(still))
        .values(numbers=func.array_remove(Standing.numbers, number)),
        execution_options=BY_HAND | {"synchronize_session": False},
    )
    await _put_in(session, number, select(inner.c.contact_id))
    await _tidy(session)


async def _put_in(session: WorkspaceSession, number: int, people: Select[UUID]) -> None:
    row = people.subquery("row")
    adding = upsert(Standing).from_select(
        ["contact_id", "workspace_id", "numbers"],
        select(row.c.contact_id, literal(session.workspace_id), array([number])),
    )
    await session.execute(
        adding.on_conflict_do_update(
            index_elements=[Standing.contact_id],
            set_={"numbers": Standing.numbers + adding.excluded.numbers},
            where=not_(_was_in(number)),
        ),
        execution_options=BY_HAND,
    )


async def _cross(
    session: WorkspaceSession, watch: Watch, members: Select[UUID], *, tells: bool
) -> tuple[int, int]:
    """Write down the difference to the last count; return how many entered and left."""
    at = watch.counted_at
    now_in = members.subquery("now_in")
    was_in = (
        select(Standing.contact_id)
        .where(Standing.workspace_id == session.workspace_id, _was_in(watch.number))
        .subquery("was_in")
    )
    both = now_in.join(was_in, now_in.c.contact_id == was_in.c.contact_id, full=True)
    crossed = (
        select(
            func.coalesce(now_in.c.contact_id, was_in.c.contact_id),
            literal(session.workspace_id),
            literal(watch.segment_id),
            literal(at),
            was_in.c.contact_id.is_(None),
            literal(tells),
        )
        .select_from(both)
        .where(or_(now_in.c.contact_id.is_(None), was_in.c.contact_id.is_(None)))
    )
    columns = ["contact_id", "workspace_id", "segment_id", "at", "entered", "is_due"]
    await session.execute(insert(Crossing).from_select(columns, crossed), execution_options=BY_HAND)
    here = (
        Crossing.workspace_id == session.workspace_id,
        Crossing.segment_id == watch.segment_id,
        Crossing.at == at,
    )
    found = await session.execute(
        select(Crossing.entered, func.count()).where(*here).group_by(Crossing.entered)
    )
    sums = dict(found.tuples().all())
    entered, left = sums.get(True, 0), sums.get(False, 0)
    if entered:
        await _put_in(
            session, watch.number, select(Crossing.contact_id).where(*here, Crossing.entered)
        )
    if left:
        await session.execute(
            update(Standing)
            .where(Standing.contact_id == Crossing.contact_id, *here, not_(Crossing.entered))
            .values(numbers=func.array_remove(Standing.numbers, watch.number)),
            execution_options=BY_HAND | {"synchronize_session": False},
        )
        await _tidy(session)
    if not tells:
        await prune(session, watch.segment_id)
    return entered, left


async def _tidy(session: WorkspaceSession) -> None:
    await session.execute(
        delete(Standing).where(
            Standing.workspace_id == session.workspace_id,
            func.cardinality(Standing.numbers) == 0,
        ),
        execution_options=BY_HAND | {"synchronize_session": False},
    )


async def prune(session: WorkspaceSession, segment_id: UUID) -> None:
    """Forget crossings that wait for nothing and are not among a segment's last."""
    here = (
        Crossing.workspace_id == session.workspace_id,
        Crossing.segment_id == segment_id,
        not_(Crossing.is_due),
    )
    for entered in (True, False):
        # The first that is one too many; all behind it go, in one pass.
        found = await session.execute(
            select(Crossing.at, Crossing.contact_id)
            .where(*here, Crossing.entered.is_(entered))
            .order_by(Crossing.at.desc(), Crossing.contact_id)
            .offset(LISTED)
            .limit(1)
        )
        row = found.one_or_none()
        if row is not None:
            at, contact_id = row
            behind = (Crossing.at == at) & (Crossing.contact_id >= contact_id)
            await session.execute(
                delete(Crossing).where(
                    *here, Crossing.entered.is_(entered), or_(Crossing.at < at, behind)
                ),
                execution_options=BY_HAND | {"synchronize_session": False},
            )


async def _figures(session: WorkspaceSession, number: int) -> tuple[int, int]:
    follows = exists(
        select(Friendship.contact_id).where(
            Friendship.workspace_id == session.workspace_id,
            Friendship.contact_id == Standing.contact_id,
            Friendship.status == "following",
        )
    )
    found = await session.execute(
        select(func.count(), func.coalesce(func.sum(case((follows, 1), else_=0)), 0))
        .select_from(Standing)
        .where(Standing.workspace_id == session.workspace_id, _was_in(number)),
        execution_options=BY_HAND,
    )
    members, reachable = found.one()
    return members, int(reachable)


async def _write_day(session: WorkspaceSession, segment_id: UUID, day: date, taken: Taken) -> None:
    adding = upsert(SegmentDay).values(
        workspace_id=session.workspace_id,
        segment_id=segment_id,
        day=day,
        members=taken.members,
        reachable=taken.reachable,
        entered=taken.entered,
        left=taken.left,
        anew=taken.anew,
    )
    new = adding.excluded
    await session.execute(
        adding.on_conflict_do_update(
            index_elements=[SegmentDay.segment_id, SegmentDay.day],
            set_={
                "members": new.members,
                "reachable": new.reachable,
                "entered": SegmentDay.entered + new.entered,
                "left": SegmentDay.left + new.left,
                "anew": or_(SegmentDay.anew, new.anew),
            },
        ),
        execution_options=BY_HAND,
    )


# --- reading ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """The days of a segment, oldest first, and what the last seven of them came to."""

    days: Sequence[SegmentDay]
    entered: int
    left: int
    """In the seven days up to today."""


async def history_of(
    session: WorkspaceSession, segment_id: UUID, today: date, *, days: int = 90
) -> History:
    """Return the figures of the last `days` days on which the segment was counted."""
    rows = list(
        await session.scalars(
            select(SegmentDay)
            .where(
                SegmentDay.segment_id == segment_id, SegmentDay.day > today - timedelta(days=days)
            )
            .order_by(SegmentDay.day)
        )
    )
    week = [row for row in rows if row.day > today - timedelta(days=7)]
    return History(rows, sum(row.entered for row in week), sum(row.left for row in week))


async def crossings(
    session: WorkspaceSession, segment_id: UUID, *, entered: bool, limit: int = 50
) -> list[tuple[Contact, datetime]]:
    """Return who entered the segment last, or left it, and when that was seen."""
    found = await session.execute(
        select(Contact, Crossing.at)
        .join(Crossing, Crossing.contact_id == Contact.id)
        .where(Crossing.segment_id == segment_id, Crossing.entered.is_(entered))
        .order_by(Crossing.at.desc(), Crossing.contact_id)
        .limit(limit)
    )
    return [(contact, at) for contact, at in found.tuples()]
