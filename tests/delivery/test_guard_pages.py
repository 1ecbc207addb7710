"""Limits, kinds of message and who was left out, as people and programs use them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from conftest import Shop
from console import Client, Console, console
from hiiki.broadcasts.models import Broadcast
from hiiki.db import scope
from hiiki.delivery.models import Guard, OptOut, Send, Topic
from hiiki.workspace.models import AuditEntry

from .conftest import Account, OpenAccount, add_friends, finished, sending
from .test_guards import decline, guard, hours, send, topic

HOME = "/sending-limits"


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    """The application."""
    async with console() as made:
        yield made


async def test_an_accounts_limits(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(0)
    staff = await app.person(shop, "operator")
    here = f"{HOME}/{account.channel_id}"
    assert "上限なし" in (await staff.get(HOME)).text
    given = {"day_cap": "2", "week_cap": "5", "quiet_from": "21:00", "quiet_to": "08:00"}
    assert (await staff.form(here, given)).status_code == 303
    listed = (await staff.get(HOME)).text
    for said in ("1日2回まで", "1週間5回まで", "21:00～08:00"):
        assert said in listed
    shown = (await staff.get(here)).text
    assert 'value="21:00"' in shown
    assert (await staff.form(here, dict.fromkeys(given, ""))).status_code == 303
    async with scope(shop.workspace_id) as session:
        stored = (await session.scalars(select(Guard))).one()
        assert (stored.day_cap, stored.week_cap, stored.quiet_from) == (None, None, None)
        audits = await session.scalars(select(AuditEntry.action))
        assert list(audits) == ["guards.update"] * 2
    viewer = await app.person(shop, "viewer")
    assert (await viewer.get(here)).status_code == 200
    assert (await viewer.form(here, given)).status_code == 403


@pytest.mark.parametrize(
    ("given", "field", "ja", "en"),
    [
        ({"day_cap": "0"}, "day_cap", "1以上", "1"),
        ({"day_cap": "51"}, "day_cap", "50以下", "50"),
        ({"day_cap": "x"}, "day_cap", "数", "number"),
        ({"week_cap": "201"}, "week_cap", "200以下", "200"),
        ({"day_cap": "3", "week_cap": "2"}, "week_cap", "1日の上限より", "cannot be less"),
        ({"quiet_from": "25:00", "quiet_to": "8:00"}, "quiet_from", "時刻", "such as 21:00"),
        ({"quiet_from": "21:00"}, "quiet_to", "両方", "both"),
        ({"quiet_to": "08:00"}, "quiet_from", "両方", "both"),
        ({"quiet_from": "08:00", "quiet_to": "08:00"}, "quiet_to", "20時間", "20 hours"),
        ({"quiet_from": "08:00", "quiet_to": "07:00"}, "quiet_to", "20時間", "20 hours"),
    ],
)
async def test_what_an_accounts_limits_cannot_be(
    app: Console,
    shop: Shop,
    accounts: OpenAccount,
    given: dict[str, str],
    field: str,
    ja: str,
    en: str,
) -> None:
    account = await accounts(0)
    for locale, words in (("ja", ja), ("en", en)):
        staff = await app.person(shop, "operator", locale=locale)
        answer = await staff.form(f"{HOME}/{account.channel_id}", given)
        assert answer.status_code == 422
        assert f'id="f-{field}-error"' in answer.text
        assert words in answer.text.split(f'id="f-{field}-error"', 1)[1][:200]
    async with scope(shop.workspace_id) as session:
        assert list(await session.scalars(select(Guard))) == []


async def test_kinds_of_message(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(1)
    staff = await app.person(shop, "operator")
    assert "配信の種類はまだありません" in (await staff.get(HOME)).text
    friend = f"/friends/{account.contacts[0]}"
    assert (await staff.get(f"{friend}/topics")).text.strip() == ""
    assert (await staff.form(f"{HOME}/topics/new", {"name": " "})).status_code == 422
    assert (await staff.form(f"{HOME}/topics/new", {"name": "あ" * 41})).status_code == 422
    for name in ("お知らせ", "News"):
        assert (await staff.form(f"{HOME}/topics/new", {"name": name})).status_code == 303
    again = await staff.form(f"{HOME}/topics/new", {"name": "news"})
    assert again.status_code == 422
    assert "同じ名前" in again.text
    async with scope(shop.workspace_id) as session:
        one = (await session.scalars(select(Topic).where(Topic.name == "お知らせ"))).one()
    here = f"{HOME}/topics/{one.id}"
    part = (await staff.get(f"{friend}/topics")).text
    assert part.count("checked") == 2
    saved = await staff.form(f"{friend}/topics", {"shown[]": [str(one.id)], "wanted[]": []})
    assert saved.status_code == 200
    assert "希望しない" in saved.text
    async with scope(shop.workspace_id) as session:
        # The other kind was not on that form: nothing was said about it.
        assert list(await session.scalars(select(OptOut.topic_id))) == [one.id]
    assert "1人が希望していません" in (await staff.get(here)).text
    assert (await staff.form(here, {"name": "新着"})).status_code == 303
    await staff.form(f"{friend}/topics", {"shown[]": [str(one.id)], "wanted[]": [str(one.id)]})
    async with scope(shop.workspace_id) as session:
        assert list(await session.scalars(select(OptOut.topic_id))) == []
    assert (await staff.form(f"{here}/delete")).status_code == 303
    assert (await staff.get(here)).status_code == 404


def draft(text: str = "休業のお知らせ") -> dict[str, Any]:
    return {"blocks": [{"kind": "text", "text": text}]}


async def api(app: Console, shop: Shop) -> Client:
    return await app.program(shop, "operator")


async def test_a_broadcast_with_limits(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(4)
    await add_friends(account, 1, "blocked")
    news = await topic(account)
    await decline(account, news, 0)
    await guard(account, day_cap=1)
    await account.send(to=account.contacts[1:2])
    staff, program = await app.person(shop, "operator"), await api(app, shop)
    asked = {"channel_id": str(account.channel_id), "topic_id": str(news), "must_go": "false"}
    reach = (await staff.form("/broadcasts/reach", {**asked, "segment_id": "all"})).text
    assert "対象の友だち4人のうち、2人には送られません" in reach
    asked_all = {**asked, "segment_id": "all", "must_go": "true"}
    reach = (await staff.form("/broadcasts/reach", asked_all)).text
    assert "対象の友だち4人のうち、1人には送られません" in reach
    found = (await program.get("/api/v1/broadcasts/forecast", params=asked)).json()
    assert (found["recipients"], found["opted_out"], found["capped"]) == (2, 1, 1)
    made = await program.post(
        "/api/v1/broadcasts", json={"name": "休業", "draft": draft(), **asked, "must_go": False}
    )
    assert made.status_code == 201, made.text
    ident = made.json()["id"]
    in_use = await staff.form(f"{HOME}/topics/{news}/delete")
    assert in_use.status_code == 409
    assert "対象の友だち4人" in (await staff.get(f"/broadcasts/{ident}")).text
    sent = await program.post(f"/api/v1/broadcasts/{ident}/send")
    assert sent.status_code == 200, sent.text
    async with sending():
        await finished(account, sent.json()["send_id"])
    report = (await program.get(f"/api/v1/broadcasts/{ident}/report")).json()
    names = ("targeted", "accepted", "blocked", "opted_out", "capped")
    assert [report[name] for name in names] == [2, 2, 1, 1, 1]
    shown = (await staff.get(f"/broadcasts/{ident}")).text
    send_id = sent.json()["send_id"]
    for reason in ("blocked", "opted_out", "capped"):
        assert f"/deliveries/{send_id}/left-out?reason={reason}" in shown
        listed = (await staff.get(f"/deliveries/{send_id}/left-out?reason={reason}")).text
        assert listed.count('href="/friends/') >= 1
        got = await program.get(f"/api/v1/sends/{send_id}/left-out", params={"reason": reason})
        assert [one["reason"] for one in got.json()["items"]] == [reason]
    exported = await staff.get(f"/deliveries/{send_id}/left-out.csv")
    rows = list(csv.reader(io.StringIO(exported.text.lstrip("\ufeff"))))
    assert rows[0] == ["contact_id", "name", "reason"]
    assert sorted(row[2] for row in rows[1:]) == ["blocked", "capped", "opted_out"]
    assert (await program.get(f"/api/v1/sends/{send_id}")).json()["capped"] == 1
    none_left = await program.post(
        "/api/v1/broadcasts", json={"name": "二度目", "draft": draft(), **asked, "must_go": False}
    )
    refused = await program.post(f"/api/v1/broadcasts/{none_left.json()['id']}/send")
    assert refused.status_code == 422
    assert "segment_id" in refused.text


async def test_the_form_keeps_what_was_chosen(
    app: Console, shop: Shop, accounts: OpenAccount
) -> None:
    account = await accounts(1)
    news = await topic(account)
    staff = await app.person(shop, "operator")
    given = {
        "name": "休業",
        "channel_id": str(account.channel_id),
        "segment_id": "all",
        "topic_id": str(news),
        "must_go": "true",
        "draft.blocks.0.kind": "text",
        "draft.blocks.0.text": "休業のお知らせ",
    }
    made = await staff.form("/broadcasts/new", given)
    assert made.status_code == 303, made.text[-3000:]
    async with scope(shop.workspace_id) as session:
        stored = (await session.scalars(select(Broadcast))).one()
        assert (stored.topic_id, stored.must_go) == (news, True)
    shown = (await staff.get(f"/broadcasts/{stored.id}/edit")).text
    assert f'value="{news}" selected' in shown
    wrong = await staff.form("/broadcasts/new", {**given, "topic_id": str(uuid4())})
    assert wrong.status_code == 422
    assert 'id="f-topic_id-error"' in wrong.text


async def test_quiet_hours_are_said(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(1)
    await guard(account, **hours(-1, 1))
    made: Send = await send(account)
    staff = await app.person(shop, "operator")
    assert "配信しない時間帯が終わる" in (await staff.get("/deliveries")).text
    reach = await staff.form(
        "/broadcasts/reach", {"channel_id": str(account.channel_id), "segment_id": "all"}
    )
    assert "いまは配信しない時間帯です" in reach.text
    assert (await staff.get(f"/deliveries/{made.id}/left-out")).status_code == 200


async def test_the_api(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account: Account = await accounts(1)
    program = await api(app, shop)
    here = f"/api/v1/channels/{account.channel_id}/guard"
    assert (await program.get(here)).json()["quiet_from"] is None
    put = await program.put(here, json={"day_cap": 1, "quiet_from": "21:00", "quiet_to": "9:30"})
    assert put.json() == (await program.get(here)).json()
    assert put.json()["quiet_to"] == "09:30"
    assert (await program.put(here, json={"quiet_from": "21:00"})).status_code == 422
    assert (await program.put(here, json={"cap": 1})).status_code == 422
    made = (await program.post("/api/v1/topics", json={"name": "お知らせ"})).json()
    told = f"/api/v1/contacts/{account.contacts[0]}/declined"
    for _twice in range(2):
        assert (await program.put(f"{told}/{made['id']}")).status_code == 204
    assert (await program.get(told)).json() == {"topic_ids": [made["id"]]}
    assert (await program.get("/api/v1/topics")).json()["items"][0]["declined"] == 1
    assert (await program.delete(f"{told}/{made['id']}")).status_code == 204
    assert (await program.get(told)).json() == {"topic_ids": []}
    renamed = await program.put(f"/api/v1/topics/{made['id']}", json={"name": "News"})
    assert renamed.json()["name"] == "News"
    assert (await program.delete(f"/api/v1/topics/{made['id']}")).status_code == 204
    assert (await program.put(f"{told}/{made['id']}")).status_code == 404
