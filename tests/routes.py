"""Every route of the application, and a body that each would take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Litestar
from litestar.routes import HTTPRoute

PARAMETER = re.compile(r"\{(\w+):(\w+)\}")


@dataclass(frozen=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    door: str
    """pages, api, public, or "" for what is none of them."""
    opt: Mapping[str, Any]

    @property
    def parameters(self) -> list[str]:
        """The names of the path's parameters, in order."""
        return [name for name, _kind in PARAMETER.findall(self.path)]

    def url(self, values: Mapping[str, str]) -> str:
        """Return the path with these values in it."""
        return PARAMETER.sub(lambda found: values[found[1]], self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes(app: Litestar, *doors: str) -> Iterator[Route]:
    """Yield the routes behind these doors."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _model) in sorted(route.route_handler_map.items()):
                door = str(handler.opt.get("door", ""))
                if method not in ("OPTIONS", "HEAD") and door in doors:
                    yield Route(str(method), route.path, door, handler.opt)


def body_for(document: Mapping[str, Any], route: Route) -> Any:
    """Return a JSON body that fits the route's schema in the OpenAPI document, or None."""
    path = PARAMETER.sub(r"{\1}", route.path)
    operation = document["paths"][path][route.method.lower()]
    wanted = operation.get("requestBody")
    if wanted is None:
        return None
    return sample(document, wanted["content"]["application/json"]["schema"])


class TooDeep(Exception):
    """A schema that refers to itself, followed too far."""


def sample(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a small value that fits a JSON schema of ours."""
    if depth > 12:
        raise TooDeep
    if "$ref" in schema:
        named = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
        return sample(document, named, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        for choice in schema.get(key, ()):
            try:
                return sample(document, choice, depth + 1)
            except TooDeep:
                continue
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("properties", {})
        return {
            name: sample(document, wanted[name], depth + 1) for name in schema.get("required", [])
        }
    if kind == "array":
        fewest = schema.get("minItems", 0)
        return [sample(document, schema["items"], depth + 1)] * fewest if fewest else []
    if kind == "string":
        return _string(schema)
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return {"boolean": True, "null": None}.get(str(kind), {})


def _string(schema: Mapping[str, Any]) -> str:
    by_format = {
        "uuid": "00000000-0000-7000-8000-00000000abcd",
        "date": "2026-11-21",
        "date-time": "2030-11-21T10:00:00+09:00",
    }
    known = by_format.get(str(schema.get("format")))
    return known or "a" * max(1, int(schema.get("minLength", 1)))
