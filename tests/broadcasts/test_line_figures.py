"""LINE's own opens and clicks in a broadcast's report: what people did, and why a figure lacks."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from broadcasts.making import content, get, make, send
from conftest import Shop
from console import Console, console
from delivery.conftest import Account, finished, open_account, sending, until
from hiiki.broadcasts.line_figures import LineFigures
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.report import lines, report
from hiiki.db import scope
from hiiki.delivery import insight
from hiiki.kit.clock import now
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator

CARD = {
    "kind": "card",
    "text": "新作です",
    "buttons": [
        {"label": "店", "action": "link", "value": "https://example.com/shop"},
        {
            "label": "地図",
            "action": "link",
            "value": "https://example.com/map",
            "tracked": False,
        },
    ],
}
PLAIN = {
    "kind": "card",
    "text": "新作です",
    "buttons": [
        {
            "label": "地図",
            "action": "link",
            "value": "https://example.com/map",
            "tracked": False,
        },
    ],
}


@pytest.fixture
async def account(shop: Shop, line: Emulator) -> AsyncIterator[Account]:
    async with EmulatorClient(line.url) as control:
        yield await open_account(shop, line, control, 60)


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


async def sent(account: Account, *blocks: dict[str, Any]) -> uuid.UUID:
    """A broadcast that everybody has got."""
    ident = await make(account, draft=content(*blocks))
    await send(account, ident)
    send_id = (await get(account, ident)).send_id
    assert send_id is not None
    async with sending():
        await finished(account, send_id)
    return ident


async def figures(account: Account, ident: uuid.UUID) -> LineFigures:
    async with scope(account.workspace_id) as session:
        found = (await report(session, await session.one(Broadcast, ident))).line
    assert found is not None
    return found


async def ask(account: Account, ident: uuid.UUID) -> LineFigures:
    broadcast = await get(account, ident)
    assert broadcast.send_id is not None
    await insight.ask_now(account.workspace_id, broadcast.send_id)
    return await figures(account, ident)


async def acted(account: Account, count: int, **act: Any) -> None:
    acts = [
        {"user": user, "channel": account.line_channel_id, **act} for user in account.users[:count]
    ]
    assert all(result["ok"] for result in await account.control.acts(acts))


async def test_the_report_says_what_people_who_live_there_did(account: Account) -> None:
    await account.control.live([{"open": 0.85, "link": 0.75}], pace=10_000, seed=3)
    ident = await sent(account, PLAIN)

    async def quiet() -> bool:
        return (await account.control.lived())["about_to_act"] == 0

    await until(quiet)
    counts = (await account.control.lived())["counts"]
    opened, clicked = counts["opened"], counts["link"]
    assert 20 < clicked < opened < 60, counts
    found = await ask(account, ident)
    assert (found.state, found.recipients) == ("told", 60)
    assert (found.opened, found.clicked) == (opened, clicked)
    assert found.open_rate == pytest.approx(opened / 60)
    assert found.click_rate == pytest.approx(clicked / 60)
    assert found.clicked_of_opened == pytest.approx(clicked / opened)
    assert [(one.url, one.people) for one in found.links] == [("https://example.com/map", clicked)]
    async with scope(account.workspace_id) as session:
        (of_list,) = await lines(session, [await session.one(Broadcast, ident)])
    assert of_list.opened == opened


async def test_links_that_differ_for_each_are_counted_together(
    account: Account, app: Console
) -> None:
    """Tracked links have another address for each recipient, of which LINE tells nothing."""
    ident = await sent(account, CARD)
    acts: list[dict[str, Any]] = []
    for user in account.users[:30]:
        (message,) = await account.control.received(user, account.line_channel_id)
        url = message["template"]["actions"][0]["uri"]
        act = {"user": user, "channel": account.line_channel_id, "type": "open", "url": url}
        acts.append(act)
    assert all(result["ok"] for result in await account.control.acts(acts))
    await acted(account, 24, type="open", url="https://example.com/map")
    found = await ask(account, ident)
    assert (found.opened, found.clicked) == (30, 30)
    assert [(one.url, one.people) for one in found.links] == [("https://example.com/map", 24)]
    page = (await (await app.person(Shop(account.workspace_id))).get(f"/broadcasts/{ident}")).text
    assert "60人のうち50%" in page
    assert "開封した人の100%" in page
    assert "計測リンクは受信者ごとに異なる" in page


async def test_the_page_says_why_there_are_no_figures(account: Account, app: Console) -> None:
    who = await app.person(Shop(account.workspace_id), "operator")
    other = await app.person(Shop(account.workspace_id), "operator", locale="en")
    ident = await sent(account)

    async def says(*sentences: str) -> None:
        pages = [(await one.get(f"/broadcasts/{ident}")).text for one in (who, other)]
        for sentence, page in zip(sentences, pages, strict=True):
            assert sentence in page

    await says("まだLINEに問い合わせていません", "LINE has not been asked yet")
    await acted(account, 19, type="read")
    assert (await ask(account, ident)).state == "silent"
    await says("開封した人が20人未満か", "fewer than 20 people have opened it")
    await account.execute("update delivery.interaction set next_at = null, opened = 20")
    await says("数値は確定しています", "these figures are final")
    assert "LINEに問い合わせる" not in (await who.get(f"/broadcasts/{ident}")).text
    await account.execute("delete from delivery.interaction")
    await says("1か月1,000件まで", "at most 1,000 broadcasts a month")
    await account.execute("update delivery.send set targeted = 19")
    await says("送信先が20人未満", "fewer than 20 people")
    states = {(await figures(account, ident)).state}
    assert states == {"few"}


async def test_a_rate_is_never_more_than_all(account: Account) -> None:
    """A message in doubt may have been opened though LINE's acceptance is not known."""
    ident = await sent(account)
    await acted(account, 60, type="read")
    await account.execute("update delivery.send set accepted = 40, in_doubt = 20")
    found = await ask(account, ident)
    assert (found.opened, found.recipients, found.open_rate) == (60, 40, 1.0)
    await account.execute("update delivery.send set accepted = 0, in_doubt = 60")
    assert (await figures(account, ident)).open_rate is None


async def test_staff_and_programs_can_ask_line_now(
    account: Account, app: Console, other_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = await sent(account)
    await acted(account, 45, type="read")
    shop = Shop(account.workspace_id)
    operator, viewer = await app.person(shop, "operator"), await app.person(shop, "viewer")
    here, api = f"/broadcasts/{ident}", f"/api/v1/broadcasts/{ident}"
    assert "LINEに問い合わせる" not in (await viewer.get(here)).text
    assert (await viewer.form(f"{here}/ask-line")).status_code == 403
    stranger = await app.program(other_shop)
    assert (await stranger.post(f"{api}/ask-line")).status_code == 404
    assert "LINEに問い合わせる" in (await operator.get(here)).text
    assert (await operator.form(f"{here}/ask-line")).status_code == 303
    assert "60人のうち75%" in (await operator.get(here)).text
    again = await operator.form(f"{here}/ask-line")
    assert again.status_code == 409
    assert "5分たっていません" in again.text
    program = await app.program(shop)
    assert (await program.post(f"{api}/ask-line")).status_code == 409
    monkeypatch.setattr(insight, "now", lambda: now() + timedelta(minutes=6))
    told = (await program.post(f"{api}/ask-line")).json()["line"]
    assert (told["state"], told["opened"], told["open_rate"]) == ("told", 45, 0.75)
    assert (told["clicked"], told["click_rate"]) == (None, None)
    assert (await program.get(f"{api}/report")).json()["line"] == told
    draft = await make(account)
    assert (await program.post(f"/api/v1/broadcasts/{draft}/ask-line")).status_code == 409
    assert (await program.get(f"/api/v1/broadcasts/{draft}/report")).json()["line"] is None
    monkeypatch.setattr(insight, "now", lambda: now() + timedelta(minutes=12))
    await account.control.fault("500_before", match={"path": "/v2/bot/insight"})
    silent = await operator.form(f"{here}/ask-line")
    assert silent.status_code == 503
    assert "集計を取得できませんでした" in silent.text
    assert "60人のうち75%" in silent.text, "what was known is still shown"
