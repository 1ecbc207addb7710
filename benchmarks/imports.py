"""A file of orders, from the disk into the tables: how long, where the time goes, what it holds.

    python -m benchmarks.imports [--lines 1000000] [--sample 500] [--profile]

A shop's own CSV in Shift_JIS, as a Japanese point-of-sale system writes one (yen signs, thousands
separators, full-width digits here and there), two lines to an order and four orders to a person,
nobody of whom is known before. PostgreSQL runs on this machine, with the settings of a new
installation. The file is checked, then imported, then imported again (nothing changes); before
that the same is done with 10,000 lines.

The last line is one JSON object. `lines_per_s` is of the import; `parse_us` and `write_us` are
microseconds of wall time a line, for reading the file alone and for all the rest; `python_us` and
`postgres_us` are the processors' time. `growth` is the wall time a line at this size over that at
10,000 lines. `row_by_row_per_s` are the lines a second of the plain alternative, over `--sample`
orders: each order's person looked up and the order written by the ORM, a transaction each.
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
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.processes import postmaster
from benchmarks.wire import cpu_of
from hiiki.db import everywhere, scope
from hiiki.db.embedded import prepare
from hiiki.db.engine import dispose
from hiiki.db.migrate import migrate
from hiiki.imports import running, service, store
from hiiki.imports.models import Import
from hiiki.imports.slices import read_slices
from hiiki.kit.ids import uuid7
from hiiki.purchases.models import Order, OrderLine
from hiiki.workspace.models import Workspace

SMALL = 10_000
LINES_OF_ORDER = 2
ORDERS_OF_PERSON = 4
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def write_file(path: Path, lines: int) -> None:
    """Write a file of so many lines of orders."""
    chance = random.Random(7)  # noqa: S311 — made-up orders, no secret
    people = max(1, lines // LINES_OF_ORDER // ORDERS_OF_PERSON)
    with path.open("w", encoding="cp932", newline="") as file:
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
    """What one pass over a file took."""

    wall: float
    python: float
    postgres: float


async def blocks(path: Path) -> AsyncIterator[bytes]:
    """Give a file as it comes over the wire."""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block


async def import_file(workspace_id: UUID, path: Path, postmaster_pid: int) -> dict[str, Any]:
    """Check and import a file, and import it again; returns what each took."""
    found: dict[str, Any] = {}
    for name in ("first", "again"):
        async with scope(workspace_id) as session:
            made = await service.receive(session, "orders", path.name, blocks(path))
            await service.assign(session, made, made.mapping)
        found[f"{name}_check"] = await measured(workspace_id, made.id, postmaster_pid)
        async with scope(workspace_id) as session:
            await service.start(session, await session.one(Import, made.id))
        found[name] = await measured(workspace_id, made.id, postmaster_pid)
        async with scope(workspace_id) as session:
            made = await session.one(Import, made.id)
            assert made.state == "finished", made.error
            found[f"{name}_outcome"] = dict(made.outcome)
    return found


async def measured(workspace_id: UUID, import_id: UUID, postmaster_pid: int) -> Spent:
    """Let the worker do what the import waits for."""
    wall, python = time.perf_counter(), time.process_time()
    postgres = cpu_of(postmaster_pid)
    await running.work(workspace_id, import_id)
    return Spent(
        time.perf_counter() - wall,
        time.process_time() - python,
        cpu_of(postmaster_pid) - postgres,
    )


async def parse_alone(workspace_id: UUID, path: Path, lines: int) -> float:
    """Return the seconds that reading the file alone takes."""
    async with scope(workspace_id) as session:
        made = await service.receive(session, "orders", path.name, blocks(path))
        layout = await service.layout_of(session, made)
        kept = store.path_of(workspace_id, made.id)
    began = time.process_time()
    rows = sum(len(part.rows) for part in read_slices(kept, made.encoding, ",", layout))
    assert rows == lines, rows
    return time.process_time() - began


async def row_by_row(workspace_id: UUID, orders: int) -> float:
    """Return the lines a second of the plain alternative."""
    from hiiki.contacts.identities import Keys, resolve

    began = time.perf_counter()
    for n in range(orders):
        async with scope(workspace_id) as session:
            [who] = await resolve(session, [Keys(customer=f"X{n // ORDERS_OF_PERSON}")])
            assert who is not None
            order = Order(
                workspace_id=workspace_id, contact_id=who, id=uuid7(), source="bench",
                number=str(n), at=datetime.fromisoformat("2024-01-01T00:00:00+00:00"),
                status="paid", currency="JPY", amount=Decimal(100), digest="",
                updated_at=datetime.fromisoformat("2024-01-01T00:00:00+00:00"),
            )  # fmt: skip
            session.add(order)
            for position in range(LINES_OF_ORDER):
                session.add(
                    OrderLine(
                        workspace_id=workspace_id,
                        contact_id=who,
                        order_id=order.id,
                        position=position,
                        product="x",
                        quantity=Decimal(1),
                        amount=Decimal(50),
                    )
                )
    return orders * LINES_OF_ORDER / (time.perf_counter() - began)


async def make_workspace() -> UUID:
    """Make a shop to import into."""
    async with everywhere() as session:  # a new workspace stands in none
        workspace = Workspace(name="Bench")
        session.add(workspace)
        await session.flush()
        return workspace.id


async def play(lines: int, sample: int, folder: Path, postmaster_pid: int) -> dict[str, Any]:
    """Import the small file and the large one."""
    small, large = folder / "small.csv", folder / "large.csv"
    write_file(small, SMALL)
    write_file(large, lines)
    few = await import_file(await make_workspace(), small, postmaster_pid)
    workspace_id = await make_workspace()
    parse = await parse_alone(workspace_id, large, lines)
    many = await import_file(workspace_id, large, postmaster_pid)
    for name, spent in many.items():
        print(name, spent, file=sys.stderr)  # noqa: T201 — what a benchmark says
    took: Spent = many["first"]
    slow = await row_by_row(workspace_id, sample)
    await dispose()
    return {
        "lines": lines,
        "lines_per_s": round(lines / took.wall),
        "seconds": round(took.wall, 1),
        "check_per_s": round(lines / many["first_check"].wall),
        "again_per_s": round(lines / many["again"].wall),
        "parse_us": round(parse / lines * 1e6, 1),
        "write_us": round((took.wall - parse) / lines * 1e6, 1),
        "python_us": round(took.python / lines * 1e6, 1),
        "postgres_us": round(took.postgres / lines * 1e6, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "growth": round(took.wall / lines / (few["first"].wall / SMALL), 2),
        "growth_cpu": round(
            (took.python + took.postgres)
            / lines
            / ((few["first"].python + few["first"].postgres) / SMALL),
            2,
        ),
        "row_by_row_per_s": round(slow),
        "new": many["first_outcome"]["new"],
        "same": many["again_outcome"]["same"],
    }


def main() -> None:
    """Start a server of its own and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=500)
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
            done = asyncio.run(play(given.lines, given.sample, folder, postmaster(folder / "pg")))
            if given.profile:
                profile.disable()
                pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
        finally:
            server.stop("immediate")
    print(json.dumps(done))  # noqa: T201 — what a benchmark says


if __name__ == "__main__":
    main()
