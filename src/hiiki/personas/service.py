"""Keeping personas: making, changing, reading and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select

from hiiki.content.models import Media
from hiiki.db import WorkspaceSession
from hiiki.jobs import enqueue
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import Usage
from hiiki.personas.compare import Finding, Mean, findings, means_of, striking
from hiiki.personas.findings import Figures
from hiiki.personas.models import Persona, Reading
from hiiki.personas.reading import STEPS
from hiiki.personas.schemas import MeanOut, PersonaIn, PersonaOut, ReadingOut, ShareOut
from hiiki.personas.subjects import rule_of
from hiiki.personas.words import sentence, trait_label, value_label

PAGE = 50
MOST_PERSONAS = 200
MOST_READINGS = 24
"""Of one persona; the oldest go."""
IN_SENTENCE = 4
PATIENCE = timedelta(hours=1)
"""A reading that is not done after so long waits for nobody any more: it can be asked for anew."""


async def list_personas(
    session: WorkspaceSession, *, search: str = "", before: UUID | None = None
) -> tuple[Sequence[Persona], UUID | None]:
    """Return a page of personas, the newest first, and what to give as `before` next."""
    query = select(Persona).order_by(Persona.id.desc()).limit(PAGE + 1)
    if search.strip():
        query = query.where(Persona.name.icontains(search.strip(), autoescape=True))
    if before is not None:
        query = query.where(Persona.id < before)
    rows = list(await session.scalars(query))
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


async def save(session: WorkspaceSession, persona: Persona | None, spec: PersonaIn) -> Persona:
    """Store a changed persona or a new one, and read it when who it is has changed.

    Raises `Invalid` at the fields, `Conflict` above 200 personas.
    """
    if wrong := await _wrong(session, spec):
        raise Invalid(fields=wrong)
    if persona is None:
        there = await session.scalar(select(func.count()).select_from(Persona)) or 0
        if there >= MOST_PERSONAS:
            wanted = _("There can be at most %(limit)s personas. Please delete one.", limit=there)
            raise Conflict(wanted)
        persona = Persona(subject="", name="")
        session.add(persona)
    is_other = (persona.subject, persona.against) != (spec.subject, spec.against)
    persona.name, persona.description = spec.name, spec.description
    persona.subject, persona.against = spec.subject, spec.against
    persona.media_id = spec.media_id
    await session.flush()
    if is_other:
        # What was read of other people says nothing of these.
        await session.execute(delete(Reading).where(Reading.persona_id == persona.id))
        await read_soon(session, persona)
    return persona


async def _wrong(session: WorkspaceSession, spec: PersonaIn) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    for field, subject in (("subject", spec.subject), ("against", spec.against)):
        try:
            if subject:
                await rule_of(session, subject)
        except Invalid as error:
            wrong[field] = error.message
    if spec.against and spec.against == spec.subject:
        wrong["against"] = _("Please compare them with others than themselves.")
    if spec.media_id is not None:
        known = await session.scalar(select(Media.id).where(Media.id == spec.media_id))
        if known is None:
            wrong["media_id"] = _("This image is no longer there.")
    return wrong


async def read_soon(session: WorkspaceSession, persona: Persona) -> Reading:
    """Have a worker read a persona once this transaction is through; raises `Conflict`."""
    readings = await readings_of(session, persona.id)
    if under_way(readings) is not None:
        raise Conflict(_("This persona is being read already."))
    for one in readings:
        if one.state == "waiting":
            one.state, one.error = "failed", _("The analysis was broken off.").english
    reading = Reading(persona_id=persona.id)
    session.add(reading)
    await session.flush()
    old = (
        select(Reading.id)
        .where(Reading.persona_id == persona.id)
        .order_by(Reading.id.desc())
        .offset(MOST_READINGS)
    )
    await session.execute(delete(Reading).where(Reading.id.in_(list(await session.scalars(old)))))
    await enqueue(
        session,
        "personas:read",
        {"workspace_id": str(session.workspace_id), "reading_id": str(reading.id)},
    )
    return reading


def under_way(readings: Sequence[Reading]) -> Reading | None:
    """Return the reading that a worker is at, or will be; None where none is waited for."""
    asked = now() - PATIENCE
    return next(
        (one for one in readings if one.state == "waiting" and one.created_at > asked), None
    )


async def readings_of(session: WorkspaceSession, persona_id: UUID) -> Sequence[Reading]:
    """Return a persona's readings, the latest first."""
    return list(
        await session.scalars(
            select(Reading).where(Reading.persona_id == persona_id).order_by(Reading.id.desc())
        )
    )


def before(readings: Sequence[Reading], reading: Reading) -> Reading | None:
    """Return the reading that was done before this one."""
    done = [one for one in readings if one.state == "done" and one.id < reading.id]
    return done[0] if done else None


def told(found: Sequence[Finding], means: Sequence[Mean], figures: Figures) -> str:
    """Return the sentence of a reading."""
    more = striking([one for one in found if one.effect > 0], IN_SENTENCE)
    less = striking([one for one in found if one.effect < 0], 2)
    return sentence(
        more, less, [one for one in means if one.is_certain and not one.is_asked][:2], figures
    )


async def persona_out(session: WorkspaceSession, persona: Persona) -> PersonaOut:
    """Return a persona as programs get it."""
    latest = await session.scalar(
        select(Reading.id)
        .where(Reading.persona_id == persona.id, Reading.state == "done")
        .order_by(Reading.id.desc())
        .limit(1)
    )
    return PersonaOut(
        id=persona.id,
        name=persona.name,
        description=persona.description,
        subject=persona.subject,
        against=persona.against,
        media_id=persona.media_id,
        created_at=persona.created_at,
        updated_at=persona.updated_at,
        reading_id=latest,
    )


def reading_out(reading: Reading, earlier: Reading | None) -> ReadingOut:
    """Return a reading as programs get it."""
    figures = Figures.model_validate(reading.figures)
    past = Figures.model_validate(earlier.figures) if earlier is not None else None
    found, means = findings(figures, past), means_of(figures)
    given: dict[str, Any] = {
        "id": reading.id,
        "persona_id": reading.persona_id,
        "state": reading.state,
        "step": reading.step,
        "steps": STEPS,
        "error": str(_(reading.error)) if reading.error else "",
        "created_at": reading.created_at,
        "done_at": reading.done_at,
    }
    if reading.state != "done":
        return ReadingOut.model_validate(given)
    return ReadingOut.model_validate(
        given
        | {
            "people": figures.people[1],
            "others": figures.people[2],
            "sentence": told(found, means, figures),
            "tests": figures.tests,
            "shares": [_share(one) for one in found],
            "means": [_mean(one) for one in means],
        }
    )


def _share(one: Finding) -> ShareOut:
    return ShareOut(
        trait=one.trait.key,
        trait_label=trait_label(one.trait),
        value=one.value.value,
        label=value_label(one.trait, one.value),
        people=one.hits,
        known=one.known,
        share=one.share,
        low=one.low,
        high=one.high,
        other=one.other,
        difference=one.difference,
        lift=one.lift,
        effect=one.effect,
        p=one.value.p,
        q=one.value.q,
        is_certain=one.is_certain,
        is_asked=one.is_asked,
        before=one.before,
    )


def _mean(one: Mean) -> MeanOut:
    return MeanOut(
        trait=one.trait.key,
        trait_label=trait_label(one.trait),
        mean=one.mean,
        known=one.known,
        other=one.other,
        effect=one.effect,
        p=one.trait.p,
        q=one.trait.q,
        is_certain=one.is_certain,
        is_asked=one.is_asked,
    )


async def uses(session: WorkspaceSession, kind: str, ident: UUID) -> Sequence[Usage]:
    """Return the personas that are of, or compared with, a segment, or have an image."""
    query = select(Persona).order_by(Persona.name)
    if kind == "segment":
        name = f"segment:{ident}"
        query = query.where(or_(Persona.subject == name, Persona.against == name))
    elif kind == "media":
        query = query.where(Persona.media_id == ident)
    else:
        return ()
    return [
        Usage(str(_("Persona “%(name)s”", name=one.name)), f"/personas/{one.id}")
        for one in await session.scalars(query)
    ]
