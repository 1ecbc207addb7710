"""What staff and programs see of the account link, and what customers are asked by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hiiki.actions.context import Context
from hiiki.contacts.models import Contact, Friendship, Identity
from hiiki.content.draft import Draft
from hiiki.content.service import build, personalise
from hiiki.db import scope
from hiiki.idlink import report, service
from hiiki.idlink.cards import AskParams, ask
from hiiki.idlink.models import Link
from hiiki.idlink.schemas import PlaceIn, SettingIn
from hiiki.idlink.settings import add_place, save
from hiiki.idlink.views import NOT_LINKED
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.segments.rules import read_rule
from hiiki.segments.service import count
from hiiki.timeline import record
from idlink.shop import World, follow

CARD = {"blocks": [{"kind": "piece", "piece": "id_link"}]}


def uri_in(messages: list[dict[str, Any]]) -> str:
    [found] = [
        box["action"]["uri"]
        for message in messages
        if message["type"] == "flex"
        for box in message["contents"]["footer"]["contents"]
    ]
    return found


async def test_any_message_may_carry_the_card_and_each_gets_their_own_link(world: World) -> None:
    draft = parse(Draft, CARD)
    async with scope(world.shop.workspace_id) as session:
        with pytest.raises(NotFound):
            await build(session, draft, "broadcast:1")
    await world.setting(texts={"ja": {"card_title": "会員証をLINEに{{ name }}"}})
    one, other = await world.person(), await world.person()
    async with scope(world.shop.workspace_id) as session:
        built = await build(session, draft, "broadcast:1")
        said = await personalise(session, built.messages, [one.contact_id, other.contact_id])
    uris = [uri_in(said[who.contact_id]) for who in (one, other)]
    assert uris[0] != uris[1]
    texts = [line["text"] for line in said[one.contact_id][0]["contents"]["body"]["contents"]]
    assert "会員証をLINEに{{ name }}" in texts, "the shop's words are words, not a template"

    browser = world.app.client()
    page = await follow(browser, uris[0])
    assert "会員番号" in page.text
    assert ("id_link_open", "") in await world.happened(one)
    assert await world.happened(other) == []
    robot = world.app.client(headers={"user-agent": "facebookexternalhit/1.1;line-poker/1.0"})
    await follow(robot, uris[1])
    assert await world.happened(other) == [], "LINE's preview is not a visit"
    forged = uris[0][:-4] + "AAAA"
    assert "トークに届いたボタン" in (await follow(world.app.client(), forged)).text
    with pytest.raises(Invalid):
        parse(Draft, {"blocks": [{"kind": "piece", "piece": "no_such"}]})


async def test_the_composer_offers_the_card(world: World) -> None:
    await world.setting()
    staff = await world.app.person(world.shop, "operator")
    added = await staff.form(
        "/content/composer?path=draft&do=add&at=0&kind=piece.id_link",
        {"draft.blocks.0.kind": "text", "draft.blocks.0.text": "こんにちは"},
    )
    assert 'name="draft.blocks.1.piece" value="id_link"' in added.text
    preview = await staff.form(
        "/content/preview?path=draft",
        {"draft.blocks.0.kind": "piece", "draft.blocks.0.piece": "id_link"},
    )
    assert "会員情報とLINEを連携しませんか" in preview.text


async def test_asking_is_an_action_that_leaves_the_linked_alone(world: World) -> None:
    await world.setting()
    who = await world.person()

    async def asks(params: AskParams) -> int:
        async with scope(world.shop.workspace_id) as session:
            context = Context(session, who.contact_id, world.channel.id)
            await ask(context, params)
            await context.close()
        return len(await who.hears())

    assert await asks(AskParams()) == 1
    async with scope(world.shop.workspace_id) as session:
        await service.link_now(session, who.contact_id, None, "A1")
    assert await asks(AskParams()) == 0
    assert await asks(AskParams(also_linked=True)) == 1


async def test_customers_are_spoken_to_in_their_language_and_the_shops_words(world: World) -> None:
    await world.setting(texts={"th": {"title": "หัวข้อของร้าน"}, "ja": {"lead": "当店の特典"}})
    who = await world.person()
    browser = await world.come(who)
    assert "當店" not in (await browser.get("/id-link/me")).text
    async with scope(world.shop.workspace_id) as session:
        await session.execute(
            update(Contact).where(Contact.id == who.contact_id).values(language="zh-TW")
        )
    page = (await browser.get("/id-link/me")).text
    assert '<html lang="zh-TW"' in page
    assert "會員編號" in page
    chosen = (await browser.get("/id-link/me?lang=th")).text
    assert "หัวข้อของร้าน" in chosen
    assert "หัวข้อของร้าน" in (await browser.get("/id-link/me")).text, "it is remembered"
    assert "当店の特典" in (await browser.get("/id-link/me?lang=ja")).text
    nobody = await world.app.client(headers={"accept-language": "en-GB,ja;q=0.5"}).get(
        "/id-link/me"
    )
    assert "open for too long" in nobody.text


async def test_what_cannot_be_set_is_refused_at_its_field(world: World) -> None:
    staff = await world.app.person(world.shop, "operator")
    api = await world.app.program(world.shop)
    wrong = [
        ({"method": "site"}, "site_url"),
        ({"method": "site", "site_url": "javascript:alert(1)"}, "site_url"),
        ({"proof": "shoe_size"}, "proof"),
        ({"texts": {"ja": {"title": "あ" * 61}}}, "texts.ja.title"),
        ({"texts": {"fr": {"title": "a"}}}, "texts"),
        ({"rewards": [{"kind": "no_such"}]}, "rewards.0.kind"),
    ]
    for given, field in wrong:
        answer = await api.put("/api/v1/id-links/settings", json=given)
        assert answer.status_code == 422, given
        assert [one["path"] for one in answer.json()["error"]["fields"]] == [field]
    assert (await api.get("/api/v1/id-links/settings")).status_code == 404
    refused = await staff.form(
        "/id-links/settings", {"method": "page", "proof": "email", "texts.ja.title": "あ" * 61}
    )
    assert refused.status_code == 422
    assert "60文字以内" in refused.text
    saved = await staff.form(
        "/id-links/settings",
        {
            "method": "page",
            "proof": "phone",
            "texts.ja.title": "会員証",
            "texts.en.title": "",
            "rewards.0.kind": "id_link_ask",
        },
    )
    assert saved.status_code == 303
    kept = (await api.get("/api/v1/id-links/settings")).json()
    assert kept["texts"] == {"ja": {"title": "会員証"}}
    assert kept["rewards"] == [{"kind": "id_link_ask", "also_linked": False}]
    for lang in ("ja", "en", "zh-TW", "th"):
        shown = await staff.get(f"/id-links/preview?lang={lang}")
        assert shown.status_code == 200
    viewer = await world.app.person(world.shop, "viewer")
    assert (await viewer.get("/id-links/settings")).status_code == 403


async def test_staff_link_and_unlink_and_the_audit_tells(world: World) -> None:
    await world.setting()
    who = await world.person()
    staff = await world.app.person(world.shop, "operator")
    here = f"/friends/{who.contact_id}/id-link"
    assert "入力してください" in (await staff.form(here, {"customer": " "})).text
    assert (await staff.form(here, {"customer": "10-20"})).status_code == 303
    assert "10-20" in (await staff.get("/id-links/people?q=10-")).text
    assert "10-20" in (await staff.get(f"{here}-card")).text
    assert "10-20" not in (await staff.get("/id-links/people?q=20")).text
    assert (await staff.form(f"{here}/delete")).status_code == 303
    assert await world.link_of(who) is None
    member = await world.member("X1")
    assert "友だちではありません" in (await staff.get(f"/friends/{member}/id-link")).text
    owner = await world.app.person(world.shop)
    audit = (await owner.get("/settings/audit")).text
    assert "友だちと顧客番号を連携" in audit


async def test_programs_link_list_and_unlink(world: World) -> None:
    one, other = await world.person(), await world.person()
    api = await world.app.program(world.shop)
    for who, number in ((one, "A1"), (other, "A2")):
        body = {"contact_id": str(who.contact_id), "customer": number}
        assert (await api.post("/api/v1/id-links", json=body)).status_code == 201
    first = (await api.get("/api/v1/id-links?limit=1")).json()
    assert [each["customer"] for each in first["items"]] == ["A2"]
    second = (await api.get(f"/api/v1/id-links?limit=1&before={first['next']}")).json()
    assert [each["customer"] for each in second["items"]] == ["A1"]
    assert second["next"] is None
    assert (await api.delete(f"/api/v1/id-links/{one.contact_id}")).status_code == 204
    assert (await api.get(f"/api/v1/id-links/{one.contact_id}")).status_code == 404
    assert (await api.delete(f"/api/v1/id-links/{one.contact_id}")).status_code == 404


async def test_the_report_counts_people_as_they_are(world: World) -> None:
    space = world.shop.workspace_id
    async with scope(space) as session:
        await save(session, SettingIn())
        place = await add_place(session, PlaceIn(name="渋谷店", channel_id=world.channel.id))
        with pytest.raises(Invalid):
            await add_place(session, PlaceIn(name="渋谷店", channel_id=world.channel.id))
        draft = parse(Draft, CARD)
        await build(session, draft, "broadcast:7")
    people = [await world.person() for _ in range(6)]
    ago = [10, 10, 3, 3, 0, 0]
    async with scope(space) as session:
        for who, days in zip(people, ago, strict=True):
            at = now() - timedelta(days=days)
            await session.execute(
                update(Friendship)
                .where(Friendship.contact_id == who.contact_id)
                .values(first_followed_at=at, followed_at=at, source="flyer" if days else None)
            )
        for who in people[:4]:
            record(session, who.contact_id, "sent", subject="broadcast:7")
        record(session, people[0].contact_id, "id_link_ask")  # asked twice: one person
        record(session, people[4].contact_id, "sent", subject="broadcast:8")  # without the card
        for who in people[:3]:
            record(session, who.contact_id, "id_link_open", subject=place.code)
        record(session, people[2].contact_id, "id_link_fail", subject="wrong")
        record(session, people[2].contact_id, "id_link_fail", subject="wrong")
        for who in people[:2]:
            await service.link_now(
                session, who.contact_id, None, who.user_id, way="login", place=place.code
            )
        session.add(
            Link(
                contact_id=people[4].contact_id,
                customer="N9",
                way="api",
                linked_at=now() - timedelta(days=5),  # before the day they came back as a friend
            )
        )
        await session.execute(
            update(Friendship)
            .where(Friendship.contact_id == people[5].contact_id)
            .values(status="blocked")
        )
        # Known by an import: one who has linked, one who has not (by two keys), and one by whose
        # LINE account alone the shop's system goes.
        for who, kind, key in (
            (people[0], "customer", "N1"),
            (people[2], "customer", "N2"),
            (people[2], "email", "n2@example.com"),
            (people[3], "line", people[3].user_id),
            (people[5], "customer", "N5"),  # blocked
        ):
            session.add(Identity(contact_id=who.contact_id, kind=kind, key=key))
    async with scope(space) as session:
        found = await report.report(session, "Asia/Tokyo", 7)
    assert (found.friends, found.linked, found.matched, found.known) == (5, 3, 1, 4)
    assert found.funnel == {"asked": 4, "opened": 3, "logged_in": 0, "linked": 2}
    assert found.failures == {"wrong": 1}
    assert {g.name: (g.friends, g.linked) for g in found.sources} == {"flyer": (4, 2), "": (1, 1)}
    assert [(g.name, g.friends, g.linked) for g in found.places] == [("渋谷店", 3, 2)]
    assert len(found.days) == 7
    assert found.days[0].rate == 0, "two friends by then, nobody linked"
    assert found.days[-1].rate == pytest.approx(3 / 5)
    api = await world.app.program(world.shop)
    told = (await api.get("/api/v1/id-links/report?days=7")).json()
    assert told["rate"] == pytest.approx(0.6)
    assert (told["matched"], told["known"], told["known_rate"]) == (1, 4, pytest.approx(0.8))
    async with scope(space) as session:
        counted = await count(session, read_rule(NOT_LINKED))
    assert counted.members == 2
    staff = await world.app.person(world.shop, "operator")
    shown = (await staff.get("/id-links?days=7")).text
    assert "60%" in shown
    assert "80%" in shown
    assert "番号と確認項目の不一致" in shown
    assert "idlink.linked_at" in shown, "a segment of who is not linked, at one click"


async def test_a_places_qr_code_leads_to_it_until_it_is_deleted(world: World) -> None:
    await world.setting()
    staff = await world.app.person(world.shop, "operator")
    form = {"name": "レシート", "channel_id": str(world.channel.id)}
    assert (await staff.form("/id-links/places", form)).status_code == 303
    assert (await staff.form("/id-links/places", form)).status_code == 422
    api = await world.app.program(world.shop)
    [place] = (await api.get("/api/v1/id-links/places")).json()
    drawn = await staff.get(f"/id-links/places/{place['id']}/qr.svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    visitor = world.app.client()
    assert (await follow(visitor, place["url"])).status_code == 200
    assert (await staff.form(f"/id-links/places/{place['id']}/delete")).status_code == 303
    assert (await visitor.get(f"/id-link/at/{place['code']}")).status_code == 404
