"""Promise 5: every route, asked with another workspace's ids, answers 404 and changes nothing."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text

from conftest import Shop
from console import Console
from foreign import MARK, NOT_OURS, make_world
from hiiki.db import everywhere
from hiiki.db.base import SCHEMAS
from routes import Route, body_for, routes

BODIES: dict[str, Any] = {
    "PUT /api/v1/broadcasts/{broadcast_id:uuid}": {
        "name": "a",
        "channel_id": "00000000-0000-7000-8000-00000000abcd",
        "draft": {"blocks": [{"kind": "text", "text": "a"}]},
    },
    "POST /api/v1/channels/{channel_id:uuid}/relays": {"name": "a", "url": "https://tool.example"},
    "PUT /api/v1/channels/{channel_id:uuid}/relays/{relay_id:uuid}": {
        "name": "a",
        "url": "https://tool.example",
    },
    "PUT /api/v1/coupons/{coupon_id:uuid}": {"title": "a", "benefit": "percent", "amount": 10},
}
"""`METHOD /path` → a body, for routes whose schema alone does not make a good one."""


async def everything_of(shop: Shop) -> dict[str, list[str]]:
    """Return every row of every table that belongs to `shop`, as text."""
    found: dict[str, list[str]] = {}
    async with everywhere() as session:
        tables = await session.execute(
            text(
                "select table_schema, table_name from information_schema.columns"
                " where column_name = 'workspace_id' and table_schema = any(:schemas)"
            ),
            {"schemas": list(SCHEMAS)},
        )
        for schema, table in tables.all():
            rows = await session.scalars(
                text(
                    f"select t::text from {schema}.{table} t where workspace_id = :shop order by 1"
                ),
                {"shop": shop.workspace_id},
            )
            found[f"{schema}.{table}"] = list(rows)
    return found


def test_the_walk_reaches_pages_and_api() -> None:
    from hiiki.web.app import create_app

    named = [route for route in routes(create_app(), "pages", "api") if route.parameters]
    assert len(named) > 60
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= {route.method for route in named}


async def test_every_parameter_is_known(app: Console, shop: Shop) -> None:
    known = {*await make_world(shop), *NOT_OURS}
    unknown = {
        f"{route}: {name}"
        for route in routes(app.app, "pages", "api")
        for name in route.parameters
        if name not in known
    }
    assert not unknown, "teach tests/foreign.py to make one"


async def test_another_workspaces_ids_are_404_everywhere(
    app: Console, shop: Shop, other_shop: Shop
) -> None:
    own, foreign = await make_world(shop), await make_world(other_shop)
    owner, program = await app.person(shop, "owner"), await app.program(shop, "owner")
    document = (await program.get("/api/v1/openapi.json")).json()
    before = await everything_of(other_shop)
    assert sum(map(len, before.values())) > 15
    wrong: list[str] = []
    walked = 0
    for route in routes(app.app, "pages", "api"):
        ours = [name for name in route.parameters if name not in NOT_OURS]
        for stranger in ours:
            # One id is the other workspace's; the others are our own.
            values = {**own, "key": "x", stranger: foreign[stranger]}
            missing = {**values, stranger: str(uuid.uuid4())}
            answer = await ask(route, values, owner, program, document)
            walked += 1
            if answer.status_code == 404:
                pass
            elif answer.status_code == 422 and route.door == "pages" and route.method == "POST":
                # The form is looked at before the id: then nobody learns whether there is one.
                same = await ask(route, missing, owner, program, document)
                if same.status_code != 422:
                    wrong.append(f"{route} [{stranger}] tells whether it exists")
            else:
                wrong.append(f"{route} [{stranger}] {answer.status_code} {answer.text[:200]}")
            if MARK in answer.text:
                wrong.append(f"{route} [{stranger}] shows what is the other workspace's")
    assert not wrong, "\n".join(wrong)
    assert walked > 80
    assert await everything_of(other_shop) == before


async def ask(route: Route, values: dict[str, str], owner: Any, program: Any, document: Any) -> Any:
    """Send what the route wants, with these ids in its path."""
    url = route.url(values)
    if route.door == "api":
        body = BODIES.get(str(route)) or body_for(document, route)
        return await program.request(route.method, url, json=body)
    if route.method == "GET":
        return await owner.get(url)
    return await owner.form(url, {})


async def test_lists_hold_nothing_of_another_workspace(
    app: Console, shop: Shop, other_shop: Shop
) -> None:
    await make_world(other_shop)
    owner, program = await app.person(shop, "owner"), await app.program(shop, "owner")
    shown: list[str] = []
    for route in routes(app.app, "pages", "api"):
        if route.method == "GET" and not route.parameters:
            client = program if route.door == "api" else owner
            answer = await client.get(route.path)
            if MARK in answer.text:
                shown.append(str(route))
            assert answer.status_code < 500, (str(route), answer.text[:500])
    assert not shown
