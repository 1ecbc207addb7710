"""Reading answers, drawing questions within LINE's limits, refusing what cannot be."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.contacts.models import Attribute, Tag
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.rooms import registry
from hiiki.surveys import answers, drafts, results, service
from hiiki.surveys.models import Survey
from hiiki.surveys.present import Asked, ask, ask_further, read_tap, spread, tap_data
from hiiki.surveys.ready import ready_spec
from hiiki.surveys.schemas import SurveySpec
from ingest.line_side import Person, actions_in, make_channel
from line_emulator.validation import problem
from line_emulator.validation.requests import PUSH


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("25", 25), ("２５", 25), (" 25歳 ", 25), ("1,000円", 1000), ("２万円", 20000),
        ("1.5万", 15000), ("-3", -3), ("約30", 30), ("３０代", 30), ("0", 0),
        ("", None), ("二十", None), ("25と30", None), ("12-34", None), ("9" * 40, None),
        ("¥", None),
    ],
)  # fmt: skip
def test_numbers(typed: str, number: int | None) -> None:
    assert answers.number(typed) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-11-21", date(2026, 11, 21)), ("２０２６／１１／２１", date(2026, 11, 21)),
        ("2026年1月2日", date(2026, 1, 2)), ("20261121", date(2026, 11, 21)),
        ("平成5年3月2日", date(1993, 3, 2)), ("令和元年5月1日", date(2019, 5, 1)),
        ("S60.1.2", date(1985, 1, 2)), ("ｈ５／３／２", date(1993, 3, 2)),
        ("2026-02-30", None), ("11月21日", None), ("あした", None), ("", None),
        ("令和99999年1月1日", None),
    ],
)  # fmt: skip
def test_dates(typed: str, day: date | None) -> None:
    assert answers.day(typed) == day


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_fault(typed: str) -> None:
    choices = [{"id": "a", "label": "甘口"}, {"id": "b", "label": "辛口"}]
    answers.number(typed)
    answers.day(typed)
    answers.one_of(choices, typed)
    answers.several_of(choices, typed)


def test_choices_typed() -> None:
    choices = [{"id": "a", "label": "甘口"}, {"id": "b", "label": "Medium"}]
    assert answers.one_of(choices, " ＭＥＤＩＵＭ ") == choices[1]
    assert answers.one_of(choices, "１") == choices[0]
    assert answers.one_of(choices, "3") is None
    assert answers.several_of(choices, "甘口、medium") == choices
    assert answers.several_of(choices, "甘口、激辛") == []
    numbers = [{"id": "a", "label": "1回"}, {"id": "b", "label": "0回"}]
    assert answers.one_of(numbers, "1") is None, "the label may be meant, or the place"


def refusal(messages: list[dict[str, Any]]) -> Any:
    """What LINE would say against these messages; None when it takes them."""
    return problem(PUSH, {"to": "U" + "0" * 32, "messages": messages})


def question(kind: str, presentation: str, count: int, title: str = "どれですか?") -> Asked:
    choices = [{"id": f"c{n}", "label": "選択肢" + "あ" * 13 + f"{n:02}"} for n in range(count)]
    return Asked(uuid4(), uuid4(), kind, title, presentation, choices)


@pytest.mark.parametrize("kind", ["choice", "choices"])
@pytest.mark.parametrize("presentation", ["quick_reply", "buttons", "carousel"])
@pytest.mark.parametrize("count", [*range(2, 31)])
def test_every_number_of_choices_is_sendable(kind: str, presentation: str, count: int) -> None:
    """Whatever is chosen in the editor, LINE takes it, and every choice can be tapped."""
    asked = question(kind, presentation, count)
    messages = ask(asked, "ja")
    assert refusal(messages) is None
    tappable = [read_tap(action["data"]) for action in actions_in(messages)]
    assert {tap.choice_id for tap in tappable if tap} >= {f"c{n}" for n in range(count)}
    assert len(tappable) == count + (kind == "choices")
    picked = Asked(**{**{n: getattr(asked, n) for n in asked.__slots__}, "picked": ["c0"]})
    assert refusal(ask_further(picked, "ja")) is None


def test_long_questions_are_sendable() -> None:
    for presentation, length in (("buttons", 160), ("carousel", 110), ("quick_reply", 5000)):
        for kind in ("choice", "choices", "date", "text", "number"):
            messages = ask(question(kind, presentation, 4, "あ" * length), "ja")
            if presentation == "buttons" or kind != "date" or length <= 160:
                assert refusal(messages) is None, (presentation, kind)
    assert refusal(ask(question("choice", "quick_reply", 20, "あ" * 5000), "en")) is None


@given(st.integers(1, 30))
def test_columns_are_even(count: int) -> None:
    assert sum(columns * each for columns, each in spread(count)) == count
    assert all(columns <= 10 and 1 <= each <= 3 for columns, each in spread(count))


def test_tap_data_is_short_and_comes_back() -> None:
    asked = question("choice", "buttons", 2)
    data = tap_data(asked, "abcdefghijkl", pick=False)
    assert len(data) <= 300
    tap = read_tap(data)
    assert tap is not None
    assert (tap.survey_id, tap.question_id, tap.pick) == (asked.survey_id, asked.id, False)
    for foreign in ("", "storeId=1", "survey=x&q=y", "survey=&q=", "survey=%00", "a" * 300):
        assert read_tap(foreign) is None


def spec(**changes: Any) -> dict[str, Any]:
    asked = {"kind": "choice", "title": "?", "choices": [{"label": "a"}, {"label": "b"}]}
    return {"name": "s", "questions": [asked]} | changes


async def refused(shop: Shop, wanted: dict[str, Any]) -> set[str]:
    """Return at which fields a survey is refused; both languages must have the words."""
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Invalid) as caught:  # noqa: PT012 — at either step
            survey = await service.create_survey(session, parse(SurveySpec, wanted))
            await service.publish(session, survey.id)
    for text in caught.value.fields.values():
        assert text.to("ja") != text.to("en")
    return set(caught.value.fields)


async def test_no_question(shop: Shop) -> None:
    assert await refused(shop, spec(questions=[])) == {"questions"}


async def test_what_line_does_not_take(shop: Shop, other_shop: Shop) -> None:
    async with scope(other_shop.workspace_id) as session:
        foreign = Tag(name="よその")
        session.add(foreign)
    async with scope(shop.workspace_id) as session:
        text_field = Attribute(key="t", label="メモ", kind="text")
        choice_field = Attribute(key="c", label="色", kind="choice", choices=["赤"])
        session.add_all([text_field, choice_field])

    def one(**asked: Any) -> dict[str, Any]:
        return spec(questions=[spec()["questions"][0] | asked])

    two = [{"label": "a"}, {"label": "b"}]
    five = [{"label": str(n)} for n in range(5)]
    theirs = {"kind": "tag_add", "tag_id": str(foreign.id)}
    here = "questions.0"
    for wanted, fields in (
        (one(title=" "), {f"{here}.title"}),
        (one(title="あ" * 5001), {f"{here}.title"}),
        (one(title="あ" * 161, presentation="buttons"), {f"{here}.title"}),
        (one(title="あ" * 111, presentation="carousel"), {f"{here}.title"}),
        (one(choices=[{"label": "あ" * 21}, {"label": "b"}]), {f"{here}.choices.0.label"}),
        (one(choices=[{"label": ""}, {"label": "b"}]), {f"{here}.choices.0.label"}),
        (one(choices=[{"label": "a"}, {"label": "A"}]), {f"{here}.choices.1.label"}),
        (one(choices=[{"label": "a"}]), {f"{here}.choices"}),
        (one(choices=[{"label": str(n)} for n in range(31)]), {f"{here}.choices"}),
        (one(choices=five, presentation="buttons"), {f"{here}.choices"}),
        (one(kind="choices", choices=[{"label": "あ" * 19}, *two]), {f"{here}.choices.0.label"}),
        (one(kind="song"), {f"{here}.kind"}),
        (one(presentation="hologram"), {f"{here}.presentation"}),
        (one(attribute_id=str(uuid4())), {f"{here}.attribute_id"}),
        (one(kind="number", choices=[], attribute_id=str(text_field.id)), {f"{here}.attribute_id"}),
        (one(attribute_id=str(choice_field.id), choices=two), {f"{here}.attribute_id"}),
        (one(choices=[{"label": "a", "next": "nowhere"}, *two[1:]]), {f"{here}.choices.0.next"}),
        (one(choices=[{"label": "a", "actions": [theirs]}, *two[1:]]),
         {f"{here}.choices.0.actions.0.tag_id"}),
        (spec(finish_actions=[{"kind": "explode"}]), {"finish_actions.0.kind"}),
        (spec(name=""), {"name"}),
        (spec(intro="あ" * 5001), {"intro"}),
    ):  # fmt: skip
        assert await refused(shop, wanted) == fields, wanted


async def test_a_live_survey_stays_whole(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        survey = await service.create_survey(session, parse(SurveySpec, spec()))
        await service.publish(session, survey.id)
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Invalid):
            await service.update_survey(session, survey.id, parse(SurveySpec, spec(questions=[])))


async def test_ids_of_another_survey_are_not_taken_over(shop: Shop, other_shop: Shop) -> None:
    async with scope(other_shop.workspace_id) as session:
        theirs = await service.create_survey(session, parse(SurveySpec, spec()))
        [question_id] = [q.id for q in await service.questions_of(session, theirs.id)]
    given = spec()
    given["questions"][0]["id"] = str(question_id)
    async with scope(shop.workspace_id) as session:
        mine = await service.create_survey(session, parse(SurveySpec, given))
        [own] = await service.questions_of(session, mine.id)
        assert own.id != question_id
        for act in (service.publish, service.close, service.delete_survey, service.duplicate):
            with pytest.raises(NotFound):
                await act(session, theirs.id)


async def test_what_uses_a_survey_keeps_it(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        survey = await service.create_survey(session, parse(SurveySpec, spec()))
        start = [{"kind": "survey_start", "survey_id": str(survey.id)}]
        other = await service.create_survey(
            session, parse(SurveySpec, spec(name="次", finish_actions=start))
        )
    async with scope(shop.workspace_id) as session:
        with pytest.raises(Conflict) as caught:
            await service.delete_survey(session, survey.id)
        assert "次" in caught.value.message.to("ja")
        await service.delete_survey(session, other.id)
        await service.delete_survey(session, survey.id)
    async with scope(shop.workspace_id) as session:
        assert await session.get(Survey, survey.id) is None


@pytest.mark.parametrize("key", list(registry.surveys))
@pytest.mark.parametrize("locale", ["ja", "en"])
async def test_ready_surveys_can_go_live(shop: Shop, key: str, locale: str) -> None:
    from hiiki.kit.i18n import speaking

    with speaking(locale):
        async with scope(shop.workspace_id) as session:
            survey = await service.create_survey(session, ready_spec(key))
            assert (await service.publish(session, survey.id)).state == "live"


def test_the_editors_form_survives_anything() -> None:
    data = drafts.from_form({"questions": [{"kind": "choice", "choices": "x"}, 3], "name": None})
    for do in ("up", "down", "remove", "copy", "choice", "dance"):
        for at in ("", "questions", "questions.0", "questions.9", "questions.x.choices.0.z"):
            drafts.press(data, do, at)
    assert len(drafts.press(data, "add", "")["questions"]) == 2
    copied = drafts.press(data, "copy", "questions.0")["questions"]
    assert copied[0]["id"] != copied[1]["id"]


async def test_results_and_csv(shop: Shop) -> None:
    channel = await make_channel(shop.workspace_id)
    hotness = [{"label": "甘口"}, {"label": "辛口"}]
    async with scope(shop.workspace_id) as session:
        given = spec(
            questions=[
                {"kind": "choice", "title": "辛さ", "choices": hotness},
                {"kind": "number", "title": "年齢"},
                {"kind": "text", "title": "ご意見"},
            ]
        )
        survey = await service.create_survey(session, parse(SurveySpec, given))
        await service.publish(session, survey.id)
        from hiiki.actions.models import Rule

        start = {"kind": "survey_start", "survey_id": str(survey.id)}
        session.add(Rule(name="x", event_kind="follow", actions=[start]))
    people = [Person(channel) for _ in range(6)]
    for number, person in enumerate(people):
        first = await person.follow()
        if number == 0:
            continue
        await person.taps(first, "甘口" if number < 4 else "辛口")
        if number == 1:
            continue
        await person.types(str(20 + number))
        if number != 2:
            await person.types("=1+1" if number == 3 else "おいしい, とても")
    async with scope(shop.workspace_id) as session:
        found = await results.results(session, survey.id)
        lines = b"".join([line async for line in results.as_csv(session, survey.id)])
        page = await results.answers_page(session, found.questions[2].id, limit=2)
        rest = await results.answers_page(
            session, found.questions[2].id, limit=2, after=page.next or ""
        )
    assert (found.started, found.finished) == (6, 3)
    assert [(q.asked, q.answered) for q in found.questions] == [(6, 5), (5, 4), (4, 3)]
    assert [(a.label, a.count) for a in found.questions[0].answers] == [("甘口", 3), ("辛口", 2)]
    assert found.questions[1].average == 23.5
    assert [len(page.items), len(rest.items), rest.next] == [2, 1, None]
    rows = list(csv.reader(io.StringIO(lines.decode("utf-8-sig"))))
    assert rows[0][4:] == ["辛さ", "年齢", "ご意見"]
    assert len(rows) == 7
    told = {row[0]: row[4:] for row in rows[1:]}
    assert told[str(people[3].contact_id)] == ["甘口", "23", "'=1+1"]
    assert told[str(people[0].contact_id)] == ["", "", ""]
    assert all(UUID(row[0]) for row in rows[1:])
