"""Why somebody is in a segment, or is not: each part of the rule, asked about one person."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import Text, _
from hiiki.segments import service
from hiiki.segments.compiler import compile_rule
from hiiki.segments.explain import sentence
from hiiki.segments.names import Names
from hiiki.segments.rules import AllOf, AnyOf, AnyRule, Not, walk

MOST = 40
"""Parts that are asked about; whoever made a longer rule does not read the rest."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of the rule, and whether it is true of the person."""

    depth: int
    said: Text
    holds: bool | None
    """None: not known."""


async def reasons_for(
    session: WorkspaceSession, rule: AnyRule, names: Names, contact_id: UUID
) -> list[Reason]:
    """Return the rule's parts from the top down, each with its answer; one statement asks all.

    The answers are the compiler's own: a part that is neither true nor false is not known.
    """
    parts = list(walk(rule))[:MOST]
    frame = await service.frame_for(session, rule, [contact_id])
    asked = [
        compile_rule(each, frame, name=f"part_{n}_{m}").exists()
        for n, (_path, part) in enumerate(parts)
        for m, each in enumerate((part, Not(kind="not", rule=part)))
    ]
    row = (await session.execute(select(*asked).execution_options(scoped_by_hand=True))).one()
    return [
        Reason(
            depth=path.count("rule"),
            said=_said(part, names),
            holds=True if row[2 * n] else False if row[2 * n + 1] else None,
        )
        for n, (path, part) in enumerate(parts)
    ]


def _said(part: AnyRule, names: Names) -> Text:
    match part:
        case AllOf():
            return _("All of these are true")
        case AnyOf():
            return _("At least one of these is true")
        case Not():
            return _("This is not so")
        case _:
            return sentence(part, names)
