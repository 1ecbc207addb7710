"""The request that is being answered, for what is drawn deep inside a template."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from litestar import Request

from hiiki.workspace.access import Access

current_request: ContextVar[Request[Any, Any, Any] | None] = ContextVar(
    "hiiki_request", default=None
)


def current_access() -> Access | None:
    """Return who is asking, if anybody is logged in."""
    request = current_request.get()
    return None if request is None else request.scope["state"].get("access")


class AccessInTemplates:
    """Template variable `access`: the `Access` of the request, false when nobody is logged in.

    Jinja keeps what an imported macro file first saw; this object looks anew each time.
    """

    def __bool__(self) -> bool:
        return current_access() is not None

    def __getattr__(self, name: str) -> Any:
        return getattr(current_access(), name)
