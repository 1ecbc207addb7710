"""Lists of people: by what keys they are found, what is kept, and what may not be deleted."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from conftest import Shop
from console import console
from hiiki.contacts.identities import Keys, attach
from hiiki.contacts.models import Contact, Friendship
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.errors import Invalid
from hiiki.kit.ids import contact_id
from hiiki.segments import lists, service
from hiiki.segments.models import ListMember, PeopleList
from hiiki.segments.rules import read_rule

from .making import channel, person, save

LINE_ID = "U" + "ab12" * 8


async def world(session: WorkspaceSession) -> dict[str, UUID]:
    """Three people whom the shop's systems know, and one whom LINE alone knows."""
    account = await channel(session, "渋谷")
    people = {name: await person(session, name) for name in ("花子", "一郎", "翔")}
    await attach(session, people["花子"], Keys(customer="A-100", email="hana@example.com"))
    await attach(session, people["一郎"], Keys(customer="0012"))
    await attach(session, people["翔"], Keys(phone="090-1234-5678"))
    people["葵"] = contact_id(session.workspace_id, account.provider, LINE_ID)
    session.add(Contact(id=people["葵"], display_name="葵"))
    await session.flush()
    session.add(
        Friendship(
            contact_id=people["葵"],
            channel_id=account.id,
            line_user_id=LINE_ID,
            status="following",
        )
    )
    await session.flush()
    return people


async def test_each_line_says_whom_it_means(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        people = await world(session)
        lines = ["Ａ-100\thana", "HANA@example.com", "0012", "０９０１２３４５６７８", "", LINE_ID]
        text = "\n".join([*lines, "B-1", "0012"])
        found = await lists.find(session, lists.read_lines(text))
        assert found.missing == ["B-1"]
        assert list(found.contact_ids) == [people[n] for n in ("花子", "一郎", "翔", "葵")]
        own = await lists.find(session, [str(people["翔"]), str(uuid4())])
        assert own.contact_ids == [people["翔"]]
        assert len(own.missing) == 1
        strict = await lists.find(session, ["09012345678", "A-100"], "phone")
        assert (list(strict.contact_ids), strict.missing) == ([people["翔"]], ["A-100"])


async def test_a_list_is_a_condition_and_its_people_can_be_replaced(
    shop: Shop, other_shop: Shop
) -> None:
    async with scope(shop.workspace_id) as session:
        people = await world(session)
        found = await lists.find(session, ["A-100", "0012", "nobody"])
        known = await lists.save(session, None, name="秋の名簿", found=found)
        assert (known.members, await lists.missing_of(session, known.id)) == (2, 1)
        rule = read_rule({"kind": "list", "list_id": str(known.id)})
        assert (await service.count(session, rule)).members == 2
        again = await lists.find(session, ["A-100", str(people["葵"])])
        await lists.save(session, known, name="冬の名簿", found=again)
        members = {each.id for each in await service.page_of_members(session, rule)}
        assert members == {people["花子"], people["葵"]}
        assert await lists.missing_of(session, known.id) == 0
        with pytest.raises(Invalid) as caught:
            await lists.save(session, None, name="冬の名簿", found=found)
        assert list(caught.value.fields) == ["name"]
    async with scope(other_shop.workspace_id) as session:
        assert (await lists.find(session, ["A-100", LINE_ID, str(people["翔"])])).contact_ids == []
        theirs = PeopleList(name="theirs")
        session.add(theirs)
        await session.flush()
        await lists.fill(session, theirs, [people["翔"]])
        assert theirs.members == 0, "another shop's people cannot be put on it"


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "paste at least one line"), (" \n,\n", "paste at least one line")],
)
def test_nothing_at_all_is_refused(text: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        lists.read_lines(text)
    assert words in caught.value.fields["keys"].to("en")


def test_files_as_excel_writes_them() -> None:
    assert lists.read_lines(lists.decoded("会員番号,名前\r\n1,あ\r\n".encode("cp932"))) == [
        "会員番号",
        "1",
    ]
    assert lists.decoded("\ufeff１".encode()) == "１"
    with pytest.raises(Invalid):
        lists.decoded(b"\xff\xff\x00\x81")


def test_too_many_lines_are_counted_for_whoever_sent_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 3)
    assert len(lists.read_lines("1\n2\n3")) == 3
    with pytest.raises(Invalid) as caught:
        lists.read_lines("1\n2\n3\n4")
    assert "4" in caught.value.fields["keys"].to("en")


async def test_the_pages_of_a_list(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        await world(session)
    async with console() as app:
        staff = await app.person(shop, "operator")
        assert "リストはまだありません" in (await staff.get("/segments/lists")).text
        assert "built-in" not in (await staff.get("/segments/lists/new")).text
        empty = await staff.form("/segments/lists", {"name": "", "kind": "auto", "keys": ""})
        assert empty.status_code == 422
        assert "f-name-error" in empty.text
        data = {"name": "名簿", "kind": "auto", "keys": "A-100\nB-1"}
        nothing = await staff.form("/segments/lists", data | {"keys": " "})
        assert "f-keys-error" in nothing.text
        unnamed = await staff.form("/segments/lists", data | {"name": ""})
        assert ">\nA-100" in unnamed.text.replace("\r", ""), "what was pasted is not lost"
        made = await staff.form("/segments/lists", data)
        assert made.status_code == 303, made.text
        url = made.headers["location"]
        shown = (await staff.get(url)).text
        assert "花子" in shown
        assert "%22kind%22%3A%22list%22" in shown
        assert (await staff.get(f"{url}/missing.txt")).text.strip("\ufeff\n") == "B-1"
        data["_csrf_token"] = await staff.csrf()
        upload = {"file": ("名簿.csv", "0012,一郎\n".encode("cp932"), "text/csv")}
        changed = await staff.post(url, data=data | {"keys": ""}, files=upload)
        assert changed.status_code == 303, changed.text
        assert "一郎" in (await staff.get(url)).text
        renamed = await staff.form(url, {"name": "新しい名簿", "kind": "auto", "keys": ""})
        assert renamed.status_code == 303
        assert "一郎" in (await staff.get(url)).text, "no lines: who is on it stays"
        list_id = url.rsplit("/", 1)[1]
        async with scope(shop.workspace_id) as session:
            using = await save(session, "送る人", {"kind": "list", "list_id": list_id})
        assert (await staff.form(f"{url}/delete")).status_code == 409
        assert f"/segments/{using.id}" in (await staff.get("/segments/lists")).text
        assert (await staff.form(f"/segments/{using.id}/delete")).status_code == 303
        assert (await staff.form(f"{url}/delete")).status_code == 303
        async with scope(shop.workspace_id) as session:
            assert await session.scalar(select(func.count()).select_from(ListMember)) == 0


async def test_programs_keep_lists(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        await world(session)
    async with console() as app:
        api = await app.program(shop)
        url = "/api/v1/segments/lists"
        made = await api.post(url, json={"name": "名簿", "keys": ["A-100", "B-1"]})
        assert made.status_code == 201, made.text
        assert (made.json()["members"], made.json()["missing"]) == (1, ["B-1"])
        one = f"{url}/{made.json()['id']}"
        put = await api.put(one, json={"name": "名簿", "kind": "customer", "keys": ["0012"]})
        assert put.json()["missing"] == []
        assert [each["members"] for each in (await api.get(url)).json()["items"]] == [1]
        assert (await api.get(one)).json()["name"] == "名簿"
        assert (await api.post(url, json={"name": "x", "keys": []})).status_code == 422
        assert (await api.delete(one)).status_code == 204
        assert (await api.get(one)).status_code == 404
