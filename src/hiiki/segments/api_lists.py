"""`/api/v1/segments/lists`: lists of people, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, get, post, put

from hiiki.db import WorkspaceSession
from hiiki.segments import lists
from hiiki.segments.models import ListGap, PeopleList
from hiiki.segments.schemas import ListIn, ListOut, ListsOut
from hiiki.segments.views_lists import MAX_BODY
from hiiki.workspace.access import Access, audit

GROUP: dict[str, Any] = {"tags": ["segments"]}


async def _out(session: WorkspaceSession, known: PeopleList) -> ListOut:
    gap = await session.get(ListGap, known.id)
    return ListOut(
        id=known.id,
        name=known.name,
        members=known.members,
        missing=gap.lines.split("\n") if gap else [],
        updated_at=known.updated_at,
    )


@get("/segments/lists", operation_id="ListPeopleLists", **GROUP)
async def list_lists(session: WorkspaceSession) -> ListsOut:
    """Return all lists by name, without the keys that meant nobody."""
    return ListsOut(
        items=[
            ListOut(id=each.id, name=each.name, members=each.members, updated_at=each.updated_at)
            for each in await lists.all_lists(session)
        ]
    )


@post(
    "/segments/lists",
    operation_id="CreatePeopleList",
    request_max_body_size=MAX_BODY,
    **GROUP,
)
async def create_list(data: ListIn, session: WorkspaceSession, access: Access) -> ListOut:
    """Make a list of those whom the keys mean; `missing` holds the keys that meant nobody."""
    found = await lists.find(session, list(dict.fromkeys(data.keys)), data.kind)
    known = await lists.save(session, None, name=data.name, found=found)
    audit(session, access, "segments.list_create", known.id, name=known.name, people=known.members)
    return await _out(session, known)


@get("/segments/lists/{list_id:uuid}", operation_id="GetPeopleList", **GROUP)
async def get_list(list_id: UUID, session: WorkspaceSession) -> ListOut:
    """Return a list, with the keys that meant nobody when it was last filled."""
    return await _out(session, await session.one(PeopleList, list_id))


@put(
    "/segments/lists/{list_id:uuid}",
    operation_id="ReplacePeopleList",
    request_max_body_size=MAX_BODY,
    **GROUP,
)
async def replace_list(
    list_id: UUID, data: ListIn, session: WorkspaceSession, access: Access
) -> ListOut:
    """Name a list anew, and put those whom the keys mean in place of who was on it."""
    known = await session.one(PeopleList, list_id)
    found = await lists.find(session, list(dict.fromkeys(data.keys)), data.kind)
    await lists.save(session, known, name=data.name, found=found)
    audit(session, access, "segments.list_update", known.id, name=known.name, people=known.members)
    return await _out(session, known)


@delete("/segments/lists/{list_id:uuid}", operation_id="DeletePeopleList", **GROUP)
async def delete_list(list_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a list; refused (409) while a segment asks about it."""
    known = await session.one(PeopleList, list_id)
    await lists.delete(session, known)
    audit(session, access, "segments.list_delete", list_id, name=known.name)


handlers = [list_lists, create_list, get_list, replace_list, delete_list]
