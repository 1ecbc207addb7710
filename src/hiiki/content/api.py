"""`/api/v1/media` and `/api/v1/drafts`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import delete, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter

from hiiki.content import media, service
from hiiki.content.draft import Draft
from hiiki.content.models import Media
from hiiki.content.schemas import Checked, MediaOut, MediaPage
from hiiki.db import WorkspaceSession
from hiiki.workspace.access import Access, audit

TAGS = ["content"]


@get("/media", tags=TAGS)
async def list_media(
    session: WorkspaceSession,
    q: str = "",
    before: UUID | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> MediaPage:
    """List the library's images, newest first; `q` is a part of the name."""
    found, more = await media.listed(session, q, before, limit)
    return MediaPage(items=[MediaOut.of(one) for one in found], next=more)


@post("/media", tags=TAGS, request_max_body_size=media.MAX_UPLOAD + 100_000)
async def upload_media(
    session: WorkspaceSession,
    access: Access,
    data: Annotated[UploadFile, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> MediaOut:
    """Put an image (JPEG, PNG, GIF, WebP; the multipart field `data`) into the library."""
    made = await media.add(session, data.filename, await data.read())
    audit(session, access, "media.create", made.id, name=made.name)
    return MediaOut.of(made)


@get("/media/{media_id:uuid}", tags=TAGS)
async def get_media(session: WorkspaceSession, media_id: UUID) -> MediaOut:
    """Get one image's data."""
    return MediaOut.of(await session.one(Media, media_id))


@delete("/media/{media_id:uuid}", tags=TAGS)
async def delete_media(session: WorkspaceSession, access: Access, media_id: UUID) -> None:
    """Delete an image that nothing uses."""
    await media.remove(session, media_id)
    audit(session, access, "media.delete", media_id)


@post("/drafts/check", tags=TAGS, status_code=200, opt={"role": "viewer"})
async def check_draft(session: WorkspaceSession, data: Draft) -> Checked:
    """Check a message without keeping it, and see what LINE would get."""
    await service.check(session, data)
    async with session.begin_nested() as trial:
        built = await service.build(session, data, "check:draft")
        await trial.rollback()
    return Checked(messages=built.messages, personal=built.personal)


HANDLERS = [list_media, upload_media, get_media, delete_media, check_draft]
