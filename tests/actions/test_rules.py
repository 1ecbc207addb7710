"""Rules: what runs, what is refused, and what one refusal leaves standing."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.actions import context, service
from hiiki.actions.checks import check_actions
from hiiki.actions.context import MAX_DEPTH, Context
from hiiki.actions.editor import change, drawable, open_editor
from hiiki.actions.models import Rule
from hiiki.actions.schemas import RuleIn
from hiiki.contacts.models import ContactTag, Tag
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionKind, Reaction, road
from hiiki.segments.asking import memberships
from hiiki.segments.models import Segment
from hiiki.workspace.models import Channel
from ingest.line_side import Person, make_channel, texts


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


async def make_tag(shop: Shop, name: str) -> UUID:
    async with scope(shop.workspace_id) as session:
        tag = Tag(name=name)
        session.add(tag)
        await session.flush()
        return tag.id


async def make_rule(shop: Shop, *actions: dict[str, Any], **more: Any) -> UUID:
    async with scope(shop.workspace_id) as session:
        given = {"name": "規則", "event_kind": "follow", "actions": list(actions)} | more
        return (await service.create_rule(session, RuleIn.model_validate(given))).id


async def tags_of(person: Person) -> set[str]:
    async with scope(person.channel.workspace_id) as session:
        query = select(Tag.name).join(ContactTag, ContactTag.tag_id == Tag.id)
        return set(await session.scalars(query.where(ContactTag.contact_id == person.contact_id)))


def say(text: str) -> dict[str, Any]:
    return {"kind": "send", "draft": {"blocks": [{"kind": "text", "text": text}]}}


def tag_add(tag_id: UUID | str) -> dict[str, Any]:
    return {"kind": "tag_add", "tag_id": str(tag_id)}


class _Nothing(BaseModel):
    """An action without parameters."""


@pytest.fixture
def broken() -> Any:
    """An action that has said and changed something before it refuses."""
    raised: list[Exception] = [Conflict(_("Sold out."))]

    async def run(context: Any, _params: Any) -> None:
        context.say([{"type": "text", "text": "たった今の言葉"}])
        context.session.add(Tag(name="半分"))
        await context.session.flush()
        raise raised[0]

    kinds = road().actions
    kinds["broken"] = ActionKind("broken", _("Broken"), "x", _Nothing, run)
    yield raised
    del kinds["broken"]


async def test_one_refusal_leaves_the_others(shop: Shop, channel: Channel, broken: Any) -> None:
    vip = await make_tag(shop, "VIP")
    rule_id = await make_rule(shop, say("一"), {"kind": "broken"}, tag_add(vip), say("二"))
    person = Person(channel)
    assert texts(await person.follow()) == ["一", "二"]
    assert await tags_of(person) == {"VIP"}
    events = await person.timeline()
    assert [event.kind for event in events] == ["follow", "action_failed", "tag_set"]
    failed = events[1]
    assert failed.data["error"] == "Sold out."
    assert failed.subject == f"rule:{rule_id}"
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(Tag).where(Tag.name == "半分")) is None
        rule = await session.one(Rule, rule_id)
        assert await service.failures(session, [rule]) == {rule_id: 1}


async def test_a_fault_of_the_program_undoes_everything(
    shop: Shop, channel: Channel, broken: Any
) -> None:
    broken[0] = RuntimeError("a fault")
    await make_rule(shop, say("一"), {"kind": "broken"})
    person = Person(channel)
    with pytest.raises(RuntimeError):
        await person.follow()
    assert await person.timeline() == []
    assert await person.hears() == []


async def test_an_action_that_is_gone(shop: Shop, channel: Channel) -> None:
    async with scope(shop.workspace_id) as session:
        actions = [{"kind": "from_the_future", "x": 1}, {"kind": "tag_add"}, say("はい")]
        session.add(Rule(name="古い", event_kind="follow", actions=actions))
    person = Person(channel)
    assert texts(await person.follow()) == ["はい"]
    assert len(await person.timeline("action_failed")) == 2


async def test_only_for_whom_it_is_meant(shop: Shop, channel: Channel) -> None:
    vip = await make_tag(shop, "VIP")
    async with scope(shop.workspace_id) as session:
        rule = {"kind": "tag", "op": "has", "tag_ids": [str(vip)]}
        segment = Segment(name="VIPの人", rule=rule)
        session.add(segment)
        await session.flush()
    await make_rule(shop, say("いつもありがとう"), event_kind="message", segment_id=segment.id)
    person = Person(channel)
    await person.follow()
    assert await person.types("やあ") == []
    async with scope(shop.workspace_id) as session:
        session.add(ContactTag(contact_id=person.contact_id, tag_id=vip))
    assert texts(await person.types("やあ")) == ["いつもありがとう"]


async def test_rules_run_in_their_order(shop: Shop, channel: Channel) -> None:
    for text in "一二三":
        await make_rule(shop, say(text))
    assert texts(await Person(channel).follow()) == ["一", "二", "三"]


async def test_an_answer_stops_the_rules_of_its_own_event_only(
    shop: Shop, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    async def answers(context: Any, event: Any) -> None:
        await context.emit("survey_finish", subject="x")
        context.say([{"type": "text", "text": "答え"}])
        context.answered = True

    async def later(context: Any, event: Any) -> None:
        heard.append("later")

    await make_rule(shop, say("規則"), event_kind="message")
    await make_rule(shop, say("完了"), event_kind="survey_finish")
    reactions = [Reaction("message", answers), Reaction("message", later)]
    monkeypatch.setitem(road().reactions, "message", reactions)
    person = Person(channel)
    await person.follow()
    assert texts(await person.types("やあ")) == ["完了", "答え"]
    assert heard == []


async def test_segments_are_asked_together_and_anew_when_a_rule_has_done_something(
    shop: Shop, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, met = await make_tag(shop, "新しい"), await make_tag(shop, "迎えた")
    async with scope(shop.workspace_id) as session:
        without = Segment(name="a", rule={"kind": "tag", "op": "has_not", "tag_ids": [str(new)]})
        having = Segment(name="b", rule={"kind": "tag", "op": "has", "tag_ids": [str(new)]})
        session.add_all([without, having])
    asked: list[int] = []

    async def counted(session: Any, ids: Any, people: Any) -> dict[UUID, set[UUID]]:
        asked.append(len(ids))
        return await memberships(session, ids, people)

    monkeypatch.setattr(context, "memberships", counted)
    for segment in (having, having, without):
        await make_rule(shop, say("いつも"), segment_id=segment.id)
    await make_rule(shop, tag_add(new), segment_id=without.id)
    await make_rule(shop, tag_add(met), segment_id=having.id)
    person = Person(channel)
    assert texts(await person.follow()) == ["いつも"]
    assert await tags_of(person) == {"新しい", "迎えた"}
    assert asked == [2, 2], "together, and once more behind the rule that put a tag on her"


async def test_a_circle_ends(shop: Shop, channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    async def again(context: Any, event: Any) -> None:
        await context.emit("survey_finish")

    person = Person(channel)
    await person.follow()
    reactions = [Reaction("survey_finish", again)]
    monkeypatch.setitem(road().reactions, "survey_finish", reactions)
    async with scope(shop.workspace_id) as session:
        await Context(session, person.contact_id, channel.id).emit("survey_finish")
    assert len(await person.timeline("survey_finish")) == MAX_DEPTH + 1


async def test_bad_rules_are_refused_at_their_fields(shop: Shop, other_shop: Shop) -> None:
    foreign = await make_tag(other_shop, "よその")
    given = {
        "name": "だめ",
        "event_kind": "unsend",
        "segment_id": "00000000-0000-7000-8000-000000000000",
        "topic_id": str(foreign),
        "actions": [tag_add(foreign), {"kind": "what"}, {"kind": "tag_add", "tag_id": "x"}],
    }
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Invalid) as caught:
            await service.create_rule(session, RuleIn.model_validate(given))
    assert set(caught.value.fields) == {
        "event_kind", "segment_id", "topic_id", "actions.0.tag_id", "actions.1.kind",
        "actions.2.tag_id",
    }  # fmt: skip
    for locale in ("ja", "en"):
        assert all(text.to(locale) for text in caught.value.fields.values())
    with pytest.raises(Invalid) as caught:
        parse(RuleIn, {"name": " ", "event_kind": "follow", "actions": []})
    assert set(caught.value.fields) == {"name", "actions"}


async def test_a_subject_must_exist(shop: Shop) -> None:
    given = {
        "name": "x",
        "event_kind": "survey_finish",
        "event_subject": "nothing",
        "actions": [say("x")],
    }
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Invalid) as caught:
            await service.create_rule(session, RuleIn.model_validate(given))
    assert set(caught.value.fields) == {"event_subject"}


async def test_what_a_rule_uses_is_known(shop: Shop) -> None:
    vip = await make_tag(shop, "VIP")
    rule_id = await make_rule(shop, tag_add(vip))
    async with scope(shop.workspace_id) as session:
        found = await road().usages(session, "tag", vip)
        assert [usage.url for usage in found] == [f"/rules/{rule_id}"]


async def test_the_wall(shop: Shop, other_shop: Shop) -> None:
    rule_id = await make_rule(shop, say("x"))
    async with scope(other_shop.workspace_id) as session:
        for forbidden in (service.duplicate_rule, service.delete_rule):
            with pytest.raises(NotFound):
                await forbidden(session, rule_id)
        assert (await service.list_rules(session)).rules == []


async def test_a_copy_is_off(shop: Shop, channel: Channel) -> None:
    rule_id = await make_rule(shop, say("やあ"))
    async with scope(shop.workspace_id) as session:
        assert not (await service.duplicate_rule(session, rule_id)).is_on
    assert texts(await Person(channel).follow()) == ["やあ"]


async def test_pages_of_rules(shop: Shop) -> None:
    made = [await make_rule(shop, say("x"), name=f"規則{n}") for n in range(5)]
    async with scope(shop.workspace_id) as session:
        first = await service.list_rules(session, limit=2)
        second = await service.list_rules(session, limit=2, after=first.next)
        third = await service.list_rules(session, limit=2, after=second.next)
        assert [r.id for page in (first, second, third) for r in page.rules] == made
        assert third.next is None
        assert [r.id for r in (await service.list_rules(session, search="規則3")).rules] == [
            made[3]
        ]


async def test_the_editor_draws_every_kind(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        editor = await open_editor(session)
        assert {kind.name for kind in editor.kinds} == set(road().actions)
        for kind in editor.kinds:
            assert [field.name for field in editor.fields[kind.name]] == list(
                kind.params.model_fields
            )
            needs = any(field.is_required() for field in kind.params.model_fields.values())
            assert bool(await check_actions(session, [{"kind": kind.name}])) == needs


def test_the_editors_buttons() -> None:
    actions = drawable([{"kind": "tag_add", "tag_id": "1"}, {"kind": "send"}, "nonsense"])
    assert [a["kind"] for a in change(actions, "up", 1)] == ["send", "tag_add"]
    assert [a["kind"] for a in change(actions, "down", 0)] == ["send", "tag_add"]
    assert [a["kind"] for a in change(actions, "remove", 0)] == ["send"]
    assert [a["kind"] for a in change(actions, "add", 0, "survey_start")][-1] == "survey_start"
    for do, at in (("up", 0), ("down", 1), ("remove", 9), ("add", 0), ("dance", 0)):
        assert change(actions, do, at) == actions


async def test_two_at_once(shop: Shop, channel: Channel) -> None:
    """Rules made at the same moment have each a place; none is lost."""
    await asyncio.gather(*(make_rule(shop, say(str(n)), name=str(n)) for n in range(5)))
    assert sorted(texts(await Person(channel).follow())) == list("01234")
