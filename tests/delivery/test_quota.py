"""The month's messages: reserved at the start, shared out in turn, asked for again in time."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from console import Client, Console, console
from hiiki.broadcasts import service as broadcasts
from hiiki.broadcasts.jobs import send_scheduled
from hiiki.broadcasts.models import Broadcast
from hiiki.contacts.models import Contact, Friendship
from hiiki.db import scope
from hiiki.delivery.forecast import OverQuota, forecast, quota_of
from hiiki.delivery.models import Parcel, Send
from hiiki.delivery.service import cancel
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.line.limits import LINE_DAYS, line_month
from hiiki.workspace import quota
from hiiki.workspace.models import Channel

from .conftest import Account, OpenAccount, Shop, add_friends, finished, sending, until
from .test_guards import guard, hours, send, why


async def limit(account: Account, messages: int | None, used: int = 0) -> None:
    """What LINE says of the month."""
    async with scope(account.workspace_id) as session:
        channel = await session.one(Channel, account.channel_id)
        channel.quota_limit, channel.quota_used = messages, used
        channel.quota_checked_at = channel.quota_asked_at = now()
    await account.control.update_channel(account.line_channel_id, quota=messages, consumed=used)


@pytest.mark.parametrize(
    ("up_to_quota", "expected"), [(False, [0, 0, 0, 4, 4]), (True, [0, 0, 2, 4, 4])]
)
async def test_what_starts_at_the_same_moment_shares_the_month(
    accounts: OpenAccount, up_to_quota: bool, expected: list[int]
) -> None:
    account = await accounts(4)
    await limit(account, 10)

    async def start() -> int:
        try:
            return (await send(account, up_to_quota=up_to_quota)).targeted
        except OverQuota:
            return 0

    assert sorted(await asyncio.gather(*(start() for _ in range(5)))) == expected
    async with scope(account.workspace_id) as session:
        found = await quota_of(session, account.channel_id)
        assert (found.reserved, found.left) == (sum(expected), 10 - sum(expected))
        # Who was refused has left nothing behind.
        parcels = list(await session.scalars(select(Parcel.send_id)))
        assert len(set(parcels)) == sum(1 for n in expected if n)


async def test_two_jobs_at_the_same_hour_share_the_month(accounts: OpenAccount) -> None:
    account = await accounts(3)
    await limit(account, 5)
    at = now() + timedelta(hours=1)
    idents = [await broadcast(account) for _ in range(3)]
    async with scope(account.workspace_id) as session:
        for ident in idents:
            await broadcasts.schedule(session, ident, at)
    await asyncio.gather(
        *(send_scheduled(str(account.workspace_id), str(i), at.isoformat()) for i in idents)
    )
    async with scope(account.workspace_id) as session:
        found = list(await session.scalars(select(Broadcast)))
    assert sorted(one.state for one in found) == ["cancelled", "cancelled", "sent"]
    for one in found:
        assert one.state == "sent" or (one.problem and "今月の残りは2通です" in one.problem)


async def test_a_cancelled_send_gives_back_what_it_had_reserved(accounts: OpenAccount) -> None:
    account = await accounts(4)
    await limit(account, 4)
    first = await send(account)
    with pytest.raises(OverQuota):
        await send(account)
    async with scope(account.workspace_id) as session:
        await cancel(session, first.id)
    assert (await send(account)).targeted == 4


async def test_pushes_that_wait_for_the_morning_are_reserved(accounts: OpenAccount) -> None:
    account = await accounts(3)
    await limit(account, 3)
    async with scope(account.workspace_id) as session:
        session.add_all(
            Parcel(
                channel_id=account.channel_id,
                method=method,
                contact_ids=[account.contacts[0]],
                line_user_ids=[account.users[0]],
                messages=[{"type": "text", "text": "x"}],
                next_attempt_at=now() + timedelta(hours=8),
            )
            for method in ("push", "reply")
        )
    with pytest.raises(OverQuota):
        await send(account)
    assert (await send(account, up_to_quota=True)).targeted == 2


async def test_without_a_limit_nothing_is_left_out(accounts: OpenAccount) -> None:
    account = await accounts(3)
    await limit(account, None)
    made = await send(account, up_to_quota=True)
    assert (made.targeted, made.quota) == (3, 0)


async def test_nothing_left_is_refused_even_when_as_many_as_possible_would_do(
    accounts: OpenAccount,
) -> None:
    account = await accounts(2)
    for used in (10, 12):  # others on the account may have gone beyond
        await limit(account, 10, used=used)
        with pytest.raises(OverQuota) as refused:
            await send(account, up_to_quota=True)
        assert "2通が必要ですが、今月の残りは0通" in refused.value.message.to("ja")
    async with scope(account.workspace_id) as session:
        assert list(await session.scalars(select(Send))) == []


async def test_those_left_out_come_first_the_next_time(accounts: OpenAccount) -> None:
    """Nobody goes without twice before everybody has gone without once."""
    account = await accounts(5)
    await add_friends(account, 1, "blocked")
    began = now() - timedelta(days=100)
    async with scope(account.workspace_id) as session:
        for n, contact in enumerate(account.contacts[:4]):
            friend = await session.one(Friendship, (contact, account.channel_id))
            friend.followed_at = began + timedelta(days=n)
        # Who only wrote to the account: nobody knows since when they are a friend.
        unknown = await session.one(Friendship, (account.contacts[4], account.channel_id))
        unknown.followed_at = None
    got: list[set[int]] = []
    for _again in range(4):
        await limit(account, 2)
        made = await send(account, up_to_quota=True)
        assert (made.targeted, made.quota, made.blocked) == (2, 3, 1)
        left = {account.contacts.index(who) for who, reason in (await why(account, made.id)).items()
                if reason == "quota"}  # fmt: skip
        got.append(set(range(5)) - left)
        async with scope(account.workspace_id) as session:
            await cancel(session, made.id)
    assert got == [{0, 1}, {2, 3}, {4, 0}, {1, 2}]


async def test_guards_come_before_the_quota(accounts: OpenAccount) -> None:
    account = await accounts(4)
    await guard(account, day_cap=1)
    await account.send(to=account.contacts[:1])
    await limit(account, 3)  # one of them is reserved
    made = await send(account, up_to_quota=True)
    assert (made.targeted, made.capped, made.quota) == (2, 1, 1)


@pytest.mark.parametrize("personal", [False, True])
async def test_the_phones_of_exactly_so_many_ring(accounts: OpenAccount, personal: bool) -> None:
    account = await accounts(7)
    await limit(account, 5, used=1)
    made = await send(account, personal=personal, up_to_quota=True)
    async with sending():
        done = await finished(account, made.id)
    assert (done.state, done.accepted, done.quota) == ("done", 4, 3)
    out = {account.users[account.contacts.index(who)] for who in await why(account, made.id)}
    assert account.arrivals() == dict.fromkeys(set(account.users) - out, 1)
    async with scope(account.workspace_id) as session:
        channel = await session.one(Channel, account.channel_id)
    assert (channel.messages_used, channel.messages_own) == (5, 4)
    await account.execute("update workspace.channel set quota_asked_at = null")
    await quota.refresh_old_quotas()
    async with scope(account.workspace_id) as session:
        channel = await session.one(Channel, account.channel_id)
    # LINE counts the one that others sent; ours are the same.
    assert (channel.messages_used, channel.messages_reported, channel.messages_own) == (5, 5, 4)


@pytest.mark.parametrize(
    ("up_to_quota", "left", "messages", "left_after", "over", "beyond"),
    [
        (False, 5, 5, 0, False, 0),
        (False, 4, 5, -1, True, 1),
        (True, 5, 5, 0, False, 0),
        (True, 4, 4, 0, False, 1),
        (True, 1, 1, 0, False, 4),
        (True, 0, 0, 0, True, 5),
        (True, -3, 0, -3, True, 5),
    ],
)
async def test_the_forecast_at_its_borders(
    accounts: OpenAccount,
    up_to_quota: bool,
    left: int,
    messages: int,
    left_after: int,
    over: bool,
    beyond: int,
) -> None:
    account = await accounts(5)
    await limit(account, 20, used=20 - left)
    async with scope(account.workspace_id) as session:
        channel = await session.one(Channel, account.channel_id)
        found = await forecast(
            session,
            channel,
            5,
            5,
            audience=select(Contact.id).where(Contact.id.in_(account.contacts)),
            up_to_quota=up_to_quota,
        )
    assert (found.messages, found.quota_left_after) == (messages, left_after)
    assert (found.over_quota, found.beyond_quota) == (over, beyond)
    if over:
        with pytest.raises(OverQuota):
            await send(account, up_to_quota=up_to_quota)
    else:
        assert (await send(account, up_to_quota=up_to_quota)).targeted == messages


DRAFT = {"blocks": [{"kind": "text", "text": "年末のお知らせ"}]}


async def broadcast(account: Account, **changes: Any) -> UUID:
    data = {"name": "年末", "channel_id": str(account.channel_id), "draft": DRAFT, **changes}
    async with scope(account.workspace_id) as session:
        return (
            await broadcasts.save(session, None, broadcasts.BroadcastIn.model_validate(data))
        ).id


async def test_next_months_broadcast_does_not_mind_this_months_quota(
    accounts: OpenAccount,
) -> None:
    account = await accounts(3)
    await limit(account, 10, used=10)
    ident = await broadcast(account)
    first = line_month(now() + timedelta(days=32))
    begins = now().astimezone(LINE_DAYS).replace(
        year=first.year, month=first.month, day=1, hour=0, minute=0, second=0, microsecond=0
    )  # fmt: skip
    if line_month(begins - timedelta(seconds=1)) == line_month(now()):
        with pytest.raises(Invalid):
            async with scope(account.workspace_id) as session:
                await broadcasts.schedule(session, ident, begins - timedelta(seconds=1))
    async with scope(account.workspace_id) as session:
        assert (await broadcasts.schedule(session, ident, begins)).state == "scheduled"


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


async def test_line_is_asked_before_a_send_and_need_not_answer(
    app: Console, shop: Shop, accounts: OpenAccount
) -> None:
    account = await accounts(3)
    await limit(account, 100)
    program = await app.program(shop, "operator")
    # Others have sent since: LINE knows, and we are told before anything goes out.
    await account.control.update_channel(account.line_channel_id, consumed=98)
    old = "update workspace.channel set quota_checked_at = now() - interval '3 minutes'"
    await account.execute(old)
    ident = await broadcast(account)
    refused = await program.post(f"/api/v1/broadcasts/{ident}/send")
    assert refused.status_code == 422
    assert refused.json()["error"]["fields"][0]["path"] == "segment_id"
    # LINE says nothing: by the last figure it does go out.
    await limit(account, 100)
    await account.execute(old)
    await account.control.update_channel(account.line_channel_id, consumed=98)
    await account.control.fault("500_before", match={"path": "/v2/bot/message/quota"})
    assert (await program.post(f"/api/v1/broadcasts/{ident}/send")).status_code == 200
    asked = [r for r in await account.control.requests() if r["path"].endswith("/quota")]
    assert len(asked) == 2
    gone = "00000000-0000-4000-8000-000000000000"
    assert (await program.post(f"/api/v1/broadcasts/{gone}/send")).status_code == 404


async def test_over_the_api_from_the_forecast_to_the_list_of_those_left_out(
    app: Console, shop: Shop, accounts: OpenAccount
) -> None:
    account = await accounts(6)
    await limit(account, 10, used=6)
    program: Client = await app.program(shop, "operator")
    asked: dict[str, Any] = {"channel_id": str(account.channel_id)}
    found = (await program.get("/api/v1/broadcasts/forecast", params=asked)).json()
    assert (found["recipients"], found["over_quota"], found["beyond_quota"]) == (6, True, 2)
    asked["up_to_quota"] = True
    found = (await program.get("/api/v1/broadcasts/forecast", params=asked)).json()
    assert (found["recipients"], found["over_quota"], found["beyond_quota"]) == (4, False, 2)
    assert (found["quota_left_after"], found["currency"]) == (0, "JPY")
    body = {"name": "年末", "draft": DRAFT, **asked}
    made = (await program.post("/api/v1/broadcasts", json=body)).json()
    assert made["up_to_quota"] is True
    copy = (await program.post(f"/api/v1/broadcasts/{made['id']}/duplicate")).json()
    assert copy["up_to_quota"] is True
    off = {**body, "up_to_quota": False}
    changed = await program.put(f"/api/v1/broadcasts/{copy['id']}", json=off)
    assert changed.json()["up_to_quota"] is False
    assert (await program.post(f"/api/v1/broadcasts/{copy['id']}/send")).status_code == 422
    sent = (await program.post(f"/api/v1/broadcasts/{made['id']}/send")).json()
    here = f"/api/v1/sends/{sent['send_id']}"
    assert [(await program.get(here)).json()[name] for name in ("targeted", "quota")] == [4, 2]
    report = (await program.get(f"/api/v1/broadcasts/{made['id']}/report")).json()
    assert (report["targeted"], report["quota"]) == (4, 2)
    listed = (await program.get(f"{here}/left-out", params={"reason": "quota"})).json()
    assert [one["reason"] for one in listed["items"]] == ["quota", "quota"]
    staff = await app.person(shop, "operator")
    exported = await staff.get(f"/deliveries/{sent['send_id']}/left-out.csv?reason=quota")
    rows = list(csv.reader(io.StringIO(exported.text.lstrip("\ufeff"))))
    assert [row[2] for row in rows] == ["reason", "quota", "quota"]
    assert "今月の通数が足りなかった" in (await staff.get(f"/broadcasts/{made['id']}")).text
    assert "2人には送られません" in (await staff.get("/deliveries")).text


async def test_line_knows_better_than_we_and_more_can_be_bought(
    app: Console, shop: Shop, accounts: OpenAccount
) -> None:
    account = await accounts(5)
    await limit(account, 10)
    await account.control.update_channel(account.line_channel_id, quota=3)
    words = '{{ name | default: "お客様" }}'
    ident = await broadcast(account, draft={"blocks": [{"kind": "text", "text": words}]})
    async with sending():
        async with scope(account.workspace_id) as session:
            made = await broadcasts.send_now(session, ident)

        async def paused() -> bool:
            return (await account.get(made.id)).state == "paused"

        await until(paused)
        staff = await app.person(shop, "operator")
        for locale, said in (("ja", "追加メッセージの上限を増やす"), ("en", "Then resume.")):
            assert said in (await staff.get(f"/broadcasts/{ident}?lang={locale}")).text
            assert said in (await staff.get(f"/deliveries?lang={locale}")).text
        # LINE is asked at the next look, however young its figures are.
        await quota.refresh_old_quotas()
        async with scope(account.workspace_id) as session:
            assert (await quota_of(session, account.channel_id)).limit == 3
        await account.control.update_channel(account.line_channel_id, quota=100)
        assert (await staff.form(f"/broadcasts/{ident}/resume")).status_code == 303
        done = await finished(account, made.id)
    assert (done.state, done.accepted) == ("done", 5)
    assert account.arrivals() == dict.fromkeys(account.users, 1)


async def test_in_quiet_hours_the_quota_is_reserved_all_the_same(accounts: OpenAccount) -> None:
    account = await accounts(3)
    await guard(account, **hours(-1, 1))
    await limit(account, 3)
    await send(account)
    with pytest.raises(OverQuota):
        await send(account)
