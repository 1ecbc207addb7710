"""Console pages: the personas, one of them, its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy import select

from hiiki.content.models import Media
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, gettext
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.kit.road import road
from hiiki.personas import service, subjects
from hiiki.personas.charts import bars, radar
from hiiki.personas.compare import (
    Finding,
    findings,
    means_of,
    on_one_scale,
    striking,
    typical,
)
from hiiki.personas.findings import Figures, Trait
from hiiki.personas.models import Persona, Reading
from hiiki.personas.reading import STEPS
from hiiki.personas.schemas import PersonaIn
from hiiki.personas.words import CERTAINTIES, amount, trait_label, value_label
from hiiki.workspace.access import Access, audit

OPERATOR = {"role": "operator"}
DRAWN = 12
"""Bars in the picture."""
CHANGES = 5
SHIFT = 0.03
"""A share that has changed by less is not listed as changed."""


@get("/personas")
async def list_personas(
    session: WorkspaceSession, q: str = "", before: UUID | None = None
) -> Template:
    """List the personas, newest first."""
    found, following = await service.list_personas(session, search=q, before=before)
    more = urlencode({"q": q, "before": following}) if following else ""
    return page(
        "personas/list.html",
        personas=[
            {
                "persona": one,
                "of": await subjects.title_of(session, one.subject),
                "image": await _image(session, one.media_id),
            }
            for one in found
        ],
        q=q,
        back=f"/personas?{urlencode({'q': q})}" if before else "",
        more=f"/personas?{more}" if more else "",
    )


@get("/personas/new", opt=OPERATOR)
async def new_persona(session: WorkspaceSession, subject: str = "") -> Template:
    """Show an empty form, or one for a segment or a value that a link names."""
    title = await subjects.title_of(session, subject) if subject else ""
    data = {"name": title[:60], "description": "", "subject": subject if title else ""}
    return await _form(session, None, {**data, "against": "", "media_id": ""}, {})


@post("/personas/new")
async def create_persona(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Make a persona and have it read."""
    data = await form_data(request)
    try:
        made = await service.save(session, None, parse(PersonaIn, _typed(data)))
    except Invalid as error:
        return await _form(session, None, _drawable(data), error.fields)
    audit(session, access, "personas.create", made.id, name=made.name)
    return to(f"/personas/{made.id}")


@get("/personas/{persona_id:uuid}")
async def show_persona(
    persona_id: UUID,
    session: WorkspaceSession,
    reading: UUID | None = None,
    radar_of: str = "",
) -> Template:
    """Show a persona: who these people are, beside the others, now or at an earlier reading."""
    persona = await session.one(Persona, persona_id)
    readings = await service.readings_of(session, persona_id)
    shown = _chosen(readings, reading)
    title = await subjects.title_of(session, persona.against) if persona.against else ""
    common: dict[str, Any] = {
        "persona": persona,
        "of": await subjects.title_of(session, persona.subject),
        "of_url": subjects.url_of(persona.subject),
        "against": title,
        "others": title or gettext("Everybody"),
        "image": await _image(session, persona.media_id),
        "waiting": service.under_way(readings),
        "failed": readings[0] if readings and readings[0].state == "failed" else None,
        "done": [one for one in readings if one.state == "done"],
        "steps": STEPS,
        "shown": shown,
    }
    if shown is None:
        return page("personas/show.html", figures=None, **common)
    return page(
        "personas/show.html",
        **common,
        **_pictures(shown, service.before(readings, shown), common["others"], radar_of),
    )


def _chosen(readings: Sequence[Reading], wanted: UUID | None) -> Reading | None:
    done = [one for one in readings if one.state == "done"]
    if wanted is None:
        return done[0] if done else None
    found = next((one for one in done if one.id == wanted), None)
    if found is None:
        raise NotFound()
    return found


def _pictures(
    reading: Reading, earlier: Reading | None, others: str, radar_of: str
) -> dict[str, Any]:
    figures = Figures.model_validate(reading.figures)
    past = Figures.model_validate(earlier.figures) if earlier is not None else None
    found, means = findings(figures, past), means_of(figures)
    striking_ones = striking(found, DRAWN)
    wheels = on_one_scale(figures)
    wheel = next((one for one in wheels if one.key == radar_of), None) or _best_wheel(wheels, found)
    return {
        "figures": figures,
        "earlier": earlier,
        "sentence": service.told(found, means, figures),
        "typical": typical(found),
        "means": means,
        "bars": bars(striking_ones, others) if striking_ones else None,
        "wheels": [(one.key, trait_label(one)) for one in wheels],
        "wheel": wheel.key if wheel is not None else "",
        "radar": radar(wheel, others) if wheel is not None else None,
        "groups": _groups(found),
        "changes": _changes(found),
        "certainties": CERTAINTIES,
        "amount": amount,
        "trait_label": trait_label,
        "value_label": value_label,
    }


def _best_wheel(wheels: Sequence[Trait], found: Sequence[Finding]) -> Trait | None:
    """Return the trait whose values differ most with certainty, several choices first."""
    effect: dict[str, float] = {}
    for one in found:
        if one.is_certain:
            effect[one.trait.key] = max(effect.get(one.trait.key, 0.0), abs(one.effect))
    ranked = sorted(
        wheels, key=lambda trait: (trait.kind != "several", -effect.get(trait.key, 0.0))
    )
    return ranked[0] if ranked else None


def _groups(found: Sequence[Finding]) -> list[tuple[Trait, list[Finding]]]:
    """Return the findings trait by trait, the most different trait first."""
    by_trait: dict[str, list[Finding]] = {}
    for one in found:
        by_trait.setdefault(one.trait.key, []).append(one)
    groups = [(some[0].trait, some) for some in by_trait.values()]
    return sorted(
        groups,
        key=lambda group: (
            -max(
                (abs(one.effect) for one in group[1] if one.is_certain and not one.is_asked),
                default=0,
            )
        ),
    )


def _changes(found: Sequence[Finding]) -> list[Finding]:
    """Return what has changed most since the reading before."""
    moved = [
        one for one in found if one.before is not None and abs(one.share - one.before) >= SHIFT
    ]
    return sorted(moved, key=lambda one: -abs(one.share - (one.before or 0.0)))[:CHANGES]


@get("/personas/{persona_id:uuid}/progress")
async def show_progress(persona_id: UUID, session: WorkspaceSession) -> Template:
    """Draw how far the reading is; the page loads anew when it is done."""
    await session.one(Persona, persona_id)
    readings = await service.readings_of(session, persona_id)
    waiting = service.under_way(readings)
    answer = page("personas/_progress.html", persona_id=persona_id, waiting=waiting, steps=STEPS)
    if waiting is None:
        answer.headers["HX-Refresh"] = "true"
    return answer


@post("/personas/{persona_id:uuid}/read")
async def read_persona(persona_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Have a persona read anew."""
    persona = await session.one(Persona, persona_id)
    await service.read_soon(session, persona)
    audit(session, access, "personas.read", persona.id, name=persona.name)
    return to(f"/personas/{persona_id}")


@get("/personas/{persona_id:uuid}/edit", opt=OPERATOR)
async def edit_persona(persona_id: UUID, session: WorkspaceSession) -> Template:
    """Show a persona in its form."""
    persona = await session.one(Persona, persona_id)
    data = {name: getattr(persona, name) for name in PersonaIn.model_fields}
    return await _form(session, persona, data, {})


@post("/personas/{persona_id:uuid}/edit")
async def change_persona(
    request: WebRequest, persona_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Change a persona; when it is of other people now, it is read anew."""
    persona = await session.one(Persona, persona_id)
    data = await form_data(request)
    try:
        await service.save(session, persona, parse(PersonaIn, _typed(data)))
    except Invalid as error:
        return await _form(session, persona, _drawable(data), error.fields)
    audit(session, access, "personas.update", persona.id, name=persona.name)
    return to(f"/personas/{persona_id}", _("Saved."))


@post("/personas/{persona_id:uuid}/delete")
async def delete_persona(persona_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Delete a persona with its readings; the people are not touched."""
    persona = await session.one(Persona, persona_id)
    audit(session, access, "personas.delete", persona.id, name=persona.name)
    await session.delete(persona)
    return to("/personas", _("The persona has been deleted."))


async def _image(session: WorkspaceSession, media_id: UUID | None) -> str:
    """Return the key of a persona's picture; "" for none."""
    if media_id is None:
        return ""
    return await session.scalar(select(Media.key).where(Media.id == media_id)) or ""


def _typed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in PersonaIn.model_fields if name in data}


def _drawable(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(data.get(name) or "") for name in PersonaIn.model_fields}


async def _form(
    session: WorkspaceSession,
    persona: Persona | None,
    data: dict[str, Any],
    errors: Mapping[str, Text],
) -> Template:
    return page(
        "personas/edit.html",
        status=422 if errors else 200,
        persona=persona,
        data=data,
        errors=errors,
        options=await subjects.options(session),
        images=await road().pickers["media"].options(session),
    )


HANDLERS = [
    list_personas,
    new_persona,
    create_persona,
    show_persona,
    show_progress,
    read_persona,
    edit_persona,
    change_persona,
    delete_persona,
]
