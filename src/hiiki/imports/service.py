"""Imports step by step: a file comes in, is mapped, checked, run, and perhaps undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from hiiki.db import WorkspaceSession
from hiiki.imports import files, store
from hiiki.imports.cells import Manner
from hiiki.imports.guessing import fingerprint, guess, recognise
from hiiki.imports.models import Import, Refusal, Remembered
from hiiki.imports.slices import Layout
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import uuid7
from hiiki.kit.importable import Ask, Column, Importable
from hiiki.kit.road import road
from hiiki.workspace.models import Workspace

PAGE = 50
SAMPLES = 5
SNIFFED = 60
REFUSALS_KEPT = 100_000
"""Refused lines of an import that are written down; more of them say that its columns are wrong."""
NEW = "+"
"""In a mapping: what stands there gets a column of its own, by the heading's name."""
BUSY = ("checking", "running", "undoing")


def importable(kind: str) -> Importable:
    """Return what can be imported under this name; raises `NotFound` for anything else."""
    found = road().imports.get(kind)
    if found is None:
        raise NotFound()
    return found


async def manner(session: WorkspaceSession) -> Manner:
    """Return how this shop writes its days and numbers."""
    workspace = await session.known(Workspace, session.workspace_id)
    return Manner.of(workspace.timezone)


# --- a file comes in ----------------------------------------------------------------------


async def receive(
    session: WorkspaceSession,
    kind: str,
    name: str,
    blocks: AsyncIterator[bytes],
    actor_name: str = "",
) -> Import:
    """Keep a file and guess how it is to be read; raises `Invalid` at `file`."""
    what = importable(kind)
    ident = uuid7()
    path = store.path_of(session.workspace_id, ident)
    await store.keep(path, blocks)
    try:
        country = (await manner(session)).country
        encoding, separator = await asyncio.to_thread(_sniff, path, country)
        made = Import(
            id=ident,
            kind=kind,
            name=" ".join(name.split())[:200] or "import.csv",
            size=path.stat().st_size,
            actor_name=actor_name,
            encoding=encoding,
            separator=separator,
        )
        await _read_head(session, made, what)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    made.options = await _last_options(session, made)
    session.add(made)
    await session.flush()
    return made


async def _last_options(session: WorkspaceSession, made: Import) -> dict[str, Any]:
    """Return what was chosen for the last file of the kind, and of the system that wrote it."""
    found = await session.scalar(
        select(Import.options)
        .where(
            Import.kind == made.kind,
            Import.source == made.source,
            Import.id != made.id,
            Import.options != {},
        )
        .order_by(Import.id.desc())
        .limit(1)
    )
    asked = await asks(session, made)
    offered = {one.name: [value for value, _words in one.choices] for one in asked}
    return {name: value for name, value in (found or {}).items() if value in offered.get(name, ())}


def _sniff(path: Path, country: str) -> tuple[str, str]:
    files.unpacked(path, store.FILE_MOST)
    encoding = files.find_encoding(path, country)
    return encoding, files.find_separator(path, encoding)


async def _read_head(session: WorkspaceSession, made: Import, what: Importable) -> None:
    found = await samples(session, made, SNIFFED)
    made.headings = files.headings(found[0])
    known = recognise(made.headings, what.formats)
    made.source = known.name if known else ""
    before = await session.get(
        Remembered, (session.workspace_id, made.kind, fingerprint(made.headings))
    )
    columns = await what.columns(session)
    if before is not None:
        names = {column.name for column in columns}
        made.mapping = [name if name in names else "" for name in before.mapping]
        made.clears, made.keeps = before.clears, before.keeps
    else:
        cells = [record.cells for record in found[1:] if record.wrong is None]
        made.mapping = guess(made.headings, cells, columns, known)


async def reread(session: WorkspaceSession, made: Import, encoding: str, separator: str) -> None:
    """Read the file in another encoding, or with another separator; the mapping is guessed anew.

    Raises `Invalid` at `encoding` when the file cannot be in it.
    """
    _in_state(made, "uploaded", "checked")
    if encoding not in (*files.ENCODINGS, made.encoding) or separator not in files.SEPARATORS:
        raise Invalid(fields={"encoding": _("Please choose one from the list.")})
    made.encoding, made.separator, made.state = encoding, separator, "uploaded"
    try:
        await _read_head(session, made, importable(made.kind))
    except UnicodeError as error:
        raise Invalid(fields={"encoding": _("The file is not in this encoding.")}) from error


async def samples(
    session: WorkspaceSession, made: Import, count: int = SAMPLES
) -> list[files.Record]:
    """Return the heading and the first lines of the file; raises `Conflict` when it is gone."""
    return await asyncio.to_thread(
        files.head, path_of(session, made), made.encoding, made.separator, count
    )


def path_of(session: WorkspaceSession, made: Import) -> Path:
    """Return where an import's file is; raises `Conflict` when it was deleted meanwhile."""
    path = store.path_of(session.workspace_id, made.id)
    if not path.exists():
        raise Conflict(_("The file of this import has been deleted. Please send it again."))
    return path


async def layout_of(session: WorkspaceSession, made: Import) -> Layout:
    """Return how the import's lines become values."""
    what = importable(made.kind)
    return Layout(await what.columns(session), made.mapping, await manner(session), what.group)


# --- its columns --------------------------------------------------------------------------


async def assign(
    session: WorkspaceSession,
    made: Import,
    mapping: Sequence[str],
    *,
    clears: bool = False,
    keeps: bool = False,
    runs: bool = False,
    options: Mapping[str, str] | None = None,
) -> list[str]:
    """Say which column each heading is, remember it, and begin to check the file.

    `NEW` makes a place of the heading's name for what stands below it; returned are the names of
    these columns. With `runs` the lines are taken as soon as they were checked, without anybody
    looking. Raises `Invalid` at `mapping.<n>` for a name that is none, at `mapping` when a column
    is missing that each line must have, and at `options.<name>` for a choice there is not
    (`Importable.asks`).
    """
    _in_state(made, "uploaded", "checked")
    path_of(session, made)
    what = importable(made.kind)
    columns = await what.columns(session)
    _objections(columns, mapping, len(made.headings), may_add=what.add is not None)
    chosen = _chosen(await asks(session, made), options or {})
    made.mapping, added = await _added(session, what, made.headings, mapping)
    made.clears, made.keeps, made.unattended, made.options = clears, keeps, runs, chosen
    kept = {"mapping": made.mapping, "clears": clears, "keeps": keeps}
    await session.execute(
        insert(Remembered)
        .values(
            workspace_id=session.workspace_id,
            kind=made.kind,
            fingerprint=fingerprint(made.headings),
            at=now(),
            **kept,
        )
        .on_conflict_do_update(
            index_elements=["workspace_id", "kind", "fingerprint"], set_={**kept, "at": now()}
        ),
        execution_options={"scoped_by_hand": True},
    )
    await _begin(session, made, "checking")
    return added


async def _added(
    session: WorkspaceSession, what: Importable, headings: Sequence[str], mapping: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the mapping with a name for each `NEW`, and these names."""
    found, added = list(mapping), list[str]()
    for at, name in enumerate(mapping):
        if name == NEW and what.add is not None:
            try:
                found[at] = await what.add(session, headings[at])
            except Invalid as error:
                reason = next(iter(error.fields.values()), error.message)
                raise Invalid(fields={f"mapping.{at}": reason}) from error
            added.append(found[at])
    return found, added


async def asks(session: WorkspaceSession, made: Import) -> Sequence[Ask]:
    """Return what else is to be chosen for a file."""
    ask = importable(made.kind).asks
    return await ask(session, made.source) if ask is not None else ()


def _chosen(asked: Sequence[Ask], options: Mapping[str, str]) -> dict[str, str]:
    offered = {one.name: [value for value, _words in one.choices] for one in asked}
    wrong: dict[str, Text] = {
        f"options.{name}": _("Please choose one from the list.")
        for name, value in options.items()
        if value not in offered.get(name, ())
    }
    if wrong:
        raise Invalid(fields=wrong)
    return {name: options.get(name, values[0]) for name, values in offered.items()}


def _objections(
    columns: Sequence[Column], mapping: Sequence[str], width: int, *, may_add: bool
) -> None:
    names = {*(column.name for column in columns), *([NEW] if may_add else [])}
    wrong: dict[str, Text] = {
        f"mapping.{at}": _("Please choose one from the list.")
        for at, name in enumerate(mapping)
        if name and name not in names
    }
    if len(mapping) != width:
        wrong["mapping"] = _("Please say for each column of the file what it is.")
    missing = [str(one.label) for one in columns if one.required and one.name not in mapping]
    if missing:
        wrong["mapping"] = _(
            "Please say which column of the file is: %(columns)s.", columns="、".join(missing)
        )
    elif not any(mapping):
        wrong["mapping"] = _("Please choose at least one column.")
    if wrong:
        raise Invalid(fields=wrong)


def left_out(made: Import) -> list[str]:
    """Return the headings of the columns that are not imported."""
    pairs = zip(made.headings, made.mapping, strict=False)
    return [heading for heading, name in pairs if heading and not name]


def columns_missing(columns: Sequence[Column], mapping: Sequence[str]) -> list[Column]:
    """Return the columns that each line must have and no heading is."""
    return [one for one in columns if one.required and one.name not in mapping]


# --- running ------------------------------------------------------------------------------


async def start(session: WorkspaceSession, made: Import) -> None:
    """Take the lines of a checked file; raises `Conflict` when it was not checked."""
    _in_state(made, "checked")
    made.done = 1
    made.outcome = {}
    await _begin(session, made, "running")


async def restart_check(session: WorkspaceSession, made: Import) -> None:
    """Forget what a check has found so far."""
    made.done, made.foreseen, made.outcome, made.lines = 1, {}, {}, None
    await _forget_refusals(session, made)


async def _forget_refusals(session: WorkspaceSession, made: Import) -> None:
    made.place = 0
    await session.execute(
        delete(Refusal).where(Refusal.import_id == made.id),
        execution_options={"synchronize_session": False},
    )


async def _begin(session: WorkspaceSession, made: Import, state: str) -> None:
    if state == "checking":
        await restart_check(session, made)
    elif state == "running" and made.done == 1:
        await _forget_refusals(session, made)
    made.state, made.error = state, ""
    made.started_at, made.started_from, made.finished_at = now(), made.done, None
    await enqueue(
        session,
        "imports:work",
        {"workspace_id": str(session.workspace_id), "import_id": str(made.id)},
        lock=f"import:{made.id}",
    )


async def pause(session: WorkspaceSession, made: Import) -> None:
    """Stop a run after the lines that are just being taken."""
    _in_state(made, "running")
    made.state = "paused"


async def resume(session: WorkspaceSession, made: Import) -> None:
    """Go on with a run that was paused or has failed, where it was."""
    _in_state(made, "paused", "failed")
    if made.outcome.get("undoing"):
        await undo(session, made)
        return
    path_of(session, made)
    if not made.foreseen.get("whole"):
        await _begin(session, made, "checking")
    else:
        await _begin(session, made, "running")


async def cancel(session: WorkspaceSession, made: Import) -> None:
    """End a check or a run; what was taken so far stays, and can be undone."""
    _in_state(made, "checking", "running", "paused", "failed")
    made.unattended = False
    if made.state == "checking" or not made.outcome:
        made.state = "uploaded"
        return
    made.state, made.finished_at = "cancelled", now()


async def undo(session: WorkspaceSession, made: Import) -> None:
    """Begin to take back what an import made or changed."""
    _in_state(made, "finished", "cancelled", "failed")
    made.outcome = {**made.outcome, "undoing": True}
    made.outcome.setdefault("undone", 0)
    made.outcome.setdefault("kept", 0)
    await _begin(session, made, "undoing")


async def remove(session: WorkspaceSession, made: Import) -> None:
    """Forget an import and its file; what it brought in stays."""
    if made.state in BUSY:
        raise Conflict(_("This import is still running. Please stop it first."))
    store.forget(session.workspace_id, made.id)
    await session.delete(made)


async def held(session: WorkspaceSession, import_id: UUID) -> Import:
    """Return an import that nobody else changes until this transaction ends.

    Raises `NotFound`.
    """
    found = await session.get(Import, import_id, with_for_update=True)
    if found is None:
        raise NotFound()
    return found


def _in_state(made: Import, *states: str) -> None:
    if made.state not in states:
        raise Conflict()


# --- looking ------------------------------------------------------------------------------


async def listed(
    session: WorkspaceSession, before: UUID | None = None, limit: int = PAGE
) -> tuple[list[Import], UUID | None]:
    """Return imports, newest first, and the id to go on from when there are more."""
    query = select(Import).order_by(Import.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Import.id < before)
    found = list(await session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def refusals(
    session: WorkspaceSession, import_id: UUID, after: int = 0, limit: int = PAGE
) -> list[list[Refusal]]:
    """Return what is wrong with each refused line behind line `after`, in the file's order."""
    lines = (
        select(Refusal.line)
        .where(Refusal.import_id == import_id, Refusal.line > after, Refusal.place == 0)
        .order_by(Refusal.line)
        .limit(limit)
    )
    found = await session.scalars(
        select(Refusal)
        .where(Refusal.import_id == import_id, Refusal.line.in_(lines.scalar_subquery()))
        .order_by(Refusal.line, Refusal.place)
    )
    return [list(its) for _line, its in groupby(found, lambda one: one.line)]


def said(refusal: Refusal) -> Text:
    """Return what is wrong, for whoever reads it."""
    return Text(refusal.reason, cast("Mapping[str, Any]", refusal.gaps))
