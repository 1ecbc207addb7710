"""`/api/v1/personas`, for programs."""

from __future__ import annotations

from uuid import UUID

from litestar import delete, get, post, put
from pydantic import BaseModel

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import NotFound
from hiiki.personas import service
from hiiki.personas.models import Persona
from hiiki.personas.schemas import PersonaIn, PersonaOut, ReadingOut
from hiiki.workspace.access import Access, audit

TAGS = ["personas"]


class PersonaPage(BaseModel):
    """A page of personas, newest first."""

    items: list[PersonaOut]
    next: UUID | None
    """Give it as `before` to get the next page."""


@get("/personas", tags=TAGS, operation_id="ListPersonas")
async def list_personas(
    session: WorkspaceSession, q: str = "", before: UUID | None = None
) -> PersonaPage:
    """List personas; `q` is a part of the name."""
    found, following = await service.list_personas(session, search=q, before=before)
    return PersonaPage(
        items=[await service.persona_out(session, one) for one in found], next=following
    )


@post("/personas", tags=TAGS, operation_id="CreatePersona")
async def create_persona(session: WorkspaceSession, access: Access, data: PersonaIn) -> PersonaOut:
    """Make a persona and have it read."""
    made = await service.save(session, None, data)
    audit(session, access, "personas.create", made.id, name=made.name)
    return await service.persona_out(session, made)


@get("/personas/{persona_id:uuid}", tags=TAGS, operation_id="GetPersona")
async def get_persona(session: WorkspaceSession, persona_id: UUID) -> PersonaOut:
    """Return one persona."""
    return await service.persona_out(session, await session.one(Persona, persona_id))


@put("/personas/{persona_id:uuid}", tags=TAGS, operation_id="ChangePersona")
async def change_persona(
    session: WorkspaceSession, access: Access, persona_id: UUID, data: PersonaIn
) -> PersonaOut:
    """Change a persona; when it is of other people now, its readings go and it is read anew."""
    persona = await service.save(session, await session.one(Persona, persona_id), data)
    audit(session, access, "personas.update", persona.id, name=persona.name)
    await session.refresh(persona)
    return await service.persona_out(session, persona)


@delete("/personas/{persona_id:uuid}", tags=TAGS, operation_id="DeletePersona")
async def delete_persona(session: WorkspaceSession, access: Access, persona_id: UUID) -> None:
    """Delete a persona with its readings."""
    persona = await session.one(Persona, persona_id)
    audit(session, access, "personas.delete", persona.id, name=persona.name)
    await session.delete(persona)


@post("/personas/{persona_id:uuid}/readings", tags=TAGS, operation_id="ReadPersona")
async def read_persona(session: WorkspaceSession, access: Access, persona_id: UUID) -> ReadingOut:
    """Have a persona read anew; ask for the reading until its `state` is done or failed."""
    persona = await session.one(Persona, persona_id)
    reading = await service.read_soon(session, persona)
    audit(session, access, "personas.read", persona.id, name=persona.name)
    return service.reading_out(reading, None)


@get("/personas/{persona_id:uuid}/readings", tags=TAGS, operation_id="ListPersonaReadings")
async def list_readings(session: WorkspaceSession, persona_id: UUID) -> list[ReadingOut]:
    """Return a persona's readings without their figures, the latest first."""
    await session.one(Persona, persona_id)
    return [
        service.reading_out(one, None).model_copy(update={"shares": [], "means": []})
        for one in await service.readings_of(session, persona_id)
    ]


@get(
    "/personas/{persona_id:uuid}/readings/{reading_id:uuid}",
    tags=TAGS,
    operation_id="GetPersonaReading",
)
async def get_reading(session: WorkspaceSession, persona_id: UUID, reading_id: UUID) -> ReadingOut:
    """Return a reading with all its figures, and each share in the reading before."""
    await session.one(Persona, persona_id)
    readings = await service.readings_of(session, persona_id)
    reading = next((one for one in readings if one.id == reading_id), None)
    if reading is None:
        raise NotFound()
    return service.reading_out(reading, service.before(readings, reading))


HANDLERS = [
    list_personas,
    create_persona,
    get_persona,
    change_persona,
    delete_persona,
    read_persona,
    list_readings,
    get_reading,
]
