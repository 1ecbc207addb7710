"""Who of these people is in which of these segments: for rules, scenarios and a person's page.

What the segments say is read by one statement, with all that they refer to, and who is in them
is asked by one more, however many segments and people there are. The second is put together
once and kept as text: SQLAlchemy needs longer for it than PostgreSQL for the answer. Days are
part of what it is kept under; moments are parameters, and are set anew each time.

What was read is remembered by the process. The statement that asks asks too whether all of it is
still so, and only where it is not are the segments read again: mostly one round trip is enough.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import structlog
from sqlalchemy import Integer, literal, select, text, union_all
from sqlalchemy.dialects.postgresql.psycopg import dialect

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.segments.compiler import compile_rule
from hiiki.segments.people import PEOPLE
from hiiki.segments.predicates import AGO, Frame
from hiiki.segments.rules import AnyRule, stored_rule

_DIALECT = dialect()
log = structlog.get_logger()

# Broken is what names a tag, attribute, list or account that is not there (any more). It cannot
# come to that by way of the console, which refuses to delete what a segment uses.
_LOAD = text("""
    with recursive needed as (
      select id, rule from segments.segment
      where workspace_id = :workspace_id and id = any(:ids)
      union
      select inner_one.id, inner_one.rule
      from needed cross join lateral jsonb_path_query(needed.rule, '$.**.segment_id') as named
      join segments.segment as inner_one
        on inner_one.workspace_id = :workspace_id and inner_one.id::text = named #>> '{}'
    ), named as (
      select needed.id as segment_id, found #>> '{}' as id
      from needed cross join lateral (
        select jsonb_path_query(rule, '$.**.tag_ids[*]')
        union all select jsonb_path_query(rule, '$.**.attribute_id')
        union all select jsonb_path_query(rule, '$.**.list_id')
        union all select jsonb_path_query(rule, '$.**.channel_id')
      ) as each (found)
    ), wanted as (
      select segment_id, case when id ~ '^[0-9a-f-]{36}$' then id::uuid end as id
      from named where id <> ''
    ), here as (
      select id from contacts.tag where workspace_id = :workspace_id
        and id in (select id from wanted)
      union all select id from contacts.attribute where workspace_id = :workspace_id
        and id in (select id from wanted)
      union all select id from segments.list where workspace_id = :workspace_id
        and id in (select id from wanted)
      union all select id from workspace.channel where workspace_id = :workspace_id
        and id in (select id from wanted)
    )
    select
      workspace.timezone,
      (select case when count(*) = 1 then (array_agg(id))[1] end
       from workspace.channel where workspace_id = :workspace_id) as only_channel,
      (select jsonb_object_agg(id::text, rule)::text from needed) as rules,
      (select array_agg(segment_id) from wanted where id is null or id not in (select id from here))
        as broken,
      (select array_agg(distinct id) from wanted where id is not null) as named,
      (select count(*) from here) as here
    from workspace.workspace where id = :workspace_id
    """)


# Gives one row where what was read is no longer so.
_CHECK = """
    select -1, null::uuid where not exists (
        select from workspace.workspace
        where id = %(seen_workspace)s::uuid and timezone = %(seen_zone)s::text)
      or (select case when count(*) = 1 then (array_agg(id))[1] end from workspace.channel
        where workspace_id = %(seen_workspace)s::uuid) is distinct from %(seen_channel)s::uuid
      or (select jsonb_object_agg(id::text, rule) from segments.segment
        where workspace_id = %(seen_workspace)s::uuid
        and id = any(%(seen_segments)s::uuid[])) is distinct from %(seen_rules)s::jsonb
      or %(seen_here)s::bigint <>
        (select count(*) from contacts.tag where workspace_id = %(seen_workspace)s::uuid
          and id = any(%(seen_named)s::uuid[]))
        + (select count(*) from contacts.attribute where workspace_id = %(seen_workspace)s::uuid
          and id = any(%(seen_named)s::uuid[]))
        + (select count(*) from segments.list where workspace_id = %(seen_workspace)s::uuid
          and id = any(%(seen_named)s::uuid[]))
        + (select count(*) from workspace.channel where workspace_id = %(seen_workspace)s::uuid
          and id = any(%(seen_named)s::uuid[]))
    """
_STALE = -1
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Loaded:
    """What segments say, and all that they refer to."""

    rules: Mapping[UUID, AnyRule]
    """Without those that cannot be read, or that name what is not there any more."""
    stored: bytes
    """The same as JSON."""
    zone: ZoneInfo
    only_channel: UUID | None
    seen: Mapping[str, Any]
    """The same as it was found, for `_CHECK`."""


async def load(session: WorkspaceSession, segment_ids: Iterable[UUID]) -> Loaded:
    """Read these segments, with all that they refer to, by one statement."""
    found = await session.execute(
        _LOAD,
        {"workspace_id": session.workspace_id, "ids": list(segment_ids)},
        execution_options={"scoped_by_hand": True},
    )
    row = found.one()
    said = orjson.loads(row.rules or "{}")
    rules: dict[UUID, AnyRule] = {}
    broken = cast("set[UUID]", set(row.broken or ()))
    good: dict[str, Any] = {}
    for name, stored in cast("dict[str, Any]", said).items():
        ident = UUID(name)
        rule = _read(orjson.dumps(stored)) if ident not in broken else None
        if rule is None:
            log.warning("segments.broken", segment_id=name)
        else:
            rules[ident], good[name] = rule, stored
    return Loaded(
        rules,
        orjson.dumps(good, option=orjson.OPT_SORT_KEYS),
        ZoneInfo(row.timezone),
        row.only_channel,
        {
            "seen_workspace": session.workspace_id,
            "seen_zone": row.timezone,
            "seen_channel": row.only_channel,
            "seen_segments": [UUID(name) for name in said] or list(segment_ids),
            "seen_rules": row.rules,
            "seen_named": row.named or [],
            "seen_here": row.here,
        },
    )


@lru_cache(maxsize=2048)
def _read(stored: bytes) -> AnyRule | None:
    return stored_rule(orjson.loads(stored))


async def memberships(
    session: WorkspaceSession, segment_ids: Iterable[UUID], contact_ids: Iterable[UUID]
) -> dict[UUID, set[UUID]]:
    """Return who of these people is in each of these segments now, as segment → contacts.

    A segment that is gone, or has been broken by hand in the database, contains nobody: what
    waits for it must not run by mistake.
    """
    wanted = tuple(sorted(set(segment_ids)))
    people = list(contact_ids)
    if not people or not wanted:
        return {ident: set() for ident in wanted}
    # Past the ORM: what is gathered or changed is to be seen all the same.
    await session.flush()
    key = session.workspace_id, wanted
    loaded = _remembered.get(key)
    rows = await _ask(session, loaded, wanted, people) if loaded else None
    for _ in range(_TRIES):
        if rows is None:
            loaded = await load(session, wanted)
            _remember(key, loaded)
            rows = await _ask(session, loaded, wanted, people)
    if rows is None:
        raise RuntimeError("segments are changed faster than they are read")
    found: dict[UUID, set[UUID]] = {ident: set() for ident in wanted}
    for number, contact_id in rows:
        found[wanted[number]].add(contact_id)
    return found


_remembered: OrderedDict[tuple[UUID, tuple[UUID, ...]], Loaded] = OrderedDict()


def _remember(key: tuple[UUID, tuple[UUID, ...]], loaded: Loaded) -> None:
    _remembered[key] = loaded
    while len(_remembered) > 1024:
        _remembered.popitem(last=False)


async def _ask(
    session: WorkspaceSession, loaded: Loaded, wanted: tuple[UUID, ...], people: list[UUID]
) -> list[tuple[int, UUID]] | None:
    """Return the places of segments with who is in them, or None if they were changed since."""
    at = now()
    today = at.astimezone(loaded.zone).date()
    zone = loaded.zone.key
    kept = _kept(session.workspace_id, loaded.stored, wanted, zone, loaded.only_channel, today)
    values = {**kept.values, **loaded.seen, PEOPLE: people}
    for name in kept.moments:
        values[name] = at - timedelta(days=int(name.removeprefix(AGO)))
    connection = await session.connection()
    answer = await connection.exec_driver_sql(kept.sql, values)
    rows = cast("list[tuple[int, UUID]]", answer.all())
    return None if any(number == _STALE for number, _contact_id in rows) else rows


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement as the driver takes it."""

    sql: str
    values: Mapping[str, Any]
    moments: Sequence[str]
    """Parameters that are so many days before now."""


@lru_cache(maxsize=512)
def _kept(
    workspace_id: UUID,
    stored: bytes,
    wanted: tuple[UUID, ...],
    zone: str,
    only_channel: UUID | None,
    today: date,
) -> Kept:
    rules = {
        UUID(name): rule
        for name, each in orjson.loads(stored).items()
        if (rule := _read(orjson.dumps(each))) is not None
    }
    # Any moment of the day: those that count are parameters.
    noon = datetime.combine(today, time(12), ZoneInfo(zone))
    frame = Frame(workspace_id, noon, ZoneInfo(zone), rules, (), only_channel)
    parts: list[Any] = []
    for number, ident in enumerate(wanted):
        if ident not in rules:
            continue
        try:
            members = compile_rule(rules[ident], frame, name=f"s{number}").subquery()
        except Invalid as error:
            log.warning("segments.broken", segment_id=str(ident), error=str(error))
            continue
        parts.append(select(literal(number, Integer), members.c.contact_id))
    if not parts:
        return Kept(_CHECK, {}, ())
    state = union_all(*parts).compile(dialect=_DIALECT).construct_expanded_state()
    values = {
        name: state.processors[name](value) if name in state.processors else value
        for name, value in state.parameters.items()
    }
    moments = [name for name in values if name.startswith(AGO)]
    return Kept(f"{state.statement} union all {_CHECK}", values, moments)
