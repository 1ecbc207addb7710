"""Segments over many people: each rule counted, paged and asked for one person, beside SQL by hand.

    python -m benchmarks.segments      (FRIENDS=1000000 EVENTS=10000000 ROUNDS=20 WORLD=var/…)

A database of its own in a data folder of its own, kept for three days when the same size is asked
for again (`segment_world`). Each rule (`segment_rules`) is asked through Hiiki's own code, a
transaction of its own each time, as a request asks it: how many are members; how many are members
and how many of these a message reaches; the first fifty people. In turn with it runs the same
question written by hand, in the same kind of transaction with the same settings; both must have
the same members. All of that is done for 10,000 and 100,000 friends too.

The last line is one JSON object. Of each rule: `p50_ms` and `p95_ms` of the count,
`page_p95_ms`, `hand_written_p95_ms` and `ratio` (of the medians); `reach_p95_ms`,
`hand_written_reach_p95_ms` and `reach_ratio` of members and reach together; `cpu_ms` and
`hand_written_cpu_ms` are the processors' time of a count in PostgreSQL, which says more where a
machine is busy with other things. `one_contact_ms` is the median of whether one person is in a
saved segment, over all rules, in a transaction of its own; `freeze_million_s` is what freezing
everybody takes, for each million of people; `growth` is the time of all counts for a friend at this
size over that at 10,000 friends (1: it grows as people do), and `us_per_friend` that time by size.
The list of friends and a friend's page are asked for over the application's own door, log-in
included.
"""

# ruff: noqa: T201 — a benchmark speaks on the terminal

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import func, select, text

from benchmarks.processes import postmaster
from benchmarks.segment_rules import Question, questions
from benchmarks.segment_world import CHANNEL, FOLDER, FRESH, WORKSPACE, named, world
from benchmarks.wire import cpu_of
from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.db.embedded import prepare
from hiiki.db.engine import dispose
from hiiki.kit.i18n import set_locale
from hiiki.rooms import registry
from hiiki.segments import service
from hiiki.segments.models import Segment
from hiiki.segments.rules import AnyRule, read_rule
from hiiki.settings import settings
from hiiki.workspace.models import Channel

FRIENDS = int(os.environ.get("FRIENDS") or 100_000)
EVENTS = int(os.environ.get("EVENTS") or 10 * FRIENDS)
ROUNDS = int(os.environ.get("ROUNDS") or 20)
ONLY = os.environ.get("ONLY") or ""
"""Ask only the rules whose names have this in them, and nothing else."""
SMALLER = (10_000, 100_000)
SERVER = {"fsync": "off", "shared_buffers": "1GB", "max_wal_size": "4GB"}
BY_HAND = {"scoped_by_hand": True}

Ask = Callable[[WorkspaceSession], Awaitable[Any]]


class Clock:
    """What something takes: milliseconds by the clock, and of processor time in PostgreSQL."""

    def __init__(self, server: int) -> None:
        self.server = server
        self.times: list[float] = []
        self.cpu = 0.0

    async def time(self, ask: Ask) -> Any:
        """Ask in a transaction of its own, as a request does."""
        cpu, start = cpu_of(self.server), time.perf_counter()
        async with scope(WORKSPACE) as session:
            found = await ask(session)
        self.times.append((time.perf_counter() - start) * 1000)
        self.cpu += (cpu_of(self.server) - cpu) * 1000
        return found

    @property
    def p50(self) -> float:
        """The middle."""
        return round(statistics.median(self.times), 1)

    @property
    def p95(self) -> float:
        """The 95th of a hundred; of few the longest."""
        ordered = sorted(self.times)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1)

    @property
    def cpu_ms(self) -> float:
        """Of one round."""
        return round(self.cpu / len(self.times), 1)


def by_hand(written: str) -> Ask:
    """Return a statement as a careful engineer has it asked."""
    sql = written.replace("%", "%%")

    async def ask(session: WorkspaceSession) -> Any:
        connection = await session.connection()
        for name, value in (("jit", "off"), ("work_mem", "64MB")):
            await connection.exec_driver_sql(f"set local {name} = '{value}'")
        return (await connection.exec_driver_sql(sql)).one()

    return ask


async def check(name: str, rule: AnyRule, question: Question) -> None:
    """Raise `SystemExit` unless both give the same people.

    Where a rule looks back from this moment, somebody may pass its border between the two.
    """
    for _ in range(3):
        ours, hand = await _both(rule, question)
        if ours == hand:
            return
    raise SystemExit(f"{name}: {ours}, by hand {hand}")


async def _both(rule: AnyRule, question: Question) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    sums = "select count(*), bit_xor(hashtextextended(contact_id::text, 0)) from ({}) _"
    async with scope(WORKSPACE) as session:
        frame = await service.frame_for(session, rule)
        members = service.compile_rule(rule, frame).subquery()
        summed = text("bit_xor(hashtextextended(contact_id::text, 0))")
        ours = (
            await session.execute(
                select(text("count(*)"), summed).select_from(members), execution_options=BY_HAND
            )
        ).one()
        connection = await session.connection()
        written = sums.format(question.by_hand).replace("%", "%%")
        hand = (await connection.exec_driver_sql(written)).one()
    return tuple(ours), tuple(hand)


async def measure_rule(name: str, question: Question, rounds: int, server: int) -> dict[str, Any]:
    """Ask one rule in every way."""
    rule = read_rule(question.rule)
    await check(name, rule, question)
    ways: dict[str, Ask] = {
        "count": lambda session: _members(session, rule),
        "hand": by_hand(question.counted_by_hand),
        "reach": lambda session: service.count(session, rule, CHANNEL),
        "hand_reach": by_hand(question.reached_by_hand),
        "page": lambda session: service.page_of_members(session, rule),
    }
    warm = Clock(server)
    first = {way: await warm.time(ask) for way, ask in ways.items()}
    clocks = {way: Clock(server) for way in ways}
    for _ in range(rounds):
        for way, ask in ways.items():
            await clocks[way].time(ask)
    count, hand = clocks["count"], clocks["hand"]
    return {
        "members": first["count"],
        "p50_ms": count.p50,
        "p95_ms": count.p95,
        "page_p95_ms": clocks["page"].p95,
        "hand_written_p95_ms": hand.p95,
        "ratio": round(count.p50 / hand.p50, 2),
        "reach_p95_ms": clocks["reach"].p95,
        "hand_written_reach_p95_ms": clocks["hand_reach"].p95,
        "reach_ratio": round(clocks["reach"].p50 / clocks["hand_reach"].p50, 2),
        "cpu_ms": count.cpu_ms,
        "hand_written_cpu_ms": hand.cpu_ms,
    }


async def _members(session: WorkspaceSession, rule: AnyRule) -> int:
    members = service.compile_rule(rule, await service.frame_for(session, rule)).subquery()
    counted = select(func.count()).select_from(members)
    return (await session.execute(counted, execution_options=BY_HAND)).scalar_one()


async def measure_rules(rounds: int, server: int) -> dict[str, Any]:
    """Ask all rules."""
    found: dict[str, Any] = {}
    set_locale("en")  # as the world's words are; a page that was asked for has another
    for name, question in questions().items():
        if ONLY not in name:
            continue
        found[name] = await measure_rule(name, question, rounds, server)
        print(f"{name:36} {json.dumps(found[name])}", file=sys.stderr, flush=True)
    return found


async def measure_one(server: int) -> dict[str, float]:
    """Ask whether one person is in a saved segment, for each rule and several people."""
    async with scope(WORKSPACE) as session:
        kept = {
            name: Segment(
                name=f"{name} {uuid4()}", rule=read_rule(each.rule).model_dump(mode="json")
            )
            for name, each in questions().items()
        }
        session.add_all(kept.values())
        people = list(await session.scalars(select(Contact.id).order_by(Contact.id).limit(20)))
    clock, cpu = Clock(server), 0.0
    try:
        for segment in kept.values():

            def ask(session: WorkspaceSession, who: UUID, segment: UUID = segment.id) -> Any:
                return service.contains(session, segment, who)

            await Clock(server).time(lambda session, ask=ask: ask(session, people[0]))
            before = time.process_time()
            for who in people:
                await clock.time(lambda session, ask=ask, who=who: ask(session, who))
            cpu += time.process_time() - before
    finally:
        async with scope(WORKSPACE) as session:
            for segment in kept.values():
                await session.delete(segment)
    return {
        "one_contact_ms": round(statistics.median(clock.times), 2),
        "one_contact_p95_ms": clock.p95,
        "one_contact_python_ms": round(cpu / len(clock.times) * 1000, 2),
    }


class _Undone(Exception):
    """What was tried is taken back."""


async def measure_freeze(server: int) -> dict[str, Any]:
    """Freeze everybody, as a broadcast to a segment of all does, and take it back."""
    from hiiki.delivery import service as delivery

    async with scope(WORKSPACE) as session:
        segment = Segment(name=f"all {uuid4()}", rule={"kind": "everyone"})
        session.add(segment)
    clock, people = Clock(server), 0
    try:
        for _ in range(3):
            try:
                async with scope(WORKSPACE) as session:
                    channel = await session.one(Channel, CHANNEL)
                    channel.plan, channel.quota_limit = "standard", 10 * FRIENDS
                    await session.flush()
                    cpu, start = cpu_of(server), time.perf_counter()
                    send = await delivery.start_send(
                        session,
                        channel_id=CHANNEL,
                        subject="broadcast:bench",
                        messages=[{"type": "text", "text": "こんにちは"}],
                        personal=False,
                        audience=await service.audience(session, segment.id),
                    )
                    clock.times.append(time.perf_counter() - start)
                    clock.cpu += cpu_of(server) - cpu
                    people = send.targeted + send.blocked
                    raise _Undone
            except _Undone:
                pass
    finally:
        async with scope(WORKSPACE) as session:
            await session.delete(segment)
    middle = statistics.median(clock.times)
    return {
        "freeze_million_s": round(middle / people * 1e6, 2),
        "freeze_people": people,
        "freeze_s": round(middle, 2),
        "freeze_cpu_s": round(clock.cpu / len(clock.times), 2),
    }


async def measure_pages(server: int) -> dict[str, Any]:
    """Ask for the list of friends and a friend's page, as a browser does."""
    from hiiki.web.app import create_app
    from hiiki.workspace import auth
    from hiiki.workspace import service as workspace

    async with everywhere() as session:  # staff belong to no one workspace
        staff = await workspace.create_staff(
            session, WORKSPACE, f"{uuid4()}@example.com", "bench", uuid4().hex, "owner"
        )
    async with scope(WORKSPACE) as session:
        people = list(
            await session.scalars(select(Contact.id).order_by(Contact.created_at).limit(ROUNDS))
        )
    lists = {
        "/friends": ["/friends"] * ROUNDS,
        "/friends?status=following": ["/friends?status=following"] * ROUNDS,
        "/friends?tag": [f"/friends?tag={named('Interested in knitwear')}"] * ROUNDS,
        "/friends?q": [f"/friends?q=友だち{7 * n + 12_345}" for n in range(ROUNDS)],
        "/friends?sort": ["/friends?sort=purchases.spent"] * ROUNDS,
    }
    pages = {"/friends/…": [f"/friends/{who}" for who in people]}
    transport = httpx.ASGITransport(app=create_app())
    found: dict[str, Any] = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as browser:
        token = await auth.start_session(staff.id, workspace_id=WORKSPACE)
        browser.cookies["hiiki_session"] = token
        browser.headers["accept"] = "text/html"
        for name, addresses in (lists | pages).items():
            clock = Clock(server)
            (await browser.get(addresses[0])).raise_for_status()
            before = time.process_time()
            for address in addresses:
                start = time.perf_counter()
                (await browser.get(address)).raise_for_status()
                clock.times.append((time.perf_counter() - start) * 1000)
            used = (time.process_time() - before) / len(addresses) * 1000
            found[name] = {"p50_ms": clock.p50, "p95_ms": clock.p95, "python_ms": round(used, 1)}
            print(f"{name:36} {json.dumps(found[name])}", file=sys.stderr, flush=True)
    return {
        "friends_list_p95_ms": max(found[name]["p95_ms"] for name in lists),
        "friend_page_p95_ms": max(found[name]["p95_ms"] for name in pages),
        "pages": found,
    }


async def in_world(url: str, what: Callable[[], Awaitable[Any]]) -> Any:
    """Do something with this database."""
    os.environ["HIIKI_DATABASE_URL"] = url
    settings.cache_clear()
    try:
        return await what()
    finally:
        await dispose()


def per_friend(rules: dict[str, Any], friends: int) -> float:
    """Return the microseconds of all counts together, for each friend."""
    return round(sum(each["p50_ms"] for each in rules.values()) * 1000 / friends, 3)


async def play(data: Path) -> dict[str, Any]:
    """Build, measure, tell."""
    server = prepare(data)
    server.start(SERVER)
    pid = postmaster(data)
    done: dict[str, Any] = {"friends": FRIENDS, "events": EVENTS}
    try:
        url = await world(server, FRIENDS, EVENTS)
        done["rules"] = await in_world(url, lambda: measure_rules(ROUNDS, pid))
        if ONLY:
            return done
        for measure in (measure_one, measure_freeze, measure_pages):
            done |= await in_world(url, lambda measure=measure: measure(pid))
        sizes = {FRIENDS: per_friend(done["rules"], FRIENDS)}
        for friends in SMALLER:
            if friends >= FRIENDS:
                continue
            url = await world(server, friends, friends * EVENTS // FRIENDS)
            smaller = await in_world(url, lambda: measure_rules(7, pid))
            sizes[friends] = per_friend(smaller, friends)
        done["growth"] = round(sizes[FRIENDS] / sizes[min(sizes)], 2)
        done["us_per_friend"] = {str(size): sizes[size] for size in sorted(sizes)}
        done["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return done
    finally:
        (None if os.environ.get("KEEP") else server.stop("fast"))


def main() -> None:
    """Print one line of JSON."""
    assert registry.events
    data = Path(os.environ.get("WORLD") or FOLDER)
    print(f"in {data}, kept for {FRESH.days} days", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="hiiki-bench-") as secrets:
        os.environ["HIIKI_DATA_DIR"] = secrets
        os.environ["HIIKI_LOG_LEVEL"] = "warning"
        print(json.dumps(asyncio.run(play(data))))


if __name__ == "__main__":
    main()
