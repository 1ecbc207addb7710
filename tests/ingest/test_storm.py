"""Webhook storms while the web server, a worker or PostgreSQL dies: none lost, none twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, make_shop, scope
from forked import Forked, open_nursery
from hiiki.actions.models import Rule
from hiiki.contacts.models import ContactTag, Tag
from hiiki.db.embedded import EmbeddedServer
from hiiki.ingest.crew import Crew
from hiiki.surveys import service
from hiiki.surveys.schemas import SurveySpec
from hiiki.timeline import Event
from ingest.line_side import until
from ingest.storm import Storm, brew, environment_of
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator
from stack import Running, run

pytestmark = pytest.mark.slow
KILLS = 10
TROUBLE = [
    {"kind": "500_after", "on": "webhook", "probability": 0.05},
    {"kind": "reset", "accept": True, "on": "webhook", "probability": 0.05},
    {"kind": "500_before", "on": "webhook", "probability": 0.03},
]
"""What LINE believes to have failed has often arrived."""


@pytest.fixture
async def line(database: str) -> AsyncIterator[Emulator]:
    open_nursery()
    async with Emulator(unlimited=True) as emulator:
        yield emulator


@pytest.fixture
async def control(line: Emulator) -> AsyncIterator[EmulatorClient]:
    async with EmulatorClient(line.url) as client:
        yield client


async def handle_all(storm: Storm) -> None:
    """Let one worker's crew in this process handle what is stored."""
    stop = asyncio.Event()
    crew = asyncio.create_task(Crew(stop).run())
    try:
        await storm.none_waits()
    finally:
        stop.set()
        await crew


async def test_the_web_server_is_killed_again_and_again(
    shop: Shop, line: Emulator, control: EmulatorClient, tmp_path: Path
) -> None:
    """With -9, at whatever it does with a post at that moment."""
    dice = random.Random(4)
    storm = await brew(shop, line, control, 40)
    await control.faults(TROUBLE)
    web = storm.web(tmp_path)
    web.start()
    try:
        async with storm.blowing(dice):
            for _kill in range(KILLS):
                await storm.taken(20)
                dead = asyncio.Event()

                def strike(web: Forked = web, dead: asyncio.Event = dead) -> None:
                    web.strike()
                    dead.set()

                storm.on_post(dice.randint(1, 20), strike, dice.uniform(0, 0.02))
                await asyncio.wait_for(dead.wait(), 60)
                await web.kill()
                web.start()
            await storm.taken(20)
        await storm.all_delivered()
    finally:
        await web.kill()
    assert storm.lane.stats.redeliveries >= KILLS
    await handle_all(storm)
    await storm.each_event_once()
    assert await storm.texts_on_timelines() == {
        user: [str(number) for number in range(storm.said[user])] for user in storm.users
    }


async def test_the_command_itself_is_killed(
    shop: Shop, line: Emulator, control: EmulatorClient, tmp_path: Path, database: str
) -> None:
    """The same once with `hiiki web` as a shop starts it."""
    dice = random.Random(5)
    storm = await brew(shop, line, control, 40)
    env = {**environment_of(database), "HIIKI_LINE_API": line.url}

    def start() -> Running:
        return run(tmp_path / "log", "hiiki", "web", "--port", str(storm.port), env=env)

    web = start()
    try:
        async with storm.blowing(dice):
            await storm.taken(50)
            web.kill()
            web = start()
            await storm.taken(50)
        await storm.all_delivered()
    finally:
        web.kill()
    assert storm.lane.stats.redeliveries
    await handle_all(storm)
    await storm.each_event_once()


async def survey_and_rules(shop: Shop) -> None:
    """Who adds the account gets a tag and a survey; who writes is answered and tagged."""
    async with scope(shop.workspace_id) as session:
        tags = {name: Tag(name=name) for name in ("友だち", "辛口", "完了", "書いた")}
        session.add_all(tags.values())
        await session.flush()

        def tag(name: str) -> dict[str, Any]:
            return {"kind": "tag_add", "tag_id": str(tags[name].id)}

        spec = {
            "name": "お好み",
            "thanks": "ありがとう",
            "questions": [
                {"kind": "choice", "title": "辛さは?",
                 "choices": [{"label": "甘口"}, {"label": "辛口", "actions": [tag("辛口")]}]},
                {"kind": "choice", "title": "量は?",
                 "choices": [{"label": "並"}, {"label": "大盛り"}]},
            ],
            "finish_actions": [tag("完了")],
        }  # fmt: skip
        survey = await service.create_survey(session, SurveySpec.model_validate(spec))
        await service.publish(session, survey.id)
        begin = {"kind": "survey_start", "survey_id": str(survey.id)}
        answer = {"kind": "send", "draft": {"blocks": [{"kind": "text", "text": "はい"}]}}
        rules = {"follow": [tag("友だち"), begin], "message": [answer, tag("書いた")]}
        for kind, actions in rules.items():
            session.add(Rule(name=kind, event_kind=kind, actions=actions))


async def test_workers_are_killed_in_the_middle_of_conversations(
    shop: Shop, line: Emulator, control: EmulatorClient, tmp_path: Path
) -> None:
    """What people are told, tagged with and asked happens once, and in its order."""
    dice = random.Random(6)
    storm = await brew(shop, line, control, 30)
    await survey_and_rules(shop)
    web, worker = storm.web(tmp_path), storm.worker(tmp_path, HIIKI_LINE_TIMEOUT="1")
    web.start()

    async def handled() -> int:
        async with scope(shop.workspace_id) as session:
            return await session.scalar(select(func.count()).select_from(Event)) or 0

    async def all_heard(count: int) -> bool:
        return all([len(await storm.heard(user)) >= count for user in storm.users])

    async def stage(heard: int, *acts: dict[str, Any]) -> None:
        """Everybody does this; the worker dies twice while it deals with it."""
        goal = await handled() + 1
        for act in acts:
            await storm.do([storm.act(user, **act) for user in storm.users])
        for _kill in range(2):
            worker.start()

            async def is_at_it(goal: int = goal) -> bool:
                return await handled() >= goal or await all_heard(heard)

            await until(is_at_it, 60)
            await asyncio.sleep(dice.uniform(0, 0.05))
            await worker.kill()
            goal = await handled() + 1
        worker.start()
        await until(lambda: all_heard(heard), 90)
        await worker.kill()

    try:
        await storm.is_up()
        await stage(1, {"kind": "follow"})
        await stage(2, {"kind": "tap", "label": "辛口"})
        await stage(3, {"kind": "tap", "label": "並"})
        await stage(9, *({"kind": "message", "text": str(number)} for number in range(6)))
        await storm.all_delivered()
    finally:
        await worker.kill()
        await web.kill()
    await storm.each_event_once()
    told = ["辛さは?", "量は?", "ありがとう", *["はい"] * 6]
    written = await storm.texts_on_timelines()
    for user in storm.users:
        assert written[user] == [*"012345"]
        assert await storm.heard(user) == told
    async with scope(shop.workspace_id) as session:
        kinds = Counter(await session.scalars(select(Event.kind).where(Event.kind != "sent")))
        tags = Counter(await session.scalars(select(Tag.name).join(ContactTag)))
    assert tags == dict.fromkeys(("友だち", "辛口", "完了", "書いた"), 30)
    assert {kind: count / 30 for kind, count in kinds.items()} == {
        "follow": 1, "survey_start": 1, "postback": 2, "survey_answer": 2, "survey_finish": 1,
        "message": 6, "tag_set": 4,
    }  # fmt: skip


async def test_postgresql_is_cut_off(
    own_server: EmbeddedServer, line: Emulator, control: EmulatorClient, tmp_path: Path
) -> None:
    """Twice, with web server, worker and LINE left running: they get over it by themselves."""
    dice = random.Random(7)
    storm = await brew(await make_shop(), line, control, 40)
    await survey_and_rules(Shop(storm.channel.workspace_id))
    env = environment_of(own_server.url())
    web, worker = storm.web(tmp_path, **env), storm.worker(tmp_path, HIIKI_LINE_TIMEOUT="1", **env)
    web.start()
    worker.start()
    try:
        async with storm.blowing(dice):
            for _cut in range(2):
                await storm.taken(60)
                await asyncio.to_thread(own_server.stop, "immediate")
                refused = storm.lane.stats.redeliveries

                async def is_refused(before: int = refused) -> bool:
                    return storm.lane.stats.redeliveries > before

                await until(is_refused, 30)
                await asyncio.to_thread(own_server.start)
            await storm.taken(60)
        await storm.all_delivered()
        statuses = {error["statusCode"] for error in storm.lane.stats.errors}
        assert 503 in statuses
        assert statuses <= {503, 0}, "0: no answer within two seconds"
        await storm.none_waits()
        told = {user: ["はい"] * storm.said[user] for user in storm.users}

        async def all_told() -> bool:
            return {user: await storm.heard(user) for user in storm.users} == told

        await until(all_told, 60)
    finally:
        await worker.kill()
        await web.kill()
    await storm.each_event_once()
