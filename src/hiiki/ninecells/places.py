"""From a cell to a segment: the rule that asks for it, and the saved segment of its people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.ninecells.cells import BY_NAME, Cell
from hiiki.segments.models import Segment
from hiiki.segments.prefill import new_segment_url
from hiiki.segments.rules import dump_rule, read_rule
from hiiki.segments.service import free_name, save


def rule_for(cells: Sequence[str]) -> dict[str, Any]:
    """Return the rule of those who stand in one of these cells now."""
    return {
        "kind": "field",
        "field": "ninecells.cell",
        "test": {"op": "choice_any", "choices": list(cells)},
    }


def builder_url(cells: Sequence[str]) -> str:
    """Return the address of the segment builder with this rule in it."""
    name = str(
        _("9-segment map: %(cell)s", cell="、".join(str(BY_NAME[one].label) for one in cells))
    )
    return new_segment_url(rule_for(cells), name)


async def segment_of(session: WorkspaceSession, cell: Cell) -> tuple[Segment, bool]:
    """Return the saved segment of a cell's people, and whether it had to be made."""
    rule = read_rule(rule_for([cell.name]))
    stored = dump_rule(rule)
    found = await session.scalar(
        select(Segment).where(Segment.rule == stored).order_by(Segment.id).limit(1)
    )
    if found is not None:
        return found, False
    name = str(_("9-segment map: %(cell)s", cell=cell.label))
    taken = await session.scalar(select(Segment.id).where(Segment.name == name))
    if taken is not None:
        name = await free_name(session, name)
    return await save(session, None, name=name, description=str(cell.who), rule=rule), True
