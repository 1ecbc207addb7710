"""Connecting official accounts: a real web server, and LINE (its emulator) that really calls it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from conftest import Shop, make_shop
from hiiki.db import everywhere, scope
from hiiki.kit.errors import Invalid
from hiiki.segments.models import Segment
from hiiki.settings import settings
from hiiki.workspace import channels
from hiiki.workspace.models import AuditEntry, Channel
from line_emulator.client import EmulatorClient
from stack import LineProcess, Web

from .accounts import Shopkeeper, given, only_channel


async def test_an_account_is_connected_checked_and_its_webhook_works(
    owner: Shopkeeper, shop: Shop, line: EmulatorClient, account: dict[str, Any], web: Web
) -> None:
    answer = await owner.form("/settings/channels", given(account))
    assert answer.status_code == 303, answer.text
    channel = await only_channel(shop)
    assert answer.headers["location"] == f"/settings/channels/{channel.id}"
    assert channel.webhook_problem is None
    assert channel.webhook_checked_at is not None
    assert channel.bot_user_id == account["bot_user_id"]
    assert (channel.quota_limit, channel.quota_used, channel.plan) == (5000, 0, "light")
    [at_line] = [c for c in await line.channels() if c["channel_id"] == account["channel_id"]]
    assert at_line["webhook_url"] == f"{web.url}/webhook/{channel.webhook_key}"
    page = (await owner.get(answer.headers["location"])).text
    assert "正常に受信できます" in page
    assert "5,000" in page
    for text in (page, (await owner.get("/settings/channels")).text):
        assert account["channel_secret"] not in text
        assert account["access_token"] not in text


async def test_secrets_are_sealed_in_the_database_and_absent_from_the_log(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], web: Web
) -> None:
    await owner.form("/settings/channels", given(account))
    channel = await only_channel(shop)
    for sealed, plain in (
        (channel.sealed_secret, account["channel_secret"]),
        (channel.sealed_token, account["access_token"]),
    ):
        assert plain.encode() not in sealed
    opened = channels.credentials(channel)
    assert (opened.secret, opened.token) == (account["channel_secret"], account["access_token"])
    assert account["channel_secret"] not in repr(opened)
    log = web.running.log.read_text()
    assert account["channel_secret"] not in log
    assert account["access_token"] not in log
    async with scope(shop.workspace_id) as session:
        entries = (await session.scalars(select(AuditEntry))).all()
    assert [entry.action for entry in entries] == ["channels.create"]
    assert account["access_token"] not in str(entries[0].data)


async def test_a_wrong_secret_is_told_and_can_be_mended(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any]
) -> None:
    answer = await owner.form("/settings/channels", given(account, secret="0" * 32))
    assert answer.status_code == 303
    channel = await only_channel(shop)
    assert channel.webhook_problem == "secret"
    page = (await owner.get(answer.headers["location"])).text
    assert "署名がシークレットと一致しません" in page
    answer = await owner.form(
        f"/settings/channels/{channel.id}/credentials", {"secret": account["channel_secret"]}
    )
    assert answer.status_code == 303, answer.text
    assert (await only_channel(shop)).webhook_problem is None


async def test_a_wrong_token_is_refused_at_its_field(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any]
) -> None:
    answer = await owner.form("/settings/channels", given(account, token="wrong"))
    assert answer.status_code == 422
    at = answer.text.index('id="f-token-error"')
    assert "受け付けられませんでした" in answer.text[at : at + 300]
    assert account["channel_secret"] not in answer.text
    async with everywhere() as session:
        assert await session.scalar(select(func.count()).select_from(Channel)) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("line_channel_id", ""),
        ("line_channel_id", "abc"),
        ("secret", "0" * 31),
        ("secret", "g" * 32),
        ("token", ""),
        ("token", "a b"),
        ("token", "改行"),
        ("token", "a" * 2001),
    ],
)
async def test_what_cannot_be_right_is_not_even_tried(
    owner: Shopkeeper, account: dict[str, Any], field: str, value: str
) -> None:
    answer = await owner.form("/settings/channels", given(account, **{field: value}))
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text


async def test_one_account_is_connected_once_on_the_whole_server(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    assert (await owner.form("/settings/channels", given(account))).status_code == 303
    answer = await owner.form("/settings/channels", given(account))
    assert answer.status_code == 422
    assert "すでにこのサーバーに接続されています" in answer.text
    # A mistyped channel id does not get around it: the token tells which account it is.
    answer = await owner.form("/settings/channels", given(account, line_channel_id="1234567890"))
    assert answer.status_code == 422
    other = await make_shop("別の店")
    async with scope(other.workspace_id) as session:
        with pytest.raises(Invalid):
            await channels.add_channel(session, **given(account))


async def test_use_webhook_switched_off_is_told(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await line.update_channel(account["channel_id"], use_webhook=False)
    await owner.form("/settings/channels", given(account))
    channel = await only_channel(shop)
    assert channel.webhook_problem == "off"
    page = (await owner.get(f"/settings/channels/{channel.id}")).text
    assert "「Webhookの利用」がオフ" in page
    await line.update_channel(account["channel_id"], use_webhook=True)
    await owner.form(f"/settings/channels/{channel.id}/check")
    assert (await only_channel(shop)).webhook_problem is None


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://hiiki.example.com", "not_https"),
        ("https://no-such-host.invalid", "refused_url"),
        ("https://127.0.0.1:1", "unreachable"),
    ],
)
async def test_an_address_that_line_cannot_use_is_told(
    shop: Shop,
    account: dict[str, Any],
    line: EmulatorClient,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    problem: str,
) -> None:
    monkeypatch.setenv("HIIKI_PUBLIC_URL", address)
    settings.cache_clear()
    async with scope(shop.workspace_id) as session:
        added = await channels.add_channel(session, **given(account))
        found = channels.problem_of(added)
    assert added.webhook_problem == problem
    assert found is not None
    assert str(found.title)


async def test_an_address_that_leads_to_another_server_is_told(
    shop: Shop,
    account: dict[str, Any],
    line: EmulatorClient,
    emulator_process: LineProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HIIKI_PUBLIC_URL", emulator_process.url)
    settings.cache_clear()
    async with scope(shop.workspace_id) as session:
        added = await channels.add_channel(session, **given(account))
    assert added.webhook_problem == "not_here"


async def test_a_token_revoked_later_is_told_when_checked(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await owner.form("/settings/channels", given(account))
    channel = await only_channel(shop)
    await line.fault("401", match={"path": "/v2/bot/info"}, count=1)
    answer = await owner.form(f"/settings/channels/{channel.id}/check")
    assert answer.status_code == 303
    assert (await only_channel(shop)).webhook_problem == "token"


async def test_a_token_of_another_account_is_refused(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await owner.form("/settings/channels", given(account))
    channel = await only_channel(shop)
    other = await line.create_channel()
    answer = await owner.form(
        f"/settings/channels/{channel.id}/credentials", {"token": other["access_token"]}
    )
    assert answer.status_code == 422
    assert "別のアカウントのもの" in answer.text
    assert channels.credentials(await only_channel(shop)).token == account["access_token"]


async def test_quota_and_plan(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await owner.form("/settings/channels", given(account))
    channel = await only_channel(shop)
    await line.update_channel(account["channel_id"], quota=200)
    await owner.form(f"/settings/channels/{channel.id}/check")
    assert (await only_channel(shop)).quota_limit == 200
    url = f"/settings/channels/{channel.id}/plan"
    assert (await owner.form(url, {"plan": "standard"})).status_code == 303
    assert (await only_channel(shop)).plan == "standard"
    assert (await owner.form(url, {"plan": "golden"})).status_code == 422


async def test_out_of_use_and_deleted(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await owner.form("/settings/channels", given(account))
    channel = await only_channel(shop)
    url = f"/settings/channels/{channel.id}"
    assert (await owner.form(f"{url}/delete")).status_code == 409
    assert (await owner.form(f"{url}/active", {"is_active": "false"})).status_code == 303
    assert "利用停止中" in (await owner.get(url)).text
    async with scope(shop.workspace_id) as session:
        segment = Segment(
            name="渋谷の友だち", rule={"kind": "friendship", "channel_id": str(channel.id)}
        )
        session.add(segment)
    used = await owner.form(f"{url}/delete")
    assert used.status_code == 409
    assert "渋谷の友だち" in used.text
    async with scope(shop.workspace_id) as session:
        await session.delete(await session.one(Segment, segment.id))
    assert (await owner.form(f"{url}/delete")).status_code == 303
    async with everywhere() as session:
        assert await session.scalar(select(func.count()).select_from(Channel)) == 0


async def test_accounts_of_one_provider_share_it(
    owner: Shopkeeper, shop: Shop, account: dict[str, Any], line: EmulatorClient
) -> None:
    await owner.form("/settings/channels", given(account))
    first = await only_channel(shop)
    second = await line.create_channel(use_webhook=True)
    third = await line.create_channel(use_webhook=True)
    answer = await owner.form("/settings/channels", given(second, provider_of=str(first.id)))
    assert answer.status_code == 303
    await owner.form("/settings/channels", given(third, provider_of=""))
    async with scope(shop.workspace_id) as session:
        found = {c.line_channel_id: c.provider for c in await session.scalars(select(Channel))}
    assert found[second["channel_id"]] == first.provider
    assert found[third["channel_id"]] != first.provider


async def test_line_out_of_reach_leaves_nothing_behind(
    shop: Shop, account: dict[str, Any], line: EmulatorClient, owner: Shopkeeper
) -> None:
    await line.fault("500_before", match={"path": "/v2/bot/info"}, count=1)
    answer = await owner.form("/settings/channels", given(account))
    assert answer.status_code == 503
    assert "LINEが応答していません" in answer.text
    async with everywhere() as session:
        assert await session.scalar(select(func.count()).select_from(Channel)) == 0
