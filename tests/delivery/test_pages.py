"""The console's pages and the API of sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from conftest import Shop
from console import Console, console
from hiiki.db import scope
from hiiki.workspace.models import Channel

from .conftest import OpenAccount, finished, sending
from .test_say import settled, tell

PERSONAL = [{"type": "text", "text": "{{ name }}さんへ"}]


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    """The application."""
    async with console() as made:
        yield made


async def test_list_pause_resume_cancel(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(3)
    send_id = await account.send(messages=PERSONAL, personal=True)
    staff = await app.person(shop, "operator")
    shown = await staff.get("/deliveries")
    assert shown.status_code == 200
    assert "さんへ" in shown.text
    assert 'hx-trigger="every 2s"' in shown.text
    part = await staff.get("/deliveries", headers={"hx-request": "true"})
    assert part.text.lstrip().startswith('<div id="sends"')
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        answer = await staff.form(f"/deliveries/{send_id}/{verb}")
        assert answer.status_code == 303, verb
        assert (await account.get(send_id)).state == state
        again = await staff.form(f"/deliveries/{send_id}/{verb}")
        assert again.status_code == 409, verb
    viewer = await app.person(shop, "viewer")
    assert (await viewer.get("/deliveries")).status_code == 200
    assert (await viewer.form(f"/deliveries/{send_id}/cancel")).status_code == 403


async def test_an_empty_list_says_what_to_do(app: Console, shop: Shop) -> None:
    staff = await app.person(shop)
    assert "まだ送信はありません" in (await staff.get("/deliveries")).text
    assert "すべて届いています" in (await staff.get("/deliveries/undelivered")).text
    assert "別の状態" in (await staff.get("/deliveries?state=paused")).text
    assert (await staff.get("/deliveries?state=nonsense&after=nonsense")).status_code == 200
    assert (await staff.get("/deliveries/undelivered?after=x~y")).status_code == 200


async def test_why_it_did_not_arrive(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(2, quota=0)
    async with sending():
        await tell(account, 0, "お得なお知らせ")
        await settled(account)
        send = await finished(account, await account.send("あ" * 5001))
    staff = await app.person(shop)
    text = (await staff.get("/deliveries/undelivered")).text
    assert "今月送信できる通数を使い切りました" in text
    assert "You have reached your monthly limit." in text
    assert "お得なお知らせ" in text
    assert f'href="/friends/{account.contacts[0]}"' in text
    assert "メッセージの内容がLINEに受け付けられませんでした" in text
    program = await app.program(shop, "viewer")
    found = (await program.get("/api/v1/undelivered?state=refused")).json()["items"]
    assert [len(each["contact_ids"]) for each in found] == [2, 1]
    assert found[0]["send_id"] == str(send.id)
    assert found[0]["request_id"]


async def test_paging_of_sends_and_problems(
    app: Console, shop: Shop, accounts: OpenAccount
) -> None:
    account = await accounts(1)
    ids = [str(await account.send(f"第{n}回")) for n in range(5)]
    await account.execute(
        "update delivery.parcel set state = 'in_doubt', settled_at = '2026-11-21 09:00+9'"
    )
    program = await app.program(shop, "viewer")
    for path, key in (("sends", "id"), ("undelivered", "send_id")):
        seen: list[str] = []
        after = ""
        while True:
            page = (
                await program.get(f"/api/v1/{path}", params={"limit": 2, "after": after})
            ).json()
            assert len(page["items"]) <= 2
            seen += [item[key] for item in page["items"]]
            if page["next"] is None:
                break
            after = page["next"]
        assert sorted(seen) == sorted(ids)
        assert len(seen) == 5
    assert (await program.get("/api/v1/sends?state=nonsense")).status_code in (400, 422)


async def test_recipients_page_by_page(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(7)
    await account.control.block(account.users[0], account.line_channel_id)
    async with sending():
        send_id = await account.send()
        await finished(account, send_id)
    program = await app.program(shop)
    seen: list[str] = []
    after = ""
    while True:
        answer = await program.get(
            f"/api/v1/sends/{send_id}/recipients", params={"limit": 3, "after": after}
        )
        page = answer.json()
        seen += [item["contact_id"] for item in page["items"]]
        assert {item["state"] for item in page["items"]} == {"accepted"}
        if page["next"] is None:
            break
        after = page["next"]
    assert sorted(seen) == sorted(map(str, account.contacts))
    refused = await program.get(f"/api/v1/sends/{send_id}/recipients?state=refused")
    assert refused.json() == {"items": [], "next": None}


async def test_the_api_of_one_send(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(2)
    send_id = await account.send()
    program = await app.program(shop)
    found = (await program.get(f"/api/v1/sends/{send_id}")).json()
    assert (found["state"], found["targeted"], found["waiting"]) == ("running", 2, 2)
    paused = (await program.post(f"/api/v1/sends/{send_id}/pause")).json()
    assert paused["state"] == "paused"
    answer = await program.post(f"/api/v1/sends/{send_id}/pause")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "conflict"
    assert (await program.post(f"/api/v1/sends/{send_id}/resume")).json()["state"] == "running"
    assert (await program.post(f"/api/v1/sends/{send_id}/cancel")).json()["state"] == "cancelled"
    assert (await program.get(f"/api/v1/sends/{uuid4()}")).status_code == 404


async def test_why_a_send_is_paused(app: Console, shop: Shop, accounts: OpenAccount) -> None:
    account = await accounts(1)
    send_id = await account.send()
    staff = {"ja": await app.person(shop), "en": await app.person(shop, locale="en")}
    program = await app.program(shop)
    expected = {
        "quota": ("今月送信できる通数を使い切りました", "messages for this month are used up"),
        "content": ("メッセージを作成できませんでした", "could not be put together"),
        "refused": ("1,200人のうち150人", "LINE refused 150 of 1,200 people"),
        "errors": ("1,200回のうち150回が失敗", "150 of 1,200 requests to LINE failed"),
    }
    for code, (ja, en) in expected.items():
        await account.execute(
            "update delivery.send set state = 'paused', pause_code = :code,"
            " pause_reason = 'LINE <said> this', pause_failed = 150, pause_of = 1200",
            code=code,
        )
        for locale, said in (("ja", ja), ("en", en)):
            shown = (await staff[locale].get("/deliveries")).text
            assert said in shown
            assert "LINE &lt;said&gt; this" in shown
            assert said in (await staff[locale].get("/")).text
        found = (await program.get(f"/api/v1/sends/{send_id}")).json()
        names = ("pause_code", "pause_reason", "pause_failed", "pause_of", "per_second")
        assert [found[name] for name in names] == [code, "LINE <said> this", 150, 1200, 0]
    async with scope(shop.workspace_id) as session:
        account_name = (await session.one(Channel, account.channel_id)).name
    # The account comes first: while LINE does not take its token, to go on would change nothing.
    await account.execute("update workspace.channel set paused_reason = 'Authentication failed'")
    shown = (await staff["ja"].get("/deliveries")).text
    assert "アクセストークンがLINEに受け付けられなくなりました" in shown
    assert f'href="/settings/channels/{account.channel_id}"' in shown
    assert "150人" not in shown
    for url, ja in (
        ("/", f"{account_name}からの送信が止まっています"),
        (f"/settings/channels/{account.channel_id}", "新しいチャネルアクセストークンを発行"),
    ):
        assert ja in (await staff["ja"].get(url)).text


async def test_what_did_not_arrive_of_one_send(
    app: Console, shop: Shop, accounts: OpenAccount
) -> None:
    account = await accounts(2)
    ids = [
        await account.send(words, to=[person])
        for words, person in zip(("ひとつめ", "ふたつめ"), account.contacts, strict=True)
    ]
    await account.execute("update delivery.parcel set state = 'in_doubt', settled_at = now()")
    staff, program = await app.person(shop), await app.program(shop)
    shown = (await staff.get(f"/deliveries/undelivered?send={ids[0]}")).text
    assert "ひとつめ" in shown
    assert "ふたつめ" not in shown
    assert "ふたつめ" in (await staff.get("/deliveries/undelivered")).text
    found = (await program.get(f"/api/v1/undelivered?send_id={ids[1]}&state=in_doubt")).json()
    assert [item["send_id"] for item in found["items"]] == [str(ids[1])]
    assert (await staff.get(f"/deliveries/undelivered?send={uuid4()}")).status_code == 404
