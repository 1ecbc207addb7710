"""How a console page answers: a template with its context, a redirect, a passing word."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias
from urllib.parse import quote

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Redirect, Response, Template

from hiiki.kit.forms import nested
from hiiki.kit.i18n import Text

WebRequest: TypeAlias = Request[Any, Any, Any]
_NEAR = [
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
]
"""This machine, and the private networks in which a proxy or a container stands."""
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


def to(url: str, said: Text | None = None, cookies: Sequence[Cookie] = ()) -> Redirect:
    """Send the browser on to `url` (303), where `said` is shown once."""
    given = list(cookies)
    if said is not None:
        given.append(flash(said))
    return Redirect(url, status_code=303, cookies=given)


def inside(url: str | None, otherwise: str = "/") -> str:
    """Return `url` if it is a path of this server, `otherwise` if it leads anywhere else."""
    if not url or not url.startswith("/") or url.startswith("//") or "\\" in url:
        return otherwise
    return url if url.isprintable() else otherwise


def client_address(request: WebRequest) -> str:
    """Return the address of whoever asks, through a proxy on this machine or network.

    Only such a proxy is believed when it says for whom it asks; its own word is the last.
    """
    peer = request.client.host if request.client is not None else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    try:
        near = any(ip_address(peer) in network for network in _NEAR)
    except ValueError:
        near = False
    return forwarded.rsplit(",", 1)[-1].strip() if near and forwarded else peer


def flash(said: Text) -> Cookie:
    """Return the cookie that carries one sentence to the next page."""
    return Cookie(
        key=FLASH_COOKIE, value=quote(str(said)), max_age=30, httponly=True, samesite="lax"
    )


def is_fragment(request: WebRequest) -> bool:
    """True when HTMX asks for a part of a page (and not for a whole one by boosting)."""
    return (
        request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
    )


def go(url: str) -> Response[None]:
    """Tell HTMX to load `url` as a whole page."""
    return Response(content=None, status_code=204, headers={"HX-Redirect": url})


async def form_data(request: WebRequest) -> dict[str, Any]:
    """Return the posted form as nested data (`hiiki.kit.forms.nested`)."""
    form = await request.form()
    return nested((name, value) for name, value in form.multi_items() if name != "_csrf_token")
