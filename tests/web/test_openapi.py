"""The API's description: all of the API, nothing else, and true."""

from __future__ import annotations

import json

from conftest import Shop
from console import Console
from routes import PARAMETER, routes


async def test_it_holds_exactly_the_routes_of_the_api(app: Console, shop: Shop) -> None:
    document = (await app.client().get("/api/v1/openapi.json")).json()
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    served = {
        (route.method, PARAMETER.sub(r"{\1}", route.path)) for route in routes(app.app, "api")
    }
    assert described == served


async def test_every_operation_is_described(app: Console, shop: Shop) -> None:
    document = (await app.client().get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["security"] == [{"token": []}]
    idents = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["operationId"] not in idents, where
            idents.add(operation["operationId"])
            assert operation["responses"]["default"]["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/Error"
            }
            assert any(code.startswith("2") for code in operation["responses"]), where


async def test_every_reference_leads_somewhere(app: Console, shop: Shop) -> None:
    text = (await app.client().get("/api/v1/openapi.json")).text
    document = json.loads(text)
    names = set(document["components"]["schemas"])

    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return found.union(*(references(inner) for inner in node.values()), set())
        if isinstance(node, list):
            return set().union(*(references(inner) for inner in node))
        return set()

    assert {ref.removeprefix("#/components/schemas/") for ref in references(document)} <= names
    # A secret of ours is never described as something that comes out.
    for name in ("ChannelOut", "StaffOut", "TokenOut"):
        shown = set(document["components"]["schemas"][name]["properties"])
        assert not shown & {"secret", "token", "password", "password_hash", "webhook_key"}
