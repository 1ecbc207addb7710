"""The web server's application: all rooms' pages, API and public pages put together."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Router, get
from litestar.di import Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect
from litestar.template import TemplateConfig

from hiiki.db.engine import dispose
from hiiki.kit.i18n import Text
from hiiki.kit.logs import configure_logs
from hiiki.kit.process import die_with_parent
from hiiki.kit.road import Registry
from hiiki.rooms import registry as all_rooms
from hiiki.settings import settings
from hiiki.web import errors
from hiiki.web.access import AccessMiddleware, guard, provide_access, provide_session
from hiiki.web.direct import ShortWay
from hiiki.web.health import Measured, healthz, metrics, readyz
from hiiki.web.openapi import api_router, openapi_handler
from hiiki.web.rendering import environment
from hiiki.web.security import AnswerHeaders, csrf_config
from hiiki.web.static import Assets
from hiiki.workspace.access import Access

MAX_BODY = 2_000_000
"""Bytes. A handler that takes files says `request_max_body_size=…` itself."""
SWITCH_SECONDS = 0.0005


class Application(Litestar):
    """Litestar, and a short way past it for what rooms take directly."""

    short_ways: Mapping[str, ShortWay]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            path: str = scope["path"]
            short_way = self.short_ways.get(path[: path.find("/", 1) + 1])
            if short_way is not None:
                await short_way(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def served_app() -> Litestar:
    """Return the application in a process that Granian has started; its server calls this.

    When `hiiki web` is killed, the process that answers ends too: it would go on answering, on
    the port of its successor.
    """
    die_with_parent()
    return create_app()


def create_app(registry: Registry = all_rooms) -> Application:
    """Return the application."""
    configure_logs(as_json=settings().log_json, level=settings().log_level)
    assets = Assets()
    needs: dict[str, Any] = {
        "access": Provide(provide_access),
        "session": Provide(provide_session),
    }
    pages = Router(
        "/",
        route_handlers=[*_pages(registry)],
        dependencies=needs,
        guards=[guard],
        opt={"door": "pages"},
        include_in_schema=False,
    )
    public = Router(
        "/",
        route_handlers=[handler for room in registry.rooms for handler in room.public],
        opt={"door": "public"},
        include_in_schema=False,
    )
    for_programs: dict[str, Any] = {
        "dependencies": needs,
        "guards": [guard],
        "opt": {"door": "api", "exclude_from_csrf": True},
    }
    app = Application(
        route_handlers=[
            pages,
            public,
            api_router(registry, **for_programs),
            openapi_handler(registry),
            assets.handler(),
            healthz,
            readyz,
            metrics,
        ],
        middleware=[Measured(), AccessMiddleware()],
        csrf_config=csrf_config(),
        exception_handlers={Exception: errors.handle},
        template_config=TemplateConfig(
            instance=JinjaTemplateEngine.from_environment(environment(registry, assets))
        ),
        before_send=[AnswerHeaders()],
        lifespan=[_lifespan],
        request_max_body_size=MAX_BODY,
        type_encoders={Text: str},
        openapi_config=None,
        logging_config=None,
    )
    app.short_ways = {
        direct.prefix: ShortWay(direct) for room in registry.rooms for direct in room.direct
    }
    return app


def _pages(registry: Registry) -> list[Any]:
    handlers = [handler for room in registry.rooms for handler in room.pages]
    if not any("/" in getattr(handler, "paths", ()) for handler in handlers):
        handlers.append(_home(registry))
    return handlers


def _home(registry: Registry) -> Any:
    @get("/")
    async def home(request: Request[Any, Any, Any], access: Access) -> Redirect:
        """Lead to the first page there is, where no room brings a home."""
        for room in registry.rooms:
            for item in room.nav:
                if access.may(item.role):
                    return Redirect(item.url, status_code=303)
        return Redirect("/profile", status_code=303)

    return home


@asynccontextmanager
async def _lifespan(_app: Litestar) -> AsyncGenerator[None]:
    # The server's own thread needs the interpreter's lock to hand over each request. While
    # Python is busy it would wait Python's usual five milliseconds for every one of them, and
    # in a storm what is refused would be refused too late.
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        await dispose()
