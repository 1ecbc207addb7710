"""Console pages: lists of people, pasted or uploaded."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.response import Response

from hiiki.contacts.search import with_details
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.segments import lists
from hiiki.segments.models import ListGap, PeopleList
from hiiki.segments.schemas import ListNamed
from hiiki.workspace.access import Access, audit

OPERATOR = {"role": "operator"}
MAX_BODY = 10_000_000
KINDS: list[tuple[str, Text]] = [
    ("auto", _("As each line says itself")),
    ("customer", _("Customer numbers")),
    ("email", _("E-mail addresses")),
    ("phone", _("Telephone numbers")),
    ("line", _("LINE user IDs")),
]


@get("/segments/lists")
async def show_lists(session: WorkspaceSession) -> Response[Any]:
    """All lists, with where they are used."""
    found = [
        (each, await lists.usages_of(session, each.id)) for each in await lists.all_lists(session)
    ]
    return page("segments/lists.html", lists=found)


@get("/segments/lists/new", opt=OPERATOR)
async def show_new_list() -> Response[Any]:
    """Paste or upload a new list."""
    return _form(None, {"name": "", "kind": "auto", "keys": ""})


@post("/segments/lists", request_max_body_size=MAX_BODY)
async def create_list(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Make a list of what was pasted or uploaded."""
    return await _save(request, session, access, None)


@get("/segments/lists/{list_id:uuid}")
async def show_list(list_id: UUID, session: WorkspaceSession) -> Response[Any]:
    """Who is on it, and which lines meant nobody."""
    known = await session.one(PeopleList, list_id)
    return page(
        "segments/list_show.html",
        known=known,
        friends=await with_details(session, list(await lists.members_of(session, list_id))),
        missing=await lists.missing_of(session, list_id),
        usages=await lists.usages_of(session, list_id),
    )


@get("/segments/lists/{list_id:uuid}/edit", opt=OPERATOR)
async def show_edit_list(list_id: UUID, session: WorkspaceSession) -> Response[Any]:
    """Rename a list, or put others on it."""
    known = await session.one(PeopleList, list_id)
    return _form(known, {"name": known.name, "kind": "auto", "keys": ""})


@post("/segments/lists/{list_id:uuid}", request_max_body_size=MAX_BODY)
async def update_list(
    list_id: UUID, request: WebRequest, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Save a changed list."""
    return await _save(request, session, access, await session.one(PeopleList, list_id))


@post("/segments/lists/{list_id:uuid}/delete")
async def delete_list(list_id: UUID, session: WorkspaceSession, access: Access) -> Response[Any]:
    """Delete a list that nothing asks about."""
    known = await session.one(PeopleList, list_id)
    await lists.delete(session, known)
    audit(session, access, "segments.list_delete", list_id, name=known.name)
    return to("/segments/lists", _("The list has been deleted."))


@get("/segments/lists/{list_id:uuid}/missing.txt", opt=OPERATOR)
async def download_missing(list_id: UUID, session: WorkspaceSession) -> Response[bytes]:
    """The lines that meant nobody, one a line."""
    known = await session.one(PeopleList, list_id)
    gap = await session.get(ListGap, list_id)
    if gap is None:
        raise NotFound()
    return Response(
        f"\ufeff{gap.lines}\n".encode(),
        media_type="text/plain; charset=utf-8",
        headers={
            "content-disposition": "attachment; filename=\"missing.txt\"; filename*=UTF-8''"
            + quote(f"{known.name}.txt", safe="")
        },
    )


async def _save(
    request: WebRequest, session: WorkspaceSession, access: Access, known: PeopleList | None
) -> Response[Any]:
    data = await form_data(request)
    is_new = known is None
    file = data.get("file")
    try:
        named = parse(ListNamed, {key: data.get(key, "") for key in ("name", "kind")})
        text = str(data.get("keys", ""))
        if isinstance(file, UploadFile) and file.filename:
            text = lists.decoded(await file.read())
        found = None
        if is_new or text.strip():
            found = await lists.find(session, lists.read_lines(text), named.kind)
        known = await lists.save(session, known, name=named.name, found=found)
    except Invalid as error:
        return _form(known, data, error)
    action = "segments.list_create" if is_new else "segments.list_update"
    audit(session, access, action, known.id, name=known.name, people=known.members)
    if found is None:
        return to(f"/segments/lists/{known.id}", _("The list has been saved."))
    said = _(
        "%(n)s people are on the list; %(missing)s lines meant nobody.",
        n=f"{known.members:,}",
        missing=f"{len(found.missing):,}",
    )
    return to(f"/segments/lists/{known.id}", said)


def _form(
    known: PeopleList | None, data: dict[str, Any], error: Invalid | None = None
) -> Response[Any]:
    typed = {key: str(data.get(key, "")) for key in ("name", "kind", "keys")}
    return page(
        "segments/list_form.html",
        status=200 if error is None else 422,
        known=known,
        data=typed,
        kinds=KINDS,
        limit=lists.MOST,
        errors=error.fields if error else {},
        message=error.message if error else "",
    )


pages = [
    show_lists,
    show_new_list,
    create_list,
    show_list,
    show_edit_list,
    update_list,
    delete_list,
    download_missing,
]
