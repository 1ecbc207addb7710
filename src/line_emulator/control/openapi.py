"""The control API's OpenAPI document, made from its routes."""

from __future__ import annotations

import re

from ..model import Json
from .route import ROUTES, Ask, ControlRoute, control

_PARAMETER = re.compile(r"\{(\w+)\}")


def _describe(route: ControlRoute) -> Json:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ] + [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in route.query.items()
    ]
    problem = {"description": '{"error": what is wrong}'}
    operation: Json = {
        "summary": route.summary,
        "description": route.handler.__doc__ or route.summary,
        "operationId": _name(route),
        "parameters": parameters,
        "responses": {"200": {"description": route.returns}, "400": problem, "404": problem},
    }
    if route.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": route.body}}}
    return operation


@control("GET", "/_emulator/openapi.json", "This document", returns="OpenAPI 3.1")
async def document(ask: Ask) -> Json:
    """The control API, described."""
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _describe(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LINE emulator control API",
            "version": "1",
            "description": "Drives simulated people, time and trouble. Not part of LINE.",
        },
        "servers": [{"url": ask.platform.base_url}],
        "paths": paths,
    }


def _name(route: ControlRoute) -> str:
    """A name that no other route has: a feature's routes are named after its folder."""
    package, module = route.handler.__module__.rsplit(".", 2)[-2:]
    return f"{package if module == 'control' else module}_{route.handler.__name__}"
