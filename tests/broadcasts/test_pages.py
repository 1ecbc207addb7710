"""The console's pages and the API of broadcasts and coupons, as people and programs use them."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from conftest import Shop
from console import Console, console
from hiiki.broadcasts.models import Broadcast
from hiiki.contacts.models import Contact, Friendship
from hiiki.coupons.models import Coupon, Issue
from hiiki.db import scope
from hiiki.delivery.models import Parcel
from hiiki.kit.clock import now
from hiiki.workspace.models import AuditEntry, Channel


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


async def account(shop: Shop, friends: int = 3) -> tuple[uuid.UUID, list[uuid.UUID]]:
    ids = [uuid.uuid4() for _ in range(friends)]
    async with scope(shop.workspace_id) as session:
        channel = Channel(
            name="スパイス横丁",
            line_channel_id=uuid.uuid4().hex,
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=uuid.uuid4().hex,
        )
        session.add(channel)
        session.add_all(
            Contact(id=ident, display_name=f"=友だち{n}") for n, ident in enumerate(ids)
        )
        await session.flush()
        session.add_all(
            Friendship(
                contact_id=ident,
                channel_id=channel.id,
                line_user_id="U" + ident.hex,
                status="following",
                followed_at=now(),
            )
            for ident in ids
        )
        return channel.id, ids


def form(channel_id: uuid.UUID, **changes: Any) -> dict[str, Any]:
    return {
        "name": "甘口の日",
        "channel_id": str(channel_id),
        "segment_id": "all",
        "draft.blocks.0.kind": "text",
        "draft.blocks.0.text": "本日より{{ name }}さんへ",
        "draft.blocks.0.track_links": "false",
        **changes,
    }


async def test_from_the_empty_list_to_a_sent_broadcast(app: Console, shop: Shop) -> None:
    who = await app.person(shop, "operator")
    assert "配信はまだありません" in (await who.get("/broadcasts")).text
    assert "アカウントがまだありません" in (await who.get("/broadcasts/new")).text
    channel_id, people = await account(shop)
    assert "3</strong>人に届きます" in (await who.get("/broadcasts/new")).text
    reach = await who.form("/broadcasts/reach", form(channel_id))
    assert "3</strong>人に届きます" in reach.text
    made = await who.form("/broadcasts/new", form(channel_id))
    assert made.status_code == 303
    here = made.headers["location"]
    page = await who.get(here)
    assert "3人に今すぐ送信" in page.text
    assert "3人に今すぐ送信しますか?" in page.text
    testers = await who.form(f"{here}/testers", {"who": "友だち1"})
    assert "友だち1" in testers.text
    assert "友だち2" not in testers.text
    test = await who.form(f"{here}/test", {"contact_ids[]": str(people[0])})
    assert test.status_code == 303
    past = await who.form(f"{here}/schedule", {"at": "2020-01-01T10:00"})
    assert past.status_code == 422
    assert "過ぎた日時" in past.text
    assert 'value="2020-01-01T10:00"' in past.text
    later = (now() + timedelta(days=1)).strftime("%Y-%m-%dT10:00")
    assert (await who.form(f"{here}/schedule", {"at": later})).status_code == 303
    assert "予約済み" in (await who.get("/broadcasts?state=scheduled")).text
    assert (await who.get(f"{here}/edit")).status_code == 303
    assert (await who.form(f"{here}/cancel")).status_code == 303
    assert (await who.form(f"{here}/edit", form(channel_id, name="改名"))).status_code == 303
    assert (await who.form(f"{here}/send")).status_code == 303
    report = await who.get(here)
    assert "待機中" in report.text
    assert "まもなく送信を始めます" in (await who.get(f"{here}/progress")).text
    assert (await who.form(f"{here}/send")).status_code == 409
    assert (await who.form(f"{here}/pause")).status_code == 303
    assert "再開するまで" in (await who.get(f"{here}/progress")).text
    assert (await who.form(f"{here}/resume")).status_code == 303
    exported = await who.get(f"{here}/recipients.csv")
    rows = list(csv.DictReader(io.StringIO(exported.text.removeprefix("\ufeff"))))
    assert {row["contact_id"] for row in rows} == {str(ident) for ident in people}
    assert all(row["name"].startswith("'=") for row in rows)
    copy = await who.form(f"{here}/duplicate")
    assert copy.headers["location"].endswith("/edit")
    assert (await who.get(copy.headers["location"])).status_code == 200
    assert (await who.form(f"{here}/delete")).status_code == 409
    copied = copy.headers["location"].removesuffix("/edit")
    assert (await who.form(f"{copied}/delete")).status_code == 303
    async with scope(shop.workspace_id) as session:
        actions = set(await session.scalars(select(AuditEntry.action)))
        parcels = (await session.scalars(select(Parcel).where(Parcel.send_id.is_not(None)))).all()
    assert {f"broadcasts.{verb}" for verb in ("create", "send", "schedule", "test")} <= actions
    assert len(parcels) == 3


async def test_a_refused_form_is_drawn_again_with_all_that_was_typed(
    app: Console, shop: Shop
) -> None:
    who = await app.person(shop, "operator")
    channel_id, _people = await account(shop)
    wrong = form(
        channel_id,
        name="",
        **{
            "draft.blocks.0.text": "{{ nam }}さん",
            "draft.blocks.1.kind": "card",
            "draft.blocks.1.text": "あ" * 161,
            "draft.blocks.1.buttons.0.label": "見る",
            "draft.blocks.1.buttons.0.action": "link",
            "draft.blocks.1.buttons.0.value": "javascript:alert(1)",
        },
    )
    answer = await who.form("/broadcasts/new", wrong)
    assert answer.status_code == 422
    for said in (
        "入力してください。",
        "「name」のことですか?",
        "LINEの上限は160文字です",
        "https://example.com/menu のようなURL",
    ):
        assert said in answer.text
    assert "{{ nam }}さん" in answer.text
    assert 'value="javascript:alert(1)"' in answer.text
    async with scope(shop.workspace_id) as session:
        assert (await session.scalars(select(Broadcast))).all() == []


async def test_viewers_read_and_do_not_change(app: Console, shop: Shop) -> None:
    channel_id, _people = await account(shop)
    operator = await app.person(shop, "operator")
    here = (await operator.form("/broadcasts/new", form(channel_id))).headers["location"]
    viewer = await app.person(shop, "viewer")
    for path in ("/broadcasts", here, "/coupons"):
        page = await viewer.get(path)
        assert page.status_code == 200
        assert "/new" not in page.text
        assert f"{here}/send" not in page.text
    for path in ("/broadcasts/new", f"{here}/edit", "/coupons/new"):
        assert (await viewer.get(path)).status_code == 403
    for path in (f"{here}/send", f"{here}/test", f"{here}/delete", "/coupons/new"):
        assert (await viewer.form(path)).status_code == 403


async def test_the_api_does_what_the_console_does(
    app: Console, shop: Shop, other_shop: Shop
) -> None:
    channel_id, people = await account(shop)
    program = await app.program(shop)
    body = {
        "name": "甘口の日",
        "channel_id": str(channel_id),
        "draft": {"blocks": [{"kind": "text", "text": "やあ"}]},
    }
    forecast = await program.get(f"/api/v1/broadcasts/forecast?channel_id={channel_id}")
    assert forecast.json()["recipients"] == 3
    made = await program.post("/api/v1/broadcasts", json=body)
    assert made.status_code == 201
    here = f"/api/v1/broadcasts/{made.json()['id']}"
    changed = await program.put(here, json={**body, "name": "改名"})
    assert changed.json()["name"] == "改名"
    listed = await program.get("/api/v1/broadcasts?q=改&state=draft")
    assert [one["id"] for one in listed.json()["items"]] == [made.json()["id"]]
    assert (await program.get("/api/v1/broadcasts?state=nonsense")).status_code == 422
    past = await program.post(f"{here}/schedule", json={"at": "2020-01-01T00:00:00"})
    assert past.json()["error"]["fields"][0]["path"] == "at"
    later = (now() + timedelta(days=1)).isoformat()
    assert (await program.post(f"{here}/schedule", json={"at": later})).json()["state"] == (
        "scheduled"
    )
    assert (await program.post(f"{here}/cancel")).json()["state"] == "cancelled"
    tested = await program.post(f"{here}/test", json={"contact_ids": [str(people[0])]})
    assert tested.json() == {"sent": 1}
    stranger = await app.program(other_shop)
    for verb in ("send", "cancel", "pause", "resume", "duplicate"):
        assert (await stranger.post(f"{here}/{verb}")).status_code == 404
    assert (await stranger.get(f"{here}/report")).status_code == 404
    assert (await stranger.get(f"{here}/recipients")).status_code == 404
    sent = await program.post(f"{here}/send")
    assert sent.json()["state"] == "sent"
    report = (await program.get(f"{here}/report")).json()
    assert (report["targeted"], report["waiting"], report["clicked"]) == (3, 3, 0)
    first = (await program.get(f"{here}/recipients?limit=2")).json()
    second = (await program.get(f"{here}/recipients?limit=2&after={first['next']}")).json()
    found = {one["contact_id"] for one in first["items"] + second["items"]}
    assert found == {str(ident) for ident in people}
    assert (await program.get(f"{here}/recipients?after=rubbish")).status_code == 422
    assert (await program.post(f"{here}/pause")).status_code == 200
    assert (await program.delete(here)).status_code == 409


async def test_coupons_in_the_console_and_over_the_api(
    app: Console, shop: Shop, other_shop: Shop
) -> None:
    _channel_id, people = await account(shop)
    who = await app.person(shop, "operator")
    assert "クーポンはまだありません" in (await who.get("/coupons")).text
    values = {
        "title": "カレー全品",
        "benefit": "percent",
        "amount": "10",
        "valid_days": "",
        "valid_until": (now() + timedelta(days=9)).strftime("%Y-%m-%d"),
        "stock": "2",
        "terms": "お一人様1回",
        "is_active": "true",
    }
    wrong = await who.form("/coupons/new", {**values, "amount": "101", "valid_until": "x"})
    assert wrong.status_code == 422
    made = await who.form("/coupons/new", values)
    assert made.status_code == 303
    here = made.headers["location"]
    edit = await who.get(f"{here}/edit")
    assert f'value="{values["valid_until"]}"' in edit.text
    program = await app.program(shop)
    api = f"/api/v1{here}"
    issued = await program.post(f"{api}/issues", json={"contact_id": str(people[0])})
    assert issued.status_code == 201, issued.text
    code = issued.json()["code"]
    expires = issued.json()["expires_at"]
    assert expires.startswith((now() + timedelta(days=9)).strftime("%Y-%m-%dT15:00:00"))
    assert (await program.post(f"{api}/issues", json={"contact_id": str(people[1])})).is_success
    third = await program.post(f"{api}/issues", json={"contact_id": str(people[2])})
    assert third.status_code == 409
    assert (await who.get(f"{here}?q={code[:4]} {code[4:8]}-{code[8:]}")).text.count("/c/") >= 1
    stranger = await app.program(other_shop)
    assert (await stranger.post("/api/v1/coupons/use", json={"code": code})).status_code == 404
    assert (await stranger.get(api)).status_code == 404
    used = await program.post("/api/v1/coupons/use", json={"code": code.upper()})
    assert used.status_code == 200
    again = await program.post("/api/v1/coupons/use", json={"code": code})
    assert again.status_code == 409
    shown = (await program.get(api)).json()
    assert (shown["issued"], shown["used"], shown["stock"]) == (2, 1, 2)
    page = await who.get(here)
    assert "50%" in page.text
    assert "使用済み" in page.text
    other = (await program.get(f"{api}/issues?limit=1")).json()
    rest = (await program.get(f"{api}/issues?limit=1&before={other['next']}")).json()
    assert {one["contact_id"] for one in other["items"] + rest["items"]} == {
        str(ident) for ident in people[:2]
    }
    async with scope(shop.workspace_id) as session:
        unused = await session.scalar(select(Issue.code).where(Issue.used_at.is_(None)))
    assert (await who.form(f"{here}/use", {"code": unused})).status_code == 303
    assert (await who.form(f"{here}/use", {"code": "nothing"})).status_code == 303
    assert (await who.form(f"{here}/delete")).status_code == 409
    async with scope(shop.workspace_id) as session:
        assert (await session.scalar(select(Coupon.issued))) == 2
        left = await session.scalars(select(Issue.code).where(Issue.used_at.is_(None)))
        assert left.all() == []
