"""Members from a file: who is meant, what changes, what is refused, and taking it all back."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy import text as _text

from conftest import Shop, scope
from contacts.people import make_channel, make_friend
from hiiki.contacts import erasure
from hiiki.contacts.attributes import all_attributes, create_attribute, values_of
from hiiki.contacts.identities import Keys, attach
from hiiki.contacts.models import Attribute, Contact, ContactTag, Double, Identity, Imported, Tag
from hiiki.contacts.schemas import AttributeIn
from hiiki.contacts.service import add_tag, set_attribute
from hiiki.db import everywhere
from hiiki.imports import running, service
from hiiki.imports.models import Import
from hiiki.segments.models import Standing
from hiiki.timeline.service import record

from .conftest import look, reasons, run, send, undo

HEAD = "会員番号,氏名,メール,電話,誕生日,都道府県,タグ,購入\n"
TARO = "A-1,山田 太郎,taro@example.com,090-1234-5678,平成2年5月1日,東京,VIP、常連,○\n"
HANAKO = "A-2,佐藤花子,hanako@example.com,,S60/1/2,大阪府,常連,×\n"


async def people(shop: Shop) -> dict[str, Contact]:
    """Return the shop's people by their real name."""
    async with scope(shop.workspace_id) as session:
        return {one.real_name or "": one for one in await session.scalars(select(Contact))}


async def tags(shop: Shop, contact_id: UUID) -> set[str]:
    """Return the names of a contact's tags."""
    async with scope(shop.workspace_id) as session:
        query = select(Tag.name).join(ContactTag).where(ContactTag.contact_id == contact_id)
        return set(await session.scalars(query))


def figures(counts: Any) -> tuple[int, int, int, int]:
    """Return new, changed, same, refused."""
    return tuple(counts[name] for name in ("new", "changed", "same", "refused"))  # type: ignore[return-value]


async def test_a_check_changes_nothing_and_foresees_all(shop: Shop) -> None:
    """What the check says comes true; before, nobody and no tag was made."""
    ident = await send(shop, "members", HEAD + TARO + HANAKO + TARO)
    made = await look(shop, ident)
    assert made.state == "checked"
    assert made.lines == 4
    assert figures(made.foreseen) == (2, 0, 1, 0)
    assert await people(shop) == {}
    async with scope(shop.workspace_id) as session:
        assert (await session.scalars(select(Tag))).all() == []
    assert figures(await run(shop, ident)) == (2, 0, 1, 0)
    found = await people(shop)
    taro = found["山田 太郎"]
    assert (taro.email, taro.phone) == ("taro@example.com", "+819012345678")
    assert (taro.birthday, taro.prefecture) == (date(1990, 5, 1), "東京都")
    assert taro.is_purchaser
    assert not found["佐藤花子"].is_purchaser
    assert await tags(shop, taro.id) == {"VIP", "常連"}


async def test_the_same_file_changes_nothing(shop: Shop) -> None:
    """Sent again, in another encoding and with its columns in another order, all is the same."""
    await run(shop, await send(shop, "members", HEAD + TARO + HANAKO))
    again = await send(shop, "members", (HEAD + HANAKO + TARO).encode("cp932"))
    assert figures((await look(shop, again)).foreseen) == (0, 0, 2, 0)
    assert figures(await run(shop, again)) == (0, 0, 2, 0)
    assert len(await people(shop)) == 2


async def test_each_refused_line_has_its_reason(shop: Shop) -> None:
    """By line, with the column and what to do; the others are taken."""
    body = HEAD + TARO + "A-3,誰か,x@,,,,,\n" + ",誰か,,,,,,\n" + "A-4,誰か,,,2999/1/1,,,\n" + (
        "A-5,誰か,,,,火星,,\n"
    )  # fmt: skip
    ident = await send(shop, "members", body)
    said = await reasons(shop, ident)
    assert {line: column for line, (column, _why) in said.items()} == {
        3: "email", 4: "", 5: "birthday", 6: "prefecture",
    }  # fmt: skip
    assert "name@example.com" in said[3][1]
    assert figures(await run(shop, ident)) == (1, 0, 0, 4)
    assert set(await people(shop)) == {"山田 太郎"}


async def test_all_that_is_wrong_with_a_line_is_told(shop: Shop) -> None:
    """Each cell with its reason, and the sender is spared a second and third try."""
    body = HEAD + "A-1,誰か,x@,12,2999/1/1,火星,,たぶん\n" + TARO
    ident = await send(shop, "members", body)
    assert figures((await look(shop, ident)).foreseen) == (1, 0, 0, 1)
    async with scope(shop.workspace_id) as session:
        [faults] = await service.refusals(session, ident)
    assert [(one.line, one.column, one.value) for one in faults] == [
        (2, "email", "x@"),
        (2, "phone", "12"),
        (2, "birthday", "2999/1/1"),
        (2, "prefecture", "火星"),
        (2, "is_purchaser", "たぶん"),
    ]
    # Where the next page begins goes by lines, not by what is wrong with them.
    async with scope(shop.workspace_id) as session:
        assert await service.refusals(session, ident, after=2) == []


async def test_a_friend_is_found_by_what_the_shop_knows(shop: Shop) -> None:
    """A LINE user id, or the e-mail of an import before, means the same person."""
    channel = await make_channel(shop)
    friend = await make_friend(shop, channel, "たろう")
    async with scope(shop.workspace_id) as session:
        line_id = (await session.one(Contact, friend.id)).id
        user = await session.scalar(
            select(erasure.Friendship.line_user_id).where(erasure.Friendship.contact_id == line_id)
        )
    ident = await send(shop, "members", f"会員番号,LINEユーザーID,氏名\nA-1,{user},山田\n")
    assert figures((await look(shop, ident)).foreseen) == (0, 1, 0, 0)
    assert figures(await run(shop, ident)) == (0, 1, 0, 0)
    assert (await people(shop))["山田"].id == friend.id
    second = await send(shop, "members", "会員番号,メール\nA-1,taro@example.com\n")
    assert figures(await run(shop, second)) == (0, 1, 0, 0)
    assert (await people(shop))["山田"].email == "taro@example.com"


async def test_ways_to_take_a_file(shop: Shop) -> None:
    """What is known may be kept, and empty cells may empty; both only when asked for."""
    await run(shop, await send(shop, "members", HEAD + TARO))
    other = HEAD + "A-1,別の名前,,,,,,\n"
    kept = await send(shop, "members", other, keeps=True)
    assert figures(await run(shop, kept)) == (0, 0, 1, 0)
    await run(shop, await send(shop, "members", other))
    one = (await people(shop))["別の名前"]
    assert one.email == "taro@example.com"
    await run(shop, await send(shop, "members", other, clears=True))
    one = (await people(shop))["別の名前"]
    assert (one.email, one.birthday, one.prefecture) == (None, None, None)
    assert one.is_purchaser
    assert await tags(shop, one.id) == {"VIP", "常連"}


async def test_the_shops_own_fields(shop: Shop) -> None:
    """Each attribute is a column, read by its kind; what is no choice of it is refused."""
    async with scope(shop.workspace_id) as session:
        for key, label, kind, choices in (
            ("gender", "性別", "choice", ["男性", "女性"]),
            ("visits", "来店回数", "number", []),
            ("joined", "入会日", "date", []),
            ("colours", "色", "choices", ['赤 "紅"', "青\\", "緑"]),
            ("memo", "備考", "text", []),
        ):
            await create_attribute(
                session,
                AttributeIn(key=key, label=label, kind=kind, choices=choices),  # type: ignore[arg-type]
            )
    body = (
        "会員番号,性別,来店回数,入会日,色,備考\n"
        'A-1,女性,１２,R6.5.1,"赤 ""紅""、青\\","a\tb\\n\nc"\n'
        "A-2,不明,3,,,\n"
    )
    ident = await send(shop, "members", body)
    assert figures(await run(shop, ident)) == (1, 0, 0, 1)
    assert "女性" in (await reasons(shop, ident))[3][1]
    async with scope(shop.workspace_id) as session:
        [someone] = await session.scalars(select(Contact))
        values = await values_of(session, someone.id)
        by_key = {one.key: values.get(one.id) for one in await all_attributes(session)}
    assert by_key == {
        "gender": "女性",
        "visits": 12,
        "joined": date(2024, 5, 1),
        "colours": ['赤 "紅"', "青\\"],
        "memo": "a\tb\\n\nc",
    }
    assert figures(await run(shop, await send(shop, "members", body))) == (0, 0, 1, 1)
    assert await undo(shop, ident) == {**(await look(shop, ident)).outcome}
    assert await people(shop) == {}


async def test_undo_takes_back_what_nobody_has_changed_since(shop: Shop) -> None:
    """Who was made goes, what was changed comes back, what was touched since stays."""
    await run(shop, await send(shop, "members", HEAD + TARO))
    ident = await send(
        shop,
        "members",
        HEAD + "A-1,新しい名前,new@example.com,,,,特別,\n" + HANAKO + "A-3,三郎,,,,,,\n",
    )
    assert figures(await run(shop, ident)) == (2, 1, 0, 0)
    found = await people(shop)
    taro, saburo = found["新しい名前"], found["三郎"]
    async with scope(shop.workspace_id) as session:
        (await session.one(Contact, taro.id)).email = "by-hand@example.com"
        record(session, saburo.id, "message")
    done = await undo(shop, ident)
    assert (done["undone"], done["kept"]) == (1, 2)
    found = await people(shop)
    assert set(found) == {"山田 太郎", "三郎"}
    assert found["山田 太郎"].email == "by-hand@example.com"
    assert await tags(shop, taro.id) == {"VIP", "常連"}
    async with scope(shop.workspace_id) as session:
        left = {one.contact_id for one in await session.scalars(select(Identity))}
        assert left == {taro.id, saburo.id}
        assert len((await session.scalars(select(Imported))).all()) == 1  # the first import's


async def test_undo_leaves_whom_staff_have_worked_on_since(shop: Shop) -> None:
    """Whoever is not as the file made them stays; what is only worked out of people is no sign."""
    lines = "".join(f"B-{number},人{number},,,,,\n" for number in range(6))
    ident = await send(shop, "members", HEAD + lines)
    assert figures(await run(shop, ident)) == (6, 0, 0, 0)
    made = {name: one.id for name, one in (await people(shop)).items()}
    async with scope(shop.workspace_id) as session:
        (await session.one(Contact, made["人0"])).prefecture = "JP-13"
        tag, size = Tag(name="店で"), Attribute(key="size", label="サイズ", kind="text", choices=[])
        session.add_all([tag, size])
        await session.flush()
        await add_tag(session, made["人1"], tag.id)
        await set_attribute(session, made["人2"], size, "L")
        await attach(session, made["人3"], Keys(phone="090-1234-5678"))
        # The night has looked at everybody.
        pair = sorted((made["人4"], made["人5"]))
        for contact_id in made.values():
            session.add(Standing(contact_id=contact_id, numbers=[1]))
        session.add(Double(contact_id=pair[0], other_id=pair[1], reasons=["name"]))
        session.add(Double(contact_id=UUID(int=0), other_id=pair[0], reasons=["name"]))
    done = await undo(shop, ident)
    assert (done["undone"], done["kept"]) == (2, 4)
    assert set(await people(shop)) == {"人0", "人1", "人2", "人3"}
    async with scope(shop.workspace_id) as session:
        left = set(await session.scalars(select(Standing.contact_id)))
        assert left == {made[f"人{number}"] for number in range(4)}
        assert (await session.scalars(select(Double))).all() == []


async def test_an_erased_person_does_not_come_back_by_an_old_file(shop: Shop) -> None:
    """The line is refused; what was erased stays so."""
    await run(shop, await send(shop, "members", HEAD + TARO))
    async with scope(shop.workspace_id) as session:
        [taro] = await session.scalars(select(Contact))
        await erasure.erase(session, taro)
    ident = await send(shop, "members", HEAD + TARO)
    assert figures(await run(shop, ident)) == (0, 0, 0, 1)
    assert await people(shop) == {}


class Killed(BaseException):
    """As a power cut: nothing catches it."""


async def test_killed_anywhere_it_goes_on_where_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after each commit the worker dies; in the end each line was taken once."""
    monkeypatch.setattr("hiiki.imports.slices.SIZE", 10)
    body = "会員番号,氏名\n" + "".join(f"B-{n},客{n}\n" for n in range(45)) + ",誰\n"
    ident = await send(shop, "members", body)
    async with scope(shop.workspace_id) as session:
        await service.start(session, await session.one(Import, ident))
    whole = running._transaction
    deaths = 0

    async def dying(run: Any, part: Any) -> None:
        nonlocal deaths
        deaths += 1
        if deaths % 2:
            await whole(run, part)
        raise Killed

    monkeypatch.setattr(running, "_transaction", dying)
    for _attempt in range(10):
        try:
            await running.work(shop.workspace_id, ident)
            break
        except Killed:
            continue
    made = await look(shop, ident)
    assert made.state == "finished"
    assert deaths >= 9
    assert figures(made.outcome) == (45, 0, 0, 1)
    assert len(await people(shop)) == 45
    assert set(await reasons(shop, ident)) == {47}


async def test_two_workers_do_not_take_a_line_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two that begin together goes on, the other leaves it alone."""
    monkeypatch.setattr("hiiki.imports.slices.SIZE", 20)
    body = "会員番号\n" + "".join(f"C-{n}\n" for n in range(100))
    ident = await send(shop, "members", body)
    async with scope(shop.workspace_id) as session:
        await service.start(session, await session.one(Import, ident))
    await asyncio.gather(*(running.work(shop.workspace_id, ident) for _ in range(3)))
    made = await look(shop, ident)
    assert (made.state, figures(made.outcome)) == ("finished", (100, 0, 0, 0))


async def test_a_pause_keeps_what_was_taken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a pause the next line is taken next; stopped for good, the rest is not."""
    monkeypatch.setattr("hiiki.imports.slices.SIZE", 10)
    body = "会員番号\n" + "".join(f"D-{n}\n" for n in range(30))
    ident = await send(shop, "members", body)
    async with scope(shop.workspace_id) as session:
        await service.start(session, await session.one(Import, ident))
    whole = running._transaction

    async def pausing(run: Any, part: Any) -> None:
        await whole(run, part)
        async with scope(shop.workspace_id) as session:
            await service.pause(session, await service.held(session, ident))

    monkeypatch.setattr(running, "_transaction", pausing)
    await running.work(shop.workspace_id, ident)
    made = await look(shop, ident)
    assert (made.state, made.done) == ("paused", 11)
    async with scope(shop.workspace_id) as session:
        await service.resume(session, await service.held(session, ident))
    await running.work(shop.workspace_id, ident)
    assert (await look(shop, ident)).done == 21
    async with scope(shop.workspace_id) as session:
        await service.cancel(session, await service.held(session, ident))
    assert (await look(shop, ident)).state == "cancelled"
    await running.work(shop.workspace_id, ident)
    async with everywhere() as session:
        assert len((await session.scalars(select(Contact))).all()) == 20
    assert (await undo(shop, ident))["undone"] == 20


async def test_a_line_the_database_refuses_costs_no_other_line(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a statement for thousands fails, the culprit is found and refused alone."""
    body = "会員番号,氏名\nE-1,一郎\nE-2,二郎\nE-3,三郎\n,四郎\n"
    ident = await send(shop, "members", body)
    # A lone surrogate cannot be sent to PostgreSQL at all; here a check stands in its way.
    async with everywhere() as session:
        await session.execute(
            _text("alter table contacts.contact add constraint bad check (real_name <> '二郎')"),
            execution_options={"scoped_by_hand": True},
        )
    try:
        assert figures(await run(shop, ident)) == (2, 0, 0, 2)
    finally:
        async with everywhere() as session:
            await session.execute(
                _text("alter table contacts.contact drop constraint bad"),
                execution_options={"scoped_by_hand": True},
            )
    assert set(await reasons(shop, ident)) == {3, 5}
    assert set(await people(shop)) == {"一郎", "三郎"}
