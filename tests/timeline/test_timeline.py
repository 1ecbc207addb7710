"""The timeline: in order, page by page, in words, with names and few questions asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

import hiiki.rooms
from conftest import Shop, scope
from console import Console, console
from hiiki.contacts.models import Contact
from hiiki.kit.i18n import Text, speaking
from hiiki.kit.ids import uuid7
from hiiki.kit.road import EventKind, Option, Picker, Registry, Room
from hiiki.timeline import Event, of_contact, record
from hiiki.timeline.service import kinds_of
from hiiki.timeline.telling import forget_names, tell

assert hiiki.rooms.registry

T0 = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


async def make_contact(shop: Shop) -> UUID:
    async with scope(shop.workspace_id) as session:
        contact = Contact(id=uuid7(), display_name="田中")
        session.add(contact)
    return contact.id


async def all_pages(shop: Shop, contact_id: UUID, size: int) -> list[Event]:
    found: list[Event] = []
    while True:
        async with scope(shop.workspace_id) as session:
            last = found[-1] if found else None
            page = await of_contact(
                session,
                contact_id,
                before=last.at if last else None,
                before_id=last.id if last else None,
                limit=size,
            )
        found += page
        if len(page) < size:
            return found


async def test_no_event_of_the_same_moment_is_lost_between_pages(shop: Shop) -> None:
    contact_id = await make_contact(shop)
    async with scope(shop.workspace_id) as session:
        for number in range(23):
            record(session, contact_id, "message", at=T0 + timedelta(hours=number // 9))
    found = await all_pages(shop, contact_id, 5)
    assert len({event.id for event in found}) == 23
    assert [event.at for event in found] == sorted((event.at for event in found), reverse=True)


async def test_walls_and_kinds(shop: Shop, other_shop: Shop) -> None:
    mine, theirs = await make_contact(shop), await make_contact(other_shop)
    async with scope(shop.workspace_id) as session:
        record(session, mine, "follow")
        record(session, mine, "message")
    async with scope(other_shop.workspace_id) as session:
        record(session, theirs, "message")
        assert await of_contact(session, mine) == []
        assert await kinds_of(session, mine) == []
    async with scope(shop.workspace_id) as session:
        assert await kinds_of(session, mine) == ["follow", "message"]
        assert len(await of_contact(session, mine, kinds=("follow",))) == 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two pickers of a room, and how often each was asked."""
    calls: list[str] = []

    def picker(name: str, options: dict[str, str]) -> Picker:
        async def read(_session: Any) -> list[Option]:
            calls.append(name)
            return [Option(value, label) for value, label in options.items()]

        return Picker(name, Text(name), read)

    registry = Registry(
        [
            Room(
                "somewhere",
                events=[
                    EventKind("survey_finish", Text("Finished a survey"), "checks", "survey"),
                    EventKind("sent", Text("Received a message"), "send"),
                    EventKind("message", Text("Sent a message"), "message"),
                ],
                pickers=[
                    picker("survey", {"s1": "春のアンケート", "s2": "夏のアンケート"}),
                    picker("broadcast", {"b1": "甘口新発売"}),
                ],
            )
        ]
    )
    monkeypatch.setattr("hiiki.kit.road._registry", registry)
    forget_names()
    return calls


def event(kind: str, subject: str = "", value: Any = None, **data: Any) -> Event:
    return Event(
        workspace_id=uuid7(),
        contact_id=uuid7(),
        id=uuid7(),
        at=T0,
        kind=kind,
        subject=subject,
        value=value,
        data=data,
    )


async def test_subjects_have_names_and_each_picker_is_asked_once(
    shop: Shop, other_shop: Shop, asked: list[str]
) -> None:
    events = [
        *(event("survey_finish", f"s{number % 2 + 1}") for number in range(40)),
        *(event("sent", "broadcast:b1") for _ in range(10)),
        event("sent", "broadcast:gone"),
        event("sent", "nobody:knows"),
        event("survey_finish", ""),
        event("unheard_of", "x"),
    ]
    async with scope(shop.workspace_id) as session:
        told = await tell(session, events)
        assert sorted(asked) == ["broadcast", "survey"]
        await tell(session, events)
        assert len(asked) == 2  # from this process's memory
    assert [one.about for one in told[:2]] == ["春のアンケート", "夏のアンケート"]
    assert told[40].about == "甘口新発売"
    assert [one.about for one in told[50:]] == ["", "", "", ""]
    assert (str(told[-1].label), told[-1].icon) == ("unheard_of", "point")
    async with scope(other_shop.workspace_id) as session:
        await tell(session, events)
    assert len(asked) == 4  # one shop never sees what was kept for another


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (event("message", type="text", text="こんにちは"), "こんにちは"),
        (event("message", type="sticker"), "スタンプ"),
        (event("message", type="image"), "画像"),
        (event("message", type="text", unsent=True), "（送信取消）"),
        (event("message", type="invented"), ""),
        (event("survey_answer", labels=["甘口", "中辛"]), "甘口、中辛"),
        (event("survey_answer", labels=[], text="自由回答"), "自由回答"),
        (event("postback", data="a=1&b=2"), ""),
        (event("postback", data="a=1", params={"date": "2026-12-24"}), "2026-12-24"),
        (event("follow", is_unblocked=True), "ブロックを解除して再追加"),
        (event("follow", is_unblocked=False), ""),
        (event("purchase", value=Decimal("1234.50")), "1,234.5"),
        (event("message", type="text", text=5), ""),
        (event("message", type=["text"], text=["x"]), ""),
        (event("message", type="text", text="あ" * 5000), "あ" * 299 + "…"),
    ],
)
async def test_words(shop: Shop, asked: list[str], happened: Event, words: str) -> None:
    with speaking("ja"):
        async with scope(shop.workspace_id) as session:
            [told] = await tell(session, [happened])
    assert told.words == words


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    forget_names()
    async with console() as made:
        yield made


async def test_amounts_are_money(shop: Shop) -> None:
    """What was bought is worth something in the shop's currency; other values have their unit."""
    happened = [
        event("purchase", value=Decimal(8400)),
        event("subscription_renew", value=Decimal(3)),
    ]
    async with scope(shop.workspace_id) as session:
        with speaking("ja"):
            bought, renewed = await tell(session, happened)
    assert (bought.amount, bought.words) == (Decimal(8400), "")
    assert (renewed.amount, renewed.words) == (None, "3回")


async def test_the_page_goes_back_in_time(shop: Shop, app: Console) -> None:
    contact_id = await make_contact(shop)
    async with scope(shop.workspace_id) as session:
        for number in range(70):
            kind = "follow" if number == 0 else "message"
            text = f"<i>{number:03}"
            record(session, contact_id, kind, at=T0, data={"type": "text", "text": text})
    viewer = await app.person(shop, "viewer")
    import html
    import re

    url = f"/friends/{contact_id}/timeline"
    shown: list[str] = []
    for expected in (30, 30, 10):
        answer = await viewer.get(url)
        assert answer.status_code == 200
        assert "<i>0" not in answer.text
        found = re.findall(r"&lt;i&gt;(\d{3})", answer.text)
        assert len(found) == expected
        shown += found
        older = re.search(r'hx-get="([^"]+before[^"]+)"', answer.text)
        url = html.unescape(older[1]) if older else ""
    assert url == ""
    assert sorted(shown) == [f"{number:03}" for number in range(70)]
    only = await viewer.get(f"/friends/{contact_id}/timeline?kind=follow")
    assert re.findall(r"&lt;i&gt;(\d{3})", only.text) == ["000"]
    for wrong in ("before=yesterday", "before_id=x"):
        assert (await viewer.get(f"/friends/{contact_id}/timeline?{wrong}")).status_code == 422
