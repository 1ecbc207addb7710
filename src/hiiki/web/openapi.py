"""The API's own description, at /api/v1/openapi.json: exactly the API's routes."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any, cast

from litestar import Litestar, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from hiiki.kit.road import Registry

ERROR: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, in the language of Accept-Language (ja, en).",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {
                    "type": "string",
                    "description": "Stable, for programs.",
                    "enum": [
                        "bad_request",
                        "conflict",
                        "forbidden",
                        "internal",
                        "invalid",
                        "method_not_allowed",
                        "not_found",
                        "too_large",
                        "too_many",
                        "unauthenticated",
                        "unavailable",
                    ],
                },
                "message": {"type": "string", "description": "A sentence for people."},
                "fields": {
                    "type": "array",
                    "description": "The fields that caused it, if any.",
                    "items": {
                        "type": "object",
                        "required": ["path", "message"],
                        "properties": {
                            "path": {"type": "string", "examples": ["questions.0.title"]},
                            "message": {"type": "string"},
                        },
                    },
                },
            },
        }
    },
}


def api_router(registry: Registry, **options: Any) -> Router:
    """Return all rooms' API handlers under /api/v1."""
    return Router(
        "/api/v1",
        route_handlers=[handler for room in registry.rooms for handler in room.api],
        **options,
    )


def describe(registry: Registry, **options: Any) -> dict[str, Any]:
    """Return the OpenAPI document of the API."""
    app = Litestar(
        route_handlers=[api_router(registry, **options)],
        openapi_config=OpenAPIConfig(
            title="Hiiki API",
            version=version("hiiki"),
            description="Everything the console does, for programs. Ask with "
            "`Authorization: Bearer <token>`; an owner makes tokens under Settings, or "
            "`hiiki token create` does. A reading request needs any role, a changing one an "
            "operator, staff and tokens an owner.",
            path="/api/v1",
            components=Components(
                security_schemes={
                    "token": SecurityScheme(type="http", scheme="bearer"),
                }
            ),
            security=[{"token": []}],
            use_handler_docstrings=True,
        ),
    )
    document = cast("dict[str, Any]", app.openapi_schema.to_schema())
    document.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
    failed = {
        "description": "It did not work; `error` says why.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                responses = cast("dict[str, Any]", operation).setdefault("responses", {})
                responses.pop("400", None)  # Litestar's own shape, which we never send
                responses["default"] = failed
    return document


def openapi_handler(registry: Registry, **options: Any) -> HTTPRouteHandler:
    """Return the handler that serves the document; it is made on the first request."""

    @lru_cache(maxsize=1)
    def document() -> dict[str, Any]:
        return describe(registry, **options)

    @get(
        "/api/v1/openapi.json",
        opt={"nobody": True, "exclude_from_csrf": True},
        sync_to_thread=True,
        include_in_schema=False,
    )
    def openapi_document() -> Response[dict[str, Any]]:
        return Response(document(), media_type="application/vnd.oai.openapi+json")

    return openapi_document
