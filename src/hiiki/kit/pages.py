"""How a console page answers: a template with its context, a redirect, a passing word."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Redirect, Response, Template

from hiiki.kit.forms import nested
from hiiki.kit.i18n import Text

FLASH_COOKIE = "hiiki_flash"


@dataclass(slots=True)
class Outcome:
    """What became of a request, as far as its handler has said."""

    refused: bool = False


outcome: ContextVar[Outcome | None] = ContextVar("hiiki_outcome", default=None)
"""Set by `web` for each request; its transaction asks it whether to commit."""


def page(template: str, *, status: int = 200, **context: Any) -> Template:
    """Answer with `template`; `web` adds who is logged in, the language and the navigation.

    A page with an error status takes back whatever its handler has written: what was
    refused is never half done.
    """
    current = outcome.get()
    if status >= 400 and current is not None:
        current.refused = True
    return Template(template_name=template, context=context, status_code=status)


def to(url: str, said: Text | None = None) -> Redirect:
    """Send the browser on to `url` (303), where `said` is shown once."""
    cookies = [] if said is None else [flash(said)]
    return Redirect(url, status_code=303, cookies=cookies)


def flash(said: Text) -> Cookie:
    """Return the cookie that carries one sentence to the next page."""
    return Cookie(
        key=FLASH_COOKIE, value=quote(str(said)), max_age=30, httponly=True, samesite="lax"
    )


def is_fragment(request: Request[Any, Any, Any]) -> bool:
    """True when HTMX asks for a part of a page (and not for a whole one by boosting)."""
    return (
        request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
    )


def go(url: str) -> Response[None]:
    """Tell HTMX to load `url` as a whole page."""
    return Response(content=None, status_code=204, headers={"HX-Redirect": url})


async def form_data(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return the posted form as nested data (`hiiki.kit.forms.nested`)."""
    form = await request.form()
    return nested((name, value) for name, value in form.multi_items() if name != "_csrf_token")
