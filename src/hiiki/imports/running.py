"""The work itself: a check, a run or an undoing, slice by slice.

Each slice is one transaction, in which the lines are taken and the import notes how far it is:
killed at any moment, it goes on where it was, and no line is taken twice. The next slice is read
by a thread while the database is busy with the present one.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from hiiki.db import WorkspaceSession, scope
from hiiki.imports import service
from hiiki.imports.models import Import, Refusal
from hiiki.imports.slices import Refused, Slice, read_slices
from hiiki.kit.clock import now
from hiiki.kit.errors import HiikiError
from hiiki.kit.i18n import _
from hiiki.kit.importable import Fault, Importable, Importing, ImportRow, Outcome

log = structlog.get_logger()

UNDONE_AT_ONCE = 2000
TRIES = 5
"""How often a slice is tried that another transaction stood in the way of."""
_WRITTEN_AT_ONCE = 1000
_NEW_OBJECTS = 200_000
"""That are made before Python looks for cycles among them."""
_at_work: list[tuple[int, int, int]] = []
"""For each import that runs in this process, what usually holds."""


class _Stopped(Exception):
    """Somebody has paused or cancelled it, or another worker is at it."""


@dataclass(slots=True)
class _Run:
    """What one worker knows of the import it works at."""

    workspace_id: UUID
    import_id: UUID
    what: Importable
    importing: Importing
    ready: Callable[[Sequence[ImportRow]], Any]
    done: int
    kept: int = 0
    """Refusals that are written down."""
    seen: set[int] = field(default_factory=set[int])
    """What a check has met, or the second line of a new person would count as new again."""


async def work(workspace_id: UUID, import_id: UUID) -> None:
    """Do what the import waits for, until it is done or somebody stops it."""
    try:
        async with scope(workspace_id) as session:
            made = await session.get(Import, import_id)
            if made is None or made.state not in service.BUSY:
                return
            state = made.state
        if state == "undoing":
            await _undo(workspace_id, import_id)
        else:
            with _collecting_rarely():
                await _take(workspace_id, import_id, dry=state == "checking")
    except _Stopped:
        return
    except HiikiError as error:
        await _failed(workspace_id, import_id, str(error))


@contextmanager
def _collecting_rarely() -> Generator[None]:
    """Let Python look for cycles less often: a third of the time of an import would go into it,
    as hundreds of thousands of values come and go, none of which is a part of one."""
    _at_work.append(gc.get_threshold() if not _at_work else _at_work[0])
    gc.set_threshold(_NEW_OBJECTS, *_at_work[0][1:])
    try:
        yield
    finally:
        usual = _at_work.pop()
        if not _at_work:
            gc.set_threshold(*usual)


async def give_up(workspace_id: UUID, import_id: UUID, error: str) -> None:
    """Note that the import has failed again and again; somebody may start it anew."""
    await _failed(workspace_id, import_id, error)


async def _failed(workspace_id: UUID, import_id: UUID, error: str) -> None:
    async with scope(workspace_id) as session:
        made = await session.get(Import, import_id, with_for_update=True)
        if made is not None and made.state in service.BUSY:
            made.state, made.error = "failed", error[:500]


async def _take(workspace_id: UUID, import_id: UUID, *, dry: bool) -> None:
    async with scope(workspace_id) as session:
        made = await session.one(Import, import_id)
        what = service.importable(made.kind)
        importing = Importing(import_id, made.source, dry, made.clears, made.keeps, made.options)
        run = _Run(
            workspace_id,
            import_id,
            what,
            importing,
            await what.ready(session, importing),
            # A check keeps nothing that would be lost with it, and knows nothing any more of
            # whom it has met: it begins anew.
            done=1 if dry else made.done,
        )
        if dry:
            await service.restart_check(session, made)
        run.kept = (
            await session.scalar(
                select(func.count()).where(Refusal.import_id == import_id, Refusal.place == 0)
            )
            or 0
        )
        layout = await service.layout_of(session, made)
        path, encoding, separator = service.path_of(session, made), made.encoding, made.separator
    slices = read_slices(path, encoding, separator, layout, run.done)
    coming = asyncio.create_task(asyncio.to_thread(_next, slices, run))
    try:
        while (part := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(_next, slices, run))
            await _take_slice(run, part)
    finally:
        coming.cancel()
    await _finish(run)


def _next(slices: Iterator[Slice], run: _Run) -> Slice | None:
    part = next(slices, None)
    if part is not None and part.rows:
        part.made = run.ready(part.rows)
    return part


async def _take_slice(run: _Run, part: Slice) -> None:
    for left in reversed(range(TRIES)):
        try:
            await _transaction(run, part)
            return
        except (DataError, IntegrityError) as error:
            log.warning("imports.slice_refused", import_id=str(run.import_id), error=str(error))
            await _one_by_one(run, part)
            return
        except OperationalError:
            # Two that wait for each other's locks: one of them is sent back to try again.
            if not left:
                raise
            await asyncio.sleep(0.1)


async def _one_by_one(run: _Run, part: Slice) -> None:
    """Find the lines that the database will not take, so that they alone are refused."""
    groups = _groups(run.what, part.rows)
    refused = part.refused
    for at, rows in enumerate(groups):
        # Each step notes its own last line, so that a worker killed here leaves nothing out.
        until = part.until if at == len(groups) - 1 else rows[-1].line
        its = [one for one in refused if one.line <= until]
        refused = [one for one in refused if one.line > until]
        try:
            await _transaction(run, Slice(rows, its, until, part.place, run.ready(rows)))
        except (DataError, IntegrityError):
            reason = _("The database does not take this line.")
            its = its + [Refused.whole(row.line, reason) for row in rows]
            await _transaction(run, Slice([], its, until, part.place))


def _groups(what: Importable, rows: Sequence[ImportRow]) -> list[list[ImportRow]]:
    found: list[list[ImportRow]] = []
    for row in rows:
        same = what.group and found and found[-1][0].values[what.group] == row.values[what.group]
        if same:
            found[-1].append(row)
        else:
            found.append([row])
    return found


async def _transaction(run: _Run, part: Slice) -> None:
    wanted = "checking" if run.importing.dry else "running"
    async with scope(run.workspace_id) as session:
        made = await session.get(Import, run.import_id, with_for_update=True)
        if made is None or made.state != wanted or made.done != run.done:
            raise _Stopped
        outcomes: Sequence[Outcome] = ()
        if part.rows:
            outcomes = await run.what.take(session, run.importing, part.made)
        counts = _counted(run, outcomes, made)
        refused = [*part.refused, *_refusals(outcomes)]
        counts["refused"] = counts.get("refused", 0) + len(part.refused)
        await _write_down(session, run, refused)
        if run.importing.dry:
            made.foreseen = counts
        else:
            made.outcome = counts
        made.done, made.place = part.until, part.place
    run.done = part.until


def _counted(run: _Run, outcomes: Sequence[Outcome], made: Import) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for one in outcomes:
        state = one.state
        if run.importing.dry and one.key is not None and not run.what.group:
            known = hash(one.key)
            if state == "new" and known in run.seen:
                state = "changed"
            run.seen.add(known)
        counts[state] += 1
    before = made.foreseen if run.importing.dry else made.outcome
    return {
        **before,
        **{
            name: before.get(name, 0) + counts.get(name, 0)
            for name in ("new", "changed", "same", "refused")
        },
    }


def _refusals(outcomes: Sequence[Outcome]) -> list[Refused]:
    return [
        Refused(one.line, one.faults or [Fault("", _("This line cannot be taken."))])
        for one in outcomes
        if one.state == "refused"
    ]


async def _write_down(session: WorkspaceSession, run: _Run, refused: Sequence[Refused]) -> None:
    room = max(0, service.REFUSALS_KEPT - run.kept)
    rows = [
        {
            "workspace_id": run.workspace_id,
            "import_id": run.import_id,
            "line": one.line,
            "place": place,
            "column": fault.column,
            "value": fault.value,
            "reason": fault.reason.english,
            "gaps": {name: str(value) for name, value in fault.reason.values.items()},
        }
        for one in refused[:room]
        for place, fault in enumerate(one.faults)
    ]
    for at in range(0, len(rows), _WRITTEN_AT_ONCE):
        await session.execute(
            insert(Refusal),
            rows[at : at + _WRITTEN_AT_ONCE],
            execution_options={"scoped_by_hand": True},
        )
    run.kept += min(room, len(refused))


async def _finish(run: _Run) -> None:
    async with scope(run.workspace_id) as session:
        made = await session.get(Import, run.import_id, with_for_update=True)
        if made is None or made.done != run.done:
            raise _Stopped
        if run.importing.dry and made.state == "checking":
            made.state, made.foreseen = "checked", {**made.foreseen, "whole": True}
            if made.unattended:
                made.lines = made.done
                await service.start(session, made)
                return
        elif made.state == "running":
            made.state = "finished"
        else:
            raise _Stopped
        made.lines, made.place, made.finished_at = made.done, made.size, now()


async def _undo(workspace_id: UUID, import_id: UUID) -> None:
    while True:
        async with scope(workspace_id) as session:
            made = await session.get(Import, import_id, with_for_update=True)
            if made is None or made.state != "undoing":
                raise _Stopped
            step = await service.importable(made.kind).undo(session, import_id, UNDONE_AT_ONCE)
            counts = dict(made.outcome)
            counts["undone"] = counts.get("undone", 0) + step.undone
            counts["kept"] = counts.get("kept", 0) + step.kept
            made.outcome = counts
            if not (step.undone or step.kept or step.more):
                made.outcome = {name: n for name, n in counts.items() if name != "undoing"}
                made.state, made.finished_at = "undone", now()
                return
