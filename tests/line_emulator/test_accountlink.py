"""Account link: link tokens, the dialog, and what the bot is told."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3 import WebhookParser
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi
from linebot.v3.webhooks import AccountLinkEvent

NONCE = "q3Zp8fLm0sVx7RtY"


async def link_token(api, user: str) -> str:
    answer = await api.call("POST", f"/v2/bot/user/{user}/linkToken")
    assert answer.status == 200
    return answer.json["linkToken"]


async def visit(api, query: str, person: str | None = None):
    cookie = f"line_emulator_person={person}" if person else ""
    async with api.session.get(
        f"{api.url}/dialog/bot/accountLink?{query}",
        headers={"Cookie": cookie, "Accept-Language": "en"},
    ) as response:
        return response.status, await response.text()


def parse(line, bot) -> list[Any]:
    """The first post as the SDK reads it."""
    headers, body = bot.posts[0]
    signature = {name.lower(): value for name, value in headers.items()}["x-line-signature"]
    return WebhookParser(line.secret).parse(body.decode(), signature)


async def test_the_right_person_is_linked_and_can_be_answered(line, api, bot):
    friend = await line.new_friend()
    token = await link_token(api, friend)
    status, page = await visit(api, f"linkToken={token}&nonce={NONCE}", friend)
    assert (status, "are linked" in page) == (200, True)
    event = (await bot.until(1))[0]
    assert event["type"] == "accountLink"
    assert event["link"] == {"result": "ok", "nonce": NONCE}
    assert event["source"] == {"type": "user", "userId": friend}
    reply = await api.reply(event["replyToken"], {"type": "text", "text": "連携しました"})
    assert reply.status == 200
    parsed = parse(line, bot)
    assert isinstance(parsed[0], AccountLinkEvent)
    assert (parsed[0].link.result, parsed[0].link.nonce) == ("ok", NONCE)
    # Once only, and nobody is told of the second time.
    status, page = await visit(api, f"linkToken={token}&nonce={NONCE}", friend)
    assert (status, "invalid" in page) == (400, True)
    await line.wait_webhooks_done()
    assert len(bot.events) == 1


async def test_somebody_else_fails_and_uses_the_token_up(line, api, bot):
    friend, other = await line.new_friend(), await line.new_friend()
    token = await link_token(api, friend)
    _, page = await visit(api, f"linkToken={token}&nonce={NONCE}", other)
    assert "could not be linked" in page
    event = (await bot.until(1))[0]
    assert event["link"] == {"result": "failed", "nonce": NONCE}
    assert "source" not in event
    assert "replyToken" not in event
    parsed = parse(line, bot)
    assert isinstance(parsed[0], AccountLinkEvent)
    assert (await visit(api, f"linkToken={token}&nonce={NONCE}", friend))[0] == 400


async def test_link_tokens_live_ten_minutes(line, api, bot):
    friend = await line.new_friend()
    await line.clock(freeze=True)
    token = await link_token(api, friend)
    await line.clock(advance=600)
    assert (await visit(api, f"linkToken={token}&nonce={NONCE}", friend))[0] == 400
    token = await link_token(api, friend)
    await line.clock(advance=599)
    assert (await visit(api, f"linkToken={token}&nonce={NONCE}", friend))[0] == 200
    await bot.until(1)
    assert len(bot.events) == 1


@pytest.mark.parametrize(("nonce", "status"), [("a" * 9, 400), ("a" * 10, 200), ("a" * 255, 200),
                                               ("a" * 256, 400), ("", 400)])  # fmt: skip
async def test_nonces(line, api, nonce, status):
    friend = await line.new_friend()
    token = await link_token(api, friend)
    assert (await visit(api, f"linkToken={token}&nonce={nonce}", friend))[0] == status


async def test_a_browser_that_nobody_knows_is_asked_who_it_is(line, api, bot):
    friend = await line.new_friend(name="山田 花子")
    token = await link_token(api, friend)
    status, page = await visit(api, f"linkToken={token}&nonce={NONCE}")
    assert (status, "山田 花子" in page) == (200, True)
    # Asking uses nothing up.
    async with api.session.post(
        f"{api.url}/_emulator/login/choose",
        data={"next": f"/dialog/bot/accountLink?linkToken={token}&nonce={NONCE}", "user": friend},
        allow_redirects=False,
    ) as chosen:
        there = chosen.headers["Location"]
        session = chosen.cookies["line_emulator_session"].value
    async with api.session.get(
        api.url + there, headers={"Cookie": f"line_emulator_session={session}"}
    ) as response:
        assert response.status == 200
    assert (await bot.until(1))[0]["link"]["result"] == "ok"


async def test_whom_tokens_are_issued_for(line, api):
    stranger = await line.new_stranger()
    assert (await api.call("POST", f"/v2/bot/user/{stranger}/linkToken")).status == 404
    assert (await api.call("POST", "/v2/bot/user/U1/linkToken")).status == 400
    assert (await api.call("POST", f"/v2/bot/user/U{'0' * 32}/linkToken")).status == 404
    friend = await line.new_friend()
    with ApiClient(Configuration(host=line.url, access_token=line.token)) as client:
        issued = MessagingApi(client).issue_link_token(friend)
        assert len(issued.link_token) == 32
