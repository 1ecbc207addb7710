"""Orders in the tables, with all that follows from them: a few statements, however many they are.

What is worked out of orders (what somebody has spent, what was sold of a product, the events on
the timeline) changes with them, here and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Table, TextClause, text

from hiiki.db import Base, WorkspaceSession
from hiiki.db.copying import copy_in, uuids
from hiiki.db.locking import lockable
from hiiki.db.rows import recordset
from hiiki.kit.ids import uuid7
from hiiki.purchases.events import event_ids, events_of
from hiiki.purchases.models import COUNTED, Order, OrderLine
from hiiki.timeline.service import record_rows, retract
from hiiki.workspace.models import Workspace

BY_HAND = {"scoped_by_hand": True}
Row = dict[str, Any]
_LANES = 64
"""Two who bring the same order wait for each other by one of so many locks of a workspace: a lock
for each order of thousands would be more than PostgreSQL has room for."""


@dataclass(slots=True)
class Version:
    """An order with its lines, as rows of their tables."""

    order: Row
    lines: list[Row]

    @property
    def counts(self) -> bool:
        """Whether it is a purchase."""
        return self.order["status"] in COUNTED


def document(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as PostgreSQL reads them (`json_populate_recordset`)."""
    return orjson.dumps(list(rows), default=str).decode()


def inserting(model: type[Base]) -> TextClause:
    """Return what inserts a `document` of rows into a table."""
    table = cast("Table[Any]", model.__table__)
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return text(f"insert into {table.fullname} ({names}) select {names} from {recordset(model)}")  # noqa: S608 — names of our own tables


_HOLD = text(
    """
    select pg_advisory_xact_lock(hashtextextended(cast(:workspace_id as text), lane))
    from (select unnest(cast(:lanes as int[])) as lane order by 1) _
    """
)
_LOCK_PEOPLE = text(
    """
    select id from contacts.contact
    where workspace_id = :workspace_id and id = any(cast(:contacts as uuid[]))
    order by id for no key update
    """
)
_PAIRS = "unnest(cast(:contacts as uuid[]), cast(:orders as uuid[])) as k(contact_id, id)"
_REMOVE_ORDERS = text(
    f"""
    delete from purchases.order o using {_PAIRS}
    where o.workspace_id = :workspace_id and o.contact_id = k.contact_id and o.id = k.id
    returning o.*
    """  # noqa: S608 — our own words
)
_REMOVE_LINES = text(
    f"""
    delete from purchases.order_line l using {_PAIRS}
    where l.workspace_id = :workspace_id and l.contact_id = k.contact_id and l.order_id = k.id
    returning l.*
    """  # noqa: S608 — our own words
)
_SUMS = text(
    """
    insert into purchases.customer
        (workspace_id, contact_id, orders, spent, average, items, days, gap_days, first_at, last_at,
        is_marked)
    select o.workspace_id, o.contact_id, count(*), sum(o.amount - o.refunded),
        avg(o.amount - o.refunded), sum(o.items),
        count(distinct cast(o.at at time zone :timezone as date)),
        case when count(*) > 1 then
            extract(epoch from max(o.at) - min(o.at)) / 86400 / (count(*) - 1) end,
        min(o.at), max(o.at),
        o.contact_id = any(cast(:made as uuid[])) or not exists (
            select from contacts.contact c
            where c.id = o.contact_id and c.workspace_id = :workspace_id and c.is_purchaser
        )
    from purchases.order o
    where o.workspace_id = :workspace_id and o.contact_id = any(cast(:contacts as uuid[]))
      and o.status in ('paid', 'partly_returned')
    group by o.workspace_id, o.contact_id
    on conflict (contact_id) do update set
        orders = excluded.orders, spent = excluded.spent, average = excluded.average,
        items = excluded.items, days = excluded.days, gap_days = excluded.gap_days,
        first_at = excluded.first_at, last_at = excluded.last_at
    returning contact_id
    """
)
_NO_SUMS = text(
    """
    delete from purchases.customer
    where workspace_id = :workspace_id and contact_id = any(cast(:contacts as uuid[]))
    returning contact_id, is_marked
    """
)
_PURCHASERS = text(
    """
    update contacts.contact set is_purchaser = :bought, updated_at = now()
    where workspace_id = :workspace_id and id = any(cast(:contacts as uuid[]))
      and is_purchaser <> :bought
    """
)
_PRODUCTS = text(
    """
    insert into purchases.product as p
        (id, workspace_id, key, name, sold, revenue, created_at, updated_at)
    select id, :workspace_id, key, name, sold, revenue, now(), now()
    from json_to_recordset(cast(:rows as json))
        as x(id uuid, key text, name text, sold numeric, revenue numeric)
    order by key
    on conflict (workspace_id, key) do update set
        name = case when excluded.name <> '' and (:renames or p.name = '') then excluded.name
            else p.name end,
        sold = p.sold + excluded.sold, revenue = p.revenue + excluded.revenue, updated_at = now()
    where excluded.sold <> 0 or excluded.revenue <> 0
       or excluded.name <> p.name and (:renames or p.name = '')
    """
)
_STORES = text(
    """
    insert into purchases.store as s
        (id, workspace_id, code, name, orders, revenue, created_at, updated_at)
    select id, :workspace_id, code, name, orders, revenue, now(), now()
    from json_to_recordset(cast(:rows as json))
        as x(id uuid, code text, name text, orders int, revenue numeric)
    order by code
    on conflict (workspace_id, code) do update set
        name = case when excluded.name <> '' and (:renames or s.name = '') then excluded.name
            else s.name end,
        orders = s.orders + excluded.orders, revenue = s.revenue + excluded.revenue,
        updated_at = now()
    where excluded.orders <> 0 or excluded.revenue <> 0
       or excluded.name <> s.name and (:renames or s.name = '')
    """
)

_DAYS = text(
    """
    insert into purchases.day as d (workspace_id, day, orders, revenue)
    select :workspace_id, day, orders, revenue
    from json_to_recordset(cast(:rows as json)) as x(day date, orders int, revenue numeric)
    order by day
    on conflict (workspace_id, day) do update set
        orders = d.orders + excluded.orders, revenue = d.revenue + excluded.revenue
    """
)


_ZONE = text("select zone from purchases.reckoning where workspace_id = :workspace_id for share")
_FIRST_ZONE = text(
    """
    insert into purchases.reckoning (workspace_id, zone) values (:workspace_id, :zone)
    on conflict do nothing
    """
)
_NEW_ZONE = text("update purchases.reckoning set zone = :zone where workspace_id = :workspace_id")
_NO_DAYS = text("delete from purchases.day where workspace_id = :workspace_id")
_ALL_DAYS = text(
    """
    insert into purchases.day (workspace_id, day, orders, revenue)
    select workspace_id, cast(at at time zone :zone as date), count(*), sum(amount - refunded)
    from purchases.order
    where workspace_id = :workspace_id and status in ('paid', 'partly_returned')
    group by 1, 2
    """
)


_CUSTOMERS_DAYS = text(
    """
    update purchases.customer c set days = x.days
    from (
        select o.contact_id, count(distinct cast(o.at at time zone :zone as date)) as days
        from purchases.order o
        where o.workspace_id = :workspace_id and o.status in ('paid', 'partly_returned')
        group by o.contact_id
    ) x
    where c.workspace_id = :workspace_id and c.contact_id = x.contact_id and c.days <> x.days
    """
)


async def run(session: WorkspaceSession, statement: TextClause, **values: Any) -> Any:
    """Execute one of this room's own statements, in the session's workspace."""
    for name, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], UUID):
            values[name] = uuids(cast("list[UUID]", value))
    return await session.execute(
        statement,
        {"workspace_id": session.workspace_id, **values},
        execution_options=BY_HAND,
    )


async def hold(session: WorkspaceSession, orders: Sequence[UUID]) -> None:
    """Let nobody else change these orders until this transaction ends."""
    lanes = sorted({ident.int >> 64 & _LANES - 1 for ident in orders})
    await run(session, _HOLD, lanes=lanes)


async def hold_people(session: WorkspaceSession, contact_ids: Iterable[UUID]) -> set[UUID]:
    """Lock people, so that sums of theirs are made one after the other; return who is there."""
    there: set[UUID] = set()
    for part in await lockable(session, contact_ids):
        there.update(row[0] for row in await run(session, _LOCK_PEOPLE, contacts=part))
    return there


async def remove(
    session: WorkspaceSession, pairs: Sequence[tuple[UUID, UUID]]
) -> dict[UUID, Version]:
    """Take orders, by (contact, order), out of the tables with their events; return what stood.

    What is worked out of them is not brought up to date: `follow` does that.
    """
    if not pairs:
        return {}
    keys = {"contacts": [pair[0] for pair in pairs], "orders": [pair[1] for pair in pairs]}
    found = {
        row["id"]: Version(dict(row), [])
        for row in (await run(session, _REMOVE_ORDERS, **keys)).mappings()
    }
    for row in (await run(session, _REMOVE_LINES, **keys)).mappings():
        if row["order_id"] in found:
            found[row["order_id"]].lines.append(dict(row))
    for version in found.values():
        version.lines.sort(key=lambda line: line["position"])
    await retract(
        session,
        [
            (version.order["contact_id"], ident)
            for version in found.values()
            for ident in event_ids(version.order["id"], version.order["lines"])
        ],
    )
    return found


async def insert(session: WorkspaceSession, added: Sequence[Version]) -> None:
    """Put orders into the tables, and what they tell on the timeline."""
    await copy_in(session, Order, [one.order for one in added])
    await copy_in(session, OrderLine, [line for one in added for line in one.lines])
    events = [event for one in added for event in events_of(one.order, one.lines)]
    await record_rows(session, events)


async def follow(
    session: WorkspaceSession,
    removed: Iterable[Version],
    added: Iterable[Version],
    names: Mapping[str, str],
    *,
    renames: bool,
    made: Collection[UUID] = (),
) -> None:
    """Bring up to date what is worked out of orders, after `removed` made way for `added`.

    `names` are the stores' names by their codes. With `renames` the names of products and stores
    are taken from these orders; without, only where there is none yet: the names in old files
    are old ones. `made` are people whom these orders have made, as purchasers if they are any.
    """
    gone, come = list(removed), list(added)
    people = {one.order["contact_id"] for one in (*gone, *come) if one.counts}
    if people:
        await sum_up(session, sorted(people), people.intersection(made))
        await _count_days(session, gone, come)
    await _count_products(session, gone, come, renames=renames)
    await _count_stores(session, gone, come, names, renames=renames)


async def sum_up(
    session: WorkspaceSession, contact_ids: Sequence[UUID], made: Collection[UUID] = ()
) -> None:
    """Work out anew what these people have bought in all, and who of them is a purchaser.

    `made` are those whom their orders have just made.
    """
    workspace = await session.known(Workspace, session.workspace_id)
    done = await run(
        session,
        _SUMS,
        contacts=list(contact_ids),
        made=uuids(made),
        timezone=workspace.timezone,
    )
    bought = {row[0] for row in done}
    if bought:
        await run(session, _PURCHASERS, contacts=list(bought), bought=True)
    if without := [ident for ident in contact_ids if ident not in bought]:
        gone = await run(session, _NO_SUMS, contacts=without)
        # Who was known for a purchaser from elsewhere stays one.
        if lost := [row.contact_id for row in gone if row.is_marked]:
            await run(session, _PURCHASERS, contacts=lost, bought=False)


async def _count_days(session: WorkspaceSession, gone: list[Version], come: list[Version]) -> None:
    zone = ZoneInfo(await session.once("purchases.zone", lambda: _zone(session)))
    sold: dict[date, list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    for sign, versions in ((-1, gone), (1, come)):
        for version in versions:
            if version.counts:
                order = version.order
                one = sold[order["at"].astimezone(zone).date()]
                one[0] += sign
                one[1] += sign * (order["amount"] - order["refunded"])
    rows = [
        {"day": day, "orders": orders, "revenue": amount}
        for day, (orders, amount) in sold.items()
        if orders or amount
    ]
    if rows:
        await run(session, _DAYS, rows=document(rows))


async def _zone(session: WorkspaceSession) -> str:
    """Return the zone of the days, which stays until this transaction ends."""
    found = (await run(session, _ZONE)).scalar()
    if found is None:
        workspace = await session.known(Workspace, session.workspace_id)
        await run(session, _FIRST_ZONE, zone=workspace.timezone)
        found = (await run(session, _ZONE)).scalar_one()
    return str(found)


async def count_days_anew(session: WorkspaceSession, zone: str) -> None:
    """Count all days of the workspace again, and each customer's, in another time zone."""
    # Nobody brings orders meanwhile: who does holds customers first, and then the zone.
    await run(session, _HOLD, lanes=list(range(_LANES)))
    await run(session, _FIRST_ZONE, zone=zone)
    # Waits for whoever is just counting, and lets nobody count meanwhile.
    await run(session, _NEW_ZONE, zone=zone)
    await run(session, _NO_DAYS)
    await run(session, _ALL_DAYS, zone=zone)
    await run(session, _CUSTOMERS_DAYS, zone=zone)


async def _count_products(
    session: WorkspaceSession, gone: list[Version], come: list[Version], *, renames: bool
) -> None:
    sold: dict[str, list[Any]] = defaultdict(lambda: [Decimal(0), Decimal(0), ""])
    for sign, versions in ((-1, gone), (1, come)):
        for version in versions:
            counts = sign if version.counts else 0
            for line in version.lines:
                one = sold[line["product"]]
                if counts:
                    one[0] += counts * line["quantity"]
                    one[1] += counts * line["amount"]
                if sign > 0 and line["name"]:
                    one[2] = line["name"]
    if sold:
        rows = [
            {"id": uuid7(), "key": key, "name": name, "sold": quantity, "revenue": amount}
            for key, (quantity, amount, name) in sold.items()
        ]
        await run(session, _PRODUCTS, rows=document(rows), renames=renames)


async def _count_stores(
    session: WorkspaceSession,
    gone: list[Version],
    come: list[Version],
    names: Mapping[str, str],
    *,
    renames: bool,
) -> None:
    sold: dict[str, list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    for sign, versions in ((-1, gone), (1, come)):
        for version in versions:
            code = version.order["store"]
            if code:
                one = sold[code]
                if version.counts:
                    one[0] += sign
                    one[1] += sign * (version.order["amount"] - version.order["refunded"])
    if sold:
        rows = [
            {
                "id": uuid7(),
                "code": code,
                "name": names.get(code, ""),
                "orders": orders,
                "revenue": amount,
            }
            for code, (orders, amount) in sold.items()
        ]
        await run(session, _STORES, rows=document(rows), renames=renames)
