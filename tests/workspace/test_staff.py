"""Staff, tokens, the audit record, the workspace's own settings."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import func, select

from conftest import Shop
from console import PASSWORD, Console, make_staff
from hiiki.db import everywhere, scope
from hiiki.kit.errors import Conflict
from hiiki.workspace import service
from hiiki.workspace.models import ApiToken, AuditEntry, Membership, Staff

NEW = {
    "name": "次郎",
    "email": "jiro@example.com",
    "password": "a first password",
    "role": "operator",
    "locale": "ja",
}


async def roles(shop: Shop) -> list[str]:
    async with scope(shop.workspace_id) as session:
        return [member.role for member in await service.members(session)]


async def test_a_person_is_added_and_can_log_in(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    assert (await owner.form("/settings/staff", NEW)).status_code == 303
    assert "jiro@example.com" in (await owner.get("/settings/staff")).text
    jiro = app.client()
    answer = await jiro.form("/login", {"email": NEW["email"], "password": NEW["password"]})
    assert answer.status_code == 303
    assert (await jiro.get("/settings/staff")).status_code == 403
    answer = await owner.form("/settings/staff", NEW)
    assert answer.status_code == 422
    assert "すでにワークスペースに所属" in answer.text


async def test_who_has_an_account_keeps_their_password(
    app: Console, shop: Shop, other_shop: Shop
) -> None:
    await make_staff(other_shop, email="jiro@example.com")
    owner = await app.person(shop)
    assert (await owner.form("/settings/staff", NEW)).status_code == 303
    jiro = app.client()
    wrong = await jiro.form("/login", {"email": NEW["email"], "password": NEW["password"]})
    assert wrong.status_code == 422
    right = await jiro.form("/login", {"email": NEW["email"], "password": PASSWORD})
    assert right.status_code == 303
    async with everywhere() as session:
        staff = await session.scalar(select(Staff).where(Staff.email == NEW["email"]))
        assert staff is not None
    # Nor can an owner of one workspace set the password of somebody who has two.
    answer = await owner.form(f"/settings/staff/{staff.id}/password", {"password": "taken over!!"})
    assert answer.status_code == 409
    assert (
        await jiro.form("/login", {"email": NEW["email"], "password": PASSWORD})
    ).status_code == 303


async def test_an_owner_sets_a_forgotten_password(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    jiro_id = await make_staff(shop, "viewer", email="jiro@example.com")
    jiro = app.client()
    await jiro.form("/login", {"email": "jiro@example.com", "password": PASSWORD})
    url = f"/settings/staff/{jiro_id}/password"
    assert (await owner.form(url, {"password": "short"})).status_code == 422
    assert (await owner.form(url, {"password": "another password"})).status_code == 303
    assert (await jiro.get("/profile")).status_code == 303
    answer = await jiro.form(
        "/login", {"email": "jiro@example.com", "password": "another password"}
    )
    assert answer.status_code == 303


async def test_the_last_owner_stays(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    async with scope(shop.workspace_id) as session:
        [member] = await service.members(session)
    url = f"/settings/staff/{member.staff.id}"
    answer = await owner.form(f"{url}/role", {"role": "viewer"})
    assert answer.status_code == 409
    assert "オーナーが必要" in answer.text
    assert (await owner.form(f"{url}/remove")).status_code == 409
    program = await app.program(shop, "owner")
    assert (await program.delete(f"/api/v1/staff/{member.staff.id}")).status_code == 409
    assert await roles(shop) == ["owner"]
    await make_staff(shop, "owner")
    assert (await owner.form(f"{url}/role", {"role": "viewer"})).status_code == 303
    assert await roles(shop) == ["owner", "viewer"]
    assert (await owner.get("/settings/staff")).status_code == 403


async def test_two_owners_who_demote_each_other_leave_one(shop: Shop) -> None:
    both = [await make_staff(shop, "owner"), await make_staff(shop, "owner")]

    async def demote(staff_id: Any) -> None:
        async with scope(shop.workspace_id) as session:
            await service.change_role(session, staff_id, "viewer")

    for _ in range(3):
        done = await asyncio.gather(*map(demote, both), return_exceptions=True)
        assert sorted(type(one) for one in done if one is not None) == [Conflict]
        assert await roles(shop) == ["owner", "viewer"]
        async with scope(shop.workspace_id) as session:
            for staff_id in both:
                await service.change_role(session, staff_id, "owner")


async def test_who_is_removed_is_out_at_once(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    jiro_id = await make_staff(shop, "operator", email="jiro@example.com")
    jiro = app.client()
    await jiro.form("/login", {"email": "jiro@example.com", "password": PASSWORD})
    assert (await jiro.get("/settings/channels")).status_code == 200
    assert (await owner.form(f"/settings/staff/{jiro_id}/remove")).status_code == 303
    assert (await jiro.get("/settings/channels")).status_code == 303
    async with everywhere() as session:
        assert await session.scalar(select(func.count()).select_from(Membership)) == 1
        assert await session.get(Staff, jiro_id) is not None


async def test_a_token_is_shown_once_and_kept_as_a_hash(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    answer = await owner.form("/settings/tokens", {"name": "レジ", "role": "operator"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    value = answer.text.split('id="new-token" value="')[1].split('"')[0]
    assert value.startswith("hiiki_")
    assert len(value) > 40
    assert value not in (await owner.get("/settings/tokens")).text
    async with scope(shop.workspace_id) as session:
        token = await session.scalar(select(ApiToken))
        assert token is not None
    assert value.encode() not in token.token_hash
    program = app.client(headers={"authorization": f"Bearer {value}"})
    me = (await program.get("/api/v1/me")).json()
    assert (me["kind"], me["name"], me["role"]) == ("token", "レジ", "operator")
    assert me["workspace"]["name"] == "カレーの店"
    assert "たった今" in (await owner.get("/settings/tokens")).text
    await owner.form(f"/settings/tokens/{token.id}/revoke")
    assert (await program.get("/api/v1/me")).status_code == 401
    assert "無効" in (await owner.get("/settings/tokens")).text


async def test_the_audit_record_names_who_did_what(app: Console, shop: Shop) -> None:
    owner, program = await app.person(shop), await app.program(shop, "owner")
    await owner.form("/settings/staff", NEW)
    await program.post("/api/v1/tokens", json={"name": "new"})
    await owner.form("/settings/staff", {**NEW, "email": "broken"})
    found = (await program.get("/api/v1/audit")).json()["items"]
    assert [(entry["action"], entry["actor_kind"]) for entry in found] == [
        ("workspace.token_create", "token"),
        ("workspace.staff_add", "staff"),
    ]
    page = (await owner.get("/settings/audit")).text
    assert "スタッフを追加" in page
    assert "a owner program" in page
    assert NEW["password"] not in page


async def test_the_audit_record_pages_and_filters(app: Console, shop: Shop) -> None:
    program = await app.program(shop, "owner")
    async with scope(shop.workspace_id) as session:
        staff_id = await make_staff(shop)
        for number in range(7):
            session.add(
                AuditEntry(
                    actor_kind="staff",
                    actor_id=staff_id,
                    actor_name="花子",
                    action="tags.create" if number % 2 else "segments.create",
                    data={"n": number},
                )
            )
            await session.flush()
    seen: list[int] = []
    url = "/api/v1/audit?limit=3"
    for _ in range(4):
        page = (await program.get(url)).json()
        seen += [entry["data"]["n"] for entry in page["items"]]
        if page["next"] is None:
            break
        url = f"/api/v1/audit?limit=3&before={page['next']}"
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    page = (await program.get("/api/v1/audit?room=tags")).json()
    assert [entry["data"]["n"] for entry in page["items"]] == [5, 3, 1]
    page = (await program.get(f"/api/v1/audit?actor_id={staff_id}&room=s")).json()
    assert page["items"] == []


async def test_the_workspace_settings(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    form = {"name": "新しい名前", "timezone": "Asia/Seoul", "locale": "en"}
    assert (await owner.form("/settings/workspace", form)).status_code == 303
    page = (await owner.get("/settings/workspace")).text
    assert "新しい名前" in page
    for field, value in (("name", ""), ("timezone", "Mars/Olympus"), ("locale", "fr")):
        answer = await owner.form("/settings/workspace", {**form, field: value})
        assert answer.status_code == 422
        assert f'id="f-{field}-error"' in answer.text
    program = await app.program(shop, "owner")
    found = (await program.get("/api/v1/workspace")).json()
    assert (found["name"], found["timezone"]) == ("新しい名前", "Asia/Seoul")
    answer = await program.put("/api/v1/workspace", json={**form, "name": "API"})
    assert answer.json()["name"] == "API"


def test_every_audited_action_has_words() -> None:
    """A room that writes a new kind of line says in `words.py` what it means."""
    import ast
    from pathlib import Path

    import hiiki
    from hiiki.workspace.words import ACTIONS, ROOMS

    written: set[str] = set()
    for path in Path(hiiki.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "audit":
                for argument in node.args[2:3]:
                    for inner in ast.walk(argument):
                        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                            written.add(inner.value)
    named = {action for action in written if "." in action and not action.endswith("_")}
    assert named
    assert not named - set(ACTIONS)
    assert not {action.split(".")[0] for action in named} - set(ROOMS)
