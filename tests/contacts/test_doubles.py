"""Possible doubles: found, compared, merged, told apart."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

import hiiki.rooms
from conftest import Shop, scope
from console import Client, Console
from hiiki.contacts import doubles, jobs
from hiiki.contacts.identities import Keys, attach, resolve
from hiiki.contacts.models import Attribute, Contact, Double
from hiiki.contacts.service import set_attribute
from hiiki.workspace.models import AuditEntry, Channel

from .people import make_friend

assert hiiki.rooms.registry


async def member(shop: Shop, number: str, **columns: Any) -> UUID:
    async with scope(shop.workspace_id) as session:
        [made] = await resolve(session, [Keys(customer=number)])
        assert made
        contact = await session.one(Contact, made)
        for name, value in columns.items():
            setattr(contact, name, value)
    return made


async def found(shop: Shop) -> dict[frozenset[UUID], tuple[list[str], bool]]:
    async with scope(shop.workspace_id) as session:
        number = await doubles.look(session)
        rows = list(await session.scalars(select(Double).where(Double.state == "open")))
        assert len(rows) == number
    return {
        frozenset((row.contact_id, row.other_id)): (row.reasons, row.is_certain) for row in rows
    }


async def test_who_has_something_in_common_is_found_and_nobody_else(
    shop: Shop, other_shop: Shop, channel: Channel
) -> None:
    birthday = date(1990, 5, 6)
    friend = (await make_friend(shop, channel, "花子", email="Hana@X.jp")).id
    async with scope(shop.workspace_id) as session:
        mail = Attribute(key="mail", label="メール", kind="text", choices=[])
        session.add(mail)
    by_mail = await member(shop, "1", email="ｈana@x.jp")
    phone, by_phone = await member(shop, "2", phone="0312345678"), await member(shop, "3")
    async with scope(shop.workspace_id) as session:
        await attach(session, by_phone, Keys(phone="03-1234-5678"))
    name = await member(shop, "4", real_name="山田 太郎", birthday=birthday)
    by_name = await member(shop, "5", real_name="山田　太郎", birthday=birthday)
    await member(shop, "6", real_name="山田 太郎", birthday=date(1991, 5, 6))
    await member(shop, "7", real_name="山田 太郎")
    wrote, by_writing = await member(shop, "8"), await member(shop, "9", email="w@x.jp")
    async with scope(shop.workspace_id) as session:
        await set_attribute(session, wrote, mail, "W@x.jp")
    sure = [
        await member(shop, number, real_name="佐藤 葵", email="s@x.jp") for number in ("10", "11")
    ]
    for number in range(12):  # the shop's own address, put in wherever none was told
        await member(shop, f"x{number}", email="none@shop.jp")
    two_friends = [await make_friend(shop, channel, "f", phone="0399998888") for _ in range(2)]
    await member(other_shop, "1", email="hana@x.jp")
    assert await found(shop) == {
        frozenset((friend, by_mail)): (["email"], False),
        frozenset((phone, by_phone)): (["phone"], False),
        frozenset((name, by_name)): (["name"], False),
        frozenset((wrote, by_writing)): (["email", "typed"], False),
        frozenset(sure): (["email"], True),
    }
    assert len(two_friends) == 2


async def test_told_apart_is_remembered(shop: Shop, app: Console) -> None:
    one, other = [await member(shop, number, email="a@x.jp") for number in ("1", "2")]
    assert len(await found(shop)) == 1
    operator = await app.person(shop, "operator")
    page = await operator.get("/friends/doubles")
    assert f"/doubles/{max(one, other)}" in page.text
    done = await operator.form(f"/friends/{one}/doubles/{other}/different")
    assert done.status_code == 303
    assert await found(shop) == {}


async def test_two_are_compared_and_merged_as_chosen(
    shop: Shop, channel: Channel, app: Console
) -> None:
    friend = await make_friend(shop, channel, "花子", email="old@x.jp", phone="0311112222")
    async with scope(shop.workspace_id) as session:
        size = Attribute(key="size", label="サイズ", kind="text", choices=[])
        session.add(size)
    gone = await member(shop, "777", email="new@x.jp", phone="0333334444", real_name="鈴木花子")
    async with scope(shop.workspace_id) as session:
        await set_attribute(session, friend.id, size, "S")
        await set_attribute(session, gone, size, "L")
    operator: Client = await app.person(shop, "operator")
    page = await operator.get(f"/friends/{gone}/doubles/{friend.id}")
    assert page.text.index("old@x.jp") < page.text.index("new@x.jp")  # the friend is on the left
    assert "777" in page.text
    answer = await operator.form(
        f"/friends/{gone}/doubles/{friend.id}/merge",
        {"take.email": str(gone), f"take.{size.id}": str(gone), "take.phone": str(friend.id)},
    )
    assert answer.headers["location"] == f"/friends/{friend.id}"
    api = await app.program(shop, "viewer")
    for ident in (friend.id, gone):  # an old link or id leads to who stayed
        known = (await api.get(f"/api/v1/friends/{ident}")).json()
        assert known["id"] == str(friend.id)
        assert (known["email"], known["phone"]) == ("new@x.jp", "0311112222")
        assert known["attributes"]["size"] == "L"
        assert known["real_name"] == "鈴木花子"
    moved = await operator.get(f"/friends/{gone}")
    assert (moved.status_code, moved.headers.get("location")) == (301, f"/friends/{friend.id}")


async def test_two_friends_are_refused_with_the_reason(
    shop: Shop, channel: Channel, app: Console
) -> None:
    one, other = [await make_friend(shop, channel, "f") for _ in range(2)]
    operator = await app.person(shop, "operator")
    path = f"/friends/{one.id}/doubles/{other.id}"
    assert "LINEアカウントが別" in (await operator.get(path)).text
    refused = await operator.form(f"{path}/merge")
    assert refused.status_code == 409
    assert "LINEアカウントが別" in refused.text


async def test_all_certain_ones_are_merged_some_at_a_time(shop: Shop, app: Console) -> None:
    for number in range(doubles.AT_ONCE + 3):
        for which in "ab":
            await member(shop, f"{number}{which}", real_name=f"人{number}", email=f"{number}@x.jp")
    await jobs.look_for_doubles.func(0)
    operator = await app.person(shop, "operator")
    first = await operator.form("/friends/doubles/certain")
    assert f'value="{doubles.AT_ONCE}"' in first.text
    last = await operator.form("/friends/doubles/certain", {"done": str(doubles.AT_ONCE)})
    assert last.headers["location"] == "/friends/doubles"
    async with scope(shop.workspace_id) as session:
        assert len(list(await session.scalars(select(Contact.id)))) == doubles.AT_ONCE + 3
        assert await doubles.counts(session) == (0, 0)


async def test_programs_find_merge_and_tell_apart(shop: Shop, app: Console) -> None:
    api = await app.program(shop, "operator")
    asked = {"keys": [{"customer": "1", "email": "A@x.jp"}, {"phone": "x"}], "create": True}
    one, nobody = (await api.post("/api/v1/friends/resolve", json=asked)).json()["contact_ids"]
    assert nobody is None
    asked = {"keys": [{"customer": "2"}], "create": True}
    [two] = (await api.post("/api/v1/friends/resolve", json=asked)).json()["contact_ids"]
    async with scope(shop.workspace_id) as session:
        made = select(func.count()).where(AuditEntry.action == "contacts.resolve")
        assert await session.scalar(made) == 2
    path = f"/api/v1/friends/{two}/identities"
    assert (await api.post(path, json={"email": "a@x.jp"})).status_code == 409
    added = await api.post(path, json={"phone": "090-1111-2222"})
    assert {"kind": "phone", "key": "+819011112222"} in added.json()
    gone = await api.post(f"{path}/remove", json={"kind": "phone", "key": "+819011112222"})
    assert gone.status_code == 204
    assert (await api.post("/api/v1/friends/doubles/look")).json() == {"count": 0}
    apart = await api.post(f"/api/v1/friends/{one}/different", json={"other_id": two})
    assert apart.status_code == 204
    merged = await api.post(f"/api/v1/friends/{one}/merge", json={"other_id": two})
    assert merged.json() == {"contact_id": one}
    assert (await api.get("/api/v1/friends/doubles")).json() == {"items": [], "next": None}
