"""A file of members or orders, from the disk into the tables: how long, where the time goes.

    python -m benchmarks.imports [--kind members] [--lines 1000000] [--sample 2000] [--profile]

A shop's own CSV in Shift_JIS, as a Japanese point-of-sale system writes one. Members: a line a
person, with keys, name, birthday in three ways of writing, prefecture, tags and two fields of the
shop's own. Orders: yen signs, thousands separators, full-width digits here and there, two lines to
an order and four orders to a person. Nobody is known before. PostgreSQL runs on this machine, with
the settings of a new installation. The file is checked, then imported, then checked and imported
again (nothing changes); before that the same is done with files of 10,000 lines, of ten times as
many, and so on.

The last line is one JSON object. `seconds` and `lines_per_s` are of check and import together, as
staff wait for them; `check_s` and `import_s` of each. `cpu_us_per_line` is the processors' time a
line of both, of the worker and of PostgreSQL; `read_us` that of reading the file alone. `growth`
is for each size the processors' time a line over that at 10,000 lines. `alternatives` are lines a
second of the same file by COPY into a bare table of texts, and, for `--sample` lines, of what one
writes first: psycopg's executemany, a person's upsert a line.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.processes import postmaster
from benchmarks.wire import cpu_of
from hiiki.contacts.attributes import create_attribute
from hiiki.contacts.schemas import AttributeIn
from hiiki.db import everywhere, scope
from hiiki.db.embedded import prepare
from hiiki.db.engine import database_url, dispose, libpq_url
from hiiki.db.migrate import migrate
from hiiki.imports import running, service, store
from hiiki.imports.files import records
from hiiki.imports.models import Import
from hiiki.imports.slices import read_slices
from hiiki.workspace.models import Workspace

SMALL = 10_000
LINES_OF_ORDER = 2
ORDERS_OF_PERSON = 4
ENCODING = "cp932"
_PREFECTURES = ("東京都", "大阪府", "北海道", "福岡県", "愛知県")
_TAGS = ("VIP", "常連", "新規", "DM可")


def write_file(path: Path, lines: int, kind: str) -> None:
    """Write a file of so many lines."""
    chance = random.Random(7)  # noqa: S311 — made-up people, no secret
    with path.open("w", encoding=ENCODING, newline="") as file:
        (_write_members if kind == "members" else _write_orders)(file, lines, chance)


def _write_members(file: Any, lines: int, chance: random.Random) -> None:
    file.write(
        "会員番号,氏名,メールアドレス,電話番号,生年月日,都道府県,タグ,購入,性別,来店回数\r\n"
    )
    for n in range(lines):
        born = date(1950, 1, 1) + timedelta(days=chance.randrange(20_000))
        birthday = (
            f"{born:%Y/%m/%d}",
            f"{born.year}年{born.month}月{born.day}日",
            f"{born:%Y%m%d}",
        )[n % 3]
        tags = "、".join(chance.sample(_TAGS, n % 3))
        file.write(
            f"M{n:07},山田 {n}郎,m{n}@example.com,090-{n // 10_000:04}-{n % 10_000:04},{birthday},"
            f"{_PREFECTURES[n % 5]},{tags},{'○' if n % 2 else '×'},{'男性' if n % 2 else '女性'},"
            f"{chance.randrange(40)}\r\n"
        )


def _write_orders(file: Any, lines: int, chance: random.Random) -> None:
    people = max(1, lines // LINES_OF_ORDER // ORDERS_OF_PERSON)
    file.write("注文番号,注文日時,会員番号,氏名,メールアドレス,電話番号,対応状況,合計,")
    file.write("商品コード,商品名,個数,単価\r\n")
    for n in range(lines):
        order = n // LINES_OF_ORDER
        person = order * 7919 % people
        at = datetime(2020, 1, 1) + timedelta(minutes=order * 3 % 2_500_000)  # noqa: DTZ001
        product = chance.randrange(2000)
        price = f"￥{100 + product * 10:,}"
        quantity = "1" if n % 10 else "２"
        file.write(
            f"P{order:08},{at:%Y/%m/%d %H:%M},M{person:07},山田 {person}郎,"
            f"m{person}@example.com,090-{person // 10000:04}-{person % 10000:04},入金済み,"
            f'"{price}",SKU-{product:04},カレー {product % 50}番,{quantity},"{price}"\r\n'
        )


@dataclass
class Spent:
    """What one pass over a file took, in seconds."""

    wall: float
    worker: float
    postgres: float

    def __add__(self, other: Spent) -> Spent:
        """Return what both took."""
        return Spent(
            self.wall + other.wall, self.worker + other.worker, self.postgres + other.postgres
        )


async def blocks(path: Path) -> AsyncIterator[bytes]:
    """Give a file as it comes over the wire."""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block


async def import_file(
    workspace_id: UUID, kind: str, path: Path, postmaster_pid: int
) -> tuple[Spent, Spent, dict[str, Any]]:
    """Check and import a file; returns what each took, and what became of the lines."""
    async with scope(workspace_id) as session:
        made = await service.receive(session, kind, path.name, blocks(path))
        await service.assign(session, made, made.mapping)
    check = await measured(workspace_id, made.id, postmaster_pid)
    async with scope(workspace_id) as session:
        await service.start(session, await session.one(Import, made.id))
    run = await measured(workspace_id, made.id, postmaster_pid)
    async with scope(workspace_id) as session:
        made = await session.one(Import, made.id)
        assert made.state == "finished", made.error
    for name, spent in (("check", check), ("import", run)):
        print(path.name, name, spent, file=sys.stderr)  # noqa: T201 — what a benchmark says
    return check, run, dict(made.outcome)


async def measured(workspace_id: UUID, import_id: UUID, postmaster_pid: int) -> Spent:
    """Let the worker do what the import waits for."""
    wall, worker = time.perf_counter(), time.process_time()
    postgres = cpu_of(postmaster_pid)
    await running.work(workspace_id, import_id)
    return Spent(
        time.perf_counter() - wall,
        time.process_time() - worker,
        cpu_of(postmaster_pid) - postgres,
    )


async def read_alone(workspace_id: UUID, kind: str, path: Path) -> float:
    """Return the processor's seconds that reading the file alone takes."""
    async with scope(workspace_id) as session:
        made = await service.receive(session, kind, path.name, blocks(path))
        layout = await service.layout_of(session, made)
        kept = store.path_of(workspace_id, made.id)
    began = time.process_time()
    assert all(part.rows for part in read_slices(kept, made.encoding, ",", layout))
    return time.process_time() - began


async def make_workspace() -> UUID:
    """Make a shop to import into, with two fields of its own."""
    async with everywhere() as session:  # a new workspace stands in none
        workspace = Workspace(name="Bench")
        session.add(workspace)
        await session.flush()
    async with scope(workspace.id) as session:
        gender = AttributeIn(key="gender", label="性別", kind="choice", choices=["男性", "女性"])
        await create_attribute(session, gender)
        await create_attribute(session, AttributeIn(key="n", label="来店回数", kind="number"))
    return workspace.id


async def plain_ways(path: Path, sample: int) -> dict[str, int]:
    """Return lines a second of the two plain ways: COPY as it is, and an upsert a line."""
    rows = [each.cells for each in records(path, ENCODING, ",")][1:]
    names = [f"c{n}" for n in range(len(rows[0]))]
    connect = psycopg.AsyncConnection.connect(libpq_url(database_url()))
    async with await connect as connection, connection.cursor() as cursor:
        columns = ", ".join(f"{name} text" for name in names)
        await cursor.execute(f"create table public.bare ({columns})".encode())
        began = time.perf_counter()
        statement = "copy public.bare from stdin (format csv, header, encoding 'SJIS')"
        async with cursor.copy(statement.encode()) as copy:
            async for block in blocks(path):
                await copy.write(block)
        await connection.commit()
        by_copy = len(rows) / (time.perf_counter() - began)
        await cursor.execute("create table public.person as table public.bare with no data")
        await cursor.execute("alter table public.person add primary key (c0)")
        began = time.perf_counter()
        gaps = ", ".join(["%s"] * len(names))
        kept = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        upsert = f"insert into public.person values ({gaps}) on conflict (c0) do update set {kept}"  # noqa: S608 — names of its own
        await cursor.executemany(upsert.encode(), rows[:sample])
        await connection.commit()
        by_line = min(sample, len(rows)) / (time.perf_counter() - began)
        await cursor.execute("drop table public.bare, public.person")
    return {"copy_per_s": round(by_copy), "executemany_per_s": round(by_line)}


async def play(kind: str, lines: int, sample: int, folder: Path, pid: int) -> dict[str, Any]:
    """Import files of growing size, the last one twice."""
    growth: dict[int, float] = {}
    sizes = [SMALL * 10**n for n in range(9) if SMALL * 10**n < lines] + [lines]
    path, workspace_id = folder, UUID(int=0)
    check = run = Spent(0, 0, 0)
    outcome: dict[str, Any] = {}
    for size in sizes:
        path = folder / f"{size}.csv"
        write_file(path, size, kind)
        workspace_id = await make_workspace()
        check, run, outcome = await import_file(workspace_id, kind, path, pid)
        growth[size] = (check + run).worker / size + (check + run).postgres / size
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    again_check, again, same = await import_file(workspace_id, kind, path, pid)
    read = await read_alone(workspace_id, kind, path)
    alternatives = await plain_ways(path, sample)
    await dispose()
    both = check + run
    return {
        "kind": kind,
        "lines": lines,
        "seconds": round(both.wall, 1),
        "lines_per_s": round(lines / both.wall),
        "check_s": round(check.wall, 1),
        "import_s": round(run.wall, 1),
        "again_s": round((again_check + again).wall, 1),
        "cpu_us_per_line": {
            "worker": round(both.worker / lines * 1e6, 1),
            "postgres": round(both.postgres / lines * 1e6, 1),
        },
        "read_us": round(read / lines * 1e6, 1),
        "peak_mb": peak,
        "growth": {size: round(each / growth[sizes[0]], 2) for size, each in growth.items()},
        "alternatives": alternatives,
        "new": outcome["new"],
        "same": same["same"],
    }


def main() -> None:
    """Start a server of its own and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--kind", choices=("members", "orders"), default="members")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=2000)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hiiki-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = prepare(folder / "pg")
        server.start()
        try:
            server.create_database("hiiki")
            asyncio.run(migrate(server.url()))
            os.environ["HIIKI_DATABASE_URL"] = server.url()
            os.environ["HIIKI_DATA_DIR"] = str(folder / "data")
            import hiiki.rooms

            assert hiiki.rooms.registry
            profile = cProfile.Profile()
            if given.profile:
                profile.enable()
            pid = postmaster(folder / "pg")
            done = asyncio.run(play(given.kind, given.lines, given.sample, folder, pid))
            if given.profile:
                profile.disable()
                pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
        finally:
            server.stop("immediate")
    print(json.dumps(done))  # noqa: T201 — what a benchmark says


if __name__ == "__main__":
    main()
