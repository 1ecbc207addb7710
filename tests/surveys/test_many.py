"""Many people in the middle of a survey at once: few statements, the same story for each."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import event, func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.actions.models import Rule
from hiiki.contacts.models import ContactTag, Tag
from hiiki.coupons.models import Coupon, Issue
from hiiki.db.engine import engine
from hiiki.ingest.handle import handle_together
from hiiki.ingest.queue import waiting
from hiiki.surveys import service
from hiiki.surveys.models import Finish
from hiiki.surveys.schemas import SurveySpec
from hiiki.workspace.models import Channel
from ingest.line_side import Person, deliver, make_channel, tap_of, texts


async def survey_with_coupon(shop: Shop) -> None:
    """A survey of two questions, which adding the account starts and a coupon ends."""
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="甘口")
        coupon = Coupon(title="10%OFF", benefit="percent", amount=10)
        session.add_all([tag, coupon])
        await session.flush()
        tagged = [{"kind": "tag_add", "tag_id": str(tag.id)}]
        spec = {
            "name": "お好み",
            "thanks": "ありがとう。",
            "questions": [
                {
                    "kind": "choice",
                    "title": "辛さは?",
                    "choices": [{"label": "甘口", "actions": tagged}, {"label": "辛口"}],
                },
                {"kind": "number", "title": "年齢は?"},
            ],
            "finish_actions": [{"kind": "coupon_issue", "coupon_id": str(coupon.id)}],
        }
        survey = await service.create_survey(session, SurveySpec.model_validate(spec))
        await service.publish(session, survey.id)
        actions = [{"kind": "survey_start", "survey_id": str(survey.id)}]
        session.add(Rule(name="始まり", event_kind="follow", actions=actions))


async def together(channel: Channel, *events: dict[str, Any]) -> int:
    """Let these events of as many people happen in one transaction; returns its statements."""
    await deliver(channel, *events)
    due, _resting = await waiting([])
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(engine().sync_engine, "before_cursor_execute", note)
    try:
        assert all(await handle_together([events[0] for events in due]))
    finally:
        event.remove(engine().sync_engine, "before_cursor_execute", note)
    return len(sent)


async def test_an_answer_of_many_costs_the_statements_of_one(shop: Shop) -> None:
    await survey_with_coupon(shop)
    channel = await make_channel(shop.workspace_id)
    costs: list[list[int]] = []
    people: list[Person] = []
    for number in (2, 1, 3, 12):
        group = [Person(channel) for _ in range(number)]
        people += group
        asked = await together(channel, *(one.event("follow") for one in group))
        taps = [
            one.event("postback", **tap_of(await one.hears(), label))
            for one, label in zip(group, ["甘口", "辛口", "甘口"] * 4, strict=False)
        ]
        tapped = await together(channel, *taps)
        assert [texts(await one.hears()) for one in group] == [["年齢は?"]] * number
        age = {"id": "1", "type": "text", "text": "25"}
        finished = await together(channel, *(one.event("message", message=age) for one in group))
        costs.append([asked, tapped, finished])
    # The first have read the rules, the account and whether people lie in shards, which a worker
    # knows from then on.
    _first, one, three, twelve = costs
    # Starting is one statement for each person, and so is the coupon; all else is for all.
    if not os.environ.get("HIIKI_TEST_DATABASE_URL"):  # a cluster locks shard by shard
        assert three == [one[0] + 2, one[1], one[2] + 2]
        assert twelve == [three[0] + 9, three[1], three[2] + 9]
    for person in people:
        told = [event.kind for event in await person.timeline() if event.kind != "tag_set"]
        assert told == [
            "follow", "survey_start", "postback", "survey_answer",
            "message", "survey_answer", "survey_finish", "coupon_issue",
        ]  # fmt: skip
        assert len(await person.hears()) == 2, "thanks and the coupon"
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(ContactTag)) == 1 + 1 + 2 + 8
        for table in (Finish, Issue):
            assert await session.scalar(select(func.count()).select_from(table)) == 18
        assert await session.scalar(select(Coupon.issued)) == 18
