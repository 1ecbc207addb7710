"""Images: taken in whatever form they come, kept in the form LINE wants.

LINE takes JPEG and PNG of at most 10 MB and previews of at most 1 MB (Messaging API
reference, "Image message"). Every image is decoded and written anew, so what is served is
an image and nothing else, without the place and camera that photographs carry.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import ColumnElement, select

from hiiki.content.models import Media
from hiiki.db import WorkspaceSession, everywhere
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import code
from hiiki.kit.road import road
from hiiki.line import limits

MAX_UPLOAD = 20 * 1024 * 1024
"""Bytes of a file as it comes; it is made smaller."""
MAX_PIXELS = 60_000_000
MAX_SIDE = 2048
"""Pixels: more than any phone shows."""
PREVIEW_WIDTH = 240
PAGE_SIZE = 48
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as LINE takes it."""

    content_type: str
    width: int
    height: int
    body: bytes
    preview: bytes


def prepare(data: bytes) -> Prepared:
    """Return the image in `data` as LINE takes it; raises `Invalid` when there is none."""
    if not data:
        raise _refused(_("Please choose an image."))
    if len(data) > MAX_UPLOAD:
        raise _refused(_("Please choose an image of at most %(mb)s MB.", mb=MAX_UPLOAD >> 20))
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _refused(_("This image has too many pixels. Please make it smaller."))
            picture = ImageOps.exif_transpose(opened)
            transparent = picture.has_transparency_data
            picture = picture.convert("RGBA" if transparent else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise _refused(
            _("This is not an image that can be read. Please choose a JPEG, PNG, GIF or WebP.")
        ) from error
    except Image.DecompressionBombError as error:
        raise _refused(_("This image has too many pixels. Please make it smaller.")) from error
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    body, kind = _within(picture, limits.IMAGE_BYTES)
    small = picture.copy()
    small.thumbnail((PREVIEW_WIDTH, PREVIEW_WIDTH * 3), Image.Resampling.LANCZOS)
    if kind == "image/jpeg":
        small = _opaque(small)
    return Prepared(kind, picture.width, picture.height, body, _encode(small, kind))


def _within(picture: Image.Image, most: int) -> tuple[bytes, str]:
    if picture.mode == "RGBA":
        body = _encode(picture, "image/png")
        if len(body) <= most:
            return body, "image/png"
    return _encode(_opaque(picture), "image/jpeg"), "image/jpeg"


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _encode(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "image/png":
        picture.save(out, "PNG", optimize=True)
    else:
        picture.save(out, "JPEG", quality=88, optimize=True, progressive=True)
    return out.getvalue()


def _refused(said: Text) -> Invalid:
    return Invalid(fields={"file": said})


async def add(session: WorkspaceSession, name: str, data: bytes) -> Media:
    """Put an image into the library; raises `Invalid` at `file`."""
    ready = await asyncio.to_thread(prepare, data)
    media = Media(
        key=code(24),
        name=(name.replace("\x00", "").strip() or "image")[:200],
        content_type=ready.content_type,
        width=ready.width,
        height=ready.height,
        size=len(ready.body),
        body=ready.body,
        preview=ready.preview,
    )
    session.add(media)
    await session.flush()
    return media


async def listed(
    session: WorkspaceSession, search: str = "", before: UUID | None = None, limit: int = PAGE_SIZE
) -> tuple[list[Media], UUID | None]:
    """Return images, newest first, and the id to go on from when there are more."""
    wanted: list[ColumnElement[bool]] = []
    if search.strip():
        wanted.append(Media.name.icontains(search.strip(), autoescape=True))
    if before is not None:
        wanted.append(Media.id < before)
    found = list(
        await session.scalars(
            select(Media).where(*wanted).order_by(Media.id.desc()).limit(limit + 1)
        )
    )
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def remove(session: WorkspaceSession, media_id: UUID) -> None:
    """Delete an image; raises `NotFound`, or `Conflict` with the places that use it."""
    media = await session.one(Media, media_id)
    usages = await road().usages(session, "media", media_id)
    if usages:
        raise Conflict(
            _("This image is in use: %(places)s.", places=", ".join(u.label for u in usages[:5]))
        )
    await session.delete(media)


async def served(key: str, *, preview: bool) -> tuple[str, bytes]:
    """Return content type and bytes of the image with this key; raises `NotFound`."""
    column: Any = Media.preview if preview else Media.body
    # LINE and friends fetch images by their unguessable key; there is no log-in to scope by.
    async with everywhere() as session:
        row = (
            await session.execute(select(Media.content_type, column).where(Media.key == key))
        ).one_or_none()
    if row is None:
        raise NotFound()
    return str(row[0]), bytes(row[1])
