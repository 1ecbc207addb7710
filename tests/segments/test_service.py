"""Segments in a workspace: membership, audiences, counts, objections, usages, sentences."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from conftest import Shop
from hiiki.contacts.models import (
    Attribute,
    ContactAttribute,
    Friendship,
)
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.road import road
from hiiki.rooms import registry
from hiiki.segments import service
from hiiki.segments.models import Segment
from hiiki.segments.rules import dump_rule, read_rule
from hiiki.surveys.models import Question, Survey
from hiiki.timeline import record
from hiiki.workspace.models import Channel

from .making import both, channel, either, has, person, save, tag

assert registry


async def objections(session: WorkspaceSession, rule: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        await service.check(session, read_rule(rule))
    return {path: text.to("en") for path, text in caught.value.fields.items()}


async def test_an_or_never_counts_another_shops_friends(shop: Shop, other_shop: Shop) -> None:
    """The mistake of others: `account = mine AND a OR b` counts everybody's b."""
    async with scope(other_shop.workspace_id) as session:
        theirs = await tag(session, "辛口")
        account = await channel(session, "theirs")
        stranger = await person(session, "stranger", theirs, follows=account)
    async with scope(shop.workspace_id) as session:
        mine = await tag(session, "甘口")
        account = await channel(session, "mine")
        friend = await person(session, "friend", mine, follows=account)
        rule = either(
            has(mine), has(theirs), {"kind": "friendship"}, {"kind": "not", "rule": has(theirs)}
        )
        assert await service.count(session, read_rule(rule)) == service.Count(1, 1)
        assert await service.count(session, read_rule(has(theirs))) == service.Count(0, 0)
        outside = read_rule({"kind": "not", "rule": has(theirs)})
        assert [each.id for each in await service.sample(session, outside)] == [friend]
        segment = await save(session, "any", either(has(mine), both(has(mine, op="has_not"))))
        assert await service.contains(session, segment.id, friend)
        assert not await service.contains(session, segment.id, stranger)


async def test_an_audience_is_asked_of_a_statement_about_friends(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        one, two = await channel(session, "渋谷"), await channel(session, "上野")
        here = await person(session, "here", mild, follows=one)
        await person(session, "elsewhere", mild, follows=two)
        await person(session, "blocked", mild, blocked=one)
        other = await person(session, "no tag", follows=one)
        moved = await person(session, "moved", mild, follows=two, blocked=one)
        segment = await save(session, "甘口", both(has(mild)))

        async def ids(segment_id: UUID | None, account: Channel) -> set[UUID]:
            meant = (await service.audience(session, segment_id))(Friendship.__table__.c.contact_id)
            friends = select(Friendship.contact_id).where(
                Friendship.channel_id == account.id, Friendship.status == "following", *meant
            )
            return set(await session.scalars(friends))

        assert await ids(segment.id, one) == {here}
        assert await ids(None, one) == {here, other}
        assert moved in await ids(segment.id, two)
        rule = read_rule(segment.rule)
        assert await service.count(session, rule) == service.Count(members=4, reachable=3)
        assert await service.count(session, rule, one.id) == service.Count(members=4, reachable=1)


async def test_a_person_who_follows_two_accounts_is_one_person(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        one, two = await channel(session, "渋谷"), await channel(session, "上野")
        ident = await person(session, "both", follows=one)
        session.add(
            Friendship(contact_id=ident, channel_id=two.id, line_user_id="u", status="following")
        )
        await session.flush()
        rule = read_rule({"kind": "everyone"})
        assert await service.count(session, rule) == service.Count(1, 1)


async def test_an_unknown_age_is_neither_above_nor_below(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        age = Attribute(key="age", label="年齢", kind="number")
        session.add(age)
        await session.flush()
        young, old, unknown = [await person(session, name) for name in ("20", "40", "?")]
        for ident, years in ((young, 20), (old, 40)):
            session.add(ContactAttribute(contact_id=ident, attribute_id=age.id, number=years))
        await session.flush()

        def above(**more: Any) -> dict[str, Any]:
            test = {"op": "number_above", "number": 30}
            return {"kind": "attribute", "attribute_id": str(age.id), "test": test, **more}

        async def who(rule: dict[str, Any]) -> set[UUID]:
            return {each.id for each in await service.sample(session, read_rule(rule))}

        negated = {"kind": "not", "rule": above()}
        assert await who(above()) == {old}
        assert await who(negated) == {young}
        assert await who({**negated, "or_unknown": True}) == {young, unknown}
        assert await who(above(or_unknown=True)) == {old, unknown}
        assert await who({"kind": "not", "rule": above(or_unknown=True)}) == {young}
        assert await who({"kind": "not", "rule": negated}) == {old}
        everybody = {"kind": "everyone"}
        assert await who(either(above(), everybody)) == {young, old, unknown}
        assert await who({"kind": "not", "rule": either(above(), negated)}) == set()


# --- objections -------------------------------------------------------------------------


async def test_what_is_deleted_or_foreign_is_objected_to_at_its_field(
    shop: Shop, other_shop: Shop
) -> None:
    async with scope(other_shop.workspace_id) as session:
        foreign = await tag(session, "辛口")
        foreign_segment = await save(session, "theirs", has(foreign))
        foreign_channel = await channel(session, "theirs")
    gone = str(uuid4())
    test = {"op": "known"}
    async with scope(shop.workspace_id) as session:
        mine = await tag(session, "甘口")
        found = await objections(
            session,
            both(
                has(mine),
                has(mine, foreign),
                {"kind": "not", "rule": {"kind": "segment", "segment_id": str(foreign_segment.id)}},
                {"kind": "attribute", "attribute_id": gone, "test": test},
                either({"kind": "friendship", "channel_id": str(foreign_channel.id)}),
                {"kind": "answer", "question_id": gone, "op": "answered"},
                {"kind": "event", "event": "teleported"},
                {"kind": "event", "event": "survey_finish", "subject": gone},
            ),
        )
    assert found == {
        "rules.1.tag_ids": "This tag no longer exists. Please choose another.",
        "rules.2.rule.segment_id": "This segment no longer exists. Please choose another.",
        "rules.3.attribute_id": "This attribute no longer exists. Please choose another.",
        "rules.4.rules.0.channel_id": "This account no longer exists. Please choose another.",
        "rules.5.question_id": "This question no longer exists. Please choose another.",
        "rules.6.event": "There is no such kind of event. Please choose another.",
        "rules.7.subject": "What this is about no longer exists. Please choose another.",
    }


async def test_a_comparison_has_to_suit_the_kind_of_value(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        kinds = {}
        for kind in ("text", "number", "date", "choice", "choices"):
            kinds[kind] = Attribute(key=kind, label=kind, kind=kind, choices=["a", "b"])
            session.add(kinds[kind])
        await session.flush()
        tests: dict[str, dict[str, Any]] = {
            "text": {"op": "text_contains", "text": "x"},
            "number": {"op": "number_between", "low": 1, "high": 2},
            "date": {"op": "day_month", "month": 2},
            "choice": {"op": "choice_any", "choices": ["a"]},
            "choices": {"op": "choices_all", "choices": ["a", "b"]},
        }
        for kind, attribute in kinds.items():
            for suited, test in tests.items():
                rule = {"kind": "attribute", "attribute_id": str(attribute.id), "test": test}
                if kind == suited:
                    await service.check(session, read_rule(rule))
                    await service.count(session, read_rule(rule))
                else:
                    assert "test.op" in await objections(session, rule)
        rule = {"kind": "attribute", "attribute_id": str(kinds["choice"].id)}
        test = {"op": "choice_any", "choices": ["a", "gone"]}
        assert "test.choices" in await objections(session, {**rule, "test": test})
        flag: dict[str, Any] = {"kind": "profile", "field": "is_purchaser", "test": tests["text"]}
        assert "test.op" in await objections(session, flag)


async def test_a_question_and_its_choices_have_to_be_there(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        survey = Survey(name="お好み")
        session.add(survey)
        await session.flush()
        question = Question(
            survey_id=survey.id,
            position=0,
            kind="choice",
            title="辛さは？",
            choices=[{"id": "c1", "label": "甘口", "actions": []}],
        )
        session.add(question)
        await session.flush()
        ident = await person(session, "someone")
        record(session, ident, "survey_answer", subject=question.id, data={"choice_ids": ["c1"]})
        await session.flush()
        rule = {"kind": "answer", "question_id": str(question.id), "choice_ids": ["c1"]}
        await service.check(session, read_rule(rule))
        assert await service.count(session, read_rule(rule)) == service.Count(1, 0)
        said = await service.explain(session, read_rule(rule))
        assert said.to("ja") == "質問「辛さは？」の最新の回答が「甘口」である人。"
        assert "choice_ids" in await objections(session, {**rule, "choice_ids": ["c9"]})
        [used] = await road().usages(session, "question", question.id) or [None]
        assert used is None
        segment = await save(session, "甘口", rule)
        [used] = await road().usages(session, "question", question.id)
        assert used.url == f"/segments/{segment.id}"


async def test_circles_are_refused_however_long(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        first = await save(session, "1", {"kind": "everyone"})

        def inside(segment: Segment) -> dict[str, Any]:
            return {"kind": "segment", "segment_id": str(segment.id)}

        second = await save(session, "2", both(inside(first)))
        third = await save(session, "3", {"kind": "not", "rule": inside(second)})
        for target in (first, second, third):
            with pytest.raises(Invalid) as caught:
                await save(session, "1", either({"kind": "everyone"}, inside(target)), first)
            assert list(caught.value.fields) == ["rule.rules.1.segment_id"]
        await session.refresh(first)
        assert first.rule == {"kind": "everyone"}


async def test_two_people_cannot_close_a_circle_at_once(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        ids = [(await save(session, name, {"kind": "everyone"})).id for name in ("a", "b")]

    async def point(one: UUID, other: UUID) -> bool:
        async with scope(shop.workspace_id) as session:
            segment = await session.one(Segment, one)
            await asyncio.sleep(0.05)
            rule = {"kind": "segment", "segment_id": str(other)}
            try:
                await save(session, segment.name, rule, segment)
            except Invalid:
                return False
            return True

    assert sorted(await asyncio.gather(point(*ids), point(*reversed(ids)))) == [False, True]


async def test_a_circle_made_by_hand_ends_in_words_and_contains_nobody(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        ident = await person(session, "someone")
        segment = await save(session, "a", {"kind": "everyone"})
        rule = {"kind": "segment", "segment_id": str(segment.id)}
        await session.execute(update(Segment).values(rule=rule))
        with pytest.raises(Invalid):
            await service.count(session, read_rule(rule))
        assert not await service.contains(session, segment.id, ident)


async def test_a_segment_that_lost_its_tag_is_sent_to_nobody(shop: Shop) -> None:
    """Deleting the tag is refused; whoever deletes it by hand must not reach everybody."""
    async with scope(shop.workspace_id) as session:
        account = await channel(session, "渋谷")
        mild = await tag(session, "甘口")
        await person(session, "friend", follows=account)
        segment = await save(session, "not mild", has(mild, op="has_not"))
        assert [use.label for use in await road().usages(session, "tag", mild.id)] == [
            "セグメント「not mild」"
        ]
        await session.delete(mild)
        await session.flush()
        with pytest.raises(Invalid) as caught:
            await service.audience(session, segment.id)
        assert list(caught.value.fields) == ["tag_ids"]
        with pytest.raises(NotFound):
            await service.audience(session, uuid4())


async def test_rules_the_code_cannot_read_do_no_harm(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        ident = await person(session, "someone")
        mild = await tag(session, "甘口")
        segment = Segment(name="odd", rule={"kind": "zodiac", "tag": str(mild.id)})
        session.add(segment)
        await session.flush()
        assert not await service.contains(session, segment.id, ident)
        assert not await service.contains(session, uuid4(), ident)
        assert await road().usages(session, "tag", mild.id) == []
        assert await service.segments_of(session, ident) == []


async def test_a_segment_in_use_stays(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        inner = await save(session, "inner", {"kind": "everyone"})
        outer = await save(session, "outer", {"kind": "segment", "segment_id": str(inner.id)})
        with pytest.raises(Conflict) as caught:
            await service.delete(session, inner)
        assert "outer" in caught.value.message.to("en")
        await service.delete(session, outer)
        await session.flush()
        await service.delete(session, inner)


async def test_names_are_one_segments_each(shop: Shop, other_shop: Shop) -> None:
    async with scope(other_shop.workspace_id) as session:
        await save(session, "甘口", {"kind": "everyone"})
    async with scope(shop.workspace_id) as session:
        segment = await save(session, "甘口", {"kind": "everyone"})
        await save(session, "甘口", {"kind": "everyone"}, segment)
        with pytest.raises(Invalid) as caught:
            await save(session, "甘口", {"kind": "everyone"})
        assert list(caught.value.fields) == ["name"]


async def test_each_thing_that_a_condition_names_is_found_as_used(shop: Shop) -> None:
    ident, account = uuid4(), uuid4()
    deed = {"event": "link_open", "subject": str(ident), "channel_id": str(account)}
    period = {"kind": "after_event", "event": "link_open", "subject": str(ident)}
    rules: list[tuple[str, dict[str, Any]]] = [
        ("link", {"kind": "event", **deed}),
        ("link", {"kind": "first_or_last", **deed, "period": {"kind": "recent", "days": 1}}),
        ("link", {"kind": "sequence", "first": {"event": "message"}, "then": deed}),
        ("link", {"kind": "event", "event": "message", "period": period}),
        ("coupon", {"kind": "message", "did": "coupon_used", "about": "coupon"}),
        ("broadcast", {"kind": "message", "did": "clicked", "about": "broadcast"}),
        ("broadcast", {"kind": "event", "event": "sent", "subject": f"broadcast:{ident}"}),
        ("list", {"kind": "list", "list_id": str(ident)}),
    ]
    async with scope(shop.workspace_id) as session:
        for n, (kind, rule) in enumerate(rules):
            about = {"about_id": str(ident)} if rule["kind"] == "message" else {}
            whole = read_rule({"kind": "not", "rule": {**rule, **about}})
            session.add(Segment(name=f"{n}", rule=dump_rule(whole)))
            await session.flush()
            for asked in ("link", "coupon", "broadcast", "list", "tag"):
                names = {use.label for use in await service.uses(session, asked, ident)}
                assert (f"セグメント「{n}」" in names) == (asked == kind), (rule, asked)
        at = await service.uses(session, "channel", account)
        assert len(at) == 3
