"""The conversation, from the first question to the coupon, as people really answer."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.actions.models import Rule
from hiiki.contacts.models import Attribute, ContactAttribute, ContactTag, Tag
from hiiki.surveys import service
from hiiki.surveys.models import Response, Survey
from hiiki.surveys.schemas import SurveySpec
from hiiki.workspace.models import Channel
from ingest.line_side import Person, actions_in, deliver, drain, make_channel, tap_of, texts


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    return await make_channel(shop.workspace_id)


def tag_with(tag: Tag) -> dict[str, Any]:
    return {"kind": "tag_add", "tag_id": str(tag.id)}


async def curry(shop: Shop, **changes: Any) -> UUID:
    """A live survey that starts when somebody adds the account."""
    async with scope(shop.workspace_id) as session:
        tags = {name: Tag(name=name) for name in ("甘口", "辛口", "完了")}
        age = Attribute(key="age", label="年齢", kind="number")
        toppings = Attribute(
            key="toppings", label="トッピング", kind="choices", choices=["チーズ", "卵", "納豆"]
        )
        session.add_all([*tags.values(), age, toppings])
        await session.flush()
        spec: dict[str, Any] = {
            "name": "お好み",
            "intro": "3問です。",
            "thanks": "ありがとうございました。",
            "questions": [
                {
                    "kind": "choice",
                    "title": "辛さは?",
                    "choices": [
                        {
                            "label": name,
                            "actions": [{"kind": "tag_add", "tag_id": str(tags[name].id)}],
                        }
                        for name in ("甘口", "辛口")
                    ],
                },
                {
                    "kind": "choices",
                    "title": "トッピングは?",
                    "attribute_id": toppings.id,
                    "choices": [{"label": label} for label in ("チーズ", "卵", "納豆")],
                },
                {"kind": "number", "title": "年齢は?", "attribute_id": age.id},
            ],
            "finish_actions": [tag_with(tags["完了"])],
        }
        survey = await service.create_survey(session, SurveySpec.model_validate(spec | changes))
        await service.publish(session, survey.id)
        session.add(
            Rule(
                name="あいさつ",
                event_kind="follow",
                actions=[{"kind": "survey_start", "survey_id": str(survey.id)}],
            )
        )
    return survey.id


async def tags_of(person: Person) -> set[str]:
    async with scope(person.channel.workspace_id) as session:
        found = await session.scalars(
            select(Tag.name)
            .join(ContactTag, ContactTag.tag_id == Tag.id)
            .where(ContactTag.contact_id == person.contact_id)
        )
        return set(found)


async def test_a_whole_survey(shop: Shop, channel: Channel) -> None:
    survey_id = await curry(shop)
    person = Person(channel)
    first = await person.follow()
    assert texts(first) == ["3問です。", "辛さは?"]
    assert [a["label"] for a in actions_in(first)] == ["甘口", "辛口"]
    second = await person.taps(first, "甘口")
    assert texts(second) == ["トッピングは?"]
    picked = await person.taps(second, "卵")
    assert "卵" in texts(picked)[0]
    assert [a["label"] for a in actions_in(picked)] == ["チーズ", "✓ 卵", "納豆", "これで決定"]
    picked = await person.taps(picked, "チーズ")
    picked = await person.taps(picked, "✓ 卵")
    third = await person.taps(picked, "これで決定")
    assert texts(third) == ["年齢は?"]
    last = await person.types("３２歳です"[:3])
    assert texts(last) == ["ありがとうございました。"]
    assert await tags_of(person) == {"甘口", "完了"}
    answers = await person.timeline("survey_answer")
    assert [a.data["labels"] for a in answers] == [["甘口"], ["チーズ"], []]
    assert answers[2].value == 32
    assert [e.kind for e in await person.timeline("survey_start", "survey_finish")] == [
        "survey_start",
        "survey_finish",
    ]
    assert all(str(survey_id) == a.data["survey_id"] for a in answers)
    async with scope(shop.workspace_id) as session:
        kept = list(await session.scalars(select(ContactAttribute)))
    assert {(k.number, tuple(k.choices or ())) for k in kept} == {(32, ()), (None, ("チーズ",))}


async def test_double_taps_and_redeliveries_change_nothing(shop: Shop, channel: Channel) -> None:
    await curry(shop)
    person = Person(channel)
    first = await person.follow()
    tap = person.event("postback", **tap_of(first, "甘口"))
    again = person.event("postback", **tap_of(first, "甘口"))
    assert await deliver(channel, tap) == 1
    redelivered = tap | {"deliveryContext": {"isRedelivery": True}}
    assert await deliver(channel, redelivered, tap) == 0
    assert await deliver(channel, again) == 1
    assert await drain() == 2
    assert texts(await person.hears()) == ["トッピングは?"]
    assert len(await person.timeline("survey_answer")) == 1


async def test_another_answer_to_an_earlier_question(shop: Shop, channel: Channel) -> None:
    await curry(shop)
    person = Person(channel)
    first = await person.follow()
    await person.taps(first, "甘口")
    said = await person.taps(first, "辛口")
    assert texts(said)[1] == "トッピングは?"
    assert await tags_of(person) == {"甘口"}
    assert len(await person.timeline("survey_answer")) == 1


async def test_nonsense_is_asked_again_twice_and_then_left(shop: Shop, channel: Channel) -> None:
    await curry(shop)
    person = Person(channel)
    await person.follow()
    for _ in range(2):
        said = texts(await person.types("ああああ"))
        assert len(said) == 2
        assert said[1] == "辛さは?"
    assert await person.types("営業時間は?") == []
    assert await person.does("message", message={"id": "1", "type": "sticker"}) == []
    # Somebody who comes back to it is still understood.
    assert texts(await person.types(" 辛口 ")) == ["トッピングは?"]
    assert texts(await person.types("チーズ、納豆"))[0].endswith("チーズ、納豆")
    assert texts(await person.types("これで決定")) == ["年齢は?"]
    assert texts(await person.types("ないしょ"))[1] == "年齢は?"
    assert texts(await person.types("二十歳"))[1] == "年齢は?"
    assert texts(await person.types("２５歳")) == ["ありがとうございました。"]


async def test_done_without_a_choice(shop: Shop, channel: Channel) -> None:
    await curry(shop)
    person = Person(channel)
    second = await person.taps(await person.follow(), "甘口")
    said = await person.taps(second, "これで決定")
    assert texts(said)[1] == "トッピングは?"
    assert len(await person.timeline("survey_answer")) == 1


async def finish(person: Person) -> list[dict[str, Any]]:
    said = await person.taps(await person.follow(), "甘口")
    said = await person.taps(said, "卵")
    said = await person.taps(said, "これで決定")
    return await person.types("40")


async def test_what_finishing_is_worth_comes_once(shop: Shop, channel: Channel) -> None:
    survey_id = await curry(shop)
    person = Person(channel)
    await finish(person)
    async with scope(shop.workspace_id) as session:
        [tag_id] = await session.scalars(select(Tag.id).where(Tag.name == "完了"))
        await session.delete(await session.one(ContactTag, (person.contact_id, tag_id)))
    await finish(person)
    assert "完了" not in await tags_of(person)
    finished = await person.timeline("survey_finish")
    assert [e.data["is_first"] for e in finished] == [True, False]
    async with scope(shop.workspace_id) as session:
        states = await session.scalars(
            select(Response.state).where(Response.survey_id == survey_id)
        )
        assert list(states) == ["finished", "finished"]


async def test_a_button_after_the_end(shop: Shop, channel: Channel) -> None:
    await curry(shop)
    person = Person(channel)
    first = await person.follow()
    second = await person.taps(first, "甘口")
    await person.taps(second, "卵")
    await person.taps(second, "これで決定")
    await person.types("40")
    assert await person.taps(first, "甘口") == []
    assert texts(await person.taps(first, "辛口")) == [
        "このアンケートにはすでにお答えいただいています。ありがとうございました。"
    ]


async def test_a_survey_that_was_closed_or_deleted(shop: Shop, channel: Channel) -> None:
    survey_id = await curry(shop)
    person, other = Person(channel), Person(channel)
    first = await person.follow()
    async with scope(shop.workspace_id) as session:
        await service.close(session, survey_id)
    ended = "このアンケートは終了しました。ご協力ありがとうございました。"
    assert texts(await person.taps(first, "甘口")) == [ended]
    assert await person.types("甘口") == []
    assert await other.follow() == []
    assert [e.kind for e in await other.timeline()] == ["follow", "action_failed"]
    async with scope(shop.workspace_id) as session:
        await session.delete(await session.one(Survey, survey_id))
    assert texts(await person.taps(first, "甘口")) == [ended]


async def test_an_edited_survey_goes_on_by_ids(shop: Shop, channel: Channel) -> None:
    survey_id = await curry(shop)
    person, other = Person(channel), Person(channel)
    first = await person.follow()
    await other.taps(await other.follow(), "甘口")
    async with scope(shop.workspace_id) as session:
        spec = await service.spec_of(session, await session.one(Survey, survey_id))
        spec.questions[0].choices[0].label = "とても甘口"
        spec.questions[0].title = "お好みの辛さは?"
        del spec.questions[1]
        await service.update_survey(
            session, survey_id, SurveySpec.model_validate(spec.model_dump())
        )
    assert texts(await person.taps(first, "甘口")) == ["年齢は?"]
    [answer] = await person.timeline("survey_answer")
    assert answer.data["labels"] == ["とても甘口"]
    # The question that waited is gone: the next one that is left is put.
    assert texts(await other.types("チーズ")) == ["年齢は?"]
    assert texts(await other.types("50")) == ["ありがとうございました。"]


async def test_branches_and_dates(shop: Shop, channel: Channel) -> None:
    await curry(
        shop,
        intro="",
        questions=[
            {
                "kind": "choice",
                "title": "ご結婚は?",
                "presentation": "buttons",
                "choices": [
                    {"label": "予定あり", "next": "when"},
                    {"label": "予定なし", "next": "end"},
                    {"label": "わからない"},
                ],
            },
            {"kind": "text", "title": "なぜですか?"},
            {"id": "when", "kind": "date", "title": "いつですか?"},
        ],
    )
    planned, never, unsure = (Person(channel) for _ in range(3))
    first = await planned.follow()
    assert first[0]["template"]["type"] == "buttons"
    when = await planned.taps(first, "予定あり")
    assert texts(when) == ["いつですか?"]
    assert actions_in(when)[0]["type"] == "datetimepicker"
    assert texts(await planned.taps(when, "日付を選ぶ", date="2027-05-03")) == [
        "ありがとうございました。"
    ]
    assert (await planned.timeline("survey_answer"))[1].data["date"] == "2027-05-03"
    assert texts(await never.taps(await never.follow(), "予定なし")) == ["ありがとうございました。"]
    assert texts(await unsure.taps(await unsure.follow(), "わからない")) == ["なぜですか?"]
    assert texts(await unsure.types("相手がいない")) == ["いつですか?"]
    assert texts(await unsure.types("令和9年5月3日")) == ["ありがとうございました。"]
    assert (await unsure.timeline("survey_answer"))[2].data["date"] == "2027-05-03"


async def test_starting_again_puts_the_open_question(shop: Shop, channel: Channel) -> None:
    await curry(shop)
    person = Person(channel)
    await person.taps(await person.follow(), "甘口")
    assert texts(await person.follow()) == ["トッピングは?"]
    assert len(await person.timeline("survey_start")) == 1


async def test_a_rule_does_not_answer_beside_the_survey(shop: Shop, channel: Channel) -> None:
    await curry(shop)
    async with scope(shop.workspace_id) as session:
        reply = {"blocks": [{"kind": "text", "text": "メッセージありがとうございます。"}]}
        session.add(
            Rule(name="返事", event_kind="message", actions=[{"kind": "send", "draft": reply}])
        )
    person, stranger = Person(channel), Person(channel)
    await person.follow()
    assert texts(await person.types("甘口")) == ["トッピングは?"]
    assert texts(await stranger.types("こんにちは")) == ["メッセージありがとうございます。"]


async def test_one_person_on_two_accounts_at_once(shop: Shop, channel: Channel) -> None:
    """Two accounts of one provider share the contact: the last answer counts once."""
    await curry(shop)
    second = await make_channel(shop.workspace_id)
    person = Person(channel)
    elsewhere = Person(second, user_id=person.user_id)
    assert elsewhere.contact_id == person.contact_id
    said = await person.follow()
    await elsewhere.does("message", message={"id": "9", "type": "text", "text": "?"})
    said = await person.taps(said, "甘口")
    picked = await person.taps(said, "卵")
    done = tap_of(picked, "これで決定")
    await person.taps(picked, "これで決定")
    await deliver(channel, person.event("postback", **done))
    await deliver(second, elsewhere.event("postback", **done))
    await asyncio.gather(drain(), drain())
    answers = await person.timeline("survey_answer")
    assert len(answers) == 2
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Response)) == 1


async def test_unsend_takes_the_answer_back_too(shop: Shop, channel: Channel) -> None:
    await curry(shop, questions=[{"kind": "text", "title": "ご意見は?"}])
    person = Person(channel)
    await person.follow()
    await person.does("message", message={"id": "777", "type": "text", "text": "秘密です"})
    await person.does("unsend", unsend={"messageId": "777"})
    for event in await person.timeline("message", "survey_answer"):
        assert "text" not in event.data
        assert event.data["unsent"] is True
