"""Style sheets, scripts and fonts: served from memory, under an address that names their content.

All files together have one hash. So an ES module may import its neighbour by a relative
path, a browser may keep everything for a year, and an upgrade changes every address.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

import line_preview
from hiiki.kit.errors import NotFound

PACKAGE = Path(__file__).resolve().parent.parent
_COMPRESSIBLE = {".css", ".js", ".mjs", ".svg", ".json", ".map"}
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2"}


class Assets:
    """The files that browsers need, by name: `hiiki.css`, `vendor/htmx.js`, `surveys/editor.js`.

    `web/assets/x` is `x`; another room's `assets/x` is `room/x`.
    """

    def __init__(self) -> None:
        self.files: dict[str, Path] = {
            "line-preview.css": line_preview.css_path(),
            "line-preview.js": line_preview.js_path(),
        }
        for folder in sorted(PACKAGE.glob("*/assets")):
            prefix = "" if folder.parent.name == "web" else f"{folder.parent.name}/"
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    self.files[prefix + path.relative_to(folder).as_posix()] = path
        whole = hashlib.sha256()
        for name, path in self.files.items():
            whole.update(name.encode())
            whole.update(path.read_bytes())
        self.version = whole.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Return the address of a file; raises `LookupError` for one that is not there."""
        if name not in self.files:
            raise LookupError(f"there is no asset {name!r}")
        return f"/assets/{self.version}/{name}"

    def handler(self) -> HTTPRouteHandler:
        """Return the handler that serves the files."""
        read = lru_cache(maxsize=512)(_read)

        @get(
            "/assets/{version:str}/{name:path}",
            opt={"nobody": True, "exclude_from_csrf": True},
            sync_to_thread=True,
            include_in_schema=False,
        )
        def serve(request: Request[Any, Any, Any], version: str, name: Path) -> Response[bytes]:
            path = self.files.get(name.as_posix().lstrip("/"))
            if path is None:
                raise NotFound()
            body, packed = read(path)
            headers = {"x-content-type-options": "nosniff", "vary": "accept-encoding"}
            # Only the present version's address may be kept: another shows what is here now.
            headers["cache-control"] = (
                "public, max-age=31536000, immutable" if version == self.version else "no-cache"
            )
            if packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
                body = packed
                headers["content-encoding"] = "gzip"
            kind = _TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"
            return Response(body, media_type=kind, headers=headers)

        return serve


def _read(path: Path) -> tuple[bytes, bytes | None]:
    body = path.read_bytes()
    return body, gzip.compress(body, 6, mtime=0) if path.suffix in _COMPRESSIBLE else None
