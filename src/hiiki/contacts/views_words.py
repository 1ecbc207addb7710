"""Console pages: all notes, searched; and the words in them that suggest something."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.params import Parameter
from litestar.response import Redirect, Template
from sqlalchemy import select

from hiiki.contacts import keywords
from hiiki.contacts.attributes import all_attributes
from hiiki.contacts.models import Contact, Keyword
from hiiki.contacts.schemas import KeywordIn
from hiiki.contacts.tags import all_tags
from hiiki.contacts.values import plain
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]


@get("/notes", name="notes")
async def note_list(
    session: WorkspaceSession,
    q: Annotated[str, Parameter(max_length=100)] = "",
    number: Annotated[int, Parameter(query="page", ge=1, le=200)] = 1,
) -> Template:
    """List what staff wrote about people, the latest first."""
    q = plain(q)
    found = await keywords.find_notes(session, q, number)
    ids = {note.contact_id for note in found}
    people = await session.scalars(select(Contact).where(Contact.id.in_(ids)))
    contacts = {contact.id: contact for contact in people}

    def address(of: int) -> str:
        return "/notes?" + urlencode({"q": q, "page": of})

    return page(
        "contacts/notes.html",
        notes=found[: keywords.PAGE],
        contacts=contacts,
        q=q,
        before=address(number - 1) if number > 1 else "",
        after=address(number + 1) if len(found) > keywords.PAGE else "",
    )


@get("/notes/words")
async def word_list(session: WorkspaceSession) -> Template:
    """List the words that suggest a tag or an attribute in a note."""
    return await _words(session)


@post("/notes/words")
async def make_word(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Add a word."""
    data = await form_data(request)
    try:
        made = await keywords.add_word(session, parse(KeywordIn, data))
    except Invalid as error:
        return await _words(session, data, error.fields)
    audit(session, access, "contacts.word_add", made.id, word=made.word)
    return to("/notes/words", _("“%(word)s” suggests that from now on.", word=made.word))


@post("/notes/words/{keyword_id:uuid}/delete")
async def drop_word(keyword_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Delete a word; what it has suggested stays."""
    found = await session.one(Keyword, keyword_id)
    await session.delete(found)
    audit(session, access, "contacts.word_delete", keyword_id, word=found.word)
    return to("/notes/words", _("The word has been deleted."))


async def _words(
    session: WorkspaceSession,
    typed: dict[str, Any] | None = None,
    errors: dict[str, Text] | None = None,
) -> Template:
    blank = {"word": "", "tag_id": "", "attribute_id": "", "value": ""}
    return page(
        "contacts/words.html",
        status=422 if errors else 200,
        words=await keywords.all_words(session),
        tags=[(str(each.id), each.name) for each in await all_tags(session)],
        attributes=[(str(each.id), each.label) for each in await all_attributes(session)],
        typed=blank | (typed or {}),
        errors=errors or {},
    )


HANDLERS = [note_list, word_list, make_word, drop_word]
