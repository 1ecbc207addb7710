"""Whatever goes wrong is answered in the asker's way: JSON, a page, or a word in passing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from litestar import get, post
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from conftest import Shop
from console import Client, Console
from hiiki.contacts.models import Tag
from hiiki.db import WorkspaceSession, scope
from hiiki.db.embedded import EmbeddedServer
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import _
from hiiki.kit.pages import page
from hiiki.kit.road import Room, open_road
from hiiki.rooms import registry
from hiiki.web.app import create_app


@get("/broken")
async def broken() -> None:
    raise RuntimeError("the password is hunter2")


@get("/conflict")
async def conflict() -> None:
    raise Conflict(_("In use by %(n)s.", n=3), fields={"name": _("Here.")})


@post("/half")
async def half(session: WorkspaceSession) -> Any:
    """Write something, then refuse."""
    session.add(Tag(name="half done"))
    await session.flush()
    return page("web/error.html", status=422, error=Conflict(), layout="web/base.html")


@post("/twice")
async def twice(session: WorkspaceSession) -> Any:
    """Write the same name twice."""
    session.add_all([Tag(name="same"), Tag(name="same")])


@pytest.fixture
async def faulty(db: str) -> Any:
    """The application with a room whose handlers fail."""
    room = Room(name="faulty", pages=[broken, conflict, half, twice], api=[broken, conflict, twice])
    try:
        made = Console(create_app(open_road([*registry.rooms, room])))
        yield made
        for client in made.clients:
            await client.aclose()
    finally:
        open_road(registry.rooms)


def is_error(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check the API's one error shape and return what is in it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    found = answer.json()
    assert set(found) == {"error"}
    assert set(found["error"]) == {"code", "message", "fields"}
    assert found["error"]["code"] == code
    assert found["error"]["message"]
    for field in found["error"]["fields"]:
        assert set(field) == {"path", "message"}
    return found["error"]


async def test_the_api_has_one_error_shape(faulty: Console, shop: Shop) -> None:
    program = await faulty.program(shop, "owner")
    stranger = faulty.client(headers={"accept": "application/json"})
    is_error(await stranger.get("/api/v1/me"), 401, "unauthenticated")
    is_error(await program.get("/api/v1/no-such-thing"), 404, "not_found")
    is_error(await program.get("/api/v1/channels/not-an-id"), 404, "not_found")
    is_error(await program.put("/api/v1/me"), 405, "method_not_allowed")
    is_error(await program.post("/api/v1/tokens", content=b"{broken"), 400, "bad_request")
    is_error(await program.get("/api/v1/audit?limit=900"), 422, "invalid")
    is_error(await program.get("/api/v1/audit?before=x"), 422, "invalid")
    is_error(await program.post("/api/v1/twice"), 409, "conflict")
    is_error(await program.post("/api/v1/tokens", json={"name": "x" * 3_000_000}), 413, "too_large")
    found = is_error(
        await program.post("/api/v1/tokens", json={"name": "", "role": "king", "more": 1}),
        422,
        "invalid",
    )
    by_path = {field["path"]: field["message"] for field in found["fields"]}
    assert by_path["name"] == "入力してください。"
    assert set(by_path) == {"name", "role", "more"}
    found = is_error(await program.get("/api/v1/conflict"), 409, "conflict")
    assert found["fields"] == [{"path": "name", "message": "Here."}]


async def test_the_api_speaks_the_language_that_is_asked_for(app: Console, shop: Shop) -> None:
    program = await app.program(shop, "owner")
    for language, words in (("en-GB", "fill this in"), ("ja", "入力"), ("fr", "入力")):
        answer = await program.post(
            "/api/v1/tokens", json={"name": ""}, headers={"accept-language": language}
        )
        assert words in answer.json()["error"]["fields"][0]["message"]


async def test_unexpected_errors_tell_nothing(faulty: Console, shop: Shop) -> None:
    program, owner = await faulty.program(shop), await faulty.person(shop)
    is_error(await program.get("/api/v1/broken"), 500, "internal")
    for answer in (await program.get("/api/v1/broken"), await owner.get("/broken")):
        assert answer.status_code == 500
        assert "hunter2" not in answer.text
        assert "Traceback" not in answer.text


async def test_pages_get_pages_with_the_navigation(faulty: Console, shop: Shop) -> None:
    owner = await faulty.person(shop)
    answer = await owner.get("/conflict")
    assert answer.status_code == 409
    assert "In use by 3." in answer.text
    assert "hk-nav" in answer.text
    answer = await faulty.client().get("/no-such-page", headers={"accept-language": "en"})
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


async def test_htmx_gets_a_word_in_passing(faulty: Console, shop: Shop) -> None:
    owner = await faulty.person(shop)
    answer = await owner.get("/conflict", headers={"hx-request": "true"})
    assert answer.status_code == 409
    assert answer.text == ""
    assert answer.headers["hx-reswap"] == "none"
    said = json.loads(answer.headers["hx-trigger"])["hiiki:toast"]
    assert said == {"message": "In use by 3. Here.", "kind": "danger"}
    answer = await owner.get(
        "/settings/staff/00000000-0000-7000-8000-000000000000", headers={"hx-request": "true"}
    )
    assert "存在しない" in json.loads(answer.headers["hx-trigger"])["hiiki:toast"]["message"]


async def test_what_a_page_refuses_is_not_half_written(faulty: Console, shop: Shop) -> None:
    owner = await faulty.person(shop)
    assert (await owner.form("/half")).status_code == 422
    assert (await owner.form("/twice")).status_code == 409
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Tag)) == 0


@contextmanager
def without_database(server: EmbeddedServer, url: str) -> Iterator[None]:
    """Close this test's database to everybody, as if its server were down."""
    name = make_url(url).database
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"alter database {name} allow_connections false")
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
        )
        try:
            yield
        finally:
            connection.execute(f"alter database {name} allow_connections true")


async def test_without_its_database_it_says_so_and_comes_back_by_itself(
    app: Console, shop: Shop, server: EmbeddedServer, db: str
) -> None:
    owner, program = await app.person(shop), await app.program(shop)
    assert (await owner.get("/profile")).status_code == 200
    assert (await owner.get("/readyz")).status_code == 200
    with without_database(server, db):
        answer = await owner.get("/profile")
        assert answer.status_code == 503
        assert "データベース" in answer.text
        assert int(answer.headers["retry-after"]) > 0
        is_error(await program.get("/api/v1/me"), 503, "unavailable")
        answer = await owner.get("/profile", headers={"hx-request": "true"})
        assert "データベース" in json.loads(answer.headers["hx-trigger"])["hiiki:toast"]["message"]
        answer = await app.client().form("/login", {"email": "a@example.com", "password": "x"})
        assert answer.status_code == 503
        assert (await owner.get("/readyz")).status_code == 503
        assert (await owner.get("/healthz")).status_code == 200
    assert (await owner.get("/profile")).status_code == 200
    assert (await program.get("/api/v1/me")).status_code == 200


async def test_a_flash_is_shown_once(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    answer = await owner.form("/profile", {"name": "花子", "locale": "ja"})
    assert answer.status_code == 303
    assert "プロフィールを保存しました" in (await owner.get("/profile")).text
    assert "プロフィールを保存しました" not in (await owner.get("/profile")).text


async def test_figures_are_for_this_machine_only(app: Console, shop: Shop) -> None:
    answer = await app.client().get("/metrics")
    assert answer.status_code == 200
    assert "hiiki_http_requests_total" in answer.text
    proxied = {"x-forwarded-for": "203.0.113.1"}
    assert (await app.client().get("/metrics", headers=proxied)).status_code == 404
    far = Client(app.app, client=("203.0.113.1", 1))
    assert (await far.get("/metrics")).status_code == 404
    await far.aclose()
