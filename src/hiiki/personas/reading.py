"""Reading a persona: pass after pass in one transaction, in which its people are found once. How
far it is gets told beside it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select, update

from hiiki.db import WorkspaceSession, scope
from hiiki.kit.clock import now
from hiiki.kit.errors import HiikiError
from hiiki.personas import known, passes
from hiiki.personas.certainty import weigh
from hiiki.personas.crowd import Crowd
from hiiki.personas.findings import Figures, Trait
from hiiki.personas.models import Persona, Reading
from hiiki.personas.subjects import rule_of
from hiiki.segments.compiler import compile_rule
from hiiki.segments.found import found_once
from hiiki.segments.rules import dump_rule
from hiiki.segments.service import frame_for
from hiiki.workspace.models import Workspace

PASSES: Sequence[Callable[[Crowd], Awaitable[list[Trait]]]] = (
    passes.profile,
    known.attributes,
    known.answers,
    passes.tags,
    known.fields,
    passes.things,
    passes.friendship,
    passes.activity,
)
STEPS = len(PASSES) + 1
_AS_IN_RULES = {
    "profile:age": "birthday",
    "profile:age_band": "birthday",
    "profile:purchaser": "is_purchaser",
    "friendship:source": "friendship",
    "friendship:standing": "friendship",
}
"""Traits whose names in a rule are others."""


async def read(workspace_id: UUID, reading_id: UUID) -> None:
    """Work a reading out and keep it; one that is done already, or gone, is left alone.

    A killed worker's reading is begun anew by the next. What people of the shop can mend (a
    segment that is gone) is kept as the reason why it failed.
    """
    async with scope(workspace_id) as session:
        reading = await session.get(Reading, reading_id)
        if reading is None or reading.state != "waiting":
            return
        persona = await session.one(Persona, reading.persona_id)
    try:
        figures = await figures_of(workspace_id, persona.subject, persona.against, reading_id)
    except HiikiError as error:
        async with scope(workspace_id) as session:
            reading = await session.get(Reading, reading_id)
            if reading is not None:
                reading.state = "failed"
                reading.error = error.message.english % dict(error.message.values)
        return
    async with scope(workspace_id) as session:
        reading = await session.get(Reading, reading_id)
        # Whoever waited too long has asked anew.
        if reading is not None and reading.state == "waiting":
            reading.figures = figures.model_dump(mode="json")
            reading.state, reading.done_at, reading.step = "done", now(), STEPS


async def figures_of(
    workspace_id: UUID, subject: str, against: str = "", reading_id: UUID | None = None
) -> Figures:
    """Count a subject beside everybody or another; raises `Invalid` when one is not there."""
    found = Figures()
    async with scope(workspace_id) as session:
        crowd = await crowd_of(session, subject, against)
        found.people = await passes.people(crowd)
        rules = await _rules(session, [subject, against] if against else [subject])
        for step, one in enumerate(PASSES, 1):
            if reading_id is not None:
                await _tell(workspace_id, reading_id, step)
            found.traits += await one(crowd)
    found.traits = [trait for trait in found.traits if _tells(trait)]
    found.asked = asked(rules, found.traits)
    return weigh(found)


async def _tell(workspace_id: UUID, reading_id: UUID, step: int) -> None:
    async with scope(workspace_id) as session:
        await session.execute(update(Reading).where(Reading.id == reading_id).values(step=step))


def _tells(trait: Trait) -> bool:
    """A trait that is known of nobody, or a number that all have the same, tells nothing."""
    if trait.means is not None and not trait.values and not trait.means[0].variance:
        return False
    return trait.known[0] > 0


async def _rules(session: WorkspaceSession, subjects: Sequence[str]) -> str:
    """Return the rules of these subjects, and of all segments that they refer to, as one text."""
    parts: list[str] = []
    for subject in subjects:
        rule = await rule_of(session, subject)
        frame = await frame_for(session, rule)
        parts += [json.dumps(dump_rule(one)) for one in (rule, *frame.segments.values())]
    return "\n".join(parts)


def asked(rules: str, traits: Sequence[Trait]) -> list[str]:
    """Return which traits the rules ask about: that these people have them is no discovery."""
    found: list[str] = []
    for trait in traits:
        kind, _colon, name = trait.key.partition(":")
        if kind == "tag":
            found += [f"tag={one.value}" for one in trait.values if one.value in rules]
        elif f'"{_AS_IN_RULES.get(trait.key, name)}"' in rules:
            found.append(trait.key)
    return found


async def crowd_of(session: WorkspaceSession, subject: str, against: str = "") -> Crowd:
    """Return who is asked about, as statements; raises `Invalid` when a subject is not there."""
    timezone = await session.scalar(
        select(Workspace.timezone).where(Workspace.id == session.workspace_id)
    )
    return Crowd(
        session=session,
        zone=ZoneInfo(timezone or "Asia/Tokyo"),
        group=await _found(session, "persona_a", subject),
        against=await _found(session, "persona_b", against) if against else None,
    )


async def _found(session: WorkspaceSession, name: str, subject: str) -> Select[UUID]:
    rule = await rule_of(session, subject)
    return await found_once(session, name, compile_rule(rule, await frame_for(session, rule)))
