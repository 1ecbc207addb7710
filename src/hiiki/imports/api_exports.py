"""`/api/v1/exports`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import delete, get, post
from litestar.params import Parameter
from litestar.response import Stream
from pydantic import BaseModel, Field

from hiiki.contacts.search import FriendFilter
from hiiki.db import WorkspaceSession
from hiiki.imports import exports
from hiiki.imports.models import Export
from hiiki.imports.views_exports import sent
from hiiki.kit.i18n import current_locale
from hiiki.kit.road import road
from hiiki.segments.models import Segment
from hiiki.workspace.access import Access, audit

TAGS = ["exports"]
OPERATOR = {"role": "operator"}
Limit = Annotated[int, Parameter(ge=1, le=200)]


class ExportKind(BaseModel):
    """Something that can be exported, and its columns by their names."""

    name: str
    label: str
    columns: dict[str, str]


class ExportIn(BaseModel):
    """What is to be written into a file."""

    kind: str
    filter: FriendFilter = Field(default_factory=FriendFilter)
    """Of friends: those whom this describes, such as `{"segment": …}`."""
    columns: list[str] = Field(max_length=500)
    encoding: Literal["utf-8-sig", "cp932"] = "utf-8-sig"


class ExportOut(BaseModel):
    """A file that is written, and how far it is."""

    id: UUID
    kind: str
    name: str
    state: str
    """waiting, writing, ready or failed."""
    total: int | None
    done: int
    size: int
    """Bytes, once it is ready."""
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, made: Export) -> ExportOut:
        """Return what programs see of an export."""
        return cls(**{name: getattr(made, name) for name in cls.model_fields})


class ExportPage(BaseModel):
    """Some exports, newest first."""

    items: list[ExportOut]
    next: UUID | None = None


@get("/exports/kinds", tags=TAGS, opt=OPERATOR)
async def list_export_kinds(session: WorkspaceSession) -> list[ExportKind]:
    """List what can be exported, with its columns."""
    return [
        ExportKind(
            name=one.name,
            label=str(one.label),
            columns={each.name: str(each.label) for each in await one.columns(session)},
        )
        for one in road().exports.values()
    ]


@get("/exports", tags=TAGS, opt=OPERATOR)
async def list_exports(
    session: WorkspaceSession, before: UUID | None = None, limit: Limit = 50
) -> ExportPage:
    """List exports, newest first."""
    found, more = await exports.listed(session, before, limit)
    return ExportPage(items=[ExportOut.of(one) for one in found], next=more)


@post("/exports", tags=TAGS)
async def make_export(session: WorkspaceSession, access: Access, data: ExportIn) -> ExportOut:
    """Have a file written; ask for it until its state is `ready`."""
    wanted, name = data.filter.query(), str(exports.exportable(data.kind).label)
    if data.filter.segment is not None:
        name = (await session.one(Segment, data.filter.segment)).name
    made = await exports.ask(
        session,
        data.kind,
        wanted,
        data.columns,
        data.encoding,
        name=name,
        locale=current_locale(),
        actor_name=access.actor_name,
    )
    audit(session, access, "imports.export", made.id, name=made.name, kind=data.kind)
    return ExportOut.of(made)


@get("/exports/{export_id:uuid}", tags=TAGS, opt=OPERATOR)
async def get_export(session: WorkspaceSession, export_id: UUID) -> ExportOut:
    """Get one export and how far it is."""
    return ExportOut.of(await session.one(Export, export_id))


@get("/exports/{export_id:uuid}/file", tags=TAGS, opt=OPERATOR)
async def fetch_export(session: WorkspaceSession, access: Access, export_id: UUID) -> Stream:
    """Fetch the file, within seven days."""
    return await sent(session, access, export_id)


@delete("/exports/{export_id:uuid}", tags=TAGS)
async def delete_export(session: WorkspaceSession, access: Access, export_id: UUID) -> None:
    """Delete a file before its time."""
    made = await exports.remove(session, export_id)
    audit(session, access, "imports.export_delete", export_id, name=made.name)


HANDLERS = [
    list_export_kinds,
    list_exports,
    make_export,
    get_export,
    fetch_export,
    delete_export,
]
