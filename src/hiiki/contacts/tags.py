"""The shop's tags: making, renaming and deleting them, and who has how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from hiiki.contacts.models import ContactTag, Tag
from hiiki.contacts.schemas import TagIn
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import Usage, road

PAGE = 50
TAGS_LIMIT = 5000
"""Tags of one workspace; pickers list them all."""


async def all_tags(session: WorkspaceSession, q: str = "") -> list[Tag]:
    """Return the workspace's tags by name, those whose name holds `q`."""
    query = select(Tag).order_by(Tag.name, Tag.id)
    if q:
        query = query.where(Tag.name.icontains(q, autoescape=True))
    return list(await session.scalars(query))


@dataclass(frozen=True, slots=True)
class TagPage:
    """A page of tags by name; the cursors are the names at its ends."""

    tags: list[Tag]
    next: str | None
    previous: str | None


async def page_of_tags(
    session: WorkspaceSession, q: str = "", after: str = "", before: str = "", limit: int = PAGE
) -> TagPage:
    """Return the tags whose name holds `q`, behind the name `after` or ahead of `before`."""
    query = select(Tag).limit(limit + 1)
    if q:
        query = query.where(Tag.name.icontains(q, autoescape=True))
    if before:
        query = query.where(Tag.name < before).order_by(Tag.name.desc())
    else:
        query = query.where(Tag.name > after).order_by(Tag.name)
    found = list(await session.scalars(query))
    more = len(found) > limit
    found = found[:limit]
    if before:
        found.reverse()
    has_next, has_previous = (True, more) if before else (more, bool(after))
    return TagPage(
        found,
        next=found[-1].name if found and has_next else None,
        previous=found[0].name if found and has_previous else None,
    )


async def counts(session: WorkspaceSession, tag_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many contacts have each of these tags, 0 included."""
    if not tag_ids:
        return {}
    rows = await session.execute(
        select(ContactTag.tag_id, func.count())
        .where(ContactTag.tag_id.in_(tag_ids))
        .group_by(ContactTag.tag_id)
    )
    return dict.fromkeys(tag_ids, 0) | {row[0]: row[1] for row in rows}


async def create_tag(session: WorkspaceSession, typed: TagIn) -> Tag:
    """Make a tag; raises `Invalid` when its name is taken."""
    await _refuse_taken(session, typed.name, None)
    if (await session.scalar(select(func.count(Tag.id))) or 0) >= TAGS_LIMIT:
        raise Conflict(_("There are %(n)s tags already; please delete some.", n=TAGS_LIMIT))
    tag = Tag(name=typed.name, colour=typed.colour, description=typed.description)
    session.add(tag)
    await session.flush()
    return tag


async def update_tag(session: WorkspaceSession, tag: Tag, typed: TagIn) -> None:
    """Change a tag; raises `Invalid` when its new name is taken."""
    await _refuse_taken(session, typed.name, tag.id)
    tag.name, tag.colour, tag.description = typed.name, typed.colour, typed.description
    await session.flush()


async def usages_of_tag(session: WorkspaceSession, tag: Tag) -> list[Usage]:
    """Return what uses the tag: surveys, segments, rules, …; not who has it."""
    return await road().usages(session, "tag", tag.id)


async def delete_tag(session: WorkspaceSession, tag: Tag) -> None:
    """Delete a tag, and take it off everybody; raises `Conflict` while something uses it."""
    if used := await usages_of_tag(session, tag):
        raise Conflict(
            _(
                "The tag “%(name)s” is in use: %(where)s",
                name=tag.name,
                where=", ".join(usage.label for usage in used),
            )
        )
    await session.delete(tag)
    await session.flush()


async def _refuse_taken(session: WorkspaceSession, name: str, but: UUID | None) -> None:
    # Two at the same moment are stopped by the unique index, as a conflict.
    taken = await session.scalar(select(Tag.id).where(Tag.name == name))
    if taken is not None and taken != but:
        raise Invalid(fields={"name": _("There is a tag of this name already.")})
