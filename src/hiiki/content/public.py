"""What friends, and LINE, reach without a log-in: tracked links and images."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, head

from hiiki.content import media, opening
from hiiki.kit.errors import NotFound

_OPEN: dict[str, Any] = {"exclude_from_csrf": True}
_NEVER_KEPT = {
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "referrer-policy": "no-referrer",
}
_KEPT_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


async def _lead(request: Request[Any, Any, Any], code: str, ticket: str) -> Response[None]:
    link = await opening.find(code)
    if link is None:
        raise NotFound()
    counts = request.method == "GET" and opening.is_visit(request.headers)
    where = await opening.opened(link, ticket, counts=counts)
    return Response(None, status_code=302, headers={"location": where, **_NEVER_KEPT})


@get("/l/{code:str}/{ticket:str}", opt=_OPEN, status_code=302)
async def open_personal_link(
    request: Request[Any, Any, Any], code: str, ticket: str
) -> Response[None]:
    """Lead on to a link's address, having recorded who came."""
    return await _lead(request, code, ticket)


@head("/l/{code:str}/{ticket:str}", opt=_OPEN)
async def look_at_personal_link(
    request: Request[Any, Any, Any], code: str, ticket: str
) -> Response[None]:
    """Tell where a link leads; looking is not opening."""
    return await _lead(request, code, ticket)


@get("/l/{code:str}", opt=_OPEN, status_code=302)
async def open_link(request: Request[Any, Any, Any], code: str) -> Response[None]:
    """Lead on to a link's address; without a ticket it is nobody who comes."""
    return await _lead(request, code, "")


@head("/l/{code:str}", opt=_OPEN)
async def look_at_link(request: Request[Any, Any, Any], code: str) -> Response[None]:
    """Tell where a link leads."""
    return await _lead(request, code, "")


async def _image(request: Request[Any, Any, Any], key: str, *, preview: bool) -> Response[bytes]:
    tag = f'"{key}{"-p" if preview else ""}"'
    headers = {**_KEPT_FOR_EVER, "etag": tag, "x-content-type-options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    kind, body = await media.served(key, preview=preview)
    return Response(body, media_type=kind, headers=headers)


@get("/media/{key:str}", opt=_OPEN)
async def show_image(request: Request[Any, Any, Any], key: str) -> Response[bytes]:
    """Serve an image of the library."""
    return await _image(request, key, preview=False)


@get("/media/{key:str}/preview", opt=_OPEN)
async def show_preview(request: Request[Any, Any, Any], key: str) -> Response[bytes]:
    """Serve an image's small form."""
    return await _image(request, key, preview=True)


HANDLERS = [
    open_personal_link,
    look_at_personal_link,
    open_link,
    look_at_link,
    show_image,
    show_preview,
]
