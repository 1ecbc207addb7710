"""The list of friends: orders, columns, segments, saved views, and what rooms work out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

import hiiki.rooms
from conftest import Shop, scope
from console import Console
from hiiki.contacts import listing
from hiiki.contacts.models import Attribute, Friendship, Tag
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.service import add_tag, meet, set_attribute
from hiiki.kit.errors import Invalid
from hiiki.kit.road import road
from hiiki.segments.models import Segment
from hiiki.workspace.models import Channel

from .people import T0, make_channel, make_friend

assert hiiki.rooms.registry


async def spend(shop: Shop, contact_id: UUID, amount: int) -> None:
    """Let a person have spent so much, whatever else that room keeps of them."""
    model = road().fields["purchases.spent"].column.class_
    columns = {
        column.name: column.default.arg if column.default is not None else 0
        for column in model.__table__.columns
        if not column.nullable
    }
    moments = {name: T0 for name in columns if name.endswith("_at")}
    columns |= {**moments, "workspace_id": shop.workspace_id, "contact_id": contact_id}
    columns |= {"spent": Decimal(amount)}
    async with scope(shop.workspace_id) as session:
        session.add(model(**{name: value for name, value in columns.items() if value is not None}))


def order(key: str) -> listing.Order:
    return next(each for each in listing.orders() if each.key == key)


async def everybody(shop: Shop, key: str, wanted: FriendFilter | None = None) -> list[UUID]:
    """Page through the whole list, one at a time, there and back."""
    there: list[UUID] = []
    back: list[UUID] = []
    async with scope(shop.workspace_id) as session:
        asked = wanted or FriendFilter()
        page = await listing.ordered(session, asked, order(key), limit=1)
        there += [each.contact.id for each in page.friends]
        while page.next:
            page = await listing.ordered(session, asked, order(key), page.next, limit=1)
            there += [each.contact.id for each in page.friends]
        back += [each.contact.id for each in page.friends]
        while page.previous:
            page = await listing.ordered(session, asked, order(key), before=page.previous, limit=1)
            back += [each.contact.id for each in page.friends]
    assert back == there[::-1]
    return there


async def test_orders_page_by_page_and_each_person_once(shop: Shop, channel: Channel) -> None:
    second = await make_channel(shop, name="二号店")
    a, b, c = [
        (await make_friend(shop, channel, name, at=T0 + timedelta(hours=hour))).id
        for name, hour in (("a", 3), ("b", 1), ("c", 2))
    ]
    async with scope(shop.workspace_id) as session:
        for ident, hour in ((b, 9), (a, 5)):
            row = await session.one(Friendship, (ident, channel.id))
            await meet(session, second, row.line_user_id, at=T0 + timedelta(hours=hour))
    assert await everybody(shop, "seen") == [b, a, c]
    assert await everybody(shop, "first") == [a, c, b]
    assert await everybody(shop, "purchases.spent") == []
    for ident, amount in ((c, 500), (a, 1200), (b, 500)):
        await spend(shop, ident, amount)
    assert await everybody(shop, "purchases.spent") == [a, *sorted((b, c), reverse=True)]
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="t")
        session.add(tag)
        await session.flush()
        await add_tag(session, c, tag.id)
        segment = Segment(name="s", rule={"kind": "tag", "tag_ids": [str(tag.id)]})
        session.add(segment)
    for wanted in (FriendFilter(tag=tag.id), FriendFilter(segment=segment.id)):
        assert await everybody(shop, "seen", wanted) == [c]
        assert await everybody(shop, "", wanted) == [c]


@pytest.mark.parametrize("mark", ["x", "====", "MjAyNg", "bmFufDAxYTIwMmJk", "a" * 300])
async def test_a_forged_page_mark_is_refused(shop: Shop, mark: str) -> None:
    async with scope(shop.workspace_id) as session:
        for key in ("seen", "purchases.spent"):
            with pytest.raises(Invalid):
                await listing.ordered(session, FriendFilter(), order(key), mark)


async def test_columns_views_and_figures(shop: Shop, channel: Channel, app: Console) -> None:
    friend = (await make_friend(shop, channel, "花子")).id
    async with scope(shop.workspace_id) as session:
        likes = Attribute(key="likes", label="関心", kind="choices", choices=["通販", "新作"])
        session.add(likes)
        await session.flush()
        await set_attribute(session, friend, likes, ["通販", "新作"])
    await spend(shop, friend, 98765)
    operator = await app.person(shop, "operator")
    address = "/friends?sort=purchases.spent&columns=a.likes&columns=purchases.spent&columns=no"
    page = await operator.get(address)
    assert "通販、新作" in page.text
    assert "98,765" in page.text
    assert "98,765" not in (await operator.get("/friends")).text
    assert "98,765" in (await operator.get(f"/friends/{friend}")).text
    kept = await operator.form(
        "/friends/views",
        {"name": "上得意", "sort": "purchases.spent", "columns": "a.likes,purchases.spent"},
    )
    assert kept.status_code == 303
    again = await operator.get(kept.headers["location"])
    assert "上得意" in again.text
    assert "98,765" in again.text
    api = await app.program(shop, "operator")
    [view] = (await api.get("/api/v1/friends/views")).json()
    assert view["query"] == {"sort": "purchases.spent", "columns": "a.likes,purchases.spent"}
    await operator.form(f"/friends/views/{view['id']}/delete")
    assert (await api.get("/api/v1/friends/views")).json() == []
    known = (await api.get(f"/api/v1/friends/{friend}")).json()
    assert known["fields"]["purchases.spent"] == 98765
    listed = await api.get("/api/v1/friends?sort=purchases.spent")
    assert [each["id"] for each in listed.json()["items"]] == [str(friend)]
    assert (await api.get("/api/v1/friends?sort=x")).status_code == 422
