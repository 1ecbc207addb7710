"""Rate budgets: how many requests a channel may still make to an endpoint at this moment.

LINE's limits are token buckets by channel and endpoint (Messaging API reference, "Rate
limits"). Ours fill at the same speed but hold less, so whatever we let through, LINE's
have room for. They stand in the database, where all workers on all machines share them,
and are spent in the transaction that claims parcels: once for some hundred requests, not
for each. Nobody holds a share that others might need meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Result, Row, text

from hiiki.db import WorkspaceSession
from hiiki.delivery.sql import BY_HAND
from hiiki.line.limits import MULTICAST_RATE, PUSH_RATE, REPLY_RATE

Endpoint = tuple[UUID, str]
"""A channel, and push, multicast or reply."""

RATES = {"push": PUSH_RATE, "multicast": MULTICAST_RATE, "reply": REPLY_RATE}
PER_SECOND = {method: rate.requests / rate.seconds for method, rate in RATES.items()}
BURST = 0.2
"""How much of a second's requests may go at once."""
CAPACITY = {method: max(1.0, rate * BURST) for method, rate in PER_SECOND.items()}
KEPT_FOR_URGENT = 0.25
"""The part of the burst that bulk leaves to what is urgent."""
PUNISHMENT = 1.0
"""Seconds for which an endpoint is left alone after LINE's 429."""


def _case(figures: Mapping[str, float]) -> str:
    whens = " ".join(f"when '{method}' then {figure}" for method, figure in figures.items())
    return f"case b.method {whens} end"


LEVEL = (
    f"least({_case(CAPACITY)}, b.level + {_case(PER_SECOND)}"
    " * greatest(0, extract(epoch from clock_timestamp() - b.filled_at)))"
)
"""SQL: what the budget `b` holds now; below zero after a debt, which urgent requests may make."""

_WANTED = """
with wanted as (
    select * from unnest(cast(:channels as uuid[]), cast(:methods as text[]),
        cast(:requests as int[])) as w(channel_id, method, requests)
)"""
# Always in this order, so that two workers never wait for each other.
_LOCK = text(
    f"""{_WANTED}
select b.channel_id, b.method, {LEVEL} as level
from delivery.budget b join wanted using (channel_id, method)
order by b.channel_id, b.method for update of b"""  # noqa: S608 — our own figures
)
_FIRST = text(
    f"""{_WANTED}
insert into delivery.budget as b (workspace_id, channel_id, method, level, filled_at)
select c.workspace_id, b.channel_id, b.method, {_case(CAPACITY)} - b.requests, clock_timestamp()
from wanted b join workspace.channel c on c.id = b.channel_id
order by b.channel_id, b.method
on conflict (channel_id, method) do update
    set level = {LEVEL} - ({_case(CAPACITY)} - excluded.level),
        filled_at = greatest(b.filled_at, clock_timestamp())"""  # noqa: S608
)
_SPEND = text(
    f"""{_WANTED}, held as (
    select b.channel_id, b.method from delivery.budget b join wanted using (channel_id, method)
    order by b.channel_id, b.method for update of b
)
update delivery.budget b
set level = {LEVEL} - wanted.requests, filled_at = greatest(b.filled_at, clock_timestamp())
from held join wanted using (channel_id, method)
where b.channel_id = held.channel_id and b.method = held.method
returning b.channel_id, b.method, b.level"""  # noqa: S608
)
_PUNISH = text(
    f"""{_WANTED}, held as (
    select b.channel_id, b.method from delivery.budget b join wanted using (channel_id, method)
    order by b.channel_id, b.method for update of b
)
update delivery.budget b
set level = least(0, {LEVEL}), filled_at = clock_timestamp() + make_interval(secs => {PUNISHMENT})
from held where b.channel_id = held.channel_id and b.method = held.method"""  # noqa: S608
)


def for_bulk(method: str, level: float) -> int:
    """Return how many bulk requests a budget at this level allows."""
    return max(0, int(level - CAPACITY[method] * KEPT_FOR_URGENT))


async def lock(session: WorkspaceSession, endpoints: Collection[Endpoint]) -> dict[Endpoint, float]:
    """Return what these budgets hold, which nobody else changes until the transaction ends."""
    found = _levels(await _run(session, _LOCK, dict.fromkeys(endpoints, 0)))
    if missing := [endpoint for endpoint in endpoints if endpoint not in found]:
        await _run(session, _FIRST, dict.fromkeys(missing, 0))
        found = _levels(await _run(session, _LOCK, dict.fromkeys(endpoints, 0)))
    return found


async def spend(session: WorkspaceSession, requests: Mapping[Endpoint, int]) -> bool:
    """Note requests that are about to be made. Urgent ones may go into debt, which bulk pays.

    Returns whether every budget still has room for one more.
    """
    if not requests:
        return True
    found = _levels(await _run(session, _SPEND, requests))
    if missing := {endpoint: n for endpoint, n in requests.items() if endpoint not in found}:
        await _run(session, _FIRST, missing)
    return all(level >= 1 for level in found.values())


async def punish(session: WorkspaceSession, endpoints: Collection[Endpoint]) -> None:
    """Let nothing through for a while, in any worker: LINE has said that it was too much."""
    if endpoints:
        await _run(session, _PUNISH, dict.fromkeys(endpoints, 0))


async def _run(
    session: WorkspaceSession, statement: Any, requests: Mapping[Endpoint, int]
) -> Result[UUID, str, float]:
    given = {
        "channels": [channel_id for channel_id, _method in requests],
        "methods": [method for _channel_id, method in requests],
        "requests": list(requests.values()),
    }
    return await session.execute(statement, given, execution_options=BY_HAND)


def _levels(rows: Iterable[Row[UUID, str, float]]) -> dict[Endpoint, float]:
    return {(channel_id, method): float(level) for channel_id, method, level in rows}
