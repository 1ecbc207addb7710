"""LINE Login: over HTTP with the emulator, as LINE's documents have it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from sqlalchemy import select

from console import Client
from hiiki.db import scope
from hiiki.idlink.models import LoginChannel, Place
from hiiki.idlink.schemas import PlaceIn
from hiiki.idlink.settings import add_place
from hiiki.line import login
from hiiki.settings import settings
from idlink.shop import World
from ingest.line_side import Person

SECRET = "0123456789abcdef0123456789abcdef"


async def login_channel(world: World) -> dict[str, Any]:
    """The emulator's LINE Login channel, entered by the owner."""
    found = (await world.line.call("GET", "/login/channels"))["channels"][0]
    owner = await world.app.person(world.shop)
    answer = await owner.form(
        "/id-links/login-channel",
        {
            "channel_id": str(world.channel.id),
            "line_channel_id": found["channel_id"],
            "secret": found["channel_secret"],
        },
    )
    assert answer.status_code == 303, answer.text
    return found


async def place(world: World) -> Place:
    async with scope(world.shop.workspace_id) as session:
        return await add_place(session, PlaceIn(name="渋谷店", channel_id=world.channel.id))


async def begins(world: World, where: Place, again: str = "") -> tuple[Client, str]:
    """A browser that has read the place's QR code and goes to LINE; returns LINE's address."""
    browser = world.app.client()
    assert (await browser.get(f"/id-link/at/{where.code}")).status_code == 303
    assert "LINEでログイン" in (await browser.get("/id-link/me")).text
    sent = await browser.get(f"/id-link/login{again}")
    return browser, sent.headers["location"]


async def comes_back(world: World, browser: Client, url: str, user: str, **how: Any) -> str:
    """Answer all of LINE's screens; returns what our page then says."""
    done = await world.line.call("POST", "/login/authorize", {"url": url, "user": user, **how})
    back = httpx.URL(done["redirect"]).raw_path.decode()
    answer = await browser.get(back)
    assert answer.status_code == 303
    return (await browser.get(answer.headers["location"])).text


async def test_a_login_channel_is_checked_at_line_and_kept_sealed(world: World) -> None:
    found = await login_channel(world)
    async with scope(world.shop.workspace_id) as session:
        [kept] = await session.scalars(select(LoginChannel))
    assert found["channel_secret"].encode() not in kept.sealed_secret
    owner = await world.app.person(world.shop)
    form = {"channel_id": str(world.channel.id), "line_channel_id": found["channel_id"]}
    wrong = await owner.form("/id-links/login-channel", {**form, "secret": SECRET})
    assert wrong.status_code == 422
    assert "チャネルシークレットの組み合わせ" in wrong.text
    assert SECRET not in wrong.text
    bot = {**form, "line_channel_id": world.channel.line_channel_id, "secret": SECRET}
    assert "Messaging APIのチャネル" in (await owner.form("/id-links/login-channel", bot)).text
    operator = await world.app.person(world.shop, "operator")
    assert (await operator.get("/id-links/login-channel")).status_code == 403
    api = await world.app.program(world.shop, "owner")
    listed = (await api.get("/api/v1/id-links/login-channels")).json()
    assert [one["line_channel_id"] for one in listed] == [found["channel_id"]]
    assert "secret" not in listed[0]


async def test_who_logs_in_at_line_is_linked_at_once(world: World) -> None:
    await world.setting(proof="phone")
    await world.member("P1", phone="+819012345678")
    await login_channel(world)
    where, who = await place(world), await world.person()
    browser, url = await begins(world, where)
    asked = {name: found[0] for name, found in parse_qs(urlsplit(url).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["bot_prompt"] == "aggressive"
    assert asked["redirect_uri"] == f"{settings().public_url}/id-link/callback"
    assert min(len(asked["state"]), len(asked["nonce"])) >= 32
    assert "会員番号" in await comes_back(world, browser, url, who.user_id)

    answer = await browser.form("/id-link/me", {"number": "P1", "proof": "090-1234-5678"})
    assert answer.status_code == 303, "no dialog: LINE has just said who is there"
    link = await world.link_of(who)
    assert link is not None
    assert (link.way, link.place) == ("login", where.code)
    assert await world.happened(who) == [
        (kind, where.code) for kind in ("id_link_open", "id_link_login", "id_link")
    ]


async def test_a_friend_of_whom_no_webhook_came_is_met_and_a_stranger_is_asked_to_add(
    world: World,
) -> None:
    await world.setting()
    await login_channel(world)
    where = await place(world)
    stranger = Person(world.channel, await world.line.new_stranger())
    browser, url = await begins(world, where)
    page = await comes_back(world, browser, url, stranger.user_id, friend=False)
    assert "友だち追加してください" in page
    assert "https://line.me/R/ti/p/" in page
    assert await stranger.timeline() == []

    early = Person(world.channel, await world.line.new_friend())
    browser, url = await begins(world, where)
    assert "会員番号" in await comes_back(world, browser, url, early.user_id)
    assert [event.kind for event in await early.timeline()] == ["id_link_open"]


async def test_a_state_of_another_browser_logs_nobody_in(world: World) -> None:
    """Forged log-ins, and auto login that failed: the next try is without auto login."""
    await world.setting()
    await login_channel(world)
    where, attacker = await place(world), await world.person()
    _theirs, url = await begins(world, where)
    victim, _own = await begins(world, where)
    page = await comes_back(world, victim, url, attacker.user_id)
    assert "ログインできませんでした" in page
    assert "会員番号" not in page
    asked = [one["path"] for one in await world.line.requests()]
    assert "/oauth2/v2.1/token" not in asked, "LINE is not even asked about the code"
    _browser, second = await begins(world, where, "?again=true")
    assert "disable_auto_login=true" in second
    nobody = world.app.client()
    done = await world.line.call("POST", "/login/authorize", {"url": url, "user": attacker.user_id})
    answer = await nobody.get(httpx.URL(done["redirect"]).raw_path.decode())
    assert "login_failed" in answer.headers["location"]


async def test_a_code_is_taken_once_and_a_refusal_is_told(world: World) -> None:
    await world.setting()
    await login_channel(world)
    where, who = await place(world), await world.person()
    browser, url = await begins(world, where)
    assert "キャンセル" in await comes_back(world, browser, url, who.user_id, allow=False)
    browser, url = await begins(world, where)
    done = await world.line.call("POST", "/login/authorize", {"url": url, "user": who.user_id})
    back = httpx.URL(done["redirect"]).raw_path.decode()
    kept = dict(browser.cookies)
    await browser.get(back)
    again = world.app.client(cookies=kept)  # the same cookies, the same address: replayed
    assert "login_failed" in (await again.get(back)).headers["location"]


async def test_line_being_away_is_said_and_not_held_against_anybody(world: World) -> None:
    await world.setting()
    await login_channel(world)
    where, who = await place(world), await world.person()
    browser, url = await begins(world, where)
    await world.line.fault("500_before", match={"path": "/oauth2/v2.1/token"})
    try:
        assert "つながりません" in await comes_back(world, browser, url, who.user_id)
    finally:
        await world.line.clear_faults()


CLIENT, NONCE = "1234567890", "n" * 32


def token(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {
        "iss": "https://access.line.me",
        "sub": "U" + "0" * 32,
        "aud": CLIENT,
        "exp": int(time.time()) + 3600,
        "iat": int(time.time()),
        "nonce": NONCE,
    }
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(kept, secret, algorithm=algorithm)


def test_an_id_token_is_believed_as_line_writes_it() -> None:
    assert login.verify(token(name="花子"), CLIENT, SECRET, NONCE).name == "花子"


@pytest.mark.parametrize(
    "forged",
    [
        token(secret="f" * 32),
        token(secret="", algorithm="none"),
        token(iss="https://evil.example"),
        token(aud="9999999999"),
        token(nonce="m" * 32),
        token(nonce=None),
        token(sub=None),
        token(exp=int(time.time()) - 60),
        token(exp=None),
        token(iat=int(time.time()) + 600),
        "",
        "a.b.c",
    ],
)
def test_an_id_token_that_is_not_lines_is_not(forged: str) -> None:
    with pytest.raises(login.BadLogin):
        login.verify(forged, CLIENT, SECRET, NONCE)
