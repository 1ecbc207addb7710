"""`/api/v1/segments`: questions about people, for programs."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import Parameter

from hiiki.contacts.models import Contact
from hiiki.contacts.search import cursor
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import LOCALES, Text
from hiiki.segments import changes, service
from hiiki.segments.explain import sentence
from hiiki.segments.listing import page_of_segments, sentences
from hiiki.segments.models import Segment
from hiiki.segments.rules import read_rule
from hiiki.segments.schemas import (
    CountOut,
    MemberOut,
    MembersOut,
    RuleIn,
    SegmentIn,
    SegmentOut,
    SegmentPatch,
    SegmentsOut,
    SentenceOut,
)
from hiiki.workspace.access import Access
from hiiki.workspace.models import Channel

GROUP: dict[str, Any] = {"tags": ["segments"]}


def _sentence(said: Text) -> SentenceOut:
    return SentenceOut(**{locale: said.to(locale) for locale in LOCALES})


async def _out(session: WorkspaceSession, segments: list[Segment]) -> list[SegmentOut]:
    said = await sentences(session, segments)
    return [
        SegmentOut(
            id=segment.id,
            name=segment.name,
            description=segment.description,
            rule=segment.rule,
            sentence=_sentence(each),
            created_at=segment.created_at,
            updated_at=segment.updated_at,
        )
        for segment, each in zip(segments, said, strict=True)
    ]


@get("/segments", operation_id="ListSegments", **GROUP)
async def list_segments(
    session: WorkspaceSession,
    q: str = "",
    after: str = "",
    limit: Annotated[int, Parameter(ge=1, le=200)] = service.PAGE,
    sort: Literal["name", "newest"] = "name",
) -> SegmentsOut:
    """Return saved segments by name, or the newest first; `q` looks into the name."""
    page = await page_of_segments(
        session, q, after=after, limit=limit, newest_first=sort == "newest"
    )
    return SegmentsOut(items=await _out(session, page.segments), next=page.next)


@post("/segments", operation_id="CreateSegment", **GROUP)
async def create_segment(data: SegmentIn, session: WorkspaceSession, access: Access) -> SegmentOut:
    """Save a segment.

    What the rule refers to (tags, attributes, questions, segments, accounts) has to be
    there; each objection names the field it is about, such as `rule.rules.0.tag_ids`.
    """
    segment = await changes.save(
        session, access, None, name=data.name, description=data.description, rule=data.rule
    )
    return (await _out(session, [segment]))[0]


@post(
    "/segments/count", status_code=200, operation_id="CountSegment", opt={"role": "viewer"}, **GROUP
)
async def count_rule(data: RuleIn, session: WorkspaceSession) -> CountOut:
    """Count whom a rule is true of, without saving it."""
    if data.channel_id is not None:
        await session.one(Channel, data.channel_id)
    try:
        names = await service.check(session, data.rule)
    except Invalid as error:
        raise service.below_rule(error) from error
    counted = await service.count(session, data.rule, data.channel_id)
    return CountOut(
        members=counted.members,
        reachable=counted.reachable,
        sentence=_sentence(sentence(data.rule, names)),
    )


@get("/segments/{segment_id:uuid}", operation_id="GetSegment", **GROUP)
async def get_segment(segment_id: UUID, session: WorkspaceSession) -> SegmentOut:
    """Return one segment."""
    return (await _out(session, [await session.one(Segment, segment_id)]))[0]


@patch("/segments/{segment_id:uuid}", operation_id="ChangeSegment", **GROUP)
async def change_segment(
    segment_id: UUID, data: SegmentPatch, session: WorkspaceSession, access: Access
) -> SegmentOut:
    """Change a segment; fields that are left out stay."""
    segment = await session.one(Segment, segment_id)
    given = data.model_fields_set
    await changes.save(
        session,
        access,
        segment,
        name=data.name if "name" in given else segment.name,
        description=data.description if "description" in given else segment.description,
        rule=data.rule if data.rule is not None else read_rule(segment.rule),
    )
    return (await _out(session, [segment]))[0]


@delete("/segments/{segment_id:uuid}", operation_id="DeleteSegment", **GROUP)
async def delete_segment(segment_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a segment; refused (409) while anything uses it."""
    segment = await session.one(Segment, segment_id)
    await changes.delete(session, access, segment)


@get("/segments/{segment_id:uuid}/count", operation_id="CountSavedSegment", **GROUP)
async def count_saved(
    segment_id: UUID, session: WorkspaceSession, channel: UUID | None = None
) -> CountOut:
    """Count a saved segment's members as of now."""
    if channel is not None:
        await session.one(Channel, channel)
    segment = await session.one(Segment, segment_id)
    rule = await service.checked_rule(session, segment)
    counted = await service.count(session, rule, channel)
    return CountOut(
        members=counted.members,
        reachable=counted.reachable,
        sentence=_sentence(await service.explain(session, rule)),
    )


@get("/segments/{segment_id:uuid}/members", operation_id="ListMembers", **GROUP)
async def list_members(
    segment_id: UUID,
    session: WorkspaceSession,
    after: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=1000)] = service.PAGE,
) -> MembersOut:
    """Return a saved segment's members as of now."""
    segment = await session.one(Segment, segment_id)
    rule = await service.checked_rule(session, segment)
    found = await service.page_of_members(session, rule, after=after, limit=limit + 1)
    members = found[:limit]
    return MembersOut(
        items=[MemberOut.model_validate(contact) for contact in members],
        next=cursor(members[-1]) if len(found) > limit else None,
    )


@get("/friends/{contact_id:uuid}/segments", operation_id="ListSegmentsOfFriend", **GROUP)
async def segments_of_friend(contact_id: UUID, session: WorkspaceSession) -> SegmentsOut:
    """Return the saved segments that this friend is in now."""
    await session.one(Contact, contact_id)
    found = await service.segments_of(session, contact_id)
    return SegmentsOut(items=await _out(session, found))


handlers = [
    list_segments,
    create_segment,
    count_rule,
    get_segment,
    change_segment,
    delete_segment,
    count_saved,
    list_members,
    segments_of_friend,
]
