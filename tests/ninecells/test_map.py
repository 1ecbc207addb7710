"""The map from the survey to the page: set up, answered, shown, told to rules."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text

from conftest import Shop, scope
from console import Console, console
from hiiki.actions.context import Context
from hiiki.actions.models import Rule
from hiiki.contacts.models import Contact, ContactTag, Tag
from hiiki.db import everywhere
from hiiki.kit.clock import now
from hiiki.kit.statistics import wilson
from hiiki.ninecells import figures, jobs, service
from hiiki.ninecells.history import place
from hiiki.ninecells.models import Flow, Move, Setup, Standing
from hiiki.ninecells.ready import MEANINGS
from hiiki.ninecells.telling import tell_some
from hiiki.surveys.models import Question, Survey
from hiiki.timeline import Event

from .test_placing import Step, answers, event_of, live, setup


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


async def ready(shop: Shop) -> list[Question]:
    """The ready survey, taken; its questions in order."""
    async with scope(shop.workspace_id) as session:
        made = await service.take_ready(session)
        found = await session.scalars(
            select(Question).where(Question.survey_id == made.id).order_by(Question.position)
        )
        return list(found)


async def rule_for(shop: Shop, cell: str) -> uuid.UUID:
    """A rule that tags whoever comes to a cell; returns the tag."""
    async with scope(shop.workspace_id) as session:
        tag = Tag(name=f"moved to {cell}")
        session.add(tag)
        await session.flush()
        session.add(
            Rule(
                name="moved",
                event_kind="cell_change",
                event_subject=cell,
                actions=[{"kind": "tag_add", "tag_id": str(tag.id)}],
            )
        )
        return tag.id


async def tagged(shop: Shop, tag_id: uuid.UUID) -> int:
    async with scope(shop.workspace_id) as session:
        query = select(func.count()).select_from(ContactTag).where(ContactTag.tag_id == tag_id)
        return await session.scalar(query) or 0


async def test_the_ready_survey_is_read_as_it_asks(shop: Shop) -> None:
    questions = await ready(shop)
    assert [len(one.choices) for one in questions] == [len(one) for one in MEANINGS.values()]
    assert questions[0].choices[2]["next"] == "end", "nobody asks a stranger what she bought"
    async with scope(shop.workspace_id) as session:
        found = await session.get(Setup, shop.workspace_id)
        assert found is not None
        assert found.questions["again"]["meanings"] == dict(
            zip((c["id"] for c in questions[2].choices), ("yes", "yes", "no", "no"), strict=True)
        )
        assert (await session.one(Survey, questions[0].survey_id)).state == "draft"


async def test_who_finishes_the_survey_is_placed_at_once_and_rules_hear(shop: Shop) -> None:
    questions = await ready(shop)
    tag = await rule_for(shop, "loyal_passive")
    contact_id = uuid.uuid4()
    async with scope(shop.workspace_id) as session:
        session.add(Contact(id=contact_id))
        await session.flush()
        context = Context(session, contact_id, None)
        for question, chosen in zip(questions, (1, 3, 2), strict=True):
            await context.emit(
                "survey_answer",
                subject=question.id,
                data={"choice_ids": [question.choices[chosen]["id"]], "response_id": "r"},
            )
        assert await session.get(Standing, contact_id) is None, "half-way nothing is said"
        await context.emit("survey_finish", subject=questions[0].survey_id)
        await context.close()
    async with scope(shop.workspace_id) as session:
        standing = await session.one(Standing, contact_id)
        assert standing.cell == "loyal_passive"
        event = await session.scalar(select(Event).where(Event.kind == "cell_change"))
        assert event is not None
        assert (event.subject, event.data) == ("loyal_passive", {"from": ""})
        assert not await tell_some(session), "what was heard at once is not told again"
    assert await tagged(shop, tag) == 1


async def test_the_night_tells_rules_of_fresh_moves_once_and_of_old_ones_never(shop: Shop) -> None:
    tag = await rule_for(shop, "general_active")
    fresh, old = now() - timedelta(hours=3), now() - timedelta(days=30)
    await live(shop, [answers(at, "yes", "general", "yes") for at in (fresh, fresh, old)])
    async with scope(shop.workspace_id) as session:
        await place(session, setup(), is_told=False)
    async with scope(shop.workspace_id) as session:
        assert await tell_some(session) == 2
        await session.rollback()  # the worker dies
    assert await tagged(shop, tag) == 0
    for expected in (2, 0):
        async with scope(shop.workspace_id) as session:
            assert await tell_some(session) == expected
    assert await tagged(shop, tag) == 2
    async with scope(shop.workspace_id) as session:
        await place(session, setup(), is_told=False)
        assert await tell_some(session) == 0


async def test_rules_hear_of_a_move_that_a_late_order_makes_another_one(shop: Shop) -> None:
    """Yesterday's first order comes in after today's: who bought now and then buys often."""
    tag = await rule_for(shop, "loyal_active")
    how = setup(bought_from="measured", loyal_orders=2)
    today, before = now() - timedelta(hours=3), now() - timedelta(hours=20)
    said = answers(now() - timedelta(days=9), "yes", again="yes")
    [person] = await live(shop, [[*said, Step(today, "order")]])
    async with scope(shop.workspace_id) as session:
        await place(session, how)
        session.write(event_of(shop, person, Step(before, "order")))
    async with scope(shop.workspace_id) as session:
        await place(session, how, is_told=False)
        assert await tell_some(session) == 2
    assert await tagged(shop, tag) == 1


async def refreshes(shop: Shop) -> list[tuple[str, bool]]:
    """What has been asked for so far, and forgets it."""
    async with everywhere() as session:
        found = await session.execute(
            text("delete from procrastinate_jobs returning args"),
            execution_options={"scoped_by_hand": True},
        )
        return [(args["workspace_id"], args["is_told"]) for (args,) in found]


async def test_each_night_is_made_up_for_and_only_a_new_meaning_is_no_news(
    shop: Shop, app: Console
) -> None:
    ident = str(shop.workspace_id)
    await ready(shop)
    assert await refreshes(shop) == [(ident, True)], "the answers mean something else from now on"
    await jobs.refresh(ident, is_told=True)
    async with scope(shop.workspace_id) as session:
        assert await service.placed_by(session) != ""
    await jobs.each_night(0)
    assert await refreshes(shop) == []
    async with scope(shop.workspace_id) as session:
        found = await session.one(Setup, shop.workspace_id)
        found.refreshed_at = now() - timedelta(hours=25)
    await jobs.each_night(0)
    assert await refreshes(shop) == [(ident, False)]
    owner = await app.person(shop)
    assert (await owner.form("/nine-cells/refresh")).status_code == 303
    assert await refreshes(shop) == [(ident, False)]


async def test_a_shop_sets_its_map_up_by_hand(shop: Shop, app: Console) -> None:
    questions = await ready(shop)
    owner = await app.person(shop)
    form: dict[str, Any] = {"bought_from": "measured", "current_days": "90", "loyal_orders": "2"}
    refused = await owner.form("/nine-cells/settings", {**form, "market": "-5"})
    assert refused.status_code == 422
    assert "1以上" in refused.text
    refused = await owner.form("/nine-cells/settings", form)
    assert refused.text.count("質問を選んでください") == 2, "what is measured needs no question"
    for part, question in (("aware", questions[0]), ("again", questions[2])):
        form[f"{part}.question_id"] = str(question.id)
        for choice, meaning in zip(question.choices, MEANINGS[part], strict=True):
            form[f"{part}.meanings.{choice['id']}"] = meaning
    twice = {**form, "again.question_id": form["aware.question_id"]}
    assert "別の質問を選んでください" in (await owner.form("/nine-cells/settings", twice)).text
    saved = await owner.form("/nine-cells/settings", {**form, "market": "50000"})
    assert saved.status_code == 303, saved.text
    drawn = await owner.get("/nine-cells/settings")
    assert "日間注文なし" in drawn.text
    async with scope(shop.workspace_id) as session:
        found = await session.get(Setup, shop.workspace_id)
        assert found is not None
        assert (found.bought_from, found.current_days, found.market) == ("measured", 90, 50_000)
        assert found.refreshed_at is None
    used = await owner.form(f"/surveys/{questions[0].survey_id}/delete")
    assert used.status_code in (303, 409)
    async with scope(shop.workspace_id) as session:
        assert await session.get(Survey, questions[0].survey_id), "the map needs its questions"


async def test_the_map_its_movement_and_the_people_are_shown(
    shop: Shop, other_shop: Shop, app: Console
) -> None:
    owner, api = await app.person(shop), await app.program(shop)
    assert "アンケートを作成" in (await owner.get("/nine-cells")).text
    await live(other_shop, [answers(now(), "no")])
    async with scope(shop.workspace_id) as session:
        how = setup(market=1000)
        session.add(how)
        long_ago = now() - timedelta(days=100)
        lives = [[*answers(long_ago, "yes", "loyal", "yes")] for _ in range(3)]
        lives[0] += answers(now() - timedelta(days=3), "yes", "lapsed", "no")
        lives.append([])
    assert "まだマップに誰もいません" in (await owner.get("/nine-cells")).text
    ids = await live(shop, lives)
    async with scope(shop.workspace_id) as session:
        await place(session, how)
    page = await owner.get("/nine-cells?against=2026-01-01")
    assert page.status_code == 200, page.text
    assert "66.7%" in page.text
    before = (now() - timedelta(days=50)).date().isoformat()
    found = (await api.get("/api/v1/nine-cells", params={"against": before})).json()
    assert (found["people"], found["placed"]) == (4, 3)
    cells = {cell["name"]: cell for cell in found["cells"]}
    assert cells["loyal_active"]["people"] == 2
    assert cells["loyal_active"]["before"] == 1
    assert cells["loyal_active"]["market"] == 667
    assert cells["lapsed_passive"]["share"] == pytest.approx(1 / 3)
    assert (cells["unaware"]["low"], cells["unaware"]["high"]) == pytest.approx(wilson(0, 3))
    movement = (await api.get("/api/v1/nine-cells/movement")).json()
    flows = {(flow["was"], flow["cell"]): flow["people"] for flow in movement["flows"]}
    assert flows == {("loyal_active", "lapsed_passive"): 1, ("loyal_active", "loyal_active"): 2}
    shown = await owner.get("/nine-cells/movement")
    assert "loyal_active&amp;went_to=lapsed_passive" in shown.text
    listed = await owner.get("/nine-cells/people?came_from=loyal_active&went_to=lapsed_passive")
    assert str(ids[0]) in listed.text
    assert str(ids[1]) not in listed.text
    movers = (await api.get("/api/v1/nine-cells/movers?went_to=none")).json()
    assert movers == {"items": [], "next": None}
    written = await owner.form("/nine-cells/cells/loyal_active/broadcast")
    assert written.status_code == 303, written.text
    again = await owner.form("/nine-cells/cells/loyal_active/broadcast")
    assert again.headers["location"] == written.headers["location"], "one segment a cell"
    segment_id = written.headers["location"].partition("segment_id=")[2]
    found = (await api.get("/api/v1/nine-cells", params={"segment_id": segment_id})).json()
    assert (found["people"], found["placed"]) == (2, 2)
    assert (await owner.form("/nine-cells/cells/nonsense/broadcast")).status_code == 404
    link = re.search(r'href="(/segments/new[^"]*loyal_active[^"]*)"', page.text)
    assert link is not None
    assert "積極ロイヤル顧客" in (await owner.get(html.unescape(link[1]))).text
    wrong = await owner.get("/nine-cells?on=nonsense")
    assert wrong.status_code == 422
    assert "日付を入力してください" in wrong.text
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(Move)) == 4


def test_wilsons_interval_is_the_published_one() -> None:
    """Newcombe (Statistics in Medicine 17, 1998), table I, method 3."""
    for hits, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(hits, of) == pytest.approx((low, high), abs=0.00005)
    assert wilson(29, 29)[1] == 1
    assert wilson(0, 0) == (0, 1)


async def test_earlier_days_are_shown_as_the_night_has_counted_them(shop: Shop) -> None:
    said = ["yes", "general", "yes"], ["yes", "never", "no"], ["yes", "loyal", "yes"]
    lives = [
        [step for back, how in zip((200, 90, 3), said, strict=True) for step in
         answers(now() - timedelta(days=back + person % 40), *how)]
        for person in range(12)
    ]  # fmt: skip
    people = await live(shop, lives)
    days = [figures.today("Asia/Tokyo") - timedelta(days=back) for back in (0, 1, 20, 100, 210)]
    ends = [figures.day_end(day, "Asia/Tokyo") for day in days]

    async def shown() -> list[Any]:
        async with scope(shop.workspace_id) as session:
            counted = [await figures.counts_at(session, end) for end in ends]
            return [counted, await figures.by_month(session, "Asia/Tokyo")]

    async with scope(shop.workspace_id) as session:
        how = setup()
        how.workspace_id = shop.workspace_id
        session.add(how)
        await session.flush()
        await place(session, how)
    afresh = await shown()
    assert sum(afresh[0][0].values()) == 12
    assert len({str(counts) for counts in afresh[0]}) > 2, "the days are not all alike"
    await jobs.refresh(str(shop.workspace_id), is_told=True)
    assert await shown() == afresh
    async with scope(shop.workspace_id) as session:
        assert (await session.scalar(select(func.count()).select_from(Flow)) or 0) > 2
        # Somebody's past is forgotten; until the night only today's map knows it.
        await session.execute(delete(Move).where(Move.contact_id == people[0]))
        await session.execute(delete(Standing).where(Standing.contact_id == people[0]))
    later = await shown()
    assert sum(later[0][0].values()) == 11
    assert later[0][1:] == afresh[0][1:]
    assert later[1][:-1] == afresh[1][:-1]
