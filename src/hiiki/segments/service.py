"""Asking segments: who is in, how many, what it says; saving and deleting them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, Subquery, Text, cast, func, select, text, tuple_

from hiiki.contacts.models import Contact, Friendship
from hiiki.contacts.search import cursor, read_cursor
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text as Words
from hiiki.kit.i18n import _
from hiiki.kit.road import Usage, road
from hiiki.segments.asking import load, memberships
from hiiki.segments.check import check, refers_to
from hiiki.segments.compiler import Frame, asked_of, compile_rule, is_of_nearly_everybody
from hiiki.segments.conditions import (
    Answered,
    AttributeIs,
    Befriended,
    InSegment,
    Mention,
    Messaged,
    OnList,
    Tagged,
    mentions,
)
from hiiki.segments.explain import sentence
from hiiki.segments.models import Segment
from hiiki.segments.names import names_of, subject_picker
from hiiki.segments.people import columns_of
from hiiki.segments.rules import AllOf, AnyRule, dump_rule, read_rule, stored_rule, walk

log = structlog.get_logger()

Among: TypeAlias = "Callable[[ColumnElement[UUID]], Sequence[ColumnElement[bool]]]"
"""Gives, for a column of contact ids, what must be true of one."""
PAGE = 50
_LOOKED_UP = 1_000
"""So many people are looked up for a page by their ids, whatever the rule is,"""
_WALKED = 10_000
"""and so many one after the other, before everybody is asked."""


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
    found = await memberships(session, [segment_id], [contact_id])
    return bool(found[segment_id])


async def audience(session: WorkspaceSession, segment_id: UUID | None) -> Among:
    """Return who is meant, friends or not, as what must be true of an id; None means everybody.

    It is for a statement about contacts of this workspace, which must say `scoped_by_hand=True`.
    Raises `NotFound` for a segment that is not here, `Invalid` for one that refers to what
    has been deleted.
    """
    if segment_id is None:
        return lambda contact_id: []
    rule = await checked_rule(session, await session.one(Segment, segment_id))
    frame = await frame_for(session, rule)
    return lambda contact_id: asked_of(rule, frame, contact_id)


async def members(session: WorkspaceSession, segment_id: UUID) -> Select[UUID]:
    """Return the ids of all members, friends or not; the statement walls itself in.

    Raises `NotFound` and `Invalid` as `audience` does.
    """
    segment = await session.one(Segment, segment_id)
    return await _members(session, await checked_rule(session, segment))


async def count(session: WorkspaceSession, rule: AnyRule, channel_id: UUID | None = None) -> Count:
    """Count a rule's members and those a message can reach, in one statement."""
    frame = await frame_for(session, rule)
    query = counting(rule, frame, channel_id or frame.only_channel)
    found = (await session.execute(query, execution_options={"scoped_by_hand": True})).one()
    return Count(members=found[0], reachable=found[1])


def counting(rule: AnyRule, frame: Frame, channel_id: UUID | None) -> Select[int, int]:
    """Return the statement of a `Count`; it walls itself in, as `compile_rule`'s does."""
    members = compile_rule(rule, frame).subquery()
    if _all_follow(rule, frame, channel_id):
        counted = select(func.count().label("n")).select_from(members).subquery()
        return select(counted.c.n, counted.c.n)
    row = columns_of(Friendship)
    friends = select(row.contact_id).where(
        row.workspace_id == frame.workspace_id, row.status == "following"
    )
    if channel_id is None:
        # A person may follow several accounts, and is one person all the same.
        friends = friends.distinct()
    else:
        friends = friends.where(row.channel_id == channel_id)
    if channel_id is not None and is_of_nearly_everybody(rule, frame):
        # To ask the friends anew costs less than to look for so many among them.
        reached = friends.where(*asked_of(rule, frame, row.contact_id)).subquery()
        return select(
            select(func.count()).select_from(members).scalar_subquery(),
            select(func.count()).select_from(reached).scalar_subquery(),
        )
    following = friends.subquery()
    return (
        select(func.count(), func.count(following.c.contact_id))
        .select_from(members)
        .outerjoin(following, following.c.contact_id == members.c.contact_id)
    )


def _all_follow(rule: AnyRule, frame: Frame, channel_id: UUID | None) -> bool:
    """Tell whether the rule itself asks that its members follow the account (or any)."""
    match rule:
        case AllOf():
            return any(_all_follow(each, frame, channel_id) for each in rule.rules)
        case Befriended(status="following"):
            asked = rule.channel_id or frame.only_channel
            return channel_id is None or rule.on_every or asked == channel_id
        case _:
            return False


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

    Of most rules there are enough members among the next thousand people, or ten thousand: these
    are asked first, by look-ups of themselves alone.
    """
    frame = await frame_for(session, rule)
    people = select(Contact.id, Contact.created_at).where(
        Contact.workspace_id == session.workspace_id
    )
    if after:
        people = people.where(tuple_(Contact.created_at, Contact.id) < tuple_(*read_cursor(after)))
    newest = people.order_by(Contact.created_at.desc(), Contact.id.desc())

    ids = list(await session.scalars(newest.limit(_LOOKED_UP)))
    asked = compile_rule(rule, replace(frame, contact_ids=ids))
    members = set(await session.scalars(asked))
    chosen = [ident for ident in ids if ident in members][:limit]
    if len(chosen) < limit and len(ids) == _LOOKED_UP:
        among = newest.limit(_WALKED).subquery()
        chosen = await _first(session, among, asked_of(rule, frame, among.c.id), limit)
        if len(chosen) < limit:
            found = compile_rule(rule, frame).subquery()
            among = people.join(found, found.c.contact_id == Contact.id).subquery()
            chosen = await _first(session, among, [], limit)
    contacts = await session.scalars(select(Contact).where(Contact.id.in_(chosen)))
    by_id = {contact.id: contact for contact in contacts}
    return [by_id[ident] for ident in chosen]


async def _first(
    session: WorkspaceSession, among: Subquery, asked: Sequence[ColumnElement[bool]], limit: int
) -> list[UUID]:
    # A fence: for the sake of the first fifty PostgreSQL would ask one after the other.
    found = select(among.c.id, among.c.created_at).where(*asked).offset(0).subquery()
    query = (
        select(found.c.id).order_by(found.c.created_at.desc(), found.c.id.desc()).limit(limit)
    ).execution_options(scoped_by_hand=True)
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
    """Return the saved segments that a contact is in now, by name; all are asked at once."""
    rows = list(await session.scalars(select(Segment).order_by(Segment.name)))
    found = await memberships(session, [row.id for row in rows], [contact_id])
    return [row for row in rows if found[row.id]]


async def frame_for(
    session: WorkspaceSession, rule: AnyRule, contact_ids: Sequence[UUID] | None = None
) -> Frame:
    """Gather what the compiler needs: the time, the zone, and the segments referred to.

    With `contact_ids`, these people alone are asked about.
    """
    loaded = await load(session, refers_to(rule))
    if contact_ids is None:
        await session.once("segments: everybody", lambda: _for_everybody(session))
    return Frame(
        workspace_id=session.workspace_id,
        now=now(),
        zone=loaded.zone,
        segments=loaded.rules,
        contact_ids=contact_ids,
        only_channel=loaded.only_channel,
    )


_FOR_EVERYBODY = text(
    """
    select set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true),
        set_config('work_mem', case when pg_size_bytes(current_setting('work_mem')) < 67108864
            then '64MB' else current_setting('work_mem') end, true)
    """
)


async def _for_everybody(session: WorkspaceSession) -> None:
    """Let this transaction's statements hold a million ids in memory.

    With PostgreSQL's 4 MB, sets of so many people are joined by way of the disk. To compile a
    statement takes longer than what it saves; and a plan that is kept for all tags fits none.
    """
    await session.execute(_FOR_EVERYBODY, execution_options={"scoped_by_hand": True})


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
            found = kind == "tag" and ident in part.tag_ids
        case AttributeIs():
            found = kind == "attribute" and part.attribute_id == ident
        case InSegment():
            found = kind == "segment" and part.segment_id == ident
        case OnList():
            found = kind == "list" and part.list_id == ident
        case Befriended():
            found = kind == "channel" and part.channel_id == ident
        case Answered():
            found = kind == "question" and part.question_id == ident
        case Messaged():
            found = kind == part.about and part.about_id == ident
        case _:
            found = False
    return found or any(_names(mention, kind, ident) for mention in mentions(part))


def _names(mention: Mention, kind: str, ident: UUID) -> bool:
    if kind == "channel":
        return mention.channel_id == ident
    # A subject without a picker of its own may say which it is: `broadcast:<id>`.
    return (
        kind == subject_picker(mention.event) and mention.subject == str(ident)
    ) or mention.subject == f"{kind}:{ident}"


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
    "memberships",
    "page_of_members",
    "sample",
    "save",
    "segments_of",
    "uses",
]
