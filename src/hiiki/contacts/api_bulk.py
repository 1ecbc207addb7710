"""`/api/v1/friends/bulk`: changes of many friends, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import get, post
from pydantic import BaseModel

from hiiki.contacts import bulk
from hiiki.contacts.models import BulkEdit
from hiiki.contacts.views_bulk import BulkForm, read_change
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.workspace.access import Access

GROUP: dict[str, Any] = {"tags": ["friends"]}


class BulkOut(BaseModel):
    """A change of many, and how far it is."""

    id: UUID
    verb: str
    tag_id: UUID | None
    attribute_id: UUID | None
    value: str
    state: str
    """waiting, running, done, undoing, undone or failed."""
    total: int | None
    """For how many it is a change; null until that is known."""
    done: int
    changed: int
    undone: int
    created_at: datetime


@post("/friends/bulk", status_code=202, operation_id="ChangeManyFriends", **GROUP)
async def start(data: BulkForm, session: WorkspaceSession, access: Access) -> BulkOut:
    """Have a tag or an attribute changed for those with these ids, or for all of a filter."""
    if data.scope == "selected" and not data.ids:
        raise Invalid(fields={"ids": _("Please select friends first.")})
    edit = await bulk.start(session, access, await read_change(session, data), data.who)
    return _out(edit)


@get("/friends/bulk/{edit_id:uuid}", operation_id="GetFriendsChange", **GROUP)
async def show(edit_id: UUID, session: WorkspaceSession) -> BulkOut:
    """Return how far a change of many is."""
    return _out(await session.one(BulkEdit, edit_id))


@post(
    "/friends/bulk/{edit_id:uuid}/undo",
    status_code=202,
    operation_id="UndoFriendsChange",
    **GROUP,
)
async def undo(edit_id: UUID, session: WorkspaceSession, access: Access) -> BulkOut:
    """Take a change back where nobody has changed it since; within a day."""
    edit = await session.one(BulkEdit, edit_id)
    await bulk.take_back(session, access, edit)
    return _out(edit)


def _out(edit: BulkEdit) -> BulkOut:
    return BulkOut.model_validate(edit, from_attributes=True)


HANDLERS = [start, show, undo]
