"""Webhooks in: durable before the answer, handled by a worker, and what happens at overload.

    python -m benchmarks.ingest [--events 20000] [--connections 64] [--overload 5]

Everything runs on this machine, each in processes of its own: PostgreSQL (with fsync), `hiiki web`
as `hiiki up` starts it, `hiiki worker`, and LINE's side (`benchmarks.webhooks`), which posts over
kept connections what was made and signed before the clock started. In the same run:

* `events_per_s`, `p50_ms`, `p99_ms`: one event in a body, as LINE mostly sends them.
  `ten_in_a_body` is the same with ten, `without_events` posts bodies with nothing to keep (HTTP
  and signature alone), `beside_worker` posts while a worker handles.
* `insert_ceiling_per_s`: the same rows into the same table by 32 connections of PostgreSQL's own
  pgbench, a commit for each, with no web server. Posts that share commits can be above it.
* `handled_per_s`: what was posted, by one worker, from its first event to its last.
* `overload`: three times as many posts as were possible before, whether answered or not.
* `lost`: events of posts that were answered 200 and are not in the database, in all of the above.

`…_cpu_us` is processor time for one event (of web: for one post); it says where the limit is. On
two cores that ten other programs shared, a post cost the web server 440 µs (325 without anything
to keep; about 100 in Granian alone, with an application that only answers), PostgreSQL 160 and
LINE's side 40. Through the web framework's middleware it had been 1,160. One web process is one
core: it is the first limit, and PostgreSQL, at a third of it, the next. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from benchmarks.webhooks import SECRET, bodies, event_id
from benchmarks.wire import cpu_of, free_port
from hiiki.db.embedded import EmbeddedServer, prepare
from hiiki.db.migrate import migrate
from hiiki.line.wire import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

CEILING_CONNECTIONS = 32
_ROWS = """
    create table bench_row (n int primary key, event_id text, source_id text, kind text,
        at timestamptz, payload jsonb)
"""
_ONE_ROW = """
\\set i :i + 1
insert into ingest.webhook_event (workspace_id, channel_id, event_id, source_id, kind, at,
    received_at, payload, state, attempts)
select '{workspace_id}', '{channel_id}', event_id, source_id, kind, at, clock_timestamp(), payload,
    'waiting', 0
from bench_row where n = :i * {connections} + :client_id;
"""


@dataclass
class Place:
    """The machine's set-up: database, web server and channel."""

    server: EmbeddedServer
    database: str
    workspace_id: UUID
    channel_id: UUID
    url: str = ""
    web: int = 0
    lost: int = 0
    taken: dict[int, list[int]] = field(default_factory=dict[int, list[int]])

    @property
    def postgres(self) -> int:
        """PostgreSQL's process id."""
        return int((self.server.data / "postmaster.pid").read_text().split()[0])

    def ask(self, query: str, *values: Any) -> Any:
        """Return the one value that a query gives."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            row = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


async def make_channel() -> tuple[UUID, UUID]:
    """Make a workspace and a channel with the webhook key `bench`; returns their ids."""
    import hiiki.rooms  # noqa: F401 — opens the road
    from hiiki.db import everywhere, scope
    from hiiki.db.engine import dispose
    from hiiki.kit.ids import uuid7
    from hiiki.workspace.models import Channel, Workspace
    from hiiki.workspace.seal import seal

    async with everywhere() as session:  # a new workspace
        workspace = Workspace(name="bench")
        session.add(workspace)
        await session.flush()
    ident = uuid7()
    async with scope(workspace.id) as session:
        session.add(
            Channel(
                id=ident,
                name="bench",
                line_channel_id="1",
                provider="p",
                sealed_secret=seal(SECRET, ident, "secret"),
                sealed_token=seal("t", ident, "token"),
                webhook_key="bench",
            )
        )
    await dispose()
    return workspace.id, ident


@contextmanager
def running(*command: str) -> Iterator[int]:
    """Run `python -m …` meanwhile; gives its process id."""
    process = subprocess.Popen([sys.executable, "-m", *command])  # noqa: S603 — our own command
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def web_of(place: Place) -> Iterator[None]:
    """Run `hiiki web` meanwhile."""
    address = f"http://127.0.0.1:{free_port()}"
    with running("hiiki", "web", "--port", address.rpartition(":")[2]) as pid:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{address}/readyz", timeout=5).close()  # noqa: S310
                break
            except OSError:
                time.sleep(0.1)
        place.url, place.web = f"{address}/webhook/bench", pid
        yield


def post(place: Place, run: int, **order: Any) -> dict[str, Any]:
    """Let LINE post, and look whether everything answered 200 is there; returns the figures."""
    given = {"url": place.url, "run": run, **order}
    web, postgres = cpu_of(place.web), cpu_of(place.postgres)
    done = subprocess.run(  # noqa: S603 — our own command
        [sys.executable, "-m", "benchmarks.webhooks", json.dumps(given)],
        stdout=subprocess.PIPE,
        check=True,
    )
    web, postgres = cpu_of(place.web) - web, cpu_of(place.postgres) - postgres
    found = json.loads(done.stdout)
    together = int(order.get("together", 1))
    kept = [
        event_id(run, number * together + place_in_body)
        for number in found.pop("kept")
        for place_in_body in range(together)
    ]
    place.lost += place.ask(
        "select count(*) from unnest(%s::text[]) as id where not exists ("
        "select 1 from ingest.webhook_event e where e.channel_id = %s and e.event_id = id)",
        kept,
        place.channel_id,
    )
    posts = max(1, found["posts"])
    return found | {
        "per_s": round((len(kept) or found["answers"].get("200", 0)) / found["seconds"]),
        "web_cpu_us": round(web / posts * 1e6),
        "postgres_cpu_us": round(postgres / max(1, len(kept)) * 1e6),
    }


def ceiling(place: Place, run: int, count: int, people: int) -> dict[str, int]:
    """Insert the same rows with a commit for each, through pgbench."""
    program = place.server.binaries / "pgbench"
    pgbench = str(program) if program.exists() else shutil.which("pgbench")
    if pgbench is None:
        raise RuntimeError("pgbench, which comes with PostgreSQL, is not there")
    rows = [event for body in bodies(run, count, people, 1) for event in parse(body)]
    with psycopg.connect(place.database, autocommit=True) as connection:
        connection.execute(_ROWS)
        with connection.cursor().copy("copy bench_row from stdin") as copy:
            for number, row in enumerate(rows):
                payload = json.dumps(row.payload)
                copy.write_row((number, row.id, row.source_id, row.kind, row.at, payload))
        connection.execute("vacuum analyze bench_row")
    script = _ONE_ROW.format(
        workspace_id=place.workspace_id,
        channel_id=place.channel_id,
        connections=CEILING_CONNECTIONS,
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            pgbench, "-n", "-M", "prepared", "-f", file.name, "-D", "i=-1",
            "-c", str(CEILING_CONNECTIONS), "-j", "1",
            "-t", str(count // CEILING_CONNECTIONS), place.database,
        ]  # fmt: skip
        cpu = cpu_of(place.postgres)
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        cpu = cpu_of(place.postgres) - cpu
    stored = place.ask(
        "select count(*) from ingest.webhook_event where event_id like %s",
        event_id(run, 0)[:10] + "%",
    )
    assert stored == count // CEILING_CONNECTIONS * CEILING_CONNECTIONS, stored
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    # They were stored only to see how long it takes: no worker is to find them.
    place.ask(
        "with gone as (delete from ingest.webhook_event where event_id like %s) select 1",
        event_id(run, 0)[:10] + "%",
    )
    return {"per_s": round(float(line.split()[2])), "postgres_cpu_us": round(cpu / stored * 1e6)}


def wait_until_handled(place: Place) -> None:
    """Wait until nothing waits any more."""
    query = "select exists (select 1 from ingest.webhook_event where state = 'waiting')"
    while place.ask(query):
        time.sleep(0.05)


def handle(place: Place, worker: int) -> dict[str, Any]:
    """Time a worker that has just been started on all that waits; returns the figures."""
    begun = place.ask("select clock_timestamp()")
    first = "select exists (select 1 from ingest.webhook_event where handled_at >= %s)"
    while not place.ask(first, begun):
        time.sleep(0.01)
    cpu = cpu_of(worker)
    wait_until_handled(place)
    cpu = cpu_of(worker) - cpu
    count = place.ask("select count(*) from ingest.webhook_event where handled_at >= %s", begun)
    seconds = place.ask(
        "select extract(epoch from max(handled_at) - min(handled_at))::float8"
        " from ingest.webhook_event where handled_at >= %s",
        begun,
    )
    return {"per_s": round(count / seconds), "cpu_us": round(cpu / count * 1e6), "count": count}


def get_acquainted(place: Place, people: int) -> None:
    """Let everybody write once: what is measured is what happens every day."""
    with running("hiiki", "worker"):
        post(place, 0, count=people, people=people)
        wait_until_handled(place)
    # There is no LINE to ask for their names.
    place.ask("with due as (update contacts.contact set profile_due_at = null) select 1")


def measure(place: Place, given: argparse.Namespace) -> dict[str, Any]:
    """Run it all and return the figures."""
    usual = {"people": given.people, "connections": given.connections}
    with web_of(place):
        get_acquainted(place, given.people)
        single = post(place, 1, count=given.events, **usual)
        with running("hiiki", "worker") as worker:
            handled = handle(place, worker)
            beside = post(place, 2, count=given.events // 2, **usual)
            wait_until_handled(place)
        tens = post(place, 3, count=given.events, together=10, **usual)
        nothing = post(place, 4, count=given.events, together=0, **usual)
        offered = 3 * single["per_s"]
        storm = post(
            place, 5, rate=offered, seconds=given.overload, people=given.people, connections=2_000
        )
    most = ceiling(place, 6, given.events, given.people)
    spread = ("p50_ms", "p99_ms", "web_cpu_us", "postgres_cpu_us", "client_cpu_us")
    refused = storm["answers"].get("503", 0)
    return {
        "events_per_s": single["per_s"],
        "p50_ms": single["p50_ms"],
        "p99_ms": single["p99_ms"],
        "insert_ceiling_per_s": most["per_s"],
        "handled_per_s": handled["per_s"],
        "lost": place.lost,
        "handled_cpu_us": handled["cpu_us"],
        "web_cpu_us": single["web_cpu_us"],
        "postgres_cpu_us": single["postgres_cpu_us"],
        "client_cpu_us": single["client_cpu_us"],
        "ceiling_postgres_cpu_us": most["postgres_cpu_us"],
        "ten_in_a_body": {"events_per_s": tens["per_s"], **{name: tens[name] for name in spread}},
        "without_events": {
            "posts_per_s": nothing["per_s"],
            "p99_ms": nothing["p99_ms"],
            "web_cpu_us": nothing["web_cpu_us"],
        },
        "beside_worker": {"events_per_s": beside["per_s"], "p99_ms": beside["p99_ms"]},
        "overload": {
            "offered_per_s": offered,
            "kept_per_s": storm["per_s"],
            "share_503": round(refused / max(1, storm["posts"]), 3),
            "p99_ms": storm["p99_ms"],
            "p99_ms_of_503": storm["by_status"].get("503", {}).get("p99_ms"),
            "later_than_line_waits": storm["late"],
            "unanswered": sum(storm["answers"].values())
            - sum(storm["answers"].get(status, 0) for status in ("200", "503")),
            "without_connection": storm["left_out"],
        },
        "load_average": [round(each, 1) for each in os.getloadavg()],
    }


def main() -> None:
    """Run the benchmark and print its figures as the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--overload", type=float, default=5, help="seconds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = prepare(Path(folder) / "pg")
        server.start()
        try:
            server.create_database("hiiki")
            database = server.url("hiiki")
            os.environ["HIIKI_DATABASE_URL"] = database
            os.environ["HIIKI_DATA_DIR"] = folder
            os.environ["HIIKI_LOG_LEVEL"] = "error"
            os.environ["HIIKI_LINE_API"] = "http://127.0.0.1:1"  # nobody: nothing is said here
            asyncio.run(migrate(database))
            place = Place(server, database, *asyncio.run(make_channel()))
            figures = measure(place, given)
        finally:
            server.stop("immediate")
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
