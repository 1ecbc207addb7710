"""Locks on many people's rows at once, wherever the rows lie.

PostgreSQL locks rows of any number of people by one statement; Citus only those of one shard
(https://docs.citusdata.com/en/stable/develop/reference_workarounds.html). So whoever locks does it
part by part, in the order in which the parts come, and always in the same one: two who lock then
wait for each other only one way.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hiiki.db.copying import uuids
from hiiki.db.engine import engine
from hiiki.db.gate import WorkspaceSession

_BY_HAND = {"scoped_by_hand": True}
_HAS_CITUS = text("select to_regclass('pg_dist_partition') is not null")
_IS_SPREAD = text(
    "select exists (select from pg_dist_partition"
    " where logicalrelid = cast('contacts.contact' as regclass) and partmethod = 'h')"
)
# https://docs.citusdata.com/en/stable/develop/api_udf.html
_SHARDS = text(
    "select id, get_shard_id_for_distribution_column('contacts.contact', id) as shard"
    " from unnest(cast(:ids as uuid[])) as x(id) order by shard, id"
)
_known: WeakKeyDictionary[AsyncEngine, bool] = WeakKeyDictionary()
"""Whether people are spread in an engine's database: that changes only while Hiiki stands still."""


async def lockable(session: WorkspaceSession, contact_ids: Iterable[UUID]) -> list[list[UUID]]:
    """Return people in parts, each of which one statement `for update` may ask for by their ids.

    On one server there is one part, or none where there is nobody.
    """
    ids = sorted(set(contact_ids))
    if len(ids) < 2 or not await _is_spread(session):
        return [ids] if ids else []
    rows = await session.execute(_SHARDS, {"ids": uuids(ids)}, execution_options=_BY_HAND)
    return [[row.id for row in part] for _, part in groupby(rows, lambda row: row.shard)]


async def _is_spread(session: WorkspaceSession) -> bool:
    here = engine()
    known = _known.get(here)
    if known is None:
        known = bool(await session.scalar(_HAS_CITUS, execution_options=_BY_HAND))
        known = known and bool(await session.scalar(_IS_SPREAD, execution_options=_BY_HAND))
        _known[here] = known
    return known
