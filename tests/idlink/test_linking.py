"""Requirement A7: a friend and a member become one person, once, and only by who they are."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from hiiki.contacts.erasure import erase
from hiiki.contacts.identities import Keys, attach, resolve
from hiiki.contacts.models import Contact
from hiiki.db import scope
from hiiki.idlink import passes, proofs, service
from hiiki.idlink.models import Link
from hiiki.kit.errors import NotFound
from hiiki.timeline import Event, record
from idlink.shop import World, going_to
from ingest.line_side import Person, texts

THANKS = {"kind": "send", "draft": {"blocks": [{"kind": "text", "text": "特典です"}]}}


async def ends(world: World, who: Person, url: str) -> list[dict[str, Any]]:
    """Go through LINE's dialog on the person's own phone; returns what the shop then says."""
    answer = await world.dialog(url, who.user_id)
    assert answer.status_code == 200, answer.text
    nonce = dict(answer.url.params)["nonce"]
    return await who.does("accountLink", link={"result": "ok", "nonce": nonce})


async def test_a_member_of_the_list_becomes_the_friend_with_all_that_was_bought(
    world: World,
) -> None:
    await world.setting(proof="email", rewards=[THANKS])
    member = await world.member("００-12 34", email="hanako@example.com")
    async with scope(world.shop.workspace_id) as session:
        record(session, member, "purchase", value=1200)
    who = await world.person()
    browser = await world.come(who)
    assert "会員番号" in (await browser.get("/id-link/me")).text

    answer = await browser.form(
        "/id-link/me", {"number": "00-12 34", "proof": "HANAKO@example.com"}
    )
    assert answer.status_code == 200
    assert await world.link_of(who) is None, "LINE has not yet said who is there"
    heard = texts(await ends(world, who, going_to(answer)))

    link = await world.link_of(who)
    assert link is not None
    assert (link.customer, link.way) == ("00-12 34", "account")
    assert "解除できます" in heard[0], "LINE wants people to be told that they can unlink"
    assert "/l/" in heard[0]
    assert heard[1] == "特典です"
    [bought] = await who.timeline("purchase")
    assert bought.value == 1200
    async with scope(world.shop.workspace_id) as session:
        assert await session.get(Contact, member) is None
        assert (await session.one(Contact, who.contact_id)).email == "hanako@example.com"
        assert await resolve(session, [Keys(customer="00-12 34")], create=False) == [who.contact_id]
    assert await world.happened(who) == [
        ("id_link_open", ""),
        ("id_link_login", ""),
        ("id_link", ""),
    ]
    shown = (await browser.get("/id-link/me")).text
    assert "連携済みです" in shown
    assert " 34" not in shown, "a ticket may be in anybody's hands"


async def test_nobody_learns_which_numbers_there_are_and_few_can_be_tried(world: World) -> None:
    await world.setting(proof="birthday")
    await world.member("M1", birthday=None)
    await world.member("M2", birthday=date(1990, 2, 3))
    who = await world.person()
    browser = await world.come(who)

    async def tries(number: str, day: str) -> tuple[int, str]:
        answer = await browser.form("/id-link/me", {"number": number, "proof": day})
        hidden = answer.text.replace(f'value="{number}"', "").replace(f'value="{day}"', "")
        return answer.status_code, hidden

    unknown = await tries("M9", "1990-02-03")
    assert unknown[0] == 422
    assert unknown == await tries("M2", "1990-02-04") == await tries("M1", "1990-02-03")
    assert (await tries("M2", "03.02.90"))[0] == 422, "no try at all: not a date"
    for _ in range(2):
        await tries("M2", "1991-02-03")
    status, text = await tries("M2", "1990-02-03")
    assert status == 422
    assert "1時間" in text, "the sixth try is refused though it is right"

    other = await world.come(await world.person())
    answer = await other.form("/id-link/me", {"number": "M2", "proof": "1990-02-03"})
    assert answer.status_code == 200, "somebody else may still try"
    kinds = await world.happened(who)
    assert [s for k, s in kinds if k == "id_link_fail"] == ["wrong"] * 5 + ["too_many"]


async def test_a_number_is_locked_too_when_many_accounts_try_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PER_NUMBER", 2)
    await world.setting(proof="phone")
    await world.member("M1", phone="+819012345678")
    for _ in range(2):
        browser = await world.come(await world.person())
        await browser.form("/id-link/me", {"number": "M1", "proof": "090-0000-0000"})
    browser = await world.come(await world.person())
    answer = await browser.form("/id-link/me", {"number": "M1", "proof": "090-1234-5678"})
    assert "1時間" in answer.text


async def test_a_link_that_was_passed_on_links_nobody(world: World) -> None:
    """LINE's warning: an attacker sends the victim a link of the attacker's own."""
    await world.setting(proof="email")
    await world.member("V1", email="victim@example.com")
    attacker, victim = await world.person(), await world.person()
    browser = await world.come(attacker)  # the attacker's link, in the victim's hands
    answer = await browser.form("/id-link/me", {"number": "V1", "proof": "victim@example.com"})
    refused = await world.dialog(going_to(answer), victim.user_id)
    assert refused.status_code == 200
    assert "連携できません" in refused.text or "failed" in refused.text.lower()
    assert await world.link_of(attacker) is None
    assert await world.link_of(victim) is None


async def test_a_linked_number_is_refused_or_moved_as_the_shop_says(world: World) -> None:
    await world.setting(moves=False)
    first, second = await world.person(), await world.person()
    space = world.shop.workspace_id
    async with scope(space) as session:
        await service.link_now(session, first.contact_id, None, "A1", way="login")
    with pytest.raises(service.Refused) as refused:
        async with scope(space) as session:
            await service.link_now(session, second.contact_id, None, "A1", way="login")
    assert refused.value.reason == "taken"
    with pytest.raises(service.Refused) as other:
        async with scope(space) as session:
            await service.link_now(session, first.contact_id, None, "A2", way="login")
    assert other.value.reason == "other"

    await world.setting(moves=True)
    async with scope(space) as session:
        await service.link_now(session, second.contact_id, None, "A1", way="login")
    assert await world.link_of(first) is None
    assert ("id_unlink", "moved") in await world.happened(first)
    async with scope(space) as session:
        found = await resolve(session, [Keys(customer="A1")], create=False)
    assert found == [second.contact_id]


async def test_the_incentive_is_given_once_whatever_one_tries(world: World) -> None:
    await world.setting(moves=True, rewards=[THANKS])
    first, second = await world.person(), await world.person()
    space = world.shop.workspace_id

    async def link(who: Person, number: str) -> None:
        try:
            async with scope(space) as session:
                await service.link_now(session, who.contact_id, None, number, way="login")
        except service.Refused:
            pass

    await asyncio.gather(*(link(first, "B1") for _ in range(5)), link(first, "B2"))
    assert texts(await first.hears()) == ["特典です"]
    kept = await world.link_of(first)
    assert kept is not None

    async with scope(space) as session:
        assert await service.unlink(session, first.contact_id, by="customer")
        assert not await service.unlink(session, first.contact_id, by="customer")
    await link(first, "B3")  # another number: the person has had it
    await link(second, kept.customer)  # another person: the number has had it
    assert await first.hears() == []
    assert await second.hears() == []
    third = await world.person()
    await link(third, "B9")
    assert texts(await third.hears()) == ["特典です"]


async def test_two_at_once_with_one_number_are_one_link(world: World) -> None:
    await world.setting()
    people = [await world.person() for _ in range(6)]
    member = await world.member("C1", email="c@example.com")

    async def link(who: Person) -> str:
        try:
            async with scope(world.shop.workspace_id) as session:
                await service.link_now(session, who.contact_id, None, "C1", way="login")
            return "linked"
        except service.Refused as error:
            return error.reason

    done = await asyncio.gather(*map(link, people))
    assert sorted(done) == ["linked"] + ["taken"] * 5
    async with scope(world.shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Link)) == 1
        assert await session.get(Contact, member) is None


async def test_who_is_no_friend_cannot_be_linked(world: World) -> None:
    await world.setting()
    member = await world.member("D1")
    async with scope(world.shop.workspace_id) as session:
        with pytest.raises(service.Refused) as refused:
            await service.link_now(session, member, None, "D1")
        assert refused.value.reason == "not_friend"
        with pytest.raises(NotFound):
            await service.link_now(session, world.shop.workspace_id, None, "D1")


async def test_a_customer_unlinks_and_what_is_bought_later_is_not_theirs(world: World) -> None:
    await world.setting()
    who = await world.person()
    space = world.shop.workspace_id
    async with scope(space) as session:
        await service.link_now(session, who.contact_id, None, "E1", way="login")
        await attach(session, who.contact_id, Keys(email="e@example.com"))
    # Whoever has a message that was passed on sees no number and takes nothing back.
    browser = await world.come(who)
    page = (await browser.get("/id-link/me")).text
    assert "E1" not in page
    assert "連携解除" in page
    await browser.form("/id-link/unlink")
    assert await world.link_of(who) is not None

    [said] = texts(await who.types("連携解除"))
    assert "連携を解除しました" in said
    assert await world.link_of(who) is None
    assert await who.types("連携解除") == [], "nothing is linked any more"
    assert ("id_unlink", "customer") in await world.happened(who)
    async with scope(space) as session:
        [later, same] = await resolve(
            session, [Keys(customer="E1", email="e@example.com"), Keys(customer="E1")]
        )
    assert later == same != who.contact_id


async def test_the_shops_own_site_tells_by_a_nonce_who_has_logged_in(world: World) -> None:
    await world.setting(method="site", site_url="http://shop.test/login?next=line")
    who = await world.person()
    browser = await world.come(who)
    sent = await browser.get("/id-link/site")
    address = sent.headers["location"]
    assert address.startswith("http://shop.test/login?next=line&linkToken=")
    token = address.rpartition("=")[2]

    shop = await world.app.program(world.shop)
    weak = await shop.post("/api/v1/id-links/nonces", json={"customer": "S1", "nonce": "a" * 21})
    assert weak.status_code == 422
    given = {"customer": "S1", "link_token": token, "nonce": "Zm9vYmFyYmF6cXV4MTIzNA=="}
    made = await shop.post("/api/v1/id-links/nonces", json=given)
    assert made.status_code == 201, made.text
    assert (await shop.post("/api/v1/id-links/nonces", json=given)).status_code == 409
    await ends(world, who, made.json()["url"])
    link = await world.link_of(who)
    assert link is not None
    assert link.customer == "S1"
    again = await who.does("accountLink", link={"result": "ok", "nonce": given["nonce"]})
    assert again == [], "a nonce is used once"
    assert (await world.happened(who))[1:] == [("id_link_login", ""), ("id_link", "")]


async def test_nonces_that_are_not_ours_or_too_late_link_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await world.person()
    assert (
        await who.does("accountLink", link={"result": "ok", "nonce": "another-tools-nonce"}) == []
    )
    monkeypatch.setattr(passes, "LIVES", timedelta(minutes=-20))
    async with scope(world.shop.workspace_id) as session:
        late = await passes.take_nonce(session, "L1")
    await who.does("accountLink", link={"result": "ok", "nonce": late.nonce})
    assert await world.link_of(who) is None
    assert ("id_link_fail", "expired") in await world.happened(who)


async def test_erasing_somebody_takes_their_link_and_their_reward_along(world: World) -> None:
    await world.setting(rewards=[THANKS])
    who = await world.person()
    async with scope(world.shop.workspace_id) as session:
        await service.link_now(session, who.contact_id, None, "F1", way="login")
        await erase(session, await session.one(Contact, who.contact_id))
        assert await session.scalar(select(func.count()).select_from(Link)) == 0
        assert await session.scalar(select(func.count()).select_from(Event)) == 0
