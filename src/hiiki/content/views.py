"""Console pages: the composer's fragments, and the library of images."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect, Template

from hiiki.content import composer, media
from hiiki.content.models import Media
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _, current_locale, gettext
from hiiki.kit.pages import form_data, page, to
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit
from line_preview import render_phone

AnyRequest = Request[Any, Any, Any]


@post("/content/composer", status_code=200, request_max_body_size=media.MAX_UPLOAD + 2_000_000)
async def redraw_composer(
    request: AnyRequest,
    session: WorkspaceSession,
    access: Access,
    path: str,
    do: str = "",
    at: int = -1,
    kind: str = "",
    button: int = -1,
) -> Template:
    """Draw the composer at `path` of the form anew, after one of its buttons was pressed."""
    data = await form_data(request)
    draft = composer.change(composer.at_path(data, path), do, at, kind, button)
    errors: dict[str, Any] = {}
    if do == "upload":
        given = data.get("file")
        try:
            made = await _upload(session, access, given)
            blocks: list[dict[str, Any]] = draft["blocks"]
            if 0 <= at < len(blocks) and "media_id" in blocks[at]:
                blocks[at]["media_id"] = str(made.id)
        except Invalid as error:
            errors = {f"{path}.blocks.{at}.media_id": error.fields.get("file", error.message)}
    return page(
        "content/_composer.html",
        path=path,
        value=draft,
        errors=errors,
        composer=await composer.choices(session),
    )


@post("/content/preview", status_code=200)
async def show_preview(
    request: AnyRequest, session: WorkspaceSession, access: Access, path: str
) -> Template:
    """Draw the phone with the message that stands at `path` of the form."""
    data = await form_data(request)
    messages = await composer.shown(session, composer.at_path(data, path))
    title = await composer.title(session, data.get("channel_id"), access.workspace_name)
    phone = render_phone(messages, title=title, lang=current_locale())
    return page("content/_preview.html", phone=phone)


async def _upload(session: WorkspaceSession, access: Access, given: Any) -> Media:
    if not isinstance(given, UploadFile):
        raise Invalid(fields={"file": _("Please choose an image.")})
    made = await media.add(session, given.filename, await given.read(media.MAX_UPLOAD + 1))
    audit(session, access, "media.create", made.id, name=made.name)
    return made


@get("/library")
async def show_library(
    session: WorkspaceSession, q: str = "", before: UUID | None = None
) -> Template:
    """List the images, newest first."""
    return await _library(session, q, before, {})


@post("/library", request_max_body_size=media.MAX_UPLOAD + 100_000)
async def upload_image(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Put an image into the library."""
    data = await form_data(request)
    try:
        await _upload(session, access, data.get("file"))
    except Invalid as error:
        return await _library(session, "", None, error.fields)
    return to("/library", _("The image is in the library now."))


@post("/library/{media_id:uuid}/delete")
async def delete_image(session: WorkspaceSession, access: Access, media_id: UUID) -> Redirect:
    """Delete an image that nothing uses."""
    await media.remove(session, media_id)
    audit(session, access, "media.delete", media_id)
    return to("/library", _("The image has been deleted."))


async def _library(
    session: WorkspaceSession, q: str, before: UUID | None, errors: dict[str, Any]
) -> Template:
    found, more = await media.listed(session, q, before)
    usages = {one.id: await road().usages(session, "media", one.id) for one in found}
    following = f"/library?before={more}" + (f"&q={q}" if q else "") if more else ""
    return page(
        "content/library.html",
        status=422 if errors else 200,
        images=found,
        usages=usages,
        q=q,
        errors=errors,
        back="/library" if before else "",
        more=following,
        size=_size,
    )


def _size(count: int) -> str:
    if count >= 1_000_000:
        return gettext("%(n)s MB", n=f"{count / 1_000_000:.1f}")
    return gettext("%(n)s KB", n=max(1, round(count / 1000)))


HANDLERS = [redraw_composer, show_preview, show_library, upload_image, delete_image]
