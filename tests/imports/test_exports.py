"""Files that go out: what was asked for, whole, harmless, and only for who is logged in."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from conftest import Shop, scope
from console import Console
from contacts.people import make_channel, make_friend
from hiiki.contacts.models import Tag
from hiiki.imports import exports, jobs, store
from hiiki.imports.models import Export
from hiiki.kit.clock import now
from hiiki.workspace.models import AuditEntry

from .conftest import run, send
from .test_members import HANAKO, HEAD, TARO
from .test_orders import SHOPIFY

DONE = "imports.download"


def table(body: bytes, encoding: str = "utf-8-sig") -> list[list[str]]:
    """Return a CSV's lines."""
    return list(csv.reader(io.StringIO(body.decode(encoding))))


async def test_friends_by_the_page(app: Console, shop: Shop) -> None:
    """Columns are chosen, the file is written by the worker, fetched, and deleted."""
    channel = await make_channel(shop)
    await make_friend(shop, channel, "=HYPERLINK(1)", email="a@example.com")
    await run(shop, await send(shop, "members", HEAD + TARO + HANAKO))
    await run(shop, await send(shop, "orders", SHOPIFY))
    staff = await app.person(shop, "operator", "en")
    shown = (await staff.get("/friends")).text
    assert "/exports/new" in shown
    names = ["display_name", "real_name", "tags", "birthday", "customer", "field:purchases.spent"]
    sent = await staff.form(
        "/exports/new", {"kind": "friends", "encoding": "utf-8-sig", "columns[]": names}
    )
    assert sent.status_code == 303, sent.text
    here = sent.headers["location"]
    ident = UUID(here.rsplit("/", 1)[1])
    assert (await staff.get(f"{here}/file")).status_code == 409
    await exports.write(shop.workspace_id, ident)
    assert (await staff.get(f"{here}/progress")).headers["hx-redirect"] == here
    assert "/file" in (await staff.get(here)).text
    got = await staff.get(f"{here}/file")
    [titles, *lines] = table(got.content)
    assert titles == [
        "LINE name",
        "Real name",
        "Tags",
        "Birthday",
        "Customer number",
        "Spent in all",
    ]
    found = {line[1] or line[0]: line for line in lines}
    assert found["山田 太郎"][2:] == ["VIP、常連", "1990-05-01", "A-1", "3300"]
    assert found["'=HYPERLINK(1)"][0] == "'=HYPERLINK(1)"
    async with scope(shop.workspace_id) as session:
        written = await session.scalars(select(AuditEntry.subject).where(AuditEntry.action == DONE))
        assert written.all() == [str(ident)]
    assert (await app.client().get(f"{here}/file")).status_code in (303, 401)
    async with scope(shop.workspace_id) as session:
        (await session.one(Export, ident)).expires_at = now() - timedelta(seconds=1)
    assert (await staff.get(f"{here}/file")).status_code == 409
    path = store.path_of(shop.workspace_id, ident, "out")
    assert path.exists()
    await exports.clean()
    assert not path.exists()
    assert (await staff.get(here)).status_code == 404


async def test_one_that_fails_again_and_again_says_so(
    app: Console, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends, leaves nothing on the disk, and does not stay "being written" for ever."""
    async with scope(shop.workspace_id) as session:
        made = await exports.ask(
            session, "friends", {}, ["id"], "utf-8-sig", name="x", locale="ja", actor_name="x"
        )

    def full(*_given: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(exports, "_end", full)
    ids = str(shop.workspace_id), str(made.id)
    draft = store.draft_of(store.path_of(shop.workspace_id, made.id, "out"))
    for attempts, stands in ((0, "writing"), (jobs.TRIES - 1, "failed")):
        context = SimpleNamespace(job=SimpleNamespace(attempts=attempts))
        with pytest.raises(OSError, match="disk full"):
            await jobs.write.func(context, *ids)
        async with scope(shop.workspace_id) as session:
            assert (await session.one(Export, made.id)).state == stands
        assert draft.exists() == (stands == "writing")
    staff = await app.person(shop, "operator", "en")
    assert "could not be written" in (await staff.get(f"/exports/{made.id}")).text
    async with scope(shop.workspace_id) as session:
        (await session.one(Export, made.id)).expires_at = now() - timedelta(seconds=1)
    await exports.clean()
    assert (await staff.get(f"/exports/{made.id}")).status_code == 404


async def test_what_cannot_be_written_is_refused(app: Console, shop: Shop) -> None:
    """No column, a column of nobody's, an unknown encoding: a word at the field."""
    staff = await app.person(shop, "operator", "en")
    assert (await staff.get("/exports/new?kind=orders")).status_code == 200
    for given in ({"columns[]": [""]}, {"columns[]": ["nonsense"]}, {"encoding": "rot13"}):
        sent = await staff.form(
            "/exports/new",
            {"kind": "friends", "encoding": "utf-8-sig", "columns[]": ["id"], **given},
        )
        assert sent.status_code == 422
    assert (await staff.get("/exports/new?kind=nonsense")).status_code == 404


async def test_by_the_api_in_shift_jis_and_by_a_filter(app: Console, shop: Shop) -> None:
    """Only whom the filter describes; what the encoding has no letter for is a question mark."""
    await run(shop, await send(shop, "members", HEAD + TARO + HANAKO.replace("佐藤", "𠮷野😀")))
    program = await app.program(shop)
    async with scope(shop.workspace_id) as session:
        [vip] = [each for each in await session.scalars(select(Tag)) if each.name == "VIP"]
    for wanted, names in (({"tag": str(vip.id)}, ["山田 太郎"]), ({}, ["山田 太郎", "?野?花子"])):
        made = await program.post(
            "/api/v1/exports",
            json={
                "kind": "friends",
                "filter": wanted,
                "columns": ["real_name"],
                "encoding": "cp932",
            },
        )
        assert made.status_code == 201, made.text
        here = f"/api/v1/exports/{made.json()['id']}"
        await exports.write(shop.workspace_id, UUID(made.json()["id"]))
        assert (await program.get(here)).json()["state"] == "ready"
        lines = table((await program.get(f"{here}/file")).content, "cp932")
        assert sorted(line[0] for line in lines[1:]) == sorted(names)
    assert (await program.delete(here)).status_code == 204
    assert len((await program.get("/api/v1/exports")).json()["items"]) == 1


async def test_orders_come_back_by_an_import(app: Console, shop: Shop, other_shop: Shop) -> None:
    """What was written can be read again, in another shop, with the same result."""
    await run(shop, await send(shop, "orders", SHOPIFY))
    async with scope(shop.workspace_id) as session:
        columns = [one.name for one in await exports.exportable("orders").columns(session)]
        made = await exports.ask(
            session, "orders", {}, columns, "utf-8-sig", name="x", locale="ja", actor_name="x"
        )
    await exports.write(shop.workspace_id, made.id)
    body = store.path_of(shop.workspace_id, made.id, "out").read_bytes()
    assert len(table(body)) == 1 + 4
    outcome = await run(other_shop, await send(other_shop, "orders", body))
    assert (outcome["new"], outcome["refused"]) == (4, 0)
