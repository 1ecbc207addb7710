"""Placing people: their cells are a function of what stands on the timeline, and of nothing else.

One statement goes through the answers (and, where purchases are measured, the `purchase`
events) of one person or of everybody in the order in which they happened, and finds every
move between cells. So the past can be read anew when the shop changes what an answer means, an
order that is taken back takes its move along, and asking twice changes nothing.

* What is known at a moment is the latest of each kind. Each step gets a number, and a code is
  put behind it: the running maximum of `number * 10 + code` carries the latest code along.
* Of one passage through a survey only the end counts; half-way, old and new answers are mixed.
* Somebody whose last purchase is too long ago lapses on that day, without anything happening.

Everybody is placed in slices, each in a transaction of its own, so that what has to be sorted is
little, and who has just done something waits a moment at most.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, TextClause, text

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.ninecells.cells import AWARE, BOUGHT, CELL_SQL, NEXT
from hiiki.ninecells.models import Setup

BY_HAND = {"scoped_by_hand": True}
CODES: Mapping[str, tuple[str, ...]] = {"aware": AWARE, "bought": BOUGHT, "again": NEXT}
NOBODY, LAST = UUID(int=0), UUID(int=2**128 - 1)
SLICE, MOST_SLICES = 20_000, 10_000
"""People who are placed at once."""
FRESH = timedelta(days=2)
"""Rules hear of moves that are not older; what is found later is history."""

_WANTED = f"""
with meaning as materialized (
    select * from jsonb_to_recordset(cast(:meanings as jsonb))
        as m(subject text, choice text, aware int, bought int, again int)
), bought as (
    select contact_id, at, id, row_number() over w as orders, lead(at) over w as following
    from timeline.event
    where workspace_id = :workspace and kind = 'purchase' and :measured
        and contact_id between :first and :last
    window w as (partition by contact_id order by at, id)
), step as (
    select e.contact_id, e.at, e.id, coalesce(e.data->>'response_id', e.id::text) as passage,
        m.aware, m.bought, m.again
    from timeline.event e
    join meaning m on m.subject = e.subject and m.choice = e.data->'choice_ids'->>0
    where e.workspace_id = :workspace and e.kind = 'survey_answer'
        and e.subject = any(cast(:subjects as text[]))
        and e.contact_id between :first and :last
    union all
    select contact_id, at, id, id::text, 1, case when orders >= :loyal then 3 else 2 end, null
    from bought
    union all
    select contact_id, at + cast(:lapse as interval), id, id::text || ' lapsed', null, 1, null
    from bought
    where at + cast(:lapse as interval) <= :now
        and (following is null or following > at + cast(:lapse as interval))
), numbered as (
    select *, row_number() over (partition by contact_id order by at, id) as place from step
), known as (
    select contact_id, at, id, place, passage,
        (max(place * 10 + aware) over w) % 10 as aware,
        coalesce((max(place * 10 + bought) over w) % 10, cast(:nothing as int)) as bought,
        (max(place * 10 + again) over w) % 10 as again
    from numbered
    -- As they are sorted already.
    window w as (partition by contact_id order by at, id)
), ended as (
    select *, row_number() over (partition by contact_id, passage order by place desc) as back
    from known
), state as (
    select distinct on (contact_id, at) contact_id, at, coalesce({CELL_SQL}, '') as cell
    from ended where back = 1
    order by contact_id, at, place desc
), change as (
    select contact_id, at, cell,
        lag(cell, 1, '') over (partition by contact_id order by at) as was
    from state
), wanted as (
    select contact_id, at, was, cell from change where cell <> was
)"""  # noqa: S608 — our own words

# A move that is none any more is written as one from a cell to the same, and deleted by the next
# statement: where tables are spread, no statement changes them twice.
_MOVES = text(
    _WANTED  # noqa: S608 — our own words
    + """
, old as (
    select contact_id, at, was, cell from ninecells.move
    where workspace_id = :workspace and contact_id between :first and :last
)
insert into ninecells.move as m (workspace_id, contact_id, at, was, cell, is_told)
select :workspace, contact_id, at, coalesce(w.was, ''), coalesce(w.cell, ''),
    w.contact_id is null or :told or at < :fresh
from wanted w full join old o using (contact_id, at)
join contacts.contact c on c.id = contact_id and c.workspace_id = :workspace
    and c.id between :first and :last
where (w.was, w.cell) is distinct from (o.was, o.cell)
-- A move that an earlier order, brought in late, makes another one is news as a new one is.
on conflict (contact_id, at) do update
    set was = excluded.was, cell = excluded.cell, is_told = excluded.is_told"""
)

_GONE = text(
    """
delete from ninecells.move
where workspace_id = :workspace and contact_id between :first and :last and was = cell"""
)

_LEAVE = text(
    """
delete from ninecells.standing s
where s.workspace_id = :workspace and s.contact_id between :first and :last
    and coalesce((
        select cell from ninecells.move m where m.contact_id = s.contact_id
        order by at desc limit 1
    ), '') = ''"""
)

_STAND = text(
    """
with latest as (
    select distinct on (contact_id) contact_id, cell, at from ninecells.move
    where workspace_id = :workspace and contact_id between :first and :last
    order by contact_id, at desc
)
insert into ninecells.standing as s (workspace_id, contact_id, cell, since)
select :workspace, contact_id, cell, at from latest where cell <> ''
on conflict (contact_id) do update set cell = excluded.cell, since = excluded.since
where (s.cell, s.since) is distinct from (excluded.cell, excluded.since)"""
)

_NEXT_END = text(
    """
select id from contacts.contact where workspace_id = :workspace and id > :after
order by id offset :size limit 1"""
)

_CELL = text(
    "select cell from ninecells.standing where workspace_id = :workspace and contact_id = :contact"
)


def meanings(setup: Setup) -> list[dict[str, Any]]:
    """Return what each choice says, as the statement reads it."""
    found: list[dict[str, Any]] = []
    for part, codes in CODES.items():
        if part == "bought" and setup.bought_from == "measured":
            continue
        asked: dict[str, Any] = setup.questions.get(part) or {}
        said: dict[str, str] = asked.get("meanings") or {}
        if asked.get("question_id"):
            found += [
                {"subject": asked["question_id"], "choice": choice, part: codes.index(meaning)}
                for choice, meaning in said.items()
                if meaning in codes
            ]
    return found


async def slices(session: WorkspaceSession) -> list[tuple[UUID, UUID]]:
    """Return the first and the last id of each slice of everybody."""
    ends: list[UUID] = []
    while len(ends) < MOST_SLICES:
        after = {"workspace": session.workspace_id, "after": ends[-1] if ends else NOBODY}
        found = await session.execute(
            _NEXT_END, {**after, "size": SLICE}, execution_options=BY_HAND
        )
        end = found.scalar()
        if end is None:
            break
        ends.append(end)
    return list(zip([NOBODY, *ends], [*ends, LAST], strict=True))


async def place(
    session: WorkspaceSession,
    setup: Setup,
    contact_id: UUID | None = None,
    *,
    between: tuple[UUID, UUID] | None = None,
    is_told: bool = True,
    at: datetime | None = None,
) -> int:
    """Bring the moves and the standing of one contact, of those `between` two ids, or of
    everybody up to date.

    Without `is_told`, moves that are new here and less than two days old are left to be told
    to rules (`telling`). Returns how many moves are new or other than before.
    """
    moment = at or now()
    found = meanings(setup)
    first, last = between or (contact_id or NOBODY, contact_id or LAST)
    whom = {"workspace": session.workspace_id, "first": first, "last": last}
    # One does not undo what the other has seen meanwhile: who places many sees all that has been
    # written before, and nobody is placed by herself until that is done.
    alone = "" if contact_id is None else "_shared"
    lock = text(f"select pg_advisory_xact_lock{alone}(hashtextextended(:key, 0))")
    key = f"ninecells:{session.workspace_id}"
    await session.execute(lock, {"key": key}, execution_options=BY_HAND)
    if contact_id is None:
        # Right after an import PostgreSQL does not know how many people have answered.
        for name, value in (("work_mem", "'64MB'"), ("enable_nestloop", "off")):
            await session.execute(text(f"set local {name} = {value}"), execution_options=BY_HAND)
    given = {
        **whom,
        "meanings": json.dumps(found),
        "subjects": list({one["subject"] for one in found}),
        "measured": setup.bought_from == "measured",
        "nothing": 0 if setup.bought_from == "measured" else None,
        "loyal": setup.loyal_orders,
        "lapse": timedelta(days=setup.current_days),
        "now": moment,
        "fresh": moment - FRESH,
        "told": is_told,
    }
    moved = await _run(session, _MOVES, given)
    if moved:
        moved -= await _run(session, _GONE, whom)
        await _run(session, _LEAVE, whom)
    await _run(session, _STAND, whom)
    return moved


async def _run(session: WorkspaceSession, statement: TextClause, given: dict[str, Any]) -> int:
    """Execute a statement; return how many rows it changed."""
    done = await session.execute(statement, given, execution_options=BY_HAND)
    return cast("CursorResult[Any]", done).rowcount


async def cell_now(session: WorkspaceSession, contact_id: UUID) -> str:
    """Return the cell in which a contact stands, "" for none."""
    whom = {"workspace": session.workspace_id, "contact": contact_id}
    found = await session.execute(_CELL, whom, execution_options=BY_HAND)
    return found.scalar() or ""
