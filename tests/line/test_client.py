"""The client against the emulated LINE: every call, and every way in which one can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hiiki.line.client import LineClient, LineError
from hiiki.line.http import make_session
from hiiki.settings import settings
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator

TEXT = [{"type": "text", "text": "カレー"}]


@pytest.fixture
async def line() -> AsyncIterator[Emulator]:
    async with Emulator(friends=3, quota=10) as emulator:
        yield emulator


@pytest.fixture
async def control(line: Emulator) -> AsyncIterator[EmulatorClient]:
    async with EmulatorClient(line.url) as client:
        yield client


@pytest.fixture
async def client(line: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LineClient]:
    monkeypatch.setattr(settings(), "line_timeout", 1.0)
    session = make_session()
    token = next(iter(line.channel.tokens))
    yield LineClient(session, token, line.url, line.url)
    await session.close()


@pytest.fixture
async def users(control: EmulatorClient) -> list[str]:
    return [user["id"] for user in (await control.users())["users"]]


async def test_push_and_its_retry_key(
    client: LineClient, control: EmulatorClient, users: list[str]
) -> None:
    key = uuid4()
    first = await client.push(users[0], TEXT, retry_key=key)
    again = await client.push(users[0], TEXT, retry_key=key)
    assert (first.status, again.status) == (200, 409)
    assert first.request_id
    assert again.accepted_request_id == first.request_id
    [received] = await control.received(users[0])
    assert received["text"] == "カレー"


async def test_multicast_units_and_silence(
    client: LineClient, control: EmulatorClient, users: list[str]
) -> None:
    answer = await client.multicast(users, TEXT, retry_key=uuid4(), units=["spring"], silent=True)
    assert answer.status == 200
    for user in users:
        assert len(await control.received(user)) == 1


async def test_reply_and_its_token(
    line: Emulator, client: LineClient, control: EmulatorClient, users: list[str]
) -> None:
    await control.say(users[0], "こんにちは")
    [token] = line.channel.reply_tokens
    assert (await client.reply(token, TEXT)).status == 200
    refused = await client.reply(token, TEXT)
    assert (refused.status, refused.message) == (400, "Invalid reply token")


async def test_lines_words_are_kept(client: LineClient, users: list[str]) -> None:
    refused = await client.push(users[0], [{"type": "text", "text": ""}])
    assert refused.status == 400
    assert "messages[0].text" in refused.message
    with pytest.raises(LineError) as caught:
        await client.validate("push", [{"type": "text", "text": "あ" * 5001}])
    assert caught.value.is_permanent
    assert caught.value.details[0]["property"] == "messages[0].text"
    await client.validate("multicast", TEXT)


async def test_who_we_are_and_what_is_left(
    line: Emulator, client: LineClient, users: list[str], control: EmulatorClient
) -> None:
    info = await client.bot_info()
    assert (info.user_id, info.basic_id) == (line.channel.bot_user_id, line.channel.basic_id)
    assert (await client.quota(), await client.consumption()) == (10, 0)
    await client.multicast(users, TEXT)
    assert await client.consumption() == 3
    await control.update_channel(line.channel.id, quota=None)
    assert await client.quota() is None


async def test_profiles(client: LineClient, control: EmulatorClient, users: list[str]) -> None:
    profile = await client.profile(users[0])
    assert profile.user_id == users[0]
    assert profile.display_name
    await control.block(users[0])
    with pytest.raises(LineError) as caught:
        await client.profile(users[0])
    assert (caught.value.status, caught.value.is_permanent) == (404, True)
    with pytest.raises(LineError):
        await client.profile("../../info")


async def test_the_webhook(client: LineClient) -> None:
    assert await client.get_webhook() is None
    await client.set_webhook("http://127.0.0.1:9/webhook")
    found = await client.get_webhook()
    assert found is not None
    assert found.endpoint == "http://127.0.0.1:9/webhook"
    test = await client.test_webhook()
    assert (test.success, test.reason) == (False, "COULD_NOT_CONNECT")
    with pytest.raises(LineError) as caught:
        await client.set_webhook("ftp://example.com/")
    assert caught.value.status == 400


async def test_loading_and_content(client: LineClient, users: list[str]) -> None:
    await client.start_loading(users[0], 5)
    with pytest.raises(LineError) as caught:
        await client.content("12345")
    assert caught.value.status == 404


@pytest.mark.parametrize("token", ["", "wrong", "改行\r\nX-Evil: 1", "ＡＢＣ", "a b"])
async def test_a_wrong_token_gets_lines_401(line: Emulator, token: str) -> None:
    session = make_session()
    client = LineClient(session, token, line.url, line.url)
    with pytest.raises(LineError) as caught:
        await client.bot_info()
    assert (caught.value.status, caught.value.is_permanent) == (401, True)
    assert (await client.push("U" + "0" * 32, TEXT)).status == 401
    await session.close()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "500_after"}, 500),
        ({"kind": "timeout", "accept": True}, 0),
        ({"kind": "reset"}, 0),
        ({"kind": "429"}, 429),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
async def test_trouble(
    client: LineClient,
    control: EmulatorClient,
    users: list[str],
    fault: dict[str, Any],
    status: int,
) -> None:
    await control.faults([fault])
    answer = await client.push(users[0], TEXT, retry_key=uuid4())
    assert (answer.status, answer.reached) == (status, True)
    assert answer.message
    with pytest.raises(LineError) as caught:
        await client.quota()
    assert (caught.value.status, caught.value.is_permanent) == (status, False)


async def test_nobody_there_is_told_from_silence() -> None:
    session = make_session()
    client = LineClient(session, "t", "http://127.0.0.1:9", "http://127.0.0.1:9")
    answer = await client.push("U1", TEXT)
    assert (answer.status, answer.reached) == (0, False)
    with pytest.raises(LineError) as caught:
        await client.content("1")
    assert not caught.value.is_permanent
    await session.close()
