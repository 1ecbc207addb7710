"""Why a send pauses by itself, and when too many of its requests have gone wrong.

A send that goes wrong is better looked at by somebody than finished: a shop that imported
the friends of another account, or changed a message that LINE does not take, would otherwise
learn of it when nobody has got anything. Two budgets are watched, from the send's start or
its last resume on:

* people whom LINE refuses for good. The share is small, for hardly anybody is refused when
  all is well; the least number keeps three typing errors among ten testers from stopping it.
* requests without an answer, or with LINE's 5xx. They are tried again by themselves, so it
  takes many of them, and most of all, until it is LINE, or the way to it, that is down.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.delivery.sql import BY_HAND

REFUSED_LEAST = 20
"""People whom LINE must have refused before their share counts."""
REFUSED_SHARE = 0.10
"""Of those settled; more than that pauses."""
FAILED_LEAST = 200
"""Requests that must have been tried before the share that failed counts: a tenth of a second
of pushes at LINE's ceiling, or a second of multicasts."""
FAILED_SECONDS = 30
"""For so long a send must have run before that: LINE's one bad second must not stop it."""
FAILED_SHARE = 0.5
"""Of those that LINE settled or left without a proper answer; more than that pauses."""

_SETTLED = "(s.accepted + s.refused + s.in_doubt + s.cancelled - s.settled_before)"
_REFUSED = f"""(s.refused_since >= {REFUSED_LEAST}
    and s.refused_since > {REFUSED_SHARE} * {_SETTLED})"""
_FAILED = f"""(s.tried_since >= {FAILED_LEAST}
    and s.failed_since > {FAILED_SHARE} * s.tried_since
    and now() >= s.running_since + make_interval(secs => {FAILED_SECONDS}))"""

_WATCH = text(
    f"""
update delivery.send s
set state = 'paused', pause_reason = told.said,
    pause_code = case when {_REFUSED} then 'refused' else 'errors' end,
    pause_failed = case when {_REFUSED} then s.refused_since else s.failed_since end,
    pause_of = case when {_REFUSED} then {_SETTLED} else s.tried_since end
from unnest(cast(:ids as uuid[]), cast(:said as text[])) as told(id, said)
where s.id = told.id and s.state = 'running' and ({_REFUSED} or {_FAILED})"""  # noqa: S608 — this module's constants
)


async def watch(session: WorkspaceSession, said: Mapping[UUID | None, str | None]) -> None:
    """Pause those of these sends that are over a budget; `said` is what LINE said last."""
    if said:
        given = {"ids": list(said), "said": list(said.values())}
        await session.execute(_WATCH, given, execution_options=BY_HAND)
