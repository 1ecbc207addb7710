"""What LINE tells of opens, clicks and plays: asked for in time, kept as it is, never added up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from conftest import Shop
from delivery.conftest import Account, OpenAccount, finished, sending, until
from hiiki.db import scope
from hiiki.delivery import insight, units
from hiiki.delivery.models import InsightAccount, Interaction, Send
from hiiki.delivery.room import room
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, NotFound, Unavailable
from hiiki.workspace.channels import client_of
from hiiki.workspace.models import Channel

STATISTICS = "/v2/bot/insight/message/event/aggregation"
Later = Callable[[timedelta], None]

LINKS = {
    "type": "template",
    "altText": "2つのリンク",
    "template": {
        "type": "buttons",
        "text": "どちらへ",
        "actions": [
            {"type": "uri", "label": "甘口", "uri": "https://example.com/sweet"},
            {"type": "uri", "label": "辛口", "uri": "https://example.com/hot"},
        ],
    },
}
VIDEO = {
    "type": "video",
    "originalContentUrl": "https://example.com/v.mp4",
    "previewImageUrl": "https://example.com/v.png",
}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Move our clock: `later(timedelta(hours=1))` is so long from now."""

    def move(by: timedelta) -> None:
        monkeypatch.setattr(insight, "now", lambda: now() + by)

    return move


async def acted(account: Account, users: Sequence[str], **act: Any) -> None:
    """All of these do the same with what they received."""
    acts = [{"user": user, "channel": account.line_channel_id, **act} for user in users]
    assert all(result["ok"] for result in await account.control.acts(acts))


async def told(account: Account, send_id: UUID) -> Interaction:
    async with scope(account.workspace_id) as session:
        return await session.one(Interaction, send_id)


async def ask(account: Account, send_id: UUID) -> Interaction:
    await insight.ask_now(account.workspace_id, send_id)
    return await told(account, send_id)


async def questions(account: Account) -> int:
    """How often LINE was asked for statistics."""
    return sum(one["path"].startswith(STATISTICS) for one in await account.control.requests())


async def test_lines_figures_are_what_people_did(accounts: OpenAccount, later: Later) -> None:
    account = await accounts(60)
    async with sending():
        sent = await account.send(messages=[LINKS, VIDEO])
        await finished(account, sent)
        other = await account.send()
        await finished(account, other)
    people = account.users
    await acted(account, people[:50], type="read")
    await acted(account, people[:30], type="open", url="https://example.com/sweet")
    await acted(account, people[:25], type="open", url="https://example.com/sweet")
    await acted(account, people[11:30], type="open", url="https://example.com/hot")
    await acted(account, people[:40], type="play", percent=25)
    await acted(account, people[:22], type="play", percent=100)
    first = await ask(account, sent)
    assert (first.opened, first.clicked, first.played, first.played_through) == (50, 30, 40, 22)
    # Nineteen people are nobody's business.
    assert first.links == [
        {"seq": 1, "url": "https://example.com/sweet", "clicks": 55, "people": 30}
    ]
    assert [(one["seq"], one["people"], one["played"]) for one in first.bubbles] == [
        (1, 50, None),
        (2, 50, 40),
    ]
    # What LINE says later takes the place of what it said before.
    await acted(account, people[50:53], type="read")
    later(timedelta(minutes=6))
    again = await ask(account, sent)
    assert (again.opened, again.clicked) == (53, 30)
    assert again.links == first.links
    # The other send is counted by itself, and nobody has opened a link of it.
    assert (await ask(account, other)).opened == 53
    assert (await told(account, other)).clicked is None


async def test_a_loop_asks_in_turn_and_only_as_often_as_line_allows(
    accounts: OpenAccount, later: Later
) -> None:
    account, neighbour = await accounts(20), await accounts(20)
    mine = [await account.send() for _ in range(3)]
    theirs = await neighbour.send()
    assert not await insight.ask_next(), "nobody has had the time to open it"
    later(timedelta(minutes=31))
    # Two workers at once: each account is asked about once, and then waits its turn.
    found = await asyncio.gather(*(insight.ask_next() for _ in range(4)))
    while await insight.ask_next():
        found.append(True)
    assert sum(found) == 2
    assert await questions(account) == 2
    assert (await told(neighbour, theirs)).asked_at is not None
    for minutes in (33, 35):
        later(timedelta(minutes=minutes))
        assert await insight.ask_next()
        assert not await insight.ask_next()
    asked = [(await told(account, ident)).asked_at for ident in mine]
    assert None not in asked
    assert asked == sorted(one for one in asked if one)
    later(timedelta(minutes=37))
    assert not await insight.ask_next(), "each has been asked about"


async def test_the_workers_loop_asks_of_itself_and_ends_when_told(
    accounts: OpenAccount, later: Later
) -> None:
    account = await accounts(20)
    sent = await account.send()
    later(timedelta(minutes=31))
    stop = asyncio.Event()
    loop = asyncio.create_task(room.loops["insight"](stop))

    async def asked() -> bool:
        return (await told(account, sent)).asked_at is not None

    await until(asked, every=0.02)
    stop.set()
    await asyncio.wait_for(loop, 5)
    async with scope(account.workspace_id) as session:
        assert (await session.one(InsightAccount, account.channel_id)).units_asked_at is not None


async def test_nothing_is_asked_for_an_account_that_is_out_of_use_or_paused(
    accounts: OpenAccount, later: Later
) -> None:
    account = await accounts(20)
    await account.send()
    later(timedelta(hours=1))
    for change in ("is_active = false", "paused_reason = 'x'"):
        await account.execute(f"update workspace.channel set {change}")
        assert not await insight.ask_next()
        await account.execute("update workspace.channel set is_active = true, paused_reason = null")
    assert await insight.ask_next()


async def test_a_question_of_a_worker_that_died_is_asked_by_another(
    accounts: OpenAccount, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await accounts(20)
    sent = await account.send()

    async def dies(*_args: Any) -> None:
        raise asyncio.CancelledError

    later(timedelta(minutes=31))
    with monkeypatch.context() as patch:
        patch.setattr(insight, "_ask", dies)
        with pytest.raises(asyncio.CancelledError):
            await insight.ask_next()
    later(timedelta(minutes=35))
    assert not await insight.ask_next()
    later(timedelta(minutes=37))
    assert await insight.ask_next()
    assert (await told(account, sent)).asked_at is not None


@pytest.mark.parametrize("kind", ["429", "500_before", "401", "reset"])
async def test_silence_is_noted_and_the_question_asked_again(
    accounts: OpenAccount, later: Later, kind: str
) -> None:
    account = await accounts(40)
    async with sending():
        sent = await account.send()
        await finished(account, sent)
    await acted(account, account.users[:30], type="read")
    await ask(account, sent)
    await account.control.fault(kind, match={"path": STATISTICS})
    later(timedelta(minutes=31))
    assert await insight.ask_next()
    row = await told(account, sent)
    assert row.error
    assert row.opened == 30, "what was known is kept"
    assert row.next_at is not None
    assert row.next_at > now() + timedelta(minutes=60)
    async with scope(account.workspace_id) as session:
        free_at = (await session.one(InsightAccount, account.channel_id)).next_at
    assert (free_at > now() + timedelta(minutes=60)) is (kind == "429")
    await account.control.clear_faults()
    later(timedelta(minutes=62))
    assert await insight.ask_next()
    assert (await told(account, sent)).error is None


async def test_people_may_ask_too_but_not_without_end(
    accounts: OpenAccount, other_shop: Shop, later: Later
) -> None:
    account = await accounts(20)
    few = await account.send(to=account.contacts[:5])
    with pytest.raises(Conflict):
        await ask(account, few)
    with pytest.raises(NotFound):
        await insight.ask_now(other_shop.workspace_id, few)
    sends = [await account.send() for _ in range(12)]
    await ask(account, sends[0])
    with pytest.raises(Conflict) as lately:
        await ask(account, sends[0])
    assert "5分" in lately.value.message.to("ja")
    for ident in sends[1:9]:
        await ask(account, ident)
    with pytest.raises(Conflict) as often:
        await ask(account, sends[9])
    assert "60" in often.value.message.to("ja")
    await account.control.fault("500_before", match={"path": STATISTICS})
    later(timedelta(minutes=20))
    with pytest.raises(Unavailable):
        await ask(account, sends[1])
    await account.control.clear_faults()
    later(timedelta(days=20))
    await account.execute("update delivery.send set finished_at = now(), state = 'done'")
    assert (await ask(account, sends[2])).next_at is None
    later(timedelta(days=21))
    with pytest.raises(Conflict) as final:
        await ask(account, sends[2])
    assert "14" in final.value.message.to("ja")


async def test_lines_own_count_of_names_holds_those_of_other_tools(
    accounts: OpenAccount, later: Later
) -> None:
    account = await accounts(20)
    async with scope(account.workspace_id) as session:
        channel = await session.one(Channel, account.channel_id)
    for number in range(3):
        answer = await client_of(channel).push(
            account.users[0], [{"type": "text", "text": "x"}], units=[f"theirs_{number}"]
        )
        assert answer.status == 200
    await insight.count_names()
    await insight.count_names()
    counted = [one for one in await account.control.requests() if "aggregation/info" in one["path"]]
    assert len(counted) == 1, "an hour's old figure is good enough"
    async with scope(account.workspace_id) as session:
        assert await units.names_left(session, account.channel_id) == 997
    later(timedelta(minutes=61))
    await account.control.fault("500_before", match={"path": "/v2/bot/message/aggregation"})
    await insight.count_names()
    async with scope(account.workspace_id) as session:
        assert await units.names_left(session, account.channel_id) == 997


def _send(finished_after: timedelta | None) -> Send:
    start = datetime(2026, 11, 1, 16, 0, tzinfo=UTC)
    end = None if finished_after is None else start + finished_after
    return Send(id=uuid4(), created_at=start, finished_at=end)


def test_questions_grow_rare_and_end_when_lines_figures_are_final() -> None:
    send = _send(timedelta(minutes=5))
    at: datetime | None = send.created_at + units.FIRST_LOOK
    asked: list[timedelta] = []
    while at is not None:
        asked.append(at - send.created_at)
        at = insight.next_look(send, at)
    hours = [one.total_seconds() / 3600 for one in asked]
    assert hours[:8] == [0.5, 1, 2, 4, 8, 16, 32, 56]
    assert asked[-1] == timedelta(days=15, minutes=5)
    assert len(asked) < 25


def test_a_send_that_never_ends_is_not_asked_about_for_ever() -> None:
    send = _send(None)
    assert insight.next_look(send, send.created_at + timedelta(days=44)) is not None
    assert insight.next_look(send, send.created_at + timedelta(days=45)) is None


def test_days_are_lines_and_at_most_thirty_apart() -> None:
    send = _send(None)  # 16:00 UTC is the next day in Japan
    first, last = insight.days(send, send.created_at)
    assert (f"{first}", f"{last}") == ("2026-11-02", "2026-11-02")
    first, last = insight.days(send, send.created_at + timedelta(days=40))
    assert (last - first).days == 30
