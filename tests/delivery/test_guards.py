"""Caps, quiet hours and declined kinds of message, through to what the phones received."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

import hiiki.rooms  # noqa: F401 — opens the road
from hiiki.actions.context import Context
from hiiki.actions.models import Rule
from hiiki.actions.schemas import RuleIn
from hiiki.actions.service import create_rule
from hiiki.contacts.erasure import erase
from hiiki.contacts.models import Contact
from hiiki.db import scope
from hiiki.delivery import claim, guards, service, topics
from hiiki.delivery.forecast import forecast
from hiiki.delivery.left_out import left_out
from hiiki.delivery.models import Parcel, Send
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, NotFound
from hiiki.timeline import Event
from hiiki.workspace.models import Channel

from .conftest import Account, OpenAccount, add_friends, finished, sending
from .test_say import settled, tell, texts, token_of

TOKYO = ZoneInfo("Asia/Tokyo")


async def guard(account: Account, **values: Any) -> None:
    empty = {"day_cap": None, "week_cap": None, "quiet_from": None, "quiet_to": None}
    async with scope(account.workspace_id) as session:
        await guards.set_guard(session, account.channel_id, **{**empty, **values})


def hours(begin: int, end: int) -> dict[str, time]:
    """Quiet hours from `begin` to `end` hours from now, by the clock in Tokyo."""
    here = now().astimezone(TOKYO).replace(second=0, microsecond=0)
    return {
        "quiet_from": (here + timedelta(hours=begin)).time(),
        "quiet_to": (here + timedelta(hours=end)).time(),
    }


async def topic(account: Account, name: str = "お知らせ") -> UUID:
    async with scope(account.workspace_id) as session:
        return (await topics.save_topic(session, None, name)).id


async def decline(account: Account, topic_id: UUID, *indices: int) -> None:
    async with scope(account.workspace_id) as session:
        for index in indices:
            await topics.opt_out(session, account.contacts[index], topic_id)


async def send(account: Account, *, personal: bool = False, **more: Any) -> Send:
    async with scope(account.workspace_id) as session:
        return await service.start_send(
            session,
            channel_id=account.channel_id,
            subject=f"broadcast:{uuid4()}",
            messages=texts("新作"),
            personal=personal,
            audience=select(Contact.id).where(Contact.id.in_(account.contacts)),
            **more,
        )


async def why(account: Account, send_id: UUID) -> dict[UUID, str]:
    async with scope(account.workspace_id) as session:
        return {one.contact_id: one.reason for one in (await left_out(session, send_id)).people}


def counts(made: Send) -> tuple[int, int, int, int]:
    return made.targeted, made.blocked, made.opted_out, made.capped


async def test_without_settings_nobody_is_left_out(accounts: OpenAccount) -> None:
    account = await accounts(3)
    for _again in range(4):
        assert counts(await send(account)) == (3, 0, 0, 0)


async def test_each_is_left_out_for_the_first_reason_that_holds(accounts: OpenAccount) -> None:
    account = await accounts(4)
    await add_friends(account, 1, "blocked")
    news = await topic(account)
    async with sending():
        had = await account.send(to=account.contacts[1:3])
        await finished(account, had)
    await guard(account, day_cap=1)
    await decline(account, news, 0, 1, 4)
    made = await send(account, topic_id=news)
    assert counts(made) == (1, 1, 2, 1)
    assert await why(account, made.id) == {
        account.contacts[0]: "opted_out",
        account.contacts[1]: "opted_out",
        account.contacts[2]: "capped",
        account.contacts[4]: "blocked",
    }
    async with sending():
        await finished(account, made.id)
    assert account.arrivals() == {account.users[n]: 1 for n in (1, 2, 3)}


@pytest.mark.parametrize("personal", [False, True])
async def test_what_is_on_its_way_counts(accounts: OpenAccount, personal: bool) -> None:
    account = await accounts(3)
    await guard(account, day_cap=2)
    assert [(await send(account, personal=personal)).targeted for _ in range(4)] == [3, 3, 0, 0]


async def test_sends_that_start_at_the_same_moment_count_each_other(
    accounts: OpenAccount,
) -> None:
    account = await accounts(3)
    await guard(account, day_cap=1)
    made = await asyncio.gather(*(send(account) for _ in range(5)))
    assert sorted(one.targeted for one in made) == [0, 0, 0, 0, 3]


async def test_a_cancelled_send_does_not_count(accounts: OpenAccount) -> None:
    account = await accounts(2)
    await guard(account, day_cap=1)
    first = await send(account)
    async with scope(account.workspace_id) as session:
        await service.cancel(session, first.id)
    assert (await send(account)).targeted == 2


async def test_days_and_weeks_pass(accounts: OpenAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await accounts(2)
    await guard(account, day_cap=1, week_cap=2)
    start = now().astimezone(TOKYO).replace(hour=12, minute=0, second=0, microsecond=0)

    async def on(day: int) -> int:
        at = start + timedelta(days=day)
        monkeypatch.setattr(guards, "now", lambda: at)
        made = await send(account)
        if made.targeted:
            async with sending():
                await finished(account, made.id)
            for table in ("parcel", "send"):
                await account.execute(
                    f"update delivery.{table} set settled_at = :at where settled_at > :real",
                    at=at,
                    real=now() - timedelta(minutes=5),
                )
        return made.targeted

    # A day has one; a week has two, and ends a week after its first day.
    days = (-20, -20, -19, -18, -14, -13, -12, -11)
    assert [await on(day) for day in days] == [2, 0, 2, 0, 0, 2, 2, 0]


async def test_must_go_goes_and_counts_but_not_to_who_declines(accounts: OpenAccount) -> None:
    account = await accounts(3)
    news = await topic(account)
    await decline(account, news, 0)
    await guard(account, day_cap=1, **hours(-1, 1))
    first = await send(account, must_go=True, topic_id=news)
    second = await send(account, must_go=True, topic_id=news)
    assert counts(first) == counts(second) == (2, 0, 1, 0)
    async with sending():
        await finished(account, second.id)
        await finished(account, first.id)
    assert account.arrivals() == {account.users[1]: 2, account.users[2]: 2}
    assert counts(await send(account)) == (1, 0, 0, 2)


async def test_bulk_waits_for_the_end_of_quiet_hours(
    accounts: OpenAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await accounts(2)
    await guard(account, **hours(-1, 1))
    made = await send(account)
    async with sending():
        await asyncio.sleep(2)
        assert (await account.get(made.id)).accepted == 0
        monkeypatch.setattr(claim, "now", lambda: now() + timedelta(hours=2))
        assert (await finished(account, made.id)).accepted == 2


async def test_a_send_stops_when_quiet_hours_begin(
    accounts: OpenAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await accounts(2)
    await guard(account, **hours(1, 3))
    made = await send(account)
    monkeypatch.setattr(claim, "now", lambda: now() + timedelta(hours=2))
    async with sending():
        await asyncio.sleep(1.5)
        assert (await account.get(made.id)).accepted == 0


async def test_one_accounts_quiet_hours_do_not_hold_anothers_sends(accounts: OpenAccount) -> None:
    quiet, open_ = await accounts(1), await accounts(1)
    await guard(quiet, **hours(-1, 1))
    held, free = await quiet.send(), await open_.send()
    async with sending():
        await finished(open_, free)
    assert (await quiet.get(held)).accepted == 0


async def test_a_triggered_push_waits_and_an_answer_does_not(accounts: OpenAccount) -> None:
    account = await accounts(2)
    await guard(account, **hours(-1, 1))
    end: datetime = now() + timedelta(hours=1)
    async with scope(account.workspace_id) as session:
        triggered = Context(session, account.contacts[0], account.channel_id)
        triggered.say(texts("誕生日おめでとうございます"))
        await triggered.close()
    [parcel] = await account.parcels()
    assert abs(parcel.next_attempt_at - end) < timedelta(minutes=2)
    async with sending():
        # Later answers to the same person, free and by push, are not kept waiting behind it.
        token = await token_of(account, account.users[0])
        async with scope(account.workspace_id) as session:
            answer = Context(
                session,
                account.contacts[0],
                account.channel_id,
                reply_token=token,
                reply_until=now() + timedelta(minutes=1),
            )
            answer.say(texts("はい", "1", "2", "3", "4", "続き"))
            await answer.close()
        await tell(account, 0, "スタッフより")

        async def arrived() -> list[str]:
            return [one.state for one in await account.parcels()]

        for _try in range(100):
            if (await arrived()).count("accepted") == 3:
                break
            await asyncio.sleep(0.1)
        assert sorted(await arrived()) == ["accepted", "accepted", "accepted", "ready"]
        await account.execute("update delivery.parcel set next_attempt_at = now()")
        await settled(account)
    assert account.arrivals()[account.users[0]] == 8


async def test_triggered_pushes_are_capped_and_count(accounts: OpenAccount) -> None:
    account = await accounts(2)
    await guard(account, day_cap=2)
    open_one = await account.send(to=account.contacts[:1])  # on its way
    first = await tell(account, 0, "一つ目", is_triggered=True)
    assert first
    assert await tell(account, 0, "二つ目", is_triggered=True) == []
    assert await tell(account, 0, "スタッフより")
    async with sending():
        await finished(account, open_one)
        await settled(account)
    assert await tell(account, 0, "三つ目", is_triggered=True) == []
    assert await tell(account, 1, "別の人", is_triggered=True)
    assert (await send(account)).targeted == 1
    assert account.arrivals() == {account.users[0]: 3}
    await account.execute("update timeline.event set at = at - interval '8 days'")
    await account.execute("delete from delivery.parcel where is_triggered or send_id is not null")
    assert await tell(account, 0, "翌週", is_triggered=True)


async def test_replies_do_not_count(accounts: OpenAccount) -> None:
    account = await accounts(1)
    await guard(account, day_cap=1)
    async with sending():
        token = await token_of(account, account.users[0])
        until = now() + timedelta(minutes=1)
        await tell(account, 0, "はい", reply_token=token, reply_until=until)
        await tell(account, 0, "スタッフより")
        await settled(account)
    assert await tell(account, 0, "一つ目", is_triggered=True)


async def test_the_forecast_is_what_is_then_frozen(accounts: OpenAccount) -> None:
    account = await accounts(5)
    news = await topic(account)
    await decline(account, news, 0, 1)
    await guard(account, week_cap=1)
    await account.send(to=account.contacts[1:3])
    async with scope(account.workspace_id) as session:
        channel = await session.one(Channel, account.channel_id)
        audience = select(Contact.id).where(Contact.id.in_(account.contacts))
        found = await forecast(
            session, channel, 5, 5, audience=audience, topic_id=news, must_go=False
        )
        urgent = await forecast(
            session, channel, 5, 5, audience=audience, topic_id=news, must_go=True
        )
    assert (found.messages, found.opted_out, found.capped) == (2, 2, 1)
    assert (urgent.messages, urgent.opted_out, urgent.capped) == (3, 2, 0)
    assert counts(await send(account, topic_id=news)) == (2, 0, 2, 1)


async def test_who_comes_back_to_a_kind_gets_it_again(accounts: OpenAccount) -> None:
    account = await accounts(1)
    news = await topic(account)
    async with scope(account.workspace_id) as session:
        context = Context(session, account.contacts[0], account.channel_id)
        await context.run([{"kind": "opt_out", "topic_id": str(news)}])
    assert counts(await send(account, topic_id=news)) == (0, 0, 1, 0)
    assert counts(await send(account)) == (1, 0, 0, 0)
    async with scope(account.workspace_id) as session:
        context = Context(session, account.contacts[0], account.channel_id)
        await context.run([{"kind": "opt_in", "topic_id": str(news)}])
    assert counts(await send(account, topic_id=news)) == (1, 0, 0, 0)


async def test_a_rules_kind(accounts: OpenAccount) -> None:
    """Who declines a kind gets nothing of it unasked; what answers them comes all the same."""
    account = await accounts(2)
    news = await topic(account)
    async with scope(account.workspace_id) as session:
        for words, topic_id in (("お知らせです", news), ("ご注文の控えです", None)):
            rule = {
                "name": words,
                "event_kind": "survey_finish",
                "topic_id": topic_id,
                "actions": [
                    {
                        "kind": "send",
                        "draft": {"blocks": [{"kind": "text", "text": words}]},
                    }
                ],
            }
            await create_rule(session, RuleIn.model_validate(rule))
    await decline(account, news, 0)
    for person, token in ((0, None), (1, None), (0, "a reply token")):
        async with scope(account.workspace_id) as session:
            until = now() + timedelta(minutes=1)
            context = Context(
                session,
                account.contacts[person],
                account.channel_id,
                reply_token=token,
                reply_until=until if token else None,
            )
            await context.emit("survey_finish")
            await context.close()
    said = [
        (
            account.contacts.index(parcel.contact_ids[0]),
            [message["text"] for message in parcel.messages or []],
        )
        for parcel in await account.parcels()
    ]
    both = ["お知らせです", "ご注文の控えです"]
    assert said == [(0, both[1:]), (1, both), (0, both)]
    async with scope(account.workspace_id) as session:
        [event] = await session.scalars(select(Event).where(Event.kind == "left_out"))
        assert (event.contact_id, event.data) == (account.contacts[0], {"reason": "opted_out"})
        [rule] = await session.scalars(select(Rule).where(Rule.topic_id == news))
        assert event.subject == f"rule:{rule.id}"
        with pytest.raises(Conflict):
            await topics.delete_topic(session, news)


async def test_the_list_page_by_page_and_without_the_erased(accounts: OpenAccount) -> None:
    account = await accounts(1)
    await add_friends(account, 1203, "blocked")
    made = await send(account)
    assert counts(made) == (1, 1203, 0, 0)
    await erase_one(account, account.contacts[5])
    seen: list[UUID] = []
    after = ""
    async with scope(account.workspace_id) as session:
        while True:
            found = await left_out(session, made.id, reason="blocked", after=after, limit=100)
            seen += [one.contact_id for one in found.people]
            if found.next is None:
                break
            after = found.next
        assert (await left_out(session, made.id, reason="capped")).people == []
        for nonsense in ("x", "blocked~1", "blocked~99999999999~1", "blocked~-1~x", "~~"):
            assert (await left_out(session, made.id, after=nonsense)).people
    assert len(seen) == len(set(seen)) == 1202
    assert set(seen) == set(account.contacts[1:]) - {account.contacts[5]}


async def erase_one(account: Account, contact_id: UUID) -> None:
    async with scope(account.workspace_id) as session:
        await erase(session, await session.one(Contact, contact_id))


async def test_another_workspaces_kinds_and_accounts_are_not_there(
    accounts: OpenAccount, other_shop: Any
) -> None:
    account = await accounts(1)
    news = await topic(account)
    async with scope(other_shop.workspace_id) as session:
        with pytest.raises(NotFound):
            await guards.set_guard(
                session,
                account.channel_id,
                day_cap=1,
                week_cap=None,
                quiet_from=None,
                quiet_to=None,
            )
    async with scope(other_shop.workspace_id) as session:
        with pytest.raises(NotFound):
            await topics.opt_out(session, account.contacts[0], news)
    async with scope(account.workspace_id) as session:
        found = await session.scalars(select(Parcel))
        assert list(found) == []
