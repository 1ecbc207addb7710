"""Files that go out: asked for, written slice by slice by the worker, fetched, deleted."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select, update

from hiiki.contacts.people import safe_cell
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.imports import store
from hiiki.imports.models import Export, Import, Refusal
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.exportable import Exportable
from hiiki.kit.i18n import Text, _, gettext, set_locale
from hiiki.kit.road import road
from hiiki.workspace.models import Workspace

KEPT = timedelta(days=7)
"""How long a file can be fetched."""
IMPORTS_KEPT = timedelta(days=30)
"""How long a file that came in is kept after something was last done with it."""
ENCODINGS: Mapping[str, str] = {"utf-8-sig": "UTF-8", "cp932": "Shift_JIS (CP932)"}
PAGE = 50
_BLOCK = 1 << 18


def exportable(kind: str) -> Exportable:
    """Return what can be exported under this name; raises `NotFound` for anything else."""
    found = road().exports.get(kind)
    if found is None:
        raise NotFound()
    return found


async def ask(
    session: WorkspaceSession,
    kind: str,
    wanted: Mapping[str, Any],
    columns: Sequence[str],
    encoding: str,
    *,
    name: str,
    locale: str,
    actor_name: str,
) -> Export:
    """Have a file written; raises `Invalid` at `columns` and `encoding`."""
    there = {column.name for column in await exportable(kind).columns(session)}
    wrong: dict[str, Text] = {}
    if not columns:
        wrong["columns"] = _("Please choose at least one column.")
    elif not set(columns) <= there:
        wrong["columns"] = _("Please choose one from the list.")
    if encoding not in ENCODINGS:
        wrong["encoding"] = _("Please choose one from the list.")
    if wrong:
        raise Invalid(fields=wrong)
    made = Export(
        kind=kind,
        wanted=dict(wanted),
        name=name[:200],
        columns=list(dict.fromkeys(columns)),
        encoding=encoding,
        locale=locale,
        actor_name=actor_name,
    )
    session.add(made)
    await session.flush()
    await enqueue(
        session,
        "imports:write",
        {"workspace_id": str(session.workspace_id), "export_id": str(made.id)},
        lock=f"export:{made.id}",
    )
    return made


async def write(workspace_id: UUID, export_id: UUID) -> None:
    """Write a file from its beginning; a worker that dies leaves it to be begun again."""
    async with scope(workspace_id) as session:
        made = await session.get(Export, export_id)
        if made is None or made.state in ("ready", "failed"):
            return
        workspace = await session.one(Workspace, workspace_id)
        made.state = "writing"
        what = exportable(made.kind)
        columns = await what.columns(session)
    set_locale(made.locale)
    labels = {column.name: str(column.label) for column in columns}
    names = [name for name in made.columns if name in labels]
    try:
        total, slices = await what.rows(workspace_id, made.wanted, names)
    except (NotFound, Invalid):
        # The segment was deleted since, or is broken: nothing can be written any more.
        await _fail(workspace_id, export_id)
        return
    await _note(workspace_id, export_id, total=total)
    path = store.path_of(workspace_id, export_id, "out")
    draft = store.draft_of(path)
    zone = ZoneInfo(workspace.timezone)
    await asyncio.to_thread(_begin, draft, made.encoding, [labels[name] for name in names])
    done = 0
    async for part in slices:
        await asyncio.to_thread(_append, draft, made.encoding, part, zone)
        done += len(part)
        if not await _note(workspace_id, export_id, done=done):
            draft.unlink(missing_ok=True)
            return
    size = await asyncio.to_thread(_end, draft, path)
    values = {"state": "ready", "done": done, "total": done, "size": size}
    moment = now()
    await _note(workspace_id, export_id, **values, finished_at=moment, expires_at=moment + KEPT)


async def give_up(workspace_id: UUID, export_id: UUID, error: str) -> None:
    """Note that a file could not be written, again and again."""
    store.forget(workspace_id, export_id, "out")
    await _fail(workspace_id, export_id, error)


async def _fail(workspace_id: UUID, export_id: UUID, error: str = "") -> None:
    moment = now()
    ended = {"finished_at": moment, "expires_at": moment + KEPT}
    await _note(workspace_id, export_id, state="failed", error=error, **ended)


async def _note(workspace_id: UUID, export_id: UUID, **values: Any) -> bool:
    """Write how far it is; False when somebody has deleted it."""
    async with scope(workspace_id) as session:
        made = await session.get(Export, export_id)
        if made is None:
            return False
        for name, value in values.items():
            setattr(made, name, value)
        return True


def _begin(path: Path, encoding: str, titles: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, errors="replace", newline="") as file:
        csv.writer(file).writerow([safe_cell(title) for title in titles])


def _append(path: Path, encoding: str, rows: Sequence[Sequence[Any]], zone: ZoneInfo) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([[safe_cell(_text(cell, zone)) for cell in row] for row in rows])
    # The mark at the beginning stands there already. What Shift_JIS has no letter for becomes "?".
    plain = "utf-8" if encoding == "utf-8-sig" else encoding
    with path.open("ab") as file:
        file.write(out.getvalue().encode(plain, "replace"))


def _end(draft: Path, path: Path) -> int:
    draft.replace(path)
    return path.stat().st_size


def _text(value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("Yes") if value else ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list):
        return "、".join(map(str, cast("list[Any]", value)))
    return str(value)


async def file_of(session: WorkspaceSession, export_id: UUID) -> tuple[Export, Path]:
    """Return an export that is ready, and its file; raises `Conflict` when it is not there."""
    made = await session.one(Export, export_id)
    path = store.path_of(session.workspace_id, export_id, "out")
    is_over = made.expires_at is not None and made.expires_at <= now()
    if made.state != "ready" or is_over or not await asyncio.to_thread(path.exists):
        raise Conflict(_("This file is not there any more, or not yet. Please export anew."))
    return made, path


async def blocks(path: Path) -> AsyncIterator[bytes]:
    """Give a file block by block."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block


async def listed(
    session: WorkspaceSession, before: UUID | None = None, limit: int = PAGE
) -> tuple[list[Export], UUID | None]:
    """Return exports, newest first, and the id to go on from when there are more."""
    query = select(Export).order_by(Export.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Export.id < before)
    found = list(await session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def remove(session: WorkspaceSession, export_id: UUID) -> Export:
    """Delete an export and its file."""
    made = await session.one(Export, export_id)
    store.forget(session.workspace_id, export_id, "out")
    await session.delete(made)
    return made


async def clean() -> None:
    """Delete files whose time is over."""
    moment = now()
    async with everywhere() as session:  # every shop's files lie in the installation's folder
        over = or_(
            Export.expires_at <= moment,
            # One that nobody could even note to have failed.
            and_(Export.expires_at.is_(None), Export.created_at <= moment - KEPT),
        )
        for made in await session.scalars(select(Export).where(over)):
            store.forget(made.workspace_id, made.id, "out")
            await session.delete(made)
        old = select(Import).where(
            func.greatest(Import.created_at, Import.started_at, Import.finished_at)
            <= moment - IMPORTS_KEPT,
            Import.gone_at.is_(None),
            Import.state.not_in(("checking", "running", "undoing", "paused")),
        )
        for each in await session.scalars(old):
            store.forget(each.workspace_id, each.id)
            each.gone_at = moment
            # What stood in lines that were refused goes with the file.
            await session.execute(
                update(Refusal).where(Refusal.import_id == each.id).values(value="")
            )
