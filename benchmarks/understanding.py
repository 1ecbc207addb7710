"""RFM, lifetime value, the 9-segment map and personas of many people: working out, and the pages.

    python -m benchmarks.understanding      (FRIENDS=1000000 EVENTS=10000000 ROUNDS=7 WORLD=var/…)

The shop is that of `segment_world` (four in ten of its friends have bought), in a copy that is
dropped afterwards, at 10,000, 100,000 and `FRIENDS` people. Each room does what its worker does:
`first` is the first time, or after a change of how people are read, `again` a night in which
nothing has changed. A persona is read of a tenth of everybody, beside the rest. Then every console
page of the room is asked for over the application's own door, log-in included.

The last line is one JSON object, room by room and size by size: `compute_s` of the dearer of the
two, `us_per_person` of processor time in Python and PostgreSQL together, which says more where a
machine is busy with other things, `peak_mb` of this process and `database_mb` of what PostgreSQL's
processes take beside the shared buffers, and `page_p95_ms` of the slowest page; each page by itself
is told on the way. `ONLY=rfm` asks one room, `SIZES=10000,100000` other sizes.
"""

# ruff: noqa: T201 — a benchmark speaks on the terminal

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from sqlalchemy import delete, select, text

from benchmarks.processes import peak_mb, postmaster
from benchmarks.segment_world import FOLDER, FRESH, QUESTIONS, WORKSPACE, world
from benchmarks.segments import SERVER, in_world
from benchmarks.wire import cpu_of, family
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.db.embedded import EmbeddedServer, prepare
from hiiki.kit.clock import now
from hiiki.ltv.refresh import refresh
from hiiki.ninecells.jobs import refresh as place_everybody
from hiiki.ninecells.models import Move, Setup
from hiiki.personas.models import Persona, Reading
from hiiki.personas.reading import read
from hiiki.rfm import service as ranks
from hiiki.rfm.pages import write_cursor
from hiiki.rfm.ranking import rank
from hiiki.rooms import registry
from hiiki.segments.models import Segment
from hiiki.web.app import create_app
from hiiki.workspace import auth
from hiiki.workspace import service as workspace

FRIENDS = int(os.environ.get("FRIENDS") or 100_000)
EVENTS = int(os.environ.get("EVENTS") or 10 * FRIENDS)
ROUNDS = int(os.environ.get("ROUNDS") or 7)
SIZES = [int(each) for each in (os.environ.get("SIZES") or f"10000,100000,{FRIENDS}").split(",")]
ONLY = os.environ.get("ONLY") or ""
TENTH = {"kind": "random", "seed": "bench", "low": 0, "high": 10}
MEANINGS = {
    "aware": ("yes", "yes", "yes", "no"),
    "bought": ("never", "lapsed", "general", "loyal"),
    "again": ("yes", "no", "yes", "no"),
}
"""What the four choices of the world's three questions say."""
BY_HAND = {"scoped_by_hand": True}
_EVERY = 0.05
"""Seconds between two looks at what PostgreSQL's processes take."""

Task = Callable[[], Awaitable[Any]]
Pages = Callable[[WorkspaceSession], Awaitable[list[str]]]


class Meter:
    """What something takes, of time and of memory."""

    def __init__(self, server: int) -> None:
        self.server = server
        self.database_kb = 0
        self._done = threading.Event()

    async def measure(self, task: Task) -> dict[str, float]:
        """Do it once."""
        _begin_peak_anew()
        watch = threading.Thread(target=self._watch)
        watch.start()
        own, cpu, start = time.process_time(), cpu_of(self.server), time.perf_counter()
        try:
            await task()
        finally:
            seconds = time.perf_counter() - start
            python, database = time.process_time() - own, cpu_of(self.server) - cpu
            self._done.set()
            watch.join()
        return {
            "s": round(seconds, 2),
            "python_cpu_s": round(python, 2),
            "database_cpu_s": round(database, 2),
            "peak_mb": round(peak_mb(os.getpid())),
            "database_mb": round(self.database_kb / 1024),
        }

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            taken = sum(_private_kb(pid) for pid in family(self.server))
            self.database_kb = max(self.database_kb, taken)


def _begin_peak_anew() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _private_kb(pid: int) -> int:
    with suppress(OSError):  # it has just ended
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


# --- what is worked out -------------------------------------------------------------------


async def _form_ranks() -> None:
    async with scope(WORKSPACE) as session:
        await rank(session)


async def _learn() -> None:
    async with scope(WORKSPACE) as session:
        await refresh(session)


async def _place() -> None:
    await place_everybody(str(WORKSPACE), is_told=True)


async def _read() -> None:
    async with scope(WORKSPACE) as session:
        persona = (await session.scalars(select(Persona.id))).one()
        reading = Reading(persona_id=persona)
        session.add(reading)
        await session.flush()
        ident = reading.id
    await read(WORKSPACE, ident)
    async with scope(WORKSPACE) as session:
        assert (await session.one(Reading, ident)).state == "done"


TASKS: dict[str, Task] = {"rfm": _form_ranks, "ltv": _learn, "ninecells": _place, "personas": _read}


async def prepare_rooms() -> None:
    """Forget what the world brings along of the rooms, and set up what they need."""
    async with scope(WORKSPACE) as session:
        for table in ("rfm.standing", "ltv.prediction", "ninecells.standing"):
            await session.execute(text(f"truncate {table}"), execution_options=BY_HAND)
        asked = {
            name: {
                "question_id": str(question),
                "meanings": {f"c{place}": meaning for place, meaning in enumerate(meanings)},
            }
            for question, (name, meanings) in zip(QUESTIONS, MEANINGS.items(), strict=True)
        }
        session.add(Setup(workspace_id=WORKSPACE, questions=asked))
        tenth = Segment(name=f"a tenth {uuid4()}", rule=TENTH)
        session.add(tenth)
        await session.flush()
        session.add(Persona(name="a tenth", subject=f"segment:{tenth.id}"))


async def a_day_later() -> None:
    """Forget the last day's moves on the map, so that a night has something to find."""
    async with scope(WORKSPACE) as session:
        await session.execute(delete(Move).where(Move.at > now() - timedelta(days=1)))


# --- pages --------------------------------------------------------------------------------


async def _rank_pages(session: WorkspaceSession) -> list[str]:
    group = ranks.Group(area="asleep")
    last = (await ranks.people(session, group, limit=500))[-1]
    return [
        "/rfm",
        "/rfm/people?area=best",
        "/rfm/people?area=asleep",
        f"/rfm/people?area=asleep&after={write_cursor(last)}",
        "/rfm/people?recency=1&frequency=1",
        "/rfm/people?moved_from=best&moved_to=best",
        "/rfm/movement",
        "/rfm/scheme",
    ]


async def _value_pages(_session: WorkspaceSession) -> list[str]:
    return ["/ltv", "/ltv/cohorts", "/ltv/cohorts?split=source&show=a_head", "/ltv/costs"]


async def _map_pages(session: WorkspaceSession) -> list[str]:
    tenth = await session.scalar(select(Segment.id).where(Segment.rule == TENTH))
    days = [(now() - timedelta(days=back)).date() for back in (0, 30, 365)]
    year = f"first={days[2]}&until={days[0]}"
    return [
        "/nine-cells",
        f"/nine-cells?on={days[1]}&against={days[2]}",
        f"/nine-cells?segment_id={tenth}",
        f"/nine-cells?segment_id={tenth}&against={days[1]}",
        "/nine-cells/movement",
        f"/nine-cells/movement?{year}",
        "/nine-cells/people?came_from=none&went_to=loyal_active",
        f"/nine-cells/people?{year}&went_to=loyal_active",
        "/nine-cells/settings",
    ]


async def _persona_pages(session: WorkspaceSession) -> list[str]:
    ident: UUID = (await session.scalars(select(Persona.id))).one()
    return ["/personas", f"/personas/{ident}", "/personas/new", f"/personas/{ident}/edit"]


PAGES: dict[str, Pages] = {
    "rfm": _rank_pages,
    "ltv": _value_pages,
    "ninecells": _map_pages,
    "personas": _persona_pages,
}


async def ask_pages(addresses: Sequence[str], rounds: int, server: int) -> dict[str, Any]:
    """Ask for each page so many times, as a browser does."""
    async with everywhere() as session:  # staff belong to no one workspace
        staff = await workspace.create_staff(
            session, WORKSPACE, f"{uuid4()}@example.com", "bench", uuid4().hex, "owner"
        )
    found: dict[str, Any] = {}
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as browser:
        browser.cookies["hiiki_session"] = await auth.start_session(
            staff.id, workspace_id=WORKSPACE
        )
        browser.headers["accept"] = "text/html"
        for address in addresses:
            (await browser.get(address)).raise_for_status()
            times: list[float] = []
            cpu, own = cpu_of(server), time.process_time()
            for _ in range(rounds):
                start = time.perf_counter()
                (await browser.get(address)).raise_for_status()
                times.append((time.perf_counter() - start) * 1000)
            ordered = sorted(times)
            found[address] = {
                "p50_ms": round(statistics.median(times), 1),
                "p95_ms": round(ordered[min(rounds - 1, int(rounds * 0.95))], 1),
                "database_cpu_ms": round((cpu_of(server) - cpu) / rounds * 1000, 1),
                "python_cpu_ms": round((time.process_time() - own) / rounds * 1000, 1),
            }
            print(f"    {address:64.64} {json.dumps(found[address])}", file=sys.stderr, flush=True)
    return found


# --- all of it ----------------------------------------------------------------------------


async def measure_room(name: str, people: int, server: int) -> dict[str, Any]:
    """Have a room work everything out, twice, and ask for its pages."""
    first = await Meter(server).measure(TASKS[name])
    print(f"  {name} first {json.dumps(first)}", file=sys.stderr, flush=True)
    if name == "ninecells":
        await a_day_later()
    again = await Meter(server).measure(TASKS[name])
    print(f"  {name} again {json.dumps(again)}", file=sys.stderr, flush=True)
    async with scope(WORKSPACE) as session:
        addresses = await PAGES[name](session)
    pages = await ask_pages(addresses, ROUNDS, server)
    dearer = max(first, again, key=lambda each: each["s"])
    return {
        "compute_s": dearer["s"],
        "us_per_person": round(
            (dearer["python_cpu_s"] + dearer["database_cpu_s"]) / people * 1e6, 1
        ),
        "peak_mb": max(first["peak_mb"], again["peak_mb"]),
        "database_mb": max(first["database_mb"], again["database_mb"]),
        "page_p95_ms": max(page["p95_ms"] for page in pages.values()),
        "first": first,
        "again": again,
    }


async def measure(people: int, server: int) -> dict[str, Any]:
    """Measure all rooms in one world."""
    print(f"{people:,} people", file=sys.stderr, flush=True)
    await prepare_rooms()
    return {name: await measure_room(name, people, server) for name in TASKS if ONLY in name}


def copied(server: EmbeddedServer, url: str) -> str:
    """Return the address of a copy of a database, made anew."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server.url("postgres"), autocommit=True) as db:
        db.execute("drop database if exists understanding with (force)")
        db.execute(f'create database understanding template "{name}" strategy file_copy'.encode())
    return server.url("understanding")


async def play(data: Path) -> dict[str, Any]:
    """Build, measure, tell."""
    server = prepare(data)
    server.start(SERVER)
    pid = postmaster(data)
    done: dict[str, Any] = {"friends": FRIENDS, "events": EVENTS}
    found: dict[int, Any] = {}
    try:
        for people in sorted({size for size in SIZES if size <= FRIENDS}):
            url = copied(server, await world(server, people, people * EVENTS // FRIENDS))
            found[people] = await in_world(url, lambda people=people: measure(people, pid))
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as db:
            db.execute("drop database if exists understanding with (force)")
        (None if os.environ.get("KEEP") else server.stop("fast"))
    for name in TASKS:
        if ONLY in name:
            done[name] = {str(people): rooms[name] for people, rooms in found.items()}
    return done


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
