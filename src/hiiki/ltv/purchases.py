"""From the `purchase` events of a workspace to what the models need, for all customers at once.

Purchases of one day count as one, as in the papers. The days are gathered once, into a table that
lives as long as the transaction; all else is asked of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.db.engine import raw_connection
from hiiki.kit.clock import now
from hiiki.ltv.numerics import Numbers
from hiiki.workspace.models import Workspace

BY_HAND = {"scoped_by_hand": True}
PURCHASE, ITEM = "purchase", "purchase_item"
CALIBRATION = 2 / 3
"""The share of the time from which a prediction of the rest is tried."""
_HEADER = 19
"""Bytes before the first row of PostgreSQL's binary COPY format, and 2 after the last."""

_COLUMNS = (
    "first",
    "last",
    "days",
    "orders",
    "spent",
    "again",
    "cut_last",
    "cut_days",
    "cut_again",
    "later_days",
    "later",
)


@dataclass(frozen=True, slots=True)
class Customers:
    """All customers of a workspace, an element each. Days are counted from `start`."""

    start: date
    today: int
    """Which day today is."""
    cut: int
    """The last day of the part from which a prediction of the rest is tried."""
    ids: NDArray[np.void]
    """The sixteen bytes of each contact's id."""
    first: Numbers
    last: Numbers
    days: Numbers
    """Days on which they bought."""
    orders: Numbers
    spent: Numbers
    again: Numbers
    """Money spent after the first day."""
    cut_last: Numbers
    """The same as of the day of the cut; -1, 0 and 0 for those who came later."""
    cut_days: Numbers
    cut_again: Numbers
    later_days: Numbers
    """Days on which they bought after the cut, and what they spent."""
    later: Numbers

    @property
    def size(self) -> int:
        """How many they are."""
        return int(self.ids.size)


async def gather_days(session: WorkspaceSession) -> tuple[date, str]:
    """Gather the days on which each customer bought, as `ltv_day`; return today and the zone.

    Its `month` is twelve times the year and the month, `since` how many months that is after the
    customer's first, and `is_first` is true of the first day of each month.
    """
    workspace = await session.known(Workspace, session.workspace_id)
    zone = ZoneInfo(workspace.timezone)
    today = now().astimezone(zone).date()
    await run(
        session,
        "create temp table ltv_day (contact_id uuid, day date, first_on date, orders int,"
        " value float8, store text, month int, since int, is_first boolean) on commit drop",
    )
    await run(
        session,
        """
        insert into ltv_day
        select contact_id, day, first_value(day) over w, orders, value, store,
            month, month - first_value(month) over w, lag(month) over w is distinct from month
        from (
            select *, (date_part('year', day) * 12 + date_part('month', day))::int as month
            from (
                select contact_id, (at at time zone :zone)::date as day, count(*) as orders,
                    coalesce(sum(value), 0) as value, min(subject) as store
                from timeline.event
                where workspace_id = :workspace_id and kind = :kind and at < :until
                group by 1, 2) days) months
        window w as (partition by contact_id order by day)
        """,
        workspace_id=session.workspace_id,
        kind=PURCHASE,
        zone=workspace.timezone,
        until=datetime.combine(today + timedelta(days=1), time(), zone),
    )
    await run(session, "analyze ltv_day")
    return today, workspace.timezone


async def read_customers(session: WorkspaceSession, today: date) -> Customers | None:
    """Return all customers of the gathered days; None when there is nobody."""
    found = await session.execute(text("select min(day) from ltv_day"), execution_options=BY_HAND)
    start: date | None = found.scalar()
    if start is None:
        return None
    end = (today - start).days
    cut = int(end * CALIBRATION)
    rows = await _read(
        session,
        f"""
        select contact_id,
            min(first_on) - date '{start}', max(day) - date '{start}', count(*), sum(orders),
            sum(value), coalesce(sum(value) filter (where day > first_on), 0),
            coalesce(max(day) filter (where {_before(start, cut)}) - date '{start}', -1),
            count(*) filter (where {_before(start, cut)}),
            coalesce(sum(value) filter (where day > first_on and {_before(start, cut)}), 0),
            count(*) filter (where not {_before(start, cut)}),
            coalesce(sum(value) filter (where not {_before(start, cut)}), 0)
        from ltv_day group by contact_id
        """,  # noqa: S608 — a date and a number of our own
    )
    columns = {name: rows[name].astype(np.float64) for name in _COLUMNS}
    return Customers(start=start, today=end, cut=cut, ids=rows["id"].copy(), **columns)


def _before(start: date, cut: int) -> str:
    return f"day <= date '{start + timedelta(days=cut)}'"


async def purchases_by_day(session: WorkspaceSession, start: date, cut: int) -> Numbers:
    """Return how many repeated purchases there were each day from `start` on, of those customers
    who had come by the day of the cut."""
    rows = await session.execute(
        text(
            "select (day - cast(:start as date)), count(*) from ltv_day"
            " where day > first_on and first_on <= cast(:end as date) group by 1"
        ),
        {"start": start, "end": start + timedelta(days=cut)},
        execution_options=BY_HAND,
    )
    counted = {int(day): int(number) for day, number in rows}
    found = np.zeros(max(counted, default=0) + 1)
    found[list(counted)] = list(counted.values())
    return found


async def _read(session: WorkspaceSession, query: str) -> NDArray[np.void]:
    # Through Python's objects, a million rows would take ten times as long.
    numbers = ", ".join(f"c{place}::float8" for place in range(len(_COLUMNS)))
    names = ", ".join(["id", *(f"c{place}" for place in range(len(_COLUMNS)))])
    statement = (
        f"copy (select id, {numbers} from ({query}) rows ({names})) to stdout (format binary)"  # noqa: S608
    )
    connection = await raw_connection(session)
    data = bytearray()
    async with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        async for block in copy:
            data += block
    # As it lies there: a copy of a million people's rows is a hundred megabytes.
    return np.frombuffer(memoryview(data)[_HEADER:-2], dtype=_row_type(_COLUMNS))


def _row_type(names: tuple[str, ...]) -> np.dtype[np.void]:
    """Return how a row of an id and numbers lies in the binary COPY format: big-endian, each
    value behind its length, the row behind the number of its values."""
    fields: list[Any] = [("values", ">i2"), ("id_length", ">i4"), ("id", "V16")]
    for name in names:
        fields += [(f"{name}_length", ">i4"), (name, ">f8")]
    return np.dtype(fields)


async def write_rows(
    session: WorkspaceSession, table: str, ids: NDArray[np.void], columns: dict[str, Numbers]
) -> None:
    """Write an id and numbers into a table that has exactly these columns, in this order."""
    rows = np.zeros(ids.size, dtype=_row_type(tuple(columns)))
    rows["values"], rows["id_length"], rows["id"] = 1 + len(columns), 16, ids
    for name, values in columns.items():
        rows[f"{name}_length"], rows[name] = 8, values
    connection = await raw_connection(session)
    async with (
        connection.cursor() as cursor,
        cursor.copy(f"copy {table} from stdin (format binary)".encode()) as copy,
    ):
        await copy.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8))
        await copy.write(rows.view(np.uint8).data)
        await copy.write(b"\xff\xff")


async def run(session: WorkspaceSession, statement: str, **values: Any) -> None:
    """Execute a statement that is scoped by hand."""
    await session.execute(text(statement), values, execution_options=BY_HAND)
