"""What staff write about people. Each changes their own; an owner may delete any."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.models import Note
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Forbidden
from hiiki.kit.i18n import _
from hiiki.workspace.access import Access

NOTES_LIMIT = 500
"""Notes on one contact: all are shown on one page."""


async def notes_of(session: WorkspaceSession, contact_id: UUID) -> list[Note]:
    """Return the notes on a contact, the latest first."""
    return list(
        await session.scalars(
            select(Note)
            .where(Note.contact_id == contact_id)
            .order_by(Note.created_at.desc(), Note.id.desc())
            .limit(NOTES_LIMIT)
        )
    )


async def add_note(session: WorkspaceSession, access: Access, contact_id: UUID, body: str) -> Note:
    """Write a note on a contact in the name of who asks."""
    if len(await notes_of(session, contact_id)) >= NOTES_LIMIT:
        raise Conflict(_("There are %(n)s notes already; please delete some.", n=NOTES_LIMIT))
    note = Note(
        contact_id=contact_id, staff_id=access.staff_id, staff_name=access.actor_name, body=body
    )
    session.add(note)
    await session.flush()
    return note


async def note_of(session: WorkspaceSession, contact_id: UUID, note_id: UUID) -> Note:
    """Return a note on this contact; raises `NotFound` when it is another's."""
    return await session.one(Note, {"contact_id": contact_id, "id": note_id})


def may_edit(access: Access, note: Note) -> bool:
    """True when who asks wrote the note."""
    return access.may("operator") and (
        note.staff_id == access.staff_id
        if access.staff_id is not None
        else note.staff_id is None and note.staff_name == access.actor_name
    )


def may_delete(access: Access, note: Note) -> bool:
    """True when who asks wrote the note, or owns the workspace."""
    return access.may("owner") or may_edit(access, note)


def edit_note(access: Access, note: Note, body: str) -> None:
    """Change a note; raises `Forbidden` when somebody else wrote it."""
    if not may_edit(access, note):
        raise Forbidden(_("Only who wrote a note can change it."))
    note.body = body


async def delete_note(session: WorkspaceSession, access: Access, note: Note) -> None:
    """Delete a note; raises `Forbidden` when somebody else wrote it."""
    if not may_delete(access, note):
        raise Forbidden(_("Only who wrote a note, or an owner, can delete it."))
    await session.delete(note)
    await session.flush()
