"""Finding people: names of two characters, phone numbers, pages that stay whole, plans."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, literal, select, text, union_all

from conftest import Shop, scope
from hiiki.contacts.models import Contact, Tag
from hiiki.contacts.search import FriendFilter, conditions, count, find, read_cursor
from hiiki.contacts.service import add_tag, block
from hiiki.db.engine import raw_connection
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.workspace.models import Channel

from .people import T0, make_channel, make_friend

BY_HAND = {"scoped_by_hand": True}


async def names(shop: Shop, **wanted: Any) -> list[str]:
    async with scope(shop.workspace_id) as session:
        asked = parse(FriendFilter, wanted)
        page = await find(session, asked)
        assert await count(session, asked) == len(page.friends)
        return sorted(friend.contact.display_name for friend in page.friends)


async def test_search(shop: Shop, channel: Channel) -> None:
    for name in ("田中 葵", "田中美咲", "福田", "ﾀﾛｳ", "100%果汁"):
        await make_friend(shop, channel, name)
    await make_friend(
        shop,
        channel,
        "ken🍛",
        real_name="山田 健",
        email="Yamada@example.com",
        phone="09012345678",
    )
    found = {q: await names(shop, q=q) for q in FOUND}
    assert found == FOUND


FOUND = {
    "田中": ["田中 葵", "田中美咲"],
    "田": ["ken🍛", "田中 葵", "田中美咲", "福田"],
    "中田": [],
    "田中 葵": ["田中 葵"],
    "葵 田中": ["田中 葵"],
    "美咲": ["田中美咲"],
    "KEN": ["ken🍛"],
    "🍛": ["ken🍛"],
    "タロウ": ["ﾀﾛｳ"],
    "ｋｅｎ": ["ken🍛"],
    "kenn": [],
    "山田": ["ken🍛"],
    "yamada@example": ["ken🍛"],
    "090-1234-5678": ["ken🍛"],
    "０９０１２３４": ["ken🍛"],
    "100%": ["100%果汁"],
    "%": ["100%果汁"],
    "_": [],
    "'; drop table": [],
    "\x00": sorted(["100%果汁", "ken🍛", "ﾀﾛｳ", "田中 葵", "田中美咲", "福田"]),
}


NAMES = st.text(max_size=12).map(lambda value: value.replace("\x00", ""))


@given(
    drawn=st.lists(
        st.tuples(NAMES, st.integers(0, 11), st.integers(1, 4)), min_size=30, max_size=40
    )
)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_part_of_any_name_finds_it(shop: Shop, drawn: list[tuple[str, int, int]]) -> None:
    """Whatever the index makes of odd characters, it must not lose a name."""
    people = [Contact(id=uuid4(), display_name=name) for name, _start, _length in drawn]
    wanted: set[tuple[str, UUID]] = set()
    for friend, (name, start, length) in zip(people, drawn, strict=True):
        # What Python's NFKC does to a part may differ from what it does to the whole:
        # compose the question from the whole name then.
        part = name[start : start + length]
        if any(character.isalnum() for character in name) and name.isprintable():
            wanted.add((name, friend.id))
        if part.isalnum() and part.isascii():
            wanted.add((part, friend.id))
    async with scope(shop.workspace_id) as session:
        session.add_all(people)
        await session.flush()
        asked = [
            select(literal(q), Contact.id).where(*await conditions(session, FriendFilter(q=q)))
            for q in {q for q, _ident in wanted}
        ]
        if asked:
            # So few people would be read whole, and the index not be asked at all.
            await session.execute(text("set local enable_seqscan = off"), execution_options=BY_HAND)
            found = await session.execute(union_all(*asked))
            assert wanted <= {(q, ident) for q, ident in found.all()}


async def test_filters_and_walls(shop: Shop, other_shop: Shop, channel: Channel) -> None:
    second = await make_channel(shop, name="二号店")
    theirs = await make_channel(other_shop)
    a = await make_friend(shop, channel, "a")
    await make_friend(shop, second, "b")
    blocked = await make_friend(shop, channel, "c")
    await make_friend(other_shop, theirs, "a")
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="VIP")
        session.add(tag)
        await session.flush()
        await add_tag(session, a.id, tag.id)
        [row] = (
            await session.execute(
                text("select line_user_id from contacts.friendship where contact_id = :id"),
                {"id": blocked.id},
                execution_options=BY_HAND,
            )
        ).all()
        await block(session, channel, row[0], at=T0 + timedelta(days=1))
    assert await names(shop) == ["a", "b", "c"]
    assert await names(shop, status="following") == ["a", "b"]
    assert await names(shop, status="blocked") == ["c"]
    assert await names(shop, channel=str(channel.id)) == ["a", "c"]
    assert await names(shop, channel=str(channel.id), status="following") == ["a"]
    assert await names(shop, tag=str(tag.id)) == ["a"]
    assert await names(shop, tag=str(tag.id), q="b") == []
    assert await names(other_shop, tag=str(tag.id)) == []
    assert await names(other_shop, channel=str(channel.id), status="following") == []
    assert await names(other_shop) == ["a"]


async def test_pages_are_whole_while_friends_arrive_and_leave(shop: Shop, channel: Channel) -> None:
    """Paging on never shows anybody twice, nor leaves out who was there from the start."""
    same_moment = T0
    first = [
        await make_friend(shop, channel, f"{number:02}", created_at=same_moment)
        for number in range(25)
    ]
    seen: list[UUID] = []
    after: str | None = None
    step = 0
    while True:
        async with scope(shop.workspace_id) as session:
            page = await find(session, FriendFilter(), after, 4)
        seen.extend(friend.contact.id for friend in page.friends)
        if page.next is None:
            break
        after = page.next
        step += 1
        await make_friend(shop, channel, f"new {step}", created_at=same_moment + timedelta(hours=1))
        async with scope(shop.workspace_id) as session:  # the mark itself may go away
            gone = await session.one(Contact, seen[-1])
            await session.delete(gone)
    assert len(seen) == len(set(seen)) == 25
    assert set(seen) == {friend.id for friend in first}


async def test_back_and_forth_shows_the_same_pages(shop: Shop, channel: Channel) -> None:
    for number in range(10):
        await make_friend(shop, channel, f"{number}", created_at=T0 + timedelta(minutes=number))
    async with scope(shop.workspace_id) as session:
        one = await find(session, FriendFilter(), None, 4)
        two = await find(session, FriendFilter(), one.next, 4)
        three = await find(session, FriendFilter(), two.next, 4)
        back = await find(session, FriendFilter(), None, 4, before=three.previous)
        first = await find(session, FriendFilter(), None, 4, before=back.previous)

    def ids(page: Any) -> list[UUID]:
        return [friend.contact.id for friend in page.friends]

    assert ids(back) == ids(two)
    assert ids(first) == ids(one)
    assert (one.previous, first.previous, three.next) == (None, None, None)
    assert back.next is not None


@pytest.mark.parametrize("mark", ["x", "====", "MjAyNg", "é", "a" * 500, "MjAyNi0xMS0yMXxub25l"])
def test_a_forged_page_mark_is_refused(mark: str) -> None:
    with pytest.raises(Invalid):
        read_cursor(mark)


async def fill(shop: Shop, channel: Channel, people: int) -> UUID:
    """Put many people in at once, of whom one in a hundred has the tag."""
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="百人に一人")
        session.add(tag)
        await session.flush()
        given = {"w": shop.workspace_id, "c": channel.id, "t": tag.id, "n": people}
        for statement in (
            """insert into contacts.contact (workspace_id, id, display_name, is_purchaser,
                   created_at, updated_at)
               select :w, gen_random_uuid(), chr(20000 + i % 5000) || chr(20000 + i / 20), false,
                   now() - make_interval(secs => i), now() from generate_series(1, :n) i""",
            # Or the connection may look each of them up as it did in a table of ten.
            "analyze contacts.contact",
            """insert into contacts.friendship (workspace_id, contact_id, channel_id,
                   line_user_id, status, followed_at)
               select :w, id, :c, id::text, 'following', created_at from contacts.contact""",
            """insert into contacts.contact_tag (workspace_id, contact_id, tag_id, at)
               select :w, id, :t, now() from contacts.contact where hashtext(id::text) % 100 = 0""",
        ):
            asked = text(statement)
            named = {name: given[name] for name in asked.compile().params}
            await session.execute(asked, named, execution_options=BY_HAND)
    async with scope(shop.workspace_id) as session:
        await session.execute(
            text("analyze contacts.contact, contacts.friendship, contacts.contact_tag"),
            execution_options=BY_HAND,
        )
    return tag.id


async def plan_of(shop: Shop, wanted: FriendFilter) -> tuple[int, dict[str, Any]]:
    """Return how many the first page shows, and how PostgreSQL came by them."""
    heard: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        heard.append((statement, given))

    async with scope(shop.workspace_id) as session:
        connection = (await session.connection()).sync_connection
        event.listen(connection, "before_cursor_execute", hear)
        found = await find(session, wanted)
        event.remove(connection, "before_cursor_execute", hear)
        statement, given = heard[0]
        raw = await raw_connection(session)
        rows = await raw.execute(f"explain (analyze, format json) {statement}", given)
        [[[plan]]] = await rows.fetchall()
    return len(found.friends), plan


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for below in plan.get("Plans", []) for node in nodes(below))]


async def test_many_friends_are_listed_by_index(shop: Shop, channel: Channel) -> None:
    # The fewer they are, the sooner PostgreSQL reads them all: what holds here holds for a million.
    tag_id = await fill(shop, channel, 15_000)
    for wanted, at_least in (
        (FriendFilter(), 50),
        (FriendFilter(status="following"), 50),
        (FriendFilter(status="following", channel=channel.id), 50),
        (FriendFilter(q="上亂"), 0),
        (FriendFilter(q="亂"), 20),
        (FriendFilter(tag=tag_id), 50),
        (FriendFilter(tag=tag_id, status="following"), 50),
    ):
        shown, plan = await plan_of(shop, wanted)
        assert shown >= at_least, wanted
        read_whole = [
            node
            for node in nodes(plan["Plan"])
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "contact"
        ]
        assert not read_whole, (wanted, plan)
        assert plan["Execution Time"] < 100, (wanted, plan)
