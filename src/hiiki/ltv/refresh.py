"""Working everything out anew: predictions, cohorts, what was sent to whom."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.ltv import holdout, learning
from hiiki.ltv.measured import months_after
from hiiki.ltv.models import Fit
from hiiki.ltv.purchases import (
    BY_HAND,
    ITEM,
    Customers,
    gather_days,
    purchases_by_day,
    read_customers,
    run,
    write_rows,
)

PARTS = 12
"""So many sources, stores or products are told apart; what is smaller stands together."""
MESSAGES_FOR = 400
"""Days for which messages are counted: thirteen months."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a fit gave: nothing when there are too few customers."""

    model: dict[str, Any]
    figures: dict[str, Any]
    holdout: dict[str, Any]
    predictions: learning.Predictions | None


async def fit_of(session: WorkspaceSession) -> Fit:
    """Return the row of the workspace's fit; a new one when it has none yet."""
    found = await session.get(Fit, session.workspace_id)
    if found is None:
        found = Fit(workspace_id=session.workspace_id)
        session.add(found)
        await session.flush()
    return found


async def refresh(session: WorkspaceSession) -> Fit:
    """Work out everything of a workspace anew, in this transaction."""
    lock = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await session.execute(lock, {"key": f"ltv:{session.workspace_id}"}, execution_options=BY_HAND)
    # Everybody is looked at. Right after an import PostgreSQL does not know how many that are,
    # and would look all events up for each.
    await run(session, "set local enable_nestloop = off")
    # What is sorted and hashed is as long as the list of customers: it is to stay off the disk.
    await run(session, "set local work_mem = '128MB'")
    await run(session, "set local jit = off")
    fit = await fit_of(session)
    today, zone = await gather_days(session)
    people = await read_customers(session, today)
    await run(
        session,
        "delete from ltv.prediction where workspace_id = :workspace_id",
        workspace_id=session.workspace_id,
    )
    fit.model, fit.figures, fit.holdout = {}, {}, {}
    fit.customers = fit.repeaters = fit.span_days = 0
    if people is not None:
        by_day = await purchases_by_day(session, people.start, people.cut)
        fit.customers, fit.span_days = people.size, people.today
        fit.repeaters = int((people.days > 1).sum())
        # The worker's other jobs go on meanwhile.
        learnt = await asyncio.to_thread(_learn, people, by_day)
        fit.model, fit.figures, fit.holdout = learnt.model, learnt.figures, learnt.holdout
        if learnt.predictions is not None:
            await _store(session, people, learnt.predictions)
    await _form_cohorts(session, zone)
    fit.messages = await _count_messages(session, today, zone)
    fit.learnt_at = now()
    await session.flush()
    return fit


def _learn(people: Customers, by_day: learning.Numbers) -> Learnt:
    repeaters = int((people.days > 1).sum())
    nothing = Learnt({}, {}, {}, None)
    if not learning.enough(people.size, repeaters, people.today):
        return nothing
    try:
        model = learning.learn_all(people)
    except ValueError:  # all who came again got everything for nothing
        return nothing
    found = learning.predict(model, people)
    return Learnt(
        model.dump(), learning.figures(people, found), holdout.check(people, by_day), found
    )


async def _store(session: WorkspaceSession, people: Customers, found: learning.Predictions) -> None:
    columns = {
        "predicted": found.predicted,
        "alive": found.alive,
        "expected": found.expected,
        "orders": people.orders,
        "spent": people.spent,
        "last_on": people.last,
    }
    named = ", ".join(f"{name} float8" for name in columns)
    await run(session, f"create temp table ltv_new (contact_id uuid, {named}) on commit drop")
    await write_rows(session, "ltv_new", people.ids, columns)
    await run(
        session,
        """
        insert into ltv.prediction (workspace_id, contact_id, predicted, alive, expected, orders,
            spent, last_on)
        select :workspace_id, contact_id, round(predicted::numeric, 2), round(alive::numeric, 4),
            round(expected::numeric, 4), orders::int, round(spent::numeric, 2),
            cast(:start as date) + last_on::int
        from ltv_new
        -- In the order of the indexes, which are filled in two thirds of the time so.
        order by contact_id
        """,
        workspace_id=session.workspace_id,
        start=people.start,
    )


# --- cohorts ----------------------------------------------------------------------------

_COUNTED = """make_date((month - since - 1) / 12, (month - since - 1) % 12 + 1, 1), since,
        count(*) filter (where is_first), sum(orders), round(sum(value)::numeric, 2)"""
"""A cohort's figures, of the gathered days grouped by its month and `since`."""
_ORIGINS: dict[str, str] = {
    "source": """
        select distinct on (f.contact_id) f.contact_id, coalesce(f.source, '') as part
        from contacts.friendship f
        join ltv_day d on d.contact_id = f.contact_id and d.day = d.first_on
        where f.workspace_id = :workspace_id
        order by f.contact_id, f.first_followed_at nulls last, f.followed_at
    """,
    "store": "select contact_id, store as part from ltv_day where day = first_on",
    "product": """
        select distinct on (e.contact_id) e.contact_id, e.subject as part
        from timeline.event e
        join ltv_day d on d.contact_id = e.contact_id and d.day = d.first_on
            and e.at >= (d.day::timestamp at time zone :zone)
            and e.at < ((d.day + 1)::timestamp at time zone :zone)
        where e.workspace_id = :workspace_id and e.kind = :item
        order by e.contact_id, e.value desc nulls last, e.subject
    """,
}
"""The part of each customer, by what customers are divided."""


_PAID = {
    "source": "union all select source from ltv.spending where workspace_id = :workspace_id",
    "store": "",
    "product": "",
}
"""What else is told apart however small it is: what a source cost stands beside whom it won."""


async def _form_cohorts(session: WorkspaceSession, zone: str) -> None:
    await run(
        session,
        "delete from ltv.cohort where workspace_id = :workspace_id",
        workspace_id=session.workspace_id,
    )
    await run(
        session,
        f"""
        insert into ltv.cohort (workspace_id, split, part, month, since, people, orders, revenue)
        select :workspace_id, 'all', '', {_COUNTED} from ltv_day group by month - since, since
        """,  # noqa: S608 — text of our own
        workspace_id=session.workspace_id,
    )
    for split in _ORIGINS:
        await _form_split(session, split, zone)


async def _form_split(session: WorkspaceSession, split: str, zone: str) -> None:
    await run(
        session,
        f"""
        insert into ltv.cohort (workspace_id, split, part, month, since, people, orders, revenue)
        with origins as materialized ({_ORIGINS[split]}),
        sizes as (
            select coalesce(part, '') as part,
                row_number() over (order by count(*) desc, 1) as place
            from ltv_day left join origins using (contact_id) where day = first_on group by 1),
        parts as (
            select part, case when place <= :parts or part in (select '' {_PAID[split]}) then part
                else '*' end as shown
            from sizes)
        select :workspace_id, cast(:split as text), shown, {_COUNTED}
        from ltv_day left join origins using (contact_id)
            join parts on parts.part = coalesce(origins.part, '')
        where exists (select from sizes where part <> '')
        group by shown, month - since, since
        """,  # noqa: S608 — text of our own
        **_used(
            _ORIGINS[split],
            workspace_id=session.workspace_id,
            split=split,
            parts=PARTS,
            item=ITEM,
            zone=zone,
        ),
    )


def _used(statement: str, **values: Any) -> dict[str, Any]:
    optional = {"item", "zone"}
    return {
        name: value
        for name, value in values.items()
        if name not in optional or f":{name}" in statement
    }


# --- what was sent ----------------------------------------------------------------------


# A month is looked up and moments are compared as they are: to find the shop's date of each of
# some million messages would take longer than all else.
_MESSAGES = text(
    """
    select width_bucket(e.at, cast(:months as timestamptz[])), e.channel_id, count(*),
        count(*) filter (where e.at >= f.known_from)
    from timeline.event e
    left join (
        select contact_id, (first_on + 1)::timestamp at time zone :zone as known_from
        from ltv_day where day = first_on
    ) f on f.contact_id = e.contact_id
    where e.workspace_id = :workspace_id and e.kind = 'sent' and e.at >= :since
        and e.subject like 'broadcast:%' and e.channel_id is not null
    group by 1, 2 order by 1, 2
    """
)


async def _count_messages(session: WorkspaceSession, today: date, zone: str) -> list[Any]:
    months: list[date] = [(today - timedelta(days=MESSAGES_FOR)).replace(day=1)]
    while (following := months_after(months[-1], 1)) <= today:
        months.append(following)
    starts = [datetime.combine(month, time(), ZoneInfo(zone)) for month in months]
    rows = await session.execute(
        _MESSAGES,
        {
            "workspace_id": session.workspace_id,
            "zone": zone,
            "since": starts[0],
            "months": starts,
        },
        execution_options=BY_HAND,
    )
    return [
        {
            "month": months[int(place) - 1].isoformat(),
            "channel_id": str(channel),
            "all": n,
            "customers": customers,
        }
        for place, channel, n, customers in rows
    ]
