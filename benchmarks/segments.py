"""How long segments take: `make bench-segments FRIENDS=100000 EVENTS=1000000`.

Builds a world of that size on a server of its own, counts each rule, reads its first page,
asks for one contact, and runs the same question as the SQL that a careful engineer would
write by hand. The last line is one JSON object.
"""

# ruff: noqa: S608, T201 — the SQL by hand holds ids made here; a benchmark speaks on the terminal

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from hiiki.db import engine as engine_module
from hiiki.db import everywhere, scope
from hiiki.db.embedded import prepare
from hiiki.db.migrate import migrate
from hiiki.segments import service
from hiiki.segments.models import Segment
from hiiki.segments.rules import AnyRule, read_rule
from hiiki.settings import settings
from hiiki.workspace.models import Workspace

FRIENDS = int(os.environ.get("FRIENDS") or 100_000)
EVENTS = int(os.environ.get("EVENTS") or 10 * FRIENDS)
ROUNDS = int(os.environ.get("ROUNDS") or 7)
TAGS = ("mild", "hot", "engaged", "considering", "planned", "children", "knitwear", "men")
SHARES = (0.4, 0.2, 0.1, 0.15, 0.08, 0.3, 0.05, 0.45)

WORLD = """
insert into contacts.contact (id, workspace_id, display_name, birthday, prefecture,
    is_purchaser, created_at, updated_at)
select md5('c' || n)::uuid, %(ws)s, 'friend ' || n,
    case when n %% 3 > 0 then date '1960-01-01' + (n * 37 %% 18000)::int end,
    (array['東京都', '北海道', '大阪府', null])[1 + n %% 4], n %% 5 = 0,
    now() - n * interval '3 seconds', now()
from generate_series(1, %(friends)s) n;

insert into contacts.friendship (contact_id, channel_id, workspace_id, line_user_id, status,
    first_followed_at, followed_at)
select md5('c' || n)::uuid, %(channel)s, %(ws)s, 'U' || n,
    case when n %% 10 = 0 then 'blocked' else 'following' end,
    now() - (n %% 365) * interval '1 day', now() - (n %% 365) * interval '1 day'
from generate_series(1, %(friends)s) n;

insert into contacts.contact_tag (contact_id, tag_id, workspace_id, at)
select md5('c' || n)::uuid, t.id, %(ws)s, now()
from generate_series(1, %(friends)s) n
join (select id, (string_to_array(description, ' '))[1]::float share,
    (string_to_array(description, ' '))[2]::int seed from contacts.tag) t
    on (hashint8(n::bigint * 31 + t.seed) & 65535) < t.share * 65536;

insert into contacts.contact_attribute (contact_id, attribute_id, workspace_id, number, at)
select md5('c' || n)::uuid, %(age)s, %(ws)s, 18 + hashint4(n) & 63, now()
from generate_series(1, %(friends)s) n where n %% 4 > 0;

insert into timeline.event (contact_id, id, workspace_id, at, channel_id, kind, subject, value,
    data)
select md5('c' || 1 + (hashint8(n::bigint) & 2147483647) %% %(friends)s)::uuid,
    md5('e' || n)::uuid, %(ws)s, now() - (n %% 400) * interval '1 day', %(channel)s,
    (array['message', 'link_open', 'purchase', 'coupon_use', 'survey_answer'])[1 + n %% 5],
    case n %% 5 when 1 then 'link' || n %% 50 when 4 then %(question)s else '' end,
    case n %% 5 when 2 then n %% 9000 end,
    case n %% 5 when 4 then jsonb_build_object('choice_ids', jsonb_build_array('c' || n %% 4))
        else '{}' end
from generate_series(1, %(events)s) n;
"""


class Ids:
    """The things that rules refer to."""

    def __init__(self) -> None:
        self.workspace = uuid4()
        self.channel, self.age, self.question = uuid4(), uuid4(), uuid4()
        self.tags = {name: uuid4() for name in TAGS}


def questions(ids: Ids) -> dict[str, tuple[dict[str, Any], str]]:
    """Return name → rule, and the same question written by hand."""

    def has(*names: str, op: str = "has") -> dict[str, Any]:
        return {"kind": "tag", "op": op, "tag_ids": [str(ids.tags[name]) for name in names]}

    def every(*rules: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "all", "rules": list(rules)}

    def some(*rules: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "any", "rules": list(rules)}

    def happened(event: str, **more: Any) -> dict[str, Any]:
        return {"kind": "event", "event": event, **more}

    def tag(name: str, no: str = "") -> str:
        return (
            f"{no} exists (select from contacts.contact_tag t where t.contact_id = c.id"
            f" and t.tag_id = '{ids.tags[name]}')"
        )

    def event(kind: str, more: str = "", no: str = "") -> str:
        return (
            f"{no} exists (select from timeline.event e where e.contact_id = c.id"
            f" and e.workspace_id = c.workspace_id and e.kind = '{kind}' {more})"
        )

    def grouped(kind: str, having: str) -> str:
        return (
            "c.id in (select contact_id from timeline.event where workspace_id = "
            f"'{ids.workspace}' and kind = '{kind}' group by contact_id having {having})"
        )

    older = {
        "kind": "attribute",
        "attribute_id": str(ids.age),
        "test": {"op": "number_above", "number": 30},
    }
    age = (
        "exists (select from contacts.contact_attribute a where a.contact_id = c.id"
        f" and a.attribute_id = '{ids.age}' and a.number %s 30)"
    )
    february = {"kind": "profile", "field": "birthday", "test": {"op": "day_month", "month": 2}}
    hokkaido = {
        "kind": "profile",
        "field": "prefecture",
        "test": {"op": "choice_any", "choices": ["北海道"]},
    }
    return {
        "everyone": ({"kind": "everyone"}, "true"),
        "B1_engaged_and_considering": (
            every(has("engaged"), has("considering")),
            f"{tag('engaged')} and {tag('considering')}",
        ),
        "B1_children_and_planned_or_considering": (
            every(has("children"), some(has("planned"), has("considering"))),
            f"{tag('children')} and c.id in (select contact_id from contacts.contact_tag where"
            f" tag_id in ('{ids.tags['planned']}', '{ids.tags['considering']}'))",
        ),
        "B2_mild_and_not_hot": (
            every(has("mild"), has("hot", op="has_not")),
            f"{tag('mild')} and {tag('hot', 'not')}",
        ),
        "B3_birthday_in_february": (february, "extract(month from c.birthday) = 2"),
        "B3_age_over_30_and_knitwear": (
            every(older, has("knitwear")),
            f"{age % '>'} and {tag('knitwear')}",
        ),
        "B3_not_over_30": ({"kind": "not", "rule": older}, age % "<="),
        "B4_not_hokkaido_not_men": (
            every({"kind": "not", "rule": hokkaido}, has("men", op="has_not")),
            f"c.prefecture <> '北海道' and {tag('men', 'not')}",
        ),
        "B5_five_purchases": (
            happened("purchase", number=5),
            grouped("purchase", "count(*) >= 5"),
        ),
        "B5_spent_10000": (
            happened("purchase", measure="sum", number=10000),
            grouped("purchase", "sum(value) >= 10000"),
        ),
        "B5_never_bought": (
            happened("purchase", op="exactly", number=0),
            event("purchase", no="not"),
        ),
        "B6_latest_answer": (
            {
                "kind": "answer",
                "question_id": str(ids.question),
                "op": "choices",
                "choice_ids": ["c1"],
            },
            "c.id in (select contact_id from (select distinct on (contact_id) contact_id, data"
            f" from timeline.event where workspace_id = '{ids.workspace}' and kind ="
            f" 'survey_answer' and subject = '{ids.question}' order by contact_id, at desc,"
            " id desc) l where data->'choice_ids' ? 'c1')",
        ),
        "B7_opened_and_not_used_in_30_days": (
            every(
                happened("link_open", period={"kind": "recent", "days": 30}),
                happened(
                    "coupon_use", op="exactly", number=0, period={"kind": "recent", "days": 30}
                ),
            ),
            event("link_open", "and e.at > now() - interval '30 days'")
            + " and "
            + event("coupon_use", "and e.at > now() - interval '30 days'", "not"),
        ),
        "new_friends": (
            {"kind": "friendship", "followed": {"kind": "recent", "days": 7}},
            "exists (select from contacts.friendship f where f.contact_id = c.id and f.status ="
            " 'following' and f.followed_at > now() - interval '7 days')",
        ),
    }


async def build(url: str, ids: Ids) -> None:
    """Fill the database."""
    async with everywhere() as session:  # the workspace itself is made here
        session.add(Workspace(id=ids.workspace, name="bench"))
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as db:
        await db.execute("set work_mem = '256MB'; set maintenance_work_mem = '512MB'")
        await db.execute(
            "insert into workspace.channel (id, workspace_id, name, line_channel_id, provider,"
            " bot_user_id, basic_id, picture_url, sealed_secret, sealed_token, webhook_key, plan,"
            " quota_used, is_active, created_at, updated_at) values"
            " (%s, %s, 'a', '1', '1', '', '', '', '', '', 'k', 'light', 0, true, now(), now())",
            (ids.channel, ids.workspace),
        )
        for seed, (name, share) in enumerate(zip(TAGS, SHARES, strict=True)):
            await db.execute(
                "insert into contacts.tag (id, workspace_id, name, colour, description, created_at,"
                " updated_at) values (%s, %s, %s, 'blue', %s, now(), now())",
                (ids.tags[name], ids.workspace, name, f"{share} {seed}"),
            )
        await db.execute(
            "insert into contacts.attribute (id, workspace_id, key, label, kind, choices, position,"
            " created_at, updated_at)"
            " values (%s, %s, 'age', 'age', 'number', '[]', 0, now(), now())",
            (ids.age, ids.workspace),
        )
        named = {
            "ws": ids.workspace,
            "channel": ids.channel,
            "age": ids.age,
            "question": str(ids.question),
            "friends": FRIENDS,
            "events": EVENTS,
        }
        cursor = psycopg.AsyncClientCursor(db)
        for statement in WORLD.split(";\n"):
            if statement.strip():
                await cursor.execute(statement, named)
        await db.execute("vacuum analyze")


async def timed(work: Callable[[], Awaitable[Any]], rounds: int = ROUNDS) -> list[float]:
    """Return how many milliseconds each round took, the first (cold) one left out."""
    await work()
    found: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        await work()
        found.append((time.perf_counter() - start) * 1000)
    return sorted(found)


def p95(times: list[float]) -> float:
    """Return the 95th percentile, of few rounds the worst."""
    return round(times[min(len(times) - 1, int(len(times) * 0.95))], 1)


async def measure(url: str, ids: Ids) -> dict[str, Any]:
    """Ask every question in every way."""
    rules: dict[str, Any] = {}
    one: list[float] = []
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as db:
        someone = await (
            await db.execute(
                "select id from contacts.contact order by id offset %s limit 1", (FRIENDS // 2,)
            )
        ).fetchone()
        assert someone is not None
        for name, (data, where) in questions(ids).items():
            rule = read_rule(data)

            async def count_reach(session: Any, rule: AnyRule) -> Any:
                return await service.count(session, rule, ids.channel)

            members = await ask(ids, rule, count_reach)

            async def by_hand(where: str = where) -> Any:
                found = await db.execute(
                    "select count(*), count(f.contact_id) from contacts.contact c left join"
                    " contacts.friendship f on f.contact_id = c.id and f.status = 'following' and"
                    f" f.channel_id = '{ids.channel}' where c.workspace_id = '{ids.workspace}'"
                    f" and {where}"
                )
                return await found.fetchone()

            expected = await by_hand()
            if tuple(expected) != (members.members, members.reachable):
                raise SystemExit(f"{name}: {members} but by hand {expected}")
            counted = await timed(lambda rule=rule: ask(ids, rule, count_reach))
            page = await timed(lambda rule=rule: ask(ids, rule, service.sample))
            hand = await timed(by_hand)
            segment_id = await keep(ids, name, data)
            one += await timed(
                lambda segment_id=segment_id: member(ids, segment_id, someone[0]), rounds=20
            )
            rules[name] = {
                "members": members.members,
                "p50_ms": round(statistics.median(counted), 1),
                "p95_ms": p95(counted),
                "page_p95_ms": p95(page),
                "hand_written_p95_ms": p95(hand),
                "ratio": round(statistics.median(counted) / statistics.median(hand), 2),
            }
            print(f"{name:42} {json.dumps(rules[name])}", file=sys.stderr)
    one.sort()
    return {
        "friends": FRIENDS,
        "events": EVENTS,
        "rules": rules,
        "one_contact_ms": round(statistics.median(one), 2),
        "one_contact_p95_ms": p95(one),
    }


async def ask(ids: Ids, rule: AnyRule, how: Callable[[Any, AnyRule], Awaitable[Any]]) -> Any:
    """Ask in a transaction of its own, as a request does."""
    async with scope(ids.workspace) as session:
        return await how(session, rule)


async def keep(ids: Ids, name: str, rule: dict[str, Any]) -> UUID:
    """Save a segment."""
    async with scope(ids.workspace) as session:
        segment = Segment(name=name, rule=read_rule(rule).model_dump(mode="json"))
        session.add(segment)
        await session.flush()
        return segment.id


async def member(ids: Ids, segment_id: UUID, contact_id: UUID) -> bool:
    """Ask whether one contact is in a saved segment."""
    async with scope(ids.workspace) as session:
        return await service.contains(session, segment_id, contact_id)


async def main(url: str) -> None:
    """Build, measure, tell."""
    await migrate(url)
    os.environ["HIIKI_DATABASE_URL"] = url
    settings.cache_clear()
    ids = Ids()
    start = time.perf_counter()
    await build(url, ids)
    print(f"built in {time.perf_counter() - start:.1f} s", file=sys.stderr)
    try:
        print(json.dumps(await measure(url, ids)))
    finally:
        await engine_module.dispose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="hiiki-bench-") as folder:
        server = prepare(Path(folder))
        server.start({"fsync": "off", "shared_buffers": "512MB", "max_wal_size": "4GB"})
        try:
            server.create_database("bench")
            asyncio.run(main(server.url("bench")))
        finally:
            server.stop("immediate")
