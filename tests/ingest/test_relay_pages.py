"""The relay's pages and API: who may do what, and what they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from conftest import Shop, scope
from console import Console, console
from hiiki.ingest.relay.models import RelayTarget
from hiiki.workspace.models import AuditEntry, Channel
from ingest.line_side import make_channel

URL = "https://tool.example/webhook"


@pytest.fixture
async def app() -> AsyncIterator[Console]:
    async with console() as found:
        yield found


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


async def test_add_change_pause_delete(app: Console, shop: Shop, channel: Channel) -> None:
    owner = await app.person(shop)
    all_of = f"/settings/channels/{channel.id}/relays"
    assert "転送先はまだありません" in (await owner.get(all_of)).text
    given = {"name": "予約", "url": URL, "header_name": "X-Key", "header_value": "geheim"}
    made = await owner.form(f"{all_of}/new", given)
    assert made.status_code == 303
    here = made.headers["location"]
    text = (await owner.get(here)).text
    assert URL in text
    assert "geheim" not in text + (await owner.get(f"{here}/edit")).text
    changed = given | {"name": "予約ツール", "header_value": ""}
    assert (await owner.form(f"{here}/edit", changed)).status_code == 303
    assert (await owner.form(f"{here}/pause")).status_code == 303
    assert "ti-player-pause" in (await owner.get(all_of)).text
    assert (await owner.form(f"{here}/resume")).status_code == 303
    assert (await owner.form(f"{here}/run")).status_code == 409  # nothing was given up
    assert (await owner.form(f"{here}/delete")).status_code == 303
    assert (await owner.get(here)).status_code == 404
    async with scope(shop.workspace_id) as session:
        done = await session.scalars(select(AuditEntry.action).order_by(AuditEntry.at))
        assert [a for a in done if a.startswith("relays.")] == [
            f"relays.{verb}" for verb in ("create", "update", "pause", "resume", "delete")
        ]


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"url": "http://tool.example/"}, "url", "https:// で始まる"),
        ({"url": "https://10.0.0.1/"}, "url", "ネットワーク内部"),
        ({"url": "https://tool.example:22/"}, "url", "8443"),
        ({"url": "https://a:b@tool.example/"}, "url", "パスワード"),
        ({"url": "https://tool.example/" + "a" * 500}, "url", "500"),
        ({"name": " "}, "name", "入力"),
        ({"name": "あ" * 81}, "name", "80"),
        ({"header_name": "X Key", "header_value": "a"}, "header_name", "英数字"),
        ({"header_name": "Host", "header_value": "a"}, "header_name", "使用できません"),
        ({"header_name": "X-Key", "header_value": "a\r\nb: c"}, "header_value", "1行"),
        ({"header_name": "X-Key", "header_value": "鍵"}, "header_value", "半角"),
        ({"header_name": "X-Key"}, "header_value", "値を入力"),
        ({"header_value": "a"}, "header_name", "ヘッダー名"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    app: Console, shop: Shop, channel: Channel, wrong: dict[str, str], field: str, sentence: str
) -> None:
    owner = await app.person(shop)
    given = {"name": "予約", "url": URL, "header_name": "", "header_value": ""} | wrong
    answer = await owner.form(f"/settings/channels/{channel.id}/relays/new", given)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert sentence in answer.text.split(f'id="f-{field}-error"')[1][:400]
    async with scope(shop.workspace_id) as session:
        assert not list(await session.scalars(select(RelayTarget)))


async def test_only_owners_let_data_out(app: Console, shop: Shop, channel: Channel) -> None:
    path = f"/channels/{channel.id}/relays"
    operator = await app.program(shop, "operator")
    given = {"name": "a", "url": URL}
    assert (await operator.post("/api/v1" + path, json=given)).status_code == 403
    owner = await app.program(shop, "owner")
    made = (await owner.post("/api/v1" + path, json=given)).json()
    one = f"/api/v1{path}/{made['id']}"
    assert (await operator.put(one, json=given)).status_code == 403
    assert (await operator.delete(one)).status_code == 403
    assert (await operator.post(one + "/pause")).json()["is_paused"] is True
    assert (await operator.post(one + "/resume")).json()["is_paused"] is False
    assert (await operator.get(one + "/deliveries")).json() == {"items": [], "next": None}
    assert (await owner.delete(one)).status_code == 204


async def test_another_channel_s_address_is_not_enough(
    app: Console, shop: Shop, channel: Channel
) -> None:
    owner = await app.program(shop, "owner")
    other = await make_channel(shop.workspace_id)
    made = await owner.post(f"/api/v1/channels/{channel.id}/relays", json={"name": "a", "url": URL})
    answer = await owner.get(f"/api/v1/channels/{other.id}/relays/{made.json()['id']}")
    assert answer.status_code == 404
