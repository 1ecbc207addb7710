"""Who is meant: the same person whichever way the shop names them, and never somebody else."""

from __future__ import annotations

import asyncio
import secrets
from uuid import UUID

import pytest
from sqlalchemy import select

import hiiki.rooms
from conftest import Shop, scope
from hiiki.contacts import erasure
from hiiki.contacts.identities import Keys, attach, detach, keys_of, normal, resolve
from hiiki.contacts.merging import merge
from hiiki.contacts.models import Contact, Double, ErasedKey, Parted
from hiiki.contacts.service import befriend
from hiiki.kit.errors import Conflict
from hiiki.kit.phones import e164
from hiiki.workspace.models import Channel

from .people import T0

assert hiiki.rooms.registry


def line_id() -> str:
    return "U" + secrets.token_hex(16)


async def who(
    shop: Shop, *keys: Keys, create: bool = True, revive: bool = True
) -> list[UUID | None]:
    async with scope(shop.workspace_id) as session:
        return await resolve(session, keys, create=create, revive=revive)


async def doubles(shop: Shop) -> list[tuple[set[UUID], list[str], bool]]:
    async with scope(shop.workspace_id) as session:
        return [
            ({each.contact_id, each.other_id}, each.reasons, each.is_certain)
            for each in await session.scalars(select(Double))
        ]


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("090-1234-5678", "JP", "+819012345678"),
        ("０９０（１２３４）５６７８", "JP", "+819012345678"),
        ("９０１２３４５６７８", "JP", "+819012345678"),  # a spreadsheet took the zero
        ("+81 (0)90 1234 5678", "JP", "+819012345678"),
        ("+81 090 1234 5678", "JP", "+819012345678"),
        ("819012345678", "JP", "+819012345678"),
        ("03ー1234ー5678", "JP", "+81312345678"),
        ("0912 345 678", "TW", "+886912345678"),
        ("081-234-5678", "TH", "+66812345678"),
        ("+886 912 345 678", "JP", "+886912345678"),
        ("010 886 912 345 678", "JP", "+886912345678"),
        ("12", "JP", ""),
        ("090-1234-56789012", "JP", ""),
        ("なし", "JP", ""),
        ("", "JP", ""),
        ("²3", "JP", ""),
    ],
)
def test_one_form_of_a_phone_number(typed: str, country: str, number: str) -> None:
    assert e164(typed, country) == number


def test_keys_are_compared_whatever_they_were_typed_with() -> None:
    uid = line_id()
    typed = Keys(" Ｃ－００１ ", "Ａｂｃ@Example.COM ", "０３-1234-5678", f"　{uid}")
    assert normal(typed) == [
        ("customer", "C-001"),
        ("line", uid),
        ("email", "abc@example.com"),
        ("phone", "+81312345678"),
    ]
    assert normal(Keys("\x00 ", "no mail", "12", "Uabc")) == []


async def test_a_person_is_made_once_and_found_by_each_key(shop: Shop) -> None:
    [made, same, nobody] = await who(
        shop,
        Keys(customer="1", email="a@x.jp"),
        Keys(email="A@X.jp", phone="090-1234-5678"),
        Keys(),
    )
    assert made
    assert made == same
    assert nobody is None
    [by_phone, unknown] = await who(
        shop, Keys(phone="+819012345678"), Keys(customer="2"), create=False
    )
    assert (by_phone, unknown) == (made, None)
    async with scope(shop.workspace_id) as session:
        person = await session.one(Contact, made)
        assert (person.email, person.phone) == ("a@x.jp", "+819012345678")
        assert [each.kind for each in await keys_of(session, made)] == [
            "customer",
            "email",
            "phone",
        ]
    assert await doubles(shop) == []


async def test_another_shop_has_other_people(shop: Shop, other_shop: Shop) -> None:
    [mine] = await who(shop, Keys(customer="1"))
    assert await who(other_shop, Keys(customer="1"), create=False) == [None]
    [theirs] = await who(other_shop, Keys(customer="1"))
    assert mine != theirs


async def test_the_strongest_key_decides_and_the_others_are_noted(
    shop: Shop, channel: Channel
) -> None:
    uid = line_id()
    async with scope(shop.workspace_id) as session:
        friend = await befriend(session, channel, uid, at=T0, is_unblocked=False)
    member, mail = await who(shop, Keys(customer="7"), Keys(email="b@x.jp"))
    [found] = await who(shop, Keys(customer="7", line_user_id=uid, email="b@x.jp"))
    assert member
    assert mail
    assert found == member
    noted = await doubles(shop)
    assert ({member, friend}, ["line"], True) in noted
    assert ({member, mail}, ["email"], False) in noted
    assert len(noted) == 2
    assert await who(shop, Keys(line_user_id=uid)) == [friend]


async def test_who_shares_an_address_stays_two_people(shop: Shop, channel: Channel) -> None:
    uid = line_id()
    async with scope(shop.workspace_id) as session:
        friend = await befriend(session, channel, uid, at=T0, is_unblocked=False)
        await attach(session, friend, Keys(customer="10"))
    wife, husband, again = await who(
        shop,
        Keys(customer="1", email="us@x.jp"),
        Keys(customer="2", email="us@x.jp"),
        Keys(customer="2", email="us@x.jp"),
    )
    assert wife
    assert husband
    assert wife != husband
    assert again == husband
    # Nor does another customer number take the account of who has one.
    [other] = await who(shop, Keys(customer="11", line_user_id=uid))
    assert other
    assert other != friend
    assert {(frozenset(pair), certain) for pair, _why, certain in await doubles(shop)} == {
        (frozenset({wife, husband}), False),
        (frozenset({friend, other}), False),
    }


async def test_who_is_named_by_their_account_is_met_there(shop: Shop, channel: Channel) -> None:
    uid = line_id()
    [made] = await who(shop, Keys(customer="5", line_user_id=uid))
    async with scope(shop.workspace_id) as session:
        assert await befriend(session, channel, uid, at=T0, is_unblocked=False) == made


async def test_two_at_once_make_one_person(shop: Shop) -> None:
    async def one(number: int) -> list[UUID | None]:
        # Each knows one more thing about the same person, so that no derived id helps.
        named = [Keys(email="z@x.jp"), Keys(customer="9", email="z@x.jp")]
        return await who(shop, *named[number % 2 :], Keys(phone="03-1111-2222", email="z@x.jp"))

    found = await asyncio.gather(*(one(number) for number in range(6)))
    assert len({ident for each in found for ident in each}) == 1


async def test_thousands_in_a_few_statements(shop: Shop) -> None:
    many = [Keys(customer=str(n), email=f"{n}@x.jp") for n in range(3000)]
    first = await who(shop, *many)
    assert len(set(first)) == 3000
    assert await who(shop, *many) == first


async def test_a_key_is_one_persons(shop: Shop) -> None:
    one, two = await who(shop, Keys(customer="1"), Keys(customer="2"))
    assert one
    assert two
    async with scope(shop.workspace_id) as session:
        await attach(session, one, Keys(email="a@x.jp"))
        with pytest.raises(Conflict, match=r"a@x\.jp"):
            await attach(session, two, Keys(customer="3", email="a@x.jp"))
        assert [each.key for each in await keys_of(session, two)] == ["2"]
        assert await detach(session, one, "email", "a@x.jp")
        assert not await detach(session, one, "email", "a@x.jp")
        await attach(session, two, Keys(email="a@x.jp"))


async def test_who_was_parted_from_a_key_is_not_joined_again(shop: Shop) -> None:
    named = Keys(customer="123", email="a@x.jp")
    [one] = await who(shop, named)
    assert one
    async with scope(shop.workspace_id) as session:
        assert await detach(session, one, "customer", "123")
    # Neither by the address that they still have, nor by the id that comes of the number.
    [other, same, by_mail] = await who(shop, named, Keys(customer="123"), Keys(email="a@x.jp"))
    assert other
    assert other not in (one, None)
    assert same == other
    assert by_mail == one
    assert await doubles(shop) == []
    # A weaker key that was taken off does not come back by the stronger one beside it.
    async with scope(shop.workspace_id) as session:
        await detach(session, one, "email", "a@x.jp")
        await attach(session, one, Keys(customer="9"))
    assert await who(shop, Keys(customer="9", email="a@x.jp")) == [one]
    async with scope(shop.workspace_id) as session:
        assert [each.kind for each in await keys_of(session, one)] == ["customer"]


async def test_a_key_that_is_given_again_is_theirs_again(shop: Shop) -> None:
    [one] = await who(shop, Keys(customer="123", email="a@x.jp"))
    assert one
    async with scope(shop.workspace_id) as session:
        await detach(session, one, "customer", "123")
        await attach(session, one, Keys(customer="123"))
        await detach(session, one, "email", "a@x.jp")
    [other] = await who(shop, Keys(email="a@x.jp"))
    assert other != one
    async with scope(shop.workspace_id) as session:
        assert await merge(session, one, other) == one
        assert (await session.scalars(select(Parted))).all() == []


async def test_who_has_been_merged_leaves_no_id_behind_for_another(shop: Shop) -> None:
    """Whoever keeps the old id is led to who stayed, not to a stranger."""
    one, two = await who(shop, Keys(customer="1"), Keys(customer="2"))
    async with scope(shop.workspace_id) as session:
        await merge(session, one, two)
        await detach(session, one, "customer", "2")
    [new] = await who(shop, Keys(customer="2"))
    assert new not in (one, two)


async def test_who_was_erased_does_not_come_back_by_an_old_file(shop: Shop) -> None:
    [gone] = await who(shop, Keys(customer="1", email="a@x.jp"))
    async with scope(shop.workspace_id) as session:
        await erasure.erase(session, await session.one(Contact, gone))
    named = Keys(customer="1", email="a@x.jp")
    assert await who(shop, named, Keys(customer="2"), revive=False) != [None, None]
    assert (await who(shop, named, revive=False))[0] is None
    # Nor by an address of theirs alone beside a number that they may have had by now.
    [met] = await who(shop, Keys(email="b@x.jp"))
    async with scope(shop.workspace_id) as session:
        await erasure.erase(session, await session.one(Contact, met))
    assert await who(shop, Keys(customer="7", email="b@x.jp"), revive=False) == [None]
    # Somebody else with that address is made, but does not get what was forgotten.
    [other] = await who(shop, Keys(customer="8", email="a@x.jp"), revive=False)
    async with scope(shop.workspace_id) as session:
        assert other
        assert [each.kind for each in await keys_of(session, other)] == ["customer"]
    # An order that comes in today is a new beginning.
    [back] = await who(shop, Keys(customer="1"))
    assert back
    async with scope(shop.workspace_id) as session:
        assert len(list(await session.scalars(select(ErasedKey)))) == 2
