"""Console pages: the notes on a friend, as a part of the friend's page."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Template

from hiiki.contacts import keywords, notes
from hiiki.contacts.models import Contact
from hiiki.contacts.schemas import NOTE_LIMIT, NoteIn
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text
from hiiki.kit.pages import form_data, page
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]


async def notes_context(
    session: WorkspaceSession, access: Access, contact_id: UUID
) -> dict[str, Any]:
    """Return the notes as the friend's page draws them: note, may edit, may delete."""
    return {
        "notes": [
            (note, notes.may_edit(access, note), notes.may_delete(access, note))
            for note in await notes.notes_of(session, contact_id)
        ]
    }


async def _notes(
    session: WorkspaceSession,
    access: Access,
    contact: Contact,
    *,
    editing: UUID | None = None,
    typed: str = "",
    errors: dict[str, Text] | None = None,
) -> Template:
    return page(
        "contacts/_notes.html",
        status=422 if errors else 200,
        contact=contact,
        editing=editing,
        typed=typed,
        errors=errors or {},
        focus=True,
        suggestions=await keywords.suggest(session, contact.id, typed) if not editing else [],
        **await notes_context(session, access, contact.id),
    )


@get("/friends/{contact_id:uuid}/notes")
async def show_notes(
    contact_id: UUID, session: WorkspaceSession, access: Access, edit: UUID | None = None
) -> Template:
    """Show the notes, one of them as a form."""
    contact = await session.one(Contact, contact_id)
    typed = (await notes.note_of(session, contact_id, edit)).body if edit else ""
    return await _notes(session, access, contact, editing=edit, typed=typed)


@post("/friends/{contact_id:uuid}/notes", status_code=200)
async def write_note(
    request: AnyRequest, contact_id: UUID, session: WorkspaceSession, access: Access
) -> Template:
    """Write a note."""
    contact = await session.one(Contact, contact_id)
    data = await form_data(request)
    try:
        form = parse(NoteIn, data)
    except Invalid as error:
        typed = str(data.get("body", ""))
        return await _notes(session, access, contact, typed=typed, errors=error.fields)
    note = await notes.add_note(session, access, contact_id, form.body)
    audit(session, access, "contacts.note_add", contact_id, note_id=str(note.id))
    if data.get("set") != "yes":
        return await _notes(session, access, contact)
    taken = [str(each) for each in cast("list[Any]", data.get("take") or [])]
    await keywords.accept(session, access, contact_id, form.body, taken)
    answer = await _notes(session, access, contact)
    # Tags and attributes stand elsewhere on the page.
    answer.headers["HX-Refresh"] = "true"
    return answer


@post("/friends/{contact_id:uuid}/notes/suggest", status_code=200)
async def suggest(request: AnyRequest, contact_id: UUID, session: WorkspaceSession) -> Template:
    """Show what a note that is being written suggests."""
    await session.one(Contact, contact_id)
    body = str((await form_data(request)).get("body", ""))[:NOTE_LIMIT]
    return page(
        "contacts/_suggestions.html", suggestions=await keywords.suggest(session, contact_id, body)
    )


@post("/friends/{contact_id:uuid}/notes/{note_id:uuid}", status_code=200)
async def change_note(
    request: AnyRequest,
    contact_id: UUID,
    note_id: UUID,
    session: WorkspaceSession,
    access: Access,
) -> Template:
    """Change one's own note."""
    contact = await session.one(Contact, contact_id)
    note = await notes.note_of(session, contact_id, note_id)
    data = await form_data(request)
    try:
        form = parse(NoteIn, data)
    except Invalid as error:
        typed = str(data.get("body", ""))
        return await _notes(
            session, access, contact, editing=note_id, typed=typed, errors=error.fields
        )
    notes.edit_note(access, note, form.body)
    audit(session, access, "contacts.note_update", contact_id, note_id=str(note_id))
    return await _notes(session, access, contact)


@post("/friends/{contact_id:uuid}/notes/{note_id:uuid}/delete", status_code=200)
async def remove_note(
    contact_id: UUID, note_id: UUID, session: WorkspaceSession, access: Access
) -> Template:
    """Delete a note."""
    contact = await session.one(Contact, contact_id)
    note = await notes.note_of(session, contact_id, note_id)
    await notes.delete_note(session, access, note)
    audit(session, access, "contacts.note_delete", contact_id, note_id=str(note_id))
    return await _notes(session, access, contact)


HANDLERS = [show_notes, write_note, suggest, change_note, remove_note]
