"""Asking segments: who is in, how many, what it says; saving and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Select, Text, cast, exists, func, select, tuple_

from hiiki.contacts.models import Contact, Friendship
from hiiki.contacts.search import cursor, read_cursor
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text as Words
from hiiki.kit.i18n import _
from hiiki.kit.road import Usage, road
from hiiki.segments.check import check, refers_to
from hiiki.segments.compiler import Frame, compile_rule
from hiiki.segments.explain import sentence
from hiiki.segments.models import Segment
from hiiki.segments.names import names_of
from hiiki.segments.rules import (
    Answered,
    AnyRule,
    AttributeIs,
    Befriended,
    Happened,
    InSegment,
    Tagged,
    dump_rule,
    read_rule,
    stored_rule,
    walk,
)
from hiiki.workspace.models import Workspace

log = structlog.get_logger()

PAGE = 50


@dataclass(frozen=True, slots=True)
class Count:
    """How many people a rule is true of, and how many of those a message can reach."""

    members: int
    reachable: int
    """Members who follow the account now; without an account, who follow any."""


# --- asking -----------------------------------------------------------------------------


async def contains(session: WorkspaceSession, segment_id: UUID, contact_id: UUID) -> bool:
    """Tell whether this contact is in the segment now; index look-ups of one person only.

    A segment that is gone, or has been broken by hand in the database, contains nobody:
    what waits for it must not run by mistake.
    """
    found = await session.execute(
        select(Segment.rule, Workspace.timezone)
        .join(Workspace, Workspace.id == Segment.workspace_id)
        .where(Segment.id == segment_id)
    )
    row = found.one_or_none()
    if row is None:
        return False
    try:
        rule = read_rule(row.rule)
        statement = compile_rule(rule, await frame_for(session, rule, contact_id, row.timezone))
    except Invalid as error:
        log.warning("segments.broken", segment_id=str(segment_id), error=str(error))
        return False
    return await session.scalar(statement) is not None


async def audience(
    session: WorkspaceSession, segment_id: UUID | None, channel_id: UUID
) -> Select[UUID]:
    """Return the ids of all members who follow this account now; None means all friends.

    The statement walls itself in; what it is put into must say `scoped_by_hand=True` too.
    Raises `NotFound` for a segment that is not here, `Invalid` for one that refers to what
    has been deleted.
    """
    query = select(Friendship.contact_id).where(
        Friendship.workspace_id == session.workspace_id,
        Friendship.channel_id == channel_id,
        Friendship.status == "following",
    )
    if segment_id is not None:
        segment = await session.one(Segment, segment_id)
        members = await _members(session, await checked_rule(session, segment))
        inner = members.subquery()
        query = query.where(
            exists(
                select(inner.c.contact_id)
                .where(inner.c.contact_id == Friendship.contact_id)
                .correlate(Friendship)
            )
        )
    return query.execution_options(scoped_by_hand=True)


async def members(session: WorkspaceSession, segment_id: UUID) -> Select[UUID]:
    """Return the ids of all members, friends or not; it walls itself in as `audience` does.

    Raises `NotFound` and `Invalid` as `audience` does.
    """
    segment = await session.one(Segment, segment_id)
    return await _members(session, await checked_rule(session, segment))


async def count(session: WorkspaceSession, rule: AnyRule, channel_id: UUID | None = None) -> Count:
    """Count a rule's members and those a message can reach, in one statement."""
    members = (await _members(session, rule)).subquery()
    friends = select(Friendship.contact_id).where(
        Friendship.workspace_id == session.workspace_id, Friendship.status == "following"
    )
    if channel_id is not None:
        friends = friends.where(Friendship.channel_id == channel_id)
    else:
        # A person may follow several accounts, and is one person all the same.
        friends = friends.distinct()
    following = friends.subquery()
    query = (
        select(func.count(members.c.contact_id), func.count(following.c.contact_id))
        .select_from(members)
        .outerjoin(following, following.c.contact_id == members.c.contact_id)
        .execution_options(scoped_by_hand=True)
    )
    found = (await session.execute(query)).one()
    return Count(members=found[0], reachable=found[1])


async def count_segment(
    session: WorkspaceSession, segment_id: UUID | None, channel_id: UUID | None = None
) -> Count:
    """Count a saved segment; None means everybody."""
    if segment_id is None:
        return await count(session, read_rule({"kind": "everyone"}), channel_id)
    segment = await session.one(Segment, segment_id)
    return await count(session, await checked_rule(session, segment), channel_id)


async def page_of_members(
    session: WorkspaceSession, rule: AnyRule, *, after: str | None = None, limit: int = PAGE
) -> list[Contact]:
    """Return members, those whom the workspace met last first, behind a cursor.

    The cursor is `hiiki.contacts.search.cursor` of the last one seen; raises `Invalid` for
    one that is none.
    """
    members = (await _members(session, rule)).subquery()
    query = (
        select(Contact)
        .join(members, members.c.contact_id == Contact.id)
        .where(Contact.workspace_id == session.workspace_id)
        .order_by(Contact.created_at.desc(), Contact.id.desc())
        .limit(limit)
        .execution_options(scoped_by_hand=True)
    )
    if after:
        query = query.where(tuple_(Contact.created_at, Contact.id) < tuple_(*read_cursor(after)))
    return list(await session.scalars(query))


async def sample(session: WorkspaceSession, rule: AnyRule, n: int = 10) -> list[Contact]:
    """Return a few members, to see whether the rule means what one thinks."""
    return await page_of_members(session, rule, limit=n)


async def explain(session: WorkspaceSession, rule: AnyRule) -> Words:
    """Return the rule as one sentence, with the names of all it refers to."""
    return sentence(rule, await names_of(session, rule))


async def checked_rule(session: WorkspaceSession, segment: Segment) -> AnyRule:
    """Return a saved segment's rule; raises `Invalid` when it refers to what is gone."""
    rule = read_rule(segment.rule)
    await check(session, rule, segment.id)
    return rule


async def segments_of(session: WorkspaceSession, contact_id: UUID) -> list[Segment]:
    """Return the saved segments that a contact is in now, by name; each is asked for her alone."""
    rows = await session.scalars(select(Segment).order_by(Segment.name))
    return [row for row in rows if await contains(session, row.id, contact_id)]


async def frame_for(
    session: WorkspaceSession,
    rule: AnyRule,
    contact_id: UUID | None = None,
    timezone: str | None = None,
) -> Frame:
    """Gather what the compiler needs: the time, the zone, and the segments referred to."""
    if timezone is None:
        timezone = await session.scalar(
            select(Workspace.timezone).where(Workspace.id == session.workspace_id)
        )
    segments: dict[UUID, AnyRule] = {}
    waiting = refers_to(rule)
    while waiting:
        found = await session.execute(
            select(Segment.id, Segment.rule).where(Segment.id.in_(waiting))
        )
        new = {ident: read_rule(stored) for ident, stored in found}
        segments |= new
        waiting = {ident for each in new.values() for ident in refers_to(each)} - segments.keys()
    return Frame(
        workspace_id=session.workspace_id,
        now=now(),
        zone=ZoneInfo(timezone or "Asia/Tokyo"),
        segments=segments,
        contact_id=contact_id,
    )


async def _members(session: WorkspaceSession, rule: AnyRule) -> Select[UUID]:
    return compile_rule(rule, await frame_for(session, rule))


# --- saving -----------------------------------------------------------------------------


async def save(
    session: WorkspaceSession,
    segment: Segment | None,
    *,
    name: str,
    description: str,
    rule: AnyRule,
) -> Segment:
    """Check and store a changed segment, or a new one; raises `Invalid` at the fields."""
    # Two people at once could close a circle of which each sees one half.
    lock = func.hashtextextended(f"segments:{session.workspace_id}", 0)
    await session.execute(
        select(func.pg_advisory_xact_lock(lock)), execution_options={"scoped_by_hand": True}
    )
    wrong: dict[str, Words] = {}
    same = select(Segment.id).where(Segment.name == name)
    if segment is not None:
        same = same.where(Segment.id != segment.id)
    if await session.scalar(same) is not None:
        wrong["name"] = _("There is already a segment with this name.")
    try:
        await check(session, rule, segment.id if segment is not None else None)
    except Invalid as error:
        wrong |= below_rule(error).fields
    if wrong:
        raise Invalid(fields=wrong)
    if segment is None:
        segment = Segment()
        session.add(segment)
    segment.name = name
    segment.description = description
    segment.rule = dump_rule(rule)
    await session.flush()
    return segment


def below_rule(error: Invalid) -> Invalid:
    """Return objections to a rule as objections to the `rule` of what holds it."""
    return Invalid(
        fields={f"rule.{path}" if path else "rule": text for path, text in error.fields.items()}
    )


async def free_name(session: WorkspaceSession, name: str) -> str:
    """Return a name for a copy of `name` that no other segment has."""
    taken = set(await session.scalars(select(Segment.name)))
    n = 2
    while (found := f"{name[:90]} ({n})") in taken:
        n += 1
    return found


async def usages_of(session: WorkspaceSession, segment_id: UUID) -> Sequence[Usage]:
    """Return every place that uses this segment."""
    return await road().usages(session, "segment", segment_id)


async def delete(session: WorkspaceSession, segment: Segment) -> None:
    """Delete a segment that nothing uses; raises `Conflict` with the list of what does."""
    found = await usages_of(session, segment.id)
    if found:
        raise Conflict(
            _(
                "This segment is in use and cannot be deleted: %(places)s",
                places=", ".join(usage.label for usage in found),
            )
        )
    await session.delete(segment)


async def uses(session: Any, kind: str, ident: UUID) -> Sequence[Usage]:
    """Return the segments whose rules refer to the tag, attribute, question, … with this id."""
    rows = await session.scalars(
        select(Segment)
        .where(cast(Segment.rule, Text).contains(str(ident)), Segment.id != ident)
        .order_by(Segment.name)
    )
    return [
        Usage(label=str(_("Segment “%(name)s”", name=row.name)), url=f"/segments/{row.id}")
        for row in rows
        if (rule := stored_rule(row.rule)) is not None
        and any(_refers(part, kind, ident) for _path, part in walk(rule))
    ]


def _refers(part: AnyRule, kind: str, ident: UUID) -> bool:
    match part:
        case Tagged():
            return kind == "tag" and ident in part.tag_ids
        case AttributeIs():
            return kind == "attribute" and part.attribute_id == ident
        case InSegment():
            return kind == "segment" and part.segment_id == ident
        case Befriended():
            return kind == "channel" and part.channel_id == ident
        case Answered():
            return kind == "question" and part.question_id == ident
        case Happened():
            of_kind = road().events.get(part.event)
            about = of_kind.subject if of_kind is not None else ""
            return (kind == about and part.subject == str(ident)) or (
                kind == "channel" and part.channel_id == ident
            )
        case _:
            return False


__all__ = [
    "Count",
    "audience",
    "check",
    "checked_rule",
    "contains",
    "count",
    "count_segment",
    "cursor",
    "delete",
    "explain",
    "page_of_members",
    "sample",
    "save",
    "segments_of",
    "uses",
]
