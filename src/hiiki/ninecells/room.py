"""What this room adds to the road."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.road import EventKind, Field, NavItem, Option, Picker, Reaction, Room, Usage
from hiiki.ninecells import api, views, views_movement
from hiiki.ninecells.cells import CELLS
from hiiki.ninecells.jobs import tasks
from hiiki.ninecells.models import Standing
from hiiki.ninecells.ready import SURVEYS
from hiiki.ninecells.service import asks, placed_by, setup_of
from hiiki.ninecells.telling import KIND, hear, hear_purchase


async def _cells(_session: WorkspaceSession) -> list[Option]:
    return [Option(cell.name, str(cell.label)) for cell in CELLS]


async def _uses(session: WorkspaceSession, kind: str, ident: UUID) -> Sequence[Usage]:
    if kind != "question":
        return ()
    setup = await setup_of(session)
    if setup is None or not asks(setup, ident):
        return ()
    return [Usage(str(_("9-segment map")), "/nine-cells/settings")]


room = Room(
    name="ninecells",
    pages=(*views.HANDLERS, *views_movement.HANDLERS),
    api=api.HANDLERS,
    nav=[NavItem("analytics", _("9-segment map"), "layout-grid", "/nine-cells", order=30)],
    events=[
        EventKind(KIND, _("Moved on the 9-segment map"), "arrows-move", subject="cell"),
    ],
    reactions=[Reaction("survey_finish", hear), Reaction("purchase", hear_purchase)],
    pickers=[Picker("cell", _("Cell of the 9-segment map"), _cells)],
    fields=[
        Field(
            "ninecells.cell",
            _("Cell of the 9-segment map"),
            "choice",
            Standing.cell,
            choices=[(cell.name, cell.label) for cell in CELLS],
            mark=placed_by,
        )
    ],
    surveys=SURVEYS,
    uses=_uses,
    tasks=tasks,
)
