"""The rules that wait for an event, without reading them anew each time.

A worker handles thousands of events between two changes of a rule. Whoever claims an
event may read along, in the same statement, in which state the workspace's rules are: a
string that changes with every change of a rule (`STATE`, SQL). While it stays the same
the worker's copy is right; a rule that was switched off a moment ago never runs again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.actions.models import Rule
from hiiki.db import WorkspaceSession

STATE = """(
    select coalesce(
        count(*)::text || ':' || sum(extract(epoch from r.updated_at))::text
            || ':' || max(r.updated_at)::text,
        '0'
    )
    from actions.rule r where r.workspace_id = :workspace_id
)"""
"""SQL: the state of a workspace's rules, for a statement with a `:workspace_id`."""
KEPT_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule as the runner needs it, without the session it was read in."""

    id: UUID
    event_kind: str
    event_subject: str
    segment_id: UUID | None
    topic_id: UUID | None
    actions: list[dict[str, Any]]


_books: dict[UUID, tuple[str, dict[str, list[Standing]]]] = {}


async def rules_for(
    session: WorkspaceSession, event_kind: str, state: str | None
) -> list[Standing]:
    """Return the rules that wait for this kind of event, in their order.

    `state` is what `STATE` gave in this transaction; without it the rules are read.
    """
    if state is None:
        return await _read(session, event_kind)
    known = _books.get(session.workspace_id)
    if known is None or known[0] != state:
        book: dict[str, list[Standing]] = {}
        for rule in await _read(session, None):
            book.setdefault(rule.event_kind, []).append(rule)
        if len(_books) >= KEPT_AT_MOST:
            _books.clear()
        known = _books[session.workspace_id] = (state, book)
    return known[1].get(event_kind, [])


async def _read(session: WorkspaceSession, event_kind: str | None) -> list[Standing]:
    query = select(Rule).where(Rule.is_on.is_(True)).order_by(Rule.position, Rule.id)
    if event_kind is not None:
        query = query.where(Rule.event_kind == event_kind)
    return [
        Standing(
            rule.id,
            rule.event_kind,
            rule.event_subject,
            rule.segment_id,
            rule.topic_id,
            rule.actions,
        )
        for rule in await session.scalars(query)
    ]
