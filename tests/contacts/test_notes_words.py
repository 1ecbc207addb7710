"""What staff write becomes tags and attributes, when they say so."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

import hiiki.rooms
from conftest import Shop, scope
from console import Console
from hiiki.contacts.attributes import values_of
from hiiki.contacts.models import Attribute, ContactTag, Tag
from hiiki.timeline import of_contact
from hiiki.workspace.models import Channel

from .people import make_friend

assert hiiki.rooms.registry


async def test_a_note_becomes_a_tag_and_an_attribute(
    shop: Shop, channel: Channel, app: Console
) -> None:
    friend = (await make_friend(shop, channel, "花子")).id
    async with scope(shop.workspace_id) as session:
        allergy, named, has = Tag(name="要注意"), Tag(name="ＶＩＰ"), Tag(name="常連")
        plan = Attribute(key="plan", label="予定", kind="choice", choices=["結婚予定", "なし"])
        session.add_all([allergy, named, has, plan])
        await session.flush()
        session.add(ContactTag(contact_id=friend, tag_id=has.id))
    operator = await app.person(shop, "operator")
    for word in (
        {"word": "ｱﾚﾙｷﾞｰ", "tag_id": str(allergy.id)},
        {"word": "挙式", "attribute_id": str(plan.id), "value": "結婚予定"},
    ):
        assert (await operator.form("/notes/words", word)).status_code == 303
    for wrong in (
        {"word": "挙式"},
        {"word": "", "tag_id": str(allergy.id)},
        {"word": "x", "attribute_id": str(plan.id), "value": "ない"},
        {"word": "アレルギー", "tag_id": str(allergy.id)},
    ):
        assert (await operator.form("/notes/words", wrong)).status_code == 422, wrong
    body = "卵アレルギーあり。来年挙式のvip。常連さん。"
    path = f"/friends/{friend}/notes"
    shown = await operator.form(f"{path}/suggest", {"body": body})
    for said in ("要注意", "予定 = 結婚予定", "ＶＩＰ"):
        assert said in shown.text
    assert "常連" not in shown.text  # what is so already is not suggested

    plain = await operator.form(path, {"body": body, "take[]": f"tag:{allergy.id}"})
    assert "hx-refresh" not in plain.headers

    async def tags() -> set[UUID]:
        async with scope(shop.workspace_id) as session:
            return set(
                await session.scalars(
                    select(ContactTag.tag_id).where(ContactTag.contact_id == friend)
                )
            )

    assert await tags() == {has.id}  # saved, and nothing set
    api = await app.program(shop, "operator")
    words = (await api.get("/api/v1/notes/words")).json()
    [wedding] = [word["id"] for word in words if word["word"] == "挙式"]
    taken = [f"tag:{allergy.id}", f"word:{wedding}"]
    saved = await operator.form(path, {"body": body, "set": "yes", "take[]": taken})
    assert saved.headers["hx-refresh"] == "true"
    assert await tags() == {has.id, allergy.id}
    async with scope(shop.workspace_id) as session:
        assert await values_of(session, friend) == {plan.id: "結婚予定"}
        kinds = {event.kind for event in await of_contact(session, friend)}
        assert {"tag_set", "attribute_set"} <= kinds
    again = await api.post(
        f"/api/v1/friends/{friend}/notes/suggestions?take=true", json={"body": body}
    )
    assert [each["tag_id"] for each in again.json()] == [str(named.id)]
    assert await tags() == {has.id, allergy.id, named.id}

    listed = await operator.get("/notes", params={"q": "ＶＩＰ 挙式"})
    assert listed.text.count("卵アレルギー") == 2
    assert "卵アレルギー" not in (await operator.get("/notes", params={"q": "別"})).text
    found = (await api.get("/api/v1/notes", params={"q": "挙式"})).json()
    assert {note["contact_id"] for note in found["items"]} == {str(friend)}
    refused = await operator.form(f"/tags/{allergy.id}/delete")
    assert refused.status_code == 409  # a word suggests it
    assert (await operator.form(f"/notes/words/{wedding}/delete")).status_code == 303
    assert "挙式" not in (await operator.get("/notes/words")).text
