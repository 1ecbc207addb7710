"""Console pages: what to take along, how far it is, the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Response, Stream, Template

from hiiki.contacts.search import FriendFilter
from hiiki.db import WorkspaceSession
from hiiki.imports import exports
from hiiki.imports.models import Export
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, current_locale, gettext
from hiiki.kit.pages import form_data, go, page, to
from hiiki.kit.road import road
from hiiki.segments.models import Segment
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]
OPERATOR = {"role": "operator"}
_FILTER = ("q", "status", "tag", "channel", "segment")
STATES: Mapping[str, tuple[Text, str, str]] = {
    "waiting": (_("Starting…"), "blue", "loader-2"),
    "writing": (_("Being written"), "blue", "loader-2"),
    "ready": (_("Ready"), "green", "check"),
    "failed": (_("Cannot be written any more"), "red", "alert-triangle"),
}


@get("/exports", opt=OPERATOR)
async def list_exports(session: WorkspaceSession, before: UUID | None = None) -> Template:
    """List files that were written, newest first."""
    found, more = await exports.listed(session, before)
    return page(
        "imports/exports.html",
        exports=found,
        kinds=road().exports,
        states=STATES,
        back="/exports" if before else "",
        more=f"/exports?before={more}" if more else "",
    )


@get("/exports/new", opt=OPERATOR)
async def new_export(request: AnyRequest, session: WorkspaceSession) -> Template:
    """Ask which columns; the address says of whom (a segment, or the friends list's filter)."""
    return await _form(session, dict(request.query_params.items()), {})


@post("/exports/new")
async def make_export(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Have a file written."""
    data = await form_data(request)
    try:
        kind = str(data.get("kind", ""))
        wanted, name = await _wanted(session, kind, data)
        made = await exports.ask(
            session,
            kind,
            wanted,
            [str(each) for each in data.get("columns", [])],
            str(data.get("encoding", "")),
            name=name,
            locale=current_locale(),
            actor_name=access.actor_name,
        )
    except Invalid as error:
        return await _form(session, data, error.fields)
    audit(session, access, "imports.export", made.id, name=made.name, kind=kind)
    return to(f"/exports/{made.id}")


async def _wanted(
    session: WorkspaceSession, kind: str, data: Mapping[str, Any]
) -> tuple[dict[str, str], str]:
    """Return of whom, as it is stored, and what that is called."""
    what = exports.exportable(kind)
    if kind != "friends":
        return {}, str(what.label)
    wanted = parse(FriendFilter, {name: data.get(name, "") for name in _FILTER})
    name = str(_("Friends by a filter")) if wanted.query() else str(what.label)
    if wanted.segment is not None:
        segment = await session.one(Segment, wanted.segment)
        name = gettext("Segment “%(name)s”", name=segment.name)
    return wanted.query(), name


async def _form(
    session: WorkspaceSession, data: Mapping[str, Any], errors: Mapping[str, Text]
) -> Template:
    kind = str(data.get("kind") or "friends")
    what = exports.exportable(kind)
    columns = await what.columns(session)
    _stored, name = await _wanted(session, kind, data)
    groups: dict[str, list[tuple[str, str]]] = {}
    for column in columns:
        groups.setdefault(str(column.group), []).append((column.name, str(column.label)))
    chosen = data.get("columns")
    return page(
        "imports/export_new.html",
        status=422 if errors else 200,
        kind=kind,
        kinds=list(road().exports.values()),
        what=what,
        name=name,
        narrowed={key: data[key] for key in _FILTER if data.get(key)},
        groups=groups,
        chosen=[one.name for one in columns if one.usual] if chosen is None else chosen,
        encodings=list(exports.ENCODINGS.items()),
        encoding=data.get("encoding", "utf-8-sig"),
        errors=errors,
    )


@get("/exports/{export_id:uuid}", opt=OPERATOR)
async def show_export(session: WorkspaceSession, export_id: UUID) -> Template:
    """Show how far a file is, or how to get it."""
    made = await session.one(Export, export_id)
    return page("imports/export.html", made=made, state=STATES[made.state])


@get("/exports/{export_id:uuid}/progress", opt=OPERATOR)
async def show_export_progress(
    session: WorkspaceSession, export_id: UUID
) -> Template | Response[None]:
    """Show how far it is; when it is ready, load the whole page."""
    made = await session.one(Export, export_id)
    if made.state in ("ready", "failed"):
        return go(f"/exports/{export_id}")
    return page("imports/_export_progress.html", made=made)


@get("/exports/{export_id:uuid}/file", opt=OPERATOR)
async def fetch_export(session: WorkspaceSession, access: Access, export_id: UUID) -> Stream:
    """Give the file."""
    return await sent(session, access, export_id)


async def sent(session: WorkspaceSession, access: Access, export_id: UUID) -> Stream:
    """Return the answer that holds an export's file, and write down who fetched it."""
    made, path = await exports.file_of(session, export_id)
    audit(session, access, "imports.download", export_id, name=made.name)
    charset = "utf-8" if made.encoding == "utf-8-sig" else "shift_jis"
    name = f"{made.kind}-{made.created_at:%Y%m%d-%H%M}.csv"
    return Stream(
        exports.blocks(path),
        media_type=f"text/csv; charset={charset}",
        headers={"content-disposition": f'attachment; filename="{quote(name)}"'},
    )


@post("/exports/{export_id:uuid}/delete")
async def delete_export(session: WorkspaceSession, access: Access, export_id: UUID) -> Redirect:
    """Delete a file before its time."""
    made = await exports.remove(session, export_id)
    audit(session, access, "imports.export_delete", export_id, name=made.name)
    return to("/exports", _("The file has been deleted."))


HANDLERS = [
    list_exports,
    new_export,
    make_export,
    show_export,
    show_export_progress,
    fetch_export,
    delete_export,
]
