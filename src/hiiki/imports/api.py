"""`/api/v1/imports`."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, delete, get, post, put
from litestar.params import Parameter

from hiiki.db import WorkspaceSession
from hiiki.imports import service, store
from hiiki.imports.models import Import
from hiiki.imports.schemas import (
    ColumnOut,
    ColumnsIn,
    ImportOut,
    ImportPage,
    KindOut,
    RefusalOut,
    RefusalPage,
    RowsIn,
)
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]
TAGS = ["imports"]
OPERATOR = {"role": "operator"}
Limit = Annotated[int, Parameter(ge=1, le=1000)]


@get("/imports/kinds", tags=TAGS, opt=OPERATOR)
async def list_kinds(session: WorkspaceSession) -> list[KindOut]:
    """List what can be imported, with its columns."""
    return [
        KindOut(
            name=one.name,
            label=str(one.label),
            columns=[ColumnOut.of(column) for column in await one.columns(session)],
            formats=[each.name for each in one.formats],
        )
        for one in road().imports.values()
    ]


@get("/imports", tags=TAGS, opt=OPERATOR)
async def list_imports(
    session: WorkspaceSession, before: UUID | None = None, limit: Limit = 50
) -> ImportPage:
    """List imports, newest first."""
    found, more = await service.listed(session, before, limit)
    return ImportPage(items=[ImportOut.of(one) for one in found], next=more)


@post("/imports", tags=TAGS, request_max_body_size=store.FILE_MOST + 1)
async def upload_import(
    request: AnyRequest, session: WorkspaceSession, access: Access, kind: str, name: str = ""
) -> ImportOut:
    """Send a file as the request's body, up to 1 GB, as CSV, TSV or a ZIP with one of them.

    The answer says which columns it seems to have. `PUT …/columns` says which it has indeed.
    """
    made = await service.receive(session, kind, name, request.stream(), access.actor_name)
    audit(session, access, "imports.upload", made.id, name=made.name, kind=kind)
    return ImportOut.of(made)


@post("/imports/rows", tags=TAGS)
async def import_rows(
    session: WorkspaceSession, access: Access, data: RowsIn, kind: str
) -> ImportOut:
    """Import rows without a file: they are checked, and taken at once."""
    known = {column.name for column in await service.importable(kind).columns(session)}
    names = list(dict.fromkeys(name for row in data.rows for name in row))
    wrong: dict[str, Text] = {
        f"rows.{at}.{name}": _("This kind is not known: %(tag)s.", tag=name)
        for at, row in enumerate(data.rows)
        for name in row
        if name not in known
    }
    if wrong:
        raise Invalid(fields=wrong)
    made = await service.receive(
        session, kind, "rows.json", _as_csv(names, data), access.actor_name
    )
    await service.assign(session, made, names, clears=data.clears, keeps=data.keeps, runs=True)
    audit(session, access, "imports.run", made.id, name=made.name, kind=kind)
    return ImportOut.of(made)


async def _as_csv(names: list[str], data: RowsIn) -> AsyncIterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for row in data.rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    yield out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


@get("/imports/{import_id:uuid}", tags=TAGS, opt=OPERATOR)
async def get_import(session: WorkspaceSession, import_id: UUID) -> ImportOut:
    """Get one import and how far it is."""
    return ImportOut.of(await session.one(Import, import_id))


@put("/imports/{import_id:uuid}/columns", tags=TAGS)
async def assign_columns(
    session: WorkspaceSession, access: Access, import_id: UUID, data: ColumnsIn
) -> ImportOut:
    """Say what the file's columns are, and check all of it."""
    made = await service.held(session, import_id)
    added = await service.assign(
        session,
        made,
        data.mapping,
        clears=data.clears,
        keeps=data.keeps,
        runs=data.run,
        options=data.options,
    )
    audit(
        session, access, "imports.run" if data.run else "imports.check", import_id, name=made.name
    )
    if added:
        audit(session, access, "imports.columns_add", import_id, name=made.name, n=len(added))
    return ImportOut.of(made)


@post("/imports/{import_id:uuid}/run", tags=TAGS, status_code=200)
async def run_import(session: WorkspaceSession, access: Access, import_id: UUID) -> ImportOut:
    """Take a checked file's lines."""
    made = await service.held(session, import_id)
    await service.start(session, made)
    audit(session, access, "imports.run", import_id, name=made.name)
    return ImportOut.of(made)


@post("/imports/{import_id:uuid}/pause", tags=TAGS, status_code=200)
async def pause_import(session: WorkspaceSession, access: Access, import_id: UUID) -> ImportOut:
    """Stop a run for now."""
    made = await service.held(session, import_id)
    await service.pause(session, made)
    audit(session, access, "imports.pause", import_id, name=made.name)
    return ImportOut.of(made)


@post("/imports/{import_id:uuid}/resume", tags=TAGS, status_code=200)
async def resume_import(session: WorkspaceSession, access: Access, import_id: UUID) -> ImportOut:
    """Go on with what was paused or interrupted."""
    made = await service.held(session, import_id)
    await service.resume(session, made)
    audit(session, access, "imports.resume", import_id, name=made.name)
    return ImportOut.of(made)


@post("/imports/{import_id:uuid}/cancel", tags=TAGS, status_code=200)
async def cancel_import(session: WorkspaceSession, access: Access, import_id: UUID) -> ImportOut:
    """End a check or a run for good; what was taken so far stays."""
    made = await service.held(session, import_id)
    await service.cancel(session, made)
    audit(session, access, "imports.cancel", import_id, name=made.name)
    return ImportOut.of(made)


@post("/imports/{import_id:uuid}/undo", tags=TAGS, status_code=200)
async def undo_import(session: WorkspaceSession, access: Access, import_id: UUID) -> ImportOut:
    """Take back what an import brought in, as far as nobody has changed it since."""
    made = await service.held(session, import_id)
    await service.undo(session, made)
    audit(session, access, "imports.undo", import_id, name=made.name)
    return ImportOut.of(made)


@get("/imports/{import_id:uuid}/refused", tags=TAGS, opt=OPERATOR)
async def list_refused(
    session: WorkspaceSession, import_id: UUID, after: int = 0, limit: Limit = 200
) -> RefusalPage:
    """List the lines that were not taken (or would not be), and all that is wrong with each."""
    await session.one(Import, import_id)
    found = await service.refusals(session, import_id, after, limit + 1)
    more = found[limit - 1][0].line if len(found) > limit else None
    return RefusalPage(items=[RefusalOut.of(one) for one in found[:limit]], next=more)


@delete("/imports/{import_id:uuid}", tags=TAGS)
async def delete_import(session: WorkspaceSession, access: Access, import_id: UUID) -> None:
    """Forget an import and its file; what it brought in stays."""
    made = await service.held(session, import_id)
    await service.remove(session, made)
    audit(session, access, "imports.delete", import_id, name=made.name)


HANDLERS = [
    list_kinds,
    list_imports,
    upload_import,
    import_rows,
    get_import,
    assign_columns,
    run_import,
    pause_import,
    resume_import,
    cancel_import,
    undo_import,
    list_refused,
    delete_import,
]
