"""Console pages: imports, and one import step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect, Response, Stream, Template

from hiiki.db import WorkspaceSession
from hiiki.imports import exports, files, returns, service, store
from hiiki.imports.models import Import
from hiiki.imports.slices import Refused, example
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.i18n import Text, _, current_locale, gettext
from hiiki.kit.importable import Column
from hiiki.kit.pages import form_data, go, page, to
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]
OPERATOR = {"role": "operator"}
SHOWN = 8
"""Lines that are shown as they will be read."""
_BLOCK = 1 << 20

STATES: Mapping[str, tuple[Text, str, str]] = {
    "uploaded": (_("Columns to be chosen"), "blue", "columns"),
    "checking": (_("Being checked"), "blue", "loader-2"),
    "checked": (_("Checked"), "blue", "checks"),
    "running": (_("Running"), "blue", "loader-2"),
    "paused": (_("Paused"), "yellow", "player-pause"),
    "finished": (_("Finished"), "green", "check"),
    "cancelled": (_("Stopped"), "grey", "player-stop"),
    "failed": (_("Interrupted"), "red", "alert-triangle"),
    "undoing": (_("Being undone"), "blue", "loader-2"),
    "undone": (_("Undone"), "grey", "arrow-back-up"),
}
"""What each state is called, its colour and its picture."""


@get("/imports", opt=OPERATOR)
async def list_imports(session: WorkspaceSession, before: UUID | None = None) -> Template:
    """List what was imported, newest first."""
    found, more = await service.listed(session, before)
    return page(
        "imports/list.html",
        imports=found,
        kinds=road().imports,
        states=STATES,
        back="/imports" if before else "",
        more=f"/imports?before={more}" if more else "",
    )


@get("/imports/new", opt=OPERATOR)
async def new_import(kind: str = "") -> Template:
    """Ask for a file, and what it holds."""
    return _new({"kind": kind or next(iter(road().imports), "")}, {})


@post("/imports/new", request_max_body_size=store.FILE_MOST + 1_000_000)
async def upload_import(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Keep a file, and go on to its columns."""
    data = await form_data(request)
    given = data.get("file")
    kind = str(data.get("kind", ""))
    try:
        if kind not in road().imports:
            raise Invalid(fields={"kind": _("Please choose one from the list.")})
        if not isinstance(given, UploadFile) or not given.filename:
            raise Invalid(fields={"file": _("Please choose a file.")})
        made = await service.receive(
            session, kind, given.filename, _blocks(given), access.actor_name
        )
    except Invalid as error:
        return _new({"kind": kind}, error.fields)
    audit(session, access, "imports.upload", made.id, name=made.name, kind=kind)
    return to(f"/imports/{made.id}")


async def _blocks(given: UploadFile) -> AsyncIterator[bytes]:
    while block := await given.read(_BLOCK):
        yield block


def _new(data: dict[str, str], errors: Mapping[str, Text]) -> Template:
    return page(
        "imports/new.html",
        status=422 if errors else 200,
        data=data,
        errors=errors,
        kinds=list(road().imports.values()),
        most=store.FILE_MOST // 1_000_000,
    )


@get("/imports/{import_id:uuid}", opt=OPERATOR)
async def show_import(
    session: WorkspaceSession,
    access: Access,
    import_id: UUID,
    columns: bool = False,
    after: int = 0,
) -> Template:
    """Show where an import stands: its columns, its check, its run or its result."""
    made = await session.one(Import, import_id)
    # Whose file is gone can be looked at, but not be read any more.
    if made.gone_at is None and (made.state == "uploaded" or (columns and made.state == "checked")):
        return await _columns(session, made, {})
    return await _standing(session, access, made, after)


async def _columns(
    session: WorkspaceSession, made: Import, errors: Mapping[str, Text], **typed: Any
) -> Template:
    what = service.importable(made.kind)
    columns = await what.columns(session)
    found = await service.samples(session, made)
    cells = [record.cells for record in found[1:]]
    return page(
        "imports/columns.html",
        status=422 if errors else 200,
        made=made,
        what=what,
        columns=columns,
        options=[(column.name, str(column.label)) for column in columns],
        mapping=typed.get("mapping", made.mapping),
        left=service.left_out(made),
        new=service.NEW if what.add is not None else "",
        asks=await service.asks(session, made),
        chosen=typed.get("options", made.options),
        clears=typed.get("clears", made.clears),
        keeps=typed.get("keeps", made.keeps),
        samples=[
            [row[at][:80] for row in cells if at < len(row) and row[at].strip()]
            for at in range(len(made.headings))
        ],
        known=next((one.label for one in what.formats if one.name == made.source), ""),
        encodings=[*files.ENCODINGS.items()]
        + ([(made.encoding, made.encoding)] if made.encoding not in files.ENCODINGS else []),
        separators=[(each, str(label)) for each, label in files.SEPARATORS.items()],
        errors=errors,
    )


@post("/imports/{import_id:uuid}/encoding")
async def reread_import(
    request: AnyRequest, session: WorkspaceSession, import_id: UUID
) -> Redirect | Template:
    """Read the file in another encoding or with another separator."""
    made = await service.held(session, import_id)
    data = await form_data(request)
    try:
        await service.reread(
            session, made, str(data.get("encoding", "")), str(data.get("separator", ""))
        )
    except Invalid as error:
        await session.refresh(made)
        return await _columns(session, made, error.fields)
    return to(f"/imports/{import_id}")


@post("/imports/{import_id:uuid}/columns")
async def assign_columns(
    request: AnyRequest, session: WorkspaceSession, access: Access, import_id: UUID
) -> Redirect | Template:
    """Say what the file's columns are, and check all of it."""
    made = await service.held(session, import_id)
    data = await form_data(request)
    mapping = [str(name) for name in data.get("mapping", [])]
    clears, keeps = data.get("clears") == "true", data.get("keeps") == "true"
    options = {name: str(value) for name, value in dict(data.get("options") or {}).items()}
    try:
        added = await service.assign(
            session, made, mapping, clears=clears, keeps=keeps, options=options
        )
    except Invalid as error:
        typed = mapping + [""] * (len(made.headings) - len(mapping))
        return await _columns(
            session, made, error.fields, mapping=typed, clears=clears, keeps=keeps, options=options
        )
    audit(session, access, "imports.check", import_id, name=made.name)
    if added:
        audit(session, access, "imports.columns_add", import_id, name=made.name, n=len(added))
    return to(f"/imports/{import_id}")


async def _standing(
    session: WorkspaceSession, access: Access, made: Import, after: int
) -> Template:
    what = service.importable(made.kind)
    columns = await what.columns(session)
    refused = await service.refusals(session, made.id, after, service.PAGE + 1)
    more = refused[service.PAGE - 1][0].line if len(refused) > service.PAGE else None
    here = f"/imports/{made.id}"
    return page(
        "imports/show.html",
        made=made,
        what=what,
        states=STATES,
        labels={column.name: column.label for column in columns},
        counts=made.outcome if made.outcome else made.foreseen,
        examples=await _examples(session, made, columns, ZoneInfo(access.timezone))
        if made.state == "checked" and made.gone_at is None
        else None,
        refused=refused[: service.PAGE],
        said=service.said,
        left=service.left_out(made),
        kept_most=service.REFUSALS_KEPT,
        kept_days=exports.IMPORTS_KEPT.days,
        pace=pace(made),
        back=here if after else "",
        more=f"{here}?after={more}#refused" if more else "",
    )


async def _examples(
    session: WorkspaceSession, made: Import, columns: Sequence[Column], zone: ZoneInfo
) -> tuple[list[Column], list[list[str] | Text]]:
    """Return the columns that the file has, and its first lines as they are read."""
    there = [column for column in columns if column.name in made.mapping]
    found = await service.samples(session, made, SHOWN)
    read = example(await service.layout_of(session, made), found[1:])
    return there, [
        one.reason
        if isinstance(one, Refused)
        else [written(one.get(column.name), zone) for column in there]
        for one in read
    ]


def written(value: Any, zone: ZoneInfo) -> str:
    """Return a value that was read, as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    return "、".join(value) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType]


def pace(made: Import) -> tuple[int, int] | None:
    """Return lines a second and seconds left of what runs; None before that can be said."""
    if made.started_at is None or made.state not in service.BUSY:
        return None
    seconds = (now() - made.started_at.replace(tzinfo=UTC)).total_seconds()
    passed = made.done - made.started_from
    if passed <= 0 or seconds < 1:
        return None
    rate = passed / seconds
    lines = made.lines or (made.done * made.size / made.place if made.place else 0)
    return round(rate), round(max(0, lines - made.done) / rate)


@get("/imports/{import_id:uuid}/progress", opt=OPERATOR)
async def show_progress(session: WorkspaceSession, import_id: UUID) -> Template | Response[None]:
    """Show how far an import is; when it has ended, load the whole page."""
    made = await session.one(Import, import_id)
    if made.state not in service.BUSY:
        return go(f"/imports/{import_id}")
    counts = made.outcome if made.state != "checking" else made.foreseen
    return page("imports/_progress.html", made=made, counts=counts, pace=pace(made))


@post("/imports/{import_id:uuid}/run")
async def run_import(session: WorkspaceSession, access: Access, import_id: UUID) -> Redirect:
    """Take a checked file's lines."""
    made = await service.held(session, import_id)
    await service.start(session, made)
    audit(session, access, "imports.run", import_id, name=made.name)
    return to(f"/imports/{import_id}")


@post("/imports/{import_id:uuid}/pause")
async def pause_import(session: WorkspaceSession, access: Access, import_id: UUID) -> Redirect:
    """Stop a run for now."""
    made = await service.held(session, import_id)
    await service.pause(session, made)
    audit(session, access, "imports.pause", import_id, name=made.name)
    return to(f"/imports/{import_id}", _("Paused. What was taken so far is there."))


@post("/imports/{import_id:uuid}/resume")
async def resume_import(session: WorkspaceSession, access: Access, import_id: UUID) -> Redirect:
    """Go on with what was paused or interrupted."""
    made = await service.held(session, import_id)
    await service.resume(session, made)
    audit(session, access, "imports.resume", import_id, name=made.name)
    return to(f"/imports/{import_id}")


@post("/imports/{import_id:uuid}/cancel")
async def cancel_import(session: WorkspaceSession, access: Access, import_id: UUID) -> Redirect:
    """End a check or a run for good."""
    made = await service.held(session, import_id)
    await service.cancel(session, made)
    audit(session, access, "imports.cancel", import_id, name=made.name)
    return to(f"/imports/{import_id}", _("Stopped."))


@post("/imports/{import_id:uuid}/undo")
async def undo_import(session: WorkspaceSession, access: Access, import_id: UUID) -> Redirect:
    """Take back what an import brought in."""
    made = await service.held(session, import_id)
    await service.undo(session, made)
    audit(session, access, "imports.undo", import_id, name=made.name)
    return to(f"/imports/{import_id}")


@post("/imports/{import_id:uuid}/delete")
async def delete_import(session: WorkspaceSession, access: Access, import_id: UUID) -> Redirect:
    """Forget an import and its file."""
    made = await service.held(session, import_id)
    await service.remove(session, made)
    audit(session, access, "imports.delete", import_id, name=made.name)
    return to("/imports", _("The import and its file have been deleted."))


@get("/imports/{import_id:uuid}/refused.csv", opt=OPERATOR)
async def download_refused(session: WorkspaceSession, access: Access, import_id: UUID) -> Stream:
    """Give the lines that were refused, each with its reason, to be mended and sent again."""
    made = await session.one(Import, import_id)
    if not (made.foreseen | made.outcome).get("refused"):
        raise NotFound()
    path = service.path_of(session, made)
    audit(session, access, "imports.download_refused", import_id, name=made.name)
    columns = await service.importable(made.kind).columns(session)
    labels = {column.name: column.label for column in columns}
    lines = returns.refused_lines(access.workspace_id, made, path, labels, current_locale())
    name = f"refused-{made.id.hex[-6:]}.csv"
    return Stream(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


HANDLERS = [
    list_imports,
    new_import,
    upload_import,
    show_import,
    reread_import,
    assign_columns,
    show_progress,
    run_import,
    pause_import,
    resume_import,
    cancel_import,
    undo_import,
    delete_import,
    download_refused,
]
