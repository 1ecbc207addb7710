"""Imports as staff and programs meet them: pages, the API, and what each says."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from conftest import Shop, scope
from console import Console
from hiiki.contacts.attributes import all_attributes, values_of
from hiiki.contacts.models import Contact
from hiiki.imports import exports, running, store
from hiiki.imports.models import Import
from hiiki.imports.returns import BOM
from hiiki.kit.clock import now

from .conftest import look, send
from .test_members import HANAKO, HEAD, TARO, figures, people


def upload(body: str | bytes, name: str = "会員.csv", kind: str = "members") -> dict[str, Any]:
    """Return what a browser sends with a file."""
    return {"files": {"file": (name, body, "text/csv")}, "data": {"kind": kind}}


async def test_a_file_step_by_step(app: Console, shop: Shop) -> None:
    """Upload, columns, check, run, undo: each page leads to the next and says what stands."""
    staff = await app.person(shop, "operator", "en")
    token = {"x-csrftoken": await staff.csrf()}
    body = (HEAD + TARO + HANAKO + "A-9,=1+2,x@,12,,,,\n").encode("cp932")
    sent = await staff.post("/imports/new", headers=token, **upload(body))
    assert sent.status_code == 303, sent.text
    here = sent.headers["location"]
    ident = UUID(here.rsplit("/", 1)[1])
    shown = (await staff.get(here)).text
    assert "Shift_JIS (CP932)" in shown
    assert "山田 太郎" in shown
    assert '<option value="birthday" selected>' in shown
    names = (await look(shop, ident)).mapping
    wrong = await staff.form(f"{here}/columns", {f"mapping.{n}": "" for n in range(len(names))})
    assert wrong.status_code == 422
    assert "at least one column" in wrong.text
    form = {f"mapping.{n}": name for n, name in enumerate(names)}
    assert (await staff.form(f"{here}/columns", {**form, "keeps": "false"})).status_code == 303
    assert "/progress" in (await staff.get(here)).text
    await running.work(shop.workspace_id, ident)
    done = await staff.get(f"{here}/progress")
    assert done.headers["hx-redirect"] == here
    shown = (await staff.get(here)).text
    assert "Import 2 lines" in shown
    assert "Nothing has changed yet" in shown
    assert "name@example.com" in shown
    back = (await staff.get(f"{here}/refused.csv")).text
    rows = list(csv.reader(io.StringIO(back.removeprefix(BOM))))
    assert rows[0][-2:] == ["Line", "Reason"]
    assert rows[1][:3] == ["A-9", "'=1+2", "x@"]
    assert rows[1][-2] == "4"
    assert [each.partition(":")[0] for each in rows[1][-1].splitlines()] == ["E-mail", "Phone"]
    assert (await staff.form(f"{here}/run")).status_code == 303
    await running.work(shop.workspace_id, ident)
    assert "Undo the import" in (await staff.get(here)).text
    assert len(await people(shop)) == 2
    assert (await staff.form(f"{here}/undo")).status_code == 303
    await running.work(shop.workspace_id, ident)
    assert "2 taken back." in (await staff.get(here)).text
    path = store.path_of(shop.workspace_id, ident)
    assert path.exists()
    assert (await staff.form(f"{here}/delete")).status_code == 303
    assert not path.exists()
    assert (await staff.get(here)).status_code == 404


async def test_what_ran_by_itself_once_waits_for_staff_the_next_time(
    app: Console, shop: Shop
) -> None:
    """A program's "check and run" ends with its stop, and with columns that a person chooses."""
    program, staff = await app.program(shop), await app.person(shop, "operator", "en")
    api = "/api/v1/imports"
    made = (await program.post(f"{api}?kind=members", content=(HEAD + TARO).encode())).json()
    here, ident = f"/imports/{made['id']}", UUID(made["id"])
    form = {f"mapping.{n}": name for n, name in enumerate(made["mapping"])}
    wanted = {"mapping": made["mapping"], "run": True}
    await program.put(f"{api}/{ident}/columns", json=wanted)
    await staff.form(f"{here}/cancel")
    assert not (await look(shop, ident)).unattended
    await staff.form(f"{here}/columns", form)
    await running.work(shop.workspace_id, ident)
    assert (await look(shop, ident)).state == "checked"
    await program.put(f"{api}/{ident}/columns", json=wanted)
    await running.work(shop.workspace_id, ident)
    assert (await look(shop, ident)).state == "running"


async def test_an_import_whose_file_is_gone_says_so(app: Console, shop: Shop) -> None:
    """After thirty days there is nothing to check: the page says so, and offers no more."""
    staff = await app.person(shop, "operator", "en")
    ident = await send(shop, "members", HEAD + TARO + ",誰,,,,,,\n")
    here = f"/imports/{ident}"
    for last, said in ((1, "Import 1 lines"), (31, "The file has been deleted")):
        async with scope(shop.workspace_id) as session:
            made = await session.one(Import, ident)
            made.created_at = made.started_at = now() - timedelta(days=40)
            made.finished_at = now() - timedelta(days=last)
        await exports.clean()
        shown = await staff.get(here)
        assert shown.status_code == 200
        assert said in shown.text
        assert (f"{here}/run" in shown.text, f"{here}/refused.csv" in shown.text) == (
            (last == 1,) * 2
        )
        assert f"{here}/delete" in shown.text
    for name in ("uploaded", "failed"):
        async with scope(shop.workspace_id) as session:
            (await session.one(Import, ident)).state = name
        shown = await staff.get(here)
        assert (shown.status_code, f"{here}/resume" in shown.text) == (200, False)


async def test_what_fits_nothing_is_told_and_can_be_made_a_field(app: Console, shop: Shop) -> None:
    """Whoever looks sees what would be lost, and keeps it by one choice."""
    staff = await app.person(shop, "operator", "en")
    token = {"x-csrftoken": await staff.csrf()}
    body = "会員番号,Shoe size,会員ランク,\nA-1,27.5,金,x\n".encode()
    here = (await staff.post("/imports/new", headers=token, **upload(body))).headers["location"]
    assert "Shoe size, 会員ランク. To import them" in (await staff.get(here)).text
    form = {"mapping.0": "customer", "mapping.1": "+", "mapping.2": "", "mapping.3": ""}
    unnamed = await staff.form(f"{here}/columns", {**form, "mapping.3": "+"})
    assert unnamed.status_code == 422
    async with scope(shop.workspace_id) as session:
        assert await all_attributes(session) == []
    assert (await staff.form(f"{here}/columns", form)).status_code == 303
    ident = UUID(here.rsplit("/", 1)[1])
    await running.work(shop.workspace_id, ident)
    shown = (await staff.get(here)).text
    assert "One column is left out" in shown
    assert "会員ランク" in shown
    assert (await staff.form(f"{here}/run")).status_code == 303
    await running.work(shop.workspace_id, ident)
    async with scope(shop.workspace_id) as session:
        [made] = await all_attributes(session)
        assert (made.key, made.label, made.kind) == ("shoe_size", "Shoe size", "text")
        [member] = await session.scalars(select(Contact))
        assert await values_of(session, member.id) == {made.id: "27.5"}
    # A second file by the API, whose heading has no letter of a key's.
    program = await app.program(shop, "operator")
    sent = await program.post(
        "/api/v1/imports", params={"kind": "members"}, content="会員番号,ランク\nA-1,銀\n".encode()
    )
    url = f"/api/v1/imports/{sent.json()['id']}"
    asked = await program.put(f"{url}/columns", json={"mapping": ["customer", "+"]})
    assert asked.json()["mapping"][1].startswith("attribute:")
    async with scope(shop.workspace_id) as session:
        assert [each.key for each in await all_attributes(session)] == ["shoe_size", "field"]


async def test_the_columns_are_remembered(app: Console, shop: Shop) -> None:
    """A file with the same headings is read as the last one was; another encoding on demand."""
    staff = await app.person(shop, "operator")
    token = {"x-csrftoken": await staff.csrf()}
    body = "列一,列二\n1,太郎\n".encode("cp932")
    for mapping in (["", ""], ["customer", "name"]):
        sent = await staff.post("/imports/new", headers=token, **upload(body))
        here = sent.headers["location"]
        ident = UUID(here.rsplit("/", 1)[1])
        assert (await look(shop, ident)).mapping == mapping
        await staff.form(f"{here}/columns", {"mapping.0": "customer", "mapping.1": "name"})
    await running.work(shop.workspace_id, ident)
    again = await staff.form(f"{here}/encoding", {"encoding": "cp874", "separator": ","})
    assert again.status_code == 303
    assert (await look(shop, ident)).encoding == "cp874"
    wrong = await staff.form(f"{here}/encoding", {"encoding": "rot13", "separator": ","})
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "This file is empty"),
        (b"\n\n", "This file is empty"),
        (b"PK\x03\x04nonsense", "cannot be opened"),
        (",".join("a" * 600).encode(), "at most 500 columns"),
    ],
)
async def test_what_is_no_file_is_refused_at_its_field(
    app: Console, shop: Shop, body: bytes, said: str
) -> None:
    """With a sentence, and without leaving anything on the disk."""
    staff = await app.person(shop, "operator", "en")
    token = {"x-csrftoken": await staff.csrf()}
    sent = await staff.post("/imports/new", headers=token, **upload(body))
    assert sent.status_code == 422
    assert said in sent.text
    folder = store.path_of(shop.workspace_id, shop.workspace_id).parent
    assert not folder.exists() or not list(folder.iterdir())


async def test_by_the_api(app: Console, shop: Shop) -> None:
    """A file as a body, its columns, its progress and its errors; rows without a file."""
    program = await app.program(shop)
    api = "/api/v1/imports"
    kinds = (await program.get(f"{api}/kinds")).json()
    assert {one["name"] for one in kinds} >= {"members", "orders"}
    sent = await program.post(
        f"{api}?kind=members&name=a.csv", content=(HEAD + TARO + ",誰,,,,,,\n").encode()
    )
    assert sent.status_code == 201, sent.text
    made = sent.json()
    here = f"{api}/{made['id']}"
    assert made["mapping"][0] == "customer"
    asked = await program.put(f"{here}/columns", json={"mapping": made["mapping"], "run": True})
    assert asked.json()["state"] == "checking"
    await work(shop, made["id"])
    await work(shop, made["id"])
    got = (await program.get(here)).json()
    assert (got["state"], got["lines"], got["done"]) == ("finished", 2, 2)
    assert figures(got["outcome"]) == (1, 0, 0, 1)
    [refused] = (await program.get(f"{here}/refused")).json()["items"]
    assert refused["line"] == 3
    assert all(each["reason"] for each in refused["faults"])
    assert (await program.post(f"{here}/run")).status_code == 409
    assert (await program.post(f"{here}/undo")).json()["state"] == "undoing"
    await work(shop, made["id"])
    assert await people(shop) == {}
    rows = [{"customer": "A", "tags": ["x", "y"], "is_purchaser": True}, {"customer": "B"}]
    sent = await program.post(f"{api}/rows?kind=members", json={"rows": rows})
    assert sent.status_code == 201, sent.text
    await work(shop, sent.json()["id"])
    await work(shop, sent.json()["id"])
    assert len((await program.get("/api/v1/friends")).json()["items"]) == 2
    wrong = await program.post(f"{api}/rows?kind=members", json={"rows": [{"nonsense": 1}]})
    assert wrong.json()["error"]["fields"][0]["path"] == "rows.0.nonsense"
    assert (await program.post(f"{api}?kind=nonsense", content=b"a\n1\n")).status_code == 404


async def work(shop: Shop, import_id: str) -> None:
    """Do what the worker would."""
    await running.work(shop.workspace_id, UUID(import_id))
