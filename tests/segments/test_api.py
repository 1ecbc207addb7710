"""Segments for programs: /api/v1/segments."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from conftest import Shop
from console import Client, Console, console
from hiiki.db import scope

from .making import channel, has, person, tag

URL = "/api/v1/segments"


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    """The application on an empty database."""
    async with console() as made:
        yield made


@pytest.fixture
async def api(app: Console, shop: Shop) -> Client:
    """A program with an operator's token."""
    return await app.program(shop)


def wrong(answer: Any) -> dict[str, str]:
    """Return path → sentence of a 422."""
    assert answer.status_code == 422, answer.text
    return {field["path"]: field["message"] for field in answer.json()["error"]["fields"]}


async def test_a_segments_whole_life(api: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild, hot = await tag(session, "甘口"), await tag(session, "辛口")
        account = await channel(session, "渋谷")
        friend = await person(session, "mild", mild, follows=account)
        await person(session, "gone", mild, blocked=account)
        await person(session, "both", mild, hot)
    rule = {"kind": "all", "rules": [has(mild), has(hot, op="has_not")]}
    made = await api.post(URL, json={"name": " 甘口が好き ", "rule": rule})
    assert made.status_code == 201, made.text
    segment = made.json()
    assert segment["name"] == "甘口が好き"
    assert segment["rule"] == rule
    assert segment["sentence"]["ja"] == "タグ「甘口」がある、かつタグ「辛口」がない人。"
    at = f"{URL}/{segment['id']}"
    assert (await api.get(at)).json() == segment
    counted = (await api.get(f"{at}/count")).json()
    assert (counted["members"], counted["reachable"]) == (2, 1)
    one = await api.get(f"{at}/count", params={"channel": str(account.id)})
    assert one.json()["reachable"] == 1
    page = (await api.get(f"{at}/members", params={"limit": 1})).json()
    rest = (await api.get(f"{at}/members", params={"limit": 1, "after": page["next"]})).json()
    assert {page["items"][0]["display_name"], rest["items"][0]["display_name"]} == {"mild", "gone"}
    assert rest["next"] is None
    mine = (await api.get(f"/api/v1/friends/{friend}/segments")).json()
    assert [each["id"] for each in mine["items"]] == [segment["id"]]
    changed = await api.patch(at, json={"rule": has(hot)})
    assert changed.status_code == 200
    assert changed.json()["name"] == "甘口が好き"
    assert (await api.get(f"{at}/count")).json()["members"] == 1
    listed = (await api.get(URL, params={"q": "甘"})).json()
    assert [each["id"] for each in listed["items"]] == [segment["id"]]
    assert (await api.delete(at)).status_code == 204
    assert (await api.get(at)).status_code == 404
    assert (await api.get(URL)).json() == {"items": [], "next": None}


async def test_a_rule_is_counted_without_being_saved(api: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        account = await channel(session, "渋谷")
        await person(session, "mild", mild, follows=account)
    counted = await api.post(f"{URL}/count", json={"rule": has(mild)})
    assert counted.status_code == 200
    assert counted.json() == {
        "members": 1,
        "reachable": 1,
        "sentence": {"ja": "タグ「甘口」がある人。", "en": "People who have the tag “甘口”."},
    }
    assert (await api.get(URL)).json()["items"] == []
    stranger = {"rule": has(mild), "channel_id": str(uuid4())}
    assert (await api.post(f"{URL}/count", json=stranger)).status_code == 404


async def test_objections_name_the_field(api: Client, shop: Shop) -> None:
    gone = {"kind": "tag", "tag_ids": [str(uuid4())]}
    rule = {"kind": "any", "rules": [{"kind": "everyone"}, {"kind": "not", "rule": gone}]}
    found = wrong(await api.post(URL, json={"name": "x", "rule": rule}))
    assert found == {"rule.rules.1.rule.tag_ids": "このタグは存在しません。選び直してください。"}
    assert list(wrong(await api.post(f"{URL}/count", json={"rule": rule}))) == list(found)
    bad = {"kind": "all", "rules": [{"kind": "profile", "field": "shoe", "test": {"op": "eq"}}]}
    found = wrong(await api.post(URL, json={"name": "", "rule": bad, "colour": "red"}))
    assert set(found) == {"name", "colour", "rule.rules.0.field", "rule.rules.0.test"}
    assert "rule" in wrong(await api.post(URL, json={"name": "x"}))
    ident = (await api.post(URL, json={"name": "x", "rule": {"kind": "everyone"}})).json()["id"]
    circle = {"kind": "segment", "segment_id": ident}
    assert list(wrong(await api.patch(f"{URL}/{ident}", json={"rule": circle}))) == [
        "rule.segment_id"
    ]
    assert list(wrong(await api.patch(f"{URL}/{ident}", json={"rule": None}))) == ["rule"]
    assert list(wrong(await api.post(URL, json={"name": "x", "rule": {"kind": "everyone"}}))) == [
        "name"
    ]


@pytest.mark.parametrize("depth", [20, 500])
async def test_deep_nesting_gets_a_clear_answer(api: Client, depth: int) -> None:
    rule: dict[str, Any] = {"kind": "everyone"}
    for _ in range(depth):
        rule = {"kind": "not", "rule": rule}
    found = wrong(await api.post(URL, json={"name": "deep", "rule": rule}))
    assert found == {
        "rule": "グループの入れ子は15段までです。"
        "条件を簡単にするか、一部を別のセグメントに分けてください。"
    }


async def test_json_too_deep_to_read_is_a_clients_mistake(api: Client) -> None:
    body = '{"name": "deep", "rule": ' + '{"kind": "not", "rule": ' * 50_000 + "1" + "}" * 50_001
    answer = await api.post(URL, content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text


async def test_a_viewer_may_count_and_look_but_not_change(app: Console, shop: Shop) -> None:
    viewer = await app.program(shop, "viewer")
    body = {"rule": {"kind": "everyone"}}
    assert (await viewer.post(f"{URL}/count", json=body)).status_code == 200
    assert (await viewer.get(URL)).status_code == 200
    assert (await viewer.post(URL, json={"name": "x", **body})).status_code == 403


async def test_the_rule_stands_in_the_description(api: Client) -> None:
    document = (await api.get("/api/v1/openapi.json")).json()
    schemas = document["components"]["schemas"]
    kinds = {
        schema["properties"]["kind"]["const"]
        for schema in schemas.values()
        if "const" in schema.get("properties", {}).get("kind", {})
    }
    assert {"all", "any", "not", "tag", "attribute", "profile", "event", "answer"} <= kinds
    assert "tag_ids" in json.dumps(schemas)
