"""What one event costs the worker, by kind: the demo's story, straight into the queue.

    python -m benchmarks.handling [--friends 400] [--alone] [--profile KIND] [--statements]

Friends of the demo's two shops add the account, are greeted, answer the survey and get their
coupon; then each of them writes something. Their events are stored as the webhook stores them,
and one crew handles them, kind after kind; what the shop says is read from its parcels, so no
LINE is needed. Everything runs on this machine, PostgreSQL included.

For each kind: how many, the worker's CPU and the statements it sent, for one event. The last
line is one JSON object; `story` is the average of all events but the plain messages. With
`--alone` every event has a transaction of its own, as when few people write.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import event, select

from hiiki.db.embedded import prepare
from hiiki.db.migrate import migrate
from hiiki.demo.friends import Act, Friend, make_friend, respond
from hiiki.demo.shops import SHOPS, Shop

ORDER = ("follow", "tap", "pick", "typed", "finish", "unfollow", "plain")
"""follow: greeting and survey; tap: an answer and the next question; pick: one of several
choices; typed: a number, or nonsense; finish: the last answer, thanks and coupon; plain: a message
that nothing waits for."""

WARM = 40
"""Friends whose story is not counted."""


@dataclass
class Stage:
    """A shop in a workspace of its own, and the people in it."""

    shop: Shop
    workspace_id: UUID
    channel_id: UUID
    friends: dict[str, Friend] = field(default_factory=dict[str, Friend])
    screens: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[Any]])
    """User id → what was said to them last."""
    acts: dict[str, deque[Act]] = field(default_factory=dict[str, "deque[Act]"])


@dataclass
class Cost:
    """What handling the events of one kind came to."""

    events: int = 0
    cpu: float = 0.0
    statements: int = 0

    def told(self) -> dict[str, float]:
        """Return it for one event."""
        return {
            "events": self.events,
            "cpu_us": round(self.cpu / self.events * 1e6),
            "statements": round(self.statements / self.events, 1),
        }


async def open_stage(shop: Shop, number: int) -> Stage:
    """Make the shop with its rule, survey and coupon, as the demo does."""
    from hiiki.actions.models import Rule
    from hiiki.contacts.models import Attribute, Tag
    from hiiki.coupons import service as coupons
    from hiiki.coupons.schemas import CouponIn
    from hiiki.db import everywhere, scope
    from hiiki.surveys import service as surveys
    from hiiki.surveys.schemas import SurveySpec
    from hiiki.workspace.models import Channel, Workspace

    async with everywhere() as session:  # the workspace does not exist yet
        workspace = Workspace(name=shop.name)
        session.add(workspace)
        await session.flush()
    async with scope(workspace.id) as session:
        channel = Channel(
            name=shop.name,
            line_channel_id=str(number),
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=f"bench{number}",
        )
        tags = {label: Tag(name=label) for label in shop.tags}
        fields = {key: Attribute(key=key, label=label, kind=kind)
                  for key, label, kind in shop.attributes}  # fmt: skip
        session.add_all([channel, *tags.values(), *fields.values()])
        await session.flush()
        coupon = await coupons.create(
            session, CouponIn(title=shop.coupon, benefit="percent", amount=10, valid_days=30)
        )
        questions = [
            {
                "kind": asked.kind,
                "title": asked.title,
                "presentation": asked.presentation,
                "attribute_id": fields[asked.attribute].id if asked.attribute else None,
                "choices": [
                    {
                        "label": label,
                        "actions": [{"kind": "tag_add", "tag_id": str(tags[label].id)}],
                    }
                    for label in asked.choices
                ],
            }
            for asked in shop.questions
        ]
        spec = {
            "name": shop.survey,
            "intro": shop.intro,
            "thanks": shop.thanks,
            "questions": questions,
            "finish_actions": [{"kind": "coupon_issue", "coupon_id": str(coupon.id)}],
        }
        survey = await surveys.create_survey(session, SurveySpec.model_validate(spec))
        await surveys.publish(session, survey.id)
        draft = {"blocks": [{"kind": "text", "text": shop.greeting}]}
        start = {"kind": "survey_start", "survey_id": str(survey.id)}
        actions = [{"kind": "send", "draft": draft}, start]
        session.add(Rule(name="greeting", event_kind="follow", actions=actions))
    return Stage(shop, workspace.id, channel.id)


def buttons(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every button of a message that sends a postback."""
    if isinstance(node, dict):
        if node.get("type") == "postback":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from buttons(part)


class Story:
    """All stages together, and what their events cost."""

    def __init__(
        self, stages: Sequence[Stage], dice: random.Random, alone: bool, profiled: str | None
    ) -> None:
        self.stages = stages
        self.dice = dice
        self.alone = alone
        self.costs: dict[str, Cost] = defaultdict(Cost)
        self.profiled = profiled
        self.profile = cProfile.Profile()
        self._serial = 0
        self._read: dict[UUID, UUID] = {}
        """Workspace → the last parcel that was read."""

    async def tell(self) -> None:
        """Let everybody act until nobody has anything left to do."""
        while True:
            waiting: dict[str, list[tuple[Stage, dict[str, Any]]]] = defaultdict(list)
            for stage in self.stages:
                for user, acts in stage.acts.items():
                    if acts:
                        act = acts.popleft()
                        kind = self._kind(stage, stage.friends[user], act)
                        waiting[kind].append((stage, self._event(stage, user, act)))
            if not waiting:
                return
            for kind in sorted(waiting, key=ORDER.index):
                await self._handle(kind, waiting[kind])
            await self._read_parcels()

    def start_counting(self) -> None:
        """Forget what was counted so far."""
        self.costs.clear()
        self.profile = cProfile.Profile()
        statements.clear()

    async def _handle(self, kind: str, found: list[tuple[Stage, dict[str, Any]]]) -> None:
        from hiiki.ingest.store import keep
        from hiiki.line.wire import parse

        for stage in self.stages:
            if mine := [event for one, event in found if one is stage]:
                body = orjson.dumps({"destination": "U" + "f" * 32, "events": mine})
                await keep(stage.workspace_id, stage.channel_id, parse(body))
        cost = self.costs[kind]
        sent = statements.total()
        begun = time.process_time()
        if kind == self.profiled:
            self.profile.enable()
        await handle_all(self.alone)
        self.profile.disable()
        cost.cpu += time.process_time() - begun
        cost.statements += statements.total() - sent
        cost.events += len(found)

    async def _read_parcels(self) -> None:
        from hiiki.db import scope
        from hiiki.delivery.models import Parcel

        for stage in self.stages:
            async with scope(stage.workspace_id) as session:
                query = select(Parcel).order_by(Parcel.id)
                if last := self._read.get(stage.workspace_id):
                    query = query.where(Parcel.id > last)
                parcels = list(await session.scalars(query))
            for parcel in parcels:
                user = parcel.line_user_ids[0]
                stage.screens[user] = parcel.messages or []
                acts = respond(stage.friends[user], parcel.messages or [], stage.shop, self.dice)
                stage.acts[user].extend(acts)
            if parcels:
                self._read[stage.workspace_id] = parcels[-1].id

    def _kind(self, stage: Stage, friend: Friend, act: Act) -> str:
        if act["type"] in ("follow", "unfollow", "plain"):
            return str(act["type"])
        asked = [q for q in stage.shop.questions if q.title in friend.answered[-1:]]
        is_done = bool(asked) and not stage.acts[friend.user_id]
        if is_done and asked[0] is stage.shop.questions[-1]:
            return "finish"
        if act["type"] == "message":
            return "typed"
        return "pick" if asked[0].kind == "choices" and act["label"] != asked[0].done else "tap"

    def _event(self, stage: Stage, user: str, act: Act) -> dict[str, Any]:
        self._serial += 1
        made: dict[str, Any] = {
            "type": "follow",
            "mode": "active",
            "timestamp": int(time.time() * 1000),
            "source": {"type": "user", "userId": user},
            "webhookEventId": f"01BENCH{self._serial:019}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": f"token{self._serial}",
        }
        match act["type"]:
            case "message" | "plain":
                text = act.get("text", "こんにちは")
                message = {"id": str(self._serial), "type": "text", "text": text, "quoteToken": "q"}
                return made | {"type": "message", "message": message}
            case "tap":
                # A tick stands before what was chosen already.
                label = act["label"]
                button = next(b for b in buttons(stage.screens[user]) if b["label"] == label)
                return made | {"type": "postback", "postback": {"data": button["data"]}}
            case "unfollow":
                made.pop("replyToken")
                return made | {"type": "unfollow"}
            case _:
                return made | {"follow": {"isUnblocked": False}}


_ANYTHING_WAITS = "select exists (select 1 from ingest.webhook_event where state = 'waiting')"


async def handle_all(alone: bool) -> None:
    """Handle everything that waits, by a crew or one by one."""
    from hiiki.ingest.crew import Crew
    from hiiki.ingest.handle import handle_together
    from hiiki.ingest.queue import waiting

    if alone:
        while found := (await waiting([]))[0]:
            for events in found:
                for one in events:
                    await handle_together([one])
        return
    stop = asyncio.Event()
    crew = Crew(stop)
    task = asyncio.create_task(crew.run())
    database = os.environ["HIIKI_DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        while True:
            found = await connection.execute(_ANYTHING_WAITS)
            if await found.fetchone() == (False,):
                break
            await asyncio.sleep(0.02)
    stop.set()
    await task


async def play(friends: int, seed: int, alone: bool, profiled: str | None) -> dict[str, Any]:
    """Tell the story and return what its events cost."""
    import hiiki.rooms  # noqa: F401 — opens the road

    dice = random.Random(seed)  # noqa: S311 — a story, not a secret
    stages = [await open_stage(shop, number) for number, shop in enumerate(SHOPS)]
    count_statements()
    story = Story(stages, dice, alone, profiled)
    for first, count in ((0, WARM), (WARM, friends)):
        for stage in stages:
            for number in range(first, first + round(count * stage.shop.share)):
                user = f"U{number:032x}"
                stage.friends[user] = make_friend(user, "", stage.shop, dice)
                stage.acts[user] = deque([{"type": "follow"}])
        # What a worker does once in its life is not what an event costs.
        story.start_counting()
        await story.tell()
    for _ in range(3):
        for stage in stages:
            for user, friend in stage.friends.items():
                if friend.finished and not friend.blocked:
                    stage.acts[user].append({"type": "plain"})
        await story.tell()
    if profiled:
        for order in ("tottime", "cumtime"):
            pstats.Stats(story.profile, stream=sys.stderr).sort_stats(order).print_stats(40)
    told = {kind: story.costs[kind].told() for kind in ORDER if kind in story.costs}
    parts = [cost for kind, cost in story.costs.items() if kind != "plain"]
    whole = Cost(
        sum(cost.events for cost in parts),
        sum(cost.cpu for cost in parts),
        sum(cost.statements for cost in parts),
    )
    finished = sum(friend.finished for stage in stages for friend in stage.friends.values())
    return {"kinds": told, "story": whole.told(), "finished": finished}


statements: Counter[str] = Counter()


def count_statements() -> None:
    """Count every statement that this process sends from now on."""
    from hiiki.db.engine import engine

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements[statement] += 1

    event.listen(engine().sync_engine, "before_cursor_execute", count)


def main() -> None:
    """Run the benchmark and print its figures as the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--friends", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--profile", choices=ORDER, help="show where this kind's time goes")
    parser.add_argument("--statements", action="store_true", help="list them, with their numbers")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = prepare(Path(folder) / "pg")
        server.start({"fsync": "off", "synchronous_commit": "off"})
        try:
            server.create_database("hiiki")
            os.environ["HIIKI_DATABASE_URL"] = server.url("hiiki")
            os.environ["HIIKI_DATA_DIR"] = folder
            os.environ["HIIKI_LOG_LEVEL"] = "warning"
            asyncio.run(migrate(server.url("hiiki")))
            found = asyncio.run(play(given.friends, given.seed, given.alone, given.profile))
        finally:
            server.stop("immediate")
    if given.statements:
        for statement, times in statements.most_common(40):
            print(f"{times:6} {' '.join(statement.split())[:170]}", file=sys.stderr)  # noqa: T201
    for kind, cost in (*found["kinds"].items(), ("story", found["story"])):
        line = f"{kind:9} {cost['events']:6} events {cost['cpu_us']:7} µs {cost['statements']:6} st"
        print(line)  # noqa: T201
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
