"""Who may come in: log-in, token, role, and the token against forged requests."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from conftest import Shop
from console import Console
from foreign import NOT_OURS, make_world
from routes import Route, body_for, routes


def some(route: Route) -> str:
    """Return the route's path with ids of nothing."""
    ident = str(uuid.uuid4())
    return route.url(dict.fromkeys(route.parameters, ident) | {"serial": "1"})


async def test_every_page_needs_a_log_in(app: Console, shop: Shop) -> None:
    await app.person(shop)
    stranger = app.client()
    await stranger.csrf()
    open_doors = []
    for route in routes(app.app, "pages"):
        url = some(route)
        if route.method == "GET":
            answer = await stranger.get(url)
        else:
            answer = await stranger.form(url)
        if answer.status_code != 303 or not answer.headers["location"].startswith("/login"):
            open_doors.append((str(route), answer.status_code))
    assert not open_doors


async def test_every_api_route_needs_a_token(app: Console, shop: Shop) -> None:
    person = await app.person(shop)
    wrong = app.client(headers={"authorization": "Bearer hiiki_wrong"})
    open_doors = []
    for route in routes(app.app, "api"):
        for client in (app.client(), wrong, person):  # a log-in is no token
            answer = await client.request(route.method, some(route))
            if answer.status_code != 401 or answer.json()["error"]["code"] != "unauthenticated":
                open_doors.append((str(route), answer.status_code, answer.text[:200]))
    assert not open_doors


async def test_a_viewer_changes_nothing(app: Console, shop: Shop) -> None:
    own = {**await make_world(shop), **dict.fromkeys(NOT_OURS, "x")}
    viewer, program = await app.person(shop, "viewer"), await app.program(shop, "viewer")
    document = (await program.get("/api/v1/openapi.json")).json()
    may_do = []
    for route in routes(app.app, "pages", "api"):
        if route.method == "GET" or route.opt.get("role") == "viewer":
            continue
        if route.door == "api":
            answer = await program.request(
                route.method, route.url(own), json=body_for(document, route)
            )
        else:
            answer = await viewer.form(route.url(own))
        if answer.status_code != 403:
            may_do.append((str(route), answer.status_code, answer.text[:300]))
    assert not may_do


def test_what_a_viewer_may_post_is_known(db: str) -> None:
    from hiiki.web.app import create_app

    allowed = {
        str(route)
        for route in routes(create_app(), "pages", "api")
        if route.method != "GET" and route.opt.get("role") == "viewer"
    }
    # Their own profile and workspaces; and what asks a question with a body, but changes nothing.
    assert allowed <= {
        "POST /profile",
        "POST /profile/password",
        "POST /workspaces",
        "POST /workspaces/{workspace_id:uuid}/open",
        "POST /broadcasts/reach",
        "POST /segments/builder",
        "POST /segments/panel",
        "POST /api/v1/segments/count",
        "POST /api/v1/drafts/check",
        "POST /actions/editor",
    }, allowed


async def test_an_operator_does_not_run_the_workspace(app: Console, shop: Shop) -> None:
    own = await make_world(shop)
    operator = await app.person(shop, "operator")
    for path in ("/settings/staff", "/settings/tokens", "/settings/audit", "/settings/workspace"):
        assert (await operator.get(path)).status_code == 403
    assert (await operator.get("/settings/channels")).status_code == 200
    channel = f"/settings/channels/{own['channel_id']}"
    assert (await operator.form(f"{channel}/plan", {"plan": "light"})).status_code == 403
    program = await app.program(shop, "operator")
    assert (await program.get("/api/v1/staff")).status_code == 403
    assert (await program.post("/api/v1/tokens", json={"name": "x"})).status_code == 403
    navigation = (await operator.get("/profile")).text
    assert "/settings/tokens" not in navigation
    assert "/settings/channels" in navigation


async def test_a_form_without_its_token_is_refused(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    await owner.csrf()
    taken = []
    for route in routes(app.app, "pages", "public"):
        if route.method == "GET" or route.opt.get("exclude_from_csrf"):
            continue
        for data in ({}, {"_csrf_token": "0" * 128}):
            answer = await owner.post(some(route), data=data)
            if answer.status_code != 403 or "再読み込み" not in answer.text:
                taken.append((str(route), answer.status_code, answer.text[:300]))
    assert not taken
    excluded = {
        route.path
        for route in routes(app.app, "pages", "public")
        if route.method != "GET" and route.opt.get("exclude_from_csrf")
    }
    # A coupon's page has no log-in, but an unguessable address.
    assert excluded <= {"/c/{code:str}/use"}


async def test_the_token_travels_in_a_header_too(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    headers = {"x-csrftoken": await owner.csrf(), "hx-request": "true"}
    answer = await owner.post("/profile", data={"name": "花", "locale": "ja"}, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize("role", ["owner", "operator", "viewer"])
async def test_a_revoked_token_stops_at_once(app: Console, shop: Shop, role: str) -> None:
    owner, program = await app.program(shop, "owner"), await app.program(shop, role)
    assert (await program.get("/api/v1/me")).json()["role"] == role
    ident = (await program.get("/api/v1/me")).json()["id"]
    assert (await owner.delete(f"/api/v1/tokens/{ident}")).status_code == 204
    assert (await program.get("/api/v1/me")).status_code == 401


async def test_htmx_without_a_log_in_is_sent_to_the_log_in(app: Console, shop: Shop) -> None:
    await app.person(shop)
    answer = await app.client().get(
        "/profile",
        headers={"hx-request": "true", "hx-current-url": "http://console.test/tags?q=1"},
    )
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=/tags%3Fq%3D1"


async def test_who_asks_at_once_gets_their_own_answer(
    app: Console, shop: Shop, other_shop: Shop
) -> None:
    ours, theirs = await app.person(shop), await app.person(other_shop, locale="en")
    pairs: list[Any] = []
    for _ in range(8):
        pairs += [ours.get("/profile"), theirs.get("/profile")]
    answers = await asyncio.gather(*pairs)
    for first, second in zip(answers[::2], answers[1::2], strict=True):
        assert "カレーの店" in first.text
        assert "結婚式場" not in first.text
        assert '<html lang="ja"' in first.text
        assert "結婚式場" in second.text
        assert '<html lang="en"' in second.text
