"""The list of saved segments, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text as SqlText
from sqlalchemy import cast as sql_cast
from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import Option
from hiiki.segments.explain import sentence
from hiiki.segments.models import Segment
from hiiki.segments.names import names_of
from hiiki.segments.rules import stored_rule


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """Segments in their order; the cursors are the names (or, newest first, the ids) at the page's
    ends."""

    segments: list[Segment]
    next: str | None
    previous: str | None


async def page_of_segments(
    session: WorkspaceSession,
    q: str = "",
    *,
    after: str = "",
    before: str = "",
    limit: int = 50,
    newest_first: bool = False,
) -> SegmentPage:
    """Return the segments whose name holds `q`, behind `after` or ahead of `before`.

    By name; or by when they were made, which their ids tell.
    """
    query = select(Segment).limit(limit + 1)
    q, after, before = (text.replace("\x00", "") for text in (q, after, before))
    if q:
        query = query.where(Segment.name.icontains(q, autoescape=True))
    key: Any = sql_cast(Segment.id, SqlText) if newest_first else Segment.name
    edge = before or after
    if newest_first == bool(before):
        query = query.where(key > edge).order_by(key)
    else:
        query = query.order_by(key.desc())
        query = query.where(key < edge) if edge else query
    found = list(await session.scalars(query))
    more = len(found) > limit
    found = found[:limit]
    if before:
        found.reverse()

    def cursor(segment: Segment) -> str:
        return str(segment.id) if newest_first else segment.name

    has_next, has_previous = (True, more) if before else (more, bool(after))
    return SegmentPage(
        found,
        next=cursor(found[-1]) if found and has_next else None,
        previous=cursor(found[0]) if found and has_previous else None,
    )


async def sentences(session: WorkspaceSession, segments: list[Segment]) -> list[Text]:
    """Return what each of these says; a rule that cannot be read says so."""
    return await say_rules(session, [segment.rule for segment in segments])


async def say_rules(session: WorkspaceSession, stored: Sequence[dict[str, Any]]) -> list[Text]:
    """Return what each of these stored rules says; one that cannot be read says so."""
    rules = [stored_rule(each) for each in stored]
    names = await names_of(session, *(rule for rule in rules if rule is not None))
    broken = _("The rule of this segment cannot be read. Please edit it.")
    return [broken if rule is None else sentence(rule, names) for rule in rules]


async def options(session: WorkspaceSession) -> list[Option]:
    """Return all segments, as the picker `segment` offers them."""
    rows = await session.execute(select(Segment.id, Segment.name).order_by(Segment.name))
    return [Option(str(ident), name) for ident, name in rows]
