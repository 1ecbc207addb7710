"""What each contact's events come to: counted as they are written, anew where some are taken back.

Segments ask how often, how much, when first and when last. Over ten million events that takes
seconds; over what they come to for each person, a fraction of one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hiiki.db import WorkspaceSession
from hiiki.db.copying import plain, uuids, words
from hiiki.db.rows import document, recordset
from hiiki.kit.road import road
from hiiki.timeline.models import Event, Tally

BY_HAND = {"scoped_by_hand": True}
_COLUMNS = """contact_id, kind, subject, workspace_id, n, total, least, most, first_at, last_at,
    chosen"""

_ADD_TO = """
    on conflict (contact_id, kind, subject) do update set
        n = t.n + excluded.n,
        total = case when excluded.total is null then t.total
            else coalesce(t.total, 0) + excluded.total end,
        least = least(t.least, excluded.least),
        most = greatest(t.most, excluded.most),
        first_at = least(t.first_at, excluded.first_at),
        last_at = greatest(t.last_at, excluded.last_at),
        chosen = case when excluded.last_at < t.last_at then t.chosen else excluded.chosen end
    where t.workspace_id = excluded.workspace_id
"""
_ADD = text(
    f"""
    insert into timeline.tally as t ({_COLUMNS})
    select {_COLUMNS} from {recordset(Tally)}
    -- In one order, or two transactions may wait for each other.
    order by contact_id, kind, subject
    {_ADD_TO}
    """  # noqa: S608 — names of our own columns
)
_SUMMED = """
    select e.contact_id, e.kind, k.subject, e.workspace_id, count(*) as n,
        sum(e.value) as total, min(e.value) as least, max(e.value) as most,
        min(e.at) as first_at, max(e.at) as last_at,
        (array_agg(e.data -> 'choice_ids' order by e.at desc, e.id desc))[1] as chosen
    from {events} e
    cross join lateral (
        select case when e.kind = any(:by_subject) then e.subject else '' end as subject
    ) k
    where e.workspace_id = :workspace_id and e.kind = any(:kinds) {more}
    group by e.contact_id, e.kind, k.subject, e.workspace_id
"""
_INSERT = f"""
    insert into timeline.tally as t ({_COLUMNS})
    select contact_id, kind, subject, workspace_id, n, total, least, most, first_at, last_at,
        case when jsonb_typeof(chosen) = 'array'
            then array(select jsonb_array_elements_text(chosen)) end
    from ({{summed}}) summed
    order by contact_id, kind, subject
"""  # noqa: S608 — names of our own columns
_ADD_MANY = text(
    f"""
    insert into timeline.tally as t ({_COLUMNS})
    select x.contact_id, x.kind, x.subject, :workspace_id, x.n, x.total, x.least, x.most,
        x.first_at, x.last_at, cast(x.chosen as text[])
    from unnest(
        cast(:contacts as uuid[]), cast(:kinds as text[]), cast(:subjects as text[]),
        cast(:counts as int[]), cast(:totals as numeric[]),
        cast(:least as numeric[]), cast(:most as numeric[]),
        cast(:firsts as timestamptz[]), cast(:lasts as timestamptz[]),
        cast(:chosen as text[])
    ) as x (contact_id, kind, subject, n, total, least, most, first_at, last_at, chosen)
    order by x.contact_id, x.kind, x.subject
    {_ADD_TO}
    """  # noqa: S608 — names of our own columns
)
_COUNT_ANEW = text(
    _INSERT.format(
        summed=_SUMMED.format(events="timeline.event", more="and e.contact_id = any(:contact_ids)")
    )
    + """
    on conflict (contact_id, kind, subject) do update set
        n = excluded.n, total = excluded.total, least = excluded.least, most = excluded.most,
        first_at = excluded.first_at, last_at = excluded.last_at, chosen = excluded.chosen
    where t.workspace_id = excluded.workspace_id
    """
)

_HOLD = text(
    """
    insert into timeline.tally as t (contact_id, kind, workspace_id, subject, n, first_at, last_at)
    select contact_id, kind, :workspace_id, '', 0, now(), now()
    from unnest(cast(:contact_ids as uuid[])) as contact_id
    cross join unnest(cast(:whole as text[])) as kind
    order by contact_id, kind
    on conflict (contact_id, kind, subject) do update set n = 0
    where t.workspace_id = excluded.workspace_id
    """
)
_HOLD_SUBJECTS = text(
    """
    update timeline.tally set n = 0
    where workspace_id = :workspace_id and contact_id = any(:contact_ids)
        and kind = any(:by_subject)
    """
)

_LET_GO = text(
    """
    delete from timeline.tally
    where workspace_id = :workspace_id and contact_id = any(:contact_ids) and kind = any(:kinds)
        and n = 0
    """
)


def tallied(kind: str) -> str:
    """Return what is counted of a kind of event: `kind`, `subject` or nothing."""
    found = road().events.get(kind)
    return "kind" if found is None else found.tally


def count_in(session: WorkspaceSession, event: Event) -> None:
    """Count a new event, with the others of this transaction in one statement."""
    if tallied(event.kind):
        session.gather(_add, event)


async def count_rows(session: WorkspaceSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Count new events, given as rows of the timeline, by one statement."""
    how = {kind: tallied(kind) for kind in {row["kind"] for row in rows}}
    counted: dict[tuple[UUID, str, str], list[Any]] = {}
    for row in rows:
        kind = row["kind"]
        if not (by := how[kind]):
            continue
        key = row["contact_id"], kind, row["subject"] if by == "subject" else ""
        value, at = row["value"], row["at"]
        sums = counted.get(key)
        if sums is None:
            counted[key] = [1, value, value, value, at, at, row["data"].get("choice_ids")]
            continue
        sums[0] += 1
        if value is not None:
            sums[1] = value if sums[1] is None else sums[1] + value
            sums[2] = value if sums[2] is None else min(sums[2], value)
            sums[3] = value if sums[3] is None else max(sums[3], value)
        sums[4] = min(sums[4], at)
        if at >= sums[5]:
            sums[5], sums[6] = at, row["data"].get("choice_ids")
    if not counted:
        return
    contacts, kinds, subjects = zip(*counted, strict=True)
    counts, totals, least, most, firsts, lasts, chosen = zip(*counted.values(), strict=True)
    await session.execute(
        _ADD_MANY,
        {
            "workspace_id": session.workspace_id,
            "contacts": uuids(contacts),
            "kinds": words(kinds),
            "subjects": words(subjects),
            "counts": plain(counts),
            "totals": plain(totals),
            "least": plain(least),
            "most": plain(most),
            "firsts": plain(firsts),
            "lasts": plain(lasts),
            "chosen": words(_list(each) for each in chosen),
        },
        execution_options=BY_HAND,
    )


def _list(chosen: Any) -> str | None:
    """Return a list of words as an array literal."""
    if not isinstance(chosen, list):
        return None
    return words(str(each) for each in cast("list[Any]", chosen))


async def count_anew(
    session: WorkspaceSession, contact_ids: Collection[UUID], kinds: Collection[str] = ()
) -> None:
    """Count the events of these contacts again (of these kinds, or of all).

    For whoever writes events by a statement of their own, takes some back, or gives them to
    somebody else. Four statements for thousands of contacts.
    """
    wanted = [kind for kind in kinds or road().events if tallied(kind)]
    if not wanted or not contact_ids:
        return
    values: dict[str, Any] = {
        "workspace_id": session.workspace_id,
        "contact_ids": list(contact_ids),
        "kinds": wanted,
        "whole": [kind for kind in wanted if tallied(kind) == "kind"],
        "by_subject": [kind for kind in wanted if tallied(kind) == "subject"],
    }
    # First each tally is held. Whoever is just counting an event is waited for, so that the count
    # sees it, or waits, and adds to what was counted.
    for statement in (_HOLD, _HOLD_SUBJECTS, _COUNT_ANEW, _LET_GO):
        named = {name: values[name] for name in statement.compile().params}
        await session.execute(statement, named, execution_options=BY_HAND)


def _add(session: Session, events: list[Event]) -> None:
    counted: dict[tuple[UUID, str, str], Tally] = {}
    for event in events:
        subject = event.subject if tallied(event.kind) == "subject" else ""
        key = event.contact_id, event.kind, subject
        one = Tally(
            contact_id=event.contact_id,
            kind=event.kind,
            subject=subject,
            workspace_id=event.workspace_id,
            n=1,
            total=event.value,
            least=event.value,
            most=event.value,
            first_at=event.at,
            last_at=event.at,
            chosen=_chosen(event),
        )
        before = counted.get(key)
        counted[key] = one if before is None else _together(before, one)
    session.execute(_ADD, {"rows": document(counted.values())}, execution_options=BY_HAND)


def _chosen(event: Event) -> list[str] | None:
    found = event.data.get("choice_ids")
    return [str(each) for each in cast("list[Any]", found)] if isinstance(found, list) else None


def _together(before: Tally, new: Tally) -> Tally:
    if new.last_at >= before.last_at:
        before.chosen = new.chosen
    before.n += new.n
    before.total = _both(before.total, new.total, Decimal.__add__)
    before.least = _both(before.least, new.least, min)
    before.most = _both(before.most, new.most, max)
    before.first_at = min(before.first_at, new.first_at)
    before.last_at = max(before.last_at, new.last_at)
    return before


def _both(
    one: Decimal | None, other: Decimal | None, join: Callable[[Decimal, Decimal], Decimal]
) -> Decimal | None:
    return other if one is None else one if other is None else join(one, other)
