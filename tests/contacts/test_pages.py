"""The console's pages of friends, tags and attributes, and the API beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from httpx import Response
from sqlalchemy import func, select

from conftest import Shop, make_shop, scope
from console import Client, Console
from hiiki.contacts.attributes import values_of
from hiiki.contacts.models import Attribute, Contact, ContactTag, Note, Tag
from hiiki.contacts.service import add_tag, set_attribute
from hiiki.timeline import record
from hiiki.workspace.models import AuditEntry, Channel

from .people import make_channel, make_friend


@dataclass
class World:
    """A shop with one friend about whom something is known."""

    shop: Shop
    channel: Channel
    friend: Contact
    tag: Tag
    heat: Attribute
    likes: Attribute
    note: Note


async def make_world(shop: Shop) -> World:
    channel = await make_channel(shop)
    friend = await make_friend(shop, channel, "田中 葵 <b>")
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="辛口", colour="red")
        heat = Attribute(key="heat", label="辛さ", kind="number", choices=[])
        likes = Attribute(key="likes", label="関心", kind="choices", choices=["通販", "新作"])
        session.add_all([tag, heat, likes])
        await session.flush()
        await add_tag(session, friend.id, tag.id)
        await set_attribute(session, friend.id, heat, 3)
        note = Note(contact_id=friend.id, body="お子様づれ", staff_name="だれか")
        session.add(note)
        record(session, friend.id, "message", data={"type": "text", "text": "こんにちは <b>"})
    return World(shop, channel, friend, tag, heat, likes, note)


@pytest.fixture
async def world(shop: Shop) -> World:
    return await make_world(shop)


@pytest.fixture
async def owner(app: Console, shop: Shop) -> Client:
    return await app.person(shop, "owner")


async def audited(shop: Shop) -> list[str]:
    async with scope(shop.workspace_id) as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def htmx(client: Client, url: str, data: dict[str, Any] | None = None) -> Response:
    return await client.form(url, data, headers={"hx-request": "true"})


async def test_the_list_shows_and_finds(world: World, owner: Client) -> None:
    whole = await owner.get("/friends")
    assert whole.status_code == 200
    assert "田中 葵 &lt;b&gt;" in whole.text
    assert "<b>" not in whole.text
    part = await owner.get("/friends?q=田中", headers={"hx-request": "true"})
    assert "<html" not in part.text
    assert "田中" in part.text
    assert "該当する友だちはいません" in (await owner.get("/friends?q=山本")).text
    assert "1人" in (await owner.get("/friends/count")).text
    assert (await owner.get("/friends?tag=nonsense")).status_code == 422
    assert (await owner.get("/friends?after=nonsense")).status_code == 422
    assert (await owner.get("/friends?status=both")).status_code == 422


async def test_an_empty_shop_says_what_to_do(shop: Shop, owner: Client) -> None:
    for path, said in (
        ("/friends", "友だちはまだいません"),
        ("/tags", "タグはまだありません"),
        ("/attributes", "友だち情報はまだありません"),
    ):
        assert said in (await owner.get(path)).text


async def test_a_friend_is_shown_and_changed_in_place(world: World, owner: Client) -> None:
    base = f"/friends/{world.friend.id}"
    shown = await owner.get(base)
    assert shown.status_code == 200
    for words in ("田中 葵 &lt;b&gt;", "辛口", "辛さ", "お子様づれ"):
        assert words in shown.text
    assert 'name="email"' in (await owner.get(f"{base}/fields?edit=true")).text
    wrong = await htmx(owner, f"{base}/fields", {"email": "nonsense", "phone": "1"})
    assert wrong.status_code == 422
    assert "nonsense" in wrong.text
    assert "メールアドレスを入力してください" in wrong.text
    assert "8〜15桁" in wrong.text
    right = await htmx(
        owner,
        f"{base}/fields",
        {
            "real_name": "田中葵",
            "phone": "０９０-1234-5678",
            "prefecture": "東京都",
            "birthday": "1990-02-03",
            "is_purchaser": "true",
        },
    )
    assert right.status_code == 200
    async with scope(world.shop.workspace_id) as session:
        contact = await session.one(Contact, world.friend.id)
    assert (contact.phone, contact.prefecture, contact.is_purchaser) == (
        "09012345678",
        "東京都",
        True,
    )
    assert contact.email is None
    assert "contacts.update" in await audited(world.shop)


async def test_values_are_all_taken_or_none(world: World, owner: Client) -> None:
    base = f"/friends/{world.friend.id}/attributes"
    heat, likes = f"values.{world.heat.id}", f"values.{world.likes.id}[]"
    assert heat in (await owner.get(f"{base}?edit=true")).text
    wrong = await htmx(owner, base, {heat: "とても", likes: ["通販"]})
    assert wrong.status_code == 422
    assert "数字を入力してください" in wrong.text
    assert 'value="通販" checked' in wrong.text
    async with scope(world.shop.workspace_id) as session:
        assert await values_of(session, world.friend.id) == {world.heat.id: 3}
    assert (await htmx(owner, base, {heat: "４．５", likes: ["", "新作"]})).status_code == 200
    async with scope(world.shop.workspace_id) as session:
        found = await values_of(session, world.friend.id)
        assert float(found[world.heat.id]) == 4.5  # type: ignore[arg-type]
        assert found[world.likes.id] == ["新作"]
    assert (await htmx(owner, base, {heat: "", likes: [""]})).status_code == 200
    async with scope(world.shop.workspace_id) as session:
        assert await values_of(session, world.friend.id) == {}


async def test_a_new_tag_is_offered_before_it_is_made(world: World, owner: Client) -> None:
    base = f"/friends/{world.friend.id}/tags"
    offer = await htmx(owner, base, {"name": " 甘口 "})
    assert "「甘口」というタグはまだありません" in offer.text
    async with scope(world.shop.workspace_id) as session:
        assert await session.scalar(select(func.count(Tag.id))) == 1
    made = await htmx(owner, base, {"name": "甘口", "create": "yes"})
    assert "「甘口」を外す" in made.text
    again = await htmx(owner, base, {"name": "甘口", "create": "yes"})
    assert again.status_code == 200
    assert (await htmx(owner, base, {"name": ""})).status_code == 422
    assert (await htmx(owner, base, {"name": "あ" * 51})).status_code == 422
    gone = await htmx(owner, f"{base}/{world.tag.id}/remove")
    assert "「辛口」を外す" not in gone.text
    async with scope(world.shop.workspace_id) as session:
        assert await session.scalar(select(func.count(Tag.id))) == 2
        names = await session.scalars(
            select(Tag.name).join(ContactTag, ContactTag.tag_id == Tag.id)
        )
        assert names.all() == ["甘口"]


async def test_notes_belong_to_who_wrote_them(world: World, app: Console, owner: Client) -> None:
    operator = await app.person(world.shop, "operator")
    viewer = await app.person(world.shop, "viewer")
    base = f"/friends/{world.friend.id}/notes"
    assert (await htmx(operator, base, {"body": " <script> "})).text.count("&lt;script&gt;") == 1
    assert (await htmx(operator, base, {"body": "あ" * 2001})).status_code == 422
    assert (await htmx(operator, base, {"body": "  "})).status_code == 422
    assert (await htmx(viewer, base, {"body": "x"})).status_code == 403
    async with scope(world.shop.workspace_id) as session:
        mine = await session.scalar(select(Note.id).where(Note.body == "<script>"))
    assert (await htmx(operator, f"{base}/{mine}", {"body": "直した"})).status_code == 200
    assert (await htmx(owner, f"{base}/{mine}", {"body": "他人"})).status_code == 403
    assert (await htmx(operator, f"{base}/{world.note.id}", {"body": "他人"})).status_code == 403
    assert (await htmx(operator, f"{base}/{world.note.id}/delete")).status_code == 403
    other = await make_friend(world.shop, world.channel, "別人")
    elsewhere = f"/friends/{other.id}/notes/{mine}"
    assert (await htmx(operator, elsewhere, {"body": "x"})).status_code == 404
    assert (await htmx(owner, f"{base}/{mine}/delete")).status_code == 200
    assert (await htmx(owner, f"{base}/{world.note.id}/delete")).status_code == 200
    async with scope(world.shop.workspace_id) as session:
        assert await session.scalar(select(func.count(Note.id))) == 0


async def test_erasing_wants_the_name_typed(world: World, owner: Client) -> None:
    base = f"/friends/{world.friend.id}"
    assert "田中 葵 &lt;b&gt;" in (await owner.get(f"{base}/erase")).text
    wrong = await owner.form(f"{base}/erase", {"word": "田中"})
    assert wrong.status_code == 422
    taken = await owner.get(f"{base}/export.json")
    assert json.loads(taken.text)["contact"]["display_name"] == "田中 葵 <b>"
    done = await owner.form(f"{base}/erase", {"word": " 田中 葵  <B> "})
    assert done.status_code == 303
    assert (await owner.get(base)).status_code == 404
    assert {"contacts.export", "contacts.erase"} <= set(await audited(world.shop))


async def test_tags_are_made_changed_and_deleted(world: World, owner: Client) -> None:
    taken = await owner.form("/tags/new", {"name": "辛口", "colour": "blue"})
    assert taken.status_code == 422
    assert "同じ名前のタグ" in taken.text
    made = await owner.form("/tags/new", {"name": "甘口", "colour": "yellow", "description": "x"})
    assert made.status_code == 303
    assert "作成しました" in (await owner.get("/tags")).text
    page = await owner.get("/tags?q=辛")
    assert "辛口" in page.text
    assert "甘口" not in page.text
    base = f"/tags/{world.tag.id}"
    assert (
        f'id="count-{world.tag.id}" hx-swap-oob="true">1<'
        in (await owner.get("/tags/counts?q=辛")).text
    )
    assert "1人から外れます" in (await owner.get(base)).text
    changed = await owner.form(base, {"name": "激辛", "colour": "purple", "description": ""})
    assert changed.status_code == 303
    assert (await owner.form(base, {"name": "甘口", "colour": "red"})).status_code == 422
    assert (await owner.form(f"{base}/delete")).status_code == 303
    assert (await owner.get(base)).status_code == 404


async def test_attributes_are_made_changed_and_deleted(world: World, owner: Client) -> None:
    for wrong, said in (
        ({"key": "Heat", "label": "x"}, "形式"),
        ({"key": "heat", "label": "x"}, "このキー"),
        ({"key": "x", "label": ""}, "入力してください"),
        ({"key": "x", "label": "x", "kind": "choice", "choices[]": ["", ""]}, "選択肢を1つ以上"),
        ({"key": "x", "label": "x", "kind": "choice", "choices[]": ["a", "a"]}, "重複"),
    ):
        refused = await owner.form("/attributes/new", wrong)
        assert refused.status_code == 422, wrong
        assert said in refused.text or "入力" in refused.text, wrong
    made = await owner.form(
        "/attributes/new",
        {"key": "x", "label": "X", "kind": "choice", "choices[]": ["b", "a"]},
    )
    assert made.status_code == 303
    base = f"/attributes/{world.likes.id}"
    async with scope(world.shop.workspace_id) as session:
        likes = await session.one(Attribute, world.likes.id)
        await set_attribute(session, world.friend.id, likes, ["通販"])
    refused = await owner.form(base, {"label": "関心", "choices[]": ["新作"]})
    assert refused.status_code == 422
    assert "通販 (1)" in refused.text
    assert 'name="clear_removed"' in refused.text
    taken = await owner.form(
        base, {"label": "関心", "choices[]": ["新作"], "clear_removed": "true"}
    )
    assert taken.status_code == 303
    assert (await owner.form(f"{base}/move", {"way": "up"})).status_code == 303
    assert (await owner.form(f"{base}/delete")).status_code == 303
    assert (await owner.get(base)).status_code == 404


async def test_viewers_look_and_touch_nothing(world: World, app: Console) -> None:
    viewer = await app.person(world.shop, "viewer")
    base = f"/friends/{world.friend.id}"
    for path in (
        "/friends",
        base,
        "/tags",
        f"/tags/{world.tag.id}",
        "/attributes",
        f"/attributes/{world.heat.id}",
        f"{base}/timeline",
    ):
        assert (await viewer.get(path)).status_code == 200, path
    for path in (
        f"{base}/export.json",
        f"{base}/erase",
        "/tags/new",
        "/attributes/new",
    ):
        assert (await viewer.get(path)).status_code == 403, path
    for path in (
        f"{base}/fields",
        f"{base}/attributes",
        f"{base}/tags",
        f"{base}/notes",
        f"{base}/erase",
        "/tags/new",
        f"/tags/{world.tag.id}/delete",
        "/attributes/new",
        "/friends/bulk",
        "/friends/bulk/check",
        "/friends/doubles/look",
        "/friends/doubles/certain",
        f"/attributes/{world.heat.id}/move",
    ):
        assert (await viewer.form(path)).status_code == 403, path


async def test_another_shops_things_are_not_there(world: World, app: Console) -> None:
    elsewhere = await make_shop("別の店")
    theirs = await make_world(elsewhere)
    owner = await app.person(world.shop, "owner")
    robot = await app.program(world.shop, "owner")
    friend, mine = theirs.friend.id, world.friend.id
    for path in (
        f"/friends/{friend}",
        f"/friends/{friend}/fields",
        f"/friends/{friend}/attributes",
        f"/friends/{friend}/notes",
        f"/friends/{friend}/timeline",
        f"/friends/{friend}/export.json",
        f"/friends/{friend}/erase",
        f"/tags/{theirs.tag.id}",
        f"/attributes/{theirs.heat.id}",
        f"/friends/{mine}/notes?edit={theirs.note.id}",
        "/friends/nonsense",
    ):
        assert (await owner.get(path)).status_code == 404, path
    for path in (
        f"/friends/{friend}/fields",
        f"/friends/{friend}/tags",
        f"/friends/{mine}/tags/{theirs.tag.id}/remove",
        f"/friends/{mine}/notes/{theirs.note.id}/delete",
        f"/friends/{friend}/erase",
        f"/tags/{theirs.tag.id}/delete",
        f"/attributes/{theirs.heat.id}/delete",
    ):
        assert (await owner.form(path)).status_code == 404, path
    v1 = "/api/v1"
    for method, path, body in (
        ("GET", f"/friends/{friend}", None),
        ("PATCH", f"/friends/{friend}", {"email": ""}),
        ("DELETE", f"/friends/{friend}", None),
        ("GET", f"/friends/{friend}/export", None),
        ("GET", f"/friends/{friend}/timeline", None),
        ("GET", f"/friends/{friend}/notes", None),
        ("POST", f"/friends/{friend}/notes", {"body": "x"}),
        ("DELETE", f"/friends/{friend}/notes/{theirs.note.id}", None),
        ("PUT", f"/friends/{mine}/tags/{theirs.tag.id}", None),
        ("PUT", f"/friends/{mine}/attributes/{theirs.heat.id}", {"value": 1}),
        ("GET", f"/tags/{theirs.tag.id}", None),
        ("PUT", f"/tags/{theirs.tag.id}", {"name": "x"}),
        ("DELETE", f"/tags/{theirs.tag.id}", None),
        ("GET", f"/attributes/{theirs.heat.id}", None),
        ("PUT", f"/attributes/{theirs.heat.id}", {"label": "x"}),
        ("DELETE", f"/attributes/{theirs.heat.id}", None),
        ("POST", "/friends/tags", {"tag_id": str(theirs.tag.id)}),
    ):
        answer = await robot.request(method, v1 + path, json=body)
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["error"]["code"] == "not_found"
    async with scope(elsewhere.workspace_id) as session:
        assert await session.get(Contact, friend)
        assert await session.scalar(select(func.count()).select_from(ContactTag)) == 1


async def test_the_api_does_all_that_the_console_does(world: World, app: Console) -> None:
    robot = await app.program(world.shop, "operator")
    v1, friend = "/api/v1", world.friend.id

    async def ask(method: str, path: str, status: int, body: Any = None) -> Any:
        answer = await robot.request(method, v1 + path, json=body)
        assert answer.status_code == status, (method, path, answer.text)
        return answer.json() if answer.content else None

    listed = await ask("GET", "/friends?q=田中&limit=1", 200)
    assert listed["items"][0]["id"] == str(friend)
    assert listed["items"][0]["friendships"][0]["status"] == "following"
    assert listed["next"] is None
    assert (await ask("GET", "/friends/count?status=blocked", 200))["count"] == 0
    await make_friend(world.shop, world.channel, "b")
    first = await ask("GET", "/friends?limit=1", 200)
    second = await ask("GET", f"/friends?limit=1&after={first['next']}", 200)
    assert [first["items"][0]["display_name"], second["items"][0]["id"]] == ["b", str(friend)]

    one = await ask("GET", f"/friends/{friend}", 200)
    assert one["attributes"] == {"heat": 3, "likes": None}
    changed = await ask(
        "PATCH", f"/friends/{friend}", 200, {"phone": "03-1234-5678", "birthday": "1990-02-03"}
    )
    assert (changed["phone"], changed["birthday"]) == ("0312345678", "1990-02-03")
    assert (await ask("PATCH", f"/friends/{friend}", 200, {"birthday": None}))["phone"]
    wrong = await ask("PATCH", f"/friends/{friend}", 422, {"email": "x", "prefecture": "江戸"})
    assert {each["path"] for each in wrong["error"]["fields"]} == {"email", "prefecture"}

    tag = await ask("POST", "/tags", 201, {"name": "甘口", "colour": "yellow"})
    assert (await ask("POST", "/tags", 422, {"name": "甘口"}))["error"]["code"] == "invalid"
    assert len((await ask("PUT", f"/friends/{friend}/tags/{tag['id']}", 200))["tags"]) == 2
    assert (await ask("GET", f"/tags/{tag['id']}", 200))["friends"] == 1
    assert (await ask("POST", "/friends/tags", 200, {"tag_id": tag["id"]}))["count"] == 1
    many = {"tag_id": tag["id"], "verb": "remove", "contact_ids": [str(friend)]}
    assert (await ask("POST", "/friends/tags", 200, many))["count"] == 1
    await ask("PUT", f"/friends/{friend}/tags/{tag['id']}", 200)
    await ask("DELETE", f"/friends/{friend}/tags/{tag['id']}", 204)
    assert {each["name"] for each in await ask("GET", "/tags", 200)} == {"甘口", "辛口"}
    renamed = await ask("PUT", f"/tags/{tag['id']}", 200, {"name": "中辛"})
    assert renamed["name"] == "中辛"
    await ask("DELETE", f"/tags/{tag['id']}", 204)

    field = await ask(
        "POST",
        "/attributes",
        201,
        {"key": "size", "label": "サイズ", "kind": "choice", "choices": ["S", "M"]},
    )
    put = f"/friends/{friend}/attributes/{field['id']}"
    assert (await ask("PUT", put, 200, {"value": "M"}))["attributes"]["size"] == "M"
    refused = await ask("PUT", put, 422, {"value": "XXL"})
    assert refused["error"]["fields"][0]["path"] == "value"
    assert (await ask("PUT", put, 200, {"value": None}))["attributes"]["size"] is None
    order = [field["id"], str(world.heat.id)]
    ordered = await ask("PUT", "/attributes/order", 200, {"ids": order})
    assert [each["key"] for each in ordered] == ["size", "heat", "likes"]
    await ask("PUT", f"/attributes/{field['id']}", 200, {"label": "大きさ", "choices": ["L"]})
    assert (await ask("GET", f"/attributes/{field['id']}", 200))["choices"] == ["L"]
    await ask("DELETE", f"/attributes/{field['id']}", 204)
    assert len(await ask("GET", "/attributes", 200)) == 2

    note = await ask("POST", f"/friends/{friend}/notes", 201, {"body": "電話あり"})
    notes = f"/friends/{friend}/notes"
    assert (await ask("PATCH", f"{notes}/{note['id']}", 200, {"body": "来店"}))["body"] == "来店"
    await ask("PATCH", f"{notes}/{world.note.id}", 403, {"body": "x"})
    assert len(await ask("GET", notes, 200)) == 2
    await ask("DELETE", f"{notes}/{note['id']}", 204)

    events = await ask("GET", f"/friends/{friend}/timeline", 200)
    said = [each["data"]["text"] for each in events if each["kind"] == "message"]
    assert said == ["こんにちは <b>"]
    by = {each["kind"]: each["data"]["by"] for each in events if "by" in each["data"]}
    assert by.keys() == {"tag_set", "tag_removed", "attribute_set"}
    assert all(by.values())
    assert await ask("GET", f"/friends/{friend}/timeline?kind=follow", 200) == []
    assert "timeline.event" in (await ask("GET", f"/friends/{friend}/export", 200))["records"]
    await ask("DELETE", f"/friends/{friend}", 204)
    await ask("GET", f"/friends/{friend}", 404)
    await ask("GET", "/friends?limit=0", 422)
    await ask("GET", "/friends?after=x", 422)
    await ask("GET", "/friends/nonsense", 404)


async def test_reading_programs_change_nothing(world: World, app: Console) -> None:
    reader = await app.program(world.shop, "viewer")
    friend = f"/api/v1/friends/{world.friend.id}"
    assert (await reader.get(friend)).status_code == 200
    assert (await reader.get(f"{friend}/export")).status_code == 403
    assert (await reader.delete(friend)).status_code == 403
    assert (await reader.patch(friend, json={"email": ""})).status_code == 403
    assert (await reader.post("/api/v1/tags", json={"name": "x"})).status_code == 403


async def test_zero_bytes_and_odd_characters_are_no_accident(
    world: World, owner: Client, app: Console
) -> None:
    robot = await app.program(world.shop, "owner")
    base = f"/api/v1/friends/{world.friend.id}"
    assert (await robot.patch(base, json={"real_name": "a\x00b"})).json()["real_name"] == "ab"
    assert (await robot.post("/api/v1/tags", json={"name": "\x00"})).status_code == 422
    note = await robot.post(f"{base}/notes", json={"body": "x\x00y 🍛‍\u202e"})
    assert note.json()["body"] == "xy 🍛‍\u202e"
    value = await robot.put(f"{base}/attributes/{world.heat.id}", json={"value": "\x00"})
    assert value.json()["attributes"]["heat"] is None
    assert (await robot.get("/api/v1/friends?q=%00")).status_code == 200
    for path in ("/tags?q=%00", "/tags?after=%00", "/tags?before=%00", "/friends?q=%00"):
        assert (await owner.get(path)).status_code == 200, path
    assert (await owner.get(f"/friends/{world.friend.id}/timeline?kind=%00")).status_code == 200
    assert (await robot.get(f"{base}/timeline?kind=%00")).status_code == 200
    assert (await robot.get("/api/v1/tags?q=%00")).status_code == 200
    assert UUID(value.json()["id"]) == world.friend.id


async def test_a_number_has_a_unit_and_the_form_a_beginning(world: World, owner: Client) -> None:
    made = {"label": "身長", "key": "height", "kind": "number", "unit": "cm", "initial": "１６０"}
    wrong = await owner.form("/attributes/new", {**made, "initial": "高い"})
    assert wrong.status_code == 422
    assert "f-initial-error" in wrong.text
    assert (await owner.form("/attributes/new", made)).status_code == 303
    page = f"/friends/{world.friend.id}/attributes"
    assert 'value="160"' in (await owner.get(f"{page}?edit=true")).text
    async with scope(world.shop.workspace_id) as session:
        [height] = await session.scalars(select(Attribute).where(Attribute.key == "height"))
    await htmx(owner, page, {f"values.{height.id}": "171.5"})
    assert "171.5 cm" in (await owner.get(page)).text
