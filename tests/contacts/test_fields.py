"""Tags and attributes: limits, uses, deleting; actions that set them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

import hiiki.rooms
from conftest import Shop, scope
from hiiki.contacts import attributes, tags
from hiiki.contacts.models import Attribute, ContactAttribute, ContactTag, Tag
from hiiki.contacts.people import chosen
from hiiki.contacts.schemas import AttributeEdit, AttributeIn, TagIn
from hiiki.contacts.search import FriendFilter, matching
from hiiki.contacts.service import (
    add_tag,
    add_tag_to,
    remove_tag,
    remove_tag_from,
    set_attribute,
)
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.ids import uuid7
from hiiki.kit.road import Registry, Room, Usage
from hiiki.workspace.models import Channel

from .people import make_channel, make_friend

assert hiiki.rooms.registry


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """A room in which whatever stands in this list is in use."""
    marked: list[tuple[str, Any]] = []

    async def uses(_session: Any, kind: str, ident: Any) -> list[Usage]:
        return [Usage("春のアンケート", "/surveys/1")] if (kind, ident) in marked else []

    registry = Registry([Room("somewhere", uses=uses)])
    monkeypatch.setattr("hiiki.kit.road._registry", registry)
    return marked


async def test_tags_are_unique_in_their_shop(shop: Shop, other_shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        first = await tags.create_tag(session, TagIn(name="辛口"))
        second = await tags.create_tag(session, TagIn(name="甘口"))
        for change in (
            tags.create_tag(session, TagIn(name=" 辛口 ")),
            tags.update_tag(session, second, TagIn(name="辛口")),
        ):
            with pytest.raises(Invalid) as refused:
                await change
            assert set(refused.value.fields) == {"name"}
        await tags.update_tag(session, first, TagIn(name="辛口", colour="red"))
    async with scope(other_shop.workspace_id) as session:
        await tags.create_tag(session, TagIn(name="辛口"))
        assert [tag.name for tag in await tags.all_tags(session)] == ["辛口"]


async def test_pages_of_tags(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        for number in range(9):
            await tags.create_tag(session, TagIn(name=f"タグ{number}"))
        one = await tags.page_of_tags(session, limit=4)
        two = await tags.page_of_tags(session, after=one.next or "", limit=4)
        three = await tags.page_of_tags(session, after=two.next or "", limit=4)
        back = await tags.page_of_tags(session, before=three.previous or "", limit=4)
        assert [len(page.tags) for page in (one, two, three)] == [4, 4, 1]
        assert back.tags == two.tags
        assert (one.previous, three.next) == (None, None)
        assert [tag.name for tag in (await tags.page_of_tags(session, "グ3")).tags] == ["タグ3"]
        assert (await tags.page_of_tags(session, "%")).tags == []


async def test_a_tag_goes_on_once_and_only_on_ones_own(
    shop: Shop, other_shop: Shop, channel: Channel
) -> None:
    mine = await make_friend(shop, channel, "a")
    theirs = await make_friend(other_shop, await make_channel(other_shop), "b")
    async with scope(other_shop.workspace_id) as session:
        their_tag = await tags.create_tag(session, TagIn(name="x"))
    async with scope(shop.workspace_id) as session:
        tag = await tags.create_tag(session, TagIn(name="x"))
        assert await add_tag(session, mine.id, tag.id) is True
        assert await add_tag(session, mine.id, tag.id) is False
        assert await add_tag(session, theirs.id, tag.id) is False
        assert await add_tag(session, mine.id, their_tag.id) is False
        assert await add_tag(session, mine.id, uuid7()) is False
        assert await tags.counts(session, [tag.id, their_tag.id]) == {tag.id: 1, their_tag.id: 0}
        assert await remove_tag(session, mine.id, tag.id) is True
        assert await remove_tag(session, mine.id, tag.id) is False
    async with scope(other_shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(ContactTag)) == 0


async def test_tags_for_many(shop: Shop, other_shop: Shop, channel: Channel) -> None:
    friends = [await make_friend(shop, channel, f"f{number}") for number in range(5)]
    theirs = await make_friend(other_shop, await make_channel(other_shop), "f9")
    async with scope(shop.workspace_id) as session:
        tag = await tags.create_tag(session, TagIn(name="x"))
        some = chosen([friends[0].id, friends[1].id, theirs.id, uuid7()])
        assert await add_tag_to(session, some, tag.id) == 2
        assert await add_tag_to(session, await matching(session, FriendFilter(q="f")), tag.id) == 3
        assert await remove_tag_from(session, chosen([friends[0].id, theirs.id]), tag.id) == 1
        assert (
            await remove_tag_from(
                session, await matching(session, FriendFilter(tag=tag.id)), tag.id
            )
            == 4
        )
        assert await tags.counts(session, [tag.id]) == {tag.id: 0}


async def test_what_is_in_use_is_not_deleted(
    shop: Shop, channel: Channel, used: list[tuple[str, Any]]
) -> None:
    friend = await make_friend(shop, channel, "a")
    async with scope(shop.workspace_id) as session:
        tag = await tags.create_tag(session, TagIn(name="辛口"))
        field = await attributes.create_attribute(session, AttributeIn(key="k", label="辛さ"))
        await add_tag(session, friend.id, tag.id)
        await set_attribute(session, friend.id, field, "x")
        used += [("tag", tag.id), ("attribute", field.id)]
        for refusal in (
            tags.delete_tag(session, tag),
            attributes.delete_attribute(session, field),
        ):
            with pytest.raises(Conflict) as refused:
                await refusal
            assert "春のアンケート" in str(refused.value.message)
        used.clear()
        await tags.delete_tag(session, tag)
        await attributes.delete_attribute(session, field)
        for table in (Tag, ContactTag, Attribute, ContactAttribute):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_attributes_keep_their_order_and_key(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        made = [
            await attributes.create_attribute(session, AttributeIn(key=key, label=key))
            for key in ("a", "b", "c")
        ]
        with pytest.raises(Invalid) as refused:
            await attributes.create_attribute(session, AttributeIn(key="b", label="x"))
        assert set(refused.value.fields) == {"key"}
        await attributes.reorder(session, [made[2].id, uuid7(), made[0].id])
        assert [each.key for each in await attributes.all_attributes(session)] == ["c", "a", "b"]
        with pytest.raises(Invalid):
            await attributes.create_attribute(
                session, AttributeIn(key="d", label="d", kind="choice")
            )


@pytest.mark.parametrize("kind", ["choice", "choices"])
async def test_a_choice_in_use_goes_only_on_request(
    shop: Shop, channel: Channel, kind: str
) -> None:
    friends = [await make_friend(shop, channel, name) for name in "abc"]
    values: list[Any] = ["甘口", "中辛", "中辛"]
    if kind == "choices":
        values = [["甘口"], ["甘口", "中辛"], ["中辛"]]
    async with scope(shop.workspace_id) as session:
        heat = await attributes.create_attribute(
            session,
            AttributeIn.model_validate(
                {"key": "heat", "label": "辛さ", "kind": kind, "choices": ["甘口", "中辛", "辛口"]}
            ),
        )
        for friend, value in zip(friends, values, strict=True):
            await set_attribute(session, friend.id, heat, value)
        # Nobody has 辛口, so it may go; 激辛 may come; the order may change.
        await attributes.update_attribute(
            session, heat, AttributeEdit(label="辛さ", choices=["激辛", "中辛", "甘口"])
        )
        with pytest.raises(Invalid) as refused:
            await attributes.update_attribute(
                session, heat, AttributeEdit(label="x", choices=["激辛", "甘口"])
            )
        assert "中辛 (2)" in str(refused.value.fields["choices"])
        assert heat.label == "辛さ"
        await attributes.update_attribute(
            session, heat, AttributeEdit(label="x", choices=["激辛", "甘口"], clear_removed=True)
        )
    async with scope(shop.workspace_id) as session:
        left = {
            friend.display_name: (await attributes.values_of(session, friend.id)).get(heat.id)
            for friend in friends
        }
    if kind == "choice":
        assert left == {"a": "甘口", "b": None, "c": None}
    else:
        assert left == {"a": ["甘口"], "b": ["甘口"], "c": None}
