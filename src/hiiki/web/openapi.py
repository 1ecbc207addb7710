"""The API's own description, at /api/v1/openapi.json: exactly the API's routes.

It is made of the handlers' signatures and Pydantic's own schemas, so that what is
described is what is checked.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from typing import Any, cast, get_type_hints
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from hiiki.kit.road import Registry

PREFIX = "/api/v1"
_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(?P<name>\w+):(?P<kind>\w+)\}")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_GIVEN = {"access", "session", "request", "data", "body", "return"}
"""Arguments of a handler that are not parameters of the request."""
_MODES: tuple[JsonSchemaMode, ...] = ("validation", "serialization")
_KINDS: dict[str, dict[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
}
_CODES = [
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
]
ERROR: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, in the language of Accept-Language (ja, en).",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string", "description": "For programs.", "examples": _CODES},
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
    handlers = [handler for room in registry.rooms for handler in room.api]
    return Router(PREFIX, route_handlers=handlers, include_in_schema=False, **options)


def describe(registry: Registry) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the API."""
    models: set[type[BaseModel]] = set()
    paths: dict[str, dict[str, Any]] = {}
    operations: list[tuple[dict[str, Any], _Operation]] = []
    for room in registry.rooms:
        for operation in _operations(room.name, room.api):
            models |= operation.models
            place = paths.setdefault(operation.path, {})
            described: dict[str, Any] = {}
            place[operation.method.lower()] = described
            operations.append((described, operation))
    names, schemas = models_json_schema(
        [
            (model, mode)
            for model in sorted(models, key=_name)
            for mode in ("validation", "serialization")
        ],
        ref_template=_REF,
        schema_generator=GenerateJsonSchema,
    )
    definitions = cast("dict[str, Any]", schemas.get("$defs", {}))
    for described, operation in operations:
        described.update(operation.describe(names))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hiiki API",
            "version": version("hiiki"),
            "description": "Everything the console does, for programs. Ask with "
            "`Authorization: Bearer <token>`; an owner makes tokens under Settings, or "
            "`hiiki token create` does. Reading needs any role, changing an operator, staff "
            "and tokens an owner. Every error has the shape of `Error`.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**definitions, "Error": ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _name(model: type[BaseModel]) -> str:
    return f"{model.__module__}.{model.__qualname__}"


class _Operation:
    """One handler, for one path and method."""

    def __init__(self, room: str, handler: HTTPRouteHandler, path: str, method: str) -> None:
        self.room = room
        self.handler = handler
        self.method = method
        self.raw_path = PREFIX + "/" + path.strip("/")
        self.path = _PARAMETER.sub(lambda found: "{" + found["name"] + "}", self.raw_path)
        self.function = cast("Any", handler.fn)
        self.hints = get_type_hints(self.function, include_extras=True)
        self.body: Any = self.hints.get("data")
        self.answer: Any = self.hints.get("return", type(None))
        self.models = {model for kind in (self.body, self.answer) for model in _models_in(kind)}

    def describe(self, names: Any) -> dict[str, Any]:
        words = inspect.getdoc(self.function) or ""
        summary, _, more = words.partition("\n\n")
        role = str(self.handler.opt.get("role", "viewer" if self.method == "GET" else "operator"))
        found: dict[str, Any] = {
            "operationId": "_".join([self.method.lower(), *_WORD.findall(self.path)[2:]]),
            "tags": [self.room],
            "summary": " ".join(summary.split()).rstrip("."),
            "description": (" ".join(more.split()) + f" Needs the role {role}.").strip(),
            "parameters": [*self._path_parameters(), *self._query_parameters()],
            "responses": {
                str(self.handler.status_code): self._answer(names),
                "default": {
                    "description": "It did not work; `error` says why.",
                    "content": {
                        "application/json": {"schema": {"$ref": _REF.format(model="Error")}}
                    },
                },
            },
        }
        if self.body is not None:
            schema = _schema(self.body, "validation", names)
            found["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": schema}},
            }
        return found

    def _path_parameters(self) -> Iterator[dict[str, Any]]:
        for parameter in _PARAMETER.finditer(self.raw_path):
            yield {
                "name": parameter["name"],
                "in": "path",
                "required": True,
                "schema": _KINDS.get(parameter["kind"], {"type": "string"}),
            }

    def _query_parameters(self) -> Iterator[dict[str, Any]]:
        in_path = {found["name"] for found in _PARAMETER.finditer(self.raw_path)}
        for parameter in inspect.signature(self.function).parameters.values():
            name = parameter.name
            if name in _GIVEN or name in in_path:
                continue
            hint = self.hints[name]
            if inspect.isclass(hint) and issubclass(hint, Request):
                continue
            limits = _limits(hint)
            schema = TypeAdapter(_bare(hint)).json_schema()
            told = ("alias", "description")
            schema.update({key: value for key, value in limits.items() if key not in told})
            alias = limits.pop("alias", name)
            described: dict[str, Any] = {"name": alias, "in": "query", "schema": schema}
            if "description" in limits:
                described["description"] = limits["description"]
            if parameter.default is inspect.Parameter.empty:
                described["required"] = True
            elif parameter.default not in (None, "") and not isinstance(parameter.default, UUID):
                schema["default"] = parameter.default
            yield described

    def _answer(self, names: Any) -> dict[str, Any]:
        if self.answer is type(None):
            return {"description": "Done."}
        schema: dict[str, Any] = {}
        if any(_models_in(self.answer)):
            schema = _schema(self.answer, "serialization", names)
        return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _operations(room: str, handlers: Any) -> Iterator[_Operation]:
    for handler in handlers:
        for path in sorted(handler.paths):
            for method in sorted(handler.http_methods):
                if method != "OPTIONS":
                    yield _Operation(room, handler, path, str(method))


def _models_in(kind: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        yield kind
    for inner in getattr(kind, "__args__", ()):
        yield from _models_in(inner)


def _schema(kind: Any, mode: str, names: Any) -> dict[str, Any]:
    """Return the schema of a body or an answer, with models by reference."""
    if (kind, mode) in names:
        return cast("dict[str, Any]", names[(kind, mode)])
    arguments = getattr(kind, "__args__", ())
    members = [_schema(inner, mode, names) for inner in arguments if inner is not type(None)]
    if getattr(kind, "__origin__", None) in (list, tuple):
        return {"type": "array", "items": members[0] if members else {}}
    if not members:
        return {}
    return members[0] if len(members) == 1 else {"anyOf": members}


def _bare(hint: Any) -> Any:
    return getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint


def _limits(hint: Any) -> dict[str, Any]:
    """Return what Litestar's `Parameter(…)` in the annotation asks of a query parameter."""
    found: dict[str, Any] = {}
    wanted = {
        "ge": "minimum",
        "gt": "exclusiveMinimum",
        "le": "maximum",
        "lt": "exclusiveMaximum",
        "min_length": "minLength",
        "max_length": "maxLength",
        "pattern": "pattern",
        "description": "description",
        "query": "alias",
    }
    for note in getattr(hint, "__metadata__", ()):
        for attribute, key in wanted.items():
            value = getattr(note, attribute, None)
            if value is not None:
                found[key] = value
    return found


def openapi_handler(registry: Registry) -> HTTPRouteHandler:
    """Return the handler that serves the document; it is made on the first request."""

    @lru_cache(maxsize=1)
    def document() -> dict[str, Any]:
        return describe(registry)

    @get(
        PREFIX + "/openapi.json",
        opt={"nobody": True, "exclude_from_csrf": True},
        sync_to_thread=True,
        include_in_schema=False,
    )
    def openapi_document() -> Response[dict[str, Any]]:
        return Response(document(), media_type="application/json")

    return openapi_document
