"""Everything that can go wrong, in its three dresses: JSON, a page, a passing word on the page."""

from __future__ import annotations

import json
from typing import Any, cast
from urllib.parse import quote

import psycopg
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    PermissionDeniedException,
    ValidationException,
)
from litestar.response import Redirect, Template
from sqlalchemy import exc as sql

from hiiki.kit import errors
from hiiki.kit.errors import HiikiError
from hiiki.kit.forms import explain_details
from hiiki.kit.i18n import Text, _, current_locale, set_locale
from hiiki.kit.pages import is_fragment
from hiiki.web.access import FirstVisit, locale_of
from hiiki.web.current import current_request

log = structlog.get_logger()

RETRY_SECONDS = 5


def handle(request: Request[Any, Any, Any], exc: Exception) -> Response[Any]:
    """Answer a request that ended in `exc`."""
    state: dict[str, Any] = request.scope["state"]
    if "access" not in state:  # it went wrong before anybody asked who this is
        set_locale(locale_of(request, None))
        current_request.set(request)
        state["access"] = None
    error = translate(exc)
    if error.status >= 500:
        log.error(
            "request.failed",
            method=request.method,
            path=_scope(request).get("path_template") or "(no such page)",
            error=type(exc).__name__,
            exc_info=exc if error.code == "internal" else None,
            why=None if error.code == "internal" else str(exc).split("\n")[0],
        )
    headers: dict[str, str] = {}
    if isinstance(error, errors.Unavailable):
        headers["retry-after"] = str(RETRY_SECONDS)
    if isinstance(exc, HTTPException) and exc.headers:
        headers |= {name: str(value) for name, value in exc.headers.items()}
    door = _door(request)
    if door == "api" or (door != "pages" and not _wants_page(request)):
        if error.status == 401:
            headers["www-authenticate"] = "Bearer"
        return Response(
            error.to_json(current_locale()),
            status_code=error.status,
            headers=headers,
            media_type="application/json",
        )
    if isinstance(error, errors.Unauthenticated) and door == "pages":
        return _to_log_in(request, "/welcome" if isinstance(exc, FirstVisit) else "/login")
    if is_fragment(request):
        return _toast(error, headers)
    return Template(
        "web/error.html",
        context={
            "error": error,
            "layout": "web/base.html"
            if state["access"] is not None and error.status < 500
            else "web/plain.html",
        },
        status_code=error.status,
        headers=headers,
        media_type="text/html",
    )


def translate(exc: Exception) -> HiikiError:
    """Return what `exc` means to the one who asked."""
    if isinstance(exc, BaseExceptionGroup):
        # Dependencies are closed in a task group: what went wrong is inside.
        inner = cast("BaseExceptionGroup[BaseException]", exc).exceptions[0]
        return translate(inner) if isinstance(inner, Exception) else HiikiError()
    if isinstance(exc, HiikiError):
        return exc
    if isinstance(exc, HTTPException):
        return _from_http(exc)
    if isinstance(exc, sql.IntegrityError):
        return _from_constraint(exc)
    if isinstance(exc, RecursionError):
        # Nothing of ours is nested without limit: it is what was sent.
        return errors.BadRequest()
    if is_database_gone(exc):
        return errors.Unavailable(
            _("The database does not answer at present. Please try again in a moment.")
        )
    return HiikiError()


def is_database_gone(exc: Exception) -> bool:
    """True when `exc` says that the database cannot be reached, or has gone away."""
    if isinstance(exc, sql.DBAPIError) and exc.connection_invalidated:
        return True
    return isinstance(
        exc,
        sql.OperationalError
        | sql.TimeoutError
        | sql.InterfaceError
        | psycopg.OperationalError
        | psycopg.InterfaceError,
    )


def _from_http(exc: HTTPException) -> HiikiError:
    if isinstance(exc, ValidationException):
        return errors.Invalid(fields=_fields(exc))
    if isinstance(exc, NotFoundException):
        return errors.NotFound()
    if isinstance(exc, MethodNotAllowedException):
        return errors.NotAllowed()
    if isinstance(exc, PermissionDeniedException):
        return errors.Untrusted() if "CSRF" in exc.detail else errors.Forbidden()
    known = {400: errors.BadRequest, 401: errors.Unauthenticated, 404: errors.NotFound}
    known |= {413: errors.TooLarge, 429: errors.TooMany, 503: errors.Unavailable}
    if exc.status_code in known:
        return known[exc.status_code]()
    return errors.BadRequest() if 400 <= exc.status_code < 500 else HiikiError()


def _fields(exc: ValidationException) -> dict[str, Text]:
    """Return our words for a body that Pydantic refused, or for a bad query parameter."""
    cause = exc.__cause__
    details = getattr(cause, "errors", None)
    if isinstance(details, list):
        return explain_details(details)  # pyright: ignore[reportUnknownArgumentType]
    found: dict[str, Text] = {}
    extra: Any = exc.extra
    for entry in extra if isinstance(extra, list) else []:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(entry, dict):
            found[str(entry.get("key", ""))] = _("This value cannot be taken.")  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]
    return found


def _from_constraint(exc: sql.IntegrityError) -> HiikiError:
    if isinstance(exc.orig, psycopg.errors.UniqueViolation):
        return errors.Conflict(_("This exists already. Please choose another name."))
    if isinstance(exc.orig, psycopg.errors.ForeignKeyViolation):
        return errors.Conflict(_("This is in use, or refers to something that is gone."))
    return HiikiError()


def _door(request: Request[Any, Any, Any]) -> str:
    if request.scope["path"].startswith("/api/"):
        return "api"
    handler = _scope(request).get("route_handler")
    return "" if handler is None else str(handler.opt.get("door", ""))


def _scope(request: Request[Any, Any, Any]) -> dict[str, Any]:
    # Litestar's typed scope promises a handler; where no route fits there is none.
    return cast("dict[str, Any]", request.scope)


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _to_log_in(request: Request[Any, Any, Any], path: str) -> Response[Any]:
    if is_fragment(request):
        back = request.headers.get("hx-current-url", "")
        back = "/" + back.split("/", 3)[3] if back.count("/") >= 3 else "/"
        address = f"{path}?next={quote(back, safe='/')}" if path == "/login" else path
        return Response(None, status_code=401, headers={"HX-Redirect": address})
    wanted = request.url.path
    if request.method == "GET" and request.url.query:
        wanted += "?" + request.url.query
    if path != "/login" or request.method != "GET" or wanted == "/":
        return Redirect(path, status_code=303)
    return Redirect(f"{path}?next={quote(wanted, safe='/')}", status_code=303)


def _toast(error: HiikiError, headers: dict[str, str]) -> Response[Any]:
    said = " ".join([str(error.message), *(str(text) for text in error.fields.values())])
    # Header values are ASCII: json.dumps writes everything else as \\u escapes.
    trigger = json.dumps({"hiiki:toast": {"message": said, "kind": "danger"}})
    return Response(
        None,
        status_code=error.status,
        headers={**headers, "HX-Reswap": "none", "HX-Trigger": trigger},
        media_type="text/html",
    )
